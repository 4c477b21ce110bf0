"""Pools that report: work that waits too long, threads that wait for the pool itself, jobs that hold a shutdown up."""

import functools
import gc
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from queue import SimpleQueue
from typing import Any

import pytest
from tests.contract.parts import VirtualPoller
from tests.unit.scripted import VirtualClock

from torsion import report, threads
from torsion.contract import Reactor
from torsion.core.deferred import Deferred
from torsion.pool.threadpool import ThreadPool
from torsion.pool.watch import named

PATIENCE = 20  # seconds; only a failing test waits so long


@pytest.fixture
def said() -> Iterator[list[str]]:
    """What was reported."""
    texts: list[str] = []

    def sink(level: str, text: str, failure: Any, details: dict[str, object]) -> None:
        assert level == "warning", (text, failure)
        texts.append(text)

    report.set_sink(sink)
    yield texts
    report.set_sink(None)


class Busy:
    """A pool in virtual time whose threads are held."""

    def __init__(self, size: int = 2) -> None:
        self.clock = VirtualClock()
        self.pool = ThreadPool(0, size, "busy")
        self.pool.watch.clock = self.clock
        self.pool.start()
        self.go_on = threading.Event()
        self.begun = threading.Semaphore(0)
        self.size = size

    def hold(self) -> None:
        self.begun.release()
        assert self.go_on.wait(PATIENCE)

    def fill(self) -> None:
        for _ in range(self.size):
            self.pool.callInThread(self.hold)
        for _ in range(self.size):
            assert self.begun.acquire(timeout=PATIENCE)

    def drain(self) -> None:
        """Let everything run that is there."""
        self.go_on.set()
        done = threading.Event()
        self.pool.callInThread(done.set)
        assert done.wait(PATIENCE)

    def end(self) -> None:
        self.go_on.set()
        self.pool.stop()


@pytest.fixture
def busy() -> Iterator[Busy]:
    made = Busy()
    yield made
    made.end()


def waits() -> None:
    """A job that is queued."""


def test_work_that_waits_longer_than_the_limit_is_reported_once_with_what_runs_meanwhile(
    busy: Busy, said: list[str]
) -> None:
    busy.fill()
    busy.clock.advance(1)
    busy.pool.callInThread(waits)
    busy.clock.advance(4.9)
    busy.pool.callInThread(len, [])
    assert not said
    busy.clock.advance(0.1)
    busy.pool.callInThread(functools.partial(waits))
    (text,) = said
    assert "'busy' is full: 3 calls waiting for a thread, the first of them for 5.0 seconds" in text
    assert "with 2 threads at work of at most 2" in text
    assert f"Waiting: 2 × {__name__}.waits (up to 5.0 s), builtins.len (0.1 s)" in text
    assert f"Running: 2 × {__name__}.Busy.hold (up to 6.0 s)" in text
    busy.clock.advance(100)
    busy.pool.callInThread(waits)
    assert len(said) == 1


def test_another_episode_is_another_report(busy: Busy, said: list[str]) -> None:
    for episode in (1, 2):
        busy.go_on.clear()
        busy.fill()
        busy.pool.callInThread(waits)
        busy.clock.advance(6)
        busy.pool.callInThread(waits)
        assert len(said) == episode
        busy.drain()
        busy.clock.advance(6)
        busy.pool.watch.look(busy.pool)
        assert len(said) == episode


def test_the_limit_is_the_pools_and_may_be_set(busy: Busy, said: list[str]) -> None:
    busy.fill()
    busy.pool.report_after = 60
    busy.pool.callInThread(waits)
    busy.clock.advance(59)
    busy.pool.callInThread(waits)
    assert not said
    busy.clock.advance(1)
    busy.pool.watch.look(busy.pool)
    assert len(said) == 1


def test_without_a_limit_nothing_is_reported_and_no_timer_is_asked_for(busy: Busy, said: list[str]) -> None:
    timers: list[Any] = []
    busy.pool.watch.later = lambda *call: timers.append(call)
    busy.pool.report_after = math.inf
    busy.fill()
    busy.pool.callInThread(waits)
    busy.clock.advance(1e9)
    busy.pool.callInThread(waits)
    assert not said
    assert not timers


