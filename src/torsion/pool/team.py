"""A team: workers made when there is work for them, kept when there is not, and a backlog for when no more can be made.

Everything a team knows (who is idle, how many are busy, what waits) is changed only by its coordinator, an exclusive
worker. So nothing here takes a lock, and a test that supplies a coordinator in memory sees every step. Contract:
Twisted's ``Team``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from threading import Lock, Thread, local
from typing import Protocol

from .. import report
from ..failure import Failure
from .worker import AlreadyQuit, Brief, IExclusiveWorker, IWorker, LockWorker, Quit, ThreadWorker, Work

__all__ = ["AlreadyQuit", "Statistics", "Team", "pool"]


class Statistics:
    """How a team stood at one moment."""

    def __init__(self, idleWorkerCount: int, busyWorkerCount: int, backloggedWorkCount: int) -> None:
        self.idleWorkerCount = idleWorkerCount
        self.busyWorkerCount = busyWorkerCount
        self.backloggedWorkCount = backloggedWorkCount


class Team:
    """Shares work out to workers. Any thread may call any method.

    `createWorker` returns a new worker, or None when there may be no more of them. `logException` is called while an
    exception of some work is being handled. All methods but `statistics` raise :exc:`AlreadyQuit` after quit.
    """

    def __init__(
        self,
        coordinator: IExclusiveWorker,
        createWorker: Callable[[], IWorker | None],
        logException: Callable[[], object],
    ) -> None:
        self._quit = Quit()
        self._coordinator = coordinator
        self._createWorker: Callable[[], IWorker | None] = createWorker
        self._logException = logException
        self._idle: list[IWorker] = []  # the last one in is the first to work again: its stack is warm
        self._busy = 0
        self._pending: deque[Work] = deque()
        self._surplus = 0  # busy workers that are to quit when they run out of work; never more than _busy
        self._finishing = False  # quit() has reached the coordinator

    def statistics(self) -> Statistics:
        return Statistics(len(self._idle), self._busy, len(self._pending))

    @property
    def backlogged(self) -> bool:
        """Whether work waits for a worker."""
        return bool(self._pending)

    def backlog(self) -> list[Work]:
        """The work that waits for a worker, the oldest first."""
        while True:
            try:
                return list(self._pending)
            except RuntimeError:  # it has changed meanwhile
                pass

    @property
    def leaving(self) -> int:
        """How many busy workers will quit when they run out of work."""
        return self._surplus

    def do(self, task: Work) -> None:
        """Have `task` done by an idle worker, by a new one, or by the first that comes free, in this order."""
        if self._quit.isSet:
            raise AlreadyQuit()
        self._coordinator.do(partial(self._assign, task))

    def grow(self, n: int) -> None:
        """Make up to `n` more workers, as far as createWorker goes along. New workers take up the backlog."""
        self._quit.check()
        self._coordinator.do(partial(self._grow, n))

    def shrink(self, n: int | None = None) -> None:
        """Let `n` workers go, all by default: idle ones now, busy ones when they run out of work (semantics 49)."""
        self._quit.check()
        self._coordinator.do(partial(self._shrink, n))

    def quit(self) -> None:
        """Take no more work, finish the backlog, let every worker go, and then the coordinator (semantics 48)."""
        self._quit.set()
        self._coordinator.do(self._finish)

    # From here on: inside the coordinator.

    def _assign(self, task: Work) -> None:
        worker = self._idle.pop() if self._idle else self._recruit()
        if worker is None:
            self._pending.append(task)
            return
        if self._pending:  # there was no room until now: first come, first served
            self._pending.append(task)
            task = self._pending.popleft()
        self._busy += 1
        worker.do(partial(self._perform, worker, task))

    def _recruit(self) -> IWorker | None:
        try:
            return self._createWorker()
        except Exception:
            if not self._busy:
                raise  # nobody is left who would ever do the work: tell the one who brings it
            self._logException()
            return None

    def _grow(self, n: int) -> None:
        for _ in range(n):
            if self._surplus:
                self._surplus -= 1  # as good as a new one
                continue
            worker = self._createWorker()
            if worker is None:
                break
            self._busy += 1
            self._recycle(worker)

    def _shrink(self, n: int | None) -> None:
        if n is None:
            n = len(self._idle) + self._busy
        while n > 0 and self._idle:
            self._idle.pop().quit()
            n -= 1
        self._surplus = min(self._surplus + max(n, 0), self._busy)

    def _finish(self) -> None:
        self._finishing = True
        self._shrink(None)
        self._dissolve()

    def _recycle(self, worker: IWorker) -> None:
        """`worker` has nothing to do any more."""
        if self._pending:
            worker.do(partial(self._perform, worker, self._pending.popleft()))
            return
        self._busy -= 1
        if self._surplus or self._quit.isSet:
            self._surplus = max(0, self._surplus - 1)
            worker.quit()
        else:
            self._idle.append(worker)
        if self._finishing:
            self._dissolve()

    def _dissolve(self) -> None:
        if not self._busy:
            self._coordinator.quit()
            self._createWorker = _no_worker  # which often refers back to this team

    # In the worker.

    def _perform(self, worker: IWorker, task: Work) -> None:
        after: object = None
        try:
            after = task()
        except BaseException:
            self._logException()
        finally:  # even if the exception could not be logged
            self._coordinator.do(partial(self._recycle, worker))
        if type(after) is Brief:
            try:
                after()
            except BaseException:
                self._logException()
            finally:
                del after  # a Failure in it may hold this frame: no cycle


def _no_worker() -> None:
    return None


class ThreadFactory(Protocol):
    def __call__(self, *, target: Work) -> Thread: ...


def pool(currentLimit: Callable[[], int], threadFactory: ThreadFactory = Thread) -> Team:
    """A team of threads, at most `currentLimit()` of them at a time (asked for each new one).

    `threadFactory(target=...)` makes a thread that is not yet started. Contract: Twisted's ``_threads.pool``.
    """

    def start_thread(target: Work) -> None:
        threadFactory(target=target).start()

    def limited() -> ThreadWorker | None:
        now = team.statistics()
        if now.idleWorkerCount + now.busyWorkerCount >= currentLimit():
            return None
        return ThreadWorker(start_thread, SimpleQueue())

    team = Team(LockWorker(Lock(), local()), limited, _report)
    return team


def _report() -> None:
    report.failure("Unhandled error in a thread of a pool", Failure())
