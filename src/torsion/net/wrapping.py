"""What is put around the protocols of a factory: each gets a wrapper, which hands on what the transport and it say.

Contract: twisted.protocols.policies.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from ..failure import Failure
from .descriptor import prefix_of
from .protocols import ClientFactory, Protocol, connectionDone


def _named(wrapper: Any, wrapped: Any) -> str:
    """What is logged for the two: "Inner (Wrapper)"."""
    return f"{prefix_of(wrapped)} ({type(wrapper).__name__})"


class ProtocolWrapper(Protocol):
    """The protocol of a transport, and the transport of the wrapped protocol: it hands everything on.

    What it does not know is asked of the transport.
    """

    disconnecting = 0

    def __init__(self, factory: Any, wrappedProtocol: Any) -> None:
        self.wrappedProtocol = wrappedProtocol
        self.factory = factory

    def logPrefix(self) -> str:
        """The wrapped protocol's name, and the wrapper's."""
        return _named(self, self.wrappedProtocol)

    def makeConnection(self, transport: Any) -> None:
        """Take the transport, and be one to the wrapped protocol."""
        _look_like(self, transport)
        Protocol.makeConnection(self, transport)
        self.factory.registerProtocol(self)
        self.wrappedProtocol.makeConnection(self)

    # To the transport

    def write(self, data: bytes) -> None:
        self.transport.write(data)

    def writeSequence(self, data: Iterable[bytes]) -> None:
        self.transport.writeSequence(data)

    def loseConnection(self) -> None:
        self.disconnecting = 1
        self.transport.loseConnection()

    def getPeer(self) -> Any:
        return self.transport.getPeer()

    def getHost(self) -> Any:
        return self.transport.getHost()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        self.transport.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        self.transport.unregisterProducer()

    def stopConsuming(self) -> None:
        self.transport.stopConsuming()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.transport, name)

    # To the protocol

    def dataReceived(self, data: bytes) -> None:
        self.wrappedProtocol.dataReceived(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is over: tell the factory and the wrapped protocol, and let go of it."""
        self.factory.unregisterProtocol(self)
        wrapped, self.wrappedProtocol = self.wrappedProtocol, None
        wrapped.connectionLost(reason)


def _look_like(wrapper: Any, transport: Any) -> None:
    """Provide what the transport provides, for programs that ask zope's interfaces: those have it loaded."""
    zope = sys.modules.get("zope.interface")
    if zope is None:
        return
    zope.directlyProvides(wrapper, zope.providedBy(transport))
    # All connections of a kind share what zope makes of that, and it is a cycle: kept for the next one, too.
    kind = type(wrapper)
    if "_declared" not in vars(kind):
        kind._declared = {}
    kind._declared[type(transport)] = wrapper.__provides__


#: What a wrapping factory makes.
WP = TypeVar("WP", bound=ProtocolWrapper)


class WrappingFactory(ClientFactory[WP]):
    """Wraps the protocols of another factory, which may be a server's or a client's."""

    #: Called with this factory and the protocol that is to be wrapped.
    protocol: Callable[..., Any] = ProtocolWrapper

    def __init__(self, wrappedFactory: Any) -> None:
        self.wrappedFactory = wrappedFactory
        #: The wrappers that are connected.
        self.protocols: dict[Any, int] = {}

    def logPrefix(self) -> str:
        """The wrapped factory's name, and this one's."""
        return _named(self, self.wrappedFactory)

    def doStart(self) -> None:
        self.wrappedFactory.doStart()
        ClientFactory.doStart(self)

    def doStop(self) -> None:
        self.wrappedFactory.doStop()
        ClientFactory.doStop(self)

    def startedConnecting(self, connector: Any) -> None:
        self.wrappedFactory.startedConnecting(connector)

    def clientConnectionFailed(self, connector: Any, reason: Failure) -> None:
        self.wrappedFactory.clientConnectionFailed(connector, reason)

    def clientConnectionLost(self, connector: Any, reason: Failure) -> None:
        self.wrappedFactory.clientConnectionLost(connector, reason)

    def buildProtocol(self, addr: Any) -> Any:
        """A wrapper around what the wrapped factory builds; None if it builds nothing."""
        wrapped = self.wrappedFactory.buildProtocol(addr)
        return None if wrapped is None else self._wrap(wrapped)

    def _wrap(self, wrapped: Any) -> Any:
        return self.protocol(self, wrapped)

    def registerProtocol(self, p: Any) -> None:
        """The wrapper `p` is connected."""
        self.protocols[p] = 1

    def unregisterProtocol(self, p: Any) -> None:
        """The wrapper `p` has lost its connection."""
        del self.protocols[p]
