"""TLS as bytes in and bytes out: no socket, no reactor, and whoever holds it moves the bytes.

An engine is one side of one connection. It is fed what came from the peer and says what is to be sent there; above, it
takes what the application writes and gives what the application is to read. It holds nothing back: after each call,
`outgoing` is what that call made. Two kinds have this one interface: `StandardEngine` here, on the standard library's
ssl, and the one on pyOpenSSL in openssl.py.

The order of the calls is the user's business: `handshake` until it says that it is done, then the others.
"""

from __future__ import annotations

import ssl
from typing import Any

from .settings import Settings

RECORD = 16384
"""The most plaintext that one record holds, in bytes."""
FIRST_BYTES = range(20, 25)  # the types of records


class NotTLS(ssl.SSLError):
    """What the peer sent first is no TLS: a client of plain HTTP, say, at a port that speaks TLS."""


class TLSEngine:
    """What both kinds have in common. Whatever TLS itself says is wrong is raised by `handshake`, `read` and `write`;
    what is to be sent may then hold an alert that tells the peer.
    """

    def __init__(self) -> None:
        self.ended = False
        """The peer has said that it will send nothing more (close_notify)."""
        self.notified = False
        """This side has said so."""

    def feed(self, data: bytes) -> None:
        """These bytes came from the peer."""
        raise NotImplementedError

    def outgoing(self) -> bytes:
        """Take what is to be sent to the peer; empty if nothing is."""
        raise NotImplementedError

    def handshake(self) -> bool:
        """Go on with the handshake as far as the bytes there are allow. Whether it is done."""
        raise NotImplementedError

    def read(self) -> bytes | None:
        """Some of what the peer wrote; None if more must be fed first, or the peer has `ended`."""
        raise NotImplementedError

    def write(self, data: Any) -> int:
        """Encrypt the beginning of these bytes; how many that was. 0 only if something must be fed first."""
        raise NotImplementedError

    def close(self) -> None:
        """Say that nothing more is written. Reading goes on. Once is enough."""
        raise NotImplementedError

    def negotiated(self) -> bytes | None:
        """The protocol that both sides agreed on (ALPN), or None."""
        raise NotImplementedError

    def certificate(self) -> Any:
        """The peer's certificate, or None: DER bytes from the standard library, an X509 from pyOpenSSL."""
        raise NotImplementedError

    def handle(self) -> Any:
        """The object of the library that does it: an ssl.SSLObject, or an OpenSSL.SSL.Connection."""
        raise NotImplementedError


class StandardEngine(TLSEngine):
    """The standard library's: an SSLObject between two memory buffers."""

    def __init__(self, settings: Settings, server_side: bool, session: Any = None) -> None:
        """Raises ValueError if the context checks host names and the settings hold none."""
        TLSEngine.__init__(self)
        context = settings.context
        if not server_side and context.check_hostname and not settings.server_hostname:
            raise ValueError(
                "this SSLContext checks the name of the host, and there is none to check: connect with"
                " Settings(context, server_hostname=...), or clear context.check_hostname"
            )
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = context.wrap_bio(
            self._incoming,
            self._outgoing,
            server_side=server_side,
            server_hostname=None if server_side else settings.server_hostname,
            session=session,
        )
        # The object behind it: a frame of Python less for each record. Where there is none, it does as well.
        inner = getattr(self._object, "_sslobj", self._object)
        self._read, self._write = inner.read, inner.write
        self._feed, self._take = self._incoming.write, self._outgoing.read
        self._verify = settings.verify
        self._first = b""

    def feed(self, data: bytes) -> None:
        self._feed(data)
        if self._first is not None and len(self._first) < 16:
            self._first += data[:16]

    def outgoing(self) -> bytes:
        return self._take()  # type: ignore[no-any-return]

    def handshake(self) -> bool:
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLError as error:
            if self._first and self._first[0] not in FIRST_BYTES:
                text = f"the peer does not speak TLS: what it sent begins with {self._first!r}"
                raise NotTLS(error.errno, text) from None
            raise
        self._first = None
        if self._verify is not None:
            self._verify(self._object)
        return True

    def read(self) -> bytes | None:
        # An exception for each time that nothing is left costs as much as a record: look before.
        if not self._incoming.pending or self.ended:
            return None
        try:
            data = self._read(RECORD)
        except ssl.SSLWantReadError:
            return None
        except ssl.SSLZeroReturnError:
            data = b""
        if data:
            return data  # type: ignore[no-any-return]
        self.ended = True
        return None

    def write(self, data: Any) -> int:
        try:
            return self._write(data)  # type: ignore[no-any-return]
        except ssl.SSLWantReadError:
            return 0

    def close(self) -> None:
        self.notified = True
        try:
            self._object.unwrap()
            self.ended = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            # What the peer sent before its own close_notify is still to be read.
            pass

    def negotiated(self) -> bytes | None:
        name = self._object.selected_alpn_protocol()
        return None if name is None else name.encode("ascii")

    def certificate(self) -> Any:
        return self._object.getpeercert(binary_form=True)

    def handle(self) -> ssl.SSLObject:
        return self._object
