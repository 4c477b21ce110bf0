"""TLS over TCP, on both drivers: the standard library's blocking ssl and `openssl` itself at the other end."""

import shutil
import socket
import ssl
import struct
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.certificates import certificates
from tests.contract.parts import Reports
from tests.contract.streams import PATIENCE, ByContract, Makers, Net, Recorder, net
from tests.contract.tlsparts import HalfTLSRecorder, Pulling, Pushing, TLSRecorder

from torsion.contract import Reactor
from torsion.defer import succeed
from torsion.error import ConnectionAborted, ConnectionDone, ConnectionLost
from torsion.protocols.tls import HandshakeTimeout, Settings, TLSMemoryBIOFactory

OPENSSL = shutil.which("openssl")


@pytest.fixture(params=[Reactor, ByContract], ids=["native", "by-contract"])
def on(request: pytest.FixtureRequest, reports: Reports) -> Iterator[Net]:
    with net(request.param) as made:
        looks_up_itself(made.reactor)
        yield made


def looks_up_itself(reactor: Any) -> None:
    """No threads for names: there is one, which is known."""
    reactor.resolve = lambda name, timeout=(): succeed("127.0.0.1")


@pytest.fixture
def aside() -> Iterator[Callable[..., Any]]:
    """Runs something in a thread; what it returns is a future."""
    with ThreadPoolExecutor(4) as pool:
        yield pool.submit


def echo(protocol: Any = None) -> Any:
    made = TLSRecorder() if protocol is None else protocol
    made.on_data = lambda data: made.transport.write(data)
    return made


def listen(on: Net, protocol: Any, context: Any = None) -> int:
    """A TLS server for one connection; its port."""
    made = certificates().server.server_context() if context is None else context
    port = on.reactor.listenSSL(0, Makers(protocol), made, interface="127.0.0.1")
    number = port.getHost().port

    def close() -> None:
        port.stopListening()

    on.reactor.callLater(PATIENCE, close)
    return int(number)


def dial(port: int, context: ssl.SSLContext | None = None) -> ssl.SSLSocket:
    """A blocking client; the handshake is done."""
    context = certificates().client_context() if context is None else context
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port), PATIENCE), server_hostname="localhost")


def asked(port: int, data: bytes) -> bytes:
    """What an echo server makes of this, piece by piece, until both have ended in good order."""
    got = b""
    with dial(port) as connection:
        for at in range(0, len(data), 100_000):  # not with two threads: an SSL object is one's at a time
            connection.sendall(data[at : at + 100_000])
            while len(got) < min(at + 100_000, len(data)):
                got += connection.recv(65536)
        connection.unwrap().close()
    return got


def finish(on: Net, future: Any) -> Any:
    on.until(future.done)
    return future.result()


def serve_one(on: Net, talk: Callable[[ssl.SSLSocket], Any], context: ssl.SSLContext) -> Callable[[], Any]:
    """A blocking server for one connection: what is to be run aside. Its port is the function's."""
    listening = on.opened(socket.create_server(("127.0.0.1", 0)))

    def run() -> Any:
        plain, _ = listening.accept()
        plain.settimeout(PATIENCE)
        with context.wrap_socket(plain, server_side=True) as connection:
            return talk(connection)

    run.port = listening.getsockname()[1]  # type: ignore[attr-defined]
    return run


# Servers


@pytest.mark.parametrize("size", [1, 5000, 3_000_000])
def test_a_server_and_a_blocking_client(on: Net, aside: Any, size: int) -> None:
    app = echo()
    data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    assert finish(on, aside(asked, listen(on, app), data)) == data
    on.until(lambda: "lost" in app.told)
    assert app.told == ["made", "shaken", "lost"]
    assert isinstance(app.reasons[0], ConnectionDone)


def test_many_clients_at_once(on: Net, aside: Any) -> None:
    apps = [echo() for _ in range(20)]
    port = on.reactor.listenSSL(0, Makers(*apps), certificates().server.server_context(), interface="127.0.0.1")
    number = port.getHost().port
    answers = [aside(asked, number, b"%d" % each * 10_000) for each in range(20)]
    on.until(lambda: all(answer.done() for answer in answers))
    assert [answer.result() for answer in answers] == [b"%d" % each * 10_000 for each in range(20)]
    port.stopListening()
    on.turns()


