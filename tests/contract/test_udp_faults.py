"""UDP in trouble: no descriptors, a kernel that has no room, a descriptor that was closed, drivers of all kinds."""

import errno
import os
import resource
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from tests.contract.datagrams import HOST, Listener, address, free_port, listen, peer
from tests.contract.parts import Reports, run
from tests.contract.streams import ByContract, Net, net

import torsion.udp
from torsion.contract import Reactor
from torsion.error import CannotListenError
from torsion.failure import Failure
from torsion.net.datagramport import DatagramPort
from torsion.net.udp import Port

DRIVERS = {"native": Reactor, "contract": ByContract}


@pytest.fixture(params=DRIVERS)
def here(request: pytest.FixtureRequest, reports: Reports) -> Iterator[Net]:
    with net(DRIVERS[request.param]) as made:
        yield made


@pytest.fixture
def native(reports: Reports) -> Iterator[Net]:
    with net(Reactor) as made:
        yield made


def test_without_a_descriptor_left_listening_fails_and_works_again_later(here: Net) -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest_free = os.dup(0)
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, limits[1]))
    try:
        with pytest.raises(CannotListenError) as raised:
            listen(here)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert raised.value.socketError.errno == errno.EMFILE
    listen(here)


def lose_socket(here: Net, port: Any) -> None:
    """Put another file under the port's number, one that the system calls always ready, and let the port find out."""
    with open(os.devnull, "rb") as other:
        os.dup2(other.fileno(), port.fileno())
    port.stopReading()
    here.turns()
    port.startReading()
    here.until(lambda: not port.connected)


def test_s076_a_socket_that_is_of_no_use_any_more_ends_the_port_and_is_reported(native: Net, reports: Reports) -> None:
    port = listen(native)
    native.turns()
    lose_socket(native, port)
    assert port.protocol.told == ["start", "stop, transport None"]
    assert reports.take(OSError) == "Unhandled error in receiving of listener (UDP)"


@pytest.mark.parametrize("size", [-1, 1 << 62])
def test_a_size_that_becomes_none_ends_the_port_and_is_reported(native: Net, reports: Reports, size: int) -> None:
    port = listen(native)
    port.maxPacketSize = size
    peer(native).sendto(b"x", address(port))
    native.until(lambda: not port.connected)
    ((text, _),) = reports
    reports.clear()
    assert text == "Unhandled error in receiving of listener (UDP)"


def test_a_throughput_that_is_none_ends_the_port_and_not_the_loop(native: Net, reports: Reports) -> None:
    port = listen(native)
    port.maxThroughput = "much"
    peer(native).sendto(b"x", address(port))
    native.until(lambda: not port.connected)
    reports.take(TypeError)


def test_a_stopprotocol_that_raises_when_the_socket_fails_is_reported_too(native: Net, reports: Reports) -> None:
    class Bad(Listener):
        def stopProtocol(self) -> None:
            raise ZeroDivisionError

    port = listen(native, Bad())
    lose_socket(native, port)
    reports.take(OSError)
    reports.take(ZeroDivisionError)


class Scripted:
    """No socket of the kernel: its methods do what a script says, an item a call."""

    def __init__(self, *script: Any) -> None:
        self.script = list(script)
        self.calls: list[tuple[Any, ...]] = []
        self.closed = False

    def _next(self, *call: Any) -> Any:
        self.calls.append(call)
        item = self.script.pop(0) if self.script else BlockingIOError(errno.EAGAIN, "")
        if isinstance(item, Exception):
            raise item
        return item

    def fileno(self) -> int:
        return 4711

    def recvfrom(self, size: int) -> Any:
        return self._next("recvfrom", size)

    def sendto(self, data: bytes, to: Any) -> Any:
        return self._next("sendto", data, to)

    def send(self, data: bytes) -> Any:
        return self._next("send", data)

    def getsockopt(self, level: int, name: int) -> Any:
        return self._next("getsockopt")

    def close(self) -> None:
        self.closed = True


