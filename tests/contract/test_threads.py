"""Results carried across threads: the pool, deferToThread, blockingCallFromThread, executors (46, 48, 51, 94)."""

from __future__ import annotations

import gc
import multiprocessing
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from queue import SimpleQueue
from typing import Any

import pytest

from torsion import report, threads
from torsion.contract import Reactor
from torsion.core.deferred import CancelledError, Deferred
from torsion.core.maybe import maybeDeferred
from torsion.failure import Failure
from torsion.pool import threadable
from torsion.pool.threadpool import ThreadPool

PATIENCE = 20  # seconds; only a failing test waits so long


@pytest.fixture
def reactor() -> Iterator[Reactor]:
    """A reactor; no thread may be left after the test."""
    before = set(threading.enumerate())
    reactor = Reactor()
    yield reactor
    reactor.close()
    assert set(threading.enumerate()) == before


@pytest.fixture
def reported() -> Iterator[list[type[BaseException]]]:
    """The types of the failures that were reported."""
    types: list[type[BaseException]] = []

    def sink(level: str, text: str, failure: Failure | None, details: dict[str, object]) -> None:
        if failure is not None:
            types.append(failure.type)

    report.set_sink(sink)
    yield types
    report.set_sink(None)


def run(reactor: Reactor, function: Callable[..., Any], *args: Any) -> Any:
    """The result of a function called in the running reactor, which is stopped when it is there."""
    results: list[Any] = []

    def begin() -> None:
        deferred = maybeDeferred(function, *args)
        deferred.addBoth(results.append)
        deferred.addBoth(lambda _: reactor.stop())

    reactor.callWhenRunning(begin)
    guard = reactor.callLater(PATIENCE, reactor.stop)
    reactor.run(installSignalHandlers=False)
    guard.cancel()
    (result,) = results
    if isinstance(result, Failure):
        result.raiseException()
    return result


def wait(event: threading.Event) -> None:
    assert event.wait(PATIENCE)


# 46


def test_s046_calls_from_many_threads_all_run_in_the_reactors_thread_each_threads_in_order(reactor: Reactor) -> None:
    givers, each = 6, 300
    together = threading.Barrier(givers, timeout=PATIENCE)
    got: list[tuple[int, int]] = []
    places: set[int] = set()

    def take(giver: int, number: int) -> None:
        places.add(threading.get_ident())
        got.append((giver, number))
        if len(got) == givers * each:
            reactor.stop()

    def give(giver: int) -> None:
        together.wait()
        for number in range(each):
            reactor.callFromThread(take, giver, number)

    workers = [threading.Thread(target=give, args=(giver,)) for giver in range(givers)]
    reactor.callWhenRunning(lambda: [worker.start() for worker in workers])
    guard = reactor.callLater(PATIENCE, reactor.stop)
    reactor.run(installSignalHandlers=False)
    guard.cancel()
    for worker in workers:
        worker.join(PATIENCE)
    assert places == {threading.get_ident()}
    for giver in range(givers):
        assert [number for who, number in got if who == giver] == list(range(each))


# 48: the reactor's pool


def test_s048_the_reactors_pool_is_made_when_first_asked_for_with_0_to_10_threads(reactor: Reactor) -> None:
    assert reactor.threadpool is None
    pool = reactor.getThreadPool()
    assert reactor.threadpool is pool is reactor.getThreadPool()
    assert (pool.min, pool.max, pool.started) == (0, 10, False)
    reactor.suggestThreadPoolSize(3)
    assert pool.max == 3
    assert run(reactor, lambda: pool.started) is True
    assert (pool.started, pool.joined, reactor.threadpool) == (False, True, None)


def test_s048_work_queued_before_the_reactor_runs_runs_when_it_starts(reactor: Reactor) -> None:
    ran: list[str] = []
    reactor.callInThread(ran.append, "early")
    assert ran == []
    run(reactor, int)
    assert ran == ["early"]


def test_s048_shutdown_runs_the_backlog_and_delivers_none_of_its_results(reactor: Reactor) -> None:
    begun, end = threading.Event(), threading.Event()
    ran: list[int] = []
    delivered: list[object] = []

    def job(number: int) -> None:
        begun.set()
        wait(end)
        ran.append(number)

    def begin() -> None:
        reactor.suggestThreadPoolSize(1)
        for number in range(5):
            threads.deferToThread(job, number).addBoth(delivered.append)
        wait(begun)
        end.set()

    run(reactor, begin)
    assert ran == [0, 1, 2, 3, 4]
    assert delivered == []


