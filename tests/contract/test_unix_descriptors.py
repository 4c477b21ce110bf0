"""File descriptors sent and received over UNIX streams: one byte carries one, in order, and none is left open (75)."""

import os
import resource
import socket
from pathlib import Path
from typing import Any

import pytest
from tests.contract.parts import Reports
from tests.contract.streams import ByContract, Makers, Net, Recorder, net
from tests.contract.unixes import Taker, accept, connect, here, room

from torsion.contract import Reactor
from torsion.error import ConnectionAborted, ConnectionDone, ConnectionLost, FileDescriptorOverrun
from torsion.net.passing import MANY

__all__ = ["here", "room"]


def open_now() -> int:
    return len(os.listdir("/proc/self/fd"))


def files(room: Path, count: int) -> tuple[list[int], list[tuple[int, int]]]:
    """Open files, and what they are known by."""
    opened = [os.open(room / f"file{number}", os.O_CREAT | os.O_RDWR) for number in range(count)]
    return opened, [(os.fstat(each).st_dev, os.fstat(each).st_ino) for each in opened]


def pair(here: Net, one: Any, other: Any) -> None:
    """Connect two protocols."""
    ends = socket.socketpair()
    for protocol, end in zip((one, other), ends, strict=True):
        here.reactor.adoptStreamConnection(end.fileno(), socket.AF_UNIX, Makers(protocol))
        end.close()


def lose(here: Net, *protocols: Any) -> None:
    for each in protocols:
        each.transport.loseConnection()
    here.until(lambda: all("lost" in each.told for each in protocols))


def test_s075_a_server_and_a_client_send_each_other_files(here: Net, room: Path) -> None:
    servers, clients = Makers(Taker()), Makers(Taker())
    port = here.reactor.listenUNIX(str(room / "port"), servers)
    here.reactor.connectUNIX(str(room / "port"), clients)
    here.until(lambda: servers.built and clients.built)
    server, client = servers.built[0], clients.built[0]
    opened, known = files(room, 2)
    before = open_now()
    server.transport.sendFileDescriptor(opened[0])
    os.close(opened[0])  # at once: a duplicate is sent
    server.transport.write(b"x")
    client.transport.write(b"before or after")
    client.transport.sendFileDescriptor(opened[1])
    here.until(lambda: client.received and server.received == b"before or after")
    assert client.files == known[:1]
    assert server.files == known[1:]
    assert client.told == ["made", "file after 0 bytes"]
    assert open_now() == before - 1
    os.close(opened[1])
    port.stopListening()
    lose(here, server, client)


def test_s075_many_arrive_in_order_each_with_a_byte(here: Net, room: Path) -> None:
    sender, taker = Recorder(), Taker()
    pair(here, sender, taker)
    opened, known = files(room, 20)
    before = open_now()
    for each in opened:
        sender.transport.sendFileDescriptor(each)
    sender.transport.write(b"exactly twenty bytes")
    here.until(lambda: taker.received == b"exactly twenty bytes")
    assert taker.files == known
    assert [int(each.split()[2]) for each in taker.told[1:]] == list(range(20))
    assert open_now() == before
    lose(here, sender, taker)
    for each in opened:
        os.close(each)


@pytest.mark.parametrize("data", [b"", b"ab"])
def test_s075_more_descriptors_than_bytes_end_the_connection(here: Net, room: Path, data: bytes) -> None:
    sender, taker = Recorder(), Taker()
    pair(here, sender, taker)
    before = open_now()
    for _ in range(3):
        sender.transport.sendFileDescriptor(0)
    sender.transport.write(data)
    here.until(lambda: "lost" in taker.told)
    assert [type(reason) for reason in sender.reasons] == [FileDescriptorOverrun]
    assert taker.files == []
    here.turns()
    assert open_now() == before - 2  # less both ends


def test_s075_a_peer_that_takes_none_is_spared_them(here: Net, room: Path, reports: Reports) -> None:
    sender, recorder = Recorder(), Recorder()
    pair(here, sender, recorder)
    opened, _ = files(room, 1)
    before = open_now()
    sender.transport.sendFileDescriptor(opened[0])
    sender.transport.write(b"data")
    here.until(lambda: recorder.received == b"data")
    assert open_now() == before
    assert ["no fileDescriptorReceived" in text for text in reports.texts()] == [True]
    reports.clear()
    os.close(opened[0])
    lose(here, sender, recorder)


