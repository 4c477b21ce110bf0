"""What calls_of gives does what the Connection's own methods do: the same calls on both, at the ends of two alike."""

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.certificates import certificates

import torsion
from torsion import lane
from torsion.twin.libssl import calls_of

SSL = pytest.importorskip("OpenSSL.SSL")


class Ends:
    """A client, driven by its own methods, and a server whose `calls` are tried. The handshake is done."""

    def __init__(self, kind: Callable[[Any], Any]) -> None:
        context = SSL.Context(SSL.TLS_METHOD)
        context.use_certificate_file(str(certificates().server.certificate))
        context.use_privatekey_file(str(certificates().server.key))
        self.client = SSL.Connection(SSL.Context(SSL.TLS_METHOD), None)
        self.server = SSL.Connection(context, None)
        self.client.set_connect_state()
        self.server.set_accept_state()
        self.calls = kind(self.server)
        for _ in range(2):
            self.shake(self.client)
            self.calls.bio_write(self.client.bio_read(65536))
            self.shake(self.server)
            self.client.bio_write(self.calls.bio_read(65536))

    @staticmethod
    def shake(connection: Any) -> None:
        try:
            connection.do_handshake()
        except SSL.WantReadError:
            pass

    def said(self, data: bytes) -> bytes:
        """By the client: the records."""
        self.client.sendall(data)
        return self.whole(self.client.bio_read)

    def heard(self) -> bytes:
        """By the client, of all that the server has made."""
        self.client.bio_write(self.whole(self.calls.bio_read))
        return self.whole(self.client.recv)

    @staticmethod
    def whole(read: Callable[[int], bytes]) -> bytes:
        data = b""
        while True:
            try:
                data += read(1000)
            except SSL.WantReadError:
                return data


@pytest.fixture(params=["by calls_of", "itself"])
def ends(request: pytest.FixtureRequest) -> Iterator[Ends]:
    yield Ends(calls_of if request.param == "by calls_of" else lambda connection: connection)


@pytest.mark.parametrize("length", [1, 64, 4000, 4096, 5000, 16383, 16384])
def test_a_record_is_read_and_written(ends: Ends, length: int) -> None:
    data = bytes(number % 251 for number in range(length))
    record = ends.said(data)
    assert ends.calls.bio_write(record) == len(record)
    got = ends.calls.recv(16384)
    assert got == data
    assert type(got) is bytes
    assert ends.calls.send(got) == length
    assert ends.heard() == data


def test_less_is_asked_for_than_there_is(ends: Ends) -> None:
    for data in (b"x" * 100, b"y" * 10000):
        ends.calls.bio_write(ends.said(data))
        assert b"".join(ends.calls.recv(len(data) // 4) for _ in range(4)) == data


def test_a_record_whose_beginning_was_tried(ends: Ends) -> None:
    for data in (b"x" * 100, b"y" * 16384):
        record = ends.said(data)
        ends.calls.bio_write(record[:-50])
        with pytest.raises(SSL.WantReadError):
            ends.calls.recv(16384)
        ends.calls.bio_write(record[-50:])
        assert ends.calls.recv(16384) == data


def test_no_more_than_a_record_at_once(ends: Ends) -> None:
    data = b"z" * 40000
    ends.calls.bio_write(ends.said(data))
    assert [len(ends.calls.recv(65536)) for _ in range(3)] == [16384, 16384, 7232]
    assert ends.calls.send(data) == 16384
    assert ends.heard() == data[:16384]


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_bytes_of_any_kind(ends: Ends, kind: Any) -> None:
    ends.calls.bio_write(kind(ends.said(b"a question")))
    assert ends.calls.recv(100) == b"a question"
    assert ends.calls.send(kind(b"an answer")) == 9
    assert ends.heard() == b"an answer"


def test_nothing_is_there(ends: Ends) -> None:
    ends.whole(ends.calls.bio_read)  # tickets
    for read in (ends.calls.recv, ends.calls.bio_read):
        for _ in range(2):
            with pytest.raises(SSL.WantReadError):
                read(100)


def test_the_peer_has_ended(ends: Ends) -> None:
    ends.client.shutdown()
    ends.calls.bio_write(ends.whole(ends.client.bio_read))
    for _ in range(2):
        with pytest.raises(SSL.ZeroReturnError):
            ends.calls.recv(100)


def test_a_record_was_changed_on_the_way(ends: Ends) -> None:
    record = bytearray(ends.said(b"money for Alice"))
    record[-3] ^= 1
    ends.calls.bio_write(bytes(record))
    with pytest.raises(SSL.Error) as caught:
        ends.calls.recv(100)
    assert type(caught.value) is SSL.Error
    assert caught.value.args[0][0][2] == "decryption failed or bad record mac"
    assert ends.whole(ends.calls.bio_read)  # the alert


def test_before_the_handshake_nothing_can_be_written() -> None:
    connection = SSL.Connection(SSL.Context(SSL.TLS_METHOD), None)
    connection.set_connect_state()
    with pytest.raises(SSL.WantReadError):
        calls_of(connection).send(b"early")


def test_what_is_no_bytes(ends: Ends) -> None:
    for call in (ends.calls.send, ends.calls.bio_write):
        with pytest.raises(TypeError):
            call(None)


def test_what_is_not_made_as_expected_is_given_back() -> None:
    class Other:
        _ssl = _into_ssl = None

    other = Other()
    assert calls_of(other) is other


def test_compiled_they_are_not_the_connections_own(ends: Ends) -> None:
    assert (calls_of(ends.server) is ends.server) == (torsion.LANE == lane.INTERPRETED)


def test_a_socket_of_its_own_needs_the_connections_own() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        connection = SSL.Connection(SSL.Context(SSL.TLS_METHOD), ours)
        assert calls_of(connection) is connection


def test_the_error_of_one_is_no_other_ones(ends: Ends) -> None:
    other = Ends(calls_of)
    record = bytearray(ends.said(b"money for Alice"))
    record[-3] ^= 1
    ends.calls.bio_write(bytes(record))
    other.whole(other.calls.bio_read)
    with pytest.raises(SSL.Error):
        ends.calls.recv(100)
    for read in (other.calls.recv, other.calls.bio_read):
        with pytest.raises(SSL.WantReadError):
            read(100)


def test_it_keeps_the_connection(ends: Ends) -> None:
    calls, record = ends.calls, ends.said(b"still here")
    del ends.server
    calls.bio_write(record)
    assert calls.recv(100) == b"still here"
