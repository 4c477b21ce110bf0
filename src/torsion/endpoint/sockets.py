"""The endpoints that are one socket: TCP on IPv4 and IPv6, TLS over TCP, and UNIX sockets.

Each holds the arguments of a method of its reactor until it is told to listen or to connect. The private attributes
are read by those who look into an endpoint that was made of a string.
"""

from __future__ import annotations

from socket import AF_INET6, SOCK_STREAM
from typing import Any

from ..address import IPv6Address
from ..core.deferred import Deferred
from ..core.maybe import execute
from ..net.filedescriptor import isIPv6Address
from . import lookup
from .connecting import connect


class _TCPServerEndpoint:
    def __init__(self, reactor: Any, port: Any, backlog: int, interface: str) -> None:
        self._reactor = reactor
        self._port = port
        self._backlog = backlog
        self._interface = interface

    def listen(self, protocolFactory: Any) -> Deferred:
        """Listen for the factory: a Deferred of the port, or of the CannotListenError."""
        return execute(
            self._reactor.listenTCP, self._port, protocolFactory, backlog=self._backlog, interface=self._interface
        )


class TCP4ServerEndpoint(_TCPServerEndpoint):
    """Where a TCP service listens on IPv4. Contract: IStreamServerEndpoint."""

    def __init__(self, reactor: Any, port: Any, backlog: int = 50, interface: str = "") -> None:
        """``port`` 0 is any free one, and may be what tcp.makeBinding makes; ``interface`` "" is all of them."""
        super().__init__(reactor, port, backlog, interface)


class TCP6ServerEndpoint(_TCPServerEndpoint):
    """Where a TCP service listens on IPv6. Contract: IStreamServerEndpoint."""

    def __init__(self, reactor: Any, port: Any, backlog: int = 50, interface: str = "::") -> None:
        """As for TCP4ServerEndpoint; ``interface`` "::" is all of them, and usually takes IPv4 clients too."""
        super().__init__(reactor, port, backlog, interface)


class _TCPClientEndpoint:
    def __init__(self, reactor: Any, host: str, port: Any, timeout: float | None, bindAddress: Any) -> None:
        self._reactor = reactor
        self._host = host
        self._port = port
        self._timeout = timeout
        self._bindAddress = bindAddress

    def _connect(self, host: str, protocolFactory: Any) -> Deferred:
        return connect(
            self._reactor.connectTCP,
            protocolFactory,
            host,
            self._port,
            timeout=self._timeout,
            bindAddress=self._bindAddress,
        )


class TCP4ClientEndpoint(_TCPClientEndpoint):
    """A TCP service at an IPv4 address, or at the first one of a name. Contract: IStreamClientEndpoint."""

    def __init__(self, reactor: Any, host: str, port: Any, timeout: float | None = 30, bindAddress: Any = None) -> None:
        """``timeout`` in seconds. ``bindAddress``: this side's (host, port), or what tcp.makeBinding makes."""
        super().__init__(reactor, host, port, timeout, bindAddress)

    def connect(self, protocolFactory: Any) -> Deferred:
        """Connect a protocol of the factory: a Deferred of it, once its connectionMade has returned.

        Fails with what connecting gave, with NoProtocol, and with what buildProtocol or connectionMade raised; when
        cancelled, with ConnectingCancelledError.
        """
        return self._connect(self._host, protocolFactory)


class TCP6ClientEndpoint(_TCPClientEndpoint):
    """A TCP service at an IPv6 address, or at the first one of a name. Contract: IStreamClientEndpoint."""

    def __init__(self, reactor: Any, host: str, port: Any, timeout: float | None = 30, bindAddress: Any = None) -> None:
        """As for TCP4ClientEndpoint."""
        super().__init__(reactor, host, port, timeout, bindAddress)

    def connect(self, protocolFactory: Any) -> Deferred:
        """As TCP4ClientEndpoint.connect; fails with DNSLookupError for a name without an IPv6 address."""
        if isIPv6Address(self._host):
            return self._connect(self._host, protocolFactory)
        found = self._nameResolution(self._host)
        found.addCallback(lambda results: self._connect(results[0][4][0], protocolFactory))
        return found

    def _nameResolution(self, host: str) -> Deferred:
        """A Deferred of what getaddrinfo would give for the host."""
        found = lookup.addresses(self._reactor, host, self._port, [IPv6Address])
        found.addCallback(lambda those: [(AF_INET6, SOCK_STREAM, 0, "", (lookup.scoped(each), 0)) for each in those])
        return found


