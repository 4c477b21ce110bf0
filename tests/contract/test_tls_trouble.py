"""TLS where something is wrong with the program: contexts that cannot be made, and what is asked at unusual times."""

import ssl
from collections.abc import Iterator
from typing import Any

import pytest
from tests.certificates import certificates
from tests.contract.parts import Reports
from tests.contract.streams import ByContract, Makers, Net, net
from tests.contract.tls_world import client_options
from tests.contract.tlsparts import Peer, Session, TLSRecorder, Wire, Wrapped

from torsion import endpoints
from torsion.contract import Reactor
from torsion.defer import CancelledError, Deferred
from torsion.error import ConnectionDone, ConnectionLost
from torsion.net.tls.source import with_host
from torsion.protocols.tls import HandshakeTimeout, Settings, TLSMemoryBIOFactory

HOST = "127.0.0.1"


@pytest.fixture(params=[Reactor, ByContract], ids=["native", "by-contract"])
def on(request: pytest.FixtureRequest, reports: Reports) -> Iterator[Net]:
    with net(request.param) as made:
        yield made


def trusting() -> ssl.SSLContext:
    """A client's context that does not ask for the name."""
    made = certificates().client_context()
    made.check_hostname = False
    return made


def server_context() -> ssl.SSLContext:
    return certificates().server.server_context()


def pair(on: Net, tls: bool = True) -> tuple[Any, Any]:
    """Ours at both ends; with TLS the handshake is done."""
    server, client = TLSRecorder(), TLSRecorder()
    if tls:
        port = on.reactor.listenSSL(0, Makers(server), server_context(), interface=HOST)
        on.reactor.connectSSL(HOST, port.getHost().port, Makers(client), trusting(), timeout=None)
        on.until(lambda: "shaken" in client.told and "shaken" in server.told)
    else:
        port = on.reactor.listenTCP(0, Makers(server), interface=HOST)
        on.reactor.connectTCP(HOST, port.getHost().port, Makers(client), timeout=None)
        on.until(lambda: client.told and server.told)
    port.stopListening()
    on.turns()
    return server, client


def encrypted(on: Net, from_the_first: bool) -> tuple[Any, Any]:
    """The same, with TLS from the first or by startTLS."""
    server, client = pair(on, from_the_first)
    if not from_the_first:
        server.transport.startTLS(server_context())
        client.transport.startTLS(trusting())
        on.until(lambda: "shaken" in client.told and "shaken" in server.told)
    return server, client


BOTH_WAYS = pytest.mark.parametrize("from_the_first", [True, False], ids=["from the first", "startTLS"])


# Contexts that cannot be made


class Failing:
    """Good for the factory, and for nothing after that."""

    def __init__(self) -> None:
        self.asked = 0

    def tls_settings(self, server_side: bool) -> Settings:
        self.asked += 1
        if self.asked > 1:
            raise ZeroDivisionError("no context today")
        return Settings(server_context() if server_side else trusting())


def test_an_accepted_connection_without_a_context_is_reported_and_aborted(on: Net, reports: Reports) -> None:
    factory = Makers()
    port = on.reactor.listenSSL(0, factory, Failing(), interface=HOST)
    peer = on.peer(port.getHost().port)
    on.until(lambda: reports)
    on.turns()
    with pytest.raises(ConnectionResetError):
        peer.recv(1)
    assert reports.take(ZeroDivisionError) == "Unhandled error in connectionMade"
    assert factory.built[0].told == []
    port.stopListening()


def test_s082_starttls_without_a_context_raises_and_aborts(on: Net) -> None:
    server, client = pair(on, tls=False)
    with pytest.raises(ZeroDivisionError):
        server.transport.startTLS(Failing())
    on.until(lambda: client.reasons and server.reasons)
    assert server.told == ["made", "lost"]
    assert type(server.reasons[0]) is ConnectionLost


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_a_handshake_takes_some_time(seconds: float) -> None:
    with pytest.raises(ValueError, match="handshake_timeout is to be more than 0"):
        TLSMemoryBIOFactory(server_context(), False, Makers(), handshake_timeout=seconds)


def test_a_context_of_the_other_side_is_an_error_at_once(on: Net) -> None:
    with pytest.raises(ValueError, match="is a client's, and a server's is needed"):
        on.reactor.listenSSL(0, Makers(), ssl.create_default_context(), interface=HOST)
    with pytest.raises(ValueError, match="is a server's, and a client's is needed"):
        on.reactor.connectSSL(HOST, 1, Makers(), server_context())


def test_a_clock_that_fails_leaves_no_deaf_connection() -> None:
    class Stopped:
        def callLater(self, delay: float, function: Any) -> None:
            raise ZeroDivisionError

    app = TLSRecorder()
    factory = TLSMemoryBIOFactory(server_context(), False, Wrapped(app), Stopped(), handshake_timeout=1)
    layer = factory.buildProtocol(None)
    session = Session()
    with pytest.raises(ZeroDivisionError):
        layer.makeConnection(session.wire)
    assert (session.wire.ending, app.told) == (["abort"], [])