def test_s048_after_shutdown_calls_go_into_a_fresh_pool_that_never_starts(
    reactor: Reactor, reported: list[type[BaseException]]
) -> None:
    run(reactor, threads.deferToThread, int)
    ran: list[int] = []
    reactor.callInThread(ran.append, 1)
    pool = reactor.threadpool
    assert pool is not None
    assert (pool.started, pool.joined, pool.threads, pool._queue.qsize()) == (False, False, [], 1)
    assert (ran, reported) == ([], [])
    pool.stop()


def test_s048_after_crash_a_live_pool_thread_keeps_the_process_from_exiting() -> None:
    program = """
import threading
from torsion.reactors import default
reactor = default()
def job():
    reactor.callFromThread(reactor.crash)
    threading.main_thread().join()
    print("the process still lives", flush=True)
    pool.stop()
pool = reactor.getThreadPool()
reactor.callInThread(job)
reactor.run()
print("run returned", flush=True)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE)
    assert (done.stdout, done.stderr) == ("run returned\nthe process still lives\n", "")
    assert done.returncode == 0


# 51 and 94: deferToThread


def test_s051_results_of_deferToThread_come_back_in_the_reactors_thread_by_callFromThread(reactor: Reactor) -> None:
    used: list[Any] = []
    call_from_thread = reactor.callFromThread

    def spy(function: Callable[..., object], *args: object) -> None:
        used.append(threading.get_ident())
        call_from_thread(function, *args)

    def begin() -> Deferred:
        reactor.callFromThread = spy  # type: ignore[method-assign]
        deferred = threads.deferToThread(lambda x, y=5: (x + y, threading.get_ident()), 3, y=4)
        return deferred.addCallback(lambda result: (*result, threading.get_ident()))

    value, worker, fired_in = run(reactor, begin)
    assert value == 7
    assert used == [worker]
    assert worker != fired_in == threading.get_ident()


def test_s051_deferToThreadPool_uses_the_given_pool_and_reactor(reactor: Reactor) -> None:
    pool = ThreadPool(0, 1, "given")
    pool.start()
    name = run(reactor, threads.deferToThreadPool, reactor, pool, lambda: threading.current_thread().name)
    pool.stop()
    assert name == "PoolThread-given-0"
    assert reactor.threadpool is None


@pytest.mark.parametrize("error", [ZeroDivisionError, SystemExit, KeyboardInterrupt])
def test_s094_whatever_the_job_raises_becomes_a_Failure(
    reactor: Reactor, reported: list[type[BaseException]], error: type[BaseException]
) -> None:
    def fail() -> None:
        raise error("x")

    with pytest.raises(error) as caught:
        run(reactor, threads.deferToThread, fail)
    assert caught.traceback[-1].name == "fail"
    assert reported == []


def test_s094_deferToThread_does_not_await_a_coroutine(reactor: Reactor) -> None:
    async def coroutine() -> int:
        return 1

    result = run(reactor, threads.deferToThread, coroutine)
    assert result.__class__.__name__ == "coroutine"
    result.close()


def test_s094_deferToThread_passes_a_Deferred_on_as_a_value(reactor: Reactor) -> None:
    inner = Deferred()
    seen: list[object] = []

    def begin() -> Deferred:
        return threads.deferToThread(lambda: inner).addCallback(seen.append)

    run(reactor, begin)
    assert seen == [inner]
    assert not inner.called


def test_s094_s051_a_cancelled_job_still_runs_and_its_result_is_swallowed(
    reactor: Reactor, reported: list[type[BaseException]]
) -> None:
    begun, end, ended = threading.Event(), threading.Event(), threading.Event()

    def job() -> int:
        begun.set()
        wait(end)
        ended.set()
        return 1 // 0

    def begin() -> Deferred:
        deferred = threads.deferToThread(job)
        wait(begun)
        deferred.cancel()
        assert deferred.called
        assert not ended.is_set()
        end.set()
        reactor.suggestThreadPoolSize(1)
        outcomes: list[Any] = []
        deferred.addErrback(lambda failure: outcomes.append(failure.type))
        # Its result is delivered before that of a later job in the same thread.
        return threads.deferToThread(lambda: None).addCallback(lambda _: outcomes)

    assert run(reactor, begin) == [CancelledError]
    assert ended.is_set()
    assert reported == []


def test_callMultipleInThread_calls_each_in_turn_in_one_thread(reactor: Reactor) -> None:
    seen: list[tuple[int, int, int]] = []

    def note(number: int, key: int) -> None:
        seen.append((number, key, threading.get_ident()))

    def begin() -> Deferred:
        done = Deferred()
        calls: list[tuple[Any, tuple[Any, ...], dict[str, Any]]] = [(note, (n,), {"key": -n}) for n in range(5)]
        threads.callMultipleInThread([*calls, (reactor.callFromThread, (done.callback, None), {})])
        return done

    run(reactor, begin)
    assert [(number, key) for number, key, _ in seen] == [(n, -n) for n in range(5)]
    assert len({thread for _, _, thread in seen}) == 1
    assert seen[0][2] != threading.get_ident()


def test_callMultipleInThread_reports_an_error_and_calls_no_more(
    reactor: Reactor, reported: list[type[BaseException]]
) -> None:
    ran: list[int] = []
    reactor.suggestThreadPoolSize(1)

    def begin() -> Deferred:
        threads.callMultipleInThread([(ran.append, (1,), {}), (divmod, (1, 0), {}), (ran.append, (2,), {})])
        return threads.deferToThread(int)

    run(reactor, begin)
    assert (ran, reported) == ([1], [ZeroDivisionError])


# 51 and 94: blockingCallFromThread


def in_worker(reactor: Reactor, function: Callable[..., Any], *args: Any) -> Any:
    """What blockingCallFromThread gives in a worker."""
    return run(reactor, threads.deferToThread, threads.blockingCallFromThread, reactor, function, *args)


def test_s051_blockingCallFromThread_returns_what_the_function_returned_in_the_reactors_thread(
    reactor: Reactor,
) -> None:
    assert in_worker(reactor, lambda x: (x, threading.get_ident()), 3) == (3, threading.get_ident())


def test_s051_blockingCallFromThread_raises_again_with_the_traceback(reactor: Reactor) -> None:
    def fail() -> None:
        raise ValueError("x")

    with pytest.raises(ValueError, match="x") as caught:
        in_worker(reactor, fail)
    assert caught.traceback[-1].name == "fail"


def test_s094_blockingCallFromThread_awaits_Deferreds_and_coroutines(reactor: Reactor) -> None:
    def later() -> Deferred:
        deferred = Deferred()
        reactor.callLater(0, deferred.callback, "deferred")
        return deferred

    async def coroutine() -> Any:
        return [await later(), "coroutine"]

    def both() -> list[Any]:
        return [threads.blockingCallFromThread(reactor, f) for f in (later, coroutine)]

    assert run(reactor, threads.deferToThread, both) == ["deferred", ["deferred", "coroutine"]]


def test_s051_blockingCallFromThread_in_the_reactors_own_thread_says_that_it_would_deadlock(reactor: Reactor) -> None:
    ran: list[int] = []
    with pytest.raises(threads.WouldDeadlock, match="the reactor's own thread"):
        run(reactor, threads.blockingCallFromThread, reactor, ran.append, 1)
    assert ran == []
    assert issubclass(threads.WouldDeadlock, RuntimeError)


def test_s051_a_worker_that_waits_when_the_reactor_shuts_down_is_told_so_and_shutdown_goes_on(
    reactor: Reactor,
) -> None:
    outcomes: list[BaseException] = []
    never = Deferred()

    def job() -> None:
        try:
            threads.blockingCallFromThread(reactor, wait_for_ever)
        except BaseException as error:
            outcomes.append(error)

    def wait_for_ever() -> Deferred:
        reactor.stop()
        return never

    reactor.callInThread(job)
    guard = reactor.callLater(PATIENCE, never.callback, None)
    reactor.run(installSignalHandlers=False)
    guard.cancel()
    (error,) = outcomes
    assert isinstance(error, threads.WouldDeadlock)
    assert "pool that is being stopped" in str(error)


@pytest.mark.parametrize("whose", ["the reactor's pool", "a pool of the program"])
def test_s051_a_worker_that_begins_to_wait_while_the_reactor_shuts_down_is_told_so(
    reactor: Reactor, whose: str
) -> None:
    outcomes: list[BaseException] = []
    ran: list[int] = []

    def job() -> None:
        begun.set()
        while not pool.joined:
            pass
        try:
            threads.blockingCallFromThread(reactor, ran.append, 1)
        except BaseException as error:
            outcomes.append(error)

    begun = threading.Event()
    if whose == "the reactor's pool":
        pool = reactor.getThreadPool()
    else:
        pool = ThreadPool(0, 1)
        pool.start()
        reactor.addSystemEventTrigger("during", "shutdown", pool.stop)
    pool.callInThread(job)
    run(reactor, wait, begun)
    assert [type(error) for error in outcomes] == [threads.WouldDeadlock]
    assert ran == []


def test_s051_before_shutdown_triggers_may_still_use_blockingCallFromThread(reactor: Reactor) -> None:
    outcomes: list[object] = []

    def before() -> Deferred:
        return threads.deferToThread(threads.blockingCallFromThread, reactor, lambda: 7).addBoth(outcomes.append)

    reactor.addSystemEventTrigger("before", "shutdown", before)
    run(reactor, int)
    assert outcomes == [7]


def test_s051_a_pool_stopped_in_another_thread_disturbs_nobody_who_waits_for_the_reactor(reactor: Reactor) -> None:
    pool = ThreadPool(0, 1)
    pool.start()
    begun = threading.Event()
    stopper = threading.Thread(target=pool.stop)
    answers: SimpleQueue[Any] = SimpleQueue()

    def job() -> Any:
        begun.set()
        while not pool.joined:
            pass
        return threads.blockingCallFromThread(reactor, lambda: "answer")

    def begin() -> Deferred:
        deferred = threads.deferToThreadPool(reactor, pool, job)
        wait(begun)
        stopper.start()
        return deferred.addCallback(answers.put)

    run(reactor, begin)
    stopper.join(PATIENCE)
    assert answers.get(timeout=PATIENCE) == "answer"


def test_s051_two_reactors_may_wait_for_each_others_threads_to_answer(reactor: Reactor) -> None:
    other = Reactor()
    ready = threading.Event()
    other.callWhenRunning(ready.set)
    thread = threading.Thread(target=other.run, kwargs={"installSignalHandlers": False})
    thread.start()
    wait(ready)
    ident = run(reactor, threads.blockingCallFromThread, other, threading.get_ident)
    other.callFromThread(other.stop)
    thread.join(PATIENCE)
    other.close()
    assert ident == thread.ident


def test_s051_a_reactor_that_is_not_ours_is_known_by_the_io_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []

    class Foreign:
        def callFromThread(self, function: Callable[..., object], *args: Any, **kwargs: Any) -> None:
            calls.append((function, args, kwargs))

    monkeypatch.setattr(threadable, "ioThread", threading.get_ident())
    ran: list[int] = []
    with pytest.raises(threads.WouldDeadlock):
        threads.blockingCallFromThread(Foreign(), ran.append, 1)
    ((function, args, kwargs),) = calls
    function(*args, **kwargs)
    assert ran == []  # nobody waits for it any more


@pytest.mark.parametrize("io", [True, False])
def test_s051_a_reactor_that_calls_at_once_answers_in_any_thread(monkeypatch: pytest.MonkeyPatch, io: bool) -> None:
    class Synchronous:
        def callFromThread(self, function: Callable[..., object], *args: Any, **kwargs: Any) -> None:
            function(*args, **kwargs)

    monkeypatch.setattr(threadable, "ioThread", threading.get_ident() if io else None)
    assert threads.blockingCallFromThread(Synchronous(), lambda: 1) == 1
    with pytest.raises(ZeroDivisionError):
        threads.blockingCallFromThread(Synchronous(), lambda: 1 // 0)


# Executors


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as executor:
        yield executor


@pytest.fixture
def busy(executor: ThreadPoolExecutor) -> Iterator[threading.Event]:
    """The executor's one thread is busy until this is set."""
    begun, end = threading.Event(), threading.Event()

    def job() -> None:
        begun.set()
        wait(end)

    executor.submit(job)
    wait(begun)
    yield end
    end.set()


