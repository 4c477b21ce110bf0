"""Endpoints over real sockets, and what each hands on to its reactor."""

import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.certificates import certificates
from tests.contract.parts import Reports
from tests.contract.streams import ByContract, HalfRecorder, Makers, Net, Recorder, net

from torsion.address import IPv4Address, _ProcessAddress
from torsion.contract import Reactor
from torsion.core.deferred import Deferred
from torsion.endpoint import outside
from torsion.endpoints import (
    AdoptedStreamServerEndpoint,
    HostnameEndpoint,
    ProcessEndpoint,
    SSL4ClientEndpoint,
    SSL4ServerEndpoint,
    StandardErrorBehavior,
    StandardIOEndpoint,
    TCP4ClientEndpoint,
    TCP4ServerEndpoint,
    TCP6ClientEndpoint,
    TCP6ServerEndpoint,
    UNIXClientEndpoint,
    UNIXServerEndpoint,
    clientFromString,
    serverFromString,
    wrapClientTLS,
    wrapServerTLS,
)
from torsion.error import (
    AlreadyListened,
    CannotListenError,
    ConnectionDone,
    ConnectionLost,
    ConnectionRefusedError,
    NoProtocol,
    ProcessDone,
    ProcessTerminated,
)
from torsion.failure import Failure
from torsion.interfaces import IStreamClientEndpoint, IStreamServerEndpoint
from torsion.protocol import ClientFactory, Protocol


@pytest.fixture(params=[Reactor, ByContract], ids=["native", "contract"])
def wire(request: pytest.FixtureRequest, reports: Reports) -> Iterator[Net]:
    with net(request.param) as made:
        yield made


def result_of(wire: Net, deferred: Deferred) -> Any:
    """Turns the reactor until there is a result; a failure is raised."""
    results: list[Any] = []
    deferred.addBoth(results.append)
    wire.until(lambda: results)
    if isinstance(results[0], Failure):
        raise results[0].value
    return results[0]


def echoes(wire: Net, server: Any, client: Any) -> tuple[Any, Any, Any]:
    """Something is said both ways between two endpoints; the server's protocol, the client's, and the port."""
    there, here = Recorder(), Recorder()
    port = result_of(wire, server.listen(Makers(there)))
    assert result_of(wire, client(port).connect(Makers(here))) is here
    here.transport.write(b"question")
    wire.until(lambda: there.received == b"question")
    there.transport.write(b"answer")
    wire.until(lambda: here.received == b"answer")
    return there, here, port


def ended(wire: Net, there: Any, here: Any, port: Any) -> None:
    here.transport.loseConnection()
    wire.until(lambda: "lost" in here.told and "lost" in there.told)
    result_of(wire, port.stopListening())
    assert here.told == there.told == ["made", "lost"]


def test_tcp4(wire: Net) -> None:
    server = TCP4ServerEndpoint(wire.reactor, 0, interface="127.0.0.1")
    there, here, port = echoes(
        wire, server, lambda port: TCP4ClientEndpoint(wire.reactor, "127.0.0.1", port.getHost().port)
    )
    assert here.transport.getPeer() == port.getHost()
    ended(wire, there, here, port)


def test_tcp6(wire: Net) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("there is no IPv6 here")
    server = TCP6ServerEndpoint(wire.reactor, 0, interface="::1")
    ended(wire, *echoes(wire, server, lambda port: TCP6ClientEndpoint(wire.reactor, "::1", port.getHost().port)))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_hostname(wire: Net, host: str) -> None:
    server = TCP4ServerEndpoint(wire.reactor, 0, interface="127.0.0.1")
    ended(
        wire,
        *echoes(
            wire,
            server,
            lambda port: HostnameEndpoint(wire.reactor, host, port.getHost().port, refusal_advances=True),
        ),
    )


def test_hostname_where_nobody_listens(wire: Net) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    endpoint = HostnameEndpoint(wire.reactor, "127.0.0.1", port, attemptDelay=0.01)
    with pytest.raises(ConnectionRefusedError):
        result_of(wire, endpoint.connect(Makers()))
    assert wire.reactor.getDelayedCalls() == []


