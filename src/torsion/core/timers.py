"""Calls that wait for their time.

Most timers are timeouts, and most timeouts never come up: they are cancelled or pushed back. So scheduling appends to
a list, cancelling and pushing back touch nothing but the call itself, and only what comes up pays for the heap.
Calls with equal times run in the order in which they were scheduled (semantics 33).
"""

from __future__ import annotations

import sys
import time as wall
from collections.abc import Callable, Sequence
from heapq import heapify, heappop, heappush
from operator import attrgetter
from traceback import StackSummary, format_list, walk_stack
from typing import Any

from .. import report
from ..error import AlreadyCalled, AlreadyCancelled
from ..failure import Failure

# Where a call waits: see TimerQueue.
FRESH, FILED, PUSHED = 0, 1, 2

BUCKETS = 16  # in a second
FAR = 1e15  # seconds; what is later, infinity for one, has no bucket

time_of = attrgetter("time")


def describe(value: object) -> str:
    """The repr of `value`; where that raises, something that says so."""
    try:
        return repr(value)
    except Exception as error:
        return f"<{type(value).__qualname__} at {id(value):#x}, whose repr raised {type(error).__qualname__}>"


def describe_call(func: object, args: Sequence[object], kw: dict[str, object]) -> str:
    """`func(1, k=2)`, as reports and reprs show a call."""
    shown = [describe(value) for value in args]
    shown += [f"{key}={describe(value)}" for key, value in kw.items()]
    return f"{getattr(func, '__qualname__', None) or describe(func)}({', '.join(shown)})"


def creation_stack() -> list[str]:
    """The stack of whoever schedules a call, outermost first, less our own innermost frames.

    Frames are told apart by module, never counted: compiled frames are not on the stack.
    """
    frames = list(walk_stack(sys._getframe()))
    theirs = frames
    while theirs and str(theirs[0][0].f_globals.get("__name__")).startswith("torsion."):
        theirs = theirs[1:]
    return format_list(StackSummary.extract(reversed(theirs or frames)))


class Timer:
    """The compiled core of DelayedCall."""

    __slots__ = (
        "args", "called", "cancelled", "canceller", "creator", "delayed_time", "func", "kw", "order", "place",
        "resetter", "seconds", "shown", "time",
    )  # fmt: skip

    debug = False

    def __init__(
        self,
        time: float,
        func: Callable[..., object],
        args: Sequence[object],
        kw: dict[str, Any],
        cancel: Callable[[Any], object],
        reset: Callable[[Any], object],
        seconds: Callable[[], float] = wall.time,
    ) -> None:
        self.time = time
        self.delayed_time: float = 0
        self.func: Any = func
        self.args: Any = args
        self.kw: Any = kw
        self.canceller = cancel
        self.resetter = reset
        self.seconds = seconds
        self.called = 0
        self.cancelled = 0
        self.order = 0
        self.place = FRESH
        self.shown: str | None = None
        self.creator: list[str] | None = None
        if self.debug:
            self.creator = creation_stack()

    def getTime(self) -> float:
        """The time at which the call is due, in seconds on the clock it was scheduled with."""
        if self.delayed_time:
            return self.time + self.delayed_time
        return self.time

    def active(self) -> bool:
        """Whether the call is still to come: neither called nor cancelled."""
        return not (self.called or self.cancelled)

    def cancel(self) -> None:
        """Take the call back and drop its function and arguments.

        Raises AlreadyCalled or AlreadyCancelled, both ValueErrors (semantics 31).
        """
        self.check_active()
        self.canceller(self)
        self.cancelled = 1
        if self.creator is not None:
            self.shown = describe_call(self.func, self.args, self.kw)
        self.func = self.args = self.kw = None

    def reset(self, secondsFromNow: float) -> None:
        """Put the call at `secondsFromNow`, wherever it was before. Raises as cancel() does."""
        self.check_active()
        when = self.seconds() + secondsFromNow
        if when < self.time:
            self.delayed_time = 0
            self.time = when
            self.resetter(self)
        else:
            # Later costs nothing now: the queue finds out when the old time comes up (semantics 30).
            self.delayed_time = when - self.time

    def delay(self, secondsLater: float) -> None:
        """Put the call `secondsLater` after its present time; negative means sooner. Raises as cancel() does."""
        self.check_active()
        self.delayed_time += secondsLater
        if self.delayed_time < 0:
            self.activate_delay()
            self.resetter(self)

    def activate_delay(self) -> None:
        """Make the time asked for by delay() and reset() the call's `time`."""
        self.time = self.time + self.delayed_time
        self.delayed_time = 0

    def check_active(self) -> None:
        if self.cancelled:
            raise AlreadyCancelled
        if self.called:
            raise AlreadyCalled

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, Timer):
            return NotImplemented
        return self.time < other.time

    def __le__(self, other: object) -> bool:
        if not isinstance(other, Timer):
            return NotImplemented
        return self.time <= other.time

    def __gt__(self, other: object) -> bool:
        if not isinstance(other, Timer):
            return NotImplemented
        return self.time > other.time

    def __ge__(self, other: object) -> bool:
        if not isinstance(other, Timer):
            return NotImplemented
        return self.time >= other.time

    def __hash__(self) -> int:
        return object.__hash__(self)

    def __str__(self) -> str:
        return self.describe()

    def __repr__(self) -> str:
        return self.describe()

    def describe(self) -> str:
        left = self.time - self.seconds()
        head = f"<DelayedCall {id(self):#x} [{left}s] called={self.called} cancelled={self.cancelled}"
        shown = self.shown
        if shown is None and not self.cancelled:
            shown = describe_call(self.func, self.args, self.kw)
        if shown is not None:
            head += f" {shown}"
        if self.creator is not None:
            head += f"\n\ntraceback at creation: \n\n{''.join(self.creator)}"
        return head + ">"


