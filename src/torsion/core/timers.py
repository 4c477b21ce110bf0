"""Calls that wait for their time.

Most timers are timeouts, and most timeouts never come up: they are cancelled or pushed back. So scheduling appends to
a list, cancelling and pushing back touch nothing but the call itself, and only what comes up pays for being sorted.
Calls with equal times run in the order in which they were scheduled (semantics 33).

Buckets and not a heap, because a heap's cost grows with what waits: at 200,000 calls, running one and scheduling the
next took a heap of calls 1.6 times the buckets' time compiled (on C doubles), and 4.7 times interpreted.
"""

from __future__ import annotations

import sys
import time as wall
from bisect import bisect_left, insort_right
from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from math import inf, nan
from operator import attrgetter
from traceback import StackSummary, format_list, walk_stack
from types import MappingProxyType
from typing import Any

from .. import report
from ..error import AlreadyCalled, AlreadyCancelled
from ..failure import Failure
from ..twin.kernel import Sys
from .histogram import Histogram

BUCKETS = 16  # in a second
BLOCK = 64  # buckets
FAR = 1e15  # seconds; what is later, infinity for one, shares a block

NOTHING: Any = MappingProxyType({})

due = attrgetter("due")
due_and_order = attrgetter("due", "order")


def describe(value: object) -> str:
    """The repr of `value`; where that raises, something that says so."""
    try:
        return repr(value)
    except BaseException as error:
        return f"<{type(value).__qualname__} at {id(value):#x}, whose repr raised {type(error).__qualname__}>"


def describe_call(func: object, args: Sequence[object], kw: dict[str, object]) -> str:
    """`func(1, k=2)`, as reports and reprs show a call."""
    shown = [describe(value) for value in args]
    shown += [f"{key}={describe(value)}" for key, value in kw.items()]
    try:
        name = getattr(func, "__qualname__", None)
    except BaseException:  # a report is made of this: nothing may come of it but text
        name = None
    return f"{name or describe(func)}({', '.join(shown)})"


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
        "args", "born", "called", "cancelled", "canceller", "creator", "delayed_time", "due", "func", "kw", "order",
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
        self.canceller: Any = cancel
        self.resetter: Any = reset
        self.seconds = seconds
        self.called = 0
        self.cancelled = 0
        self.born = 0  # the number of passes begun when it was scheduled
        self.due: float = 0  # the time it is filed under
        self.order = 0
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
        self.canceller = self.resetter = None  # a queue that is dropped with what waits in it is to be no cycle

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


class Bucket:
    """Calls that are due in the same stretch of time, in the order in which they came."""

    __slots__ = ("calls", "first")

    calls: list[Timer]
    first: Timer | None
    """The one due first; None: to be looked for."""