def test_strings_make_endpoints_that_work(wire: Net) -> None:
    server = serverFromString(wire.reactor, "tcp:0:interface=127.0.0.1")
    ended(
        wire,
        *echoes(
            wire,
            server,
            lambda port: clientFromString(wire.reactor, f"tcp:127.0.0.1:{port.getHost().port}:timeout=5"),
        ),
    )


def test_listening_on_a_port_that_is_taken_fails_the_deferred(wire: Net) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        endpoint = TCP4ServerEndpoint(wire.reactor, taken.getsockname()[1], interface="127.0.0.1")
        with pytest.raises(CannotListenError):
            result_of(wire, endpoint.listen(Makers()))


def test_a_stream_is_told_of_the_programs_protocol_itself(wire: Net) -> None:
    server = TCP4ServerEndpoint(wire.reactor, 0, interface="127.0.0.1")
    there, here, port = echoes(
        wire, server, lambda port: TCP4ClientEndpoint(wire.reactor, "127.0.0.1", port.getHost().port)
    )
    assert here.transport.protocol is here
    assert here.transport.logstr == "recorder,client"
    ended(wire, there, here, port)


def test_s065_a_protocol_behind_an_endpoint_may_live_half_closed(wire: Net) -> None:
    listening = wire.opened(socket.create_server(("127.0.0.1", 0)))
    endpoint = TCP4ClientEndpoint(wire.reactor, "127.0.0.1", listening.getsockname()[1])
    here = result_of(wire, endpoint.connect(Makers(HalfRecorder())))
    peer = wire.opened(listening.accept()[0])
    peer.shutdown(socket.SHUT_WR)
    wire.until(lambda: "read side lost" in here.told)
    here.transport.write(b"still here")
    assert wire.read(peer, 10) == b"still here"
    here.transport.loseConnection()
    wire.until(lambda: "lost" in here.told)


def test_a_protocol_may_put_another_in_its_place_when_it_is_connected(wire: Net) -> None:
    listening = wire.opened(socket.create_server(("127.0.0.1", 0)))
    first, second = Recorder(), Recorder()

    def replace() -> None:
        first.transport.protocol = second

    first.on_made = replace
    endpoint = TCP4ClientEndpoint(wire.reactor, "127.0.0.1", listening.getsockname()[1])
    assert result_of(wire, endpoint.connect(Makers(first))) is first
    peer = wire.opened(listening.accept()[0])
    peer.sendall(b"data")
    wire.until(lambda: second.received == b"data")
    assert first.received == b""


def test_a_protocol_may_lose_the_connection_when_it_is_made(wire: Net) -> None:
    listening = wire.opened(socket.create_server(("127.0.0.1", 0)))
    recorder = Recorder()
    recorder.on_made = lambda: recorder.transport.abortConnection()
    endpoint = TCP4ClientEndpoint(wire.reactor, "127.0.0.1", listening.getsockname()[1])
    assert result_of(wire, endpoint.connect(Makers(recorder))) is recorder
    wire.until(lambda: recorder.told == ["made", "lost"])


def test_s072_build_protocol_none_closes_and_fails_the_endpoint(wire: Net) -> None:
    listening = wire.opened(socket.create_server(("127.0.0.1", 0)))
    endpoint = TCP4ClientEndpoint(wire.reactor, "127.0.0.1", listening.getsockname()[1])
    with pytest.raises(NoProtocol):
        result_of(wire, endpoint.connect(Makers(*[None])))
    peer = wire.opened(listening.accept()[0])
    assert wire.read(peer, 1) == b""


def test_s072_build_protocol_that_raises_closes_and_fails_the_endpoint(wire: Net) -> None:
    listening = wire.opened(socket.create_server(("127.0.0.1", 0)))
    endpoint = TCP4ClientEndpoint(wire.reactor, "127.0.0.1", listening.getsockname()[1])
    with pytest.raises(RuntimeError, match="wrong"):
        result_of(wire, endpoint.connect(Makers(RuntimeError("wrong"))))
    peer = wire.opened(listening.accept()[0])
    assert wire.read(peer, 1) == b""