def test_defer_to_executor_gives_the_result_in_the_running_reactors_thread(
    reactor: Reactor, executor: ThreadPoolExecutor
) -> None:
    def begin() -> Deferred:
        deferred = threads.defer_to_executor(executor, lambda x, k: (x, k, threading.get_ident()), 1, k=2)
        return deferred.addCallback(lambda result: (*result, threading.get_ident()))

    x, k, worker, here = run(reactor, begin)
    assert (x, k) == (1, 2)
    assert worker != here == threading.get_ident()


def test_defer_to_executor_gives_the_error_with_its_traceback(reactor: Reactor, executor: ThreadPoolExecutor) -> None:
    def fail() -> None:
        raise ValueError("x")

    with pytest.raises(ValueError, match="x") as caught:
        run(reactor, threads.defer_to_executor, executor, fail)
    assert caught.traceback[-1].name == "fail"


def test_defer_to_executor_cancelled_before_the_call_begins_keeps_it_from_beginning(
    reactor: Reactor, executor: ThreadPoolExecutor, busy: threading.Event, reported: list[type[BaseException]]
) -> None:
    ran: list[int] = []

    def begin() -> Deferred:
        deferred = threads.defer_to_executor(executor, ran.append, 1)
        deferred.cancel()
        assert deferred.called
        busy.set()
        outcomes: list[Any] = []
        deferred.addErrback(lambda failure: outcomes.append(failure.type))
        return threads.defer_to_executor(executor, int).addCallback(lambda _: outcomes)

    assert run(reactor, begin) == [CancelledError]
    assert (ran, reported) == ([], [])