def test_a_pool_that_was_never_started_says_so(said: list[str]) -> None:
    pool = ThreadPool(0, 1, "asleep")
    clock = pool.watch.clock = VirtualClock()
    pool.callInThread(waits)
    clock.advance(5)
    pool.callInThread(waits)
    assert "'asleep' has not been started: 2 calls waiting" in said[0]
    pool.start()
    pool.stop()


def test_a_timer_that_is_lent_looks_while_work_waits_and_no_longer(busy: Busy, said: list[str]) -> None:
    timers: list[Any] = []
    busy.pool.watch.later = lambda seconds, function: timers.append((seconds, function))
    busy.fill()
    assert not timers
    busy.pool.callInThread(waits)
    busy.pool.callInThread(waits)
    ((seconds, look),) = timers
    assert seconds == 5
    busy.clock.advance(3)
    look()  # somewhat early
    assert [seconds for seconds, _ in timers] == [5, 2]
    busy.clock.advance(2)
    timers[-1][1]()
    assert len(said) == 1
    assert len(timers) == 3
    busy.drain()
    timers[-1][1]()
    assert len(timers) == 3
    assert len(said) == 1


def test_a_pool_that_nobody_needs_any_more_is_not_kept_by_the_timer() -> None:
    timers: list[Any] = []
    pool = ThreadPool(0, 1)
    pool.watch.later = lambda seconds, function: timers.append(function)
    pool.callInThread(waits)
    del pool
    gc.collect()
    timers[0]()
    assert len(timers) == 1


def test_two_threads_do_not_report_the_same(busy: Busy, said: list[str]) -> None:
    busy.fill()
    busy.pool.callInThread(waits)
    busy.clock.advance(6)

    def look_once_more(level: str, text: str, failure: Any, details: Any) -> None:
        said.append(text)
        other = threading.Thread(target=busy.pool.watch.look, args=(busy.pool,))
        other.start()
        other.join(PATIENCE)

    report.set_sink(look_once_more)
    busy.pool.watch.look(busy.pool)
    assert len(said) == 1


# Reactors


class Turning:
    """A real reactor in virtual time, with a pool of one thread that is full."""

    def __init__(self) -> None:
        self.poller = VirtualPoller()
        self.reactor = Reactor(clock=self.poller.clock, poller=self.poller)
        self.poller.crash = self.reactor.crash
        self.pool = self.reactor.getThreadPool()
        self.pool.watch.clock = self.poller.clock
        self.reactor.suggestThreadPoolSize(1)
        self.go_on = threading.Event()

    def run(self) -> None:
        self.reactor.run(installSignalHandlers=False)
        assert not self.poller.stuck
        self.reactor.close()


@pytest.fixture
def turning() -> Turning:
    return Turning()


def test_the_reactors_pool_is_watched_by_a_timer_that_programs_do_not_see(turning: Turning, said: list[str]) -> None:
    reactor = turning.reactor
    seen: list[Any] = []
    begun = threading.Event()

    def hold() -> None:
        begun.set()
        assert turning.go_on.wait(PATIENCE)

    def begin() -> None:
        reactor.callInThread(hold)
        assert begun.wait(PATIENCE)
        reactor.callInThread(waits)
        reactor.callLater(4, lambda: seen.extend([*reactor.getDelayedCalls(), len(said)]))
        reactor.callLater(12, turning.go_on.set)
        reactor.callLater(12, reactor.stop)

    reactor.callWhenRunning(begin)
    turning.run()
    assert len(seen) == 3  # the two that are still to come
    assert seen[-1] == 0
    (text,) = said
    assert "'torsion.reactor' is full: 1 call waiting for a thread, the first of them for 5.0 seconds" in text
    assert f"Running: {hold.__module__}.{hold.__qualname__} (5.0 s)" in text


def test_a_pool_of_the_programs_is_watched_by_the_reactor_that_gets_its_results(
    turning: Turning, said: list[str]
) -> None:
    reactor = turning.reactor
    pool = ThreadPool(0, 1, "own")
    pool.watch.clock = turning.poller.clock
    pool.start()

    def begin() -> None:
        for _ in range(2):
            threads.deferToThreadPool(reactor, pool, turning.go_on.wait, PATIENCE)
        reactor.callLater(8, reactor.stop)

    reactor.callWhenRunning(begin)
    turning.run()
    turning.go_on.set()
    pool.stop()
    assert len(said) == 1
    assert "'own' is full" in said[0]