def test_a_port_says_that_it_is_tls(on: Net) -> None:
    port = on.reactor.listenSSL(0, Makers(), certificates().server.server_context(), interface="127.0.0.1")
    assert port._type == "TLS"
    port.stopListening()
    on.turns()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_versions(on: Net, aside: Any, version: ssl.TLSVersion) -> None:
    client = certificates().client_context()
    client.minimum_version = client.maximum_version = version

    def talk() -> tuple[str | None, bytes]:
        with dial(port, client) as connection:
            connection.sendall(b"hello")
            return connection.version(), connection.recv(100)

    port = listen(on, echo())
    assert finish(on, aside(talk)) == (version.name.replace("_", "."), b"hello")


def test_a_session_is_taken_up_again(on: Net, aside: Any) -> None:
    client = certificates().client_context()

    def talk() -> bool | None:
        with dial(port, client) as first:
            first.sendall(b"x")
            first.recv(1)
            session = first.session
        plain = socket.create_connection(("127.0.0.1", port), PATIENCE)
        with client.wrap_socket(plain, server_hostname="localhost", session=session) as second:
            return second.session_reused

    factory = Makers(echo(), echo())
    listening = on.reactor.listenSSL(0, factory, certificates().server.server_context(), interface="127.0.0.1")
    port = listening.getHost().port
    assert finish(on, aside(talk))
    listening.stopListening()
    on.turns()


def test_s081_a_stream_that_is_cut_off(on: Net, aside: Any) -> None:
    def cut() -> None:
        connection = dial(port)
        connection.sendall(b"half of")
        connection.recv(1)
        connection.shutdown(socket.SHUT_RDWR)  # of the socket alone
        connection.close()

    app = echo()
    port = listen(on, app)
    finish(on, aside(cut))
    on.until(lambda: app.reasons)
    assert app.received == b"half of"
    assert type(app.reasons[0]) is ConnectionLost


@pytest.mark.parametrize("reset", [False, True], ids=["end", "reset"])
def test_s081_the_end_in_the_middle_of_the_handshake(on: Net, reset: bool) -> None:
    app = TLSRecorder()
    peer = on.peer(listen(on, app))
    peer.sendall(b"\x16\x03\x01\x02\x00\x01")
    on.until(lambda: app.told)
    if reset:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()
    on.until(lambda: app.reasons)
    assert app.told == ["made", "lost"]
    assert type(app.reasons[0]) is ConnectionLost


def test_a_client_that_speaks_http(on: Net) -> None:
    app = TLSRecorder()
    peer = on.peer(listen(on, app))
    peer.sendall(b"GET / HTTP/1.0\r\n\r\n")
    assert on.read(peer, 1000) == b""
    on.until(lambda: app.reasons)
    assert "the peer does not speak TLS" in str(app.reasons[0])


def test_slow_clients_are_dropped(on: Net) -> None:
    apps = [TLSRecorder() for _ in range(10)]
    how = TLSMemoryBIOFactory(
        certificates().server.server_context(), False, Makers(*apps), on.reactor, handshake_timeout=0.05
    )
    port = on.reactor.listenTCP(0, how, interface="127.0.0.1")
    peers = [on.peer(port.getHost().port) for _ in range(10)]
    for peer in peers:
        peer.sendall(b"\x16\x03\x01")
    on.until(lambda: all(app.reasons for app in apps))
    assert {type(app.reasons[0]) for app in apps} == {HandshakeTimeout}
    with pytest.raises(ConnectionResetError):
        peers[0].recv(10)
    port.stopListening()
    on.turns()


# Clients


