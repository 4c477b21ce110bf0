"""Wrappers, limits, time-outs (statement 106), throttling, and logs of the traffic; in virtual time."""

import sys
from pathlib import Path
from typing import Any

import pytest
from tests.contract.parts import Reports
from tests.contract.toolkit import MemoryTransport

from torsion import report
from torsion.address import IPv4Address
from torsion.error import ConnectionDone
from torsion.failure import Failure
from torsion.protocol import Factory, Protocol, ServerFactory
from torsion.protocols import policies
from torsion.task import Clock

OVER = Failure(ConnectionDone())


class Noting(Protocol):
    def __init__(self) -> None:
        self.told: list[Any] = []

    def connectionMade(self) -> None:
        self.told.append("made")

    def dataReceived(self, data: bytes) -> None:
        self.told.append(data)

    def connectionLost(self, reason: Failure = OVER) -> None:
        self.told.append(reason.type)


class Notings(ServerFactory[Noting]):
    protocol = Noting
    noisy = False


class Peerless(ServerFactory[Noting]):
    def buildProtocol(self, addr: Any) -> None:
        return None


def built(factory: Any, host: str = "1.2.3.4") -> Any:
    """A protocol of the factory, connected; None if the factory has none."""
    address = IPv4Address("TCP", host, 1)
    protocol = factory.buildProtocol(address)
    if protocol is not None:
        transport = MemoryTransport()
        transport.getPeer = lambda: address  # type: ignore[method-assign]
        protocol.makeConnection(transport)
    return protocol


# The wrapper


def test_a_wrapper_hands_everything_on() -> None:
    factory = policies.WrappingFactory(Notings())
    wrapper = built(factory)
    inner, transport = wrapper.wrappedProtocol, wrapper.transport
    assert inner.transport is wrapper
    assert factory.protocols == {wrapper: 1}
    wrapper.dataReceived(b"data")
    wrapper.write(b"a")
    wrapper.writeSequence([b"b", b"c"])
    assert transport.written == [b"a", b"bc"]
    assert (wrapper.getHost(), wrapper.getPeer().host) == (("host", 2), "1.2.3.4")
    wrapper.registerProducer("producer", True)
    assert transport.producer == "producer"
    wrapper.unregisterProducer()
    assert transport.producer is None
    assert wrapper.written is transport.written  # what it does not know is asked of the transport
    with pytest.raises(AttributeError, match="nothing"):
        wrapper.nothing
    assert not wrapper.disconnecting
    wrapper.loseConnection()
    assert wrapper.disconnecting
    assert transport.disconnecting
    wrapper.connectionLost(OVER)
    assert inner.told == ["made", b"data", ConnectionDone]
    assert factory.protocols == {}
    assert wrapper.wrappedProtocol is None


def test_names_and_events_of_a_wrapping_factory() -> None:
    told = []

    class Inner(Notings):
        def startFactory(self) -> None:
            told.append("start")

        def stopFactory(self) -> None:
            told.append("stop")

        def startedConnecting(self, connector: Any) -> None:
            told.append(("started", connector))

        def clientConnectionFailed(self, connector: Any, reason: Any) -> None:
            told.append(("failed", connector, reason))

        def clientConnectionLost(self, connector: Any, reason: Any) -> None:
            told.append(("lost", connector, reason))

    factory = policies.WrappingFactory(Inner())
    factory.noisy = False
    factory.doStart()
    factory.startedConnecting(1)
    factory.clientConnectionFailed(2, 3)
    factory.clientConnectionLost(4, 5)
    factory.doStop()
    assert told == ["start", ("started", 1), ("failed", 2, 3), ("lost", 4, 5), "stop"]
    assert factory.logPrefix() == "Inner (WrappingFactory)"
    assert factory.buildProtocol(None).logPrefix() == "Noting (ProtocolWrapper)"


@pytest.mark.parametrize(
    "kind",
    [
        policies.WrappingFactory,
        policies.ThrottlingFactory,
        policies.TimeoutFactory,
        lambda inner: policies.TrafficLoggingFactory(inner, "never-opened"),
    ],
)
def test_what_the_wrapped_factory_refuses_is_refused(kind: Any) -> None:
    assert kind(Peerless()).buildProtocol(None) is None


@pytest.mark.parametrize("asked", [False, True], ids=["by itself", "zope"])
def test_a_wrapper_leaves_no_cycle(no_leaks: Any, monkeypatch: pytest.MonkeyPatch, asked: bool) -> None:
    if asked:
        pytest.importorskip("zope.interface")
    else:
        monkeypatch.delitem(sys.modules, "zope.interface", raising=False)

    def use() -> None:
        factory = policies.WrappingFactory(Notings())
        for _ in range(50):
            wrapper = built(factory)
            wrapper.wrappedProtocol.transport = None
            wrapper.connectionLost(OVER)

    use()
    with no_leaks():
        use()


# Limits


