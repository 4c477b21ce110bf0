"""Answers to many datagrams of one event: none is lost, joined or late, or overtakes another."""

import gc
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.contract.datagrams import HOST, Listener, address, listen, peer
from tests.contract.parts import Reports
from tests.contract.streams import ByContract, Net, net

from torsion.contract import Reactor
from torsion.error import InvalidAddressError

DRIVERS = {"native": Reactor, "contract": ByContract}


@pytest.fixture(params=DRIVERS)
def here(request: pytest.FixtureRequest, reports: Reports) -> Iterator[Net]:
    with net(DRIVERS[request.param]) as made:
        yield made


def got(client: socket.socket) -> list[bytes]:
    """What this socket has received by now."""
    client.setblocking(False)
    there = []
    while True:
        try:
            there.append(client.recv(65536))
        except BlockingIOError:
            return there


def burst(client: socket.socket, port: Any, count: int) -> list[bytes]:
    """Datagrams that the port receives in one event."""
    sent = [b"%d" % number for number in range(count)]
    for data in sent:
        client.sendto(data, address(port))
    return sent


KINDS = "answer|long|no bytes|to another|by the socket|equal address|two|raises|turns|pauses".split("|")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=40))
def test_every_datagram_that_is_written_arrives_alone_and_in_its_order(
    here: Net, reports: Reports, kinds: list[str]
) -> None:
    port, client, other = listen(here), peer(here), peer(here)
    expected: dict[socket.socket, list[bytes]] = {client: [], other: []}

    def send(data: Any, to: Any, whom: socket.socket) -> None:
        assert port.write(data, to) == len(data)
        expected[whom].append(bytes(data))

    def answer(data: bytes, sender: Any) -> None:
        kind = kinds[int(data)]
        if kind == "long":
            send(data * 700, sender, client)
        elif kind == "no bytes":
            send(bytearray(data), sender, client)
        elif kind == "to another":
            send(data, other.getsockname(), other)
        elif kind == "by the socket":
            port.socket.sendto(data, sender)
            expected[client].append(data)
        elif kind == "equal address":
            send(data, (sender[0], sender[1]), client)
        else:
            send(data, sender, client)
        if kind == "two":
            send(b"", sender, client)
        elif kind == "raises":
            raise ZeroDivisionError
        elif kind == "turns":
            here.reactor.iterate(0)
        elif kind == "pauses":
            port.pauseProducing()
            here.reactor.callLater(0, port.resumeProducing)

    port.protocol.on_datagram = answer
    sent = burst(client, port, len(kinds))
    here.until(lambda: len(port.protocol.received) == len(sent))
    here.turns()
    if "turns" not in kinds:  # else the rest was received in the middle of another
        assert port.protocol.received == sent
    assert sorted(port.protocol.received) == sorted(sent)
    assert got(client) == expected[client]
    assert got(other) == expected[other]
    assert len(reports) == kinds.count("raises")
    reports.clear()
    port.stopListening()
    here.turns()
    client.close()
    other.close()


def test_a_protocol_that_turns_the_loop_waits_for_no_answer_of_its_own(here: Net) -> None:
    port, client = listen(here), peer(here)
    arrived: list[bytes] = []

    def answer(data: bytes, sender: Any) -> None:
        port.write(data, sender)
        if data == b"5":
            here.until(lambda: arrived.extend(got(client)) or b"5" in arrived)

    port.protocol.on_datagram = answer
    sent = burst(client, port, 6)
    here.until(lambda: b"5" in arrived)
    assert arrived == sent


@pytest.mark.parametrize("end", ["stopListening", "connectionLost", "pauseProducing"])
def test_what_was_written_before_the_end_is_sent(here: Net, end: str) -> None:
    port, client = listen(here), peer(here)

    def answer(data: bytes, sender: Any) -> None:
        port.write(data, sender)
        if data == b"5":
            getattr(port, end)()

    port.protocol.on_datagram = answer
    sent = burst(client, port, 10)
    here.until(lambda: b"5" in port.protocol.received)
    here.turns()
    assert got(client) == sent[:6]
    assert port.protocol.received == sent[:6]
    port.stopListening()


def test_an_answer_has_gone_before_the_protocol_is_told_of_the_next(here: Net) -> None:
    port, client = listen(here), peer(here)
    arrived: list[bytes] = []
    late: list[bytes] = []

    def answer(data: bytes, sender: Any) -> None:
        arrived.extend(got(client))
        if arrived != port.protocol.received[:-1]:
            late.append(data)
        port.write(data, sender)

    port.protocol.on_datagram = answer
    sent = burst(client, port, 20)
    here.until(lambda: len(port.protocol.received) == 20)
    assert late == []
    assert arrived + got(client) == sent


