"""Protocols and factories: what a program writes, and what transports and reactors call on it."""

import pickle
import random
from collections.abc import Iterator
from typing import Any

import pytest

from torsion import report
from torsion.defer import CancelledError
from torsion.error import ConnectError, ConnectionDone, NotConnectingError
from torsion.failure import Failure
from torsion.protocol import (
    BaseProtocol,
    ClientCreator,
    ClientFactory,
    ConnectedDatagramProtocol,
    ConsumerToProtocolAdapter,
    DatagramProtocol,
    Factory,
    FileWrapper,
    ProcessProtocol,
    Protocol,
    ProtocolToConsumerAdapter,
    ReconnectingClientFactory,
    ServerFactory,
    connectionDone,
)
from torsion.task import Clock

Calls = list[Any]


class Infos(list[tuple[str, dict[str, object]]]):
    """What was reported that is no trouble."""

    def texts(self) -> list[str]:
        return [text for text, _ in self]


@pytest.fixture
def infos() -> Iterator[Infos]:
    found = Infos()

    def sink(level: str, text: str, failure: Failure | None, details: dict[str, object]) -> None:
        assert level == "info"
        found.append((text.format(**details), details))

    report.set_sink(sink)
    yield found
    report.set_sink(None)


# Protocols


@pytest.mark.parametrize("kind", [BaseProtocol, Protocol, ProcessProtocol])
def test_a_protocol_is_connected_when_it_is_told_so(kind: type[BaseProtocol]) -> None:
    seen: Calls = []

    class Mine(kind):  # type: ignore[valid-type,misc]
        def connectionMade(self) -> None:
            seen.append((self.connected, self.transport))

    protocol = Mine()
    assert (protocol.connected, protocol.transport) == (0, None)
    transport = object()
    protocol.makeConnection(transport)
    assert seen == [(1, transport)]


def test_a_plain_protocol_takes_everything_and_does_nothing() -> None:
    protocol: Any = Protocol()
    protocol.makeConnection(None)
    protocol.dataReceived(b"data")
    protocol.connectionLost(Failure(ConnectionDone()))
    assert protocol.factory is None
    assert protocol.connected  # s098: it stays set


def test_a_connection_is_lost_regularly_unless_a_reason_is_given() -> None:
    reasons: Calls = []

    class Mine(Protocol):
        def connectionLost(self, reason: Failure = connectionDone) -> None:
            reasons.append(reason)

    Mine().connectionLost()
    Protocol().connectionLost()
    assert reasons == [connectionDone]
    assert connectionDone.check(ConnectionDone)
    assert connectionDone.getErrorMessage() == "Connection was closed cleanly."


@pytest.mark.parametrize("kind", [Protocol, DatagramProtocol, Factory, ClientFactory, ServerFactory])
def test_logs_name_the_class(kind: type) -> None:
    Mine: Any = type("Mine", (kind,), {})
    assert Mine().logPrefix() == "Mine"


def test_a_childs_pipes_go_to_methods_of_their_own() -> None:
    seen: Calls = []

    class Mine(ProcessProtocol):
        def outReceived(self, data: bytes) -> None:
            seen.append(("out", data))

        def errReceived(self, data: bytes) -> None:
            seen.append(("err", data))

        def inConnectionLost(self) -> None:
            seen.append("in lost")

        def outConnectionLost(self) -> None:
            seen.append("out lost")

        def errConnectionLost(self) -> None:
            seen.append("err lost")

    for child in (Mine(), ProcessProtocol()):  # the plain one takes all of it, too
        for fd in range(4):
            child.childDataReceived(fd, b"data")
            child.childConnectionLost(fd)
        child.processExited(connectionDone)
        child.processEnded(connectionDone)
    assert seen == ["in lost", ("out", b"data"), "out lost", ("err", b"data"), "err lost"]


# Datagrams


class Datagrams(DatagramProtocol):
    def __init__(self) -> None:
        self.seen: Calls = []

    def startProtocol(self) -> None:
        self.seen.append(("start", self.transport))

    def stopProtocol(self) -> None:
        self.seen.append(("stop", self.transport))


def test_a_datagram_protocol_starts_with_its_first_transport_and_stops_with_its_last(infos: Infos) -> None:
    protocol = Datagrams()
    protocol.makeConnection("udp")
    assert protocol.seen == [("start", "udp")]
    protocol.doStart()
    assert protocol.numPorts == 2
    protocol.doStop()
    assert protocol.transport is None
    assert protocol.seen == [("start", "udp")]
    protocol.doStop()
    assert protocol.seen == [("start", "udp"), ("stop", None)]
    assert protocol.numPorts == 0
    assert infos == [
        (f"Starting protocol {protocol}", {}),
        (f"Stopping protocol {protocol}", {}),
    ]


