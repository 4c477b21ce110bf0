"""Work spread over time: repeated calls, tasks that take turns, a clock for tests, and one function run to its end.

Nothing here is new machinery: it is all made of callLater and Deferreds. Where the contract takes the global reactor
for granted, the reactor that runs in the calling thread is meant, else the process's own.

Contract: Twisted's internet.task.
"""

from __future__ import annotations

import sys
import time
import warnings
from bisect import bisect_left, insort_right
from collections.abc import Callable, Iterable, Iterator
from types import GenericAlias
from typing import Any, NoReturn

from . import report
from .core.coroutine import ensureDeferred
from .core.deferred import Deferred
from .core.delayed import DelayedCall, describe
from .core.maybe import maybeDeferred
from .error import ReactorNotRunning
from .failure import Failure
from .reactors import current, default

__all__ = [
    "Clock",
    "CooperativeTask",
    "Cooperator",
    "LoopingCall",
    "NotPaused",
    "SchedulerError",
    "SchedulerStopped",
    "TaskDone",
    "TaskFailed",
    "TaskFinished",
    "TaskStopped",
    "coiterate",
    "cooperate",
    "deferLater",
    "react",
]


class LoopingCall:
    """Call a function every `interval` seconds, never twice at the same time (semantics 36, 89).

    What the function returns is waited for. Runs stay on the grid of the start time: a run that comes late does not
    move the next, and grid points that have passed are skipped. `clock` may be set before start().
    """

    call: DelayedCall | None = None
    running = False
    interval: float | None = None
    starttime: float | None = None
    _deferred: Deferred | None = None
    _counts = False
    _at_once = False
    _last: float | None = None

    def __init__(self, f: Callable[..., object], *a: object, **kw: object) -> None:
        self.f = f
        self.a = a
        self.kw = kw
        self.clock: Any = current()

    @classmethod
    def withCount(cls, countCallable: Callable[[int], object]) -> LoopingCall:
        """A LoopingCall that calls `countCallable` with the number of grid points since the run before."""
        loop = cls(countCallable)
        loop._counts = True
        return loop

    @property
    def deferred(self) -> Deferred | None:
        """Deprecated: what start() returned."""
        warnings.warn(
            "twisted.internet.task.LoopingCall.deferred was deprecated in Twisted 16.0.0; "
            "please use the deferred returned by start() instead",
            DeprecationWarning,
            stacklevel=2,
        )
        return self._deferred

    def start(self, interval: float, now: bool = True) -> Deferred:
        """Call every `interval` seconds from now on, the first time before this returns, or with `now` false after one
        interval. Zero means once in every pass of the loop.

        The Deferred fires with this LoopingCall once it is stopped and no run is under way, and with the Failure of the
        first run that fails, which also ends the loop. Raises ValueError for a negative interval, and NaN.
        """
        assert not self.running, "Tried to start an already running LoopingCall."
        if not interval >= 0:
            raise ValueError(f"interval must be >= 0, not {interval!r}")
        self.running = True
        deferred = self._deferred = Deferred()
        self.interval = interval
        self.starttime = self.clock.seconds()
        self._at_once = now
        if now:
            self()
        else:
            self._schedule()
        return deferred

    def stop(self) -> None:
        """End the loop; a run under way ends on its own."""
        assert self.running, "Tried to stop a LoopingCall that was not running."
        self.running = False
        if self.call is not None:
            self.call.cancel()
            self.call = None
            deferred, self._deferred = self._deferred, None
            assert deferred is not None
            deferred.callback(self)

    def reset(self) -> None:
        """Start the grid anew: the next run is one interval from now. Does nothing while a run is under way."""
        assert self.running, "Tried to reset a LoopingCall that was not running."
        if self.call is not None:
            self.call.cancel()
            self.call = None
            self.starttime = self.clock.seconds()
            self._schedule()

    def __call__(self) -> None:
        self.call = None
        if self._counts:
            count = self._passed()
            if count <= 0:
                self._schedule()
                return
            result = maybeDeferred(self.f, count)
        else:
            result = maybeDeferred(self.f, *self.a, **self.kw)
        # The run belongs to the start() it came from: the loop may be stopped and started again while it lasts.
        result.addCallback(self._ran, self._deferred)
        result.addErrback(self._failed, self._deferred)

    def _ran(self, _: object, deferred: Deferred) -> None:
        if deferred is not self._deferred:
            deferred.callback(self)
        elif self.running:
            self._schedule()
        else:
            self._deferred = None
            deferred.callback(self)

    def _failed(self, failure: Failure, deferred: Deferred) -> None:
        if deferred is self._deferred:
            self.running = False
            self._deferred = None
        deferred.errback(failure)

    def _schedule(self) -> None:
        """Call at the next grid point that is later than now."""
        assert self.starttime is not None and self.interval is not None
        wait = self.interval
        if wait:
            now = self.clock.seconds()
            wait -= (now - self.starttime) % wait
            if now + wait == now:
                # Less than the clock can tell: that grid point is now.
                wait = self.interval
        self.call = self.clock.callLater(wait, self)

    def _passed(self) -> int:
        """How many grid points have passed since the run before; the first run counts from the start, which reset() may
        move, and later starts from the last run of the one before, as in Twisted."""
        assert self.starttime is not None and self.interval is not None
        now = self.clock.seconds()
        last = self._last
        if last is None:
            last = self.starttime - self.interval if self._at_once else self.starttime
        count = 1
        if self.interval:
            count = int((now - self.starttime) / self.interval) - int((last - self.starttime) / self.interval)
        if count > 0:
            self._last = now
        return count

    def __repr__(self) -> str:
        name = getattr(self.f, "__qualname__", None) or describe(self.f)
        return f"LoopingCall<{self.interval!r}>({name}, *{describe(self.a)}, **{describe(self.kw)})"


