"""Says which callback keeps the loop from its work, and where in its code, while it does.

A thread of its own looks from time to time at the meter. What it sees costs the loop nothing: whether the loop works,
and a few counters that change whenever another callback begins. If they stand still for longer than the limit, one
callback is running all the while, and the loop's stack shows what it does. Told once a callback, and again when it is
over.

The thread needs the interpreter's lock: what holds that, as a long operation in C may, is not seen while it runs.
"""

from __future__ import annotations

import math
import os
import sys
import threading
from collections.abc import Callable
from time import monotonic
from traceback import StackSummary, walk_stack

from .. import report
from .meter import Meter
from .stats import duration

LOOKS = 4
"""How often it looks while a callback takes as long as is allowed: a report is late by two of these at most."""


def seconds(limit: object) -> float:
    """A limit as a number of seconds. TypeError for what is no number, ValueError unless it is finite and above 0."""
    if isinstance(limit, bool) or not isinstance(limit, int | float):
        raise TypeError(f"limit is a number of seconds, not {limit!r}")
    if not 0 < limit < math.inf:
        raise ValueError(f"limit must be more than 0 seconds and finite, not {limit!r}")
    return float(limit)


class Watchdog:
    """Watches one loop. `start` and `stop` are for the loop's thread."""

    def __init__(self, meter: Meter, limit: float, clock: Callable[[], float] = monotonic) -> None:
        self._meter = meter
        self._limit = limit
        self._clock = clock
        self._seen: tuple[int, ...] | None = None  # what the meter showed at the last look
        self._since = 0.0  # when it was first seen so
        self._told: str | None = None  # what has been reported and still runs
        self._loop = 0
        self._process = 0
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Watch what runs in the calling thread, from another one."""
        self._loop = threading.get_ident()
        self._process = os.getpid()
        self._ended = threading.Event()  # another one: a thread that `stop` did not wait for is to end all the same
        self._thread = threading.Thread(target=self._watch, args=[self._ended], name="torsion.watchdog", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread. Any number of times; in a process that was forked off it is not there."""
        thread, self._thread = self._thread, None
        if thread is None or self._process != os.getpid():
            return
        self._ended.set()
        thread.join(1)  # a report may be on its way: whoever takes it may wait for this thread

    def _watch(self, ended: threading.Event) -> None:
        while not ended.wait(self._limit / LOOKS):
            self.look()
        self._seen = None
        self._tell_end()

    def look(self) -> None:
        """One look, and a report if there is something to tell."""
        now = self._clock()
        progress = self._meter.progress()
        if progress is None or progress != self._seen:
            self._tell_end()
            self._seen, self._since = progress, now
        elif self._told is None and now - self._since >= self._limit:
            self._tell(now - self._since)

    def _tell(self, passed: float) -> None:
        running = self._meter.describe_running() or "the loop itself"
        frame = sys._current_frames().get(self._loop)
        if frame is None:
            return
        stack = StackSummary.extract(walk_stack(frame), lookup_lines=False)
        frame = None  # it holds on to everything that the callback has
        if self._meter.progress() != self._seen:
            return  # it has just ended: what was seen may be another's
        stack.reverse()
        self._told = running
        report.warning(
            f"The event loop is blocked, for {duration(passed)} up to now, by {running}. Stack of its thread:\n"
            + "".join(stack.format()),
            running=running,
            seconds=passed,
        )

    def _tell_end(self) -> None:
        running, self._told = self._told, None
        if running is not None:
            passed = self._clock() - self._since
            report.warning(
                f"The event loop goes on: {running} blocked it for about {duration(passed)}",
                running=running,
                seconds=passed,
            )
