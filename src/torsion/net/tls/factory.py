"""What makes TLS connections: a factory around a factory, for servers and for clients.

Contract: twisted.protocols.tls.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..descriptor import prefix_of
from ..wrapping import WrappingFactory
from .engine import TLSEngine
from .transport import TLSMemoryBIOProtocol


class TLSMemoryBIOFactory(WrappingFactory[Any]):
    """Puts TLS between transports and the protocols of another factory.

    `contextFactory` says how TLS is spoken: an ssl.SSLContext, Settings, an object of torsion.ssl, or a pyOpenSSL
    context factory or connection creator. Raises TypeError for anything else, ValueError for an SSLContext of the
    other side, and for a client's that is to check a name and has none.
    """

    noisy = False
    protocol: Callable[..., Any] = TLSMemoryBIOProtocol
    #: How many seconds a handshake may take before the connection is aborted with HandshakeTimeout; None: any time.
    handshake_timeout: float | None = None

    def __init__(
        self,
        contextFactory: Any,
        isClient: bool,
        wrappedFactory: Any,
        clock: Any = None,
        *,
        handshake_timeout: float | None = None,
    ) -> None:
        """``clock``: whose callLater joins small writes; the reactor's that is meant if it is not given.

        ``handshake_timeout`` in seconds; ValueError if it is not more than 0.
        """
        if handshake_timeout is not None:
            if not handshake_timeout > 0:
                raise ValueError(f"handshake_timeout is to be more than 0 seconds, not {handshake_timeout!r}")
            self.handshake_timeout = handshake_timeout
        WrappingFactory.__init__(self, wrappedFactory)
        self._clock = clock
        self._is_client = bool(isClient)
        from .source import engine_maker  # brings the standard library's ssl

        self._make_engine = engine_maker(contextFactory, self._is_client, _offered(wrappedFactory))

    def make_engine(self, protocol: Any) -> TLSEngine:
        """The engine for one more connection."""
        return self._make_engine(protocol)

    def unregisterProtocol(self, p: Any) -> None:
        self.protocols.pop(p, None)

    def logPrefix(self) -> str:
        """As the wrapped factory says, and that it is TLS."""
        return f"{prefix_of(self.wrappedFactory)} (TLS)"


def _offered(factory: Any) -> list[bytes]:
    """The protocols that a factory says it can negotiate (IProtocolNegotiationFactory)."""
    offer = getattr(type(factory), "acceptableProtocols", None)
    return [] if offer is None else list(factory.acceptableProtocols())