def test_s072_connection_made_that_raises_ends_the_connection_and_fails_the_endpoint(
    wire: Net, reports: Reports
) -> None:
    listening = wire.opened(socket.create_server(("127.0.0.1", 0)))
    recorder = Recorder()

    def raises() -> None:
        raise RuntimeError("wrong")

    recorder.on_made = raises
    endpoint = TCP4ClientEndpoint(wire.reactor, "127.0.0.1", listening.getsockname()[1])
    with pytest.raises(RuntimeError, match="wrong"):
        result_of(wire, endpoint.connect(Makers(recorder)))
    wire.until(lambda: recorder.told == ["made", "lost"])
    assert [type(reason) for reason in recorder.reasons] == [RuntimeError]
    reports.take(RuntimeError)


# TLS


@pytest.mark.parametrize("kind", ["wrapped", "ssl4"])
def test_tls(wire: Net, kind: str) -> None:
    made = certificates()
    server: Any
    if kind == "wrapped":
        server = wrapServerTLS(
            made.server.server_context(), TCP4ServerEndpoint(wire.reactor, 0, interface="127.0.0.1"), wire.reactor
        )
    else:
        server = SSL4ServerEndpoint(wire.reactor, 0, made.server.server_context(), interface="127.0.0.1")

    def client(port: Any) -> Any:
        number = port.getHost().port
        if kind == "wrapped":
            below = HostnameEndpoint(wire.reactor, "127.0.0.1", number)
            return wrapClientTLS(made.client_context(), below, wire.reactor)
        return SSL4ClientEndpoint(wire.reactor, "127.0.0.1", number, made.client_context())

    ended(wire, *echoes(wire, server, client))


def test_s108_connect_fires_before_the_handshake_and_a_bad_certificate_comes_as_connection_lost(wire: Net) -> None:
    made = certificates()
    server = wrapServerTLS(
        made.wrong_name.server_context(), TCP4ServerEndpoint(wire.reactor, 0, interface="127.0.0.1"), wire.reactor
    )
    there, here = Recorder(), Recorder()
    port = result_of(wire, server.listen(Makers(there)))
    below = TCP4ClientEndpoint(wire.reactor, "127.0.0.1", port.getHost().port)
    connected = wrapClientTLS(made.client_context(), below, wire.reactor).connect(Makers(here))
    assert result_of(wire, connected) is here and here.told == ["made"]
    wire.until(lambda: "lost" in here.told and "lost" in there.told)
    assert isinstance(here.reasons[0], ssl.SSLCertVerificationError)
    result_of(wire, port.stopListening())


@pytest.mark.parametrize("kind", ["ssl", "wrapped"])
def test_a_protocol_behind_an_endpoint_is_told_of_the_handshake(wire: Net, kind: str) -> None:
    class Shaken(Recorder):
        def handshakeCompleted(self) -> None:
            self.told.append("shaken")

    made = certificates()
    server = SSL4ServerEndpoint(wire.reactor, 0, made.server.server_context(), interface="127.0.0.1")
    port = result_of(wire, server.listen(Makers()))
    where = "127.0.0.1", port.getHost().port
    endpoint: Any = SSL4ClientEndpoint(wire.reactor, *where, made.client_context())
    if kind == "wrapped":
        endpoint = wrapClientTLS(made.client_context(), TCP4ClientEndpoint(wire.reactor, *where), wire.reactor)
    here = result_of(wire, endpoint.connect(Makers(Shaken())))
    wire.until(lambda: "shaken" in here.told)
    here.transport.abortConnection()
    wire.until(lambda: "lost" in here.told)
    port.stopListening()


def test_a_context_that_checks_names_needs_one() -> None:
    class Anonymous:
        def connect(self, factory: Any) -> Any:
            raise AssertionError("not as far as that")

    endpoint = wrapClientTLS(certificates().client_context(), Anonymous())
    with pytest.raises(ValueError, match="checks the name"):
        endpoint.connect(ClientFactory())


