"""TLS engines by themselves: bytes in and bytes out, with the standard library's own object as the other end."""

import ssl
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.certificates import certificates

from torsion.net.tls.engine import TLSEngine
from torsion.net.tls.settings import Settings
from torsion.net.tls.standard import NotTLS, StandardEngine


class Peer:
    """The standard library's other end, in memory."""

    def __init__(self, context: ssl.SSLContext, server_side: bool, session: Any = None) -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        name = None if server_side else "localhost"
        self.object = context.wrap_bio(self.incoming, self.outgoing, server_side, name, session)
        self.shaken = False

    def feed(self, data: bytes) -> None:
        self.incoming.write(data)
        if not self.shaken:
            self.shake()

    def shake(self) -> None:
        try:
            self.object.do_handshake()
            self.shaken = True
        except ssl.SSLWantReadError:
            pass

    def read(self) -> bytes:
        whole = b""
        while True:
            try:
                data = self.object.read(65536)
            except ssl.SSLWantReadError:
                return whole
            if not data:
                return whole
            whole += data

    def take(self) -> bytes:
        return self.outgoing.read()


def standard(server_side: bool, context: ssl.SSLContext | None = None, **settings: Any) -> TLSEngine:
    made = certificates()
    if context is None:
        context = made.server.server_context() if server_side else made.client_context()
    name = None if server_side else "localhost"
    return StandardEngine(Settings(context, name, **settings), server_side)


def pyopenssl(server_side: bool, kind: Callable[[type], type] = lambda made: made) -> TLSEngine:
    ssl_module = pytest.importorskip("OpenSSL.SSL")
    from torsion.net.tls.openssl import OpenSSLEngine

    made = certificates()
    context = ssl_module.Context(ssl_module.TLS_METHOD)
    if server_side:
        context.use_certificate_file(str(made.server.certificate))
        context.use_privatekey_file(str(made.server.key))
    else:
        context.load_verify_locations(str(made.ca.certificate))
        context.set_verify(ssl_module.VERIFY_PEER, lambda *result: bool(result[-1]))
    return OpenSSLEngine(kind(ssl_module.Connection)(context, None), server_side)


def subclassed(server_side: bool) -> TLSEngine:
    """A program's own kind of Connection: each method may be its own."""
    return pyopenssl(server_side, lambda made: type("Connection", (made,), {}))


KINDS: dict[str, Callable[[bool], TLSEngine]] = {
    "standard": standard,
    "pyOpenSSL": pyopenssl,
    "a subclass of pyOpenSSL's": subclassed,
}


@pytest.fixture(params=KINDS)
def make(request: pytest.FixtureRequest) -> Callable[[bool], TLSEngine]:
    return KINDS[request.param]


def peer_of(server_side: bool) -> Peer:
    """The other end of an engine of that side."""
    made = certificates()
    return Peer(made.client_context() if server_side else made.server.server_context(), not server_side)


def whole(data: bytes) -> Iterator[bytes]:
    yield data


def byte_by_byte(data: bytes) -> Iterator[bytes]:
    for number in range(len(data)):
        yield data[number : number + 1]


def shake(engine: TLSEngine, peer: Peer, cut: Callable[[bytes], Iterator[bytes]] = whole) -> None:
    done = engine.handshake()
    peer.shake()
    for _ in range(6):
        data = engine.outgoing()
        if data:
            peer.feed(data)
        for piece in cut(peer.take()):
            engine.feed(piece)
            if not done:
                done = engine.handshake()
    assert done
    assert peer.shaken
    engine.verify()
    assert engine.read() is None  # tickets
    peer.read()


def drain(engine: TLSEngine) -> bytes:
    got = b""
    while (data := engine.read()) is not None:
        got += data
    return got


def records(sent: bytes) -> list[int]:
    """How long each record is, in bytes, without its head."""
    sizes = []
    while sent:
        sizes.append(int.from_bytes(sent[3:5], "big"))
        sent = sent[5 + sizes[-1] :]
    return sizes


@pytest.mark.parametrize("server_side", [True, False], ids=["server", "client"])
@pytest.mark.parametrize("cut", [whole, byte_by_byte])
def test_bytes_in_and_bytes_out(make: Any, server_side: bool, cut: Any) -> None:
    engine, peer = make(server_side), peer_of(server_side)
    shake(engine, peer, cut)
    peer.object.write(b"a question")
    for piece in cut(peer.take()):
        engine.feed(piece)
    assert drain(engine) == b"a question"
    assert engine.write(b"an answer") == 9
    peer.feed(engine.outgoing())
    assert peer.read() == b"an answer"
    assert engine.outgoing() == b""


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_what_is_fed_may_be_any_kind_of_bytes(make: Any, kind: Any) -> None:
    engine, peer = make(True), peer_of(True)
    shake(engine, peer, lambda data: iter([kind(data)]))
    peer.object.write(b"a question")
    sent = peer.take()
    engine.feed(kind(sent[:3]))
    engine.feed(kind(sent[3:]))
    assert drain(engine) == b"a question"