def test_a_datagram_protocol_has_one_transport_at_a_time(infos: Infos) -> None:
    protocol = Datagrams()
    with pytest.raises(AssertionError, match="is on no transport"):
        protocol.doStop()
    protocol.makeConnection("udp")
    with pytest.raises(AssertionError, match="is on 'udp' already"):
        protocol.makeConnection("another")
    assert (protocol.transport, protocol.numPorts) == ("udp", 1)


def test_a_quiet_datagram_protocol_reports_nothing(infos: Infos) -> None:
    protocol = Datagrams()
    protocol.noisy = False
    protocol.makeConnection("udp")
    protocol.doStop()
    assert not infos


def test_a_datagram_protocol_pickles_without_its_transport() -> None:
    protocol = DatagramProtocol()
    protocol.transport = open  # what cannot be pickled as it is on no transport there
    protocol.note = "mine"  # type: ignore[attr-defined]
    copy = pickle.loads(pickle.dumps(protocol))
    assert vars(copy) == {"transport": None, "note": "mine"}


def test_plain_datagram_protocols_take_everything() -> None:
    protocol = DatagramProtocol()
    protocol.datagramReceived(b"data", ("127.0.0.1", 80))
    protocol.connectionRefused()
    protocol.startProtocol()
    protocol.stopProtocol()
    connected = ConnectedDatagramProtocol()
    connected.datagramReceived(b"data")
    connected.connectionFailed(connectionDone)


# Factories


class Counting(Factory[Protocol]):
    def __init__(self, *args: object, **kwargs: object) -> None:
        self.made_with = (args, kwargs)
        self.seen: Calls = []

    def startFactory(self) -> None:
        self.seen.append(("start", self.numPorts))

    def stopFactory(self) -> None:
        self.seen.append(("stop", self.numPorts))


def test_s073_a_factory_starts_with_its_first_port_and_stops_with_its_last(infos: Infos) -> None:
    factory = Counting()
    for _ in range(3):
        factory.doStart()
    assert (factory.seen, factory.numPorts) == ([("start", 0)], 3)
    for _ in range(3):
        factory.doStop()
    assert (factory.seen, factory.numPorts) == ([("start", 0), ("stop", 0)], 0)
    assert infos == [
        (f"Starting factory {factory!r}", {"factory": factory}),
        (f"Stopping factory {factory!r}", {"factory": factory}),
    ]


def test_stopping_a_factory_that_nobody_uses_does_nothing(infos: Infos) -> None:
    factory = Counting()
    factory.doStop()
    assert (factory.seen, factory.numPorts, infos) == ([], 0, [])


def test_a_factory_that_failed_to_start_is_not_in_use(infos: Infos) -> None:
    class Broken(Factory[Protocol]):
        def startFactory(self) -> None:
            raise OSError("no database")

    factory = Broken()
    with pytest.raises(OSError, match="no database"):
        factory.doStart()
    assert factory.numPorts == 0


def test_a_quiet_factory_reports_nothing(infos: Infos) -> None:
    factory = Counting()
    factory.noisy = False
    factory.doStart()
    factory.doStop()
    assert not infos


def test_a_factory_makes_protocols_that_know_it() -> None:
    class Mine(Factory[Protocol]):
        protocol = Protocol

    factory = Mine()
    first, second = factory.buildProtocol(None), factory.buildProtocol(None)
    assert isinstance(first, Protocol)
    assert first is not second
    assert first.factory is factory


def test_a_factory_without_a_protocol_says_so() -> None:
    with pytest.raises(AssertionError, match="has no protocol"):
        Factory().buildProtocol(None)


def test_a_factory_for_a_protocol_is_made_with_the_other_arguments() -> None:
    factory = Counting.forProtocol(Protocol, 1, two=2)
    assert type(factory) is Counting
    assert factory.protocol is Protocol
    assert factory.made_with == ((1,), {"two": 2})
    assert Factory.protocol is None
    assert isinstance(factory.buildProtocol(None), Protocol)


def test_factories_can_be_subscripted_with_what_they_make() -> None:
    class Mine(ServerFactory[Protocol]):
        pass

    assert issubclass(Mine, Factory)
    assert ClientFactory[Protocol]().numPorts == 0