class Foreign:
    """A reactor of somebody else: it notes who wants to be watched, and knows of no engine."""

    def __init__(self) -> None:
        self.readers: list[Any] = []

    def addReader(self, reader: Any) -> None:
        self.readers.append(reader)

    def removeReader(self, reader: Any) -> None:
        self.readers = [each for each in self.readers if each is not reader]

    removeWriter = removeReader

    def callLater(self, delay: float, call: Any) -> None:
        call()


def scripted(*script: Any) -> tuple[Port, Scripted]:
    """A port on a foreign reactor, over such a socket."""
    port, skt = Port(0, Listener(), reactor=Foreign()), Scripted(*script)
    port.socket = skt
    port.connected = 1
    port.protocol.makeConnection(port)
    port.startReading()
    return port, skt


def test_on_a_reactor_that_is_not_ours_a_port_is_read_by_its_method(reports: Reports) -> None:
    reactor, protocol = Foreign(), Listener()
    port = Port(0, protocol, HOST, reactor=reactor)
    port.startListening()
    assert port.watched_by is None
    assert reactor.readers == [port]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.bind((HOST, 0))
        client.settimeout(10)
        client.sendto(b"in", address(port))
        assert port.doRead() is None
        assert (protocol.received, protocol.senders) == ([b"in"], [client.getsockname()])
        port.write(b"out", client.getsockname())
        assert client.recv(10) == b"out"
    fired: list[Any] = []
    stopping = port.stopListening()
    assert stopping is not None
    stopping.addCallback(fired.append)
    assert (fired, reactor.readers, protocol.told[-1]) == ([None], [], "stop, transport None")


def test_s076_a_read_goes_on_until_there_is_nothing(reports: Reports) -> None:
    port, skt = scripted((b"a", ("h", 1)), (b"b", ("h", 2)), OSError(errno.EINTR), (b"c", ("h", 3)))
    port.doRead()
    assert port.protocol.received == [b"a", b"b"]
    port.doRead()
    assert port.protocol.received == [b"a", b"b", b"c"]
    assert skt.calls == [("recvfrom", 8192)] * 5


def test_s076_another_error_of_receiving_is_raised_for_the_reactor_to_report(reports: Reports) -> None:
    port, _ = scripted(OSError(errno.EBADF, "bad"))
    with pytest.raises(OSError, match="bad"):
        port.doRead()


def test_s076_a_refusal_while_receiving_is_told_where_there_is_one_peer(reports: Reports) -> None:
    port, _ = scripted(OSError(errno.ECONNREFUSED, ""), OSError(errno.ECONNREFUSED))
    port.doRead()
    assert port.protocol.told == ["start"]
    port._connectedAddr = ("h", 1)
    port.doRead()
    assert port.protocol.told == ["start", "refused"]


@pytest.mark.parametrize(
    ("error", "told", "open_still"),
    [(0, [], True), (errno.ECONNREFUSED, ["refused"], True), (errno.EPROTO, ["stop, transport None"], False)],
)
def test_s076_a_reactor_that_saw_an_error_has_the_port_find_out(
    reports: Reports, error: int, told: list[str], open_still: bool
) -> None:
    port, skt = scripted(error)
    port._connectedAddr = ("h", 1)
    port.reactor.removeReader(port)
    port.readConnectionLost(Failure(Exception()))
    assert port.protocol.told == ["start", *told]
    assert (port.reactor.readers == [port], bool(port.connected), not skt.closed) == (open_still,) * 3
    if not open_still:
        assert reports.take(OSError) == "Unhandled error in receiving of listener (UDP)"


def test_a_write_that_a_signal_ended_is_done_again(reports: Reports) -> None:
    port, skt = scripted(OSError(errno.EINTR), 3)
    assert port.write(b"abc", ("127.0.0.1", 1)) == 3
    assert skt.calls == [("sendto", b"abc", ("127.0.0.1", 1))] * 2


@pytest.mark.parametrize("error", [errno.ENOBUFS, errno.EAGAIN, errno.ENETUNREACH, errno.EPERM])
def test_s076_what_the_kernel_says_to_a_write_is_raised_and_the_port_goes_on(reports: Reports, error: int) -> None:
    port, _ = scripted(OSError(error, "no"), 1)
    with pytest.raises(OSError, match="no") as raised:
        port.write(b"x", (HOST, 1))
    assert raised.value.errno == error
    assert port.write(b"x", (HOST, 1)) == 1