def test_a_record_cut_in_two_anywhere(make: Any) -> None:
    engine, peer = make(True), peer_of(True)
    shake(engine, peer)
    at = 1
    while True:
        message = b"%03d " % at * 20
        peer.object.write(message)
        record = peer.take()
        if at >= len(record):
            break
        engine.feed(record[:at])
        assert engine.read() is None
        engine.feed(record[at:])
        assert drain(engine) == message
        at += 1
    assert at > 80


def test_a_handshake_cut_in_two_anywhere() -> None:
    """Each flight of each side, at some hundred places."""
    for number in range(0, 1200, 7):

        def cut(data: bytes, at: int = number) -> Iterator[bytes]:
            yield data[:at]
            yield data[at:]

        shake(standard(number % 2 == 0), peer_of(number % 2 == 0), cut)


def test_a_program_puts_something_else_in_the_place_of_its_connection() -> None:
    """Whose methods are called then; or it sets one of them."""
    engine, peer = pyopenssl(True), peer_of(True)
    shake(engine, peer)

    class Wrapper:
        def __init__(self, wrapped: Any) -> None:
            self._wrapped = wrapped

        def __getattr__(self, name: str) -> Any:
            return getattr(self._wrapped, name)

        def send(self, data: bytes) -> int:
            return int(self._wrapped.send(data.upper()))

    connection = engine.handle()
    engine.use(Wrapper(connection))  # type: ignore[attr-defined]
    assert engine.write(b"loud") == 4
    connection.send = lambda data: type(connection).send(connection, data[:3])
    engine.use(connection)  # type: ignore[attr-defined]
    assert engine.write(b"short") == 3
    peer.feed(engine.outgoing())
    assert peer.read() == b"LOUDsho"


