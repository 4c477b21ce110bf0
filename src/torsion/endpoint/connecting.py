"""How a client's endpoint answers: its Deferred fires with the program's protocol as soon as that is connected.

The factory that the reactor gets stands around the program's, and its protocol around the program's protocol, to see
connectionMade return. That done, they step aside: a stream of ours is told of the program's protocol itself, so that
being an endpoint costs nothing per event.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core.deferred import Deferred, fail
from ..error import ConnectingCancelledError, NoProtocol, NotConnectingError
from ..failure import Failure
from ..net.descriptor import prefix_of
from ..net.stream import Stream
from ..protocol import ClientFactory, Protocol
from .outside import outside

#: What a transport may call on a protocol besides, if the protocol has it.
HOOKS = ("readConnectionLost", "writeConnectionLost", "fileDescriptorReceived", "handshakeCompleted")


class _WrappingProtocol(Protocol):
    """Stands around the program's protocol until that is connected."""

    def __init__(self, connectedDeferred: Any, wrappedProtocol: Any) -> None:
        self._connectedDeferred = connectedDeferred
        self._wrappedProtocol = wrappedProtocol
        for hook in HOOKS:
            method = getattr(wrappedProtocol, hook, None)
            if method is not None:
                setattr(self, hook, method)
        outside().declare(self, wrappedProtocol)

    def logPrefix(self) -> str:
        """The program's protocol's, or the name of its class."""
        return prefix_of(self._wrappedProtocol)

    def connectionMade(self) -> None:
        """Connect the program's protocol; what that raises is the endpoint's answer, and ends the connection (78)."""
        connected, self._connectedDeferred = self._connectedDeferred, None
        try:
            self._wrappedProtocol.makeConnection(self.transport)
        except BaseException:
            _fail(connected, Failure())
            raise
        self._step_aside()
        if connected is not None and not connected.called:  # it may have been cancelled
            connected.callback(self._wrappedProtocol)

    def _step_aside(self) -> None:
        stream = self.transport
        if isinstance(stream, Stream) and stream.connected and stream.protocol is self:
            stream.protocol = self._wrappedProtocol

    def dataReceived(self, data: bytes) -> None:
        self._wrappedProtocol.dataReceived(data)

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]  # always told why
        self._wrappedProtocol.connectionLost(reason)


class _WrappingFactory(ClientFactory[Any]):
    """Stands around the program's factory for one attempt to connect."""

    protocol: Callable[..., Any] = _WrappingProtocol

    def __init__(self, wrappedFactory: Any) -> None:
        self._wrappedFactory = wrappedFactory
        self._connector: Any = None
        self._onConnection = Deferred(self._cancel)

    def startedConnecting(self, connector: Any) -> None:
        self._connector = connector

    def _cancel(self, connected: Deferred) -> None:
        """The attempt ends, or the connection, if it is in its connectionMade already."""
        connector = self._connector
        if connector is None:  # the reactor has not come as far as startedConnecting
            return
        connected.errback(ConnectingCancelledError(connector.getDestination()))
        try:
            connector.stopConnecting()
        except NotConnectingError:
            connector.disconnect()

    def doStart(self) -> None:
        self._wrappedFactory.doStart()

    def doStop(self) -> None:
        self._wrappedFactory.doStop()

    def buildProtocol(self, addr: Any) -> Any:
        """The program's protocol in its wrapping; if it makes none, there is no connection, and the Deferred fails."""
        try:
            protocol = self._wrappedFactory.buildProtocol(addr)
            if protocol is None:
                raise NoProtocol(f"{self._wrappedFactory!r} has no protocol for a connection with {addr!r}")
            return self.protocol(self._onConnection, protocol)
        except BaseException:
            _fail(self._onConnection, Failure())
            return None

    def clientConnectionFailed(self, connector: Any, reason: Failure) -> None:
        self._let_go(connector)
        _fail(self._onConnection, reason)

    def clientConnectionLost(self, connector: Any, reason: Failure) -> None:
        self._let_go(connector)

    def _let_go(self, connector: Any) -> None:
        """It has ended, and this factory: no cycle of both is to be left."""
        if connector is self._connector:
            self._connector = None


def _fail(connected: Any, reason: Any) -> None:
    if connected is not None and not connected.called:
        connected.errback(reason)


def connect(open_connection: Callable[..., Any], protocolFactory: Any, *where: Any, **how: Any) -> Deferred:
    """Open one with `open_connection(*where, factory, ...)`; the Deferred that an endpoint's connect() answers with."""
    factory = _WrappingFactory(protocolFactory)
    try:
        open_connection(*where, factory, **how)
    except BaseException:
        return fail(Failure())
    return factory._onConnection


def connectProtocol(endpoint: Any, protocol: Any) -> Any:
    """Connect this protocol, without a factory of the program's own.

    A Deferred of the protocol, once it is connected; it fails and is cancelled as the endpoint's connect() says.
    Contract: twisted.internet.endpoints.connectProtocol.
    """

    class OneProtocol(ClientFactory[Any]):
        noisy = False

        def buildProtocol(self, addr: Any) -> Any:
            return protocol

    return endpoint.connect(OneProtocol())