def test_tls_strings(wire: Net, tmp_path: Path) -> None:
    made = certificates()
    trusted = tmp_path / "trusted"
    trusted.mkdir()
    (trusted / "ca.pem").write_bytes(made.ca.certificate.read_bytes())
    (trusted / "other.pem").write_text("no certificate")
    (trusted / "readme.txt").write_text("no certificate")
    server = serverFromString(
        wire.reactor,
        f"ssl:0:privateKey={made.server.key}:certKey={made.server.certificate}"
        f":extraCertChain={made.ca.certificate}:sslmethod=TLSv1_2_METHOD:interface=127.0.0.1",
    )
    there, here, port = echoes(
        wire,
        server,
        lambda port: clientFromString(wire.reactor, f"tls:localhost:{port.getHost().port}:trustRoots={trusted}"),
    )
    ended(wire, there, here, port)
    server = serverFromString(wire.reactor, f"ssl:0:privateKey={made.server.both}:interface=127.0.0.1")
    there, here, port = echoes(
        wire,
        server,
        lambda port: clientFromString(
            wire.reactor,
            f"ssl:127.0.0.1:{port.getHost().port}:caCertsDir={trusted}"
            f":certKey={made.client.certificate}:privateKey={made.client.key}",
        ),
    )
    ended(wire, there, here, port)


def test_an_ssl_string_without_certificates_to_trust_believes_everybody(wire: Net) -> None:
    made = certificates()
    server = serverFromString(wire.reactor, f"ssl:0:privateKey={made.self_signed.both}:interface=127.0.0.1")
    ended(
        wire, *echoes(wire, server, lambda port: clientFromString(wire.reactor, f"ssl:localhost:{port.getHost().port}"))
    )


def test_a_tls_string_believes_those_only_whom_the_system_trusts(wire: Net) -> None:
    made = certificates()
    server = serverFromString(wire.reactor, f"ssl:0:privateKey={made.server.both}:interface=127.0.0.1")
    there, here = Recorder(), Recorder()
    port = result_of(wire, server.listen(Makers(there)))
    below = f"tcp\\:127.0.0.1\\:{port.getHost().port}"
    endpoint = clientFromString(wire.reactor, f"tls:localhost:1:endpoint={below}:certificate={made.client.both}")
    assert result_of(wire, endpoint.connect(Makers(here))) is here
    wire.until(lambda: "lost" in here.told and "lost" in there.told)
    assert isinstance(here.reasons[0], ssl.SSLCertVerificationError)
    result_of(wire, port.stopListening())


def test_strings_with_files_that_are_wrong(tmp_path: Path) -> None:
    made = certificates()
    key = made.server.both
    for text, error in (
        ("ssl:0:privateKey=/nowhere.pem", OSError),
        ("ssl:0", OSError),
        (f"ssl:0:privateKey={key}:sslmethod=SSLv2_METHOD", ValueError),
        (f"ssl:0:privateKey={key}:extraCertChain={made.server.key}", ValueError),
        (f"ssl:0:privateKey={key}:extraCertChain=/nowhere.pem", OSError),
        (f"ssl:0:privateKey={key}:dhParameters=/nowhere.pem", OSError),
        (f"ssl:0:privateKey={made.server.certificate}", OSError),
    ):
        with pytest.raises(error):
            serverFromString(None, text)
    for text, error in (
        ("tls:localhost:1:trustRoots=/nowhere", OSError),
        ("tls:localhost:1:certificate=/nowhere.pem", OSError),
        ("tls:a..b:1", ValueError),
        ("ssl:localhost:1:caCertsDir=/nowhere", OSError),
        ("ssl:localhost:1:certKey=/nowhere.pem", OSError),
    ):
        with pytest.raises(error):
            clientFromString(None, text)


# Sockets that others have opened