class SchedulerError(Exception):
    """A Cooperator or one of its tasks was asked for what it cannot do now."""


class SchedulerStopped(SchedulerError):
    """The Cooperator is stopped, and with it the task."""


class TaskFinished(SchedulerError):
    """The task is over; the subclass says how."""


class TaskDone(TaskFinished):
    """The task ran to its end."""


class TaskStopped(TaskFinished):
    """The task was stopped."""


class TaskFailed(TaskFinished):
    """The task's iterator raised, or a Deferred that it yielded failed."""


class NotPaused(SchedulerError):
    """resume() without a pause() before it."""


class CooperativeTask:
    """An iterator that a Cooperator runs step by step; made by Cooperator.cooperate (semantics 90)."""

    @classmethod
    def __class_getitem__(cls, item: Any) -> GenericAlias:
        return GenericAlias(cls, item)

    def __init__(self, iterator: Iterator[Any], cooperator: Cooperator) -> None:
        self._iterator = iterator
        self._cooperator = cooperator
        self._deferreds: list[Deferred] = []
        self._pauseCount = 0
        self._completionState: SchedulerError | None = None
        self._completionResult: Any = None
        cooperator._addTask(self)

    def whenDone(self) -> Deferred:
        """A new Deferred: of the iterator when it ends, or of the failure: its own, TaskStopped, SchedulerStopped."""
        deferred = Deferred()
        if self._completionState is None:
            self._deferreds.append(deferred)
        else:
            deferred.callback(self._completionResult)
        return deferred

    def pause(self) -> None:
        """Take no more steps until resume() has been called as often as this.

        Raises TaskDone, TaskFailed or TaskStopped if the task is over.
        """
        self._check_unfinished()
        self._pauseCount += 1
        if self._pauseCount == 1:
            self._cooperator._removeTask(self)

    def resume(self) -> None:
        """Take back one pause(). Raises NotPaused if there is none. A task that is over stays so."""
        if self._pauseCount == 0:
            raise NotPaused
        self._pauseCount -= 1
        if self._pauseCount == 0 and self._completionState is None:
            self._cooperator._addTask(self)

    def stop(self) -> None:
        """End the task with TaskStopped. Raises as pause() does."""
        self._check_unfinished()
        self._complete(TaskStopped(), Failure(TaskStopped()))

    def _check_unfinished(self) -> None:
        if self._completionState is not None:
            raise self._completionState

    def _complete(self, state: SchedulerError, result: Any) -> None:
        self._completionState = state
        self._completionResult = result
        if self._pauseCount == 0:
            self._cooperator._removeTask(self)
        deferreds, self._deferreds = self._deferreds, []
        for deferred in deferreds:
            deferred.callback(result)

    def _step(self) -> None:
        """Take one step."""
        try:
            result = next(self._iterator)
        except StopIteration:
            if self._completionState is None:
                self._complete(TaskDone(), self._iterator)
        except BaseException:
            # The traceback keeps this frame, and the task keeps the failure: without its variable there is no cycle.
            mine = [self]
            del self
            mine.pop()._fail(Failure())
        else:
            if isinstance(result, Deferred) and self._completionState is None:
                self.pause()
                result.addCallbacks(self._resumed, self._fail)

    def _resumed(self, _: object) -> None:
        self.resume()

    def _fail(self, failure: Failure) -> None:
        """End the task with `failure`. One that was stopped meanwhile has failed, too, for who asks from now on."""
        if self._completionState is None:
            self._complete(TaskFailed(), failure)
        else:
            self._completionState, self._completionResult = TaskFailed(), failure


