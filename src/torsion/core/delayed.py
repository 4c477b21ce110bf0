"""One call that waits for its time, and what it says of itself. The queue of them is core/timers.py's."""

from __future__ import annotations

import sys
import time as wall
from collections.abc import Callable, Sequence
from traceback import StackSummary, format_list, walk_stack
from typing import Any

from ..error import AlreadyCalled, AlreadyCancelled
from ..twin.kernel import Sys


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


class Keeper:
    """What many calls have in common: their clock, and whom they tell that they are cancelled or come up earlier."""

    __slots__ = ("canceller", "resetter", "retired", "seconds")

    def __init__(
        self,
        cancel: Callable[[Any], object] | None,
        reset: Callable[[Any], object] | None,
        seconds: Callable[[], float],
    ) -> None:
        self.canceller: Any = cancel
        self.resetter: Any = reset
        self.seconds = seconds
        self.retired: Keeper | None = None

    def retire(self) -> Keeper:
        """The keeper of calls that are cancelled: a queue that is dropped with such calls in it is to be no cycle."""
        if self.retired is None:
            self.retired = Keeper(None, None, self.seconds)
        return self.retired


class Timer:
    """The compiled core of DelayedCall.

    There may be very many, and each is looked at by the collector: what many have in common is their keeper's, and
    what few have lies in the instance's dictionary.
    """

    __slots__ = ("args", "born", "called", "cancelled", "delayed_time", "due", "func", "keeper", "kw", "noted", "time")

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
        self.keeper = Keeper(cancel, reset, seconds)
        self.called = 0
        self.cancelled = 0
        self.noted = False
        self.born = 0  # how many calls had been scheduled, this one included
        self.due: float = 0  # the time it is filed under
        if self.debug:
            self.noted = True
            note(self)

    @property
    def canceller(self) -> Any:
        """Called with this call when it is cancelled; None from then on."""
        return self.keeper.canceller

    @property
    def resetter(self) -> Any:
        """Called with this call when it is moved to an earlier time; None once it is cancelled."""
        return self.keeper.resetter

    @property
    def seconds(self) -> Callable[[], float]:
        """The clock it was scheduled with."""
        return self.keeper.seconds

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
        check_active(self)
        self.keeper.canceller(self)
        self.cancelled = 1
        if self.noted:
            note_call(self)
        self.func = self.args = self.kw = None
        self.keeper = self.keeper.retire()

    def reset(self, secondsFromNow: float) -> None:
        """Put the call at `secondsFromNow`, wherever it was before. Raises as cancel() does."""
        check_active(self)
        when = Sys.now(self.keeper.seconds) + secondsFromNow
        if when < self.time:
            self.delayed_time = 0
            self.time = when
            self.keeper.resetter(self)
        else:
            # Later costs nothing now: the queue finds out when the old time comes up (semantics 30).
            self.delayed_time = when - self.time

    def delay(self, secondsLater: float) -> None:
        """Put the call `secondsLater` after its present time; negative means sooner. Raises as cancel() does."""
        check_active(self)
        self.delayed_time += secondsLater
        if self.delayed_time < 0:
            settle_delay(self)
            self.keeper.resetter(self)

    def activate_delay(self) -> None:
        """Make the time asked for by delay() and reset() the call's `time`."""
        settle_delay(self)

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
        return describe_timer(self)

    def __repr__(self) -> str:
        return describe_timer(self)


# Functions, because a class with methods of C's gives each of its instances a pointer to their table.


def check_active(call: Timer) -> None:
    if call.cancelled:
        raise AlreadyCancelled
    if call.called:
        raise AlreadyCalled


def settle_delay(call: Timer) -> None:
    """As its activate_delay, without a call of Python's."""
    call.time = call.time + call.delayed_time
    call.delayed_time = 0


def note(call: Any) -> None:
    """Remember where `call` is scheduled."""
    call.creator = creation_stack()


def note_call(call: Any) -> None:
    """Remember what `call`, which is to forget it, would have called."""
    call.shown = describe_call(call.func, call.args, call.kw)


def describe_timer(call: Any) -> str:
    left = call.time - call.seconds()
    head = f"<DelayedCall {id(call):#x} [{left}s] called={call.called} cancelled={call.cancelled}"
    shown = call.shown if call.cancelled else describe_call(call.func, call.args, call.kw)
    if shown is not None:
        head += f" {shown}"
    if call.creator is not None:
        head += f"\n\ntraceback at creation: \n\n{''.join(call.creator)}"
    return head + ">"


class DelayedCall(Timer):
    """A call scheduled with callLater; what cancels, resets and delays it. Contract: Twisted's IDelayedCall.

    All times are seconds. Only the thread of the clock it was scheduled with may touch it. With `debug` set on the
    class, calls made from then on remember where they were scheduled (`creator`) and show it in their repr.
    """

    debug = False
    creator: list[str] | None = None
    shown: str | None = None
    """What a cancelled one would have called, if that was remembered."""
