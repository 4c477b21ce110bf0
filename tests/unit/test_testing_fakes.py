"""Transports and reactors that only note what they are told."""

import io
import socket
from typing import Any

import pytest

from torsion import error, testing
from torsion.address import IPv4Address, IPv6Address, UNIXAddress
from torsion.defer import Deferred
from torsion.protocol import ClientFactory, Factory, Protocol
from torsion.trying.transports import StringTransport


def test_a_string_transport_keeps_what_is_written() -> None:
    transport = testing.StringTransport()
    transport.write(b"one ")
    transport.writeSequence([b"two ", b"three"])
    assert transport.value() == b"one two three"
    transport.clear()
    assert transport.value() == b""


@pytest.mark.parametrize("data", ["text", bytearray(b"array"), None])
def test_a_string_transport_takes_bytes_only(data: Any) -> None:
    transport = testing.StringTransport()
    with pytest.raises(TypeError, match="bytes"):
        transport.write(data)
    with pytest.raises(TypeError):
        transport.writeSequence(["text"])  # type: ignore[list-item]


def test_a_string_transport_has_the_addresses_it_is_given() -> None:
    assert testing.StringTransport().getPeer() == IPv4Address("TCP", "192.168.1.1", 54321)
    assert testing.StringTransport().getHost() == IPv4Address("TCP", "10.0.0.1", 12345)
    given = testing.StringTransport("here", "there")
    assert (given.getHost(), given.getPeer()) == ("here", "there")


def test_a_string_transport_notes_that_it_is_to_be_closed() -> None:
    transport = testing.StringTransport()
    transport.loseConnection()
    assert (transport.disconnecting, transport.disconnected, transport.connected) == (True, False, True)
    transport.abortConnection()
    assert transport.disconnected


def test_a_string_transport_has_one_producer() -> None:
    transport = testing.StringTransport()
    transport.registerProducer("producer", True)
    assert (transport.producer, transport.streaming) == ("producer", True)
    with pytest.raises(RuntimeError):
        transport.registerProducer("another", False)
    transport.unregisterProducer()
    assert (transport.producer, transport.streaming) == (None, None)
    with pytest.raises(RuntimeError):
        transport.unregisterProducer()


def test_a_string_transport_notes_whether_it_is_to_produce() -> None:
    transport = testing.StringTransport()
    assert transport.producerState == "producing"
    transport.pauseProducing()
    assert transport.producerState == "paused"
    transport.resumeProducing()
    assert transport.producerState == "producing"
    transport.stopProducing()
    assert transport.producerState == "stopped"
    transport.stopProducing()
    for method in (transport.pauseProducing, transport.resumeProducing):
        with pytest.raises(RuntimeError):
            method()


def test_a_closing_string_transport_is_resumed_only_if_it_is_lenient() -> None:
    strict, lenient = testing.StringTransport(), testing.StringTransport(lenient=True)
    for transport in (strict, lenient):
        transport.loseConnection()
    lenient.pauseProducing()
    lenient.resumeProducing()
    with pytest.raises(RuntimeError, match="loseConnection"):
        strict.pauseProducing()
    with pytest.raises(RuntimeError, match="loseConnection"):
        strict.resumeProducing()


@pytest.mark.parametrize("end", ["loseConnection", "abortConnection"])
def test_a_disconnecting_string_transport_tells_its_protocol_once(end: str) -> None:
    transport = testing.StringTransportWithDisconnection()
    transport.protocol = protocol = testing.AccumulatingProtocol()
    protocol.makeConnection(transport)
    getattr(transport, end)()
    getattr(transport, end)()
    assert (protocol.closed, transport.connected) == (1, False)
    assert protocol.closedReason.check(error.ConnectionDone)


def test_an_accumulating_protocol_notes_its_life() -> None:
    protocol, factory = testing.AccumulatingProtocol(), Factory()
    made: Any = Deferred()
    factory.protocolConnectionMade = made  # type: ignore[attr-defined]
    protocol.factory = factory
    over = protocol.closedDeferred = Deferred()
    protocol.makeConnection(testing.StringTransport())
    assert (protocol.made, made.result) == (1, protocol)
    protocol.dataReceived(b"a")
    protocol.dataReceived(b"b")
    protocol.connectionLost("reason")
    assert (protocol.data, protocol.closed, protocol.closedReason) == (b"ab", 1, "reason")
    assert over.called and protocol.closedDeferred is None