def test_a_plain_client_factory_takes_everything() -> None:
    factory: ClientFactory[Protocol] = ClientFactory()
    factory.startedConnecting(None)
    factory.clientConnectionFailed(None, connectionDone)
    factory.clientConnectionLost(None, connectionDone)


# Connecting again


class Connector:
    """Counts. `stopped` is raised by stopConnecting."""

    def __init__(self, stopped: Exception | None = None) -> None:
        self.connects = self.stops = 0
        self.stopped = stopped

    def connect(self) -> None:
        self.connects += 1

    def stopConnecting(self) -> None:
        self.stops += 1
        if self.stopped is not None:
            raise self.stopped

    def __repr__(self) -> str:
        return "<a connector>"


def reconnecting(**attributes: Any) -> tuple[ReconnectingClientFactory[Protocol], Clock]:
    factory: ReconnectingClientFactory[Protocol] = ReconnectingClientFactory()
    clock = Clock()
    vars(factory).update({"clock": clock, "jitter": None, "noisy": False, **attributes})
    return factory, clock


def wait(clock: Clock) -> float:
    """Advance to the one pending call; returns how long that took."""
    (call,) = clock.getDelayedCalls()
    delay = call.getTime() - clock.seconds()
    clock.advance(delay)
    return delay


def test_s107_each_delay_is_e_times_the_one_before_up_to_an_hour() -> None:
    factory, clock = reconnecting()
    connector = Connector()
    delays = []
    for number in range(11):
        factory.clientConnectionFailed(connector, connectionDone)
        assert connector.connects == number
        delays.append(wait(clock))
        assert connector.connects == number + 1
    assert delays == pytest.approx([2.718281828459045**power for power in range(9)] + [3600, 3600])


def test_s107_a_lost_connection_is_retried_as_a_failed_one() -> None:
    factory, clock = reconnecting()
    connector = Connector()
    factory.clientConnectionLost(connector, connectionDone)
    assert factory.connector is connector
    assert wait(clock) == 1
    factory.clientConnectionFailed(connector, connectionDone)
    assert wait(clock) == pytest.approx(2.718281828459045)