class DelayedCall(Timer):
    """A call scheduled with callLater; what cancels, resets and delays it. Contract: Twisted's IDelayedCall.

    All times are seconds. Only the thread of the clock it was scheduled with may touch it. With `debug` set on the
    class, calls made from then on remember where they were scheduled (`creator`) and show it in their repr.
    """

    debug = False


def filed(calls: list[Timer]) -> list[Timer]:
    """Those of a run or bucket that are neither cancelled nor moved away."""
    return [call for call in calls if call.place == FILED and not call.cancelled]


def current(heap: list[tuple[float, int, Timer]]) -> list[tuple[float, int, Timer]]:
    """Those entries of a heap that are neither a cancelled call's nor a moved call's trace."""
    return [entry for entry in heap if is_current(entry)]


def is_current(entry: tuple[float, int, Timer]) -> bool:
    call = entry[2]
    return entry[1] == call.order and not call.cancelled


class TimerQueue:
    """Calls in the order of their times; the loop's own thread only.

    A call waits in `fresh` until the next pass or next_due(). Then it is filed, unsorted, in the bucket of its
    sixteenth of a second. When that has begun the bucket is opened: sorted, all at once, into `run`, the earliest call
    last. The few that come too late for their bucket, or are moved to an earlier time, wait as (time, order, call) in
    `heap`. A moved call leaves a trace where it was, known by its not being FILED, or by the order it had then.
    """

    def __init__(self) -> None:
        self.fresh: list[Timer] = []
        self.run: list[Timer] = []
        self.heap: list[tuple[float, int, Timer]] = []
        self.buckets: dict[int, list[Timer]] = {}
        self.keys: list[int] = []  # a heap of the buckets' keys
        self.begun: float = 0  # buckets of times before this are open
        self.soonest: float | None = None  # the earliest time in any bucket, once somebody asked for it
        self.order = 0
        self.size = 0  # entries in run, heap and buckets
        self.dead = 0  # those of cancelled and moved calls, and cancelled fresh calls

    def add(self, call: Timer) -> None:
        """Schedule `call` for its time; it comes up in the next pass at the earliest (semantics 32)."""
        self.order += 1
        call.order = self.order
        self.fresh.append(call)

    def cancel(self, call: Timer) -> None:
        """Told by a call that it is being cancelled. Its entry stays until it comes up or the next purge."""
        self.dead += 1

    def reset(self, call: Timer) -> None:
        """Told by a call that its time has become earlier."""
        if call.place != FRESH:
            self.dead += 1
            self.soonest = None
            self.order += 1
            call.order = self.order
            self.push(call)

    def run_due(self, now: float) -> int:
        """One pass: run what is due at `now`, and return how many calls ran.

        What these calls schedule waits for the next pass; a waiting call that they make due runs in this one
        (semantics 32). Whatever they raise is reported, and the pass goes on (semantics 43).
        """
        if self.begun <= now and (self.keys or self.fresh):
            self.open(now)
        if self.fresh:
            self.admit()
        ran = 0
        call: Timer | None = None
        while self.run or self.heap:
            call = self.first()
            if call is None or call.time > now:
                break
            self.size -= 1
            if call.place == FILED:
                self.run.pop()
            else:
                heappop(self.heap)
            if call.cancelled:
                self.dead -= 1
            elif call.delayed_time > 0:
                call.activate_delay()
                if call.place != FILED or call.time < self.begun or not self.file(call):
                    self.push(call)
            else:
                ran += 1
                call.called = 1
                try:
                    if call.kw:
                        call.func(*call.args, **call.kw)
                    else:
                        call.func(*call.args)
                except BaseException:
                    self.report_error(call)
        # A traceback kept by whoever handled an error keeps this frame: its variables must not close a cycle.
        call = None
        # Cheap as they are, cancelled calls must not fill the memory (semantics 31).
        if self.dead > 50 and self.dead > self.size >> 1:
            self.purge()
        return ran

    def next_due(self) -> float | None:
        """The time of the earliest entry, or None. Cancelled and postponed calls count until they come up (34)."""
        if self.fresh:
            self.admit()
        if self.soonest is None and self.keys:
            self.find_soonest()
        call = self.first() if self.run or self.heap else None
        if call is None or (self.soonest is not None and self.soonest < call.time):
            return self.soonest
        return call.time

    def calls(self) -> list[Timer]:
        """The calls that are still to come, in no useful order."""
        found = filed(self.run)
        for bucket in self.buckets.values():
            found += filed(bucket)
        found += [entry[2] for entry in current(self.heap)]
        return found + [call for call in self.fresh if not call.cancelled]

    def admit(self) -> None:
        """Place the new calls."""
        fresh = self.fresh
        self.fresh = []
        late = []
        for call in fresh:
            if call.cancelled:
                self.dead -= 1
                continue
            if call.delayed_time:
                call.activate_delay()
            if call.time < self.begun or not self.file(call):
                late.append(call)
        # Sorting costs less than pushing each, unless it means going through a long run for a few.
        if len(late) > len(self.run) >> 2:
            for call in late:
                call.place = FILED
            self.size += len(late)
            self.merge(late)
        elif late:
            for call in late:
                self.push(call)

    def file(self, call: Timer) -> bool:
        """Put `call` into its bucket, which has not begun; false if its time is beyond all numbers."""
        if not call.time < FAR:
            return False
        when = call.time
        key = int(when * BUCKETS)
        bucket = self.buckets.get(key)
        if bucket is None:
            self.buckets[key] = [call]
            heappush(self.keys, key)
        else:
            bucket.append(call)
        call.place = FILED
        self.size += 1
        if self.soonest is not None and call.time < self.soonest:
            self.soonest = call.time
        return True

    def push(self, call: Timer) -> None:
        call.place = PUSHED
        self.size += 1
        heappush(self.heap, (call.time, call.order, call))

    def open(self, now: float) -> None:
        """Open the buckets that have begun."""
        key = int(min(now, FAR) * BUCKETS)
        self.begun = (key + 1) / BUCKETS
        due: list[Timer] = []
        while self.keys and self.keys[0] <= key:
            due += self.buckets.pop(heappop(self.keys))
        if due:
            self.soonest = None
            self.merge(due)

    def merge(self, calls: list[Timer]) -> None:
        """Sort `calls` into the run. Sorting is stable, and what is there already was scheduled before them (33)."""
        run = self.run
        run.reverse()
        run += calls
        if len(run) > 1:
            run.sort(key=time_of)
            run.reverse()

    def first(self) -> Timer | None:
        """Of the calls in the run and the heap, the one that comes up first; traces of moved calls are dropped."""
        run, heap = self.run, self.heap
        call = None
        while run:
            call = run[-1]
            if call.place == FILED:
                break
            call = None
            run.pop()
            self.drop()
        while heap:
            entry = heap[0]
            other = entry[2]
            if entry[1] == other.order:
                if call is None or other.time < call.time or (other.time == call.time and other.order < call.order):
                    call = other
                break
            heappop(heap)
            self.drop()
        return call

    def drop(self) -> None:
        """A moved call's trace has been removed."""
        self.size -= 1
        self.dead -= 1

    def find_soonest(self) -> None:
        """Look through the first bucket for its earliest time."""
        while self.keys and self.soonest is None:
            bucket = self.buckets[self.keys[0]]
            for call in bucket:
                if call.place == FILED and (self.soonest is None or call.time < self.soonest):
                    self.soonest = call.time
            if self.soonest is None:
                del self.buckets[heappop(self.keys)]
                self.size -= len(bucket)
                self.dead -= len(bucket)

    def purge(self) -> None:
        """Drop every cancelled call, and every trace of a moved one."""
        self.fresh = [call for call in self.fresh if not call.cancelled]
        self.run = filed(self.run)
        self.heap = current(self.heap)
        heapify(self.heap)
        self.size = len(self.run) + len(self.heap)
        buckets = self.buckets
        self.buckets = {}
        for key, bucket in buckets.items():
            kept = filed(bucket)
            if kept:
                self.buckets[key] = kept
                self.size += len(kept)
        self.keys = list(self.buckets)
        heapify(self.keys)
        self.soonest = None
        self.dead = 0

    def report_error(self, call: Timer) -> None:
        """Report what is being raised by `call`, naming it."""
        text = f"Unhandled error in delayed call {describe_call(call.func, call.args, call.kw)}"
        if call.creator is not None:
            text += f", which was scheduled at:\n{''.join(call.creator)}"
        report.failure(text, Failure())