def test_a_pool_whose_threads_wait_for_the_pool_itself_is_reported_as_that(turning: Turning, said: list[str]) -> None:
    reactor = turning.reactor
    outcomes: list[Any] = []
    asked = threading.Event()
    call_from_thread = reactor.callFromThread

    def spy(*call: Any) -> None:
        call_from_thread(*call)
        asked.set()

    reactor.callFromThread = spy  # type: ignore[method-assign]

    def ask() -> Deferred:
        return threads.deferToThreadPool(reactor, turning.pool, waits)

    def job() -> None:
        try:
            threads.blockingCallFromThread(reactor, ask)
        except BaseException as error:
            outcomes.append(type(error))

    def begin() -> None:
        reactor.callInThread(job)
        assert asked.wait(PATIENCE)  # virtual time is to pass only when the thread waits
        reactor.callLater(7, reactor.stop)

    reactor.callWhenRunning(begin)
    turning.run()
    assert outcomes == [threads.WouldDeadlock]
    (text,) = said
    assert "'torsion.reactor' may wait for itself: 1 call waiting" in text
    assert "while 1 thread, all that are busy, wait for a reactor" in text
    assert f"Waiting: {__name__}.waits" in text
    assert f"{job.__qualname__} (" in text


def test_a_job_that_holds_a_shutdown_up_is_named(turning: Turning, said: list[str]) -> None:
    reactor = turning.reactor
    turning.pool.report_after = 0.01
    begun = threading.Event()

    def stubborn() -> None:
        begun.set()
        while not said:
            pass

    def begin() -> None:
        reactor.callInThread(stubborn)
        assert begun.wait(PATIENCE)
        reactor.callInThread(waits)
        reactor.stop()

    reactor.callWhenRunning(begin)
    turning.run()
    assert "'torsion.reactor' is being stopped" in said[-1]
    assert f"{stubborn.__qualname__} (0.0 s)" in said[-1]
    assert f"Still to be run: {__name__}.waits" in said[-1]


@pytest.mark.parametrize("job", [int, lambda: 1 / 0], ids=["returns", "raises"])
def test_a_call_that_is_over_is_not_said_to_run(job: Callable[[], Any]) -> None:
    pool = ThreadPool(0, 1)
    pool.start()
    seen: SimpleQueue[list[Any]] = SimpleQueue()
    pool.callInThreadWithCallback(lambda *answer: seen.put(pool.watch.running()), job)
    assert seen.get(timeout=PATIENCE) == []
    pool.stop()


def test_a_pool_that_ends_at_once_says_nothing(said: list[str]) -> None:
    busy = Busy()
    busy.fill()
    busy.end()
    assert not said


def test_a_watched_pool_leaves_nothing_behind(
    said: list[str], no_leaks: Callable[[], AbstractContextManager[None]]
) -> None:
    def one() -> None:
        busy = Busy()
        busy.fill()
        busy.pool.callInThread(waits)
        busy.clock.advance(6)
        busy.pool.callInThread(waits)
        busy.drain()
        busy.end()

    one()
    with no_leaks():
        one()
    assert len(said) == 2


# Names


class _Callable:
    def __call__(self) -> None: ...


class _Moody:
    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"no {name} today")


class _Call:
    def __init__(self, since: float, function: Any) -> None:
        self.since = since
        self.function = function


def test_calls_are_named_without_their_arguments_and_not_all_of_them() -> None:
    calls: list[Any] = [_Call(1, functools.partial(waits, "secret")), _Call(2, _Callable())]
    assert named(calls, 3) == f"{__name__}.waits (2.0 s), an object of class _Callable (1.0 s)"
    assert named([], 3) == "nothing"
    many: list[Any] = [_Call(0, type(f"Kind{number}", (), {})) for number in range(15)]
    assert named(many, 1).endswith("Kind9 (1.0 s), 5 other functions")
    assert named([_Call(0, _Moody())], 1) == "an object of class _Moody (1.0 s)"  # type: ignore[list-item]
    (ended,) = [_Call(0, None)]
    del ended.function
    assert "NoneType" in named([ended], 1)