def test_an_adopted_descriptor(wire: Net) -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    number = listening.getsockname()[1]
    endpoint = AdoptedStreamServerEndpoint(wire.reactor, listening.detach(), socket.AF_INET)
    there = Recorder()
    port = result_of(wire, endpoint.listen(Makers(there)))
    assert port.getHost() == IPv4Address("TCP", "127.0.0.1", number)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(endpoint.fileno)
    peer = wire.peer(number)
    peer.sendall(b"hello")
    wire.until(lambda: there.received == b"hello")
    with pytest.raises(AlreadyListened):
        result_of(wire, endpoint.listen(Makers()))
    result_of(wire, port.stopListening())


def test_an_adopted_descriptor_that_is_none(wire: Net) -> None:
    with pytest.raises(OSError, match="Bad file descriptor"):
        result_of(wire, AdoptedStreamServerEndpoint(wire.reactor, 9999, socket.AF_INET).listen(Makers()))


@pytest.mark.parametrize("domain", ["", ":INET", ":domain=INET"])
def test_a_descriptor_by_its_number(wire: Net, domain: str) -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    number = listening.getsockname()[1]
    endpoint = serverFromString(wire.reactor, f"fd:{listening.detach()}{domain}")
    port = result_of(wire, endpoint.listen(Makers()))
    assert port.getHost().port == number
    result_of(wire, port.stopListening())


SERVER = """
import os, sys
import torsion.endpoints as endpoints
from torsion import reactor, protocol
endpoint = endpoints.serverFromString(reactor, sys.argv[1])
assert "LISTEN_FDS" not in os.environ and not os.get_inheritable(3)
class Hello(protocol.Protocol):
    def connectionMade(self):
        self.transport.write(b"hello")
        self.transport.loseConnection()
    def connectionLost(self, reason):
        reactor.stop()
endpoint.listen(protocol.Factory.forProtocol(Hello)).addErrback(lambda failure: failure.printTraceback())
reactor.run()
"""
ACTIVATE = """
import os, socket, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="web")
os.execv(sys.executable, [sys.executable, "-c", *sys.argv[2:]])
"""


