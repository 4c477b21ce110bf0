"""One client's attempts: states, the time limit, and what the factory is told."""

from typing import Any

import pytest
from tests.contract.streams import Makers, net

from torsion.base import BaseConnector
from torsion.contract import Reactor
from torsion.error import ConnectionDone, ConnectionRefusedError, NotConnectingError, TimeoutError, UserError
from torsion.failure import Failure
from torsion.net import tcp, tcpclient
from torsion.task import Clock


class Transport:
    def __init__(self, connector):
        self.connector, self.log = connector, []

    def failIfNotConnected(self, error):
        self.log.append(type(error))
        self.connector.connectionFailed(Failure(error))

    def loseConnection(self):
        self.log.append("lose")


class Factory:
    def __init__(self):
        self.log = []
        self.again = False

    def doStart(self):
        self.log.append("start")

    def doStop(self):
        self.log.append("stop")

    def startedConnecting(self, connector):
        self.log.append("connecting")

    def buildProtocol(self, address):
        self.log.append(address)
        return "protocol"

    def clientConnectionFailed(self, connector, reason):
        self._over("failed", connector, reason)

    def clientConnectionLost(self, connector, reason):
        self._over("lost", connector, reason)

    def _over(self, how, connector, reason):
        self.log.append((how, type(reason.value), connector.state))
        if self.again:
            connector.connect()


class Connector(BaseConnector):
    def _makeTransport(self):
        return Transport(self)

    def getDestination(self):
        return "there"


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def factory():
    return Factory()


@pytest.fixture
def connector(factory, clock):
    return Connector(factory, 30, clock)


def test_s070_connecting_starts_the_factory_and_tells_it_within_the_call(connector, factory):
    assert connector.state == "disconnected"
    connector.connect()
    assert connector.state == "connecting"
    assert factory.log == ["start", "connecting"]


def test_s070_an_attempt_that_takes_too_long_fails_with_timeout_error(connector, factory, clock):
    connector.connect()
    clock.advance(29.9)
    assert connector.state == "connecting"
    clock.advance(0.2)
    assert factory.log[2:] == [("failed", TimeoutError, "disconnected"), "stop"]


def test_s070_without_a_time_limit_there_is_no_timer(factory, clock):
    Connector(factory, None, clock).connect()
    assert clock.getDelayedCalls() == []


def test_s072_connect_when_not_disconnected_is_an_error_that_says_so(connector):
    connector.connect()
    with pytest.raises(RuntimeError, match="connecting"):
        connector.connect()
    connector.buildProtocol("address")
    with pytest.raises(RuntimeError, match="connected"):
        connector.connect()


def test_s072_stop_connecting_fails_the_attempt_with_user_error_at_once(connector, factory, clock):
    connector.connect()
    connector.stopConnecting()
    assert factory.log[2:] == [("failed", UserError, "disconnected"), "stop"]
    assert clock.getDelayedCalls() == []


def test_s072_there_is_nothing_to_stop_before_and_after(connector):
    for prepare in (lambda: None, connector.connect):
        prepare()
        if connector.state == "connecting":
            connector.buildProtocol("address")
        with pytest.raises(NotConnectingError):
            connector.stopConnecting()


def test_s072_once_connected_the_time_limit_is_over_and_disconnect_closes(connector, factory, clock):
    connector.connect()
    transport = connector.transport
    assert connector.buildProtocol("address") == "protocol"
    assert (connector.state, clock.getDelayedCalls()) == ("connected", [])
    connector.disconnect()
    assert transport.log == ["lose"]
    connector.connectionLost(Failure(ConnectionDone()))
    assert factory.log[2:] == ["address", ("lost", ConnectionDone, "disconnected"), "stop"]
    connector.disconnect()  # nothing happens


def test_s072_disconnect_while_connecting_stops_the_attempt(connector, factory):
    connector.connect()
    connector.disconnect()
    assert factory.log[2:] == [("failed", UserError, "disconnected"), "stop"]


