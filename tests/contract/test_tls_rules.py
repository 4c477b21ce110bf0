"""The rules of a TLS connection, over a transport in memory: the handshake, writing, closing, producers."""

import ssl
from typing import Any

import pytest
from tests.certificates import certificates
from tests.contract.parts import Reports
from tests.contract.streams import Recorder
from tests.contract.tlsparts import (
    HalfTLSRecorder,
    Peer,
    Pushing,
    Session,
    TLSRecorder,
    Wire,
    Wrapped,
)

from torsion.error import ConnectionAborted, ConnectionDone, ConnectionLost
from torsion.failure import Failure
from torsion.protocol import ClientFactory, Protocol
from torsion.protocols.policies import ProtocolWrapper, WrappingFactory
from torsion.protocols.tls import HandshakeTimeout, Settings, TLSMemoryBIOFactory


@pytest.fixture(autouse=True)
def _reports(reports: Reports) -> Reports:
    """What is reported and not expected fails the test."""
    return reports


@pytest.fixture(params=[True, False], ids=["server", "client"])
def server_side(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


# The handshake


def test_s079_connected_first_then_the_handshake(server_side: bool) -> None:
    session = Session(server_side, shake=False)
    assert session.app.told == ["made"]
    assert bool(session.wire.pieces) is not server_side  # a client's first flight is on its way
    session.pump()
    assert session.app.told == ["made", "shaken"]
    assert session.peer.shaken


def test_s079_a_protocol_without_the_hook() -> None:
    session = Session(protocol=Recorder())
    session.peer_says(b"hello")
    assert session.app.told == ["made"]
    assert session.app.received == b"hello"


def test_s079_what_is_known_at_the_end_of_the_handshake() -> None:
    app = TLSRecorder()
    known: list[Any] = []
    app.on_shaken = lambda: known.extend([app.transport.getPeerCertificate(), app.transport.negotiatedProtocol])
    client = certificates().client_context()
    client.check_hostname = False
    client.set_alpn_protocols(["h2"])
    server = certificates().server.server_context()
    server.set_alpn_protocols(["h2"])
    session = Session(False, app, client, Peer(server, True), shake=False)
    assert app.transport.negotiatedProtocol is None
    session.pump()
    assert known == [ssl.PEM_cert_to_DER_cert(certificates().server.certificate.read_text()), b"h2"]
    assert isinstance(app.transport.getHandle(), ssl.SSLObject)


def test_s079_written_before_the_handshake_is_sent_after_it(server_side: bool) -> None:
    app = TLSRecorder()
    app.on_made = lambda: app.transport.write(b"early")
    app.on_shaken = lambda: app.transport.write(b" and late")
    session = Session(server_side, app)
    assert session.peer.received == b"early and late"


def test_s079_the_hook_may_abort_before_anything_is_sent() -> None:
    app = TLSRecorder()
    app.on_made = lambda: app.transport.write(b"secret")
    app.on_shaken = lambda: app.transport.abortConnection()
    session = Session(True, app)
    assert session.peer.received == b""
    session.lose()
    assert app.told == ["made", "shaken", "lost"]


def test_a_factory_offers_what_it_can_negotiate() -> None:
    class Negotiating(Wrapped):
        def acceptableProtocols(self) -> list[bytes]:
            return [b"h2", b"http/1.1"]

    made, app, wire = certificates(), TLSRecorder(), Wire()
    client = made.client_context()
    client.set_alpn_protocols(["http/1.1"])
    factory = TLSMemoryBIOFactory(made.server.server_context(), False, Negotiating(app))
    layer: Any = factory.buildProtocol(None)
    layer.makeConnection(wire)
    peer = Peer(client, False)
    peer.step()
    for _ in range(3):
        layer.dataReceived(peer.take())
        peer.step(wire.take())
    assert layer.negotiatedProtocol == b"http/1.1"


def test_the_factory_wraps_a_factory_and_its_protocols_are_wrappers() -> None:
    class Noting(Wrapped):
        told = 0

        def doStart(self) -> None:
            self.told += 1

        def doStop(self) -> None:
            self.told -= 1

    app = TLSRecorder()
    noting = Noting(app)
    factory = TLSMemoryBIOFactory(certificates().server.server_context(), False, noting)
    assert isinstance(factory, WrappingFactory) and isinstance(factory, ClientFactory)
    factory.doStart()
    assert (noting.told, factory.numPorts) == (1, 1)
    layer: Any = factory.buildProtocol(None)
    assert isinstance(layer, ProtocolWrapper) and isinstance(layer, Protocol)
    assert layer.wrappedProtocol is app
    layer.makeConnection(Wire())
    assert list(factory.protocols) == [layer]
    layer.connectionLost(Failure(ConnectionDone()))
    assert not factory.protocols
    factory.doStop()
    assert (noting.told, factory.numPorts) == (0, 0)


# Writing


def test_s080_small_writes_of_a_pass_are_one_record() -> None:
    session = Session()
    for piece in (b"a", b"bc", b"def"):
        session.app.transport.write(piece)
    assert session.wire.pieces == []
    session.clock.advance(0)
    (sent,) = session.wire.pieces
    assert len(sent) == 5 + 6 + 17
    session.pump()
    assert session.peer.received == b"abcdef"


def test_s080_what_an_event_writes_is_sent_when_it_ends() -> None:
    session = Session()
    session.app.on_data = lambda data: [session.app.transport.write(bytes([byte])) for byte in data]
    session.peer_says(b"echo")
    (sent,) = session.wire.pieces
    assert len(sent) == 5 + 4 + 17
    assert session.clock.getDelayedCalls() == []


def test_s080_more_than_64000_bytes_go_at_once() -> None:
    session = Session()
    session.app.transport.write(b"x" * 64000)
    assert session.wire.pieces == []
    session.app.transport.write(b"y")
    assert session.wire.pieces
    session.pump()
    assert session.peer.received == b"x" * 64000 + b"y"


def test_s080_records_are_of_16_kib() -> None:
    session = Session()
    session.app.transport.write(b"x" * 70000)
    sent, sizes = session.wire.take(), []
    while sent:
        size = int.from_bytes(sent[3:5], "big")
        sizes.append(size - 17)
        sent = sent[5 + size :]
    assert sizes == [16384, 16384, 16384, 16384, 4464]


def test_s080_closing_sends_what_was_written_and_waits_for_the_peer() -> None:
    session = Session()
    transport = session.app.transport
    transport.write(b"the end")
    transport.loseConnection()
    assert transport.disconnecting
    session.peer.step(session.wire.take())
    assert (session.peer.received, session.peer.ended) == (b"the end", True)
    assert session.wire.ending == []
    session.peer_says(b"one more")
    assert session.app.received == b"one more"
    session.peer.close()
    session.layer.dataReceived(session.peer.take())
    assert session.wire.ending == ["close"]
    assert session.app.told == ["made", "shaken"]
    session.lose()
    assert session.app.told[-1] == "lost"
    assert isinstance(session.app.reasons[0], ConnectionDone)


def test_s080_closing_within_an_event() -> None:
    session = Session()

    def last_words(data: bytes) -> None:
        session.app.transport.write(b"bye")
        session.app.transport.loseConnection()
        session.app.transport.write(b"ignored")

    session.app.on_data = last_words
    session.peer.write(b"1" * 20000)  # two records: the second is still delivered
    session.layer.dataReceived(session.peer.take())
    assert session.app.received == b"1" * 20000
    session.pump()
    assert (session.peer.received, session.peer.ended) == (b"bye", True)


def test_s080_closing_before_the_handshake_aborts_if_nothing_was_written(server_side: bool) -> None:
    app = TLSRecorder()
    app.on_made = lambda: app.transport.loseConnection()
    session = Session(server_side, app)
    assert session.wire.ending == ["abort"]
    session.lose()
    assert app.told == ["made", "lost"]
    assert type(app.reasons[0]) is ConnectionLost


def test_s080_closing_before_the_handshake_waits_for_it_if_something_was_written(server_side: bool) -> None:
    app = TLSRecorder()

    def say_and_go() -> None:
        app.transport.write(b"read this")
        app.transport.loseConnection()

    app.on_made = say_and_go
    session = Session(server_side, app)
    assert (session.peer.received, session.peer.ended) == (b"read this", True)


def test_s080_closing_twice_says_it_once() -> None:
    session = Session()
    session.app.transport.loseConnection()
    (once,) = session.wire.pieces
    session.app.transport.loseConnection()
    assert session.wire.pieces == [once]


@pytest.mark.parametrize("close", ["loseConnection", "abortConnection"])
def test_s080_what_was_told_to_close_stays_disconnecting(close: str) -> None:
    session = Session()
    assert not session.app.transport.disconnecting
    getattr(session.app.transport, close)()
    assert session.app.transport.disconnecting
    session.lose()
    assert (session.app.transport.connected, session.app.transport.disconnecting) == (0, 1)


def test_s080_a_peers_close_is_not_being_told_to() -> None:
    session = Session()
    session.peer.close()
    session.layer.dataReceived(session.peer.take())
    assert session.wire.ending == ["close"]
    session.lose()
    session.app.transport.loseConnection()  # too late
    assert (session.app.transport.connected, session.app.transport.disconnecting) == (0, 0)


def test_s080_a_program_says_that_it_is_closing() -> None:
    session = Session()
    transport = session.app.transport
    transport.write(b"the last")
    transport.disconnecting = True
    transport.write(b"dropped")
    transport.loseConnection()  # as if told already
    assert (transport.disconnecting, session.wire.pieces) == (1, [])
    session.clock.advance(0)
    session.pump()
    assert (session.peer.received, session.peer.ended) == (b"the last", True)


def test_s080_a_program_says_that_it_is_closing_while_it_has_a_producer() -> None:
    session = Session()
    transport = session.app.transport
    transport.registerProducer(Pushing(), True)
    transport.disconnecting = 1
    transport.write(b"the rest")
    transport.unregisterProducer()
    session.pump()
    assert (session.peer.received, session.peer.ended) == (b"the rest", True)


def test_s080_a_program_takes_a_closing_back(server_side: bool) -> None:
    session = Session(server_side, shake=False)
    transport = session.app.transport
    transport.write(b"first")
    transport.loseConnection()
    transport.write(b"dropped")
    transport.disconnecting = False
    transport.write(b" and more")
    session.pump()
    assert (session.peer.received, session.peer.ended) == (b"first and more", False)
    assert transport.disconnecting == 0
    transport.registerProducer(Pushing(), True)
    transport.loseConnection()
    transport.disconnecting = 0
    transport.unregisterProducer()
    session.pump()
    assert not session.peer.ended
    transport.loseConnection()
    session.pump()
    assert session.peer.ended


def test_s080_close_notify_cannot_be_taken_back() -> None:
    session = Session()
    transport = session.app.transport
    transport.loseConnection()
    transport.disconnecting = False
    transport.write(b"too late")
    session.clock.advance(0)
    session.pump()
    assert (session.peer.received, session.peer.ended) == (b"", True)


def test_s080_a_program_says_that_it_is_not_connected() -> None:
    session = Session()
    transport = session.app.transport
    transport.connected = False
    transport.loseConnection()
    assert (transport.connected, transport.disconnecting, session.wire.pieces) == (0, 0, [])
    transport.connected = 1
    transport.loseConnection()
    session.pump()
    assert (transport.connected, session.peer.ended) == (1, True)


# How it ends


def test_s081_the_end_that_the_peer_says() -> None:
    session = Session()
    session.app.transport.write(b"unread")
    session.peer.write(b"last")
    session.peer.close()
    session.layer.dataReceived(session.peer.take())
    assert session.app.received == b"last"
    assert session.wire.ending == ["close"]
    session.peer.object.read
    session.lose()
    assert isinstance(session.app.reasons[0], ConnectionDone)


def test_s081_an_end_that_nobody_has_said_may_be_a_cut() -> None:
    session = Session()
    session.peer.write(b"half of")
    session.layer.dataReceived(session.peer.take())
    session.lose(ConnectionDone())
    assert session.app.received == b"half of"
    assert type(session.app.reasons[0]) is ConnectionLost


def test_s081_also_if_this_side_had_said_it() -> None:
    session = Session()
    session.app.transport.loseConnection()
    session.lose(ConnectionDone())
    assert type(session.app.reasons[0]) is ConnectionLost


def test_s081_the_end_in_the_middle_of_the_handshake(server_side: bool) -> None:
    session = Session(server_side, shake=False)
    session.peer.step(session.wire.take())
    session.layer.dataReceived(session.peer.take()[:100]) if server_side else None
    session.lose(ConnectionDone())
    assert session.app.told == ["made", "lost"]
    assert type(session.app.reasons[0]) is ConnectionLost


def test_s081_what_tls_says_is_the_reason() -> None:
    session = Session()
    session.peer.write(b"money")
    record = bytearray(session.peer.take())
    record[-1] ^= 1
    session.layer.dataReceived(bytes(record))
    assert session.wire.ending == ["close"]
    session.pump()
    assert session.peer.error is not None
    assert session.peer.error.reason == "SSLV3_ALERT_BAD_RECORD_MAC"  # it was told
    session.lose()
    assert isinstance(session.app.reasons[0], ssl.SSLError)
    assert "bad record mac" in str(session.app.reasons[0])


def test_s081_an_abort_is_a_lost_connection() -> None:
    session = Session()
    session.app.transport.write(b"dropped")
    session.app.transport.abortConnection()
    assert session.wire.ending == ["abort"]
    assert session.wire.pieces == []
    session.layer.dataReceived(b"not looked at")
    session.lose(ConnectionAborted())
    assert type(session.app.reasons[0]) is ConnectionLost
    session.clock.advance(1)


def test_s081_aborting_within_an_event_ends_the_delivery() -> None:
    session = Session()
    session.app.on_data = lambda data: session.app.transport.abortConnection()
    session.peer.write(b"1" * 16384)
    session.peer.write(b"2" * 16384)
    session.layer.dataReceived(session.peer.take())
    assert session.app.received == b"1" * 16384


def test_s081_no_side_is_closed_alone() -> None:
    session = Session(protocol=HalfTLSRecorder())
    session.peer.close()
    session.layer.dataReceived(session.peer.take())
    session.lose()
    assert session.app.told == ["made", "shaken", "lost"]


def test_s060_an_exception_of_the_application_is_a_lost_connection() -> None:
    session = Session()

    def fail(data: bytes) -> None:
        session.app.transport.write(b"never sent")
        raise LookupError("what is that?")

    session.app.on_data = fail
    with pytest.raises(LookupError):  # to the transport, which reports it
        session.peer_says(b"?")
    session.lose(LookupError("what is that?"))
    assert type(session.app.reasons[0]) is ConnectionLost
    assert session.wire.pieces == []


# Who is refused


@pytest.mark.parametrize(
    ("identity", "text"),
    [
        ("expired", "certificate has expired"),
        ("wrong_name", "Hostname mismatch"),
        ("self_signed", "self-signed certificate"),
    ],
)
def test_s083_a_server_whose_certificate_is_wrong(identity: str, text: str) -> None:
    made = certificates()
    how = Settings(made.client_context(), "localhost")
    session = Session(False, context=how, peer=Peer(getattr(made, identity).server_context(), True))
    assert session.wire.ending == ["close"]
    assert session.peer.error is not None
    assert "ALERT" in str(session.peer.error)
    session.lose()
    assert session.app.told == ["made", "lost"]
    assert isinstance(session.app.reasons[0], ssl.SSLCertVerificationError)
    assert text in str(session.app.reasons[0])


def test_s083_a_peer_that_the_settings_refuse() -> None:
    class WrongOne(Exception):
        """Of the program."""

    def verify(peer: ssl.SSLObject) -> None:
        raise WrongOne

    session = Session(False, context=Settings(certificates().client_context(), "localhost", verify))
    assert session.wire.ending == ["abort"]
    assert not session.peer.shaken
    session.lose()
    assert session.app.told == ["made", "lost"]
    assert isinstance(session.app.reasons[0], WrongOne)


def test_s083_a_client_that_trusts_nobody() -> None:
    """To the server it is an alert, which it tells as it is."""
    session = Session(True, peer=Peer(ssl.create_default_context(), False))
    assert session.peer.error is not None
    session.lose()
    assert isinstance(session.app.reasons[0], ssl.SSLError)
    assert "ALERT_UNKNOWN_CA" in str(session.app.reasons[0])


def test_s083_tls_1_1_is_refused() -> None:
    with pytest.warns(DeprecationWarning):
        old = certificates().client_context()
        old.minimum_version = ssl.TLSVersion.TLSv1
        old.maximum_version = ssl.TLSVersion.TLSv1_1
        old.set_ciphers("ALL:@SECLEVEL=0")
    session = Session(True, peer=Peer(old, False))
    session.lose()
    assert "UNSUPPORTED_PROTOCOL" in str(session.app.reasons[0])


def test_a_client_without_tls_is_told_apart() -> None:
    session = Session(shake=False)
    session.layer.dataReceived(b"GET / HTTP/1.1\r\n\r\n")
    assert session.wire.ending == ["close"]
    session.lose()
    (reason,) = session.app.reasons
    assert isinstance(reason, ssl.SSLError)
    assert str(reason).endswith("the peer does not speak TLS: what it sent begins with b'GET / HTTP/1.1\\r\\n'")


def test_a_handshake_that_takes_too_long() -> None:
    session = Session(shake=False, handshake_timeout=5)
    session.peer.step()
    hello = session.peer.take()
    for number in range(4):  # a byte a second, and the time goes on
        session.layer.dataReceived(hello[number : number + 1])
        session.clock.advance(1)
    assert session.wire.ending == []
    session.clock.advance(1)
    assert session.wire.ending == ["abort"]
    session.lose()
    (reason,) = session.app.reasons
    assert isinstance(reason, HandshakeTimeout)
    assert isinstance(reason, ConnectionAborted)
    assert "longer than 5 s" in str(reason)


def test_a_handshake_in_time_stops_the_clock(server_side: bool) -> None:
    session = Session(server_side, handshake_timeout=5)
    assert session.clock.getDelayedCalls() == []
    other = Session(server_side, shake=False, handshake_timeout=5)
    other.lose(ConnectionDone())
    assert other.clock.getDelayedCalls() == []


def test_the_time_may_be_the_factory_classes() -> None:
    class Impatient(TLSMemoryBIOFactory):
        handshake_timeout = 3

    factory = Impatient(certificates().server.server_context(), False, Wrapped(TLSRecorder()))
    assert factory.handshake_timeout == 3


# What can be written


def test_s062_bytes_and_what_is_like_them() -> None:
    session = Session()
    transport = session.app.transport
    transport.write(bytearray(b"one"))
    transport.write(memoryview(b" two"))
    transport.writeSequence(piece for piece in [b" three", b" four"])
    transport.write(b"")
    session.clock.advance(0)
    session.pump()
    assert session.peer.received == b"one two three four"
    for wrong in ("text", None, 5):
        with pytest.raises(TypeError):
            transport.write(wrong)
    session.lose(ConnectionDone())
    transport.write("after the end, anything is ignored")
    transport.writeSequence([b"x"])


def test_s062_what_is_written_after_closing_is_dropped() -> None:
    session = Session()
    session.app.transport.loseConnection()
    session.app.transport.write(b"too late")
    with pytest.raises(TypeError):
        session.app.transport.write("text")
    session.clock.advance(0)
    session.pump()
    assert (session.peer.received, session.peer.ended) == (b"", True)


def test_s062_what_is_no_bytes_is_an_error_while_it_is_closing() -> None:
    transport = Session(shake=False).app.transport
    transport.write(b"to be sent after the handshake")
    transport.loseConnection()
    transport.write(b"dropped")
    with pytest.raises(TypeError):
        transport.write("text")


def test_s062_unless_a_producer_is_registered() -> None:
    session = Session()
    session.app.transport.registerProducer(Pushing(), True)
    session.app.transport.loseConnection()
    session.app.transport.write(b"the rest")
    session.clock.advance(0)
    session.pump()
    assert (session.peer.received, session.peer.ended) == (b"the rest", False)
    session.app.transport.unregisterProducer()
    session.pump()
    assert session.peer.ended


# The rest


def test_s108_pausing_does_not_hold_what_has_been_read() -> None:
    session = Session()
    session.app.on_data = lambda data: session.app.transport.pauseProducing()
    session.peer.write(b"1" * 16384)
    session.peer.write(b"2" * 16384)
    session.layer.dataReceived(session.peer.take())
    assert len(session.app.received) == 32768
    assert session.wire.paused == 2
    session.app.transport.resumeProducing()
    assert session.wire.paused == 1


def test_s108_half_closing_sends_a_bare_end() -> None:
    session = Session()
    session.app.transport.write(b"before")
    session.app.transport.loseWriteConnection()
    assert session.wire.ending == ["half"]
    session.peer.step(session.wire.take())
    assert (session.peer.received, session.peer.ended) == (b"before", False)


def test_s108_aborting_after_the_end_does_nothing() -> None:
    session = Session()
    session.lose(ConnectionDone())
    session.app.transport.abortConnection()
    session.app.transport.loseConnection()
    session.app.transport.unregisterProducer()
    assert session.wire.ending == []
    assert session.app.told == ["made", "shaken", "lost"]


def test_s108_what_is_written_last_before_unregistering_is_sent() -> None:
    session = Session()
    transport = session.app.transport
    transport.registerProducer(Pushing(), True)
    transport.loseConnection()
    transport.write(b"the last small thing")
    transport.unregisterProducer()
    session.pump()
    assert (session.peer.received, session.peer.ended) == (b"the last small thing", True)


def test_s108_a_failed_verification_comes_after_connection_made() -> None:
    session = Session(False, context=Settings(ssl.create_default_context(), "localhost"))
    session.lose()
    assert session.app.told == ["made", "lost"]
    assert isinstance(session.app.reasons[0], ssl.SSLCertVerificationError)


def test_tls_over_tls() -> None:
    """The transport of one is another."""
    inner, outer = TLSRecorder(), None
    made = certificates()
    factory = TLSMemoryBIOFactory(made.server.server_context(), False, Wrapped(inner), None)
    session = Session(True, factory.buildProtocol(None))
    outer = session.peer
    peer = Peer(made.client_context(), False)
    peer.step()
    for _ in range(4):
        data = peer.take()
        if data:
            session.peer_says(data)
        session.pump()
        peer.step(outer.received)
        outer.received = b""
    assert inner.told == ["made", "shaken"]
    inner.on_data = lambda data: inner.transport.write(data[::-1])
    peer.write(b"olleh")
    session.peer_says(peer.take())
    session.pump()
    peer.step(outer.received)
    assert peer.received == b"hello"
    assert inner.transport.transport is session.layer


def test_what_a_transport_can_do_besides() -> None:
    session = Session()
    transport = session.app.transport
    assert (transport.getPeer(), transport.getHost()) == ("the peer", "the host")
    assert transport.ending == []  # what else its transport has
    with pytest.raises(AttributeError):
        transport.no_such_thing
    assert transport.connected
    assert transport.logPrefix() == "recorder"
    assert session.factory.logPrefix() == "Wrapped (TLS)"
    assert list(session.factory.protocols) == [session.layer]
    session.lose(ConnectionDone())
    assert not transport.connected
    assert session.factory.protocols == {}
    assert (transport.getPeerCertificate(), transport.getHandle(), transport.negotiatedProtocol) == (None, None, None)


def test_what_says_nothing_about_tls() -> None:
    for wrong in (None, "context", object()):
        with pytest.raises(TypeError, match="says nothing about TLS"):
            TLSMemoryBIOFactory(wrong, False, Wrapped(TLSRecorder()))
    with pytest.raises(ValueError, match="server_hostname"):
        TLSMemoryBIOFactory(certificates().client_context(), True, Wrapped(TLSRecorder()))


def test_what_makes_settings_is_asked_for_each_connection() -> None:
    class Makes:
        def __init__(self) -> None:
            self.asked: list[bool] = []

        def tls_settings(self, server_side: bool) -> Settings:
            self.asked.append(server_side)
            return Settings(certificates().server.server_context())

    makes = Makes()
    factory = TLSMemoryBIOFactory(makes, False, Wrapped(TLSRecorder()))
    factory.buildProtocol(None).makeConnection(Wire())
    assert makes.asked == [True, True]  # once to see whether it can


def test_a_connection_that_no_engine_can_be_made_for() -> None:
    class Breaks:
        def __init__(self) -> None:
            self.contexts = [certificates().server.server_context()]

        def tls_settings(self, server_side: bool) -> Settings:
            return Settings(self.contexts.pop())

    app, wire = TLSRecorder(), Wire()
    layer = TLSMemoryBIOFactory(Breaks(), False, Wrapped(app)).buildProtocol(None)
    with pytest.raises(IndexError):
        layer.makeConnection(wire)
    assert wire.ending == ["abort"]
    layer.dataReceived(b"anything")
    layer.connectionLost(Failure(ConnectionAborted()))
    assert app.told == []


def test_a_factory_that_has_no_protocol() -> None:
    factory = TLSMemoryBIOFactory(certificates().server.server_context(), False, Wrapped(None))
    assert factory.buildProtocol(None) is None


def test_no_cycle_is_left(no_leaks: Any) -> None:
    def sessions() -> None:
        for server_side in (True, False):
            for end in (None, ConnectionLost()):
                session = Session(server_side, handshake_timeout=10)
                session.app.transport.registerProducer(Pushing(), True)
                session.app.transport.write(b"x" * 100000)
                session.app.transport.unregisterProducer()
                session.pump()
                session.app.transport.loseConnection()
                session.pump()
                session.lose(end)

    sessions()
    with no_leaks():
        sessions()


def test_no_cycle_is_left_by_what_goes_wrong(no_leaks: Any) -> None:
    class Forgets(TLSRecorder):
        def connectionLost(self, reason: Any) -> None:
            self.told.append("lost")

    def sessions() -> None:
        untrusting = Settings(ssl.create_default_context(), "localhost")
        session = Session(False, Forgets(), context=untrusting)
        session.lose()
        session = Session(True, Forgets(), shake=False)
        session.layer.dataReceived(b"GET / HTTP/1.1\r\n\r\n")
        session.lose()
        session = Session(True, Forgets())
        session.layer.dataReceived(b"\x17\x03\x03\x00\x20" + b"x" * 32)
        session.lose()
        session = Session(False, Forgets(), shake=False, handshake_timeout=1)
        session.clock.advance(2)
        session.lose()

    sessions()
    with no_leaks():
        sessions()


def test_a_failure_is_told_to_who_verifies() -> None:
    """Who checks certificates elsewhere, in a callback, has a way to say that the peer is refused."""
    session = Session()
    session.layer.failVerification(Failure(PermissionError("no")))
    session.lose()
    assert isinstance(session.app.reasons[0], PermissionError)
