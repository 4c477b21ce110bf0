"""Which driver a stream has: that of the contract on a foreign reactor, for a socket that is none, for a subclass."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from tests.contract.parts import Reports
from tests.contract.streams import Makers, Net, Recorder, net

from torsion.contract import Reactor
from torsion.error import ConnectionDone
from torsion.failure import Failure
from torsion.net.stream import Stream
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


@pytest.fixture
def native(reports: Reports) -> Iterator[Net]:
    with net(Reactor) as made:
        yield made


@pytest.mark.parametrize("makes", [Net.accept, Net.connect])
def test_a_doread_that_is_put_on_a_connection_is_the_one_that_is_called(native: Net, makes: Any) -> None:
    protocol, peer = makes(native)
    transport = protocol.transport
    assert transport.watched_by is native.reactor.engine
    called: list[str] = []
    own = transport.doRead

    def read() -> Any:
        called.append("read")
        return own()

    transport.doRead = read
    assert transport.watched_by is None
    assert transport in native.reactor.getReaders()
    peer.sendall(b"hello")
    native.until(lambda: protocol.received == b"hello")
    assert called == ["read"]
    transport.write(b"answer")
    transport.loseConnection()
    assert native.read(peer, 7) == b"answer"
    assert protocol.told == ["made", "lost"]


def test_a_dowrite_that_is_put_on_a_connection_sends_what_waits(native: Net) -> None:
    protocol, peer = native.accept()
    transport = protocol.transport
    data = b"x" * 5_000_000
    transport.write(data)
    native.turns()
    called: list[str] = []
    own = transport.doWrite

    def write() -> Any:
        called.append("write")
        return own()

    transport.doWrite = write
    assert native.read(peer, len(data)) == data
    assert called
    assert transport not in native.reactor.getWriters()


def test_a_method_may_be_replaced_inside_of_an_event_and_put_back(native: Net) -> None:
    protocol, peer = native.accept()
    transport = protocol.transport
    sent: list[bytes] = []

    def some(data: bytes) -> int:
        sent.append(data[:2])
        return int(Stream.writeSomeData(transport, data[:2]))

    def answer(data: bytes) -> None:
        transport.write(b"12345")
        if not sent:
            transport.writeSomeData = some

    protocol.on_data = answer
    peer.sendall(b"x")
    assert native.read(peer, 5) == b"12345"
    assert sent == [b"12", b"34", b"5"]
    del transport.writeSomeData
    with pytest.raises(AttributeError):
        del transport.writeSomeData
    peer.setblocking(True)
    peer.sendall(b"x")
    assert native.read(peer, 5) == b"12345"
    assert len(sent) == 3
    peer.close()
    native.until(lambda: "lost" in protocol.told)
    transport.doRead = lambda: None  # too late: nothing happens
    assert transport.fileno() == -1


def test_a_subclass_reaches_ours_from_a_method_that_is_put_on_its_instance(native: Net) -> None:
    class Mine(Connection):
        def doRead(self) -> Any:
            return super().doRead()

    one, other = socket.socketpair()
    native.opened(other)
    protocol = Recorder()
    transport = Mine(one, protocol, native.reactor)
    transport.connected = 1
    transport.startReading()
    transport.doRead = lambda: Mine.doRead(transport)  # type: ignore[method-assign]
    other.sendall(b"hello")
    native.until(lambda: protocol.received == b"hello")


def test_short_answers_go_for_sixteen_connections_at_a_time_and_long_ones_at_once(native: Net) -> None:
    """Seen from the peers: how many have their answer when the protocol of the next one is told of its question."""
    made = Makers(*(Recorder() for _ in range(40)))
    port = native.reactor.listenTCP(0, made, interface="127.0.0.1", backlog=100)
    peers = [native.peer(port.getHost().port) for _ in range(40)]
    native.until(lambda: len(made.built) == 40)
    for size in (2048, 2049):
        answered: list[int] = []

        def answer(data: bytes, protocol: Any, size: int = size, answered: list[int] = answered) -> None:
            answered.append(sum(map(has_something, peers)))
            protocol.transport.write(bytes(size))

        for protocol in made.built:
            protocol.on_data = lambda data, protocol=protocol, answer=answer: answer(data, protocol)
        for peer in peers:
            peer.sendall(b"?")
        native.until(lambda answered=answered: len(answered) == 40)
        assert answered == [number // 16 * 16 if size == 2048 else number for number in range(40)]
        assert all(
            native.read(peer, size) == bytes(size) for peer in peers
        )  # the last ones have not to wait for others
    port.stopListening()


def has_something(peer: socket.socket) -> bool:
    peer.setblocking(False)
    try:
        return bool(peer.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return False


def test_another_socket_has_another_address(native: Net) -> None:
    protocol, _ = native.accept()
    transport = protocol.transport
    before = transport.getHost()
    assert transport.getHost() is before  # asked of the system once
    kept, other = transport.socket, native.opened(socket.create_server(("127.0.0.1", 0)))
    transport.socket = other
    assert transport.getHost().port == other.getsockname()[1] != before.port
    transport.socket = kept
    assert transport.getHost() == before
