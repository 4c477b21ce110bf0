"""A pool of threads under Twisted's names: a team of thread workers, whose size lies between two limits.

What goes into a thread is one :class:`Job`: the function, what to tell of its outcome, and the context it was given in.
The pool itself keeps no work; before start() the team has no thread to give it to, so it waits there (semantics 48).
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Mapping
from functools import cached_property, partial
from threading import Thread, current_thread, get_ident, local
from typing import Any, Protocol, TypedDict

from .. import report
from ..failure import Failure
from . import context
from .deadlock import Waiters
from .team import Statistics, Team, ThreadFactory, pool
from .watch import Call, Watch
from .worker import AlreadyQuit, Brief, Work

#: Tells what became of a job: whether it succeeded, and its result or its Failure. Called in the worker.
OnResult = Callable[[bool, Any], object]

WorkerStop = object()  # a public name of the contract, without a use


class _Here(local):
    """The pool the calling thread works for."""

    pool: ThreadPool | None = None


_here = _Here()


def current_pool() -> ThreadPool | None:
    """The pool whose worker the calling thread is, if it is one."""
    return _here.pool


class Job:
    """One call in a worker, in the context of the one who asked for it."""

    __slots__ = ("args", "context", "function", "kwargs", "on_result", "since", "watch")

    def __init__(
        self,
        watch: Watch,
        on_result: OnResult | None,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> None:
        self.context: Mapping[Any, Any] = context.travelling()
        self.on_result = on_result
        self.function = function
        self.args = args
        self.kwargs = kwargs
        self.watch = watch
        self.since = watch.clock()

    def __call__(self) -> Brief | None:
        return context.theContextTracker.callWithContext(self.context, self.perform)

    def perform(self) -> Brief | None:
        watch, thread = self.watch, get_ident()
        self.since = watch.clock()
        watch.at_work[thread] = self
        try:
            result = self.function(*self.args, **self.kwargs)
        except BaseException:
            del watch.at_work[thread]
            del self.function, self.args, self.kwargs
            return self.tell(False, Failure())  # not kept in a variable: its traceback holds this frame
        else:
            del watch.at_work[thread]
            del self.function, self.args, self.kwargs  # what they held is free before anyone is told
            return self.tell(True, result)

    def tell(self, success: bool, result: Any) -> Brief | None:
        on_result = self.on_result
        if type(on_result) is Brief:
            return Brief(on_result, success, result)
        if on_result is not None:
            on_result(success, result)
        elif not success:
            report.failure("Unhandled error in a call given to a thread pool", result)
        return None


class HasSize(Protocol):
    def qsize(self) -> int: ...


class _Backlog:
    def __init__(self, team: Team) -> None:
        self._team = team

    def qsize(self) -> int:
        return self._team.statistics().backloggedWorkCount


class _Limits(TypedDict):
    min: int
    max: int


class ThreadPool:
    """Threads that do calls, made as they are needed. Contract: Twisted's ``ThreadPool``.

    Between start() and stop() there are at least `minthreads`, and at most `maxthreads` of them. They are not daemons:
    a pool that is never stopped keeps the process from ending (semantics 48). Any thread may call any method.
    """

    min = 5
    max = 20
    joined = False
    started = False
    name: str | None = None

    #: Work that has waited for so many seconds is reported, with what the threads do meanwhile; and so are threads
    #: that hold stop() up for so long. math.inf reports nothing. Read each time.
    report_after = 5.0

    #: Makes a thread, not started: ``threadFactory(name=..., target=...)``. May be replaced.
    threadFactory: Callable[..., Thread] = Thread

    #: Makes the team: ``_pool(currentLimit, threadFactory)``. May be replaced.
    _pool = staticmethod(pool)

    def __init__(self, minthreads: int = 5, maxthreads: int = 20, name: str | None = None) -> None:
        _check_limits(minthreads, maxthreads)
        self.min = minthreads
        self.max = maxthreads
        self.name = name
        self.threads: list[Thread] = []
        self.waiters_for_answers = Waiters()
        self._threads_made = 0
        thread_factory: ThreadFactory = self._make_thread
        self._team: Team = self._pool(self._limit, thread_factory)

    def __getstate__(self) -> _Limits:
        return {"min": self.min, "max": self.max}

    def __setstate__(self, state: _Limits) -> None:
        ThreadPool.__init__(self, state["min"], state["max"])

    # Giving it work

    def callInThread(self, func: Callable[..., object], *args: Any, **kw: Any) -> None:
        """Call `func` in a thread of the pool. An exception it raises is reported. Dropped after stop()."""
        self.callInThreadWithCallback(None, func, *args, **kw)

    def callInThreadWithCallback(
        self, onResult: OnResult | None, func: Callable[..., Any], *args: Any, **kw: Any
    ) -> None:
        """Call `func` in a thread of the pool, and then, in that thread, ``onResult(success, result or Failure)``.

        Every exception counts, SystemExit too; one that `onResult` raises is reported (semantics 49). Before start()
        the call waits; after stop() it is dropped without a word (semantics 48).
        """
        if self.joined:
            return
        try:
            self._team.do(Job(self.watch, onResult, func, args, kw))
        except AlreadyQuit:
            return  # stop() was quicker
        if self._team.backlogged:
            self.watch.work_waits(self)

    # Its life

    def start(self) -> None:
        """Make the least number of threads, and more for the work that waits, up to the greatest.

        A pool that was stopped stays so: :exc:`AlreadyQuit`.
        """
        if self.joined:
            raise AlreadyQuit("this thread pool was stopped; make a new one")
        self.started = True
        self.adjustPoolsize()

    def stop(self) -> None:
        """Take no more work, let the backlog run, and return when every thread has ended (semantics 48).

        Workers that wait for a call in the calling thread get :exc:`WouldDeadlock` (semantics 51). A second call
        raises :exc:`AlreadyQuit`.
        """
        self.joined = True
        self.started = False  # so no thread is made any more
        self._team.quit()
        self.waiters_for_answers.join_from_here()
        here = current_thread()
        self.watch.join(self, [thread for thread in self.threads if thread is not here and thread.is_alive()])
        self.threads[:] = [thread for thread in self.threads if thread is here]

    def adjustPoolsize(self, minthreads: int | None = None, maxthreads: int | None = None) -> None:
        """Change the limits; what is None stays. Surplus threads that are busy end when they run out of work.

        AssertionError for a negative least number, or one above the greatest. Before start() and after stop() only
        the limits change.
        """
        least = self.min if minthreads is None else minthreads
        most = self.max if maxthreads is None else maxthreads
        _check_limits(least, most)
        self.min = least
        self.max = most
        if not self.started:
            return
        now = self._team.statistics()
        staying = now.idleWorkerCount + now.busyWorkerCount - self._team.leaving
        wanted = min(max(least, staying + now.backloggedWorkCount), most)
        if wanted < staying:
            self._team.shrink(staying - wanted)
        elif wanted > staying:
            self._team.grow(wanted - staying)

    def startAWorker(self) -> None:
        """Make one more thread, within the limits."""
        self._team.grow(1)

    def stopAWorker(self) -> None:
        """Let one thread go."""
        self._team.shrink(1)

    # Looking at it

    @property
    def workers(self) -> int:
        """How many threads there are."""
        now = self._team.statistics()
        return now.idleWorkerCount + now.busyWorkerCount

    @property
    def working(self) -> list[None]:
        """As many None as there are busy threads: the contract promises the length only."""
        return [None] * self._team.statistics().busyWorkerCount

    @property
    def waiters(self) -> list[None]:
        """As many None as there are idle threads: the contract promises the length only."""
        return [None] * self._team.statistics().idleWorkerCount

    @property
    def _queue(self) -> HasSize:
        return _Backlog(self._team)

    q = _queue

    def dumpStats(self) -> None:
        """Log the idle, the busy and all threads, at level INFO."""
        log = logging.getLogger("torsion")
        log.info("waiters: %s", self.waiters)
        log.info("workers: %s", self.working)
        log.info("total: %s", self.threads)

    @staticmethod
    def currentThread() -> Thread:
        """Deprecated: use :func:`threading.current_thread`."""
        itself = ThreadPool.currentThread
        warnings.warn(
            f"{itself.__module__}.{itself.__qualname__} was deprecated in Twisted 22.1.0;"
            " please use threading.current_thread instead",
            DeprecationWarning,
            stacklevel=2,
        )
        return current_thread()

    # What is watched

    @cached_property
    def watch(self) -> Watch:
        """What its threads do, and since when."""
        return Watch()

    def waiting(self) -> list[Call]:
        """The calls that wait for a thread, the first in front."""
        calls: list[Any] = self._team.backlog()
        return calls

    def statistics(self) -> Statistics:
        """How many threads are idle and busy, and how many calls wait."""
        return self._team.statistics()

    def threads_that_wait(self) -> int:
        """How many of its threads wait for an answer from another thread."""
        return len(self.waiters_for_answers)

    # What the team asks of it

    def _limit(self) -> int:
        return self.max if self.started else 0

    def _make_thread(self, *, target: Work) -> Thread:
        """A thread for the team, which calls this inside its coordinator: one at a time."""
        self.threads[:] = [thread for thread in self.threads if thread.is_alive()]
        thread = self.threadFactory(name=self._generateName(), target=partial(self._work_here, target))
        self.threads.append(thread)
        return thread

    def _generateName(self) -> str:
        number = self._threads_made
        self._threads_made += 1
        return f"PoolThread-{self.name or id(self)}-{number}"

    def _work_here(self, target: Work) -> None:
        _here.pool = self
        target()


def _check_limits(least: int, most: int) -> None:
    if least < 0:
        raise AssertionError(f"minimum is negative: {least}")
    if least > most:
        raise AssertionError(f"minimum is greater than maximum: {least} > {most}")
