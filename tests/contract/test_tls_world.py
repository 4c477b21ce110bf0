"""TLS with the standard library's blocking ssl at the other end: what is exchanged, what is refused, how it ends."""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from tests.certificates import Identity, certificates
from tests.contract.parts import Reports
from tests.contract.streams import ByContract, Makers, Net, Recorder, net
from tests.contract.tls_world import (
    Peer,
    Server,
    accept_tls,
    authority,
    client_options,
    connected,
    over_tls,
    private,
    reset,
    server_options,
    to_the_end,
)
from tests.wrong_certificates import wrong_certificates

from torsion import ssl as ours
from torsion.contract import Reactor
from torsion.error import ConnectionAborted, ConnectionDone, ConnectionLost
from torsion.net.tls.standard import NotTLS
from torsion.protocols.tls import HandshakeTimeout

VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.fixture(params=[Reactor, ByContract], ids=["native", "contract"])
def here(request: pytest.FixtureRequest, reports: Reports) -> Iterator[Net]:
    with net(request.param) as made:
        yield made


@pytest.fixture(params=VERSIONS, ids=["TLS 1.2", "TLS 1.3"])
def version(request: pytest.FixtureRequest) -> ssl.TLSVersion:
    found: ssl.TLSVersion = request.param
    return found


def trusting(version: ssl.TLSVersion | None = None, identity: Identity | None = None) -> ssl.SSLContext:
    """The peer's context, as a client."""
    context = certificates().client_context(identity)
    if version is not None:
        context.maximum_version = version
    return context