@pytest.mark.parametrize("divisor", [0, 1], ids=["error", "result"])
def test_defer_to_executor_cancelled_while_the_call_runs_swallows_what_comes_of_it(
    reactor: Reactor, executor: ThreadPoolExecutor, reported: list[type[BaseException]], divisor: int
) -> None:
    begun, end = threading.Event(), threading.Event()

    def job() -> int:
        begun.set()
        wait(end)
        return 1 // divisor

    def begin() -> Deferred:
        deferred = threads.defer_to_executor(executor, job)
        wait(begun)
        outcomes: list[Any] = []
        deferred.addErrback(lambda failure: outcomes.append(failure.type))
        deferred.cancel()
        assert outcomes == [CancelledError]
        end.set()
        return threads.defer_to_executor(executor, int).addCallback(lambda _: outcomes)

    assert run(reactor, begin) == [CancelledError]
    assert reported == []


def test_defer_to_executor_gives_CancelledError_when_others_cancel_the_future(
    reactor: Reactor, executor: ThreadPoolExecutor, busy: threading.Event
) -> None:
    def begin() -> Deferred:
        deferred = threads.defer_to_executor(executor, int)
        executor.shutdown(wait=False, cancel_futures=True)
        return deferred

    with pytest.raises(CancelledError):
        run(reactor, begin)


