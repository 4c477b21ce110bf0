"""What goes wrong around streams: the loop goes on, the report names it, and nothing is left behind."""

import os
import random
import signal
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from typing import Any

import pytest
from tests.contract.parts import Reports
from tests.contract.streams import ByContract, HalfRecorder, Makers, Net, Recorder, net

from torsion.contract import Reactor
from torsion.net.descriptor import CONNECTION_DONE
from torsion.net.tcp import Connection, Server


@pytest.fixture(params=[Reactor, ByContract], ids=["native", "contract"])
def kind(request: pytest.FixtureRequest) -> type[Reactor]:
    return request.param


@pytest.fixture
def here(kind: type[Reactor], reports: Reports) -> Iterator[Net]:
    with net(kind) as made:
        yield made


def reset(peer: socket.socket) -> None:
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def test_a_reset_while_much_waits_to_be_written(here: Net) -> None:
    protocol, peer = here.accept()
    protocol.transport.write(b"x" * 16_000_000)
    here.turns()
    reset(peer)
    here.until(lambda: "lost" in protocol.told)
    here.turns()
    assert protocol.told == ["made", "lost"]


def test_a_reset_of_a_stream_that_does_not_read(here: Net) -> None:
    protocol, peer = here.accept()
    protocol.transport.pauseProducing()
    protocol.transport.write(b"x" * 16_000_000)
    here.turns()
    reset(peer)
    here.until(lambda: "lost" in protocol.told)


def test_a_handler_that_ends_others_of_its_batch(here: Net) -> None:
    pairs = [here.accept() for _ in range(6)]

    def abort_the_others(data: bytes) -> None:
        for protocol, _ in pairs:
            if not protocol.received:
                protocol.transport.abortConnection()

    for protocol, peer in pairs:
        protocol.on_data = abort_the_others
        peer.sendall(b"x")
    here.until(lambda: all(protocol.received or "lost" in protocol.told for protocol, _ in pairs))
    here.turns()
    assert [bool(protocol.received) for protocol, _ in pairs].count(True) == 1
    assert ["lost" in protocol.told for protocol, _ in pairs].count(True) == 5


def test_a_handler_whose_descriptor_number_is_another_connections_by_now(here: Net) -> None:
    (one, first), (two, second) = here.accept(), here.accept()
    accepted: list[Any] = []

    def end_the_other(data: bytes) -> None:
        other = two if one.received else one
        other.transport.connectionLost(_failure())
        accepted.append(here.opened(socket.socket()))  # which takes the number

    one.on_data = two.on_data = end_the_other
    first.sendall(b"x")
    second.sendall(b"x")
    here.until(lambda: accepted)
    here.turns()
    assert len(accepted) == 1
    assert sorted([one.told, two.told]) == [["made"], ["made", "lost"]]


def _failure() -> Any:
    from torsion.error import ConnectionDone
    from torsion.failure import Failure

    return Failure(ConnectionDone())


def test_turning_the_loop_inside_an_event(here: Net) -> None:
    protocol, peer = here.accept()
    pieces: list[bytes] = []

    def turn(data: bytes) -> None:
        pieces.append(data)
        if len(pieces) == 1:
            peer.sendall(b"two")
            here.until(lambda: len(pieces) == 2)
            peer.close()
            here.until(lambda: "lost" in protocol.told)

    protocol.on_data = turn
    peer.sendall(b"one")
    here.until(lambda: "lost" in protocol.told)
    here.turns()
    assert pieces == [b"one", b"two"]
    assert protocol.told == ["made", "lost"]


def test_a_signal_during_the_wait(here: Net) -> None:
    protocol, peer = here.accept()
    seen: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: seen.append(number))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        here.until(lambda: seen)
        peer.sendall(b"x")
        here.until(lambda: protocol.received)
    finally:
        signal.signal(signal.SIGALRM, before)


class Failing:
    """A producer that raises in one of its methods."""

    def __init__(self, where: str, transport: Any) -> None:
        self.where, self.transport = where, transport

    def _at(self, where: str) -> None:
        if where == self.where:
            raise ValueError(where)

    def pauseProducing(self) -> None:
        self._at("pause")

    def resumeProducing(self) -> None:
        self._at("resume")

    def stopProducing(self) -> None:
        self._at("stop")


def end_of(where: str, here: Net) -> Recorder:
    """A connection on which that callback raises."""

    def fail(*arguments: Any) -> None:
        raise ValueError(where)

    protocol, peer = here.accept(HalfRecorder())
    if where == "data":
        protocol.on_data = fail
        peer.sendall(b"x")
    elif where == "lost":
        protocol.on_lost = fail
        reset(peer)
        protocol.transport.abortConnection()
    elif where in ("read", "write"):
        protocol.on_half = lambda side: fail() if side == where else None
        if where == "read":
            peer.shutdown(socket.SHUT_WR)
        else:
            protocol.transport.loseWriteConnection()
    elif where == "stop":
        protocol.transport.registerProducer(Failing(where, protocol.transport), True)
        protocol.transport.abortConnection()
    elif where == "resume":
        protocol.transport.registerProducer(Failing(where, protocol.transport), True)
        protocol.transport.write(b"x" * 70_000)
        here.read(peer, 70_000)
    else:
        protocol.on_data = lambda data: protocol.transport.write(b"x" * 70_000)
        protocol.transport.registerProducer(Failing(where, protocol.transport), True)
        peer.sendall(b"x")
    return protocol


@pytest.mark.parametrize("where", ["data", "lost", "read", "write", "stop", "resume", "pause"])
def test_a_callback_that_raises_is_reported_and_ends_its_own_connection_only(
    here: Net, reports: Reports, where: str
) -> None:
    bystander, peer = here.accept()
    protocol = end_of(where, here)
    here.until(lambda: "lost" in protocol.told)
    assert reports.take(ValueError)
    peer.sendall(b"still there")
    here.until(lambda: bystander.received == b"still there")
    assert bystander.told == ["made"]


