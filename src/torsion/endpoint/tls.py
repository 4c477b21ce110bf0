"""TLS over any endpoint, on either side."""

from __future__ import annotations

from typing import Any

from ..core.deferred import Deferred
from .outside import outside


class _WrapperEndpoint:
    """Connects by another endpoint, with a factory that is made of the program's. Contract: IStreamClientEndpoint."""

    def __init__(self, wrappedEndpoint: Any, wrapperFactory: Any) -> None:
        """``wrapperFactory(factory)`` makes factories whose protocols have the program's as ``wrappedProtocol``."""
        self._wrappedEndpoint = wrappedEndpoint
        self._wrapperFactory = wrapperFactory

    def connect(self, protocolFactory: Any) -> Deferred:
        """Connect a protocol of the factory: a Deferred of it, as the endpoint below answers."""
        connected: Deferred = self._wrappedEndpoint.connect(self._wrapperFactory(protocolFactory))
        return connected.addCallback(lambda protocol: protocol.wrappedProtocol)


class _TLSServerEndpoint:
    """Listens by another endpoint and speaks TLS there. Contract: IStreamServerEndpoint."""

    def __init__(
        self, endpoint: Any, connectionCreator: Any, clock: Any = None, handshake_timeout: float | None = None
    ) -> None:
        self.endpoint = endpoint
        self.connectionCreator = connectionCreator
        self.clock = clock
        self.handshake_timeout = handshake_timeout

    def listen(self, factory: Any) -> Any:
        """Listen for the factory: a Deferred of the port."""
        made = outside().tls_factory()
        over = made(self.connectionCreator, False, factory, self.clock, handshake_timeout=self.handshake_timeout)
        return self.endpoint.listen(over)


def wrapClientTLS(
    connectionCreator: Any, wrappedEndpoint: Any, clock: Any = None, *, handshake_timeout: float | None = None
) -> Any:
    """A client's endpoint that speaks TLS over what another one connects to.

    ``connectionCreator`` is what connectSSL takes as a context factory. An ssl.SSLContext asks for, and checks, the
    host that the other endpoint is for. ``clock`` (the reactor of this thread if None) times the sending. The Deferred
    of connect() fires before the handshake: what is wrong there comes as connectionLost (108), also that it took
    longer than ``handshake_timeout`` seconds (None: any time).
    Contract: twisted.internet.endpoints.wrapClientTLS.
    """
    host = getattr(wrappedEndpoint, "_hostText", None) or getattr(wrappedEndpoint, "_host", None)
    if host is not None:
        from ..net.tls.source import with_host  # brings the standard library's ssl

        connectionCreator = with_host(connectionCreator, host)

    def speaking_tls(factory: Any) -> Any:
        made = outside().tls_factory()
        return made(connectionCreator, True, factory, clock, handshake_timeout=handshake_timeout)

    return _WrapperEndpoint(wrappedEndpoint, speaking_tls)


def wrapServerTLS(
    connectionCreator: Any, wrappedEndpoint: Any, clock: Any = None, *, handshake_timeout: float | None = None
) -> Any:
    """A server's endpoint that speaks TLS with the clients of another one.

    ``connectionCreator`` is what listenSSL takes as a context factory. All else as for wrapClientTLS.
    Contract: twisted.internet.endpoints.wrapServerTLS.
    """
    return _TLSServerEndpoint(wrappedEndpoint, connectionCreator, clock, handshake_timeout)