def test_a_line_sending_protocol_begins_or_answers() -> None:
    begins, answers = testing.LineSendingProtocol([b"a", b"b"]), testing.LineSendingProtocol([b"a"], start=False)
    first, second = testing.StringTransport(), testing.StringTransport()
    begins.makeConnection(first)
    answers.makeConnection(second)
    assert (first.value(), second.value()) == (b"a\r\nb\r\n", b"")
    for protocol in (begins, answers):
        protocol.dataReceived(b"x\r\ny\r\n")
        assert protocol.response == [b"x", b"y"]
    assert second.value() == b"a\r\n"
    begins.connectionLost()
    assert begins.lostConn and not answers.lostConn


def test_a_file_stays_readable_when_it_was_closed() -> None:
    file = testing.StringIOWithoutClosing(b"text")
    file.close()
    assert isinstance(file, io.BytesIO) and file.getvalue() == b"text"


def test_a_datagram_transport_keeps_datagrams() -> None:
    transport = testing.FakeDatagramTransport()
    transport.write(b"1", ("host", 1))
    transport.write(b"2")
    assert transport.written == [(b"1", ("host", 1)), (b"2", testing.FakeDatagramTransport.noAddr)]


class Consumer(StringTransport):
    pass


def test_a_non_streaming_producer_counts_to_nine() -> None:
    consumer = Consumer()
    producer = testing.NonStreamingProducer(consumer)
    consumer.registerProducer(producer, False)
    result = producer.result
    for _ in range(10):
        producer.resumeProducing()
    assert (consumer.value(), consumer.producer, producer.stopped) == (b"0123456789", None, True)
    assert result.called
    with pytest.raises(RuntimeError):
        producer.resumeProducing()
    with pytest.raises(RuntimeError):
        producer.pauseProducing()


def test_waiting_for_all_to_be_disconnected() -> None:
    clock = testing.MemoryReactorClock()
    protocols = [testing.AccumulatingProtocol() for _ in range(2)]
    for each in protocols:
        each.makeConnection(testing.StringTransport())
    over = testing.waitUntilAllDisconnected(clock, protocols)
    protocols[0].transport.connected = False
    clock.advance(0.05)
    assert not over.called
    protocols[1].transport.connected = False
    clock.advance(0.05)
    assert over.called and clock.getDelayedCalls() == []


def test_an_observer_is_a_sequence_of_events() -> None:
    observer = testing.EventLoggingObserver()
    observer({"number": 1})
    observer({"number": 2})
    assert len(observer) == 2 and observer[1] == {"number": 2} and list(observer) == observer[0:2]


def test_an_observer_is_removed_after_the_test() -> None:
    observers: list[Any] = []
    cleanups: list[Any] = []

    class Publisher:
        addObserver, removeObserver = observers.append, observers.remove

    class Case:
        addCleanup = cleanups.append

    made = testing.EventLoggingObserver.createWithCleanup(Case, Publisher)
    assert observers == [made]
    cleanups[0]()
    assert observers == []


def test_a_memory_reactor_notes_who_listens_and_connects() -> None:
    reactor, factory = testing.MemoryReactor(), ClientFactory()
    assert reactor.listenTCP(80, factory).getHost() == IPv4Address("TCP", "0.0.0.0", 80)
    assert reactor.listenSSL(443, factory, "context", 5, "::1").getHost() == IPv6Address("TCP", "::1", 443)
    assert reactor.listenUNIX("/path", factory).getHost() == UNIXAddress("/path")
    assert reactor.connectTCP("::1", 80, factory).getDestination() == IPv6Address("TCP", "::1", 80)
    assert reactor.connectSSL("host", 443, factory, "context").getDestination() == IPv4Address("TCP", "host", 443)
    assert reactor.connectUNIX("/path", factory, 3).getDestination() == UNIXAddress("/path")
    assert reactor.tcpServers == [(80, factory, 50, "")]
    assert reactor.sslServers == [(443, factory, "context", 5, "::1")]
    assert reactor.unixServers == [("/path", factory, 50, 0o666, 0)]
    assert reactor.tcpClients == [("::1", 80, factory, 30, None)]
    assert reactor.sslClients == [("host", 443, factory, "context", 30, None)]
    assert reactor.unixClients == [("/path", factory, 3, 0)]
    assert len(reactor.connectors) == 3


def test_a_connector_notes_what_it_is_told() -> None:
    told: list[Any] = []

    class Notes(ClientFactory):
        def startedConnecting(self, connector: Any) -> None:
            told.append(connector)

    connector = testing.MemoryReactor().connectTCP("host", 1, Notes())
    connector.connect()
    connector.disconnect()
    connector.stopConnecting()
    assert told == [connector] and connector.stoppedConnecting and connector._disconnected