def test_a_client_and_a_blocking_server(on: Net, aside: Any) -> None:
    def talk(connection: ssl.SSLSocket) -> bytes:
        got = b""
        while len(got) < 200_000:
            got += connection.recv(65536)
        connection.sendall(got[::-1])
        connection.unwrap().close()
        return got

    server = serve_one(on, talk, certificates().server.server_context())
    app = TLSRecorder()
    app.on_made = lambda: app.transport.write(b"12345" * 40_000)
    running = aside(server)
    on.reactor.connectSSL("localhost", server.port, Makers(app), certificates().client_context())
    assert finish(on, running) == b"12345" * 40_000
    on.until(lambda: app.reasons)
    assert app.received == b"54321" * 40_000
    assert isinstance(app.reasons[0], ConnectionDone)


def test_the_name_that_is_asked_for(on: Net, aside: Any) -> None:
    """SNI for names, none for addresses; both are checked."""
    asked_for = []
    context = certificates().server.server_context()
    context.sni_callback = lambda connection, name, context: asked_for.append(name)
    for host in ("localhost", "127.0.0.1"):
        server = serve_one(on, lambda connection: connection.recv(10), context)
        app = TLSRecorder()
        app.on_shaken = lambda app=app: app.transport.write(b"hello")
        running = aside(server)
        on.reactor.connectSSL(host, server.port, Makers(app), certificates().client_context())
        assert finish(on, running) == b"hello"
        on.until(lambda app=app: app.reasons)
    assert asked_for == ["localhost", None]


@pytest.mark.parametrize("identity", ["expired", "wrong_name", "self_signed"])
def test_s083_a_server_that_is_not_believed(on: Net, aside: Any, identity: str) -> None:
    server = serve_one(on, lambda connection: None, getattr(certificates(), identity).server_context())
    app = TLSRecorder()
    factory = Makers(app)
    running = aside(server)
    on.reactor.connectSSL("localhost", server.port, factory, certificates().client_context())
    on.until(lambda: app.reasons)
    on.until(running.done)
    assert app.told == ["made", "lost"]
    assert isinstance(app.reasons[0], ssl.SSLCertVerificationError)
    assert factory.told[-2:] == ["lost", "stop"]
    with pytest.raises(ssl.SSLError, match="ALERT"):
        running.result()


def test_a_client_that_shows_its_certificate(on: Net, aside: Any) -> None:
    made = certificates()
    context = made.server.server_context()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(made.ca.certificate)

    def who(connection: ssl.SSLSocket) -> Any:
        return connection.getpeercert()

    server = serve_one(on, who, context)
    app = TLSRecorder()
    running = aside(server)
    on.reactor.connectSSL("localhost", server.port, Makers(app), made.client_context(made.client))
    assert dict(finish(on, running)["subject"][0])["commonName"] == "client"


def test_ours_at_both_ends(on: Net) -> None:
    server, client = echo(), TLSRecorder()
    server_context, client_context = certificates().server.server_context(), certificates().client_context()
    server_context.set_alpn_protocols(["torsion"])
    client_context.set_alpn_protocols(["torsion"])
    client.on_shaken = lambda: client.transport.write(b"x" * 1_000_000)
    client.on_data = lambda data: len(client.received) == 1_000_000 and client.transport.loseConnection()
    port = listen(on, server, server_context)
    on.reactor.connectSSL("localhost", port, Makers(client), client_context)
    on.until(lambda: "shaken" in client.told and "shaken" in server.told)
    assert client.transport.negotiatedProtocol == server.transport.negotiatedProtocol == b"torsion"
    on.until(lambda: client.reasons and server.reasons)
    assert client.received == b"x" * 1_000_000
    assert isinstance(client.reasons[0], ConnectionDone)
    assert isinstance(server.reasons[0], ConnectionDone)


def both(on: Net, server: Any, client: Any, factory: Any = None) -> None:
    """Both are ours, and the handshake is done."""
    port = listen(on, server)
    on.reactor.connectSSL("localhost", port, factory or Makers(client), certificates().client_context())
    on.until(lambda: "shaken" in client.told and "shaken" in server.told)


