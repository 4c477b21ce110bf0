"""Reactors that only note what they are asked for: a test looks at `tcpServers`, and plays the network by hand.

Nothing listens and nothing connects. Whoever wants a network that does takes the VirtualReactor.
Contract: twisted.internet.testing.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from ..address import IPv4Address, IPv6Address, UNIXAddress
from ..error import UnsupportedAddressFamily
from ..net.filedescriptor import isIPv6Address
from ..task import Clock

ANY_ADDRESS: dict[int, str] = {socket.AF_INET: "0.0.0.0", socket.AF_INET6: "::"}
ADOPTED_PORT = 1234
"""The port that a descriptor which was adopted is said to be on."""


class _FakePort:
    """Listens nowhere. Contract: IListeningPort."""

    def __init__(self, hostAddress: Any) -> None:
        self._hostAddress = hostAddress

    def startListening(self) -> None: ...

    def stopListening(self) -> None: ...

    def getHost(self) -> Any:
        return self._hostAddress


class _FakeConnector:
    """Connects nowhere, and notes that it was told to stop, in `stoppedConnecting`. Contract: IConnector."""

    _disconnected = False
    stoppedConnecting = False

    def __init__(self, address: Any) -> None:
        self._address = address

    def stopConnecting(self) -> None:
        self.stoppedConnecting = True

    def disconnect(self) -> None:
        self._disconnected = True

    def connect(self) -> None: ...

    def getDestination(self) -> Any:
        return self._address


class SynchronousResolver:
    """Finds every name at 127.0.0.1, at once. Contract: IHostnameResolver."""

    def resolveHostName(
        self,
        resolutionReceiver: Any,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Any = None,
        transportSemantics: Any = "TCP",
    ) -> Any:
        resolution = SynchronousResolution(hostName)
        resolutionReceiver.resolutionBegan(resolution)
        if addressTypes is None or IPv4Address in addressTypes:
            resolutionReceiver.addressResolved(IPv4Address("TCP", "127.0.0.1", portNumber))
        resolutionReceiver.resolutionComplete()
        return resolution


class SynchronousResolution:
    """Over as soon as it began. Contract: IHostResolution."""

    def __init__(self, name: str) -> None:
        self.name = name

    def cancel(self) -> None: ...


class MemoryReactor:
    """Notes who listens and who connects, in lists of the arguments that were given:

    - `tcpServers`, `sslServers`, `unixServers`, `tcpClients`, `sslClients`, `unixClients`
    - `connectors`: what the connecting methods returned
    - `adoptedPorts`, `adoptedStreamConnections`; `readers` and `writers`
    - `triggers`: {phase: {event: [(callable, arguments, named arguments)]}}, and `whenRunningHooks`, called by run()
    - `running`, `hasInstalled`, `hasRun`, `hasStopped`, `hasCrashed`
    """

    def __init__(self) -> None:
        self.hasInstalled = self.running = self.hasRun = self.hasStopped = self.hasCrashed = False
        self.whenRunningHooks: list[Any] = []
        self.triggers: dict[str, dict[str, list[Any]]] = {}
        self.tcpClients: list[Any] = []
        self.tcpServers: list[Any] = []
        self.sslClients: list[Any] = []
        self.sslServers: list[Any] = []
        self.unixClients: list[Any] = []
        self.unixServers: list[Any] = []
        self.adoptedPorts: list[Any] = []
        self.adoptedStreamConnections: list[Any] = []
        self.connectors: list[Any] = []
        self.readers: set[Any] = set()
        self.writers: set[Any] = set()
        self.nameResolver: Any = SynchronousResolver()

    # Names

    def installNameResolver(self, resolver: Any) -> Any:
        """Returns the one before."""
        before, self.nameResolver = self.nameResolver, resolver
        return before

    def resolve(self, name: str, timeout: Any = 10) -> Any:
        """NotImplementedError: ask `nameResolver`."""
        raise NotImplementedError("a MemoryReactor finds names by its nameResolver only")

    # Its life

    def install(self) -> None:
        """Note it; nothing is installed."""
        self.hasInstalled = True

    def run(self) -> None:
        """Run what callWhenRunning was given, and end."""
        assert self.running is False, "it runs already"
        self.running = True
        self.hasRun = True
        for hook, args, kw in self.whenRunningHooks:
            hook(*args, **kw)
        self.stop()

    def stop(self) -> None:
        self.running = False
        self.hasStopped = True

    def crash(self) -> None:
        self.running = False
        self.hasCrashed = True

    def iterate(self, delay: float = 0) -> None:
        """NotImplementedError: there is nothing to turn."""
        raise NotImplementedError("a MemoryReactor has no loop to turn")

    def fireSystemEvent(self, eventType: str) -> None:
        """NotImplementedError: the test calls what it finds in `triggers`."""
        raise NotImplementedError("a MemoryReactor fires no events: call what is in `triggers`")

    def addSystemEventTrigger(
        self, phase: str, eventType: str, callable: Callable[..., object], *args: object, **kw: object
    ) -> None:
        self.triggers.setdefault(phase, {}).setdefault(eventType, []).append((callable, args, kw))

    def removeSystemEventTrigger(self, triggerID: Any) -> None:
        """NotImplementedError: there are no handles of triggers."""
        raise NotImplementedError("a MemoryReactor keeps its triggers")

    def callWhenRunning(self, callable: Callable[..., object], *args: object, **kw: object) -> None:
        """Note it for run(); once that was called, call it now."""
        if self.hasRun:
            callable(*args, **kw)
        else:
            self.whenRunningHooks.append((callable, args, kw))

    # Descriptors that others opened

    def adoptStreamPort(self, fileno: int, addressFamily: int, factory: Any) -> _FakePort:
        """UnsupportedAddressFamily for another than IPv4 and IPv6."""
        address = _any_address("TCP", addressFamily)
        self.adoptedPorts.append((fileno, addressFamily, factory))
        return _FakePort(address)

    def adoptStreamConnection(self, fileDescriptor: int, addressFamily: int, factory: Any) -> None:
        self.adoptedStreamConnections.append((fileDescriptor, addressFamily, factory))

    def adoptDatagramPort(self, fileno: int, addressFamily: int, protocol: Any, maxPacketSize: int = 8192) -> _FakePort:
        """UnsupportedAddressFamily for another than IPv4 and IPv6."""
        address = _any_address("UDP", addressFamily)
        self.adoptedPorts.append((fileno, addressFamily, protocol, maxPacketSize))
        return _FakePort(address)

    # Streams

    def listenTCP(self, port: int, factory: Any, backlog: int = 50, interface: str = "") -> _FakePort:
        self.tcpServers.append((port, factory, backlog, interface))
        return _port(port, interface)

    def connectTCP(
        self, host: str, port: int, factory: Any, timeout: float | None = 30, bindAddress: Any = None
    ) -> _FakeConnector:
        self.tcpClients.append((host, port, factory, timeout, bindAddress))
        return self._connecting(_address(host, port), factory)

    def listenSSL(
        self, port: int, factory: Any, contextFactory: Any, backlog: int = 50, interface: str = ""
    ) -> _FakePort:
        self.sslServers.append((port, factory, contextFactory, backlog, interface))
        return _port(port, interface)

    def connectSSL(
        self,
        host: str,
        port: int,
        factory: Any,
        contextFactory: Any,
        timeout: float | None = 30,
        bindAddress: Any = None,
    ) -> _FakeConnector:
        self.sslClients.append((host, port, factory, contextFactory, timeout, bindAddress))
        return self._connecting(_address(host, port), factory)

    def listenUNIX(
        self, address: Any, factory: Any, backlog: int = 50, mode: int = 0o666, wantPID: Any = 0
    ) -> _FakePort:
        self.unixServers.append((address, factory, backlog, mode, wantPID))
        return _FakePort(UNIXAddress(address))

    def connectUNIX(self, address: Any, factory: Any, timeout: float | None = 30, checkPID: Any = 0) -> _FakeConnector:
        self.unixClients.append((address, factory, timeout, checkPID))
        return self._connecting(UNIXAddress(address), factory)

    def _connecting(self, address: Any, factory: Any) -> _FakeConnector:
        connector = _FakeConnector(address)
        factory.startedConnecting(connector)
        self.connectors.append(connector)
        return connector

    # Readiness

    def addReader(self, reader: Any) -> None:
        self.readers.add(reader)

    def removeReader(self, reader: Any) -> None:
        self.readers.discard(reader)

    def addWriter(self, writer: Any) -> None:
        self.writers.add(writer)

    def removeWriter(self, writer: Any) -> None:
        self.writers.discard(writer)

    def getReaders(self) -> list[Any]:
        return list(self.readers)

    def getWriters(self) -> list[Any]:
        return list(self.writers)

    def removeAll(self) -> list[Any]:
        """Remove them; returns what there was."""
        removed = list(self.readers | self.writers)
        self.readers.clear()
        self.writers.clear()
        return removed


class MemoryReactorClock(MemoryReactor, Clock):
    """A MemoryReactor whose time is a Clock's: callLater, advance."""

    def __init__(self) -> None:
        MemoryReactor.__init__(self)
        Clock.__init__(self)