class SSL4ServerEndpoint:
    """Where a service listens that speaks TLS, on IPv4. Contract: IStreamServerEndpoint."""

    def __init__(self, reactor: Any, port: Any, sslContextFactory: Any, backlog: int = 50, interface: str = "") -> None:
        """``sslContextFactory`` is what listenSSL takes: an ssl.SSLContext, say."""
        self._reactor = reactor
        self._port = port
        self._sslContextFactory = sslContextFactory
        self._backlog = backlog
        self._interface = interface

    def listen(self, protocolFactory: Any) -> Deferred:
        """Listen for the factory: a Deferred of the port, or of the CannotListenError."""
        return execute(
            self._reactor.listenSSL,
            self._port,
            protocolFactory,
            contextFactory=self._sslContextFactory,
            backlog=self._backlog,
            interface=self._interface,
        )


class SSL4ClientEndpoint:
    """A service that speaks TLS, at an IPv4 address or the first one of a name. Contract: IStreamClientEndpoint."""

    def __init__(
        self,
        reactor: Any,
        host: str,
        port: Any,
        sslContextFactory: Any,
        timeout: float | None = 30,
        bindAddress: Any = None,
    ) -> None:
        """``sslContextFactory`` is what connectSSL takes; all else as for TCP4ClientEndpoint."""
        self._reactor = reactor
        self._host = host
        self._port = port
        self._sslContextFactory = sslContextFactory
        self._timeout = timeout
        self._bindAddress = bindAddress

    def connect(self, protocolFactory: Any) -> Deferred:
        """As TCP4ClientEndpoint.connect. It answers before the handshake: what is wrong there comes as
        connectionLost (108)."""
        return connect(
            self._reactor.connectSSL,
            protocolFactory,
            self._host,
            self._port,
            contextFactory=self._sslContextFactory,
            timeout=self._timeout,
            bindAddress=self._bindAddress,
        )


class UNIXServerEndpoint:
    """Where a service listens on a UNIX socket. Contract: IStreamServerEndpoint."""

    def __init__(self, reactor: Any, address: str, backlog: int = 50, mode: int = 0o666, wantPID: Any = 0) -> None:
        """``address`` is a path; ``mode`` the file's; with ``wantPID`` a lock file beside it says whose it is."""
        self._reactor = reactor
        self._address = address
        self._backlog = backlog
        self._mode = mode
        self._wantPID = wantPID

    def listen(self, protocolFactory: Any) -> Deferred:
        """Listen for the factory: a Deferred of the port, or of the CannotListenError."""
        return execute(
            self._reactor.listenUNIX,
            self._address,
            protocolFactory,
            backlog=self._backlog,
            mode=self._mode,
            wantPID=self._wantPID,
        )


class UNIXClientEndpoint:
    """A service on a UNIX socket. Contract: IStreamClientEndpoint."""

    def __init__(self, reactor: Any, path: str, timeout: float | None = 30, checkPID: Any = 0) -> None:
        """With ``checkPID``, the lock file beside the path must say that a process listens there."""
        self._reactor = reactor
        self._path = path
        self._timeout = timeout
        self._checkPID = checkPID

    def connect(self, protocolFactory: Any) -> Deferred:
        """As TCP4ClientEndpoint.connect."""
        return connect(
            self._reactor.connectUNIX, protocolFactory, self._path, timeout=self._timeout, checkPID=self._checkPID
        )