class _Slice:
    """True once 10 ms have passed since it was made: by then a Cooperator lets the loop do something else."""

    def __init__(self) -> None:
        self.end = time.monotonic() + 0.01

    def __call__(self) -> bool:
        return time.monotonic() >= self.end


# Seconds until the next slice: not zero, so that the loop does not call it due in the pass in which it was scheduled.
_EPSILON = 1e-8


def _default_scheduler(tick: Callable[[], None]) -> Any:
    return current().callLater(_EPSILON, tick)


class Cooperator:
    """Runs iterators by turns, a step each, in slices between which the loop goes on (semantics 36, 90).

    An iterator that yields a Deferred is left out until it fires. `scheduler` calls a function later and returns
    something with cancel(); `terminationPredicateFactory` gives, for each slice, a function that says when it is over.
    """

    def __init__(
        self,
        terminationPredicateFactory: Callable[[], Callable[[], bool]] = _Slice,
        scheduler: Callable[[Callable[[], None]], Any] = _default_scheduler,
        started: bool = True,
    ) -> None:
        self._tasks: list[CooperativeTask] = []
        # Who is still to take a step before the first has another: over the list itself, as in Twisted, so that a task
        # added meanwhile has its turn in this round, and one that leaves makes its successor wait for the next.
        self._round: Iterator[CooperativeTask] = iter(())
        self._terminationPredicateFactory = terminationPredicateFactory
        self._scheduler = scheduler
        self._delayedCall: Any = None
        self._started = started
        self._stopped = False

    @property
    def running(self) -> bool:
        """Whether tasks take steps: started and not stopped."""
        return self._started and not self._stopped

    def cooperate(self, iterator: Iterator[Any]) -> CooperativeTask:
        """Run `iterator` as a task; nothing of it runs before the next slice."""
        return CooperativeTask(iterator, self)

    def coiterate(self, iterator: Iterator[Any], doneDeferred: Deferred | None = None) -> Deferred:
        """Run `iterator` as a task; the Deferred (`doneDeferred`, if given) fires as the task's whenDone() does."""
        if doneDeferred is None:
            doneDeferred = Deferred()
        CooperativeTask(iterator, self).whenDone().chainDeferred(doneDeferred)
        return doneDeferred

    def start(self) -> None:
        """Begin to run tasks, or begin again after stop(). Nothing happens if it is running."""
        if not self.running:
            self._started = True
            self._stopped = False
            self._reschedule()

    def stop(self) -> None:
        """Fail all tasks with SchedulerStopped, and those added or resumed from now on.

        All of them: in Twisted every other one stays without an answer.
        """
        self._stopped = True
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task._complete(SchedulerStopped(), Failure(SchedulerStopped()))
        self._cancel_tick()

    def _addTask(self, task: CooperativeTask) -> None:
        if self._stopped:
            task._complete(SchedulerStopped(), Failure(SchedulerStopped()))
        else:
            self._tasks.append(task)
            self._reschedule()

    def _removeTask(self, task: CooperativeTask) -> None:
        if task in self._tasks:
            self._tasks.remove(task)
        if not self._tasks:
            self._cancel_tick()

    def _reschedule(self) -> None:
        if self._tasks and self._delayedCall is None and self.running:
            self._delayedCall = self._scheduler(self._tick)

    def _cancel_tick(self) -> None:
        tick, self._delayedCall = self._delayedCall, None
        if tick is not None:
            tick.cancel()

    def _tick(self) -> None:
        """One slice: each task in turn takes a step, until the slice is over."""
        self._delayedCall = None
        is_over = self._terminationPredicateFactory()
        while self._tasks and not self._take_turns(is_over):
            self._round = iter(self._tasks)
        self._reschedule()

    def _take_turns(self, is_over: Callable[[], bool]) -> bool:
        """Go on with the round; true if the slice was over first."""
        for task in self._round:
            task._step()
            # A task that failed keeps the traceback, and the traceback this frame.
            del task
            if is_over():
                return True
        return False


_theCooperator = Cooperator()


def _cooperator() -> Cooperator:
    """The Cooperator of coiterate and cooperate: one for each reactor, so that a task stays in its thread."""
    if _theCooperator._scheduler is not _default_scheduler:
        return _theCooperator
    reactor = current()
    if reactor is default():
        return _theCooperator
    mine: dict[str, Any] = vars(reactor)  # it lives as long as its reactor does
    if "_cooperator" not in mine:
        mine["_cooperator"] = Cooperator()
    cooperator: Cooperator = mine["_cooperator"]
    return cooperator


def coiterate(iterator: Iterator[Any]) -> Deferred:
    """Cooperator.coiterate, with this thread's reactor."""
    return _cooperator().coiterate(iterator)