def test_s081_after_an_abort_both_have_lost_the_connection(on: Net) -> None:
    server, client = TLSRecorder(), TLSRecorder()
    factory = Makers(client)
    both(on, server, client, factory)
    client.transport.abortConnection()
    on.until(lambda: client.reasons and server.reasons)
    assert type(client.reasons[0]) is ConnectionLost
    assert type(server.reasons[0]) is ConnectionLost
    assert type(factory.reasons[0]) is ConnectionAborted


def test_s108_half_closing_is_a_lost_connection_for_both(on: Net) -> None:
    server, client = HalfTLSRecorder(), HalfTLSRecorder()
    both(on, server, client)
    client.transport.write(b"before")
    client.transport.loseWriteConnection()
    on.until(lambda: client.reasons and server.reasons)
    assert server.received == b"before"
    assert type(client.reasons[0]) is ConnectionLost
    assert type(server.reasons[0]) is ConnectionLost
    assert "side lost" not in "".join(client.told + server.told)


def test_s060_an_exception_of_the_application_is_reported(on: Net, reports: Reports) -> None:
    server, client = TLSRecorder(), TLSRecorder()
    both(on, server, client)

    def fail(data: bytes) -> None:
        raise LookupError

    server.on_data = fail
    client.transport.write(b"?")
    on.until(lambda: client.reasons and server.reasons)
    assert reports.take(LookupError)
    assert type(server.reasons[0]) is ConnectionLost
    assert type(client.reasons[0]) is ConnectionLost


def test_s080_written_outside_of_events_is_sent_in_the_same_pass(on: Net) -> None:
    server, client = TLSRecorder(), TLSRecorder()
    both(on, server, client)
    on.turns()

    def write() -> None:
        client.transport.write(b"one")
        client.transport.write(b" two")

    on.reactor.callLater(0, write)
    on.until(lambda: server.received)
    assert server.received == b"one two"


@pytest.mark.parametrize("streaming", [True, False], ids=["push", "pull"])
def test_s068_a_slow_reader_holds_the_producer(on: Net, streaming: bool) -> None:
    server, client = TLSRecorder(), Counter()
    both(on, server, client)
    client.transport.pauseProducing()
    if streaming:
        producer = Pushing()
        server.transport.registerProducer(producer, True)
        while "pause" not in producer.told:
            server.transport.write(b"x" * 100_000)
            on.turns(1)
        sent = producer.told
    else:
        producer = Pulling(server.transport, [b"x" * 50_000] * 400)
        server.transport.registerProducer(producer, False)
        before = -1
        while len(producer.told) > before:  # until it is asked no more
            before = len(producer.told)
            on.turns(50)
        assert before < 400
    client.transport.resumeProducing()
    if streaming:
        on.until(lambda: sent[-1] == "resume")
        server.transport.unregisterProducer()
        server.transport.loseConnection()
        on.until(lambda: client.reasons)
    else:
        on.until(lambda: client.count == 400 * 50_000)
        client.transport.loseConnection()
        on.until(lambda: client.reasons)
    assert isinstance(client.reasons[0], ConnectionDone)


class Counter(TLSRecorder):
    """One that receives more than it could keep."""

    count = 0

    def dataReceived(self, data: bytes) -> None:
        self.count += len(data)


# startTLS


def test_s082_ciphertext_only_from_the_next_read_on(on: Net, aside: Any) -> None:
    app = TLSRecorder()

    def command(data: bytes) -> None:
        if data == b"STARTTLS\n":
            app.transport.write(b"GO AHEAD\n")
            app.transport.startTLS(certificates().server.server_context())
            assert app.transport.TLS
        else:
            app.transport.write(data.upper())

    app.on_data = command
    port = on.reactor.listenTCP(0, Makers(app), interface="127.0.0.1")
    number = port.getHost().port

    def talk() -> bytes:
        plain = socket.create_connection(("127.0.0.1", number), PATIENCE)
        plain.sendall(b"STARTTLS\n")
        assert plain.recv(100) == b"GO AHEAD\n"
        with certificates().client_context().wrap_socket(plain, server_hostname="localhost") as connection:
            connection.sendall(b"quietly")
            got = connection.recv(100)
            connection.unwrap().close()
            return got

    assert finish(on, aside(talk)) == b"QUIETLY"
    on.until(lambda: app.reasons)
    assert isinstance(app.reasons[0], ConnectionDone)
    assert app.told == ["made", "shaken", "lost"]
    app.transport.write(b"after the end")
    app.transport.loseConnection()
    port.stopListening()
    on.turns()


