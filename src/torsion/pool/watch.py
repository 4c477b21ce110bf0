"""A pool whose work waits too long says so: what waits, since when, and what its threads do meanwhile.

No thread of its own watches. While work waits for a thread, a look is taken when more work is given, and by a timer of
the reactor's if one has lent it (`later`); otherwise nobody looks, and nothing is spent but one reading of the clock
when a call is given and one when it begins. What is the matter is reported once: again only if the work in front has
waited less than the limit meanwhile.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from threading import TIMEOUT_MAX, Lock, Thread
from time import monotonic
from typing import Any, Protocol

from .. import report
from .team import Statistics

#: Calls that are named in a report, before it says how many there are besides.
NAMED = 10


class Call(Protocol):
    """A call in a pool: it waits, or runs, since then."""

    @property
    def function(self) -> Any: ...
    @property
    def since(self) -> float: ...


class Pool(Protocol):
    """What is looked at."""

    name: str | None
    max: int
    started: bool
    report_after: float

    def waiting(self) -> list[Call]: ...
    def statistics(self) -> Statistics: ...
    def threads_that_wait(self) -> int: ...


class Watch:
    """What the threads of a pool do, since when; and whether that is to be told. Any thread."""

    def __init__(self) -> None:
        self.clock: Callable[[], float] = monotonic
        #: Calls a function in so many seconds, in a thread where that disturbs nobody.
        self.later: Callable[[float, Callable[[], object]], object] | None = None
        #: The call that each thread makes now, by the thread's identifier; kept by the calls themselves.
        self.at_work: dict[int, Call] = {}
        self._looking = Lock()
        self._next_look = 0.0
        self._scheduled = False
        self._reported = False

    # Work waits

    def work_waits(self, pool: Pool) -> None:
        """Work was given while other work waits."""
        if self.clock() >= self._next_look:
            self.look(pool)
        self._look_later(pool, pool.report_after)

    def look(self, pool: Pool) -> float | None:
        """Report if that is to be done now. In how many seconds to look again; None while nothing waits."""
        if not self._looking.acquire(blocking=False):
            return pool.report_after  # another thread looks
        try:
            waiting = pool.waiting()
            if not waiting:
                self._reported = False
                return None
            now = self.clock()
            left = waiting[0].since + pool.report_after - now
            if left > 0:
                self._reported = False
            else:
                left = pool.report_after
                if not self._reported:
                    self._reported = True
                    self._say(pool, waiting, now)
            self._next_look = now + left
            return left
        finally:
            self._looking.release()

    def _look_later(self, pool: Pool, seconds: float | None) -> None:
        if self.later is not None and not self._scheduled and seconds is not None and seconds <= TIMEOUT_MAX:
            self._scheduled = True
            # The timer is not to keep a pool that nobody needs any more.
            self.later(max(seconds, 0.001), _LookAgain(weakref.ref(pool)))

    def look_again(self, pool: Pool) -> None:
        """The timer."""
        self._scheduled = False
        self._look_later(pool, self.look(pool))

    def _say(self, pool: Pool, waiting: list[Call], now: float) -> None:
        seconds = now - waiting[0].since
        waits = f"{_count(len(waiting), 'call')} waiting for a thread, the first of them for {seconds:.1f} seconds"
        busy = pool.statistics().busyWorkerCount
        at_work = _count(busy, "thread")
        if not pool.started:
            text = f"Thread pool {pool.name!r} has not been started: {waits}"
        elif busy and pool.threads_that_wait() >= busy:
            text = (
                f"Thread pool {pool.name!r} may wait for itself: {waits}, while {at_work}, all that are busy, wait for"
                " a reactor (blockingCallFromThread). If the answers depend on these calls, none will ever come"
            )
        else:
            text = f"Thread pool {pool.name!r} is full: {waits}, with {at_work} at work of at most {pool.max}"
        text += f". Waiting: {named(waiting, now)}. Running: {named(self.running(), now)}"
        report.warning(text, pool=pool.name, waiting=len(waiting), seconds=seconds, threads=busy)

    # The pool is being stopped

    def join(self, pool: Pool, threads: Iterable[Thread]) -> None:
        """Wait for these threads to end; if that takes longer than the limit, say what they do."""
        end = monotonic() + pool.report_after
        said = False
        for thread in threads:
            thread.join(min(max(end - monotonic(), 0), TIMEOUT_MAX))
            if thread.is_alive() and not said:
                said = True
                self._say_who_holds_up(pool)
            thread.join()

    def _say_who_holds_up(self, pool: Pool) -> None:
        now, running, waiting = self.clock(), self.running(), pool.waiting()
        text = (
            f"Thread pool {pool.name!r} is being stopped, and for {pool.report_after:.1f} seconds its threads have not"
            f" come to an end. Running: {named(running, now)}. Still to be run: {named(waiting, now)}"
        )
        report.warning(text, pool=pool.name, waiting=len(waiting), threads=len(running))

    def running(self) -> list[Call]:
        """What the threads do now, the longest first."""
        return sorted(self.at_work.copy().values(), key=lambda call: call.since)


class _LookAgain:
    """What a timer calls."""

    __slots__ = ("_pool",)

    def __init__(self, pool: weakref.ref[Any]) -> None:
        self._pool = pool

    def __call__(self) -> None:
        pool = self._pool()
        if pool is not None:
            pool.watch.look_again(pool)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def named(calls: list[Call], now: float) -> str:
    """The functions' names, each with how long, the first ones; equal names once, with the longest."""
    names: dict[str, list[float]] = {}
    for call in calls:
        names.setdefault(_name(call), []).append(now - call.since)
    shown = [
        f"{name} ({seconds[0]:.1f} s)" if len(seconds) == 1 else f"{len(seconds)} × {name} (up to {max(seconds):.1f} s)"
        for name, seconds in names.items()
    ]
    more = [f"{len(shown) - NAMED} other functions"] if len(shown) > NAMED else []
    return ", ".join(shown[:NAMED] + more) or "nothing"


def _name(call: Call) -> str:
    function = getattr(call, "function", None)  # gone when it has just ended
    try:
        inner = getattr(function, "func", function)  # a functools.partial
        name = getattr(inner, "__qualname__", None)
        module = getattr(inner, "__module__", None)
    except Exception:  # an object with attributes of its own making: no reason for the call to fail
        inner, name = function, None
    if name is None:
        return f"an object of class {type(inner).__qualname__}"
    return f"{module}.{name}" if module else str(name)