@pytest.mark.parametrize("how", ["failed", "lost"])
def test_s072_a_factory_that_connects_again_is_not_stopped_and_not_started_again(connector, factory, how):
    connector.connect()
    factory.again = True
    if how == "failed":
        connector.connectionFailed(Failure(ConnectionRefusedError()))
    else:
        connector.buildProtocol("address")
        connector.connectionLost(Failure(ConnectionDone()))
    assert connector.state == "connecting"
    assert "stop" not in factory.log
    assert factory.log.count("start") == 1


@pytest.mark.parametrize("how", ["connectionFailed", "connectionLost"])
def test_s067_a_factory_that_raises_is_reported_and_stopped_all_the_same(connector, factory, reports, how):
    connector.connect()
    factory.clientConnectionFailed = factory.clientConnectionLost = lambda connector, reason: 1 / 0
    getattr(connector, how)(Failure(ConnectionRefusedError()))
    assert "Unhandled error" in reports.take(ZeroDivisionError)
    assert (factory.log[-1], connector.state) == ("stop", "disconnected")


def test_the_last_reset_of_the_time_limit_may_be_asked_for_twice(connector, clock):
    connector.connect()
    connector.cancelTimeout()
    connector.cancelTimeout()
    assert clock.getDelayedCalls() == []


def test_its_repr_says_where_to_and_how_far(connector):
    assert repr(connector).endswith(f"Connector instance at {id(connector):#x} disconnected there>")


def test_what_a_subclass_must_bring_says_so(factory, clock):
    bare = BaseConnector(factory, 30, clock)
    for call in (bare._makeTransport, bare.getDestination):
        with pytest.raises(NotImplementedError, match="BaseConnector"):
            call()


def test_a_factory_that_cannot_be_started_leaves_its_connector_disconnected() -> None:
    class Broken(Makers):
        def doStart(self) -> None:
            raise ZeroDivisionError

    with net(Reactor) as here:
        connector = tcpclient.Connector("127.0.0.1", 1, Broken(), None, None, here.reactor)
        for _ in range(2):
            with pytest.raises(ZeroDivisionError):
                connector.connect()
            assert connector.state == "disconnected"
        connector.disconnect()


@pytest.mark.parametrize(
    ("address", "error"),
    [(("127.0.0.1", 99999), OverflowError), (("127.0.0.1", "x"), TypeError), (("\0", 0), TypeError)],
)
def test_a_bindaddress_that_is_none_is_said_at_once_and_nothing_is_left(address: Any, error: type[Exception]) -> None:
    made: list[Any] = []

    class Client(tcpclient.Client):
        def createInternetSocket(self) -> Any:
            made.append(super().createInternetSocket())
            return made[-1]

    class Connector(tcpclient.Connector):
        def _makeTransport(self) -> Any:
            return Client(self.host, self.port, self.bindAddress, self, self.reactor)

    with net(Reactor) as here:
        factory = Makers()
        connector = Connector("127.0.0.1", 1, factory, None, address, here.reactor)
        with pytest.raises(error):
            connector.connect()
        assert connector.state == "disconnected"
        assert factory.told == ["start", "stop"]
        assert [skt.fileno() for skt in made] == [-1]


@pytest.mark.parametrize(("port", "interface"), [(99999, "127.0.0.1"), (0, "\0")])
def test_a_port_that_cannot_be_bound_to_what_is_no_address_is_closed(
    port: int, interface: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Any] = []

    def create(self: Any) -> Any:
        made.append(create_socket(self))
        return made[-1]

    create_socket = tcp.Port.createInternetSocket
    monkeypatch.setattr(tcp.Port, "createInternetSocket", create)
    with net(Reactor) as here, pytest.raises((OverflowError, TypeError)):
        here.reactor.listenTCP(port, Makers(), interface=interface)
    assert [skt.fileno() for skt in made] == [-1]