def test_s075_several_in_one_message_of_a_peer(here: Net, room: Path) -> None:
    server, other = accept(here, room, Taker())
    opened, known = files(room, 3)
    socket.send_fds(other, [b"plain"], [])
    socket.send_fds(other, [b"three"], opened)
    other.sendall(b"rest")
    here.until(lambda: server.received == b"plainthreerest")
    assert server.files == known
    for each in opened:
        os.close(each)
    lose(here, server)


def test_s075_a_plain_peer_gets_one_for_a_byte(here: Net, room: Path) -> None:
    client, other = connect(here, room, Taker())
    opened, known = files(room, 2)
    for each in opened:
        client.transport.sendFileDescriptor(each)
        os.close(each)
    client.transport.write(b"abc")
    here.turns()
    for number in range(2):
        data, descriptors, _, _ = socket.recv_fds(other, 1, 9)
        assert data == b"abc"[number : number + 1]
        assert [(os.fstat(each).st_dev, os.fstat(each).st_ino) for each in descriptors] == [known[number]]
        for each in descriptors:
            os.close(each)
    assert other.recv(9) == b"c"
    lose(here, client)


def test_what_is_received_is_not_inherited(here: Net, room: Path) -> None:
    sender, taker = Recorder(), Taker()
    pair(here, sender, taker)
    inheritable: list[bool] = []
    taker.on_descriptor = lambda descriptor: inheritable.append(os.get_inheritable(descriptor))
    sender.transport.sendFileDescriptor(0)
    sender.transport.write(b"x")
    here.until(lambda: taker.received)
    assert inheritable == [False]
    lose(here, sender, taker)


def test_what_is_no_descriptor_is_refused_at_once(here: Net, room: Path) -> None:
    sender, taker = Recorder(), Taker()
    pair(here, sender, taker)
    opened, _ = files(room, 1)
    os.close(opened[0])
    for wrong in (opened[0], -1, 1 << 40):
        with pytest.raises(OSError, match=str(wrong)):
            sender.transport.sendFileDescriptor(wrong)
    for wrong in ("0", None, 1.0, True):
        with pytest.raises(TypeError, match="a number"):
            sender.transport.sendFileDescriptor(wrong)
    sender.transport.write(b"all is well")
    here.until(lambda: taker.received == b"all is well")
    lose(here, sender, taker)


@pytest.mark.parametrize("end", ["loseConnection", "abortConnection"])
def test_what_waits_when_the_connection_ends_is_closed(here: Net, room: Path, end: str) -> None:
    server, other = accept(here, room)
    before = open_now()
    server.transport.write(b"x" * 10_000_000)  # the peer does not read: the kernel is full
    here.turns()
    for _ in range(10):
        server.transport.sendFileDescriptor(0)
    assert open_now() == before + 10
    getattr(server.transport, end)()
    if end == "loseConnection":
        here.turns()
        assert open_now() == before + 10  # it waits, as what was written does
        other.close()
    here.until(lambda: "lost" in server.told)
    assert open_now() <= before - 1
    assert type(server.reasons[0]) is (ConnectionLost if end == "loseConnection" else ConnectionAborted)


def test_what_is_queued_before_loseconnection_is_sent(here: Net, room: Path) -> None:
    sender, taker = Recorder(), Taker()
    pair(here, sender, taker)
    opened, known = files(room, 1)
    sender.transport.write(b"last")
    sender.transport.sendFileDescriptor(opened[0])
    sender.transport.loseConnection()
    os.close(opened[0])
    here.until(lambda: "lost" in taker.told)
    assert (taker.received, taker.files) == (b"last", known)
    assert [type(reason) for reason in sender.reasons] == [ConnectionDone]


def test_a_receiver_that_raises_loses_the_connection_and_no_file(here: Net, room: Path, reports: Reports) -> None:
    server, other = accept(here, room, Taker())
    opened, known = files(room, 3)
    server.on_descriptor = lambda descriptor: 1 // 0
    before = open_now()
    socket.send_fds(other, [b"data"], opened)
    here.until(lambda: "lost" in server.told)
    assert server.files == known[:1]
    assert server.received == b""
    assert isinstance(server.reasons[0], ZeroDivisionError)
    reports.take(ZeroDivisionError)
    assert open_now() == before - 1
    for each in opened:
        os.close(each)


