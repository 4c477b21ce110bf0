"""Calls that wait for their time.

Most timers are timeouts, and most timeouts never come up: they are cancelled or pushed back. So scheduling appends to
a list, cancelling and pushing back touch nothing but the call itself, and only what comes up pays for being sorted.
Calls with equal times run in the order in which they were scheduled (semantics 33).

Buckets and not a heap, because a heap's cost grows with what waits: at 200,000 calls, running one and scheduling the
next took a heap of calls 1.6 times the buckets' time compiled (on C doubles), and 4.7 times interpreted.
"""

from __future__ import annotations

from bisect import bisect_left, insort_right
from collections.abc import Callable
from heapq import heappop, heappush
from math import inf, nan
from operator import attrgetter
from types import MappingProxyType
from typing import Any

from .. import report
from ..failure import Failure
from ..twin.kernel import Sys
from .delayed import DelayedCall, Keeper, Timer, describe_call, note, settle_delay
from .histogram import Histogram

BUCKETS = 16  # in a second
BLOCK = 64  # buckets
FAR = 1e15  # seconds; what is later, infinity for one, shares a block
NOWHERE = int(FAR) * BUCKETS + 1  # no bucket's key

NOTHING: Any = MappingProxyType({})

due = attrgetter("due")


class Bucket:
    """Calls that are due in the same stretch of time, in the order in which they came."""

    __slots__ = ("calls", "first", "key")

    key: int
    calls: list[Timer]
    first: Timer | None
    """The one due first; None: to be looked for."""


def new_bucket(key: int) -> Bucket:
    bucket = Bucket.__new__(Bucket)
    bucket.key = key
    bucket.calls = []
    bucket.first = None
    return bucket


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
        # Those used last, to spare a lookup; 64 that follow each other, blocks or not, have places of their own.
        self.recent = [new_bucket(NOWHERE)] * 64
        self.begun: float = -inf  # buckets of times before this are open
        self.blocks = int(-FAR) * BUCKETS  # from this key on, a multiple of BLOCK, a bucket is a block
        self.now: float = nan
        """The last reading of the clock: what is due by it is due. Who has read it later may say so here."""
        self.born = 0  # how many calls were ever scheduled
        self.seen = 0  # how many of them when next_time() last looked
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
        self, keeper: Keeper, delay: float, func: Any, args: tuple[Any, ...], kw: dict[str, Any]
    ) -> DelayedCall:
        """Schedule a call `delay` seconds from now; AssertionError if that is negative or NaN (29).

        What `keeper` tells is this queue's; the caller has it, because a queue that held it would be a cycle. The call
        is made here, without its __init__, because nothing else of a timer costs as much as making it.
        """
        wait = 0.0 if delay == 0 else delay  # to make C's number of an int costs more than to file the call
        if not wait >= 0:
            raise AssertionError(f"cannot call {func!r} in {delay!r} seconds: the delay must be 0 or more")
        kind = DelayedCall
        call = kind.__new__(kind)
        self.now = Sys.now(keeper.seconds)
        call.time = self.now + wait
        call.delayed_time = 0
        call.func = func
        call.args = args
        call.kw = kw or NOTHING  # an empty dictionary is not kept
        call.keeper = keeper
        call.called = call.cancelled = 0
        call.noted = False
        if kind.debug:
            call.noted = True
            note(call)
        self.add(call)
        return call

    def add(self, call: Timer) -> None:
        """Schedule `call` for its time; it comes up in the next pass at the earliest (semantics 32)."""
        self.born += 1
        call.born = self.born
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
            at = bisect_left(self.near, call.due, self.head, key=due)
            while at < len(self.near) and self.near[at] is not call and self.near[at].due == call.due:
                at += 1
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
        born = self.born
        if now >= self.begun:
            self.open(now)
        ran = 0
        around = self.running
        call: Timer | None = None
        while self.head < len(self.near):
            call = self.near[self.head]
            if call.due > now:
                break
            if call.born > born:
                call = self.take_older(now, born)
                if call is None:
                    break
            else:
                self.near[self.head] = None
                self.head += 1
            if call.cancelled:
                self.size -= 1
                self.dead -= 1
            elif call.delayed_time > 0:
                settle_delay(call)
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
        # Cheap as they are, cancelled calls must not fill the memory (semantics 31). With nothing to come, no pass may
        # follow that would find the last traces.
        useless = self.dead + self.traces
        if useless > self.size >> 1 and (useless > 50 or not self.size):
            self.purge()
        return ran

    def take_older(self, now: float, born: int) -> Timer | None:
        """Remove the first call that is due at `now` and among the first `born`, where one that is not comes before it.

        It was made due, or put off, in this pass, and so is filed behind those that are new.
        """
        at = self.head + 1
        while at < len(self.near):
            call: Timer = self.near[at]
            if call.due > now:
                break
            if call.born <= born:
                del self.near[at]
                return call
            at += 1
        return None

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
        self.seen = self.born
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
            self.drop(heappop(self.keys))
        return None

    def is_passed_over(self, call: Timer) -> bool:
        """Whether `call` was cancelled or postponed before next_time() has seen it."""
        return call.born > self.seen and bool(call.cancelled or call.delayed_time > 0)

    def pass_over(self, call: Timer) -> None:
        """Have `call`, which earliest() gave, wait no longer or elsewhere; and all like it in its bucket."""
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
                settle_delay(each)
                self.file(each)

    def calls(self) -> list[Timer]:
        """The calls that are still to come, in no useful order."""
        found = self.near[self.head :]
        for key in self.keys:
            found += self.settled(key)
        return [call for call in found if not call.cancelled]

    def file(self, call: Timer) -> None:
        """Put `call` where its time belongs, behind all that are due at the same time (33)."""
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
        bucket = self.recent[key + (key >> 6) & 63]
        if bucket.key != key:
            bucket = self.bucket_of(key)
        bucket.calls.append(call)
        if bucket.first is not None and call.due < bucket.first.due:
            bucket.first = call

    def bucket_of(self, key: int) -> Bucket:
        """The bucket that has this key, a new one if need be."""
        bucket = self.buckets.get(key)
        if bucket is None:
            bucket = self.buckets[key] = new_bucket(key)
            heappush(self.keys, key)
        self.recent[key + (key >> 6) & 63] = bucket
        return bucket

    def drop(self, key: int) -> None:
        """Forget the bucket that has this key."""
        bucket = self.buckets.pop(key)
        bucket.key = NOWHERE  # it may be among the recent ones
        bucket.calls = []
        bucket.first = None

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
                self.drop(heappop(self.keys))
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
                self.drop(key)
        self.keys = sorted(self.buckets)  # which is a heap
        self.dead = self.traces = 0

    def report_error(self, call: Any) -> None:
        """Report what is being raised by `call`, naming it."""
        text = f"Unhandled error in delayed call {describe_call(call.func, call.args, call.kw)}"
        if call.creator is not None:
            text += f", which was scheduled at:\n{''.join(call.creator)}"
        report.failure(text, Failure())