def test_s043_a_keyboardinterrupt_in_connectionlost_leaves_the_event_and_the_loop_goes_on(
    here: Net, reports: Reports
) -> None:
    protocol, peer = here.accept()

    def interrupt(reason: Any) -> None:
        here.reactor.callLater(0, here.reactor.stop)
        raise KeyboardInterrupt

    protocol.on_lost = interrupt
    peer.close()
    here.reactor.run(installSignalHandlers=False)
    assert "main loop" in reports.take(KeyboardInterrupt)
    assert protocol.told == ["made", "lost"]


def test_two_hundred_connections_opened_used_and_dropped_at_random(here: Net) -> None:
    chance = random.Random(7)
    factory = Makers()
    port = here.reactor.listenTCP(0, factory, backlog=200, interface="127.0.0.1").getHost().port
    peers: list[socket.socket] = []
    for _ in range(600):
        act = chance.random()
        if act < 0.4:
            peers.append(here.peer(port))
        elif peers:
            peer = chance.choice(peers)
            if act < 0.6:
                with suppress(OSError):  # it may have been closed meanwhile
                    peer.sendall(b"x" * chance.choice([1, 1000, 10_000]))
            elif act < 0.7 and factory.built:
                protocol = chance.choice(factory.built)
                protocol.transport.write(b"y" * 1000)
                protocol.transport.loseConnection()
            else:
                peers.remove(peer)
                (reset if act < 0.85 else socket.socket.close)(peer)
        here.reactor.iterate(0)
    for peer in peers:
        peer.close()
    here.until(lambda: factory.built and all("lost" in protocol.told for protocol in factory.built))
    assert all(protocol.told == ["made", "lost"] for protocol in factory.built)


def test_nothing_is_left_behind(
    kind: type[Reactor], reports: Reports, no_leaks: Callable[[], AbstractContextManager[None]]
) -> None:
    def work() -> None:
        with net(kind) as here:
            for _ in range(20):
                protocol, peer = here.accept()
                client, other = here.connect()
                for each, socket_ in ((protocol, peer), (client, other)):
                    each.transport.write(b"x" * 100_000)
                    socket_.sendall(b"y" * 1000)
                here.until(lambda: len(protocol.received) == len(client.received) == 1000)  # noqa: B023
                protocol.transport.loseConnection()
                here.read(peer, 100_000)
                peer.close()
                reset(other)
                here.until(lambda: "lost" in protocol.told and "lost" in client.told)  # noqa: B023
                protocol.__dict__.clear()
                client.__dict__.clear()

    work()  # what fills caches
    with no_leaks():
        work()


def test_descriptors_are_not_inherited_and_do_not_block(here: Net) -> None:
    for protocol, _ in (here.accept(), here.connect()):
        fd = protocol.transport.fileno()
        assert not os.get_inheritable(fd)
        assert not os.get_blocking(fd)


def test_a_connection_over_ipv6_that_was_reset_before_it_was_accepted_ends_no_batch(
    here: Net, reports: Reports
) -> None:
    factory = Makers()
    port = here.reactor.listenTCP(0, factory, interface="::1")
    reset(socket.create_connection(("::1", port.getHost().port)))
    peer = here.opened(socket.create_connection(("::1", port.getHost().port)))
    here.until(lambda: peer.getsockname()[1] in [address.port for address in factory.addresses])
    assert len(factory.built) == 2
    assert reports == []


class Raising:
    """A pull producer that writes once and then raises."""

    def __init__(self, consumer: Any) -> None:
        self.consumer = consumer

    def resumeProducing(self) -> None:
        consumer, self.consumer = self.consumer, None
        consumer.write(b"x")

    def stopProducing(self) -> None: ...


def test_what_a_protocol_or_a_producer_raises_leaves_no_cycle(
    kind: type[Reactor], no_leaks: Any, reports: Reports
) -> None:
    def explode(data: bytes) -> None:
        raise ZeroDivisionError

    def connected(here: Net) -> tuple[Recorder, socket.socket]:
        one, other = socket.socketpair()
        protocol = Recorder()
        transport = Connection(one, protocol, here.reactor)
        transport.connected = 1
        transport.startReading()
        protocol.makeConnection(transport)
        return protocol, here.opened(other)

    def use() -> None:
        with net(kind) as here:
            protocol, peer = connected(here)
            protocol.on_data = explode
            peer.sendall(b"x")
            here.until(lambda: "lost" in protocol.told)
            other, _ = connected(here)
            other.transport.registerProducer(Raising(other.transport), False)
            here.until(lambda: "lost" in other.told)
            assert len(reports) == 2
            for kept in (reports, protocol.reasons, other.reasons):
                kept.clear()  # an exception has the frames of all who were at work

    use()
    with no_leaks():
        use()


def test_an_end_of_file_whose_handling_raises_is_not_told_again_and_again() -> None:
    class Breaking(Server):
        def readConnectionLost(self, reason: Any) -> None:
            raise ZeroDivisionError

    with net(Reactor) as here:
        factory = Makers()
        port = here.reactor.listenTCP(0, factory, interface="127.0.0.1")
        port.transport = Breaking
        peer = here.peer(port.getHost().port)
        here.until(lambda: factory.built)
        transport = factory.built[0].transport
        peer.shutdown(socket.SHUT_WR)
        with pytest.raises(ZeroDivisionError):
            here.until(lambda: False)
        here.turns(1)
        assert here.reactor.engine.poller.wait(0.0) == []
        assert transport.connected and transport not in here.reactor.getReaders()
        transport.connectionLost(CONNECTION_DONE)