class TimerQueue:
    """Calls in the order of their times; the loop's own thread only.

    A call waits, unsorted, in the bucket of its sixteenth of a second; in that of its four seconds, a block, while
    these are far: so what is scheduled and cancelled again finds its bucket among few. When its time has begun a bucket
    is opened: sorted, all at once, behind what is left in `near`. A call whose bucket is open already is inserted there
    directly. A call that is moved to an earlier time leaves a trace in its bucket, known by its being due elsewhere.

    A bucket's key is the sixteenth of a second at which it begins.
    """

    def __init__(self) -> None:
        self.near: list[Any] = []  # in the order of their times; None before `head`
        self.head = 0
        self.buckets: dict[int, Bucket] = {}
        self.keys: list[int] = []  # a heap of the buckets' keys
        self.begun: float = -inf  # buckets of times before this are open
        self.blocks = int(-FAR) * BUCKETS  # from this key on, a multiple of BLOCK, a bucket is a block
        self.now: float = nan
        """The last reading of the clock: what is due by it is due. Who has read it later may say so here."""
        self.passes = 0
        self.order = 0
        self.seen = 0  # the order of the last call that next_time() has seen
        self.size = 0  # calls in near and buckets
        self.dead = 0  # those of them that are cancelled
        self.traces = 0
        self.ran = 0
        """How many calls have begun."""
        self.alarm: Callable[[], object] | None = None
        """Called when a call was scheduled, or moved to an earlier time: for a loop that waits until next_due()."""
        self.running: Timer | None = None
        """The call that is running now, for who asks; None between calls."""
        self.lag = Histogram()
        """How late calls began, by the clock at the beginning of their pass."""

    def call_later(
        self,
        clock: Callable[[], float],
        delay: float,
        func: Any,
        args: tuple[Any, ...],
        kw: dict[str, Any],
        cancel: Callable[[Any], object],
        reset: Callable[[Any], object],
    ) -> DelayedCall:
        """Schedule a call `delay` seconds from now on `clock`; AssertionError if that is negative or NaN (29).

        `cancel` and `reset` are this queue's, bound once by the caller: a queue that held them would be a cycle. The
        call is made here, without its __init__, because nothing else of a timer costs as much as making it.
        """
        wait = 0.0 if delay == 0 else delay  # to make C's number of an int costs more than to file the call
        if not wait >= 0:
            raise AssertionError(f"cannot call {func!r} in {delay!r} seconds: the delay must be 0 or more")
        kind = DelayedCall
        call = kind.__new__(kind)
        self.now = Sys.now(clock)
        call.time = self.now + wait
        call.delayed_time = 0
        call.func = func
        call.args = args
        call.kw = kw or NOTHING  # an empty dictionary is not kept
        call.canceller = cancel
        call.resetter = reset
        call.seconds = clock
        call.called = call.cancelled = 0
        call.shown = None
        call.creator = creation_stack() if kind.debug else None
        call.born = self.passes
        self.size += 1
        self.file(call)
        if self.alarm is not None:
            self.alarm()
        return call

    def add(self, call: Timer) -> None:
        """Schedule `call` for its time; it comes up in the next pass at the earliest (semantics 32)."""
        call.born = self.passes
        self.size += 1
        self.file(call)
        if self.alarm is not None:
            self.alarm()

    def cancel(self, call: Timer) -> None:
        """Told by a call that it is being cancelled. It stays until it comes up or the next purge."""
        self.dead += 1

    def reset(self, call: Timer) -> None:
        """Told by a call that its time has become earlier."""
        if call.due >= self.begun:
            self.traces += 1
            key = self.key_of(call.due)
            self.file(call)
            bucket = self.buckets.get(key)
            if bucket is not None and bucket.first is call and self.key_of(call.due) != key:
                bucket.first = None
        else:
            at = bisect_left(self.near, (call.due, call.order), self.head, key=due_and_order)
            if at == len(self.near) or self.near[at] is not call:
                return  # not one of this queue's
            del self.near[at]
            self.file(call)
        if self.alarm is not None:
            self.alarm()

    def run_due(self, now: float) -> int:
        """One pass: run what is due at `now`, and return how many calls ran.

        What these calls schedule waits for the next pass; a waiting call that they make due runs in this one
        (semantics 32). Whatever they raise is reported, and the pass goes on (semantics 43).
        """
        self.now = now
        self.passes += 1
        this_pass = self.passes
        if now >= self.begun:
            self.open(now)
        ran = 0
        around = self.running
        call: Timer | None = None
        while self.head < len(self.near):
            call = self.near[self.head]
            if call.due > now or call.born >= this_pass:
                break
            self.near[self.head] = None
            self.head += 1
            if call.cancelled:
                self.size -= 1
                self.dead -= 1
            elif call.delayed_time > 0:
                call.activate_delay()
                self.file(call)
            else:
                self.size -= 1
                ran += 1
                self.ran += 1
                self.running = call
                self.lag.add(now - call.due)
                call.called = 1
                try:
                    if call.kw:
                        call.func(*call.args, **call.kw)
                    else:
                        call.func(*call.args)
                except BaseException:
                    self.report_error(call)
        self.running = around
        # A traceback kept by whoever handled an error keeps this frame: its variables must not close a cycle.
        call = around = None
        if self.head > 100 and self.head > len(self.near) >> 1:
            del self.near[: self.head]
            self.head = 0
        # Cheap as they are, cancelled calls must not fill the memory (semantics 31).
        if self.dead + self.traces > 50 and self.dead + self.traces > self.size >> 1:
            self.purge()
        return ran

    def next_due(self) -> float | None:
        """The same, exactly; None if there is none."""
        self.next_time()
        call = self.earliest()
        return None if call is None else call.due

    def next_time(self) -> float:
        """The time of the earliest call; infinity if there is none, and at most FAR if there is.

        Cancelled and postponed calls count until they come up, but not if that was done to them before they were first
        looked at here (34).
        """
        while True:
            call = self.earliest()
            if call is None or not self.is_passed_over(call):
                break
            self.pass_over(call)
        self.seen = self.order
        return inf if call is None else min(call.due, FAR)

    def earliest(self) -> Timer | None:
        """The call that comes up first."""
        if self.head < len(self.near):
            first: Timer = self.near[self.head]
            return first
        while self.keys:
            bucket = self.buckets[self.keys[0]]
            if bucket.first is not None:
                return bucket.first
            calls = self.settled(self.keys[0])
            if calls:
                bucket.first = min(calls, key=due)
                return bucket.first
            del self.buckets[heappop(self.keys)]
        return None

    def is_passed_over(self, call: Timer) -> bool:
        """Whether `call` was cancelled or postponed before next_time() has seen it."""
        return call.order > self.seen and bool(call.cancelled or call.delayed_time > 0)

    def pass_over(self, call: Timer) -> None:
        """Have `call`, which earliest() gave, and all of its bucket that are passed over, wait no longer or elsewhere."""
        if self.head < len(self.near):
            self.near[self.head] = None
            self.head += 1
            gone = [call]
        else:
            calls = self.settled(self.keys[0])
            bucket = self.buckets[self.keys[0]]
            bucket.calls = [each for each in calls if not self.is_passed_over(each)]
            bucket.first = None
            gone = [each for each in calls if self.is_passed_over(each)]
        for each in gone:
            if each.cancelled:
                self.size -= 1
                self.dead -= 1
            else:
                each.activate_delay()
                self.file(each)

    def calls(self) -> list[Timer]:
        """The calls that are still to come, in no useful order."""
        found = self.near[self.head :]
        for key in self.keys:
            found += self.settled(key)
        return [call for call in found if not call.cancelled]

    def file(self, call: Timer) -> None:
        """Put `call` where its time belongs, behind all that are due at the same time (33)."""
        self.order += 1
        call.order = self.order
        call.due = call.time
        if call.due < self.begun:
            last: Timer | None = self.near[-1] if self.head < len(self.near) else None
            if last is None or last.due <= call.due:
                self.near.append(call)
            else:
                insort_right(self.near, call, self.head, key=due)
        else:
            self.put(call)

    def put(self, call: Timer) -> None:
        """Put `call` into its bucket."""
        key = self.key_of(call.due)
        bucket = self.buckets.get(key)
        if bucket is None:
            bucket = Bucket.__new__(Bucket)
            bucket.calls = [call]
            bucket.first = call
            self.buckets[key] = bucket
            heappush(self.keys, key)
        else:
            bucket.calls.append(call)
            if bucket.first is not None and call.due < bucket.first.due:
                bucket.first = call

    def key_of(self, when: float) -> int:
        """The key of the bucket for a time that has not begun."""
        key = int(min(when, FAR) * BUCKETS // 1)
        return key if key < self.blocks else key & -BLOCK

    def open(self, now: float) -> None:
        """Open the buckets that have begun."""
        key = int(min(now, FAR) * BUCKETS // 1)
        self.begun = (key + 1) / BUCKETS
        if key + BLOCK >= self.blocks:
            self.divide((key & -BLOCK) + 2 * BLOCK)
        if self.keys and self.keys[0] <= key:
            del self.near[: self.head]
            self.head = 0
            while self.keys and self.keys[0] <= key:
                self.near += self.settled(self.keys[0])
                del self.buckets[heappop(self.keys)]
            self.near.sort(key=due)

    def divide(self, blocks: int) -> None:
        """Divide the blocks before the key `blocks` into buckets."""
        near = [key for key in self.keys if self.blocks <= key < blocks]
        calls: list[Timer] = []
        for key in near:
            calls += self.settled(key)
            bucket = self.buckets[key]
            bucket.calls = []
            bucket.first = None
        self.blocks = blocks
        for call in calls:
            self.put(call)

    def settled(self, key: int) -> list[Timer]:
        """A bucket's calls, without the traces of moved ones."""
        bucket = self.buckets[key]
        if self.traces:
            # A call may be there twice: it was moved away, postponed, and came back. The last entry counts.
            latest = list(dict.fromkeys(reversed(bucket.calls)))
            kept = [call for call in reversed(latest) if self.key_of(call.due) == key]
            self.traces -= len(bucket.calls) - len(kept)
            bucket.calls = kept
        return bucket.calls

    def purge(self) -> None:
        """Drop every cancelled call, and every trace of a moved one."""
        self.near = [call for call in self.near[self.head :] if not call.cancelled]
        self.head = 0
        self.size = len(self.near)
        for key in self.keys:
            calls = [call for call in self.settled(key) if not call.cancelled]
            self.size += len(calls)
            bucket = self.buckets[key]
            bucket.calls = calls
            bucket.first = None
            if not calls:
                del self.buckets[key]
        self.keys = sorted(self.buckets)  # which is a heap
        self.dead = self.traces = 0

    def report_error(self, call: Timer) -> None:
        """Report what is being raised by `call`, naming it."""
        text = f"Unhandled error in delayed call {describe_call(call.func, call.args, call.kw)}"
        if call.creator is not None:
            text += f", which was scheduled at:\n{''.join(call.creator)}"
        report.failure(text, Failure())
