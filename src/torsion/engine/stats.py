"""What `reactor.stats()` gives: the numbers of a loop at one moment, and a text for people."""

from __future__ import annotations

from math import inf
from typing import NamedTuple


class Stats(NamedTuple):
    """What a reactor has done since it was made, and does now. `str()` is a text for people, `_asdict()` a dictionary.

    Times are seconds of the reactor's clock. Asked in another thread, numbers may be a moment apart from each other.
    """

    turns: int
    """Turns of the loop: how often it looked which descriptors are ready."""
    events: int
    """Events delivered: a descriptor was ready, and its transport was told. A wake-up by another thread is one too."""
    calls: int
    """Calls of callFromThread, and of signals, that have begun."""
    timers: int
    """Calls of callLater that have begun."""
    bytes_in: int
    """Bytes that transports received from the system."""
    bytes_out: int
    """Bytes that transports handed to the system."""
    busy: float
    """Seconds in which the loop was at work."""
    idle: float
    """Seconds in which it waited since it was first turned, and those in which nobody turned it."""
    timer_lag: dict[float, int]
    """How late timers began: {at most so many seconds: how many timers}, each counted once, in the lowest that fits."""
    event_lag: dict[float, int]
    """How late events may have been: {at most so many seconds: how often}, counted from one look at the descriptors to
    the next. What becomes ready in between waits no longer than this work took."""
    running: str | None
    """What runs at the moment: whose event, or which function. None: nothing, or the loop itself."""
    at_work_for: float
    """For how long the loop has been at work since it last looked at the descriptors; 0.0 while it waits."""

    def __str__(self) -> str:
        total = self.busy + self.idle
        share = f" ({self.busy / total:.1%} busy)" if total > 0 else ""
        now = f"at work for {duration(self.at_work_for)}: {self.running or 'the loop itself'}"
        return "\n".join([
            f"busy {duration(self.busy)}, idle {duration(self.idle)}{share}",
            f"now {now if self.at_work_for or self.running else 'waiting'}",
            f"{self.turns:,} turns, {self.events:,} events, {self.calls:,} calls, {self.timers:,} timers",
            f"{self.bytes_in:,} bytes in, {self.bytes_out:,} bytes out",
            f"timers late: {_row(self.timer_lag)}",
            f"events late: {_row(self.event_lag)}",
        ])  # fmt: skip


def duration(seconds: float) -> str:
    """A duration with three figures and its unit: `61 µs`, `1.95 ms`, `12.5 s`."""
    for unit, factor in (("µs", 1e6), ("ms", 1e3)):
        if seconds * factor < 1000:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds:.3g} s" if seconds < 1000 else f"{seconds:,.0f} s"


def _row(lag: dict[float, int]) -> str:
    longest = max((bound for bound in lag if bound < inf), default=0.0)
    return ", ".join(
        f"{count:,} by {f'at most {duration(bound)}' if bound < inf else f'more than {duration(longest)}'}"
        for bound, count in lag.items()
        if count
    ) or "none"  # fmt: skip