def test_s076_a_full_socket_refuses_a_datagram_with_an_error(here: Net) -> None:
    """A UNIX socket is full when its peer does not read; UDP drops instead."""
    mine, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    mine.setblocking(False)
    here.opened(other)
    port = Local(Listener(), mine, here.reactor)
    port.startListening()
    port._connectedAddr = "peer"
    with pytest.raises(BlockingIOError):
        for _ in range(10_000):
            port.write(b"x" * 1000)
    assert other.recv(2000) == b"x" * 1000
    assert port.write(b"x" * 1000) == 1000


class Local(DatagramPort):
    """Datagrams over UNIX sockets, as far as the shared parts go."""

    addressFamily = socket.AF_UNIX

    def __init__(self, protocol: Any, skt: socket.socket, reactor: Any) -> None:
        super().__init__(protocol, 100_000, reactor)
        self._bound = skt

    def bound_socket(self) -> Any:
        return self._bound


def test_the_shared_parts_carry_unix_datagrams(here: Net, tmp_path: Any) -> None:
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    bound.bind(str(tmp_path / "ours"))
    bound.setblocking(False)
    port = Local(Listener(), bound, here.reactor)
    port.startListening()
    assert (port.watched_by is None) == (type(here.reactor) is ByContract)
    names = [str(tmp_path / "päth"), b"\0torsion test \xff" + os.urandom(8), None]
    for name in names:
        client = here.opened(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        if name is not None:
            client.bind(name)
        client.sendto(b"x" * 70_000, str(tmp_path / "ours"))
        here.until(lambda name=name: name in port.protocol.senders)
        assert port.protocol.received[-1] == b"x" * 70_000
        if name is not None:
            assert port.write(b"back", name) == 4
            assert client.recv(100) == b"back"


@pytest.mark.parametrize("method", ["doRead", "fileno", "startReading", "stopReading", "_bindSocket"])
def test_a_subclass_that_replaces_how_it_is_read_is_asked(native: Net, method: str) -> None:
    calls: list[str] = []

    def replaced(self: Any, *arguments: Any) -> Any:
        calls.append(method)
        return getattr(Port, method)(self, *arguments)

    kind = type("Own", (Port,), {method: replaced})
    port = kind(0, Listener(), HOST, reactor=native.reactor)
    port.startListening()
    assert port.watched_by is None
    peer(native).sendto(b"x", address(port))
    native.until(lambda: port.protocol.received)
    port.stopListening()
    native.turns()
    assert calls


def test_a_subclass_that_replaces_something_else_is_driven_natively(native: Net) -> None:
    class Counting(Port):
        count = 0

        def write(self, datagram: Any, addr: Any = None) -> Any:
            self.count += 1
            return Port.write(self, datagram, addr)

    port = Counting(0, Listener(), HOST, reactor=native.reactor)
    port.startListening()
    assert port.watched_by is native.reactor.engine
    port.write(b"x", address(port))
    native.until(lambda: port.protocol.received)
    assert port.count == 1


def test_a_socket_that_is_made_by_a_subclass_is_used(here: Net) -> None:
    class Own(Port):
        def createInternetSocket(self) -> socket.socket:
            made = Port.createInternetSocket(self)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            return made

    port = Own(0, Listener(), HOST, reactor=here.reactor)
    port.startListening()
    assert port.socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) <= 8192


def test_a_port_without_a_reactor_has_the_one_that_runs_here(here: Net) -> None:
    made: list[Port] = []
    here.reactor.callWhenRunning(lambda: made.append(torsion.udp.Port(0, Listener())))
    here.reactor.callWhenRunning(here.reactor.crash)
    run(here.reactor)
    assert made[0].reactor is here.reactor


def test_refused_datagrams_in_a_storm_cost_nothing_but_their_reports(here: Net) -> None:
    port = listen(here)
    port.connect(HOST, free_port())
    for _ in range(200):
        port.write(b"x")
        here.turns(1)
    assert port.connected
    assert port.protocol.told.count("refused") >= 100
