"""A reactor whose hosts are scripted: names have the addresses given, and a connection is made when the test says so.

Time is a Clock's; connectors are the real ones over a wire that leads nowhere.
"""

from collections.abc import Callable
from typing import Any

from torsion.address import IPv4Address, IPv6Address
from torsion.error import ConnectionDone, ConnectionRefusedError
from torsion.failure import Failure
from torsion.net.connector import BaseConnector
from torsion.task import Clock


class Wire:
    """A client's transport; `accept` and `refuse` are what the host does."""

    def __init__(self, connector: BaseConnector) -> None:
        self.connector: Any = connector
        self.protocol: Any = None
        self.over = False

    def accept(self) -> None:
        self.protocol = self.connector.buildProtocol(self.connector.getDestination())
        if self.protocol is None:
            self._lost(Failure(ConnectionDone()))
            return
        try:
            self.protocol.makeConnection(self)
        except BaseException:
            self._lost(Failure())

    def refuse(self, error: Any = None) -> None:
        self.failIfNotConnected(error or ConnectionRefusedError())

    def failIfNotConnected(self, error: Any) -> None:
        if not self.over:
            self.over = True
            self.connector.connectionFailed(Failure(error))

    def loseConnection(self) -> None:
        self._lost(Failure(ConnectionDone()))

    def _lost(self, reason: Failure) -> None:
        if not self.over:
            self.over = True
            protocol, self.protocol = self.protocol, None
            if protocol is not None:
                protocol.connectionLost(reason)
            connector, self.connector = self.connector, None
            connector.connectionLost(reason)


class ScriptedConnector(BaseConnector):
    def __init__(self, host: str, port: int, factory: Any, timeout: Any, reactor: Any) -> None:
        self.host, self.port = host, port
        super().__init__(factory, timeout, reactor)

    def _makeTransport(self) -> Wire:
        return Wire(self)

    def getDestination(self) -> Any:
        return address(self.host, self.port)


def address(host: str, port: int) -> Any:
    return (IPv6Address if ":" in host else IPv4Address)("TCP", host, port)


class Resolution:
    def __init__(self, name: str) -> None:
        self.name = name
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Hosts(Clock):
    """The reactor. `addresses`: what every name has, or None to leave the lookup open."""

    def __init__(self, *addresses: str, answers: bool = True) -> None:
        super().__init__()
        self.addresses = addresses
        self.answers = answers
        self.asked: list[tuple[Any, ...]] = []
        self.receiver: Any = None
        self.resolution: Any = None
        self.attempts: list[tuple[float, str]] = []
        self.arguments: list[dict[str, Any]] = []
        self.wires: list[Wire] = []
        self.on_connect: Callable[[Wire], object] = lambda wire: None

    def forget(self) -> None:
        """Those that were made refer to this reactor, and it to them."""
        self.wires.clear()
        self.receiver = None

    # Contract: IHostnameResolver

    @property
    def nameResolver(self) -> "Hosts":
        return self

    def resolveHostName(
        self,
        resolutionReceiver: Any,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Any = None,
        transportSemantics: str = "TCP",
    ) -> Any:
        self.asked.append((hostName, portNumber, addressTypes))
        self.receiver, self.resolution = resolutionReceiver, Resolution(hostName)
        resolutionReceiver.resolutionBegan(self.resolution)
        if self.answers:
            self.answer(portNumber, addressTypes)
        return self.resolution

    def answer(self, port: int, kinds: Any = None) -> None:
        for host in self.addresses:
            found = address(host, port)
            if kinds is None or type(found) in kinds:
                self.receiver.addressResolved(found)
        self.receiver.resolutionComplete()

    # Contract: IReactorTCP

    def connectTCP(self, host: str, port: int, factory: Any, timeout: Any = 30, bindAddress: Any = None) -> Any:
        self.attempts.append((round(self.seconds(), 3), host))
        self.arguments.append({"port": port, "timeout": timeout, "bindAddress": bindAddress})
        connector = ScriptedConnector(host, port, factory, None, self)
        connector.connect()
        self.wires.append(connector.transport)
        self.on_connect(connector.transport)
        return connector
