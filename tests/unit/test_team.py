"""What a thread pool is made of: workers, and the team that gives them work, stepped by hand."""

import sys
import threading
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import Any

import pytest
from tests.unit.conftest import Reports

from torsion.pool.team import Team
from torsion.pool.worker import AlreadyQuit, Brief, LockWorker, ThreadWorker, createMemoryWorker

PATIENCE = 20  # seconds; only a failing test waits so long


def test_a_thread_worker_survives_what_its_work_raises(reports: Reports) -> None:
    threads: list[threading.Thread] = []

    def start_thread(target: Callable[[], object]) -> None:
        threads.append(threading.Thread(target=target))
        threads[0].start()

    def leave() -> None:
        raise SystemExit

    worker = ThreadWorker(start_thread, SimpleQueue())
    done = threading.Event()
    worker.do(leave)
    worker.do(done.set)
    assert done.wait(PATIENCE)
    worker.quit()
    threads[0].join(PATIENCE)
    assert [type(each) for _, each in reports] == [SystemExit]
    for method in (worker.quit, lambda: worker.do(int)):
        with pytest.raises(AlreadyQuit):
            method()


class NosyLock:
    """A lock whose taking and releasing are interrupted by a signal handler that calls the worker."""

    def __init__(self) -> None:
        self.held = False
        self.handler: Callable[[], object] = int

    def acquire(self) -> bool:
        self.handler()
        assert not self.held, "deadlock"
        self.held = True
        self.handler()
        return True

    def release(self) -> None:
        self.handler()
        self.held = False
        self.handler()


def test_a_lock_worker_may_be_called_by_a_signal_handler_at_any_moment() -> None:
    lock = NosyLock()
    worker = LockWorker(lock, threading.local())
    ran: list[str] = []
    left = [5]

    def handler() -> None:
        if left[0]:
            left[0] -= 1
            worker.do(lambda: ran.append("handler"))

    lock.handler = handler
    worker.do(lambda: ran.append("work"))
    assert ran == ["work"] + ["handler"] * 5
    assert not lock.held


def test_a_lock_worker_goes_on_with_postponed_work_after_an_exception() -> None:
    worker = LockWorker(threading.Lock(), threading.local())
    ran: list[str] = []

    def outer() -> None:
        worker.do(lambda: ran.append("inner"))
        raise ValueError

    with pytest.raises(ValueError):
        worker.do(outer)
    assert ran == ["inner"]
    worker.do(lambda: ran.append("later"))
    assert ran == ["inner", "later"]


def test_a_lock_worker_does_one_thing_at_a_time() -> None:
    worker = LockWorker(threading.Lock(), threading.local())
    together = threading.Barrier(4, timeout=PATIENCE)
    inside: list[int] = []
    most: list[int] = []

    def work() -> None:
        inside.append(1)
        most.append(len(inside))
        inside.pop()

    def run() -> None:
        together.wait()
        for _ in range(500):
            worker.do(work)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert most == [1] * 2000


# The team, stepped by hand


def test_a_team_that_cannot_make_a_worker_waits_for_those_it_has() -> None:
    coordinator, coordinate = createMemoryWorker()
    workers = [createMemoryWorker()]
    errors: list[BaseException | None] = []

    def create() -> Any:
        if len(workers) == 1:
            workers.append(createMemoryWorker())
            return workers[0][0]
        raise RuntimeError("can't start new thread")

    team = Team(coordinator, create, lambda: errors.append(sys.exception()))
    ran: list[int] = []
    team.do(lambda: ran.append(1))
    team.do(lambda: ran.append(2))
    while coordinate() or workers[0][1]():
        pass
    assert ran == [1, 2]
    assert [type(error) for error in errors] == [RuntimeError]


def test_a_team_that_can_make_no_worker_at_all_tells_the_one_who_brings_the_work() -> None:
    def create() -> Any:
        raise RuntimeError("can't start new thread")

    team = Team(LockWorker(threading.Lock(), threading.local()), create, lambda: None)
    with pytest.raises(RuntimeError, match="can't start new thread"):
        team.do(int)
    assert team.statistics().backloggedWorkCount == 0
    team.quit()


def test_work_that_found_no_room_comes_before_later_work() -> None:
    coordinator, coordinate = createMemoryWorker()
    worker, perform = createMemoryWorker()
    room: list[Any] = []
    team = Team(coordinator, lambda: room.pop() if room else None, lambda: None)
    ran: list[int] = []
    team.do(lambda: ran.append(1))
    while coordinate():
        pass
    room.append(worker)
    team.do(lambda: ran.append(2))
    while coordinate() or perform():
        pass
    assert ran == [1, 2]


@pytest.mark.parametrize("fails", [False, True])
def test_a_brief_call_that_work_returns_is_made_when_the_worker_is_idle_again(fails: bool) -> None:
    worker, perform = createMemoryWorker()
    seen: list[tuple[int, int]] = []
    logged: list[BaseException | None] = []
    team = Team(
        LockWorker(threading.Lock(), threading.local()), lambda: worker, lambda: logged.append(sys.exc_info()[1])
    )

    def look() -> None:
        now = team.statistics()
        seen.append((now.idleWorkerCount, now.busyWorkerCount))
        if fails:
            raise ValueError("of the brief call")

    def work() -> Brief:
        look_at_work = team.statistics()
        seen.append((look_at_work.idleWorkerCount, look_at_work.busyWorkerCount))
        return Brief(look)

    team.do(work)
    perform()
    assert seen == [(0, 1), (1, 0)]
    assert [type(error) for error in logged] == ([ValueError] if fails else [])


def test_what_else_work_returns_is_not_called() -> None:
    worker, perform = createMemoryWorker()
    called: list[str] = []
    team = Team(LockWorker(threading.Lock(), threading.local()), lambda: worker, lambda: called.append("logged"))
    team.do(lambda: partial(called.append, "no"))
    perform()
    assert called == []
