"""TLS as bytes in and bytes out: no socket, no reactor, and whoever holds it moves the bytes.

An engine is one side of one connection. It is fed what came from the peer and says what is to be sent there; above, it
takes what the application writes and gives what the application is to read. It holds nothing back: after each call,
`outgoing` is what that call made. Two kinds have this one interface: standard.py on the standard library's ssl, and
openssl.py on pyOpenSSL.

The order of the calls is the user's business: `handshake` until it says that it is done, `verify`, then the others.
"""

from __future__ import annotations

from typing import Any

RECORD = 16384
"""The most plaintext that one record holds, in bytes."""


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

    def verify(self) -> None:
        """The handshake is done: raises to refuse the peer."""
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