def plain_pair(on: Net, make: type[Makers] = Makers) -> tuple[Any, Any]:
    """Ours at both ends, without TLS yet."""
    server, client = TLSRecorder(), TLSRecorder()
    port = on.reactor.listenTCP(0, make(server), interface="127.0.0.1")
    on.reactor.connectTCP("127.0.0.1", port.getHost().port, make(client), timeout=None)
    on.until(lambda: client.told and server.told)
    port.stopListening()
    on.turns()
    return server, client


@pytest.mark.parametrize("normal", [True, False])
def test_s082_who_is_the_server(on: Net, normal: bool) -> None:
    server, client = plain_pair(on)
    accepting, connecting = (server, client) if normal else (client, server)
    trusting = certificates().client_context()
    trusting.check_hostname = False
    accepting.transport.startTLS(certificates().server.server_context(), normal)
    connecting.transport.startTLS(trusting, normal)
    on.until(lambda: "shaken" in client.told and "shaken" in server.told)
    assert connecting.transport.getPeerCertificate() is not None
    assert accepting.transport.getPeerCertificate() is None
    server.transport.write(b"to the client")
    client.transport.writeSequence([b"to the ", b"server"])
    on.until(lambda: client.received and server.received)
    assert (client.received, server.received) == (b"to the client", b"to the server")
    client.transport.loseConnection()
    on.until(lambda: client.reasons and server.reasons)
    assert isinstance(client.reasons[0], ConnectionDone)
    assert isinstance(server.reasons[0], ConnectionDone)


def test_s082_a_client_checks_the_name_that_it_connected_to(on: Net) -> None:
    server, client = plain_pair(on)
    server.transport.startTLS(certificates().wrong_name.server_context())
    client.transport.startTLS(certificates().client_context())
    on.until(lambda: client.reasons and server.reasons)
    assert "IP address mismatch" in str(client.reasons[0])


def test_s082_what_was_written_before_goes_first_as_it_is(on: Net, aside: Any) -> None:
    app = TLSRecorder()
    before = b"plain" * 300_000  # more than a kernel takes

    def begin() -> None:
        app.transport.write(before)
        app.transport.startTLS(certificates().server.server_context())
        app.transport.write(b"secret")

    app.on_made = begin
    port = on.reactor.listenTCP(0, Makers(app), interface="127.0.0.1")
    number = port.getHost().port

    def talk() -> tuple[bytes, bytes]:
        plain = socket.create_connection(("127.0.0.1", number), PATIENCE)
        got = b""
        while len(got) < len(before):
            got += plain.recv(len(before) - len(got))
        with certificates().client_context().wrap_socket(plain, server_hostname="localhost") as connection:
            return got, connection.recv(100)

    assert finish(on, aside(talk)) == (before, b"secret")
    port.stopListening()
    on.turns()


@pytest.mark.parametrize("paused", [False, True])
def test_s082_the_producer_stays(on: Net, paused: bool) -> None:
    server, client = plain_pair(on)
    producer = Pushing()
    server.transport.registerProducer(producer, True)
    if paused:
        server.transport.write(b"x" * 70_000)
        assert producer.told == ["pause"]
    server.transport.startTLS(certificates().server.server_context())
    client.on_data = lambda data: len(client.received) == 70_000 and begin()

    def begin() -> None:
        trusting = certificates().client_context()
        trusting.check_hostname = False
        client.transport.startTLS(trusting)

    if not paused:
        begin()
    on.until(lambda: "shaken" in server.told)
    if paused:
        on.until(lambda: producer.told == ["pause", "resume"])
    server.transport.write(b"y" * 10_000_000)
    assert producer.told[-1] == "pause"
    on.until(lambda: producer.told[-1] == "resume")
    server.transport.loseConnection()
    on.turns()
    assert server.told == ["made", "shaken"]  # the producer holds it
    server.transport.unregisterProducer()
    on.until(lambda: server.reasons)


