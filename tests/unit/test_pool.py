"""The pool: a team of thread workers between two limits (semantics 48 and 49)."""

from __future__ import annotations

import gc
import pickle
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from time import monotonic
from typing import Any

import pytest
from tests.unit.conftest import Reports

from torsion import report
from torsion.pool.threadpool import ThreadPool, current_pool
from torsion.pool.worker import AlreadyQuit

PATIENCE = 20  # seconds; only a failing test waits so long


@pytest.fixture
def make_pool() -> Iterator[Callable[..., ThreadPool]]:
    """Makes started pools and stops them; no thread may be left after that."""
    before = set(threading.enumerate())
    pools: list[ThreadPool] = []

    def make(least: int = 0, most: int = 4, name: str | None = "test") -> ThreadPool:
        pool = ThreadPool(least, most, name)
        pools.append(pool)
        pool.start()
        return pool

    yield make
    for pool in pools:
        if not pool.joined:
            pool.stop()
    assert set(threading.enumerate()) == before


class Busy:
    """Occupies `count` workers of a pool until it is released."""

    def __init__(self, pool: ThreadPool, count: int) -> None:
        self._end = threading.Event()
        self._begun = threading.Barrier(count + 1, timeout=PATIENCE)
        for _ in range(count):
            pool.callInThread(self._work)
        self._begun.wait()

    def _work(self) -> None:
        self._begun.wait()
        assert self._end.wait(PATIENCE)

    def release(self) -> None:
        self._end.set()


def ask(pool: ThreadPool, function: Callable[..., Any], *args: Any) -> tuple[bool, Any]:
    """What onResult is told of a call."""
    answers: SimpleQueue[tuple[bool, Any]] = SimpleQueue()
    pool.callInThreadWithCallback(lambda *answer: answers.put(answer), function, *args)
    return answers.get(timeout=PATIENCE)


def wait_for_idle(pool: ThreadPool, count: int) -> None:
    """Until `count` workers are idle: a worker is counted idle a moment after its work is done."""
    deadline = monotonic() + PATIENCE
    while len(pool.waiters) != count:
        assert monotonic() < deadline


# 48: the pool's life


def test_s048_work_queued_before_start_runs_at_start() -> None:
    pool = ThreadPool(0, 2)
    ran: SimpleQueue[int] = SimpleQueue()
    for number in range(5):
        pool.callInThread(ran.put, number)
    assert pool.threads == []
    assert pool.workers == 0
    assert pool._queue.qsize() == 5
    pool.start()
    assert sorted(ran.get(timeout=PATIENCE) for _ in range(5)) == [0, 1, 2, 3, 4]
    pool.stop()


def test_s048_work_after_stop_is_silently_dropped(reports: Reports) -> None:
    pool = ThreadPool(0, 2)
    pool.start()
    pool.stop()
    ran: list[int] = []
    pool.callInThread(ran.append, 1)
    pool.callInThreadWithCallback(lambda *answer: ran.append(2), ran.append, 3)
    assert pool._queue.qsize() == 0
    assert (ran, reports) == ([], [])


def test_s048_stop_lets_the_whole_backlog_run_and_joins_every_thread(make_pool: Callable[..., ThreadPool]) -> None:
    pool = make_pool(0, 2)
    busy = Busy(pool, 2)
    ran: list[int] = []
    for number in range(50):
        pool.callInThread(ran.append, number)
    assert pool._queue.qsize() == 50
    threads = list(pool.threads)
    pool.callInThread(lambda: None)
    busy.release()
    pool.stop()
    assert sorted(ran) == list(range(50))
    assert not any(thread.is_alive() for thread in threads)
    assert (pool.threads, pool.workers, pool.joined, pool.started) == ([], 0, True, False)


def test_s048_a_running_job_delays_stop(make_pool: Callable[..., ThreadPool]) -> None:
    pool = make_pool()
    busy = Busy(pool, 1)
    stopped = threading.Event()

    def stop() -> None:
        pool.stop()
        stopped.set()

    stopper = threading.Thread(target=stop)
    stopper.start()
    stopper.join(0.02)  # no more than a glance: stop() must not have returned
    assert not stopped.is_set()
    busy.release()
    assert stopped.wait(PATIENCE)
    stopper.join()