def test_defer_to_executor_that_is_shut_down_fails_clearly(reactor: Reactor) -> None:
    executor = ThreadPoolExecutor(1)
    executor.shutdown()
    with pytest.raises(RuntimeError, match="shutdown"):
        run(reactor, threads.defer_to_executor, executor, int)


def test_defer_to_executor_whose_processes_break_fails(reactor: Reactor) -> None:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as executor:

        def begin() -> Deferred:
            outcomes: list[Any] = []

            def again(failure: Failure) -> Deferred:
                outcomes.append(failure.type)
                return threads.defer_to_executor(executor, int)  # here it is submit() that fails

            deferred = threads.defer_to_executor(executor, os._exit, 1)
            deferred.addErrback(again)
            return deferred.addErrback(lambda failure: [*outcomes, failure.type])

        assert run(reactor, begin) == [BrokenProcessPool, BrokenProcessPool]


def test_defer_to_executor_takes_anything_that_has_submit(reactor: Reactor) -> None:
    class Immediate:
        def submit(self, function: Callable[..., Any], /, *args: Any) -> Future[Any]:
            future: Future[Any] = Future()
            future.set_result(function(*args))
            return future

    assert run(reactor, threads.defer_to_executor, Immediate(), str, 7) == "7"


# What is left behind: nothing


@pytest.mark.parametrize("divisor", [0, 1], ids=["errors", "results"])
def test_no_cycle_and_no_thread_is_left_after_many_calls(
    reactor: Reactor, executor: ThreadPoolExecutor, divisor: int
) -> None:
    def job() -> int:
        return 1 // divisor

    def calls(count: int) -> Deferred:
        left = [3 * count]
        done = Deferred()

        def ended(_: object) -> None:
            left[0] -= 1
            if not left[0]:
                done.callback(None)

        for _ in range(count):
            threads.deferToThread(job).addBoth(ended)
            threads.deferToThread(threads.blockingCallFromThread, reactor, job).addBoth(ended)
            threads.defer_to_executor(executor, job).addBoth(ended)
        return done

    def collect(_: object) -> None:
        gc.collect()
        gc.disable()

    def count_garbage(_: object) -> int:
        # Whatever a worker still holds it lets go of before its pool has stopped.
        reactor._stopThreadPool()
        executor.shutdown()
        return gc.collect()

    def begin() -> Deferred:
        deferred = calls(50).addCallback(collect)
        return deferred.addCallback(lambda _: calls(100)).addCallback(count_garbage)

    try:
        assert run(reactor, begin) == 0
    finally:
        gc.enable()
