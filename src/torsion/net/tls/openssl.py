"""The engine on pyOpenSSL, for context factories that are made for it. Imported only when such a one is passed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from OpenSSL import SSL
from OpenSSL.SSL import Connection, Context, WantReadError, ZeroReturnError

from ...twin.libssl import calls_of
from .engine import RECORD, TLSEngine
from .records import Records

MOST = 65536
ENOUGH = 512
"""What TLS says by itself is mostly shorter, in bytes."""
OVERHEAD = 128
"""A record is at most so much longer than what is in it."""
CALLED = frozenset({"bio_read", "bio_write", "recv", "send"})
"""The methods of a Connection that each message goes through."""


class OpenSSLEngine(TLSEngine):
    """A Connection of pyOpenSSL over memory."""

    def __init__(self, connection: Any, server_side: bool) -> None:
        TLSEngine.__init__(self)
        self.use(connection)
        self._begun = False  # before that there is nothing to be sent, and to ask costs an exception
        self._records = Records()
        self._made = 0  # bytes written, and what they may grow by
        if server_side:
            connection.set_accept_state()
        else:
            connection.set_connect_state()

    def use(self, connection: Any) -> None:
        """Go on with this Connection. What a program has put in the place of one has methods of its own."""
        usual = type(connection) is Connection and CALLED.isdisjoint(vars(connection)) and _is_pyopenssl(Connection)
        self.connection = connection
        self._calls = calls_of(connection) if usual else connection

    def feed(self, data: bytes) -> None:
        if data:  # of none, it says that something is wrong
            self._begun = True
            self._records.feed(bytes(data))  # no copy of what is bytes
            self._calls.bio_write(data)

    def outgoing(self) -> bytes:
        whole = b""
        # No more is asked for than there can be: the memory for it is taken first.
        size = min(self._made + ENOUGH, MOST)
        self._made = 0
        while self._begun:
            try:
                data: bytes = self._calls.bio_read(size)
            except WantReadError:
                break
            whole = whole + data if whole else data
            if len(data) < size:
                break
            size = MOST
        return whole

    def handshake(self) -> bool:
        try:
            self.connection.do_handshake()
        except WantReadError:
            self._begun = True
            return False
        return True

    def verify(self) -> None:
        """Its contexts have callbacks of their own, which call failVerification."""

    def read(self) -> bytes | None:
        if not self._records.whole:  # an exception each time that nothing is left would cost as much as a record
            return None
        try:
            data: bytes = self._calls.recv(RECORD)
        except WantReadError:
            self._records.whole = 0
            return None
        except ZeroReturnError:
            self.ended = True
            return None
        self._records.whole -= 1  # a record at most: those without data before it are still counted
        return data or None

    def write(self, data: Any) -> int:
        self._begun = True
        try:
            taken = int(self._calls.send(data))
        except WantReadError:
            return 0
        self._made += taken + OVERHEAD * (1 + taken // RECORD)
        return taken

    def close(self) -> None:
        self.notified = True
        if self.connection.shutdown():
            self.ended = True

    def negotiated(self) -> bytes | None:
        return self.connection.get_alpn_proto_negotiated() or None

    def certificate(self) -> Any:
        return self.connection.get_peer_certificate()

    def handle(self) -> Any:
        return self.connection


def _is_pyopenssl(kind: Any) -> bool:
    """Whether the methods of this class are still those of the library, and no program has set others."""
    return all(getattr(getattr(kind, name), "__globals__", None) is vars(SSL) for name in CALLED)


def creator_of(factory: Any, is_client: bool) -> Callable[[Any], Any]:
    """What makes a Connection for a protocol: a connection creator's method, or one around a factory of contexts.

    Raises TypeError if `factory` is neither.
    """
    create = getattr(factory, "clientConnectionForTLS" if is_client else "serverConnectionForTLS", None)
    if create is not None:
        return create  # type: ignore[no-any-return]
    get_context = getattr(factory, "getContext", None)
    if get_context is None:
        side = "client" if is_client else "server"
        raise TypeError(
            f"{factory!r} is nothing to make TLS of, as a {side}: an ssl.SSLContext is, an object of torsion.ssl, or a"
            " pyOpenSSL context factory or connection creator"
        )
    if not isinstance(get_context(), Context):  # now, where whoever passed it can be told
        raise TypeError(f"{factory!r} has a getContext() that gives no OpenSSL.SSL.Context")
    return lambda protocol: Connection(get_context(), None)