def test_a_memory_reactor_notes_descriptors() -> None:
    reactor, factory = testing.MemoryReactor(), Factory()
    assert reactor.adoptStreamPort(5, socket.AF_INET, factory).getHost() == IPv4Address("TCP", "0.0.0.0", 1234)
    assert reactor.adoptDatagramPort(6, socket.AF_INET6, factory).getHost() == IPv6Address("UDP", "::", 1234)
    reactor.adoptStreamConnection(7, socket.AF_UNIX, factory)
    assert [each[0] for each in reactor.adoptedPorts + reactor.adoptedStreamConnections] == [5, 6, 7]
    with pytest.raises(error.UnsupportedAddressFamily):
        reactor.adoptStreamPort(5, socket.AF_UNIX, factory)
    reactor.addReader("r")
    reactor.addWriter("w")
    assert (reactor.getReaders(), reactor.getWriters()) == (["r"], ["w"])
    reactor.removeWriter("w")
    reactor.removeWriter("w")
    assert reactor.removeAll() == ["r"] and reactor.getReaders() == []
    reactor.removeReader("r")


def test_a_memory_reactor_runs_its_hooks_and_ends() -> None:
    reactor = testing.MemoryReactor()
    ran: list[Any] = []
    reactor.callWhenRunning(ran.append, 1)
    reactor.addSystemEventTrigger("before", "shutdown", ran.append, 2)
    reactor.install()
    reactor.run()
    assert ran == [1]
    reactor.callWhenRunning(ran.append, 3)
    assert ran == [1, 3]
    assert reactor.triggers == {"before": {"shutdown": [(ran.append, (2,), {})]}}
    assert (reactor.hasInstalled, reactor.hasRun, reactor.hasStopped, reactor.hasCrashed) == (True, True, True, False)
    reactor.crash()
    assert reactor.hasCrashed and not reactor.running


@pytest.mark.parametrize(
    ("method", "arguments"),
    [("iterate", ()), ("fireSystemEvent", ("x",)), ("resolve", ("x",)), ("removeSystemEventTrigger", (1,))],
)
def test_what_a_memory_reactor_does_not_do_it_says(method: str, arguments: Any) -> None:
    with pytest.raises(NotImplementedError, match="MemoryReactor"):
        getattr(testing.MemoryReactor(), method)(*arguments)


class Receiver:
    def __init__(self) -> None:
        self.told: list[Any] = []

    def resolutionBegan(self, resolution: Any) -> None:
        self.told.append(resolution.name)

    def addressResolved(self, address: Any) -> None:
        self.told.append(address)

    def resolutionComplete(self) -> None:
        self.told.append("complete")


@pytest.mark.parametrize("kind", [testing.MemoryReactor, testing.RaisingMemoryReactor])
def test_a_memory_reactor_finds_every_name_here(kind: Any) -> None:
    reactor, receiver = kind(), Receiver()
    reactor.nameResolver.resolveHostName(receiver, "any.name", 80).cancel()
    assert receiver.told == ["any.name", IPv4Address("TCP", "127.0.0.1", 80), "complete"]
    before = reactor.nameResolver
    assert reactor.installNameResolver("another") is before and reactor.nameResolver == "another"


def test_a_memory_reactor_clock_has_time() -> None:
    clock, ran = testing.MemoryReactorClock(), []
    clock.callLater(3, ran.append, 1)
    clock.advance(3)
    assert ran == [1] and clock.seconds() == 3


def test_a_raising_memory_reactor_raises() -> None:
    reactor = testing.RaisingMemoryReactor(KeyError("listen"), IndexError("connect"))
    factory = Protocol
    for listen in (
        lambda: reactor.listenTCP(1, factory),
        lambda: reactor.listenSSL(1, factory, None),
        lambda: reactor.listenUNIX("/path", factory),
        lambda: reactor.adoptStreamPort(1, 2, factory),
    ):
        with pytest.raises(KeyError):
            listen()
    for connect in (
        lambda: reactor.connectTCP("host", 1, factory),
        lambda: reactor.connectSSL("host", 1, factory, None),
        lambda: reactor.connectUNIX("/path", factory),
        lambda: reactor.adoptStreamConnection(1, 2, factory),
        lambda: reactor.adoptDatagramPort(1, 2, factory, 3),
    ):
        with pytest.raises(IndexError):
            connect()