def test_the_number_of_connections_is_limited() -> None:
    class Limited(policies.LimitTotalConnectionsFactory):
        protocol = Noting
        connectionLimit = 2

    factory = Limited()
    first, second = built(factory), built(factory)
    assert (factory.connectionCount, built(factory)) == (2, None)
    assert first.wrappedProtocol.factory is factory
    first.connectionLost(OVER)
    assert built(factory) is not None
    factory.overflowProtocol = Protocol
    assert type(built(factory).wrappedProtocol) is Protocol
    assert factory.connectionCount == 3
    second.connectionLost(OVER)
    assert factory.connectionCount == 2


def test_a_limit_without_a_protocol_says_so() -> None:
    with pytest.raises(AssertionError, match="has no protocol"):
        policies.LimitTotalConnectionsFactory().buildProtocol(None)


def test_the_connections_of_a_host_are_limited() -> None:
    factory = policies.LimitConnectionsByPeer(Notings())
    factory.maxConnectionsPerPeer = 2
    factory.startFactory()
    here = [built(factory, "here"), built(factory, "here")]
    assert built(factory, "here") is None
    assert built(factory, "there") is not None
    here.pop().connectionLost(OVER)
    here.append(built(factory, "here"))
    assert None not in here
    for wrapper in here:
        wrapper.connectionLost(OVER)
    assert factory.peerConnections == {"there": 1}


def test_a_connection_is_counted_for_the_host_that_it_was_built_for() -> None:
    factory = policies.LimitConnectionsByPeer(Notings())
    factory.doStart()
    protocol = built(factory)
    protocol.transport.getPeer = lambda: IPv4Address("TCP", "10.0.0.1", 1)  # behind a proxy: the client, known later
    protocol.connectionLost(OVER)
    assert factory.peerConnections == {}


# Time-outs


class Timed(policies.TimeoutMixin):
    def __init__(self, clock: Clock) -> None:
        self.transport = MemoryTransport()
        self.callLater = clock.callLater  # type: ignore[assignment]


def test_s106_setting_a_time_out_gives_the_one_before() -> None:
    timed = Timed(Clock())
    assert [timed.setTimeout(period) for period in (5, 7, None, None, 3)] == [None, 5, 7, None, None]
    assert timed.timeOut == 3


def test_s106_a_time_out_closes_the_connection() -> None:
    clock = Clock()
    timed = Timed(clock)
    timed.setTimeout(5)
    clock.advance(4.9)
    assert not timed.transport.disconnecting
    clock.advance(0.2)
    assert timed.transport.disconnecting


def test_s106_resetting_begins_anew_and_does_nothing_once_it_is_over() -> None:
    clock = Clock()
    timed = Timed(clock)
    timed.resetTimeout()
    timed.setTimeout(5)
    for _ in range(3):
        clock.advance(4)
        timed.resetTimeout()
    assert not timed.transport.disconnecting
    clock.advance(5)
    assert timed.transport.disconnecting
    timed.resetTimeout()
    assert clock.getDelayedCalls() == []


def test_s106_none_cancels() -> None:
    clock = Clock()
    timed = Timed(clock)
    timed.setTimeout(5)
    timed.setTimeout(None)
    assert clock.getDelayedCalls() == []
    timed.setTimeout(1)
    clock.getDelayedCalls()[0].cancel()  # somebody else did
    timed.setTimeout(None)
    timed.setTimeout(2)
    clock.advance(2)
    assert timed.transport.disconnecting


class TimedFactory(policies.TimeoutFactory):
    def __init__(self, period: float | None) -> None:
        super().__init__(Notings(), period)
        self.clock = Clock()

    def callLater(self, period: float, func: Any) -> Any:
        return self.clock.callLater(period, func)


@pytest.mark.parametrize("event", ["data", "write", "sequence"])
def test_a_connection_without_traffic_is_closed(event: str) -> None:
    factory = TimedFactory(10)
    wrapper = built(factory)
    for _ in range(3):
        factory.clock.advance(9)
        {
            "data": lambda: wrapper.dataReceived(b"x"),
            "write": lambda: wrapper.write(b"x"),
            "sequence": lambda: wrapper.writeSequence([b"x"]),
        }[event]()
    assert not wrapper.transport.disconnecting
    factory.clock.advance(10)
    assert wrapper.transport.disconnecting
    wrapper.dataReceived(b"late")  # what was on its way
    wrapper.connectionLost(OVER)
    assert factory.clock.getDelayedCalls() == []


def test_a_time_out_can_be_changed_and_ends_with_the_connection() -> None:
    factory = TimedFactory(10)
    wrapper = built(factory)
    wrapper.setTimeout(3)
    factory.clock.advance(2)
    wrapper.cancelTimeout()
    assert (wrapper.timeoutPeriod, factory.clock.getDelayedCalls()) == (None, [])
    wrapper.setTimeout(5)
    wrapper.connectionLost(OVER)
    assert factory.clock.getDelayedCalls() == []
    assert built(TimedFactory(None)).timeoutCall is None


# Throttling


class Throttled(policies.ThrottlingFactory):
    def __init__(self, *limits: Any) -> None:
        super().__init__(Notings(), *limits)
        self.clock = Clock()

    def callLater(self, period: float, func: Any) -> Any:
        return self.clock.callLater(period, func)