def showing(identity: Identity, version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    """The peer's context, as a server."""
    context = identity.server_context()
    if version is not None:
        context.maximum_version = version
    return context


def listening(here: Net) -> tuple[socket.socket, int]:
    made = here.opened(socket.create_server(("127.0.0.1", 0)))
    return made, made.getsockname()[1]


def lost(here: Net, protocol: Recorder) -> BaseException:
    """Why it was lost, when it is."""
    here.until(lambda: protocol.reasons)
    assert protocol.told == ["made", "lost"]
    reason: BaseException = protocol.reasons[0]
    return reason


class Echo(Recorder):
    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        self.transport.write(data)


# What is exchanged

SIZES = [1, 5, 16384, 16385, 100_000, 1_000_000]


def there_and_back(skt: ssl.SSLSocket) -> list[int]:
    """Send each size, read it back; returns how many bytes of each came back right."""
    good = []
    for size in SIZES:
        data = bytes(range(256)) * (size // 256 + 1)
        skt.sendall(data[:size])
        got = bytearray()
        while len(got) < size:
            got += skt.recv(65536)
        good.append(size if got == data[:size] else -1)
    skt.unwrap().close()
    return good


def test_s081_our_server_echoes_to_the_standard_librarys_client(here: Net, version: ssl.TLSVersion) -> None:
    protocol = Echo()
    server = Server(here, protocol)
    peer = Peer(over_tls, server.port, there_and_back, trusting(version))
    here.until(peer.done)
    assert peer.result == SIZES
    assert type(lost(here, protocol)) is ConnectionDone
    server.close()


def test_s081_our_client_echoes_to_the_standard_librarys_server(here: Net, version: ssl.TLSVersion) -> None:
    listener, port = listening(here)
    peer = Peer(accept_tls, listener, there_and_back, showing(certificates().server, version))
    protocol, factory = connected(here, port, client_options(), Echo())
    here.until(peer.done)
    assert peer.result == SIZES
    assert type(lost(here, protocol)) is ConnectionDone
    assert type(factory.reasons[0]) is ConnectionDone


def test_the_peers_certificate_and_the_agreed_protocol_can_be_asked_for(here: Net, version: ssl.TLSVersion) -> None:
    protocol = Echo()
    server = Server(here, protocol, options=server_options(trustRoot=authority(), acceptableProtocols=[b"echo"]))
    context = trusting(version, certificates().client)
    context.set_alpn_protocols(["other", "echo"])
    peer = Peer(over_tls, server.port, lambda skt: (skt.send(b"."), skt.recv(1), skt.selected_alpn_protocol()), context)
    seen: list[Any] = []
    protocol.on_data = lambda data: (
        seen.append(ours.Certificate.peerFromTransport(protocol.transport)),
        seen.append(protocol.transport.negotiatedProtocol),
        protocol.transport.write(data),
    )
    here.until(peer.done)
    assert peer.result == (1, b".", "echo")
    assert seen == [private(certificates().client), b"echo"]
    server.close()


def test_a_session_is_resumed_with_the_standard_librarys_server(here: Net, version: ssl.TLSVersion) -> None:
    options = client_options(extraCertificateOptions={"enableSessions": True})
    context = showing(certificates().server, version)
    listener, port = listening(here)

    def greet(skt: ssl.SSLSocket) -> bool | None:
        skt.sendall(b"hello")
        skt.recv(1)
        return skt.session_reused

    resumed = []
    for _ in range(3):
        peer = Peer(accept_tls, listener, greet, context)
        protocol = Recorder()
        protocol.on_data = lambda data, protocol=protocol: protocol.transport.write(b".")  # type: ignore[misc]
        connected(here, port, options, protocol)
        here.until(peer.done)
        resumed.append(peer.result)
        here.until(lambda protocol=protocol: protocol.reasons)
    assert resumed == [False, True, True]


# Certificates that are wrong


@pytest.mark.parametrize(
    ("hostname", "identity", "kind", "text", "told"),
    [
        ("other.example", certificates().server, ours.VerificationError, "not valid for 'other.example'", "BAD_CERTIF"),
        (
            "localhost",
            certificates().wrong_name,
            ours.VerificationError,
            "not valid for 'localhost'",
            "BAD_CERTIFICATE",
        ),
        ("127.0.0.1", wrong_certificates().wrong_address, ours.VerificationError, "IP address mismatch", "BAD_CERTIFI"),
        ("localhost", certificates().expired, ssl.SSLCertVerificationError, "has expired", "CERTIFICATE_EXPIRED"),
        (
            "localhost",
            wrong_certificates().not_yet,
            ssl.SSLCertVerificationError,
            "is not yet valid",
            "BAD_CERTIFICATE",
        ),
        ("localhost", certificates().self_signed, ssl.SSLCertVerificationError, "self-signed", "UNKNOWN_CA"),
        ("localhost", wrong_certificates().other_server, ssl.SSLCertVerificationError, "verify failed", "ALERT"),
    ],
    ids=["name", "another name", "address", "expired", "not yet", "self-signed", "authority"],
)
def test_s083_a_server_that_is_not_believed(
    here: Net, version: ssl.TLSVersion, hostname: str, identity: Identity, kind: type, text: str, told: str
) -> None:
    listener, port = listening(here)
    peer = Peer(accept_tls, listener, to_the_end, showing(identity, version))
    protocol, factory = connected(here, port, client_options(hostname))
    reason = lost(here, protocol)
    assert type(reason) is kind and text in str(reason)
    here.until(lambda: factory.reasons)
    assert protocol.received == b""
    here.until(peer.done)
    assert isinstance(peer.result, ssl.SSLError) and told in peer.result.reason


def test_s083_a_bare_context_checks_the_name_that_was_connected_to(here: Net) -> None:
    listener, port = listening(here)
    peer = Peer(accept_tls, listener, to_the_end, showing(wrong_certificates().wrong_address))
    protocol, _ = connected(here, port, certificates().client_context())
    reason = lost(here, protocol)
    assert type(reason) is ssl.SSLCertVerificationError and "certificate is not valid for '127.0.0.1'" in str(reason)
    here.until(peer.done)


@pytest.mark.parametrize(
    ("identity", "text", "told"),
    [
        (None, "peer did not return a certificate", "CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE"),
        (wrong_certificates().other_client, "verify failed", "DECRYPT_ERROR|UNKNOWN_CA|BAD_CERTIFICATE"),
        (wrong_certificates().expired_client, "certificate has expired", "CERTIFICATE_EXPIRED"),
        (certificates().server, "unsuitable certificate purpose|unsupported certificate purpose", "UNSUPPORTED_CERTIF"),
    ],
    ids=["none", "of another authority", "expired", "of a server"],
)
def test_s083_a_client_that_is_not_believed(
    here: Net, version: ssl.TLSVersion, identity: Identity | None, text: str, told: str
) -> None:
    protocol = Recorder()
    server = Server(here, protocol, options=server_options(trustRoot=authority()))
    peer = Peer(
        over_tls, server.port, lambda skt: (skt.sendall(b"hello"), to_the_end(skt)), trusting(version, identity)
    )
    reason = lost(here, protocol)
    assert isinstance(reason, ssl.SSLError) and any(each in str(reason) for each in text.split("|")), reason
    assert protocol.received == b""
    here.until(peer.done)
    # An alert that comes after the client has written may be lost with a reset.
    assert isinstance(peer.result, ConnectionError) or any(each in peer.result.reason for each in told.split("|"))
    server.close()


@pytest.mark.parametrize("name", ["expired", "self_signed", "wrong_name"])
def test_s081_a_client_that_does_not_believe_us_says_so(here: Net, version: ssl.TLSVersion, name: str) -> None:
    protocol = Recorder()
    server = Server(here, protocol, options=server_options(getattr(certificates(), name)))
    peer = Peer(over_tls, server.port, to_the_end, trusting(version))
    reason = lost(here, protocol)
    assert isinstance(reason, ssl.SSLError) and "ALERT" in str(reason.reason)
    here.until(peer.done)
    assert isinstance(peer.result, ssl.SSLCertVerificationError)
    server.close()


def test_two_sides_without_a_common_version(here: Net) -> None:
    protocol = Recorder()
    server = Server(here, protocol, options=server_options(raiseMinimumTo=ours.TLSVersion.TLSv1_3))
    peer = Peer(over_tls, server.port, to_the_end, trusting(ssl.TLSVersion.TLSv1_2))
    assert "unsupported protocol" in str(lost(here, protocol))
    here.until(peer.done)
    assert "PROTOCOL_VERSION" in peer.result.reason
    server.close()


# What is no TLS

PLAIN = [b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"EHLO there\r\n", b"\0", b"\x16", b"\x16\x03\x01\xff\xff" * 9]


@pytest.mark.parametrize("data", PLAIN[:2], ids=["HTTP", "SMTP"])
def test_s081_an_unencrypted_client_is_called_what_it_is(here: Net, data: bytes) -> None:
    protocol = Recorder()
    server = Server(here, protocol)
    peer = here.peer(server.port)
    peer.sendall(data)
    reason = lost(here, protocol)
    assert type(reason) is NotTLS and repr(data[:8])[2:-1] in str(reason)
    server.close()


def test_s081_an_unencrypted_server_is_called_what_it_is(here: Net) -> None:
    listener, port = listening(here)
    protocol, factory = connected(here, port, client_options())
    accepted = here.opened(listener.accept()[0])
    accepted.sendall(b"220 mail.example ready\r\n")
    assert type(lost(here, protocol)) is NotTLS and "220 mail" in str(protocol.reasons[0])
    here.until(lambda: factory.reasons)


@pytest.mark.parametrize("data", PLAIN, ids=["HTTP", "SMTP", "zero", "half a record", "a record too long"])
def test_s081_what_is_no_tls_and_ends_is_lost(here: Net, data: bytes) -> None:
    protocol = Recorder()
    server = Server(here, protocol)
    peer = here.peer(server.port)
    peer.sendall(data)
    peer.close()
    assert isinstance(lost(here, protocol), ssl.SSLError | ConnectionLost)
    server.close()


# The end in the middle


def hello(context: ssl.SSLContext) -> bytes:
    """The first flight of a client."""
    outgoing = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


@pytest.mark.parametrize("ending", [reset, socket.socket.close], ids=["reset", "end"])
@pytest.mark.parametrize("part", [0.0, 0.5, 1.0])
def test_s081_a_client_that_goes_in_the_middle_of_the_handshake_is_lost(
    here: Net, part: float, ending: Callable[[socket.socket], object]
) -> None:
    protocol = Recorder()
    server = Server(here, protocol)
    peer = here.peer(server.port)
    data = hello(trusting())
    peer.sendall(data[: int(len(data) * part)])
    here.until(lambda: protocol.told)
    here.turns()
    ending(peer)
    assert type(lost(here, protocol)) is ConnectionLost
    server.close()


@pytest.mark.parametrize("ending", [reset, socket.socket.close], ids=["reset", "end"])
@pytest.mark.parametrize("size", [0, 1, 4, 700])
def test_s081_a_server_that_goes_in_the_middle_of_the_handshake_is_lost(
    here: Net, size: int, ending: Callable[[socket.socket], object]
) -> None:
    listener, port = listening(here)
    protocol, factory = connected(here, port, client_options())
    accepted = here.opened(listener.accept()[0])
    here.read(accepted, 1)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    incoming.write(hello(trusting()))
    with pytest.raises(ssl.SSLWantReadError):
        certificates().server.server_context().wrap_bio(incoming, outgoing, server_side=True).do_handshake()
    accepted.setblocking(True)
    accepted.sendall(outgoing.read()[:size] if size < 700 else b"\x16\x03\x03\x40\x00\x02")
    here.turns()
    ending(accepted)
    assert type(lost(here, protocol)) is ConnectionLost
    here.until(lambda: factory.reasons)


def test_s081_a_truncated_stream_is_lost_and_not_done(here: Net, version: ssl.TLSVersion) -> None:
    for options in (server_options(), certificates().server.server_context()):
        protocol = Recorder()
        server = Server(here, protocol, options=options)
        peer = Peer(over_tls, server.port, lambda skt: skt.sendall(b"all of it?"), trusting(version))
        assert type(lost(here, protocol)) is ConnectionLost
        assert protocol.received == b"all of it?"
        here.until(peer.done)
        server.close()


def test_s081_one_that_ends_with_close_notify_is_done(here: Net, version: ssl.TLSVersion) -> None:
    protocol = Recorder()
    server = Server(here, protocol)
    peer = Peer(over_tls, server.port, lambda skt: (skt.sendall(b"all of it"), skt.unwrap().recv(1)), trusting(version))
    assert type(lost(here, protocol)) is ConnectionDone
    assert protocol.received == b"all of it"
    here.until(peer.done)
    assert peer.result == (None, b"")
    server.close()


def test_s081_a_reset_in_the_middle_of_a_stream_is_lost(here: Net) -> None:
    protocol = Echo()
    server = Server(here, protocol)
    peer = Peer(over_tls, server.port, lambda skt: (skt.sendall(b"data"), skt.recv(4), reset(skt)), trusting())
    assert type(lost(here, protocol)) is ConnectionLost and protocol.received == b"data"
    here.until(peer.done)
    server.close()


def test_damaged_records_end_the_connection_with_an_ssl_error(here: Net, version: ssl.TLSVersion) -> None:
    protocol = Recorder()
    server = Server(here, protocol)

    def damage(skt: ssl.SSLSocket) -> bytes:
        skt.sendall(b"good")
        plain = socket.socket(fileno=socket.dup(skt.fileno()))  # type: ignore[attr-defined]
        with plain:
            plain.sendall(b"\x17\x03\x03\x00\x20" + b"x" * 32)
            plain.settimeout(10)
            return plain.recv(1)

    peer = Peer(over_tls, server.port, damage, trusting(version))
    reason = lost(here, protocol)
    assert isinstance(reason, ssl.SSLError) and "bad record mac" in str(reason)
    assert protocol.received == b"good"
    here.until(peer.done)
    server.close()


# Half-close and abort


def test_s108_the_peer_sees_a_bare_end_after_loseWriteConnection(here: Net, version: ssl.TLSVersion) -> None:
    protocol = Recorder()
    server = Server(here, protocol)
    peer = Peer(over_tls, server.port, lambda skt: (skt.sendall(b"."), skt.recv(10), skt.recv(10)), trusting(version))
    protocol.on_data = lambda data: (protocol.transport.write(b"bye"), protocol.transport.loseWriteConnection())
    here.until(peer.done)
    assert isinstance(peer.result, ssl.SSLEOFError)
    # This peer's library answers with an alert; ours, and others, go without a word.
    assert type(lost(here, protocol)) is ConnectionLost or protocol.reasons[0].reason == "TLSV1_ALERT_DECODE_ERROR"
    server.close()


def test_s081_a_peer_that_shuts_its_writing_side_without_a_word_is_lost(here: Net) -> None:
    protocol = Recorder()
    server = Server(here, protocol)
    peer = Peer(
        over_tls,
        server.port,
        lambda skt: (skt.sendall(b"."), socket.socket.shutdown(skt, socket.SHUT_WR), skt.recv(1)),
        trusting(),
    )
    assert type(lost(here, protocol)) is ConnectionLost
    here.until(peer.done)
    server.close()


def test_s081_after_an_abort_the_peer_is_cut_off(here: Net, version: ssl.TLSVersion) -> None:
    listener, port = listening(here)
    peer = Peer(
        accept_tls,
        listener,
        lambda skt: (skt.sendall(b"."), to_the_end(skt)),
        showing(certificates().server, version),
    )
    protocol, factory = connected(here, port, client_options())
    protocol.on_data = lambda data: protocol.transport.abortConnection()
    assert type(lost(here, protocol)) is ConnectionLost
    assert type(factory.reasons[0]) is ConnectionAborted
    here.until(peer.done)
    assert isinstance(peer.result, ConnectionResetError | ssl.SSLEOFError)


def test_s080_loseConnection_waits_for_the_peers_close_notify_and_still_delivers(
    here: Net, version: ssl.TLSVersion
) -> None:
    protocol = Recorder()
    server = Server(here, protocol)

    def last_words(skt: ssl.SSLSocket) -> bytes:
        skt.sendall(b"1")
        got = to_the_end(skt)
        skt.sendall(b"2")
        skt.unwrap()
        return got

    protocol.on_data = lambda data: (protocol.transport.write(b"bye"), protocol.transport.loseConnection())
    peer = Peer(over_tls, server.port, last_words, trusting(version))
    here.until(peer.done)
    assert type(lost(here, protocol)) is ConnectionDone and protocol.received == b"12"
    # TLS 1.2 has no half-close: its peer's library may answer for it.
    assert peer.result == b"bye" or version is ssl.TLSVersion.TLSv1_2
    server.close()


# Who takes his time


def test_a_silent_client_is_dropped_after_the_handshake_timeout(here: Net) -> None:
    protocol = Recorder()
    server = Server(here, protocol, timeout=0.05)
    peer = here.peer(server.port)
    reason = lost(here, protocol)
    assert type(reason) is HandshakeTimeout and "longer than 0.05 s" in str(reason)
    with pytest.raises(ConnectionResetError):
        peer.recv(1)
    server.close()


def test_a_client_that_drips_its_handshake_is_dropped_too(here: Net) -> None:
    protocol = Recorder()
    server = Server(here, protocol, timeout=0.2)
    peer = here.peer(server.port)
    for byte in hello(trusting())[:-1]:
        if not protocol.reasons:
            peer.sendall(bytes([byte]))
            here.reactor.iterate(0.01)
    assert type(lost(here, protocol)) is HandshakeTimeout
    server.close()


def test_a_slow_handshake_that_is_in_time_is_good_and_the_timeout_is_over_then(here: Net) -> None:
    protocol = Echo()
    server = Server(here, protocol, timeout=5)
    peer = here.peer(server.port)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting().wrap_bio(incoming, outgoing, server_hostname="localhost")
    peer.setblocking(False)

    def shaken() -> bool:
        try:
            client.do_handshake()
            client.write(b"slowly")
            return True
        except ssl.SSLWantReadError:
            return False
        finally:
            for byte in outgoing.read():
                peer.sendall(bytes([byte]))
                here.reactor.iterate(0)
            try:
                incoming.write(peer.recv(65536))
            except BlockingIOError:
                here.reactor.iterate(0.001)

    while not shaken():
        pass
    here.until(lambda: protocol.received == b"slowly")
    assert here.reactor.getDelayedCalls() == []
    reset(peer)
    lost(here, protocol)
    server.close()


def test_a_client_that_connects_and_says_nothing_can_be_closed(here: Net) -> None:
    for close in ("loseConnection", "abortConnection"):
        protocol = Recorder()
        server = Server(here, protocol)
        here.peer(server.port)
        here.until(lambda protocol=protocol: protocol.told)
        getattr(protocol.transport, close)()
        assert isinstance(lost(here, protocol), ConnectionLost)
        server.close()


# Nothing is left


class Witness(Echo):
    """Keeps no reason, whose traceback would lead back to this very test, and no transport, which knows the factory."""

    over = False

    def connectionLost(self, reason: Any) -> None:
        self.over, self.transport = True, None


def test_nothing_is_left_of_connections_however_they_ended(
    here: Net, no_leaks: Callable[[], AbstractContextManager[None]]
) -> None:
    serving, asking = server_options(), client_options()
    showings = [showing(certificates().server), showing(certificates().expired)]

    def finish(protocol: Witness, peer: Peer | None = None) -> None:
        here.until(lambda: protocol.over)
        if peer is not None:
            here.until(peer.done)
            peer.join()

    def cut(skt: ssl.SSLSocket) -> None:
        skt.sendall(b"cut")

    def use() -> None:
        for talk in (there_and_back, cut, reset):
            protocol = Witness()
            server = Server(here, protocol, options=serving, timeout=10)
            finish(protocol, Peer(over_tls, server.port, talk, trusting()))
            server.close()
        for context in showings:
            with socket.create_server(("127.0.0.1", 0)) as listener:
                protocol = Witness()
                peer = Peer(accept_tls, listener, there_and_back, context)
                factory = Makers(protocol)
                here.reactor.connectSSL("127.0.0.1", listener.getsockname()[1], factory, asking)
                finish(protocol, peer)
                here.until(lambda factory=factory: factory.reasons)
        protocol = Witness()
        server = Server(here, protocol, options=serving, timeout=0.01)
        with socket.create_connection(("127.0.0.1", server.port)):
            finish(protocol)
        server.close()

    use()
    with no_leaks():
        use()