def test_a_new_context_for_each_connection_is_made_ready_as_the_first_was() -> None:
    made: list[ssl.SSLContext] = []

    class Fresh:
        def tls_settings(self, server_side: bool) -> Settings:
            made.append(server_context())
            made[-1].options &= ~ssl.OP_NO_RENEGOTIATION
            return Settings(made[-1])

    class Negotiating(Makers):
        def acceptableProtocols(self) -> list[bytes]:
            return [b"h2"]

    factory = TLSMemoryBIOFactory(Fresh(), False, Negotiating())
    for _ in range(3):
        client = trusting()
        client.set_alpn_protocols(["h2"])
        layer, wire, peer = factory.buildProtocol(None), Wire(), Peer(client, False)
        layer.makeConnection(wire)
        peer.step()
        for _ in range(3):
            layer.dataReceived(peer.take())
            peer.step(wire.take())
        assert layer.negotiatedProtocol == b"h2"
    assert all(each.options & ssl.OP_NO_RENEGOTIATION for each in made)


def test_s082_what_speaks_tls_says_so_and_does_not_begin_again(on: Net) -> None:
    server, client = pair(on)
    assert server.transport.TLS and client.transport.TLS
    with pytest.raises(RuntimeError, match="speaks TLS already"):
        client.transport.startTLS(trusting())
    client.transport.write(b"all the same")
    client.transport.loseConnection()
    on.until(lambda: server.reasons)
    assert server.received == b"all the same"


# Names that no certificate has, of hosts that one has


@pytest.mark.parametrize(("host", "sent"), [("localhost.", "localhost"), ("::1%lo", None)])
@pytest.mark.parametrize("source", [lambda host: certificates().client_context(), client_options])
def test_s083_a_host_is_known_by_the_name_that_certificates_have(source: Any, host: str, sent: str | None) -> None:
    asked: list[str | None] = []
    context = server_context()
    context.sni_callback = lambda connection, name, context: asked.append(name)
    session = Session(False, context=with_host(source(host), host), peer=Peer(context, True))
    assert session.app.told == ["made", "shaken"]
    assert asked == [sent]


# Handshakes that do not end: the limit can be set wherever TLS is asked for


@pytest.mark.parametrize("by", ["listenSSL", "wrapServerTLS"])
def test_a_server_gives_a_handshake_so_much_time(on: Net, by: str) -> None:
    server = TLSRecorder()
    if by == "listenSSL":
        port = on.reactor.listenSSL(0, Makers(server), server_context(), interface=HOST, handshake_timeout=0.01)
    else:
        below = endpoints.TCP4ServerEndpoint(on.reactor, 0, interface=HOST)
        over = endpoints.wrapServerTLS(server_context(), below, on.reactor, handshake_timeout=0.01)
        found: list[Any] = []
        over.listen(Makers(server)).addCallback(found.append)
        (port,) = found
    on.peer(port.getHost().port)
    on.until(lambda: server.reasons)
    assert type(server.reasons[0]) is HandshakeTimeout
    port.stopListening()


@pytest.mark.parametrize("by", ["connectSSL", "wrapClientTLS"])
def test_a_client_gives_a_handshake_so_much_time(on: Net, by: str) -> None:
    silent = on.reactor.listenTCP(0, Makers(), interface=HOST)
    number, client = silent.getHost().port, TLSRecorder()
    if by == "connectSSL":
        on.reactor.connectSSL(HOST, number, Makers(client), trusting(), handshake_timeout=0.01)
    else:
        below = endpoints.TCP4ClientEndpoint(on.reactor, HOST, number)
        endpoints.wrapClientTLS(trusting(), below, on.reactor, handshake_timeout=0.01).connect(Makers(client))
    on.until(lambda: client.reasons)
    assert type(client.reasons[0]) is HandshakeTimeout
    silent.stopListening()


# What is asked at unusual times


@BOTH_WAYS
def test_whose_certificate_it_was_can_be_asked_in_connectionLost(on: Net, from_the_first: bool) -> None:
    server, client = encrypted(on, from_the_first)
    transport, known = client.transport, []

    def ask() -> Any:
        return transport.getPeerCertificate(), type(transport.getHandle()), transport.negotiatedProtocol

    client.on_lost = lambda reason: known.append(ask())
    server.transport.loseConnection()
    on.until(lambda: client.reasons)
    der = ssl.PEM_cert_to_DER_cert(certificates().server.certificate.read_text())
    assert known == [(der, ssl.SSLObject, None)]
    assert ask() == (None, type(None), None)  # the library's objects are not kept


# Waiting for what was written to be gone