class Producer:
    def __init__(self) -> None:
        self.told: list[str] = []

    def pauseProducing(self) -> None:
        self.told.append("pause")

    def resumeProducing(self) -> None:
        self.told.append("resume")


def test_reading_is_paused_for_what_was_too_much() -> None:
    factory = Throttled(10, 10, None)
    first, second = built(factory), built(factory)
    first.dataReceived(b"x" * 20)
    second.dataReceived(b"x" * 15)  # 35 in a second that may have 10: 2.5 seconds to wait
    states = []
    for _ in range(8):
        factory.clock.advance(0.5)
        states.append(first.transport.paused and second.transport.paused)
    assert states == [False, True, True, True, True, True, False, False]


def test_writing_pauses_the_producers() -> None:
    factory = Throttled(10, None, 10)
    with_producer, without = built(factory), built(factory)
    producer = Producer()
    with_producer.registerProducer(producer, True)
    with_producer.write(b"y" * 10)
    without.writeSequence([b"y", b"yyyy"])
    factory.clock.advance(1)
    assert producer.told == ["pause"]
    factory.clock.advance(0.5)
    assert producer.told == ["pause", "resume"]
    with_producer.unregisterProducer()
    with_producer.write(b"y" * 50)
    factory.clock.advance(1)
    assert producer.told == ["pause", "resume"]


def test_a_producer_that_is_asked_for_more_need_not_pause() -> None:
    factory = Throttled(10, None, 10)
    protocol = built(factory)
    protocol.registerProducer(object(), False)
    for _ in range(3):
        protocol.write(b"y" * 20)
        factory.clock.advance(1)
    protocol.connectionLost(OVER)
    assert factory.clock.getDelayedCalls() == []


def test_too_much_on_a_connection_made_meanwhile_lengthens_the_pause() -> None:
    factory = Throttled(10, 10, None)
    first = built(factory)
    first.dataReceived(b"x" * 40)
    factory.clock.advance(1)
    second = built(factory)
    second.dataReceived(b"x" * 50)
    factory.clock.advance(1)  # 4 seconds more, not 2
    for _ in range(3):
        factory.clock.advance(1)
        assert first.transport.paused
    first.connectionLost(OVER)
    second.connectionLost(OVER)
    assert factory.clock.getDelayedCalls() == []


def test_within_the_limits_nothing_happens_and_the_clock_ends_with_the_last_connection() -> None:
    factory = Throttled(2, 10, 10)
    first, second = built(factory), built(factory)
    assert built(factory) is None
    for _ in range(5):
        first.dataReceived(b"x" * 10)
        second.write(b"x" * 10)
        factory.clock.advance(1)
        assert not first.transport.paused
    first.dataReceived(b"x" * 100)
    factory.clock.advance(1)
    first.connectionLost(OVER)
    assert factory.clock.getDelayedCalls()
    second.connectionLost(OVER)
    assert factory.clock.getDelayedCalls() == []
    assert built(factory) is not None


# Logs


def test_traffic_is_logged(tmp_path: Path) -> None:
    factory = policies.TrafficLoggingFactory(Notings(), str(tmp_path / "log"), 15)
    for _ in range(2):
        wrapper = built(factory)
        wrapper.dataReceived(b"hello")
        wrapper.write(b"y" * 30)
        wrapper.writeSequence([b"a", b"b"])
        wrapper.loseConnection()
        wrapper.connectionLost(OVER)
    log = (tmp_path / "log-2").read_text().splitlines()
    assert log[:5] == ["*", "C 2: b'hello'", "S 2: b'yyy<... elided>'", "SV 2: [b'a', b'b']", "S 2: *"]
    assert "ConnectionDone" in log[5]
    factory.resetCounter()
    (tmp_path / "log-1").unlink()
    built(factory).connectionLost(OVER)
    assert (tmp_path / "log-1").exists()


def test_everything_is_reported() -> None:
    said: list[str] = []
    report.set_sink(lambda level, text, failure, details: said.append(text.format(**details)))
    try:
        wrapper = built(policies.SpewingFactory(Notings()))
        wrapper.dataReceived(b"in")
        wrapper.write(b"out")
    finally:
        report.set_sink(None)
    assert said == ["Received: b'in'", "Sending: b'out'"]


def test_factories_for_servers_are_factories() -> None:
    assert issubclass(policies.LimitTotalConnectionsFactory, ServerFactory)
    assert issubclass(policies.WrappingFactory, Factory)


def test_the_default_clock_is_the_reactors(reactor: Any, reports: Reports, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torsion.reactors.current", lambda: reactor)
    timed = policies.TimeoutMixin()
    timed.setTimeout(5)
    wrapper = policies.TimeoutFactory(Notings(), 7).buildProtocol(None)
    assert len(reactor.getDelayedCalls()) == 2
    timed.setTimeout(None)
    wrapper.cancelTimeout()
    assert reactor.getDelayedCalls() == []