def cooperate(iterator: Iterator[Any]) -> CooperativeTask:
    """Cooperator.cooperate, with this thread's reactor."""
    return _cooperator().cooperate(iterator)


class _ClockCall(DelayedCall):
    """A Clock's call, which says so, too, when it is put later."""

    def reset(self, secondsFromNow: float) -> None:
        super().reset(secondsFromNow)
        self.resetter(self)

    def delay(self, secondsLater: float) -> None:
        super().delay(secondsLater)
        self.resetter(self)


class Clock:
    """Time that stands still until advance(): callLater for tests (semantics 35).

    `calls` are the calls to come, earliest first; equal times in the order in which they were scheduled. One that is
    moved finds its place at the next callLater(), and when advance() begins or has made a call. Among equal times it
    stays on the side from which it comes: before those that were behind it, and behind those that were before it.
    """

    rightNow: float = 0.0

    def __init__(self) -> None:
        self.calls: list[DelayedCall] = []
        self._moved = False

    def seconds(self) -> float:
        """The time, in seconds; zero at first."""
        return self.rightNow

    def callLater(self, delay: float, callable: Callable[..., object], *args: object, **kw: object) -> DelayedCall:
        """Call `callable` once advance() has come `delay` seconds further; a negative delay means at the next one."""
        call = _ClockCall(self.seconds() + delay, callable, args, kw, self._remove, self._move, self.seconds)
        if self._moved:
            self.calls.append(call)
            self._settle()
        else:
            insort_right(self.calls, call, key=DelayedCall.getTime)
        return call

    def getDelayedCalls(self) -> list[DelayedCall]:
        """The calls to come: the list itself, not a copy."""
        return self.calls

    def advance(self, amount: float) -> None:
        """Let `amount` seconds pass at once, then run what is due, and what that makes due.

        What a call raises is raised here, and the rest stays pending.
        """
        self.rightNow += amount
        while (call := self._take_due()) is not None:
            call.called = 1
            call.func(*call.args, **call.kw)

    def pump(self, timings: Iterable[float]) -> None:
        """advance() by each of `timings`, in seconds."""
        for amount in timings:
            self.advance(amount)

    def _take_due(self) -> DelayedCall | None:
        """The first call, no longer among those to come; None if it is not due yet."""
        self._settle()
        if self.calls and self.calls[0].getTime() <= self.seconds():
            return self.calls.pop(0)
        return None

    def _settle(self) -> None:
        if self._moved:
            self._moved = False
            self.calls.sort(key=DelayedCall.getTime)

    def _remove(self, call: DelayedCall) -> None:
        at = 0 if self._moved else bisect_left(self.calls, call.getTime(), key=DelayedCall.getTime)
        while self.calls[at] is not call:
            at += 1
        del self.calls[at]

    def _move(self, call: DelayedCall) -> None:
        self._moved = True


def deferLater(
    clock: Any, delay: float, callable: Callable[..., Any] | None = None, *args: object, **kw: object
) -> Deferred:
    """Call `callable` after `delay` seconds of `clock`; the Deferred has its result, or None without one.

    Cancelling it cancels the call (semantics 91).
    """

    def cancel(_: Deferred) -> None:
        call.cancel()

    deferred = Deferred(cancel)
    if callable is not None:

        def run(_: object) -> Any:
            return callable(*args, **kw)

        deferred.addCallback(run)
    call = clock.callLater(delay, deferred.callback, None)
    return deferred


def react(main: Callable[..., Any], argv: Iterable[object] = (), _reactor: Any = None) -> NoReturn:
    """Run ``main(reactor, *argv)`` in a reactor until its Deferred or coroutine has a result, then exit the process.

    Exits through SystemExit (semantics 93): 0 after success or reactor.stop(), n after SystemExit(n), 1 after any other
    failure, which is reported. Raises NotACoroutineError if `main` returns something else.
    """
    reactor = default() if _reactor is None else _reactor
    finished = ensureDeferred(main(reactor, *argv))
    code: Any = 0
    stopping = False

    def note_stopping() -> None:
        nonlocal stopping
        stopping = True

    def finish(result: object) -> None:
        nonlocal code
        if isinstance(result, Failure):
            if result.check(SystemExit):
                code = result.value.code
            else:
                report.failure("main function encountered error", result)
                code = 1
        if not stopping:
            # Before the reactor runs it cannot be stopped.
            reactor.callWhenRunning(stop)

    def stop() -> None:
        try:
            reactor.stop()
        except ReactorNotRunning:
            pass

    reactor.addSystemEventTrigger("before", "shutdown", note_stopping)
    finished.addBoth(finish)
    reactor.run()
    sys.exit(code)