def test_s048_a_pool_that_was_not_stopped_keeps_the_process_from_exiting() -> None:
    program = """
import threading
from torsion.pool.threadpool import ThreadPool
pool = ThreadPool(0, 1)
pool.start()
def job():
    threading.main_thread().join()
    print("main thread ended, daemon:", threading.current_thread().daemon, flush=True)
    pool.stop()
pool.callInThread(job)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE)
    assert (done.stdout, done.stderr, done.returncode) == ("main thread ended, daemon: False\n", "", 0)


def test_s048_threads_are_made_on_demand_and_named(make_pool: Callable[..., ThreadPool]) -> None:
    pool = make_pool(0, 3, "mine")
    assert pool.threads == []
    success, name = ask(pool, lambda: threading.current_thread().name)
    assert (success, name) == (True, "PoolThread-mine-0")
    assert not any(thread.daemon for thread in pool.threads)
    nameless = make_pool(2, 3, None)
    assert [thread.name for thread in nameless.threads] == [f"PoolThread-{id(nameless)}-{n}" for n in (0, 1)]


def test_a_stopped_pool_says_so() -> None:
    pool = ThreadPool(0, 1)
    pool.start()
    pool.stop()
    for method in (pool.stop, pool.start, pool.startAWorker, pool.stopAWorker):
        with pytest.raises(AlreadyQuit):
            method()
    pool.adjustPoolsize(1, 3)
    assert (pool.min, pool.max, pool.threads) == (1, 3, [])


def test_a_worker_may_stop_its_own_pool() -> None:
    pool = ThreadPool(2, 3)
    pool.start()
    threads = list(pool.threads)
    assert ask(pool, pool.stop) == (True, None)
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()


# 49: size


def test_s049_adjustPoolsize_grows_at_once(make_pool: Callable[..., ThreadPool]) -> None:
    pool = make_pool(0, 4)
    pool.adjustPoolsize(3)
    assert (pool.workers, len(pool.waiters), len(pool.working), len(pool.threads)) == (3, 3, 0, 3)


def test_s049_adjustPoolsize_makes_threads_for_a_backlog_that_found_no_room(
    make_pool: Callable[..., ThreadPool],
) -> None:
    pool = make_pool(0, 0)
    ran: SimpleQueue[int] = SimpleQueue()
    for number in range(3):
        pool.callInThread(ran.put, number)
    assert pool._queue.qsize() == 3
    pool.adjustPoolsize(0, 1)
    assert [ran.get(timeout=PATIENCE) for _ in range(3)] == [0, 1, 2]


def test_s049_adjustPoolsize_lets_idle_threads_go_at_once(make_pool: Callable[..., ThreadPool]) -> None:
    pool = make_pool(4, 4)
    pool.adjustPoolsize(0, 1)
    assert pool.workers == 1


def test_s049_surplus_busy_workers_quit_when_they_run_out_of_work(make_pool: Callable[..., ThreadPool]) -> None:
    pool = make_pool(0, 4)
    busy = Busy(pool, 4)
    ran: list[int] = []
    for number in range(20):
        pool.callInThread(ran.append, number)
    pool.adjustPoolsize(0, 1)
    pool.adjustPoolsize(0, 1)  # asking twice is asking once
    assert (pool.workers, pool._queue.qsize(), ran) == (4, 20, [])
    busy.release()
    wait_for_idle(pool, 1)
    assert sorted(ran) == list(range(20))  # the queued backlog first
    assert pool.workers == 1


def test_s049_a_pool_that_grows_again_keeps_the_workers_it_was_about_to_lose(
    make_pool: Callable[..., ThreadPool],
) -> None:
    pool = make_pool(0, 4)
    busy = Busy(pool, 4)
    pool.adjustPoolsize(0, 1)
    pool.adjustPoolsize(4, 4)
    busy.release()
    wait_for_idle(pool, 4)
    assert len(pool.threads) == 4


def test_s049_onResult_runs_in_the_worker(make_pool: Callable[..., ThreadPool]) -> None:
    pool = make_pool()
    seen: SimpleQueue[Any] = SimpleQueue()
    pool.callInThreadWithCallback(
        lambda success, result: seen.put((success, result, threading.get_ident(), current_pool())),
        threading.get_ident,
    )
    success, worker, told_in, told_pool = seen.get(timeout=PATIENCE)
    assert success is True
    assert worker == told_in != threading.get_ident()
    assert told_pool is pool
    assert current_pool() is None


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt, GeneratorExit, BaseException])
def test_s049_an_exception_of_any_kind_goes_to_onResult_as_a_Failure(
    make_pool: Callable[..., ThreadPool], reports: Reports, error: type[BaseException]
) -> None:
    def fail() -> None:
        raise error("x")

    pool = make_pool(0, 1)
    success, failure = ask(pool, fail)
    assert success is False
    assert (failure.type, failure.value.args) == (error, ("x",))
    assert ask(pool, int) == (True, 0)
    assert reports == []


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt, BaseException])
def test_s049_errors_are_reported_where_nobody_is_told_and_the_thread_lives_on(
    make_pool: Callable[..., ThreadPool], reports: Reports, error: type[BaseException]
) -> None:
    def fail(*ignored: object) -> None:
        raise error

    pool = make_pool(0, 1)
    pool.callInThread(fail)
    assert ask(pool, int) == (True, 0)
    assert [type(each) for _, each in reports] == [error]
    pool.callInThreadWithCallback(fail, int)  # in onResult
    assert ask(pool, int) == (True, 0)
    assert [type(each) for _, each in reports] == [error, error]
    assert len(pool.threads) == 1


def test_the_pool_survives_a_report_that_fails(
    make_pool: Callable[..., ThreadPool], capfd: pytest.CaptureFixture[str]
) -> None:
    def sink(*ignored: object) -> None:
        raise SystemExit

    report.set_sink(sink)
    try:
        pool = make_pool(0, 1)
        pool.callInThread(divmod, 1, 0)
        assert ask(pool, int) == (True, 0)
    finally:
        report.set_sink(None)
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_a_thread_that_cannot_be_started_is_the_callers_error_and_no_more() -> None:
    class Reluctant(threading.Thread):
        def start(self) -> None:
            if refusing:
                raise RuntimeError("can't start new thread")
            super().start()

    refusing = [True]
    pool = ThreadPool(0, 2)
    pool.threadFactory = Reluctant
    pool.start()
    with pytest.raises(RuntimeError, match="can't start new thread"):
        pool.callInThread(int)
    assert (pool.workers, pool._queue.qsize()) == (0, 0)
    refusing.clear()
    assert ask(pool, int) == (True, 0)
    refusing.append(True)
    with pytest.raises(RuntimeError, match="can't start new thread"):
        pool.startAWorker()
    pool.stop()
    assert pool.threads == []


def test_limits_are_checked_and_kept(make_pool: Callable[..., ThreadPool]) -> None:
    for limits in ((-1, 3), (5, 3)):
        with pytest.raises(AssertionError):
            ThreadPool(*limits)
    pool = make_pool(0, 4)
    for limits in ((-1, None), (5, None), (None, -1)):
        with pytest.raises(AssertionError):
            pool.adjustPoolsize(*limits)
    assert (pool.min, pool.max) == (0, 4)
    assert (ThreadPool().min, ThreadPool().max, ThreadPool().name) == (5, 20, None)


def test_never_more_threads_than_the_limit(make_pool: Callable[..., ThreadPool]) -> None:
    pool = make_pool(0, 2)
    busy = Busy(pool, 2)
    pool.callInThread(int)
    pool.startAWorker()
    assert (pool.workers, len(pool.threads), pool._queue.qsize()) == (2, 2, 1)
    busy.release()


def test_startAWorker_and_stopAWorker(make_pool: Callable[..., ThreadPool]) -> None:
    pool = make_pool(0, 2)
    pool.startAWorker()
    assert pool.workers == 1
    pool.stopAWorker()
    assert pool.workers == 0


def test_a_pool_pickles_as_its_limits() -> None:
    copy = pickle.loads(pickle.dumps(ThreadPool(7, 20)))
    assert (copy.min, copy.max, copy.started) == (7, 20, False)


def test_currentThread_is_deprecated() -> None:
    with pytest.warns(DeprecationWarning, match=r"use threading\.current_thread"):
        assert ThreadPool.currentThread() is threading.current_thread()


def test_dumpStats_logs_idle_busy_and_all_threads(
    make_pool: Callable[..., ThreadPool], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "torsion")
    make_pool(1, 1).dumpStats()
    assert [record.getMessage().split(":")[0] for record in caplog.records] == ["waiters", "workers", "total"]


# What is left behind: nothing


def test_a_job_lets_go_of_what_it_was_given_before_onResult_is_told(make_pool: Callable[..., ThreadPool]) -> None:
    class Argument:
        pass

    argument = Argument()
    weak = weakref.ref(argument)
    go = threading.Event()

    def job(argument: object) -> None:
        assert go.wait(PATIENCE)

    answers: SimpleQueue[object] = SimpleQueue()
    make_pool(0, 1).callInThreadWithCallback(lambda *ignored: answers.put(weak()), job, argument)
    del argument
    go.set()
    assert answers.get(timeout=PATIENCE) is None


def test_an_idle_thread_keeps_nothing_of_its_last_job(make_pool: Callable[..., ThreadPool]) -> None:
    class Result:
        pass

    pool = make_pool(0, 1)
    refs: SimpleQueue[weakref.ref[Any]] = SimpleQueue()

    def on_result(success: bool, result: object) -> None:
        refs.put(weakref.ref(result))

    weak_on_result = weakref.ref(on_result)
    pool.callInThreadWithCallback(on_result, Result)
    del on_result
    weak_result = refs.get(timeout=PATIENCE)
    ended: list[weakref.ref[Any]] = [weak_result, weak_on_result]
    assert ask(pool, lambda: [ref() for ref in ended]) == (True, [None, None])


def test_no_cycle_is_left_after_many_jobs(make_pool: Callable[..., ThreadPool], reports: Reports) -> None:
    pool = make_pool(0, 4)
    answers: SimpleQueue[bool] = SimpleQueue()

    def round_() -> None:
        for number in range(200):
            pool.callInThreadWithCallback(lambda success, result: answers.put(success), divmod, 1, number % 2)
            pool.callInThread(divmod, 1, number % 2)
        for _ in range(200):
            answers.get(timeout=PATIENCE)

    round_()
    gc.collect()
    gc.disable()
    try:
        round_()
        pool.stop()
        assert gc.collect() == 0
    finally:
        gc.enable()
    assert {type(each) for _, each in reports} == {ZeroDivisionError}


def test_a_stopped_pool_is_freed_without_the_collector() -> None:
    pool = ThreadPool(1, 2)
    pool.start()
    ask(pool, int)
    pool.stop()
    weak = weakref.ref(pool)
    gc.disable()
    try:
        del pool
        assert weak() is None
    finally:
        gc.enable()


def test_ended_threads_are_forgotten(make_pool: Callable[..., ThreadPool]) -> None:
    pool = make_pool(0, 2)
    for _ in range(5):
        pool.startAWorker()
        (thread,) = pool.threads
        pool.stopAWorker()
        thread.join(PATIENCE)
    pool.startAWorker()
    assert len(pool.threads) == 1


def test_many_threads_hand_over_work_at_once(make_pool: Callable[..., ThreadPool]) -> None:
    pool = make_pool(0, 4)
    givers, each = 8, 300
    together = threading.Barrier(givers, timeout=PATIENCE)
    done: SimpleQueue[tuple[int, int]] = SimpleQueue()

    def give(giver: int) -> None:
        together.wait()
        for number in range(each):
            pool.callInThread(done.put, (giver, number))

    threads = [threading.Thread(target=give, args=(giver,)) for giver in range(givers)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        got = [done.get(timeout=PATIENCE) for _ in range(givers * each)]
        for thread in threads:
            thread.join(PATIENCE)
    finally:
        sys.setswitchinterval(interval)
    assert sorted(got) == [(giver, number) for giver in range(givers) for number in range(each)]
    assert pool.workers <= 4


def test_giving_work_and_stopping_at_once_loses_nothing_that_was_accepted_and_raises_nothing() -> None:
    for _ in range(30):
        pool = ThreadPool(0, 2)
        pool.start()
        start = threading.Barrier(3, timeout=PATIENCE)
        errors: list[BaseException] = []

        def give(pool: ThreadPool = pool, start: threading.Barrier = start, errors: list[Any] = errors) -> None:
            try:
                start.wait()
                for _ in range(50):
                    pool.callInThread(int)
            except BaseException as error:
                errors.append(error)

        threads = [threading.Thread(target=give) for _ in range(2)]
        for thread in threads:
            thread.start()
        start.wait()
        pool.stop()
        for thread in threads:
            thread.join(PATIENCE)
        assert errors == []
        assert (pool.workers, pool.threads, pool._queue.qsize()) == (0, [], 0)