class RaisingMemoryReactor:
    """One that cannot listen, for it raises `listenException`, nor connect, for it raises `connectException`."""

    def __init__(
        self, listenException: BaseException | None = None, connectException: BaseException | None = None
    ) -> None:
        self._listenException: Any = listenException
        self._connectException: Any = connectException
        self.nameResolver: Any = SynchronousResolver()

    def installNameResolver(self, nameResolver: Any) -> Any:
        """Returns the one before."""
        before, self.nameResolver = self.nameResolver, nameResolver
        return before

    def adoptStreamPort(self, fileno: int, addressFamily: int, factory: Any) -> Any:
        raise self._listenException

    def listenTCP(self, port: int, factory: Any, backlog: int = 50, interface: str = "") -> Any:
        raise self._listenException

    def connectTCP(
        self, host: str, port: int, factory: Any, timeout: float | None = 30, bindAddress: Any = None
    ) -> Any:
        raise self._connectException

    def listenSSL(self, port: int, factory: Any, contextFactory: Any, backlog: int = 50, interface: str = "") -> Any:
        raise self._listenException

    def connectSSL(
        self,
        host: str,
        port: int,
        factory: Any,
        contextFactory: Any,
        timeout: float | None = 30,
        bindAddress: Any = None,
    ) -> Any:
        raise self._connectException

    def listenUNIX(self, address: Any, factory: Any, backlog: int = 50, mode: int = 0o666, wantPID: Any = 0) -> Any:
        raise self._listenException

    def connectUNIX(self, address: Any, factory: Any, timeout: float | None = 30, checkPID: Any = 0) -> Any:
        raise self._connectException

    def adoptDatagramPort(self, fileDescriptor: int, addressFamily: int, protocol: Any, maxPacketSize: int) -> Any:
        raise self._connectException

    def adoptStreamConnection(self, fileDescriptor: int, addressFamily: int, factory: Any) -> Any:
        raise self._connectException


def _address(host: str, port: int) -> IPv4Address | IPv6Address:
    return (IPv6Address if isIPv6Address(host) else IPv4Address)("TCP", host, port)


def _port(port: int, interface: str) -> _FakePort:
    if isIPv6Address(interface):
        return _FakePort(IPv6Address("TCP", interface, port))
    return _FakePort(IPv4Address("TCP", "0.0.0.0", port))


def _any_address(transport: Any, family: int) -> IPv4Address | IPv6Address:
    if family not in ANY_ADDRESS:
        raise UnsupportedAddressFamily(family)
    return (IPv6Address if family == socket.AF_INET6 else IPv4Address)(transport, ANY_ADDRESS[family], ADOPTED_PORT)
