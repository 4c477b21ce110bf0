"""The virtual reactor: time that passes when it is told, and connections in memory that behave as the system's do."""

import random
import threading
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from tests.certificates import certificates
from tests.contract.parts import Reports
from tests.contract.streams import HalfRecorder, Makers, Recorder
from tests.contract.tlsparts import TLSRecorder

from torsion import error, threads
from torsion.address import IPv4Address, IPv6Address, UNIXAddress
from torsion.contract import Reactor
from torsion.defer import Deferred
from torsion.endpoints import HostnameEndpoint, TCP4ClientEndpoint, UNIXClientEndpoint, connectProtocol, wrapClientTLS
from torsion.protocol import ClientFactory, Factory, Protocol, ReconnectingClientFactory
from torsion.task import LoopingCall, deferLater
from torsion.testing import AccumulatingProtocol, NothingLeft, VirtualReactor
from torsion.trying.leftovers import NotingReactor


@pytest.fixture
def reactor(reports: Reports) -> Iterator[VirtualReactor]:
    made = VirtualReactor(names={"service.test": ["10.0.0.7", "fd00::7"], "old.test": "10.0.0.8"})
    yield made
    made.shut_down()
    assert made.network.open == {}


class Echo(Protocol):
    def dataReceived(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.write(data)


class Chatty(Protocol):
    """Answers with twice of what it is told, and notes it in its factory's list."""

    transport: Any
    factory: Any

    def connectionMade(self) -> None:
        self.transport.write(getattr(self.factory, "first", b""))

    def dataReceived(self, data: bytes) -> None:
        told = self.factory.told
        told.append(f"{self.transport.getPeer().port} {len(data)} at {self.transport.reactor.seconds()}")
        if len(told) < 200:
            self.transport.write(data * 2)


def until_lost(protocol: AccumulatingProtocol) -> Deferred:
    protocol.closedDeferred = lost = Deferred()
    return lost


# Time


def test_time_passes_when_it_is_told(reactor: VirtualReactor) -> None:
    begun, ran = reactor.seconds(), []
    reactor.callLater(3600, lambda: ran.append(reactor.seconds() - begun))
    reactor.callLater(1, lambda: reactor.callLater(2, lambda: ran.append(reactor.seconds() - begun)))
    reactor.advance(2)
    assert ran == []
    reactor.advance(7200)
    assert ran == [3, 3600] and reactor.seconds() == begun + 7202


def test_a_day_of_ticks_runs_each_at_its_time(reactor: VirtualReactor) -> None:
    ticks: list[float] = []
    looping = LoopingCall(lambda: ticks.append(reactor.seconds()))
    looping.clock = reactor
    looping.start(60)
    begun = ticks[0]
    reactor.advance(24 * 3600)
    looping.stop()
    assert ticks == [begun + 60 * number for number in range(24 * 60 + 1)]


def test_time_does_not_go_back(reactor: VirtualReactor) -> None:
    with pytest.raises(ValueError, match="forwards only"):
        reactor.advance(-1)


def test_what_was_delayed_waits_for_its_new_time(reactor: VirtualReactor) -> None:
    ran: list[str] = []
    reactor.callLater(10, ran.append, "delayed").reset(50)
    reactor.callLater(100, ran.append, "sooner").reset(5)
    reactor.advance(49)
    assert ran == ["sooner"]
    reactor.advance(1)
    assert ran == ["sooner", "delayed"]


def test_calls_that_never_end_are_told(reactor: VirtualReactor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torsion.trying.virtual.ENDLESS", 100)

    def again() -> None:
        reactor.callLater(0, again)

    again()
    with pytest.raises(RuntimeError, match="on and on"):
        reactor.pump()
    with pytest.raises(RuntimeError, match="on and on"):
        reactor.run_until(Deferred())
    for call in reactor.getDelayedCalls():
        call.cancel()


def test_run_until_gives_the_result_or_raises_the_error(reactor: VirtualReactor) -> None:
    async def add(a: int, b: int) -> int:
        await deferLater(reactor, 1000, lambda: None)
        return a + b

    async def fail() -> None:
        await deferLater(reactor, 1, lambda: None)
        raise KeyError("own")

    assert reactor.run_until(add(1, 2), timeout=1001) == 3
    with pytest.raises(KeyError, match="own"):
        reactor.run_until(fail())


def test_run_until_ends_when_nothing_is_left_to_wait_for(reactor: VirtualReactor) -> None:
    cancelled: list[Any] = []
    with pytest.raises(NothingLeft):
        reactor.run_until(Deferred(cancelled.append))
    assert len(cancelled) == 1


def test_run_until_ends_at_its_time(reactor: VirtualReactor) -> None:
    begun = reactor.seconds()
    late = reactor.callLater(100, lambda: None)
    with pytest.raises(TimeoutError, match="60"):
        reactor.run_until(Deferred(), timeout=60)
    assert reactor.seconds() <= begun + 60
    late.cancel()


def test_run_until_ends_with_the_reactor(reactor: VirtualReactor) -> None:
    reactor.callLater(1, reactor.stop)
    with pytest.raises(error.ReactorNotRunning, match="stopped"):
        reactor.run_until(Deferred())


def test_run_runs_a_program_to_its_end(reactor: VirtualReactor) -> None:
    told: list[str] = []
    reactor.addSystemEventTrigger("before", "shutdown", told.append, "shutdown")
    reactor.callWhenRunning(told.append, "running")
    reactor.callLater(3600, reactor.stop)
    begun = reactor.seconds()
    reactor.run()
    assert told == ["running", "shutdown"] and reactor.seconds() == pytest.approx(begun + 3600)


def test_run_does_not_wait_for_ever(reactor: VirtualReactor) -> None:
    with pytest.raises(NothingLeft, match="for ever"):
        reactor.run()


def test_threads_are_waited_for(reactor: VirtualReactor) -> None:
    go = threading.Event()
    begun = reactor.seconds()
    reactor.callLater(5, lambda: None)

    async def main() -> Any:
        reactor.callLater(0, go.set)
        return await threads.deferToThread(lambda: (go.wait(10), 7)[1])

    assert reactor.run_until(main()) == 7
    assert reactor.seconds() == begun  # the timer was not hurried while the thread worked


def test_a_thread_is_not_waited_for_without_end(reactor: VirtualReactor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torsion.trying.virtual.REAL_PATIENCE", 0.05)
    go = threading.Event()
    working = threads.deferToThreadPool(reactor, reactor.getThreadPool(), go.wait, 30)
    with pytest.raises(NothingLeft, match="thread"):
        reactor.run_until(Deferred())
    go.set()
    assert reactor.run_until(working) is True
    go.clear()
    reactor.crash()
    reactor.callWhenRunning(reactor.callInThread, go.wait, 30)
    with pytest.raises(NothingLeft, match="thread"):
        reactor.run()
    go.set()
    pool = reactor.getThreadPool()
    reactor.shut_down()
    assert pool.threads == []


def test_iterate_sleeps_in_virtual_time(reactor: VirtualReactor) -> None:
    begun = reactor.seconds()
    reactor.iterate(5)
    assert reactor.seconds() == begun + 5
    reactor.callLater(1, lambda: None)
    reactor.iterate(5)
    assert reactor.seconds() == begun + 6
    reactor.iterate(0)
    reactor.iterate(None)  # nothing will ever happen: it returns, where another would sleep for ever
    assert reactor.seconds() == begun + 6


# Connections


def test_a_server_and_a_client_talk(reactor: VirtualReactor) -> None:
    port = reactor.listenTCP(80, Factory.forProtocol(Echo))
    assert port.getHost() == IPv4Address("TCP", "0.0.0.0", 80)
    client = AccumulatingProtocol()

    async def main() -> None:
        await connectProtocol(HostnameEndpoint(reactor, "service.test", 80), client)
        assert client.transport.getPeer() == IPv4Address("TCP", "10.0.0.7", 80)
        client.transport.write(b"hello")
        await deferLater(reactor, 0.1, lambda: None)
        lost = until_lost(client)
        client.transport.loseConnection()
        await lost

    reactor.run_until(main())
    assert client.data == b"hello" and client.closedReason.check(error.ConnectionDone)
    assert reactor.run_until(port.stopListening()) is None


def test_by_ipv6_by_unix_and_by_any_port(reactor: VirtualReactor) -> None:
    six = reactor.listenTCP(0, Factory.forProtocol(Echo), interface="::1")
    unix = reactor.listenUNIX("/no/such/folder/socket", Factory.forProtocol(Echo))
    assert isinstance(six.getHost(), IPv6Address) and unix.getHost() == UNIXAddress("/no/such/folder/socket")
    assert reactor.listenTCP(0, Factory()).getHost().port != six.getHost().port

    async def ask(endpoint: Any) -> bytes:
        client = AccumulatingProtocol()
        await connectProtocol(endpoint, client)
        client.transport.write(b"?")
        await deferLater(reactor, 1, lambda: None)
        client.transport.loseConnection()
        return client.data

    assert reactor.run_until(ask(HostnameEndpoint(reactor, "localhost", six.getHost().port))) == b"?"
    assert reactor.run_until(ask(UNIXClientEndpoint(reactor, "/no/such/folder/socket"))) == b"?"


def test_nobody_listens(reactor: VirtualReactor) -> None:
    for endpoint in (TCP4ClientEndpoint(reactor, "10.0.0.1", 99), HostnameEndpoint(reactor, "old.test", 99)):
        attempt = connectProtocol(endpoint, Protocol())
        assert not attempt.called  # on a later pass
        with pytest.raises(error.ConnectionRefusedError):
            reactor.run_until(attempt)
    with pytest.raises(error.ConnectError, match="No such file"):
        reactor.run_until(connectProtocol(UNIXClientEndpoint(reactor, "/none"), Protocol()))


def test_a_name_that_was_not_given(reactor: VirtualReactor) -> None:
    with pytest.raises(error.DNSLookupError):
        reactor.run_until(connectProtocol(HostnameEndpoint(reactor, "unknown.test", 1), Protocol()))
    assert reactor.run_until(reactor.resolve("old.test")) == "10.0.0.8"


def test_a_silent_host_is_a_timeout_by_the_virtual_clock(reactor: VirtualReactor) -> None:
    reactor.network.silent.add("10.0.0.9")
    begun = reactor.seconds()
    with pytest.raises(error.TimeoutError):
        reactor.run_until(connectProtocol(TCP4ClientEndpoint(reactor, "10.0.0.9", 1, timeout=45), Protocol()))
    assert reactor.seconds() == begun + 45


def test_a_port_that_is_taken(reactor: VirtualReactor) -> None:
    first = reactor.listenTCP(80, Factory(), interface="10.0.0.1")
    reactor.listenTCP(80, Factory(), interface="10.0.0.2")
    for interface in ("10.0.0.1", ""):
        with pytest.raises(error.CannotListenError, match="in use"):
            reactor.listenTCP(80, Factory(), interface=interface)
    reactor.listenUNIX("/a", Factory())
    with pytest.raises(error.CannotListenError):
        reactor.listenUNIX("/a", Factory())
    with pytest.raises(OverflowError):
        reactor.listenTCP(65536, Factory())
    reactor.run_until(first.stopListening())
    reactor.listenTCP(80, Factory(), interface="10.0.0.1")


def test_who_waits_in_a_full_queue_connects_when_there_is_room(reactor: VirtualReactor) -> None:
    port = reactor.listenTCP(80, Factory.forProtocol(Echo), backlog=0)
    port.stopReading()
    clients = [AccumulatingProtocol() for _ in range(3)]
    made = [connectProtocol(TCP4ClientEndpoint(reactor, "10.0.0.1", 80), each) for each in clients]
    reactor.pump()
    assert [each.called for each in made] == [True, False, False]
    port.startReading()
    reactor.pump()
    assert [each.called for each in made] == [True, True, True]
    for each in clients:
        each.transport.loseConnection()


def test_a_reconnecting_client_keeps_its_times(reactor: VirtualReactor) -> None:
    attempts: list[float] = []

    class Client(ReconnectingClientFactory):
        protocol = Echo
        jitter = 0
        noisy = False

        def startedConnecting(self, connector: Any) -> None:
            attempts.append(reactor.seconds())

    factory = Client()
    factory.clock = reactor
    begun = reactor.seconds()
    reactor.connectTCP("10.0.0.1", 80, factory)
    reactor.advance(600)
    factory.stopTrying()
    assert len(attempts) > 5 and attempts[0] == begun
    pauses = [later - sooner for sooner, later in pairwise(attempts)]
    assert pauses == sorted(pauses)


def test_tls_with_the_standard_library(reactor: VirtualReactor) -> None:
    server, client = TLSRecorder(), AccumulatingProtocol()
    server.on_data = lambda data: server.transport.write(data)
    reactor._names.names["localhost"] = "127.0.0.1"
    reactor.listenSSL(443, Makers(server), certificates().server.server_context())

    async def main() -> None:
        from torsion.protocols.tls import Settings

        settings = Settings(certificates().client_context(), "localhost")
        endpoint = wrapClientTLS(settings, HostnameEndpoint(reactor, "localhost", 443))
        await connectProtocol(endpoint, client)
        client.transport.write(b"x" * 300_000)
        while len(client.data) < 300_000:
            await deferLater(reactor, 0.1, lambda: None)
        lost = until_lost(client)
        client.transport.loseConnection()
        await lost

    reactor.run_until(main())
    assert client.data == b"x" * 300_000 and client.closedReason.check(error.ConnectionDone)
    assert server.told == ["made", "shaken", "lost"]


def test_a_connection_begins_tls_later(reactor: VirtualReactor) -> None:
    server, client = Recorder(), Recorder()
    reactor.listenTCP(25, Makers(server))
    reactor.connectTCP("127.0.0.1", 25, Makers(client))
    reactor.pump()
    server.on_data = lambda data: server.transport.startTLS(certificates().server.server_context())
    client.transport.write(b"STARTTLS")
    reactor.pump()
    server.on_data = lambda data: None
    context = certificates().client_context()
    context.check_hostname = False
    client.transport.startTLS(context)
    client.transport.write(b"secret")
    reactor.pump()
    assert server.received == b"STARTTLSsecret"
    client.transport.loseConnection()
    reactor.pump()
    assert (server.told[-1], client.told[-1]) == ("lost", "lost")


def test_what_is_not_in_memory_says_so(reactor: VirtualReactor, reports: Reports) -> None:
    for opening in (lambda: reactor.listenUDP(0, None), lambda: reactor.spawnProcess(None, "true")):
        with pytest.raises(NotImplementedError, match="VirtualReactor"):
            opening()
    server = Recorder()
    reactor.listenUNIX("/a", Makers(server))
    reactor.connectUNIX("/a", Makers(Recorder()))
    reactor.pump()
    with pytest.raises(NotImplementedError, match="open files"):
        server.transport.sendFileDescriptor(1)

    class Real(Recorder):
        def fileno(self) -> int:
            return 0

    reader = Real()
    reactor.addReader(reader)
    reactor.pump()
    assert reader.told == ["lost"]
    assert [text for text, _ in reports if "virtual time" in text]
    reports.clear()


def test_the_same_program_does_the_same(no_leaks: Callable[..., Any]) -> None:
    def run() -> list[str]:
        reactor, told = VirtualReactor(), []
        factory = Factory.forProtocol(Chatty)
        factory.told = told  # type: ignore[attr-defined]
        reactor.listenTCP(1, factory)
        for number in range(5):
            clients = ClientFactory.forProtocol(Chatty)
            clients.told, clients.first = told, b"x" * (number + 1)  # type: ignore[attr-defined]
            reactor.connectTCP("10.0.0.1", 1, clients)
        reactor.advance(1)
        reactor.shut_down()
        return told

    run()
    with no_leaks():
        first = run()
    assert first == run() and len(first) >= 200


# As the system's connections: the same things are told, in the same order


class Scene:
    """A server's and a client's protocol on a reactor, and what both are told."""

    def __init__(self, reactor: Any, kind: type[Recorder] = Recorder) -> None:
        self.reactor, self.server, self.client = reactor, kind(), kind()
        port = reactor.listenTCP(0, Makers(self.server), interface="127.0.0.1")
        reactor.connectTCP("127.0.0.1", port.getHost().port, Makers(self.client))
        self.until(lambda: self.server.told and self.client.told)
        port.stopListening()

    def until(self, happened: Callable[[], object]) -> None:
        async def wait() -> None:
            while not happened():
                await deferLater(self.reactor, 0.001, lambda: None)

        self.reactor.run_until(wait(), timeout=20)

    def both_lost(self) -> None:
        self.until(lambda: self.server.told[-1] == "lost" and self.client.told[-1] == "lost")

    def told(self) -> Any:
        return [
            (each.told, [type(reason) for reason in each.reasons], len(each.received))
            for each in (self.server, self.client)
        ]


def lose(scene: Scene) -> None:
    scene.client.transport.write(b"x" * 1_000_000)
    scene.client.transport.loseConnection()
    scene.both_lost()


def abort(scene: Scene) -> None:
    scene.client.transport.abortConnection()
    scene.both_lost()


def abort_in_the_middle(scene: Scene) -> None:
    scene.server.transport.pauseProducing()
    scene.client.transport.write(b"x" * 10_000_000)
    scene.until(lambda: scene.client.transport._isSendBufferFull())
    scene.server.transport.abortConnection()
    scene.both_lost()


def write_to_who_has_gone(scene: Scene) -> None:
    scene.server.transport.pauseProducing()
    scene.client.transport.loseConnection()
    scene.until(lambda: scene.client.told[-1] == "lost")
    scene.server.transport.write(b"too late")
    scene.server.transport.resumeProducing()
    scene.until(lambda: scene.server.told[-1] == "lost")


def close_the_writing_side(scene: Scene) -> None:
    scene.client.transport.write(b"request")
    scene.client.transport.loseWriteConnection()
    scene.until(lambda: scene.server.received == b"request" and "read side lost" in scene.server.told)
    scene.server.transport.write(b"answer")
    scene.until(lambda: scene.client.received == b"answer")
    client: Any = scene.client
    client.on_half = lambda side: client.transport.loseConnection()
    scene.server.transport.loseConnection()
    scene.both_lost()


def produce(scene: Scene) -> None:
    class Producer:
        left = 50

        def resumeProducing(self) -> None:
            self.left -= 1
            scene.client.transport.write(b"x" * 50_000)
            if not self.left:
                scene.client.transport.unregisterProducer()
                scene.client.transport.loseConnection()

        def stopProducing(self) -> None:
            scene.client.told.append("stop producing")

    scene.client.transport.registerProducer(Producer(), False)
    scene.both_lost()


def stop_a_producer(scene: Scene) -> None:
    class Producer:
        def pauseProducing(self) -> None:
            if "paused" not in scene.client.told:
                scene.client.told.append("paused")

        def resumeProducing(self) -> None: ...

        def stopProducing(self) -> None:
            scene.client.told.append("stop producing")

    scene.server.transport.pauseProducing()
    scene.client.transport.registerProducer(Producer(), True)
    scene.client.transport.write(b"x" * 20_000_000)
    scene.until(lambda: "paused" in scene.client.told)
    scene.server.transport.abortConnection()
    scene.both_lost()


def a_limit(scene: Scene) -> None:
    scene.server.transport.pauseProducing()
    scene.client.transport.set_write_limit(20_000_000, abort=True)
    try:
        scene.client.transport.write(b"x" * 40_000_000)
    except Exception as raised:
        scene.client.told.append(type(raised).__name__)
    scene.until(lambda: scene.client.told[-1] == "lost")
    scene.server.transport.resumeProducing()
    scene.both_lost()


SCENES = [
    lose, abort, abort_in_the_middle, write_to_who_has_gone, close_the_writing_side, produce, stop_a_producer, a_limit,
]  # fmt: skip


@pytest.mark.parametrize("act", SCENES, ids=lambda act: act.__name__)
def test_the_rules_of_streams_hold_as_on_sockets(act: Callable[[Scene], None], reports: Reports) -> None:
    told = []
    for kind in (VirtualReactor, NotingReactor):
        reactor: Any = kind()
        scene = Scene(reactor, HalfRecorder if act is close_the_writing_side else Recorder)
        act(scene)
        told.append(scene.told())
        reactor.shut_down()
        scene.reactor = None
    virtual, real = told
    if act in (abort_in_the_middle, a_limit):  # how much arrived before is the kernel's affair
        virtual, real = [each[:2] for each in virtual], [each[:2] for each in real]
    assert virtual == real


@pytest.mark.parametrize("seed", range(20))
def test_a_stream_arrives_whole_in_any_pieces(seed: int, reactor: VirtualReactor) -> None:
    numbers = random.Random(seed)
    reactor.network.window = numbers.choice([1, 10, 1000, 65536])
    scene = Scene(reactor)
    sent = b""
    for _ in range(numbers.randint(1, 30)):
        data = numbers.randbytes(numbers.randint(0, 300))
        sent += data
        scene.client.transport.write(data)
        numbers.choice([reactor.pump, lambda: None, scene.server.transport.pauseProducing])()
        numbers.choice([reactor.pump, lambda: None, scene.server.transport.resumeProducing])()
    scene.server.transport.resumeProducing()
    scene.client.transport.loseConnection()
    reactor.pump()
    assert scene.server.received == sent
    assert [type(reason) for reason in scene.server.reasons] == [error.ConnectionDone]


def test_it_is_the_real_reactor(reactor: VirtualReactor) -> None:
    assert isinstance(reactor, Reactor)
    assert reactor.engine.carries_streams and not reactor.engine.overridden