def test_s082_a_producer_that_pulls_goes_on_below_tls(on: Net) -> None:
    server, client = plain_pair(on)
    trusting = certificates().client_context()
    trusting.check_hostname = False
    client.transport.startTLS(trusting)
    server.transport.startTLS(certificates().server.server_context())
    server.transport.registerProducer(Pulling(server.transport, [b"x" * 1000] * 50), False)
    on.until(lambda: len(client.received) == 50_000)
    client.transport.abortConnection()
    on.until(lambda: server.reasons)
    producer = Pushing()
    server.transport.registerProducer(producer, True)
    assert producer.told == ["stop"]


def test_s082_half_closing_below_tls(on: Net) -> None:
    """What was written is sent before, encrypted."""
    server, client = plain_pair(on)
    trusting = certificates().client_context()
    trusting.check_hostname = False
    client.transport.startTLS(trusting)
    server.transport.startTLS(certificates().server.server_context())
    on.until(lambda: "shaken" in client.told and "shaken" in server.told)
    client.transport.write(b"the last")
    client.transport.loseWriteConnection()
    on.until(lambda: client.reasons and server.reasons)
    assert server.received == b"the last"
    assert type(server.reasons[0]) is ConnectionLost
    client.transport.loseWriteConnection()


def test_s082_twice_is_an_error(on: Net) -> None:
    server, client = plain_pair(on)
    server.transport.startTLS(certificates().server.server_context())
    with pytest.raises(RuntimeError, match="speaks TLS already"):
        server.transport.startTLS(certificates().server.server_context())
    with pytest.raises(TypeError, match="says nothing about TLS"):
        client.transport.startTLS(None)
    client.transport.abortConnection()
    on.until(lambda: server.reasons)


def test_starttls_and_a_client_that_never_goes_on(on: Net) -> None:
    server, client = plain_pair(on)
    server.transport.startTLS(certificates().server.server_context(), handshake_timeout=0.01)
    on.until(lambda: server.reasons)
    assert isinstance(server.reasons[0], HandshakeTimeout)
    on.until(lambda: client.reasons)


# Programs


@pytest.mark.skipif(OPENSSL is None, reason="there is no openssl")
def test_openssl_s_client(on: Net, aside: Any) -> None:
    assert OPENSSL is not None
    app = TLSRecorder()

    def answer(data: bytes) -> None:
        app.transport.write(data.upper())
        app.transport.loseConnection()

    app.on_data = answer
    port = listen(on, app)
    ca = str(certificates().ca.certificate)
    command = [OPENSSL, "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", ca, "-verify_return_error", "-quiet"]

    def talk() -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(command, input=b"hello\n", capture_output=True, timeout=PATIENCE * 3)

    done = finish(on, aside(talk))
    assert done.stdout == b"HELLO\n"
    assert b"verify return:1" in done.stderr


