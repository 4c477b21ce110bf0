"""listenUNIX and connectUNIX: as TCP (44, 72, 73), with paths, modes and lock files (75, 103)."""

import errno
import os
import re
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.contract.parts import Reports
from tests.contract.streams import PATIENCE, ByContract, HalfRecorder, Makers, Net, Recorder, net
from tests.contract.unixes import accept, connect, here, peer, room

from torsion.address import UNIXAddress
from torsion.contract import Reactor
from torsion.error import (
    BadFileError,
    CannotListenError,
    ConnectError,
    ConnectionDone,
    ConnectionLost,
    ConnectionRefusedError,
    UserError,
)
from torsion.net import unix
from torsion.protocol import ConnectedDatagramProtocol, DatagramProtocol

__all__ = ["here", "room"]


def stale(path: Path) -> None:
    """What a server that died leaves behind."""
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(str(path))


def dead_process() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


# Bytes go both ways


def test_s075_a_server_echoes(here: Net, room: Path) -> None:
    server, other = accept(here, room)
    server.on_data = server.transport.write
    other.sendall(b"hello")
    assert here.read(other, 5) == b"hello"
    assert (server.transport.watched_by is not None) is not isinstance(here.reactor, ByContract)
    other.close()
    here.until(lambda: "lost" in server.told)
    assert isinstance(server.reasons[0], ConnectionDone)


def test_s075_a_client_talks_to_a_server(here: Net, room: Path) -> None:
    client, other = connect(here, room)
    client.transport.write(b"question")
    assert here.read(other, 8) == b"question"
    other.sendall(b"answer")
    here.until(lambda: client.received == b"answer")
    client.transport.loseConnection()
    here.until(lambda: "lost" in client.told)
    assert other.recv(10) == b""


def test_s068_a_peer_that_never_reads_pauses_the_producer(here: Net, room: Path) -> None:
    told: list[str] = []

    class Producer:
        def pauseProducing(self) -> None:
            told.append("pause")

        def resumeProducing(self) -> None:
            told.append("resume")

        def stopProducing(self) -> None:
            told.append("stop")

    server, other = accept(here, room)
    server.transport.registerProducer(Producer(), True)
    sent = 0
    while not told:
        server.transport.write(b"x" * 10_000)
        sent += 10_000
        here.turns(1)
    assert len(here.read(other, sent)) == sent
    here.until(lambda: told == ["pause", "resume"])
    server.transport.unregisterProducer()
    server.transport.set_write_limit(1_000_000, abort=True)
    server.transport.write(b"x" * 2_000_000)
    here.until(lambda: "lost" in server.told)


def test_s065_each_side_is_shut_by_itself(here: Net, room: Path) -> None:
    server, other = accept(here, room, HalfRecorder())
    other.sendall(b"all")
    other.shutdown(socket.SHUT_WR)
    here.until(lambda: "read side lost" in server.told)
    server.transport.write(server.received)
    server.transport.loseWriteConnection()
    assert here.read(other, 99) == b"all"
    assert "write side lost" in server.told
    server.transport.loseConnection()
    assert server.told[-1] == "lost"


def test_s064_an_abort_ends_it_at_once(here: Net, room: Path) -> None:
    server, _other = accept(here, room)
    server.transport.write(b"x" * 10_000_000)
    here.turns()
    server.transport.abortConnection()
    here.until(lambda: "lost" in server.told)
    assert server.transport.fileno() == -1


def test_s098_after_the_end(here: Net, room: Path) -> None:
    server, _other = accept(here, room)
    transport = server.transport
    assert transport.getTcpNoDelay() is False
    transport.setTcpNoDelay(True)
    transport.setTcpKeepAlive(True)
    assert transport.getTcpKeepAlive() is True
    transport.loseConnection()
    here.turns()
    for method in (transport.getHandle, transport.getTcpNoDelay, transport.getHost):
        with pytest.raises(AttributeError):
            method()
    with pytest.raises(AttributeError):
        transport.setTcpNoDelay(True)
    transport.sendFileDescriptor(0)
    transport.write(b"ignored")
    transport.loseConnection()
    assert transport.getPeer() == UNIXAddress(None)


# Names