def test_a_receiver_that_aborts_is_told_nothing_more(here: Net, room: Path) -> None:
    server, other = accept(here, room, Taker())
    opened, known = files(room, 3)
    server.on_descriptor = lambda descriptor: server.transport.abortConnection()
    before = open_now()
    socket.send_fds(other, [b"data"], opened)
    here.until(lambda: "lost" in server.told)
    assert (server.files, server.received) == (known[:1], b"")
    assert open_now() == before - 1
    for each in opened:
        os.close(each)


def test_a_receiver_that_loses_the_connection_gets_what_came(here: Net, room: Path) -> None:
    server, other = accept(here, room, Taker())
    opened, known = files(room, 2)
    server.on_descriptor = lambda descriptor: server.transport.loseConnection()
    socket.send_fds(other, [b"data"], opened)
    here.until(lambda: "lost" in server.told)
    assert (server.files, server.received) == (known, b"data")
    for each in opened:
        os.close(each)


def test_no_descriptor_left_to_receive_with(here: Net, room: Path, reports: Reports) -> None:
    """The kernel drops what does not fit, and tells; the bytes arrive."""
    server, other = accept(here, room, Taker())
    socket.send_fds(other, [b"data"], [0, 0, 0])
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    held = [os.dup(0)]
    highest = held[0]
    try:
        while len(os.listdir("/proc/self/fd")) <= highest:  # no holes below it
            held.append(os.dup(0))
            highest = max(held)
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1, hard))
        here.until(lambda: server.received == b"data")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for each in held:
            os.close(each)
    assert len(server.files) < 3
    assert any("are lost" in text for text in reports.texts())
    reports.clear()
    lose(here, server)


def test_many_that_wait_pause_a_producer(here: Net, room: Path) -> None:
    told: list[str] = []

    class Producer:
        def pauseProducing(self) -> None:
            told.append("pause")

        def resumeProducing(self) -> None:
            told.append("resume")

        def stopProducing(self) -> None:
            told.append("stop")

    sender, taker = Recorder(), Taker()
    pair(here, sender, taker)
    sender.transport.registerProducer(Producer(), True)
    for _ in range(MANY):
        sender.transport.sendFileDescriptor(0)
    assert told == []
    sender.transport.sendFileDescriptor(0)
    assert told == ["pause"]
    sender.transport.write(b"x" * (MANY + 1))
    here.until(lambda: len(taker.files) == MANY + 1)
    assert told[-1] == "resume"
    sender.transport.unregisterProducer()
    lose(here, sender, taker)


def test_a_peer_that_is_slow_gets_all_of_it(here: Net, room: Path) -> None:
    """More than a kernel takes at once: bytes before, between and behind the descriptors arrive in their order."""
    sender, taker = Recorder(), Taker()
    pair(here, sender, taker)
    taker.transport.pauseProducing()
    sent = b""
    for number in range(40):
        piece = bytes([number]) * 50_000
        sender.transport.sendFileDescriptor(0)
        sender.transport.write(piece)
        sent += piece
        here.turns(1)
    taker.transport.resumeProducing()
    here.until(lambda: len(taker.received) == len(sent))
    assert taker.received == sent
    assert len(taker.files) == 40
    for number, told in enumerate(taker.told[1:]):
        assert int(told.split()[2]) <= number * 50_000  # never later than what was written after it
    lose(here, sender, taker)


@pytest.mark.parametrize("kind", [Reactor, ByContract], ids=["native", "contract"])
def test_thousands_of_descriptors_leave_nothing(kind: type[Reactor], no_leaks: Any, reports: Reports) -> None:
    def work(count: int) -> None:
        with net(kind) as here:
            sender, taker = Recorder(), Taker()
            pair(here, sender, taker)
            for number in range(count):
                sender.transport.sendFileDescriptor(0)
                sender.transport.write(b"x" * (number % 3 + 1))
                if number % 50 == 49:
                    here.until(lambda number=number: len(taker.files) == number + 1)
            here.until(lambda: len(taker.files) == count)
            lose(here, sender, taker)
            sender.__dict__.clear()
            taker.__dict__.clear()

    work(10)
    with no_leaks():
        work(3000)
