"""A port forwarder: each connection is joined to a new one to the target, and each way only as fast as its reader.

Contract: twisted.protocols.portforward.
"""

from __future__ import annotations

from typing import Any

from .. import reactors, report
from ..failure import Failure
from ..protocol import ClientFactory, Factory, Protocol, connectionDone

__all__ = ["Proxy", "ProxyClient", "ProxyClientFactory", "ProxyFactory", "ProxyServer"]


class Proxy(Protocol):
    """One of two joined connections: what it receives, its peer sends."""

    noisy = True
    peer: Any = None
    _joined = False  # each transport is the producer of the other

    def setPeer(self, peer: Any) -> None:
        """Send what this receives through `peer`, another Proxy."""
        self.peer = peer

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Close the other one, too."""
        peer, self.peer = self.peer, None
        if peer is not None:
            if self._joined:
                peer.transport.unregisterProducer()  # this one will not resume what it paused
                self._joined = peer._joined = False
            peer.transport.loseConnection()
        elif self.noisy:
            report.info("Unable to connect to peer: {reason}", reason=reason)

    def dataReceived(self, data: bytes) -> None:
        """Send it on."""
        self.peer.transport.write(data)


class ProxyClient(Proxy):
    """The connection to the target."""

    def connectionMade(self) -> None:
        """Join the two; the server's may receive from now on."""
        self.peer.setPeer(self)
        # Each is paused while the other one has more to send than it should hold.
        self.transport.registerProducer(self.peer.transport, True)
        self.peer.transport.registerProducer(self.transport, True)
        self._joined = self.peer._joined = True
        self.peer.transport.resumeProducing()


class ProxyClientFactory(ClientFactory[Any]):
    """Makes the connection to the target, for one that was accepted."""

    protocol = ProxyClient
    server: Any = None

    def setServer(self, server: Any) -> None:
        """The accepted connection."""
        self.server = server

    def buildProtocol(self, addr: Any) -> Any:
        """The client, which knows its peer."""
        client = super().buildProtocol(addr)
        assert client is not None
        client.setPeer(self.server)
        return client

    def clientConnectionFailed(self, connector: Any, reason: Failure) -> None:
        """No way to the target: close the accepted connection."""
        self.server.transport.loseConnection()


class ProxyServer(Proxy):
    """An accepted connection."""

    clientProtocolFactory = ProxyClientFactory
    #: With what the target is connected to; None: the reactor that runs.
    reactor: Any = None

    def connectionMade(self) -> None:
        """Receive nothing before there is somewhere to send it, and connect to the target."""
        self.transport.pauseProducing()
        client = self.clientProtocolFactory()
        client.setServer(self)
        if self.reactor is None:
            self.reactor = reactors.current()
        self.reactor.connectTCP(self.factory.host, self.factory.port, client)


class ProxyFactory(Factory[Any]):
    """Forwards each connection to a host and port."""

    protocol = ProxyServer

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