@BOTH_WAYS
def test_drained_waits_for_what_tls_still_holds(on: Net, from_the_first: bool) -> None:
    server, client = encrypted(on, from_the_first)
    fired: list[Any] = []
    on.turns()
    server.transport.drained().addBoth(fired.append)
    assert fired == [None]  # nothing waits
    client.transport.pauseProducing()
    server.transport.write(b"joined at the end of the pass")
    server.transport.drained().addBoth(fired.append)
    assert fired == [None]
    on.until(lambda: len(fired) == 2)
    server.transport.write(b"x" * 20_000_000)
    server.transport.drained().addBoth(fired.append)
    server.transport.drained().addBoth(fired.append)
    on.turns(20)
    server.transport.write(b"y")  # waited for too
    assert fired == [None, None]
    client.transport.resumeProducing()
    on.until(lambda: len(fired) == 4)
    assert fired == [None] * 4
    on.until(lambda: client.received.endswith(b"y"))


def test_drained_waits_for_the_handshake(on: Net) -> None:
    server, client = pair(on, tls=False)
    fired: list[Any] = []
    client.transport.startTLS(trusting())
    client.transport.drained().addBoth(fired.append)  # of the handshake itself
    on.until(lambda: fired)
    client.transport.write(b"secret")
    client.transport.drained().addBoth(fired.append)
    on.turns(10)
    assert fired == [None] and server.received[:1] == b"\x16"
    client.transport.abortConnection()
    on.until(lambda: client.reasons)
    assert [each.value for each in fired[1:]] == client.reasons


def test_drained_in_a_coroutine_paces_a_sender(on: Net) -> None:
    server, client = pair(on)

    async def send() -> str:
        for number in range(40):
            server.transport.write(bytes([number]) * 50_000)
            await server.transport.drained()
            assert not server.transport._tempDataBuffer
        server.transport.loseConnection()
        return "done"

    fired: list[Any] = []
    Deferred.fromCoroutine(send()).addBoth(fired.append)
    on.until(lambda: client.reasons)
    assert fired == ["done"]
    assert client.received == b"".join(bytes([number]) * 50_000 for number in range(40))


def test_drained_fails_with_the_reason_of_the_end(on: Net) -> None:
    server, client = pair(on)
    client.transport.pauseProducing()
    failures: list[Any] = []
    server.transport.write(b"x" * 20_000_000)
    cancelled = server.transport.drained()
    cancelled.addErrback(lambda failure: failures.append(failure.value))
    server.transport.drained().addErrback(lambda failure: failures.append(failure.value))
    on.turns()
    cancelled.cancel()
    client.transport.abortConnection()
    on.until(lambda: server.reasons)
    assert [type(each) for each in failures] == [CancelledError, ConnectionLost]
    assert failures[1:] == server.reasons
    server.transport.drained().addErrback(lambda failure: failures.append(failure.value))
    assert type(failures[2]) is ConnectionLost


def test_drained_through_two_layers_of_tls(on: Net) -> None:
    server, client = TLSRecorder(), TLSRecorder()
    inner = TLSMemoryBIOFactory(server_context(), False, Makers(server), on.reactor)
    port = on.reactor.listenSSL(0, inner, server_context(), interface=HOST)
    outer = TLSMemoryBIOFactory(trusting(), True, Makers(client), on.reactor)
    on.reactor.connectSSL(HOST, port.getHost().port, outer, trusting(), timeout=None)
    on.until(lambda: "shaken" in client.told and "shaken" in server.told)
    client.transport.write(b"x" * 100_000)
    fired: list[Any] = []
    client.transport.drained().addBoth(fired.append)
    on.until(lambda: fired)
    assert fired == [None]
    client.transport.loseConnection()
    on.until(lambda: client.reasons and server.reasons)
    assert server.received == b"x" * 100_000
    port.stopListening()


# Data that comes together with the end of the handshake


@pytest.mark.parametrize("when", ["connectionMade", "handshakeCompleted"])
@pytest.mark.parametrize("server_side", [True, False], ids=["server", "client"])
def test_s080_what_comes_with_the_handshake_is_delivered_though_it_closes(server_side: bool, when: str) -> None:
    app = TLSRecorder()

    def leave() -> None:
        app.transport.write(b"goodbye")
        app.transport.loseConnection()

    if when == "connectionMade":
        app.on_made = leave
    else:
        app.on_shaken = leave
    context = server_context() if server_side else trusting()
    if not server_side:  # the side that speaks last: a client's in TLS 1.3, a server's before
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    session = Session(server_side, app, context, shake=False)
    peer, wire = session.peer, session.wire
    while not peer.shaken:
        peer.step(wire.take())
        if peer.shaken:
            peer.write(b"x" * 40_000)
        session.layer.dataReceived(peer.take())
    session.pump()
    assert (app.received, peer.received, peer.ended) == (b"x" * 40_000, b"goodbye", True)
    peer.close()
    session.pump()
    session.lose()
    assert [type(each) for each in app.reasons] == [ConnectionDone]