def test_s107_jitter_spreads_a_delay_by_12_percent_and_feeds_forward(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def spread(mean: float, deviation: float) -> float:
        asked.append((mean, deviation))
        return mean * 1.5

    monkeypatch.setattr(random, "normalvariate", spread)
    factory, clock = reconnecting(maxDelay=5)
    del factory.jitter  # the default
    connector = Connector()
    delays = []
    for _ in range(3):
        factory.clientConnectionFailed(connector, connectionDone)
        delays.append(wait(clock))
    second = 1.5 * 2.718281828459045
    # The cap is on what the next delay is made from, not on what jitter makes of it.
    assert delays == pytest.approx([1.5, second * 1.5, 7.5])
    assert [mean for mean, _ in asked] == pytest.approx([1, second, 5])
    assert [deviation / mean for mean, deviation in asked] == pytest.approx([0.119626565582] * 3)


def test_s107_max_retries_two_gives_two_retries(infos: Infos) -> None:
    factory, clock = reconnecting(maxRetries=2, noisy=True)
    connector = Connector()
    for _ in range(2):
        factory.clientConnectionFailed(connector, connectionDone)
        wait(clock)
    factory.clientConnectionFailed(connector, connectionDone)
    assert not clock.getDelayedCalls()
    assert connector.connects == 2
    assert infos.texts() == [
        "<a connector> will retry in 1 seconds",
        "<a connector> will retry in 3 seconds",
        "Abandoning <a connector> after 3 retries.",
    ]


def test_s107_stop_trying_cancels_the_pending_retry(infos: Infos) -> None:
    factory, clock = reconnecting()
    connector = Connector()
    factory.clientConnectionFailed(connector, connectionDone)
    factory.stopTrying()
    assert not clock.getDelayedCalls()
    assert connector.stops == 1
    factory.clientConnectionFailed(connector, connectionDone)
    factory.clientConnectionLost(connector, connectionDone)
    assert not clock.getDelayedCalls()
    factory.noisy = True
    factory.retry()
    assert infos.texts() == ["Abandoning <a connector> on explicit request"]


@pytest.mark.parametrize("connector", [None, Connector(NotConnectingError())])
def test_s107_stop_trying_does_not_mind_that_nothing_is_going_on(connector: Any) -> None:
    factory, clock = reconnecting(connector=connector)
    factory.stopTrying()
    assert not factory.continueTrying
    assert not clock.getDelayedCalls()


def test_s107_reset_delay_enables_trying_again() -> None:
    factory, clock = reconnecting(initialDelay=3, maxRetries=1)
    connector = Connector()
    factory.clientConnectionFailed(connector, connectionDone)
    factory.clientConnectionFailed(connector, connectionDone)
    factory.stopTrying()
    factory.resetDelay()
    assert (factory.delay, factory.retries, factory.continueTrying) == (3, 0, 1)
    factory.clientConnectionFailed(connector, connectionDone)
    assert wait(clock) == 3


def test_a_retry_needs_a_connector() -> None:
    factory, clock = reconnecting()
    with pytest.raises(ValueError, match="no connector to retry"):
        factory.retry()
    factory.retry(Connector())
    assert wait(clock) == 1


def test_a_reconnecting_factory_pickles_without_what_is_going_on() -> None:
    factory, _ = reconnecting(maxDelay=10)
    factory.retry(Connector())
    factory.stopTrying()
    copy = pickle.loads(pickle.dumps(factory))
    assert vars(copy) == {"jitter": None, "noisy": False, "maxDelay": 10}
    assert (copy.delay, copy.retries, copy.continueTrying, copy.clock) == (1, 0, 1, None)


# One connection


class Connecting:
    """Stands for a reactor that connects, and for the connector of the one attempt."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.attempts: Calls = []
        self.disconnects = 0

    def callLater(self, *arguments: Any) -> Any:
        return self.clock.callLater(*arguments)

    def connectTCP(self, host: Any, port: Any, factory: Any, **options: Any) -> Any:
        return self.attempt(("tcp", host, port), factory, options)

    def connectUNIX(self, address: Any, factory: Any, **options: Any) -> Any:
        return self.attempt(("unix", address), factory, options)

    def connectSSL(self, host: Any, port: Any, factory: Any, context: Any, **options: Any) -> Any:
        return self.attempt(("ssl", host, port, context), factory, options)

    def attempt(self, where: Any, factory: Any, options: Any) -> Any:
        self.attempts.append((where, options))
        self.factory = factory
        return self

    def disconnect(self) -> None:
        self.disconnects += 1


def outcome(deferred: Any) -> Calls:
    seen: Calls = []
    deferred.addBoth(seen.append)
    return seen


def test_a_client_creator_connects_as_the_reactor_does() -> None:
    reactor = Connecting()
    creator = ClientCreator(reactor, Protocol)
    creator.connectTCP("host", 1, timeout=2, bindAddress=("local", 3))
    creator.connectUNIX("/path", timeout=2, checkPID=True)
    creator.connectSSL("host", 1, "context", timeout=2, bindAddress=("local", 3))
    creator.connectTCP("host", 1)
    creator.connectUNIX("/path")
    creator.connectSSL("host", 1, "context")
    assert reactor.attempts == [
        (("tcp", "host", 1), {"timeout": 2, "bindAddress": ("local", 3)}),
        (("unix", "/path"), {"timeout": 2, "checkPID": True}),
        (("ssl", "host", 1, "context"), {"timeout": 2, "bindAddress": ("local", 3)}),
        (("tcp", "host", 1), {"timeout": 30, "bindAddress": None}),
        (("unix", "/path"), {"timeout": 30, "checkPID": False}),
        (("ssl", "host", 1, "context"), {"timeout": 30, "bindAddress": None}),
    ]


def test_a_client_creator_gives_the_protocol_once_it_is_connected(infos: Infos) -> None:
    class Mine(Protocol):
        def __init__(self, *args: object, **kwargs: object) -> None:
            self.made_with = (args, kwargs)

    reactor = Connecting()
    seen = outcome(ClientCreator(reactor, Mine, 1, two=2).connectTCP("host", 1))
    reactor.factory.doStart()
    protocol = reactor.factory.buildProtocol(None)
    assert protocol.made_with == ((1,), {"two": 2})
    assert protocol.factory is None
    assert repr(reactor.factory) == f"<ClientCreator factory: {protocol!r}>"
    assert seen == []  # it is not connected yet
    protocol.makeConnection("transport")
    reactor.clock.advance(0)
    assert seen == [protocol]
    reactor.factory.clientConnectionLost(reactor, connectionDone)
    assert not infos


def test_a_client_creator_tells_why_it_failed() -> None:
    reactor = Connecting()
    seen = outcome(ClientCreator(reactor, Protocol).connectTCP("host", 1))
    reason = Failure(ConnectError())
    reactor.factory.clientConnectionFailed(reactor, reason)
    assert seen == []
    reactor.clock.advance(0)
    assert seen == [reason]


@pytest.mark.parametrize("when", ["connecting", "connected", "failed"])
def test_cancelling_ends_the_attempt(when: str) -> None:
    reactor = Connecting()
    deferred = ClientCreator(reactor, Protocol).connectTCP("host", 1)
    seen = outcome(deferred)
    if when == "connected":
        reactor.factory.buildProtocol(None)
    if when == "failed":
        reactor.factory.clientConnectionFailed(reactor, connectionDone)
    deferred.cancel()
    assert [reason.type for reason in seen] == [CancelledError]
    assert reactor.disconnects == 1
    assert not reactor.clock.getDelayedCalls()
    reactor.factory.clientConnectionFailed(reactor, connectionDone)  # as a connector does that was stopped
    assert not reactor.clock.getDelayedCalls()


def test_one_connection_leaves_no_cycle(no_leaks) -> None:
    def use(end: str) -> None:
        reactor = Connecting()
        deferred = ClientCreator(reactor, Protocol).connectTCP("host", 1)
        outcome(deferred)
        if end == "cancelled":
            deferred.cancel()
        elif end == "failed":
            reactor.factory.clientConnectionFailed(None, connectionDone)
        else:
            reactor.factory.buildProtocol(None).makeConnection(None)
        reactor.clock.advance(0)
        del reactor.factory  # a cycle of this test's own making

    ends = ("connected", "failed", "cancelled")
    for end in ends:
        use(end)
    with no_leaks():
        for end in ends:
            use(end)


# Between interfaces


class Recorder:
    """A file, and a consumer."""

    def __init__(self) -> None:
        self.written: Calls = []
        self.error: Exception | None = None

    def write(self, data: bytes) -> None:
        if self.error is not None:
            raise self.error
        self.written.append(data)

    def close(self) -> None:
        if self.error is not None:
            raise self.error
        self.written.append("closed")


class Producer:
    def __init__(self) -> None:
        self.resumed = 0

    def resumeProducing(self) -> None:
        self.resumed += 1


def test_a_consumer_stands_for_a_protocol() -> None:
    consumer = Recorder()
    protocol = ConsumerToProtocolAdapter(consumer)
    protocol.makeConnection(None)
    protocol.connectionMade()
    protocol.dataReceived(b"data")
    protocol.connectionLost(connectionDone)
    assert consumer.written == [b"data"]
    assert protocol.original is consumer


def test_a_protocol_stands_for_a_consumer() -> None:
    seen: Calls = []

    class Mine(Protocol):
        def dataReceived(self, data: bytes) -> None:
            seen.append(data)

    consumer = ProtocolToConsumerAdapter(Mine())
    consumer.registerProducer(Producer(), False)
    consumer.write(b"data")
    consumer.unregisterProducer()
    assert seen == [b"data"]


def test_a_file_stands_for_a_transport() -> None:
    file = Recorder()
    transport = FileWrapper(file)
    transport.write(b"a")
    transport.writeSequence(iter([b"b", b"c"]))
    assert (transport.getPeer(), transport.getHost()) == (("file", "file"), "file")
    transport.resumeProducing()
    transport.pauseProducing()
    assert not transport.closed
    transport.loseConnection()
    assert transport.closed
    assert file.written == [b"a", b"bc", "closed"]
    transport.stopProducing()
    assert file.written[-2:] == ["closed", "closed"]


def test_a_pull_producer_of_a_file_is_asked_at_once_and_a_push_producer_is_not() -> None:
    for streaming, resumed in ((False, 1), (True, 0)):
        file, producer = Recorder(), Producer()
        transport = FileWrapper(file)
        transport.registerProducer(producer, streaming)
        assert (transport.producer, transport.streamingProducer) == (producer, streaming)
        assert producer.resumed == resumed
        transport._checkProducer()  # as whoever pumps it does
        assert producer.resumed == 2 * resumed
        transport.stopConsuming()
        transport._checkProducer()
        assert producer.resumed == 2 * resumed
        assert transport.producer is None
        assert file.written == ["closed"]


def test_what_a_file_raises_goes_to_a_hook() -> None:
    seen: Calls = []

    class Mine(FileWrapper):
        def handleException(self) -> None:
            import sys

            seen.append(sys.exception())

    file = Recorder()
    file.error = OSError("full")
    for transport in (Mine(file), FileWrapper(file)):
        transport.write(b"data")
        transport.loseConnection()
        assert transport.closed
    assert seen == [file.error, file.error]
