"""reactor.stats() and reactor.watch_blocking() on every reactor of ours, with the kernel behind it."""

import os
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from torsion import report
from torsion.contract import Reactor
from torsion.failure import Failure
from torsion.protocol import ClientFactory, DatagramProtocol, Factory, ProcessProtocol, Protocol
from torsion.testing import AccumulatingProtocol, VirtualReactor

LIMIT = 0.05
LONG = 30.0  # seconds: what takes this long has failed


class Echo(Protocol):
    def dataReceived(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.write(data)


class Asks(Protocol):
    """Sends so many bytes and is done when as many have come back."""

    size = 100_000

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.left = self.size
        self.transport.write(b"x" * self.size)

    def dataReceived(self, data: bytes) -> None:
        self.left -= len(data)
        if not self.left:
            self.factory.reactor.stop()  # type: ignore[attr-defined]


def run(reactor: Reactor) -> None:
    guard = reactor.callLater(LONG, reactor.crash)
    reactor.run(installSignalHandlers=False)
    assert guard.active(), "it took too long"


def test_bytes_turns_and_time_of_an_echo(real: Reactor) -> None:
    port = real.listenTCP(0, Factory.forProtocol(Echo), interface="127.0.0.1")
    factory = ClientFactory.forProtocol(Asks)
    factory.reactor = real  # type: ignore[attr-defined]
    real.connectTCP("127.0.0.1", port.getHost().port, factory)
    began = real.seconds()
    run(real)
    passed = real.seconds() - began
    stats = real.stats()
    assert (stats.bytes_in, stats.bytes_out) == (2 * Asks.size, 2 * Asks.size)
    assert stats.events >= 4 and stats.turns >= 3
    assert 0 < stats.busy + stats.idle <= passed + 0.1
    assert stats.running is None and stats.at_work_for == 0
    assert sum(stats.event_lag.values()) >= 3
    assert sum(stats.timer_lag.values()) == stats.timers


def test_timers_and_calls_are_counted_one_by_one(real: Reactor) -> None:
    seen: list[tuple[int, int, str | None]] = []

    def note() -> None:
        now = real.stats()
        seen.append((now.calls, now.timers, now.running))

    real.callWhenRunning(real.callFromThread, note)
    real.callWhenRunning(real.callFromThread, real.callLater, 0, note)
    real.callWhenRunning(real.callLater, 0.001, real.stop)
    run(real)
    name = note.__qualname__
    assert seen[0] == (1, 0, f"a call from a thread: {name}")
    assert seen[1][0] == 2 and seen[1][2] == f"the timer of {name}"


def test_a_callback_that_turns_the_reactor_is_at_work_afterwards(real: Reactor) -> None:
    seen: list[str | None] = []

    def turns() -> None:
        real.iterate()
        seen.append(real.stats().running)
        real.stop()

    real.callLater(0, turns)
    run(real)
    assert seen == [f"the timer of {turns.__qualname__}"]


def test_bytes_of_datagrams(real: Reactor) -> None:
    class Answers(DatagramProtocol):
        def datagramReceived(self, datagram: bytes, addr: Any) -> None:
            assert self.transport is not None
            if datagram == b"four":
                self.transport.write(b"answer", addr)
            else:
                real.stop()

    server = real.listenUDP(0, Answers(), interface="127.0.0.1")
    client = real.listenUDP(0, Answers(), interface="127.0.0.1")
    real.callWhenRunning(client.write, b"four", ("127.0.0.1", server.getHost().port))
    run(real)
    assert (real.stats().bytes_in, real.stats().bytes_out) == (10, 10)


def test_bytes_of_unix_datagrams(real: Reactor, tmp_path: Any) -> None:
    class Ends(DatagramProtocol):
        def datagramReceived(self, datagram: bytes, addr: Any = None) -> None:
            real.stop()

    path = str(tmp_path / "socket")
    real.listenUNIXDatagram(path, Ends())
    client = real.connectUNIXDatagram(path, Ends())
    real.callWhenRunning(client.write, b"seven b")
    run(real)
    assert (real.stats().bytes_in, real.stats().bytes_out) == (7, 7)


def test_bytes_of_a_child(reports: object) -> None:
    real = Reactor()

    class Child(ProcessProtocol):
        def processEnded(self, reason: Failure) -> None:
            real.stop()

    real.callWhenRunning(
        lambda: real.spawnProcess(Child(), "/bin/sh", ["sh", "-c", "read x; printf 12345"]).write(b"y\n")
    )
    run(real)
    assert (real.stats().bytes_in, real.stats().bytes_out) == (5, 2)
    real.close()


def test_a_descriptor_that_travels_has_its_byte_counted(reports: object, tmp_path: Any) -> None:
    real = Reactor()

    class Gives(Protocol):
        def connectionMade(self) -> None:
            transport: Any = self.transport
            transport.write(b"abc")
            transport.sendFileDescriptor(0)

    class Takes(Protocol):
        got = b""

        def fileDescriptorReceived(self, descriptor: int) -> None:
            os.close(descriptor)

        def dataReceived(self, data: bytes) -> None:
            self.got += data
            if len(self.got) == 3:
                real.stop()

    path = str(tmp_path / "socket")
    real.listenUNIX(path, Factory.forProtocol(Takes))
    real.connectUNIX(path, ClientFactory.forProtocol(Gives))
    run(real)
    assert (real.stats().bytes_in, real.stats().bytes_out) == (3, 3)
    real.close()


def test_in_virtual_time_the_numbers_are_exact(reports: object) -> None:
    reactor = VirtualReactor()
    reactor.listenTCP(80, Factory.forProtocol(Echo))
    asking = AccumulatingProtocol()
    factory = ClientFactory()
    factory.buildProtocol = lambda address: asking  # type: ignore[method-assign,assignment]
    reactor.connectTCP("127.0.0.1", 80, factory)
    reactor.pump()
    assert asking.transport is not None
    asking.transport.write(b"12345")
    reactor.callLater(60, lambda: None)
    reactor.advance(3600)
    stats = reactor.stats()
    assert asking.data == b"12345"
    assert (stats.bytes_in, stats.bytes_out) == (10, 10)
    assert (stats.busy, stats.idle) == (0, 3600)
    assert stats.timer_lag[2.0**-14] == stats.timers >= 1
    reactor.shut_down()


def test_it_may_be_asked_in_another_thread_while_the_loop_runs(real: Reactor) -> None:
    running, told = threading.Event(), threading.Event()

    def blocks() -> None:
        running.set()
        told.wait(LONG)
        real.stop()

    def ask() -> None:
        running.wait(LONG)
        seen.append(real.stats())
        told.set()

    seen: list[Any] = []
    asking = threading.Thread(target=ask)
    asking.start()
    real.callLater(0, blocks)
    run(real)
    asking.join()
    assert seen[0].running == f"the timer of {blocks.__qualname__}"
    assert "the timer of" in str(seen[0])


class Heard:
    """Takes the reports of a watchdog."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.blocked, self.over = threading.Event(), threading.Event()

    def __call__(self, level: str, text: str, failure: Failure | None, details: dict[str, object]) -> None:
        if level == "info":
            return
        self.texts.append(text)
        (self.blocked if "Stack" in text else self.over).set()


@pytest.fixture
def heard(real: Reactor) -> Iterator[Heard]:
    sink = Heard()
    before = report.set_sink(sink)
    yield sink
    report.set_sink(before)


def dogs() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "torsion.watchdog"]


class TestBlocking:
    def test_a_callback_that_blocks_is_told_with_its_stack_while_it_does(self, real: Reactor, heard: Heard) -> None:
        def the_culprit() -> None:
            assert heard.blocked.wait(LONG)  # it blocks until it has been told
            real.callLater(0, wait_for_the_end)

        def wait_for_the_end() -> None:
            if heard.over.is_set():
                real.stop()
            else:
                real.callLater(0.01, wait_for_the_end)

        real.watch_blocking(LIMIT)
        assert dogs() == []  # not before it runs
        real.callLater(0, the_culprit)
        run(real)
        assert dogs() == []
        first, second = heard.texts
        assert "by the timer of" in first and "in the_culprit" in first and "heard.blocked.wait(LONG)" in first
        assert "the_culprit blocked it for about" in second

    def test_an_event_that_blocks_names_its_connection(self, real: Reactor, heard: Heard) -> None:
        class Slow(Protocol):
            def dataReceived(self, data: bytes) -> None:
                assert heard.blocked.wait(LONG)
                real.stop()

        port = real.listenTCP(0, Factory.forProtocol(Slow), interface="127.0.0.1")
        real.watch_blocking(LIMIT)
        with socket.create_connection(("127.0.0.1", port.getHost().port)) as client:
            client.sendall(b"x")
            run(real)
        assert "by an event of Slow,0,127.0.0.1" in heard.texts[0]

    def test_it_may_begin_and_end_while_the_reactor_runs(self, real: Reactor, heard: Heard) -> None:
        alive: list[int] = []

        def begin() -> None:
            real.watch_blocking(LIMIT)
            alive.append(len(dogs()))
            real.watch_blocking(LIMIT * 2)  # another limit, not another dog
            alive.append(len(dogs()))
            real.watch_blocking(None)
            alive.append(len(dogs()))
            real.stop()

        real.callLater(0, begin)
        run(real)
        assert alive == [1, 1, 0]
        assert heard.texts == []

    def test_after_a_crash_it_watches_the_next_run(self, real: Reactor, heard: Heard) -> None:
        real.watch_blocking(LIMIT)
        alive: list[int] = []
        for end in (real.crash, real.stop):
            real.callLater(0, lambda end=end: (alive.append(len(dogs())), end()))
            real.run(installSignalHandlers=False)
            assert dogs() == []
        assert alive == [1, 1]

    def test_two_reactors_in_two_threads_are_told_apart(self, real: Reactor, heard: Heard) -> None:
        def blocks_elsewhere() -> None:
            assert heard.blocked.wait(LONG)
            real.callFromThread(real.stop)
            other.stop()

        def runs_elsewhere() -> None:
            other.watch_blocking(LIMIT)
            other.callLater(0, blocks_elsewhere)
            other.run(installSignalHandlers=False)

        other = Reactor()
        real.watch_blocking(LIMIT)
        thread = threading.Thread(target=runs_elsewhere)
        real.callLater(0, thread.start)
        run(real)
        thread.join()
        other.close()
        assert "in blocks_elsewhere" in heard.texts[0] and "blocks_elsewhere" in heard.texts[1]
        assert len(heard.texts) == 2
        assert dogs() == []

    def test_a_dog_whose_report_takes_too_long_to_wait_for_ends_although_it_is_started_again(
        self, real: Reactor, heard: Heard
    ) -> None:
        def reported(*told: Any) -> None:
            heard(*told)
            assert restarted.wait(LONG)

        def restart() -> None:
            assert heard.blocked.wait(LONG)
            dog, (first,) = real._watchdog, dogs()
            assert dog is not None
            first.join = lambda timeout=None: None  # type: ignore[method-assign]  # as if that second were over
            dog.stop()
            dog.start()
            restarted.set()
            threading.Thread.join(first, LONG)
            alive.append(first.is_alive())
            real.stop()

        restarted = threading.Event()
        alive: list[bool] = []
        before = report.set_sink(reported)
        real.watch_blocking(LIMIT)
        real.callLater(0, restart)
        run(real)
        report.set_sink(before)
        assert alive == [False]
        assert dogs() == []

    def test_a_child_that_is_forked_off_has_no_dog_and_may_go_on(self, real: Reactor, heard: Heard) -> None:
        def fork() -> None:
            child = os.fork()
            if not child:
                real.watch_blocking(None)
                os._exit(len(dogs()))
            ended.append(os.waitpid(child, 0)[1])
            real.stop()

        ended: list[int] = []
        real.watch_blocking(LONG)
        real.callLater(0, fork)
        run(real)
        assert ended == [0]

    @pytest.mark.parametrize(("limit", "error"), [(0, ValueError), (-1, ValueError), ("1", TypeError)])
    def test_a_limit_that_is_none_is_refused_and_changes_nothing(
        self, real: Reactor, limit: Any, error: type[Exception]
    ) -> None:
        with pytest.raises(error, match=f"limit .*not {limit!r}"):
            real.watch_blocking(limit)
        assert real._watchdog is None