@pytest.mark.skipif(OPENSSL is None, reason="there is no openssl")
def test_openssl_s_server(on: Net) -> None:
    assert OPENSSL is not None
    both_in_one = str(certificates().server.both)
    command = [OPENSSL, "s_server", "-accept", "127.0.0.1:0", "-cert", both_in_one, "-key", both_in_one, "-rev"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        line = b""
        while not line.startswith(b"ACCEPT"):
            line = running.stdout.readline()
            assert line
        app = TLSRecorder()
        app.on_shaken = lambda: app.transport.write(b"drawer\n")
        on.reactor.connectSSL("localhost", int(line.split(b":")[-1]), Makers(app), certificates().client_context())
        on.until(lambda: app.received == b"reward\n")
        app.transport.loseConnection()
        on.until(lambda: app.reasons)
        running.kill()
    assert isinstance(app.reasons[0], ConnectionDone)


# What is left


class Forgetful(Makers):
    """One that does not keep its protocols, which know their transports."""

    def buildProtocol(self, address: Any) -> Any:
        super().buildProtocol(address)
        return self.built.pop()


@pytest.mark.parametrize("kind", [Reactor, ByContract])
def test_nothing_is_left(kind: type[Reactor], no_leaks: Any) -> None:
    def connections() -> None:
        with net(kind) as on:
            looks_up_itself(on.reactor)
            for end in ("lose", "abort", "cut"):
                server, client = TLSRecorder(), TLSRecorder()
                port = on.reactor.listenSSL(
                    0, Forgetful(server), certificates().server.server_context(), interface="127.0.0.1"
                )
                number = port.getHost().port
                connector = on.reactor.connectSSL(
                    "localhost", number, Forgetful(client), certificates().client_context(), timeout=None
                )
                on.until(lambda server=server: "shaken" in server.told)
                client.transport.write(b"x" * 100_000)
                if end == "lose":
                    client.transport.loseConnection()
                elif end == "abort":
                    server.transport.abortConnection()
                else:
                    connector.transport.loseConnection()
                on.until(lambda server=server, client=client: server.reasons and client.reasons)
                port.stopListening()
                on.turns()
            server, client = plain_pair(on, Forgetful)
            server.transport.startTLS(certificates().server.server_context())
            trusting = certificates().client_context()
            trusting.check_hostname = False
            client.transport.startTLS(trusting)
            on.until(lambda: "shaken" in server.told and "shaken" in client.told)
            server.transport.loseConnection()
            on.until(lambda: server.reasons and client.reasons)

    connections()
    with no_leaks():
        connections()


def test_many_idle_connections(on: Net) -> None:
    """Some hundred handshakes that do not move take nothing from the one that does."""
    port = on.reactor.listenSSL(
        0,
        Forgetful(*[Recorder() for _ in range(200)], echo()),
        certificates().server.server_context(),
        interface="127.0.0.1",
    )
    number = port.getHost().port
    for _ in range(200):
        on.peer(number)
        on.turns(1)
    client = TLSRecorder()
    client.on_shaken = lambda: client.transport.write(b"still here")
    on.reactor.connectSSL("localhost", number, Forgetful(client), certificates().client_context())
    on.until(lambda: client.received == b"still here")
    port.stopListening()
    on.turns()


# Over UNIX sockets


def test_tls_over_a_unix_socket(on: Net, tmp_path: Path) -> None:
    """By a factory around the factory; TLS asks for no TCP."""
    server, client = echo(), TLSRecorder()
    made = certificates()
    below = TLSMemoryBIOFactory(made.server.server_context(), False, Makers(server), on.reactor)
    port = on.reactor.listenUNIX(str(tmp_path / "socket"), below)
    named = Settings(made.client_context(), "localhost")
    above = TLSMemoryBIOFactory(named, True, Makers(client), on.reactor)
    on.reactor.connectUNIX(str(tmp_path / "socket"), above)
    client.on_shaken = lambda: client.transport.write(b"x" * 300_000)
    on.until(lambda: len(client.received) == 300_000)
    client.transport.loseConnection()
    on.until(lambda: client.reasons and server.reasons)
    assert isinstance(client.reasons[0], ConnectionDone)
    assert isinstance(server.reasons[0], ConnectionDone)
    port.stopListening()
    on.turns()


def test_s082_starttls_on_a_unix_socket(on: Net, tmp_path: Path) -> None:
    server, client = TLSRecorder(), TLSRecorder()
    port = on.reactor.listenUNIX(str(tmp_path / "socket"), Makers(server))
    on.reactor.connectUNIX(str(tmp_path / "socket"), Makers(client))
    on.until(lambda: client.told and server.told)
    server.transport.startTLS(certificates().server.server_context())
    client.transport.startTLS(Settings(certificates().client_context(), "localhost"))
    client.transport.write(b"hello")
    on.until(lambda: server.received)
    assert server.received == b"hello"
    client.transport.loseConnection()
    on.until(lambda: client.reasons and server.reasons)
    assert isinstance(server.reasons[0], ConnectionDone)
    port.stopListening()
    on.turns()
