"""Servers behind a proxy that says, by the PROXY protocol (version 1 or 2), whose connections it passes on.

    endpoint = proxyEndpoint(TCP4ServerEndpoint(reactor, 8080))

The transports of protocols behind such an endpoint give, once the header is there, the client's address for getPeer()
and the one it connected to for getHost(); before that, and where the header names none, the connection's own. What a
client could send to such a port by itself would be believed: let only the proxy reach it.

Contract: twisted.protocols.haproxy.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol, runtime_checkable

from .. import protocol, report
from ..core.proxyheader import (
    LIMIT,
    HeaderParser,
    InvalidNetworkProtocol,
    InvalidProxyHeader,
    MissingAddressData,
    ProxyInfo,
)
from ..failure import Failure
from ..net.descriptor import prefix_of

__all__ = [
    "HAProxyWrappingFactory",
    "HeaderParser",
    "IProxyInfo",
    "InvalidNetworkProtocol",
    "InvalidProxyHeader",
    "MissingAddressData",
    "ProxyInfo",
    "proxyEndpoint",
]


@runtime_checkable
class IProxyInfo(Protocol):
    """What a header of the PROXY protocol says; ProxyInfo is one."""

    @property
    def header(self) -> bytes:
        """The header as it came."""

    @property
    def source(self) -> Any:
        """The address of the client, or None."""

    @property
    def destination(self) -> Any:
        """The address that the client connected to, or None."""


class HAProxyProtocolWrapper(protocol.Protocol):
    """The protocol of a connection that comes through a proxy, and the transport of the protocol behind it.

    What it does not have itself is the connection's transport's.
    """

    #: What the header says, once it is there; None before, and if what came is no header.
    proxy_info: ProxyInfo | None = None

    def __init__(self, factory: HAProxyWrappingFactory, wrappedProtocol: Any) -> None:
        self.factory = factory
        self.wrappedProtocol = wrappedProtocol
        self._parser: HeaderParser | None = HeaderParser(factory.header_limit)

    # As a protocol

    def logPrefix(self) -> str:
        return f"{prefix_of(self.wrappedProtocol)} (PROXY)"

    def connectionMade(self) -> None:
        """The protocol behind it is told at once, before the header is there."""
        announce(self, self.transport)
        self.wrappedProtocol.makeConnection(self)

    def dataReceived(self, data: bytes) -> None:
        if self.proxy_info is not None:
            self.wrappedProtocol.dataReceived(data)
        elif self._parser is not None:
            self._take_header(self._parser, data)

    def _take_header(self, parser: HeaderParser, data: bytes) -> None:
        try:
            self.proxy_info, rest = parser.feed(data)
        except InvalidProxyHeader as error:
            self._parser = None
            report.info(f"A connection from {self.getPeer()} is closed: {error}")
            self.loseConnection()
            return
        if self.proxy_info is not None:
            self._parser = None
            if rest:
                self.wrappedProtocol.dataReceived(rest)

    def connectionLost(self, reason: Failure = protocol.connectionDone) -> None:
        self._parser = None
        wrapped, self.wrappedProtocol = self.wrappedProtocol, None  # which has this as its transport
        wrapped.connectionLost(reason)

    # As a transport

    def getPeer(self) -> Any:
        """The client's address, as far as it is known."""
        source = None if self.proxy_info is None else self.proxy_info.source
        return self.transport.getPeer() if source is None else source

    def getHost(self) -> Any:
        """The address that the client connected to, as far as it is known."""
        destination = None if self.proxy_info is None else self.proxy_info.destination
        return self.transport.getHost() if destination is None else destination

    def write(self, data: bytes) -> None:
        self.transport.write(data)

    def writeSequence(self, data: Iterable[bytes]) -> None:
        self.transport.writeSequence(data)

    def loseConnection(self) -> None:
        self.transport.loseConnection()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.transport, name)


def announce(wrapper: HAProxyProtocolWrapper, transport: Any) -> None:
    """Declare that `wrapper` is what `transport` is. Here there is nothing to declare; the takeover replaces this."""


class HAProxyWrappingFactory(protocol.Factory[HAProxyProtocolWrapper]):
    """Puts the PROXY protocol before the protocols of another factory, which may be listened with by any transport."""

    protocol: Any = HAProxyProtocolWrapper
    #: A header may have at most so many bytes; a connection with a longer one is closed.
    header_limit = LIMIT

    def __init__(self, wrappedFactory: Any) -> None:
        self.wrappedFactory = wrappedFactory

    def logPrefix(self) -> str:
        return f"{prefix_of(self.wrappedFactory)} (PROXY)"

    def doStart(self) -> None:
        self.wrappedFactory.doStart()
        super().doStart()

    def doStop(self) -> None:
        self.wrappedFactory.doStop()
        super().doStop()

    def buildProtocol(self, addr: Any) -> HAProxyProtocolWrapper | None:
        wrapped = self.wrappedFactory.buildProtocol(addr)
        if wrapped is None:
            return None
        made: HAProxyProtocolWrapper = self.protocol(self, wrapped)
        return made


class ProxiedEndpoint:
    """What proxyEndpoint makes. Contract: IStreamServerEndpoint."""

    def __init__(self, wrappedEndpoint: Any) -> None:
        self._wrappedEndpoint = wrappedEndpoint

    def listen(self, protocolFactory: Any) -> Any:
        """Listen for the factory by the wrapped endpoint: a Deferred of the port."""
        return self._wrappedEndpoint.listen(HAProxyWrappingFactory(protocolFactory))


def proxyEndpoint(wrappedEndpoint: Any) -> ProxiedEndpoint:
    """A server's endpoint whose connections all come through a proxy that speaks the PROXY protocol.

    A connection that begins with anything else is closed. Contract: twisted.protocols.haproxy.proxyEndpoint.
    """
    return ProxiedEndpoint(wrappedEndpoint)