@pytest.mark.parametrize("as_bytes", [False, True])
def test_s075_addresses(here: Net, room: Path, as_bytes: bool) -> None:
    path = str(room / "port")
    name: Any = os.fsencode(path) if as_bytes else path
    servers, clients = Makers(), Makers()
    port = here.reactor.listenUNIX(name, servers)
    assert port.getHost() == UNIXAddress(path)
    connector = here.reactor.connectUNIX(name, clients)
    assert connector.getDestination() == UNIXAddress(path)
    here.until(lambda: servers.built and clients.built)
    server, client = servers.built[0].transport, clients.built[0].transport
    assert server.getHost() == client.getPeer() == UNIXAddress(path)
    assert server.getPeer() == client.getHost() == UNIXAddress(None)
    assert servers.addresses == [UNIXAddress(None)]
    assert clients.addresses == [UNIXAddress(path)]
    port.stopListening()
    server.loseConnection()
    here.until(lambda: "lost" in clients.told)


def test_s075_the_peer_that_is_bound_has_a_name(here: Net, room: Path) -> None:
    factory = Makers()
    port = here.reactor.listenUNIX(str(room / "port"), factory)
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(room / "own"))
        other.connect(str(room / "port"))
        here.until(lambda: factory.built)
        assert factory.addresses == [UNIXAddress(str(room / "own"))]
        assert factory.built[0].transport.getPeer() == UNIXAddress(str(room / "own"))
    port.stopListening()
    here.until(lambda: "lost" in factory.built[0].told)


@pytest.mark.parametrize("name", [f"\0torsion-{os.getpid()}", b"\0torsion-bytes-%d" % os.getpid()])
def test_s075_an_abstract_name_is_in_no_directory(here: Net, room: Path, name: Any) -> None:
    servers, clients = Makers(), Makers()
    port = here.reactor.listenUNIX(name, servers)
    assert port.getHost().name == os.fsencode(name)
    here.reactor.connectUNIX(name, clients)
    here.until(lambda: servers.built and clients.built)
    port.stopListening()
    servers.built[0].transport.loseConnection()
    here.until(lambda: "lost" in clients.told)
    again = here.reactor.listenUNIX(name, servers)
    again.stopListening()
    with pytest.raises(ValueError, match="abstract name has no lock file"):
        here.reactor.listenUNIX(name, servers, wantPID=True)
    with pytest.raises(ValueError, match="abstract name has no lock file"):
        here.reactor.connectUNIX(name, clients, checkPID=True)
    here.turns()


@pytest.mark.parametrize("name", [None, 5, 1.5])
def test_a_name_that_is_none_is_refused_at_once(here: Net, name: Any) -> None:
    with pytest.raises(TypeError, match=re.escape(repr(name))):
        here.reactor.listenUNIX(name, Makers())
    with pytest.raises(TypeError, match=re.escape(repr(name))):
        here.reactor.connectUNIX(name, Makers())
    with pytest.raises(TypeError, match=re.escape(repr(name))):
        here.reactor.connectUNIXDatagram(name, Makers())


def test_s044_under_which_name_it_is_logged(here: Net, room: Path) -> None:
    server, _ = accept(here, room)
    path = str(room / "port")
    assert server.transport.logPrefix() == f"recorder,0,{path}"
    assert repr(server.transport) == f"<Recorder #0 on {path}>"
    client, _ = connect(here, room)
    assert client.transport.logPrefix() == "recorder,client"
    port = here.reactor.listenUNIX(path, Makers())
    assert port.logPrefix() == "Makers"
    assert repr(port) == f"<tests.contract.streams.Makers on {path!r}>"
    port.stopListening()
    here.turns()
    assert repr(port) == "<tests.contract.streams.Makers (not listening)>"


# Listening


def test_s075_the_path_has_the_mode_and_goes_with_the_port(here: Net, room: Path) -> None:
    path = room / "port"
    for mode in (0o600, 0o660, 0o777):
        port = here.reactor.listenUNIX(str(path), Makers(), mode=mode)
        assert stat.S_IMODE(path.stat().st_mode) == mode
        port.stopListening()
        here.turns()
        assert not path.exists()


