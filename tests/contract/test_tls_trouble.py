"""TLS where something is wrong with the program: contexts that cannot be made, and what is asked at unusual times."""

import ssl
from collections.abc import Iterator
from typing import Any

import pytest
from tests.certificates import certificates
from tests.contract.parts import Reports
from tests.contract.streams import ByContract, Makers, Net, net
from tests.contract.tlsparts import Session, TLSRecorder, Wrapped

from torsion.contract import Reactor
from torsion.error import ConnectionLost
from torsion.protocols.tls import Settings, TLSMemoryBIOFactory

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


# What is asked at unusual times


@pytest.mark.parametrize("tls", [True, False], ids=["from the first", "startTLS"])
def test_whose_certificate_it_was_can_be_asked_in_connectionLost(on: Net, tls: bool) -> None:
    server, client = pair(on, tls)
    if not tls:
        server.transport.startTLS(server_context())
        client.transport.startTLS(trusting())
        on.until(lambda: "shaken" in client.told and "shaken" in server.told)
    transport, known = client.transport, []

    def ask() -> Any:
        return transport.getPeerCertificate(), type(transport.getHandle()), transport.negotiatedProtocol

    client.on_lost = lambda reason: known.append(ask())
    server.transport.loseConnection()
    on.until(lambda: client.reasons)
    der = ssl.PEM_cert_to_DER_cert(certificates().server.certificate.read_text())
    assert known == [(der, ssl.SSLObject, None)]
    assert ask() == (None, type(None), None)  # the library's objects are not kept
