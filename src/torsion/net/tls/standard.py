"""The engine on the standard library's ssl: the default, and the fast one."""

from __future__ import annotations

import ssl
from typing import Any

from .engine import RECORD, TLSEngine
from .settings import Settings

FIRST_BYTES = range(20, 25)
"""The types of records: what comes first from a peer that speaks TLS."""
SHOWN = 16
"""So many bytes of what is no TLS are told to who looks for the reason."""


class NotTLS(ssl.SSLError):
    """What the peer sent first is no TLS: a client of plain HTTP, say, at a port that speaks TLS."""


class StandardEngine(TLSEngine):
    """The standard library's: an SSLObject between two memory buffers."""

    def __init__(self, settings: Settings, server_side: bool) -> None:
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
        )
        # The object behind it: a frame of Python less for each record. Where there is none, it does as well.
        inner = getattr(self._object, "_sslobj", self._object)
        self._read, self._write, self._pending = inner.read, inner.write, inner.pending
        self._feed, self._take = self._incoming.write, self._outgoing.read
        self._verify = settings.verify
        self._first: bytes | None = b""

    def feed(self, data: bytes) -> None:
        self._feed(data)
        if self._first is not None and len(self._first) < SHOWN:
            self._first += data[:SHOWN]

    def outgoing(self) -> bytes:
        return self._take()

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
        return True

    def verify(self) -> None:
        if self._verify is not None:
            self._verify(self._object)

    def read(self) -> bytes | None:
        # An exception for each time that nothing is left costs as much as a record: look before, into what was fed and
        # into the record that was begun. And ask for no more than there can be: the object is made as long as that
        # first, and a long one costs more than a short record.
        if self.ended:
            return None
        size = self._incoming.pending or self._pending()
        if not size:
            return None
        try:
            data = self._read(min(size, RECORD))
        except ssl.SSLWantReadError:
            return None
        except ssl.SSLZeroReturnError:
            data = b""
        if data:
            return data
        self.ended = True
        return None

    def write(self, data: Any) -> int:
        try:
            return self._write(data)
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