def test_the_path_is_never_more_open_than_its_mode(here: Net, room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between bind and chmod it has what the umask leaves: nothing that the mode forbids, all the same."""
    modes: list[int] = []
    chmod = os.chmod

    def noted(path: Any, mode: int) -> None:
        modes.append(stat.S_IMODE(os.stat(path).st_mode))
        chmod(path, mode)

    monkeypatch.setattr(os, "chmod", noted)
    port = here.reactor.listenUNIX(str(room / "port"), Makers(), mode=0o600)
    assert modes == [0o600]
    port.stopListening()
    here.turns()


def test_s075_what_another_put_at_the_path_stays(here: Net, room: Path) -> None:
    path = room / "port"
    port = here.reactor.listenUNIX(str(path), Makers())
    path.unlink()
    other = here.reactor.listenUNIX(str(path), Makers())
    port.stopListening()
    here.turns()
    assert path.exists()
    other.stopListening()
    here.turns()
    assert not path.exists()


def test_s073_listening_starts_the_factory_and_stopping_stops_it(here: Net, room: Path) -> None:
    factory = Makers()
    port = here.reactor.listenUNIX(str(room / "port"), factory)
    assert factory.told == ["start"]
    fired: list[Any] = []
    port.stopListening().addBoth(fired.append)
    port.stopListening().addBoth(fired.append)
    assert fired == []
    here.turns(1)
    assert fired == [None, None]
    assert factory.told == ["start", "stop"]
    assert port.stopListening() is None
    port.startListening()
    assert factory.told[-1] == "start"
    port.stopListening()
    here.turns()


@pytest.mark.parametrize("lock", [False, True])
def test_s073_an_empty_path_is_no_name_for_the_kernel_to_choose(here: Net, lock: bool) -> None:
    with pytest.raises(CannotListenError, match="the path is empty"):
        here.reactor.listenUNIX("", Makers(), wantPID=lock)


@pytest.mark.parametrize("where", ["missing/port", "x" * 200, "taken"])
@pytest.mark.parametrize("lock", [False, True])
def test_s073_a_path_that_cannot_be_had_is_said_at_once(here: Net, room: Path, where: str, lock: bool) -> None:
    factory = Makers()
    (room / "taken").write_text("a file")
    before = set(os.listdir("/proc/self/fd"))
    with pytest.raises(CannotListenError):
        here.reactor.listenUNIX(str(room / where), factory, wantPID=lock)
    assert factory.told == []  # unlike in Twisted, where it stays started
    assert set(os.listdir("/proc/self/fd")) == before
    assert sorted(os.listdir(room)) == ["taken"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EMFILE])
@pytest.mark.parametrize("call", ["bind", "listen"])
def test_s073_whatever_fails_leaves_nothing(
    here: Net, room: Path, monkeypatch: pytest.MonkeyPatch, number: int, call: str
) -> None:
    closed: list[bool] = []

    class Full(socket.socket):
        def close(self) -> None:
            closed.append(True)
            super().close()

    def fail(self: Any, *arguments: Any) -> None:
        raise OSError(number, os.strerror(number))

    setattr(Full, call, fail)
    monkeypatch.setattr(unix.Port, "createInternetSocket", lambda self: Full(socket.AF_UNIX))
    with pytest.raises(CannotListenError) as raised:
        here.reactor.listenUNIX(str(room / "port"), Makers(), wantPID=True)
    assert raised.value.socketError.errno == number
    assert closed == [True]
    assert os.listdir(room) == []


def test_s103_a_stale_path_cannot_be_had(here: Net, room: Path) -> None:
    stale(room / "port")
    with pytest.raises(CannotListenError):
        here.reactor.listenUNIX(str(room / "port"), Makers())
    assert os.listdir(room) == ["port"]


def test_s075_with_wantpid_what_a_dead_server_left_is_removed(here: Net, room: Path) -> None:
    stale(room / "port")
    (room / "port.lock").symlink_to(str(dead_process()))
    port = here.reactor.listenUNIX(str(room / "port"), Makers(), wantPID=True)
    assert os.readlink(room / "port.lock") == str(os.getpid())
    with pytest.raises(CannotListenError, match="lock"):
        here.reactor.listenUNIX(str(room / "port"), Makers(), wantPID=True)
    peer(here, room / "port")
    port.stopListening()
    here.turns()
    assert os.listdir(room) == []


def test_s075_a_lock_without_a_socket_is_taken_over(here: Net, room: Path) -> None:
    (room / "port.lock").symlink_to(str(dead_process()))
    port = here.reactor.listenUNIX(str(room / "port"), Makers(), wantPID=True)
    (room / "port.lock").unlink()  # somebody tidies up too much
    port.stopListening()
    here.turns()
    assert os.listdir(room) == []


def test_s073_a_factory_that_raises_or_has_no_protocol(here: Net, room: Path, reports: Reports) -> None:
    factory = Makers(ValueError("none today"), None)
    port = here.reactor.listenUNIX(str(room / "port"), factory)
    for _ in range(2):
        other = peer(here, room / "port")
        assert here.read(other, 1) == b""
    reports.take(ValueError)
    port.stopListening()
    here.turns()


def test_s073_a_server_whose_connectionmade_raises_stays_open(here: Net, room: Path, reports: Reports) -> None:
    server = Recorder()
    server.on_made = lambda: 1 // 0
    port = here.reactor.listenUNIX(str(room / "port"), Makers(server))
    other = peer(here, room / "port")
    other.sendall(b"still there")
    here.until(lambda: server.received == b"still there")
    reports.take(ZeroDivisionError)
    port.stopListening()
    here.turns()


# Connecting


def failing(here: Net, path: Any, **options: Any) -> Any:
    factory = Makers()
    here.reactor.connectUNIX(path, factory, **options)
    assert factory.told == ["start", "started, connecting"]
    here.until(lambda: factory.reasons)
    assert factory.told[2:] == ["failed", "stop"]
    return factory.reasons[0]


def test_s103_connecting_to_what_is_not_there(here: Net, room: Path) -> None:
    assert type(failing(here, str(room / "missing"))) is ConnectError
    assert type(failing(here, str(room / "missing"), checkPID=True)) is BadFileError
    stale(room / "stale")
    assert type(failing(here, str(room / "stale"))) is ConnectionRefusedError
    (room / "stale.lock").symlink_to(str(dead_process()))
    assert type(failing(here, str(room / "stale"), checkPID=True)) is BadFileError
    (room / "stale.lock").unlink()
    (room / "stale.lock").write_text("no lock")
    assert type(failing(here, str(room / "stale"), checkPID=True)) is BadFileError
    assert isinstance(failing(here, "x" * 200), ConnectError)
    assert "too long" in str(failing(here, "x" * 200))


def test_no_descriptor_left_to_connect_with(here: Net, room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(self: Any) -> Any:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(unix.Client, "createInternetSocket", none_left)
    assert isinstance(failing(here, str(room / "port")), ConnectError)


def test_before_it_is_connected_a_client_sends_nothing(here: Net, room: Path) -> None:
    port = here.reactor.listenUNIX(str(room / "port"), Makers())
    clients = Makers()
    connector = here.reactor.connectUNIX(str(room / "port"), clients)
    connector.transport.sendFileDescriptor(0)
    connector.transport.write(b"ignored")
    missing = here.reactor.connectUNIX(str(room / "missing"), Makers(), checkPID=True)
    missing.transport.sendFileDescriptor(0)
    here.until(lambda: clients.built and clients.built[0].told)
    connector.disconnect()
    here.until(lambda: "lost" in clients.told)
    port.stopListening()
    here.turns()


def test_s103_checkpid_finds_a_server_that_lives(here: Net, room: Path) -> None:
    servers, clients = Makers(), Makers()
    port = here.reactor.listenUNIX(str(room / "port"), servers, wantPID=True)
    here.reactor.connectUNIX(str(room / "port"), clients, checkPID=True)
    here.until(lambda: servers.built and clients.built)
    assert os.readlink(room / "port.lock") == str(os.getpid())
    port.stopListening()
    clients.built[0].transport.loseConnection()
    here.until(lambda: "lost" in servers.built[0].told)


def test_s072_a_clients_factory_that_raises_is_told_of_the_failure(here: Net, room: Path, reports: Reports) -> None:
    """As TCP; in Twisted the connector of a UNIX client is stuck then."""
    port = here.reactor.listenUNIX(str(room / "port"), Makers())
    clients = Makers(ValueError("none today"))
    connector = here.reactor.connectUNIX(str(room / "port"), clients)
    here.until(lambda: clients.reasons)
    reports.take(ValueError)
    assert isinstance(clients.reasons[0], ConnectError)
    assert connector.state == "disconnected"
    port.stopListening()
    here.turns()


def test_s072_stopping_to_connect_and_connecting_again(here: Net, room: Path) -> None:
    port = here.reactor.listenUNIX(str(room / "port"), Makers())
    clients = Makers()
    connector = here.reactor.connectUNIX(str(room / "port"), clients)
    connector.stopConnecting()
    assert [type(reason) for reason in clients.reasons] == [UserError]
    connector.connect()
    here.until(lambda: clients.built and clients.built[0].told)
    connector.disconnect()
    here.until(lambda: clients.told[-2:] == ["lost", "stop"])
    port.stopListening()
    here.turns()


def test_a_client_waits_for_room_in_the_queue_of_a_port(here: Net, room: Path) -> None:
    """There the kernel says EAGAIN at once and never tells when there is room: clients try again by themselves."""
    listening = here.opened(socket.socket(socket.AF_UNIX))
    listening.bind(str(room / "port"))
    listening.listen(0)
    clients = Makers()
    connectors = [here.reactor.connectUNIX(str(room / "port"), clients) for _ in range(5)]
    here.until(lambda: clients.built)
    here.turns(5)
    assert len(clients.built) < 5
    accepted = []
    while len(clients.built) < 5:
        accepted.append(here.opened(listening.accept()[0]))
        count = len(clients.built)
        here.until(lambda count=count: len(clients.built) > count)
    for connector in connectors:
        connector.disconnect()
    here.until(lambda: clients.told.count("lost") == 5)


def test_s101_a_port_and_a_connection_are_adopted(here: Net, room: Path) -> None:
    listening = here.opened(socket.socket(socket.AF_UNIX))
    listening.bind(str(room / "port"))
    listening.listen()
    factory = Makers()
    port = here.reactor.adoptStreamPort(listening.fileno(), socket.AF_UNIX, factory)
    assert port.getHost() == UNIXAddress(str(room / "port"))
    other = peer(here, room / "port")
    here.until(lambda: factory.built)
    port.stopListening()
    here.turns()
    again = peer(here, room / "port")  # the original is not shut, and its path stays
    assert listening.accept()[0].close() is None
    again.close()
    other.close()
    here.until(lambda: "lost" in factory.built[0].told)
    one, two = socket.socketpair()
    transport = here.reactor.adoptStreamConnection(here.opened(one).fileno(), socket.AF_UNIX, factory)
    one.close()
    here.opened(two).sendall(b"adopted")
    here.until(lambda: factory.built[1].received == b"adopted")
    assert repr(transport) == "<Recorder #0 on >"
    assert transport.getHost() == transport.getPeer() == UNIXAddress(None)
    two.close()
    here.until(lambda: "lost" in factory.built[1].told)


def test_s101_a_factory_without_a_protocol_for_an_adopted_connection(here: Net) -> None:
    one, two = socket.socketpair()
    here.opened(two)
    assert here.reactor.adoptStreamConnection(here.opened(one).fileno(), socket.AF_UNIX, Makers(None)) is None
    with pytest.raises(ZeroDivisionError):
        here.reactor.adoptStreamConnection(one.fileno(), socket.AF_UNIX, Makers(ZeroDivisionError()))
    one.close()
    assert two.recv(1) == b""


# Many, and nothing left


@pytest.mark.parametrize("kind", [Reactor, ByContract], ids=["native", "contract"])
def test_a_thousand_connections_leave_nothing(kind: type[Reactor], room: Path, no_leaks: Any, reports: Reports) -> None:
    def all_of_it(rounds: int) -> None:
        with net(kind) as here:
            servers = Makers()
            port = here.reactor.listenUNIX(str(room / "port"), servers, wantPID=True)
            for _ in range(rounds):
                clients = Makers()
                servers.protocols = [Recorder() for _ in range(100)]
                for server in servers.protocols:
                    server.on_data = lambda data, server=server: server.transport.write(data)
                for _ in range(100):
                    here.reactor.connectUNIX(str(room / "port"), clients, None, checkPID=True)
                here.until(lambda clients=clients: len(clients.built) == 100)
                for client in clients.built:
                    client.transport.write(b"x" * 1000)
                here.until(lambda clients=clients: all(len(each.received) == 1000 for each in clients.built))
                for client in clients.built:
                    client.transport.loseConnection()
                here.until(lambda: all("lost" in each.told for each in servers.built))
                for each in servers.built + clients.built:
                    each.__dict__.clear()
                servers.built.clear()
            port.stopListening()
            here.turns()

    all_of_it(1)
    with no_leaks():
        all_of_it(10)


def test_s074_descriptors_run_out(here: Net, room: Path, reports: Reports) -> None:
    import resource

    factory = Makers()
    port = here.reactor.listenUNIX(str(room / "port"), factory)
    other = here.opened(socket.socket(socket.AF_UNIX))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Not the number of `other`: what is held in reserve, for the whole process, may have a higher one.
    highest = max(int(name) for name in os.listdir("/proc/self/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1, hard))
    held = []
    try:
        try:
            while True:
                held.append(os.dup(0))
        except OSError:
            pass
        other.connect(str(room / "port"))
        assert here.read(other, 1) == b""  # turned away, not left to wait
    finally:
        for each in held:
            os.close(each)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert any("Too many open files" in text for text in reports.texts())
    reports.clear()
    peer(here, room / "port")
    here.until(lambda: factory.built)
    port.stopListening()
    here.turns()


# Programs of others


def test_nc_talks_to_a_server(here: Net, room: Path, client: Any) -> None:
    factory = Makers()
    server = Recorder()
    server.on_data = lambda data: server.transport.write(data.upper())
    factory.protocols.append(server)
    port = here.reactor.listenUNIX(str(room / "port"), factory)
    program = subprocess.Popen(
        [client("nc"), "-U", "-N", str(room / "port")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert program.stdin and program.stdout
    program.stdin.write(b"loud\n")
    program.stdin.flush()
    here.until(lambda: server.received == b"loud\n")
    here.turns()
    program.stdin.close()
    here.until(lambda: "lost" in server.told)
    assert program.stdout.read() == b"LOUD\n"
    program.stdout.close()
    assert program.wait(PATIENCE) == 0
    port.stopListening()
    here.turns()


def test_a_client_talks_to_socat(here: Net, room: Path, client: Any) -> None:
    program = subprocess.Popen([client("socat"), f"UNIX-LISTEN:{room / 'port'}", "EXEC:cat"])
    here.until(lambda: (room / "port").exists())
    factory = Makers()
    factory.on_failed = lambda connector: connector.connect() if not factory.built else None  # bound, not listening yet
    here.reactor.connectUNIX(str(room / "port"), factory)
    here.until(lambda: factory.built and factory.built[0].told)
    (protocol,) = factory.built
    protocol.transport.write(b"x" * 100_000)
    here.until(lambda: len(protocol.received) == 100_000)
    protocol.transport.loseConnection()
    here.until(lambda: "lost" in protocol.told)
    assert program.wait(PATIENCE) == 0


def test_the_reasons_are_those_of_tcp(here: Net, room: Path) -> None:
    """A peer that closes with something unread resets the connection."""
    server, other = accept(here, room)
    server.transport.write(b"unread")
    here.turns()
    other.close()
    here.until(lambda: "lost" in server.told)
    assert isinstance(server.reasons[0], ConnectionLost | ConnectionDone)


def test_a_factory_that_cannot_be_started_leaves_neither_path_nor_lock(here: Net, room: Path) -> None:
    class Broken(Makers):
        def doStart(self) -> None:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        here.reactor.listenUNIX(str(room / "port"), Broken(), wantPID=True)
    assert os.listdir(room) == []


def test_a_path_with_a_null_byte_in_it_is_refused_before_anything_is_bound(here: Net, room: Path) -> None:
    path = str(room / "port") + "\0tail"
    calls = [
        lambda: here.reactor.listenUNIX(path, Makers()),
        lambda: here.reactor.connectUNIX(path, Makers()),
        lambda: here.reactor.listenUNIXDatagram(path, DatagramProtocol()),
        lambda: here.reactor.connectUNIXDatagram(path, ConnectedDatagramProtocol()),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="tail"):
            call()
    assert os.listdir(room) == []