def test_s076_what_the_kernel_refuses_is_raised_at_the_write(here: Net, reports: Reports) -> None:
    """The socket is shut for sending, in the middle of an event."""
    port, client = listen(here), peer(here)
    raised: list[int] = []

    def answer(data: bytes, sender: Any) -> None:
        try:
            assert port.write(data, sender) == len(data)
        except BrokenPipeError:
            raised.append(int(data))
        if data == b"3":
            with socket.socket(fileno=os.dup(port.fileno())) as same, pytest.raises(OSError, match="not connected"):
                same.shutdown(socket.SHUT_WR)

    port.protocol.on_datagram = answer
    sent = burst(client, port, 30)
    here.until(lambda: len(port.protocol.received) == 30)
    assert raised == list(range(4, 30))
    assert got(client) == sent[:4]
    assert port.connected
    assert reports == []


def test_each_of_many_peers_is_told_apart(here: Net) -> None:
    port = listen(here, interface="0.0.0.0")
    port.protocol.on_datagram = lambda data, sender: port.write(data, sender)
    number = port.getHost().port
    for first in range(0, 1500, 100):
        clients = [peer(here, host=f"127.0.{index % 3}.{1 + index % 5}") for index in range(first, first + 100)]
        for again in range(2):
            for index, client in enumerate(clients):
                client.sendto(b"%d of %d" % (index, again), (HOST, number))
        here.until(lambda: len(port.protocol.received) == 200)
        here.turns()
        assert port.protocol.senders == [client.getsockname() for client in clients] * 2
        for index, client in enumerate(clients):
            assert got(client) == [b"%d of 0" % index, b"%d of 1" % index]
            client.close()
        port.protocol.received.clear()
        port.protocol.senders.clear()


def test_an_answer_of_another_port_to_the_same_peer_is_from_that_port(here: Net) -> None:
    port, other, client = listen(here), listen(here), peer(here)
    port.protocol.on_datagram = lambda data, sender: (other if int(data) % 2 else port).write(data, sender)
    sent = burst(client, port, 20)
    here.until(lambda: len(port.protocol.received) == 20)
    here.turns()
    client.setblocking(False)
    arrived = [client.recvfrom(10) for _ in sent]
    assert sorted(arrived) == sorted((data, address(other if int(data) % 2 else port)) for data in sent)


def test_an_answer_to_port_0_is_refused_at_the_call(here: Net) -> None:
    raised: list[OSError] = []
    port, client = listen(here), peer(here)

    def answer(data: bytes, sender: Any) -> None:
        with pytest.raises(OSError, match="Invalid argument") as error:
            port.write(data, (sender[0], 0))
        raised.append(error.value)

    port.protocol.on_datagram = answer
    burst(client, port, 5)
    here.until(lambda: len(raised) == 5)


def test_a_port_over_ipv6_answers_each(here: Net) -> None:
    port, client = listen(here, interface="::1"), peer(here, socket.AF_INET6, "::1")
    port.protocol.on_datagram = lambda data, sender: port.write(data, sender)
    sent = burst(client, port, 30)
    here.until(lambda: len(port.protocol.received) == 30)
    here.turns()
    assert got(client) == sent


def test_s076_an_ipv6_port_writes_to_no_peer_of_ipv4_that_was_heard_just_now(here: Net) -> None:
    port4, port6 = listen(here), listen(here, interface="::1")
    client4, client6 = peer(here), peer(here, socket.AF_INET6, "::1")
    client4.sendto(b"x", address(port4))
    here.until(lambda: port4.protocol.senders)
    (heard,) = port4.protocol.senders
    raised: list[InvalidAddressError] = []

    def answer(data: bytes, sender: Any) -> None:
        with pytest.raises(InvalidAddressError, match="IPv6 port") as error:
            port6.write(data, heard)
        raised.append(error.value)

    port6.protocol.on_datagram = answer
    burst(client6, port6, 10)
    here.until(lambda: len(raised) == 10)


def test_a_port_that_is_connected_while_it_answers_has_its_peer_alone(here: Net) -> None:
    port, client = listen(here), peer(here)

    def answer(data: bytes, sender: Any) -> None:
        if data == b"5":
            port.connect(*sender)
        port.write(data, None if int(data) >= 5 else sender)

    port.protocol.on_datagram = answer
    sent = burst(client, port, 10)
    here.until(lambda: len(port.protocol.received) == 10)
    here.turns()
    assert got(client) == sent


def test_answers_leave_nothing_behind(here: Net, no_leaks: Callable[[], AbstractContextManager[None]]) -> None:
    def use() -> None:
        protocol = Listener()
        port, client = listen(here, protocol), peer(here)
        protocol.on_datagram = port.write
        sent = burst(client, port, 30)
        here.until(lambda: len(protocol.received) == 30)
        here.turns()
        assert got(client) == sent
        port.stopListening()
        here.turns()
        protocol.on_datagram = lambda data, sender: None
        client.close()

    use()
    gc.collect()
    with no_leaks():
        for _ in range(10):
            use()