@pytest.mark.parametrize("method", ["bio_read", "bio_write", "recv", "send"])
def test_a_method_that_a_program_has_set_on_the_class_is_called(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = pytest.importorskip("OpenSSL.SSL").Connection
    original, called = getattr(kind, method), []

    def replaced(*arguments: Any) -> Any:
        called.append(method)
        return original(*arguments)

    monkeypatch.setattr(kind, method, replaced)
    engine, peer = pyopenssl(True), peer_of(True)
    shake(engine, peer)
    peer.object.write(b"a question")
    called.clear()
    engine.feed(peer.take())
    assert drain(engine) == b"a question"
    assert engine.write(b"an answer") == 9
    assert engine.outgoing()
    assert called == [method]


def test_several_records_at_once(make: Any) -> None:
    engine, peer = make(True), peer_of(True)
    shake(engine, peer)
    for number in range(5):
        peer.object.write(b"%d" % number * 1000)
    engine.feed(peer.take())
    assert drain(engine) == b"".join(b"%d" % number * 1000 for number in range(5))


def test_much_is_written_record_by_record(make: Any) -> None:
    engine, peer = make(True), peer_of(True)
    shake(engine, peer)
    data = bytes(range(256)) * 400
    left = memoryview(data)
    while left:
        taken = engine.write(left)
        assert taken
        left = left[taken:]
    sent = engine.outgoing()
    assert [size // 16384 for size in records(sent)] == [1, 1, 1, 1, 1, 1, 0]
    peer.feed(sent)
    assert peer.read() == data


def test_nothing_can_be_written_before_the_handshake(make: Any) -> None:
    assert make(True).write(b"early") == 0


def test_the_peer_ends(make: Any) -> None:
    engine, peer = make(True), peer_of(True)
    shake(engine, peer)
    peer.object.write(b"last words")
    with pytest.raises(ssl.SSLWantReadError):
        peer.object.unwrap()
    engine.feed(peer.take())
    assert drain(engine) == b"last words"
    assert engine.ended
    assert not engine.notified
    engine.close()
    assert engine.notified
    peer.feed(engine.outgoing())
    peer.object.unwrap()


def test_this_side_ends_and_still_reads(make: Any) -> None:
    engine, peer = make(True), peer_of(True)
    shake(engine, peer)
    peer.object.write(b"meanwhile")  # on its way
    engine.close()
    engine.feed(peer.take())
    assert drain(engine) == b"meanwhile"
    assert not engine.ended
    peer.feed(engine.outgoing())
    assert peer.read() == b""
    peer.object.unwrap()
    engine.feed(peer.take())
    assert drain(engine) == b""
    assert engine.ended


def test_what_is_no_tls(make: Any) -> None:
    engine = make(True)
    engine.feed(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    with pytest.raises(Exception) as caught:
        engine.handshake()
    if isinstance(engine, StandardEngine):
        assert isinstance(caught.value, NotTLS)
        assert "does not speak TLS" in str(caught.value)
        assert "b'GET / HTTP/1.1\\r\\n'" in str(caught.value)
    else:
        assert type(caught.value).__module__ == "OpenSSL.SSL"


def test_a_record_that_was_changed_on_the_way(make: Any) -> None:
    engine, peer = make(True), peer_of(True)
    shake(engine, peer)
    peer.object.write(b"money for Alice")
    record = bytearray(peer.take())
    record[-3] ^= 1
    engine.feed(bytes(record))
    with pytest.raises(Exception, match="bad record mac"):
        engine.read()
    peer.feed(engine.outgoing())
    with pytest.raises(ssl.SSLError, match="ALERT_BAD_RECORD_MAC"):
        peer.read()


@pytest.mark.parametrize(
    ("identity", "text"),
    [
        ("expired", "certificate has expired"),
        ("wrong_name", "Hostname mismatch, certificate is not valid for 'localhost'"),
        ("self_signed", "self-signed certificate"),
    ],
)
def test_s083_a_certificate_that_is_wrong(identity: str, text: str) -> None:
    engine = standard(False)
    peer = Peer(getattr(certificates(), identity).server_context(), True)
    with pytest.raises(ssl.SSLCertVerificationError, match=text):
        shake(engine, peer)
    with pytest.raises(ssl.SSLError, match="ALERT"):
        peer.feed(engine.outgoing())


def test_settings_may_refuse_the_peer() -> None:
    seen = []

    def verify(peer: ssl.SSLObject) -> None:
        seen.append(peer.getpeercert())
        raise PermissionError("not this one")

    engine = standard(False, verify=verify)
    with pytest.raises(PermissionError):
        shake(engine, peer_of(False))
    assert dict(seen[0]["subject"][0])["commonName"] == "localhost"


def test_a_name_is_needed_where_names_are_checked() -> None:
    with pytest.raises(ValueError, match="server_hostname"):
        StandardEngine(Settings(certificates().client_context()), False)


def test_what_both_agreed_on(make: Any) -> None:
    made = certificates()
    client, server = made.client_context(), made.server.server_context()
    client.set_alpn_protocols(["spdy/9", "h2"])
    server.set_alpn_protocols(["h2", "http/1.1"])
    engine = standard(True, server)
    shake(engine, Peer(client, False))
    assert engine.negotiated() == b"h2"
    without = make(True)
    shake(without, peer_of(True))
    assert without.negotiated() is None


def test_the_certificate_of_the_peer(make: Any) -> None:
    engine, peer = make(False), peer_of(False)
    shake(engine, peer)
    shown = ssl.PEM_cert_to_DER_cert(certificates().server.certificate.read_text())
    found = engine.certificate()
    if not isinstance(found, bytes):
        from OpenSSL import crypto

        found = crypto.dump_certificate(crypto.FILETYPE_ASN1, found)
    assert found == shown
    assert type(engine.handle()).__name__ in ("SSLObject", "Connection")


def test_a_client_shows_its_certificate() -> None:
    made = certificates()
    server = made.server.server_context()
    server.verify_mode = ssl.CERT_REQUIRED
    server.load_verify_locations(made.ca.certificate)
    engine = standard(True, server)
    shake(engine, Peer(made.client_context(made.client), False))
    assert engine.certificate() == ssl.PEM_cert_to_DER_cert(made.client.certificate.read_text())
    refusing = standard(True, server)
    with pytest.raises(ssl.SSLError, match="peer did not return a certificate"):
        shake(refusing, Peer(made.client_context(), False))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_versions_and_sessions(version: ssl.TLSVersion) -> None:
    """A server gives tickets, and takes them: the second handshake is the session's."""
    made = certificates()
    client, server = made.client_context(), made.server.server_context()
    client.maximum_version = client.minimum_version = version
    engine = standard(True, server)
    peer = Peer(client, False)
    shake(engine, peer)
    assert engine.handle().version() == version.name.replace("_", ".")
    again = Peer(client, False, peer.object.session)
    shake(standard(True, server), again)
    assert again.object.session_reused


def test_renegotiation_is_refused() -> None:
    """With TLS 1.2, where there is such a thing, a peer that asks for it is told no, and goes on."""
    ssl_module = pytest.importorskip("OpenSSL.SSL")
    from torsion.net.tls.source import engine_maker

    context = certificates().server.server_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    engine = engine_maker(context, False, [])(None)
    assert context.options & ssl.OP_NO_RENEGOTIATION
    client = ssl_module.Connection(ssl_module.Context(ssl_module.TLS_METHOD), None)
    client.set_connect_state()

    def exchange() -> None:
        try:
            client.do_handshake()
        except ssl_module.WantReadError:
            pass
        try:
            engine.feed(client.bio_read(65536))
        except ssl_module.WantReadError:
            pass

    for _ in range(3):
        exchange()
        if not engine.notified:
            engine.handshake()
        data = engine.outgoing()
        if data:
            client.bio_write(data)
    assert client.renegotiate()
    with pytest.raises(ssl_module.Error, match="no renegotiation"):
        for _ in range(3):
            exchange()
            assert engine.read() is None
            data = engine.outgoing()
            if data:
                client.bio_write(data)