@pytest.mark.parametrize("description", ["systemd:name=web", "systemd:INET:0", "systemd:domain=INET:index=0"])
def test_sockets_of_systemd(description: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        fd = listening.fileno()
        server = subprocess.Popen(
            [sys.executable, "-c", ACTIVATE, str(fd), SERVER, description], pass_fds=[fd], stderr=subprocess.PIPE
        )
        with socket.create_connection(listening.getsockname(), timeout=20) as client:
            assert client.recv(100) == b"hello"
        _, errors = server.communicate(timeout=20)
        assert (server.returncode, errors) == (0, b"")


# What is handed on


class Calls:
    """Instead of a reactor: notes what is called on it."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Any:
        def method(*args: Any, **kwargs: Any) -> str:
            self.calls.append((name, args, kwargs))
            return "port"

        return method


def test_endpoints_have_their_interfaces() -> None:
    for endpoint in (TCP4ServerEndpoint(None, 0), StandardIOEndpoint(None), serverFromString(None, "unix:/x")):
        assert isinstance(endpoint, IStreamServerEndpoint) and not isinstance(endpoint, IStreamClientEndpoint)
    for endpoint in (
        TCP4ClientEndpoint(None, "h", 1),
        HostnameEndpoint(None, "h", 1),
        clientFromString(None, "unix:/x"),
    ):
        assert isinstance(endpoint, IStreamClientEndpoint) and not isinstance(endpoint, IStreamServerEndpoint)


def test_arguments_of_servers() -> None:
    calls = Calls()
    for endpoint in (
        TCP4ServerEndpoint(calls, 80, 7, "10.0.0.1"),
        TCP6ServerEndpoint(calls, 80, 7, "::1"),
        SSL4ServerEndpoint(calls, 443, "context", 7, "10.0.0.1"),
        UNIXServerEndpoint(calls, "/path", 7, 0o600, True),
        serverFromString(calls, "unix:/path:mode=600:backlog=7:lockfile=1"),
    ):
        results: list[Any] = []
        endpoint.listen("factory").addCallback(results.append)
        assert results == ["port"]
    assert calls.calls == [
        ("listenTCP", (80, "factory"), {"backlog": 7, "interface": "10.0.0.1"}),
        ("listenTCP", (80, "factory"), {"backlog": 7, "interface": "::1"}),
        ("listenSSL", (443, "factory"), {"contextFactory": "context", "backlog": 7, "interface": "10.0.0.1"}),
        ("listenUNIX", ("/path", "factory"), {"backlog": 7, "mode": 0o600, "wantPID": True}),
        ("listenUNIX", ("/path", "factory"), {"backlog": 7, "mode": 0o600, "wantPID": True}),
    ]


def test_arguments_of_clients() -> None:
    calls = Calls()
    for endpoint in (
        TCP4ClientEndpoint(calls, "host", 80, 7, ("10.0.0.1", 0)),
        SSL4ClientEndpoint(calls, "host", 443, "context", 7, ("10.0.0.1", 0)),
        UNIXClientEndpoint(calls, "/path", 7, True),
        clientFromString(calls, "unix:/path:timeout=7:lockfile=1"),
        clientFromString(calls, "unix:/path"),
    ):
        endpoint.connect("factory")
    tcp = {"timeout": 7, "bindAddress": ("10.0.0.1", 0)}
    assert [(name, args[:-1], kwargs) for name, args, kwargs in calls.calls] == [
        ("connectTCP", ("host", 80), tcp),
        ("connectSSL", ("host", 443), {"contextFactory": "context", **tcp}),
        ("connectUNIX", ("/path",), {"timeout": 7, "checkPID": True}),
        ("connectUNIX", ("/path",), {"timeout": 7, "checkPID": True}),
        ("connectUNIX", ("/path",), {"timeout": 30, "checkPID": False}),
    ]


# Processes and standard input and output


class Process:
    """A child's transport."""

    def __init__(self) -> None:
        self.written = b""
        self.calls: list[Any] = []

    def write(self, data: bytes) -> None:
        self.written += data

    def writeSequence(self, data: Any) -> None:
        self.written += b"".join(data)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("get"):
            raise AttributeError(name)
        return lambda *args: self.calls.append((name, *args))


class Spawning:
    def __init__(self) -> None:
        self.process = Process()
        self.arguments: tuple[Any, ...] = ()
        self.protocol: Any = None

    def spawnProcess(self, protocol: Any, *args: Any) -> Any:
        self.protocol, self.arguments = protocol, args
        protocol.makeConnection(self.process)
        return self.process


def spawned(recorder: Any, **options: Any) -> tuple[Spawning, list[Any]]:
    reactor = Spawning()
    results: list[Any] = []
    makers = Makers(recorder)
    connected = ProcessEndpoint(reactor, "/bin/cat", **options).connect(makers)
    connected.addBoth(lambda result: results.append(getattr(result, "value", result)))
    assert isinstance(makers.addresses[0], _ProcessAddress)
    return reactor, results


def test_a_process_is_talked_to_by_its_standard_input_and_output() -> None:
    recorder = Recorder()
    reactor, results = spawned(recorder, args=("cat", "-"), env={"A": "b"}, path="/", uid=1, gid=2, childFDs={0: "w"})
    assert results == [recorder]
    assert reactor.arguments == ("/bin/cat", ("cat", "-"), {"A": "b"}, "/", 1, 2, 0, {0: "w"})
    recorder.transport.write(b"a")
    recorder.transport.writeSequence([b"b", b"c"])
    assert reactor.process.written == b"abc"
    assert isinstance(recorder.transport.getPeer(), _ProcessAddress)
    assert isinstance(recorder.transport.getHost(), _ProcessAddress)
    producer = object()
    recorder.transport.registerProducer(producer, True)
    for name in ("unregisterProducer", "pauseProducing", "resumeProducing", "stopProducing", "loseConnection"):
        getattr(recorder.transport, name)()
    assert reactor.process.calls == [
        ("registerProducer", producer, True),
        *[("unregisterProducer",), ("pauseProducing",), ("resumeProducing",), ("stopProducing",), ("loseConnection",)],
    ]
    reactor.protocol.childDataReceived(1, b"output")
    assert recorder.received == b"output"
    reactor.protocol.processEnded(Failure(ProcessDone(0)))
    assert type(recorder.reasons[0]) is ConnectionDone


def test_a_process_that_fails_is_a_connection_that_is_lost() -> None:
    recorder = Recorder()
    reactor, _ = spawned(recorder)
    reactor.protocol.processEnded(Failure(ProcessTerminated(3)))
    assert type(recorder.reasons[0]) is ProcessTerminated and isinstance(recorder.reasons[0], ConnectionLost)


def test_what_becomes_of_standard_error_is_one_of_two_names() -> None:
    assert list(StandardErrorBehavior.iterconstants()) == [StandardErrorBehavior.LOG, StandardErrorBehavior.DROP]
    assert StandardErrorBehavior.lookupByName("DROP") is StandardErrorBehavior.DROP
    with pytest.raises(ValueError, match="NOWHERE"):
        StandardErrorBehavior.lookupByName("NOWHERE")


@pytest.mark.parametrize("flag", StandardErrorBehavior)
def test_a_process_standard_error_is_reported_or_dropped(
    flag: StandardErrorBehavior, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = Recorder()
    reactor, _ = spawned(recorder, errFlag=flag)
    with caplog.at_level("INFO", logger="torsion"):
        reactor.protocol.childDataReceived(2, b"complaint")
    assert ("complaint" in caplog.text) is (flag is StandardErrorBehavior.LOG)
    assert recorder.received == b""


def test_s078_what_connection_made_raises_is_the_answer_of_a_process_endpoint_too() -> None:
    wrong = RuntimeError("wrong")
    recorder = Recorder()

    def raises() -> None:
        raise wrong

    recorder.on_made = raises
    reactor, results = spawned(recorder)
    assert results == [wrong] and reactor.process.calls == [("loseConnection",)]


def test_a_process_that_cannot_be_started_and_one_without_a_protocol() -> None:
    class Failing(Spawning):
        def spawnProcess(self, protocol: Any, *args: Any) -> Any:
            raise OSError("no more processes")

    results: list[Any] = []
    ProcessEndpoint(Failing(), "/bin/cat").connect(Makers()).addErrback(lambda failure: results.append(failure.value))
    ProcessEndpoint(Spawning(), "/bin/cat").connect(Makers(*[None])).addErrback(
        lambda failure: results.append(failure.value)
    )
    assert [type(result) for result in results] == [OSError, NoProtocol]


def test_standard_input_and_output(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(outside.Outside):
        def standard_io(self) -> Any:
            return lambda protocol, reactor: ("transport", protocol, reactor)

        def pipe_address(self) -> Any:
            return "pipes"

    monkeypatch.setattr(outside, "_outside", Terminal())
    protocol, results = Protocol(), []
    makers = Makers(protocol)
    serverFromString("reactor", "stdio:").listen(makers).addCallback(results.append)
    assert results == [("transport", protocol, "reactor")] and makers.addresses == ["pipes"]
    StandardIOEndpoint("reactor").listen(Makers(*[None])).addErrback(lambda failure: results.append(failure.value))
    assert type(results[1]) is NoProtocol


def test_connections_leave_nothing_behind(no_leaks: Any) -> None:
    def connections(wire: Net) -> None:
        for _ in range(3):
            server = TCP4ServerEndpoint(wire.reactor, 0, interface="127.0.0.1")
            there, here, port = echoes(
                wire, server, lambda port: HostnameEndpoint(wire.reactor, "127.0.0.1", port.getHost().port)
            )
            ended(wire, there, here, port)
            there.transport = here.transport = None  # the factory of the test keeps its protocols

    with net(Reactor) as wire:
        connections(wire)
        with no_leaks():
            connections(wire)
