"""Which driver a stream has: that of the contract on a foreign reactor, for a socket that is none, for a subclass."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from tests.contract.parts import Reports
from tests.contract.streams import Net, Recorder, net

from torsion.contract import Reactor
from torsion.error import ConnectionDone
from torsion.failure import Failure
from torsion.net.tcp import Connection, Server


class Foreign:
    """A reactor of somebody else: it notes who wants to be watched, and knows of no engine."""

    def __init__(self) -> None:
        self.readers: list[Any] = []
        self.writers: list[Any] = []

    def addReader(self, reader: Any) -> None:
        self.readers.append(reader)

    def addWriter(self, writer: Any) -> None:
        self.writers.append(writer)

    def removeReader(self, reader: Any) -> None:
        self.readers = [each for each in self.readers if each is not reader]

    def removeWriter(self, writer: Any) -> None:
        self.writers = [each for each in self.writers if each is not writer]


class Pretending:
    """No socket of the kernel: only its methods know what it does."""

    def __init__(self) -> None:
        self.sent = b""
        self.closed = False

    def fileno(self) -> int:
        return 4711

    def recv(self, size: int) -> bytes:
        return b"pretended"

    def send(self, data: bytes) -> int:
        self.sent += data[:3]
        return len(data[:3])

    def shutdown(self, how: int) -> None: ...

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def here(reports: Reports) -> Iterator[Net]:
    with net(Reactor) as made:
        yield made


def pair(here: Net) -> tuple[socket.socket, socket.socket]:
    mine, other = socket.socketpair()
    mine.setblocking(False)
    return mine, here.opened(other)


def test_on_a_reactor_that_is_not_ours_a_stream_is_read_and_written_by_its_methods(here: Net) -> None:
    reactor, protocol = Foreign(), Recorder()
    mine, peer = pair(here)
    server = Server(mine, protocol, ("", 0), None, 0, reactor)
    assert reactor.readers == [server]
    peer.sendall(b"in")
    assert server.doRead() is None
    assert protocol.received == b"in"
    server.write(b"out")
    assert reactor.writers == [server]
    assert server.doWrite() is None
    assert reactor.writers == []
    assert peer.recv(10) == b"out"
    server.loseConnection()
    assert (reactor.readers, reactor.writers) == ([], [server])
    server.connectionLost(Failure(server.doWrite()))
    assert (reactor.readers, reactor.writers) == ([], [])
    assert protocol.told == ["lost"]


def test_a_socket_that_is_none_is_used_by_its_own_methods(here: Net) -> None:
    protocol, pretending = Recorder(), Pretending()
    server = Connection(pretending, protocol, Foreign())  # type: ignore[arg-type]
    server.connected = 1
    server.doRead()
    assert protocol.received == b"pretended"
    server.write(b"abcdef")
    server.doWrite()
    server.doWrite()
    assert pretending.sent == b"abcdef"
    server.connectionLost(Failure(ConnectionDone()))
    assert pretending.closed


@pytest.mark.parametrize("method", ["doRead", "doWrite", "writeSomeData", "_dataReceived"])
def test_a_subclass_that_replaces_how_it_reads_or_writes_is_asked(here: Net, method: str) -> None:
    calls: list[str] = []

    def replaced(self: Any, *arguments: Any) -> Any:
        calls.append(method)
        return getattr(Server, method)(self, *arguments)

    kind = type("Own", (Server,), {method: replaced})
    mine, peer = pair(here)
    protocol = Recorder()
    server = kind(mine, protocol, ("", 0), None, 0, here.reactor)
    assert server.watched_by is None
    peer.sendall(b"x")
    here.until(lambda: protocol.received)
    server.write(b"y")
    assert here.read(peer, 1) == b"y"
    assert calls
    server.abortConnection()
    here.turns()


def test_a_subclass_that_replaces_neither_is_driven_by_the_engine(here: Net) -> None:
    class Own(Server):
        def connectionLost(self, reason: Any) -> None:
            lost.append(reason)
            Server.connectionLost(self, reason)

    lost: list[Any] = []
    mine, peer = pair(here)
    server = Own(mine, Recorder(), ("", 0), None, 0, here.reactor)
    assert server.watched_by is here.reactor.engine
    peer.close()
    here.until(lambda: lost)
