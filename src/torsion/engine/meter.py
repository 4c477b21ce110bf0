"""What the loop is doing now, and how much it has done.

Always on, so it may cost next to nothing: plain stores and additions. It reads no clock. The loop tells it the time at
two moments of a turn only, when it is about to wait (`rest`) and when it is back (`work`), with readings that it takes
for its timers as well; nothing is read for an event. Read it from any thread; only the loop writes.
"""

from __future__ import annotations

from math import nan
from typing import Any

from ..core.calls import Calls, name_of
from ..core.histogram import Histogram
from ..core.timers import TimerQueue
from .stats import Stats
from .watch import Unsent


class Meter:
    """Counters since the engine was made. Plain attributes."""

    def __init__(self, calls: Calls, timers: TimerQueue) -> None:
        self._calls = calls
        self._timers = timers
        self.turns = 0
        """Waits: each turn of the loop has one."""
        self.events = 0
        """Readiness events delivered, the waker's included."""
        self.received = 0
        """Bytes that transports have received."""
        self.sent = 0
        """Bytes that transports have sent: that the kernel has taken."""
        self.busy: float = 0
        """Seconds of work, up to the last wait."""
        self.idle: float = 0
        """Seconds of waiting, up to the last work; and those in which nobody turned the loop."""
        self.lag = Histogram()
        """How long the loop worked from one look at the descriptors to the next."""
        self.at_work = False
        """Whether the loop does something now, other than wait."""
        self.since: float = nan
        """When the work or the waiting of now began, in seconds of the engine's clock."""
        self.running: Unsent | None = None
        """Whose event is being delivered now, or who sends what was left; None outside of these."""

    def work(self, now: float) -> None:
        """A wait is over."""
        waited = now - self.since
        if waited > 0:  # not so after the clock was set back, and before anything began
            self.idle += waited
        self.since = now
        self.at_work = True

    def rest(self, now: float) -> None:
        """A wait begins. Again: it goes on."""
        if self.at_work:
            worked = now - self.since
            if worked > 0:
                self.busy += worked
            if worked <= self.lag.least:  # mostly
                self.lag.shortest += 1
            else:
                self.lag.add(worked)
            self.since = now
            self.at_work = False

    @property
    def calls(self) -> int:
        """Calls begun that were handed over by threads and signals."""
        return self._calls.taken

    @property
    def timers(self) -> int:
        """Timers begun."""
        return self._timers.ran

    @property
    def handler(self) -> Any:
        """The handler of the event that is being delivered now, None outside of events."""
        running = self.running
        return None if running is None else running.who()

    def progress(self) -> tuple[int, ...] | None:
        """Another one whenever something else begins to run; None while the loop waits. Any thread."""
        if not self.at_work:
            return None
        return self.turns, self.events, self._calls.taken, self._timers.ran, id(self.running)

    def describe_running(self) -> str | None:
        """What runs now, for people: whose event, or which function; None if that is the loop itself. Any thread.

        Where a callback turns the loop itself, the event around it is named.
        """
        handler = self.handler
        if handler is not None:
            try:
                prefix = str(handler.log_prefix())
            except Exception:
                prefix = "-"
            return f"an event of {type(handler).__name__ if prefix == '-' else prefix}"
        timer = self._timers.running
        if timer is not None:
            return f"the timer of {name_of(timer.func)}"
        function = self._calls.running
        return None if function is None else f"a call from a thread: {name_of(function)}"

    def stats(self, now: float) -> Stats:
        """All of it at once; `now` is what the engine's clock says. Any thread."""
        at_work, since, busy, idle = self.at_work, self.since, self.busy, self.idle
        passed = now - since
        if not passed > 0:
            passed = 0.0
        return Stats(
            turns=self.turns,
            events=self.events,
            calls=self.calls,
            timers=self.timers,
            bytes_in=self.received,
            bytes_out=self.sent,
            busy=busy + passed if at_work else busy,
            idle=idle if at_work else idle + passed,
            timer_lag=self._timers.lag.counts(),
            event_lag=self.lag.counts(),
            running=self.describe_running() if at_work else None,
            at_work_for=passed if at_work else 0.0,
        )
