"""What the loop is doing now, and how much it has done.

Always on, so it may cost next to nothing: plain stores and additions, no clock read. Read it from any thread; only
the engine writes.
"""

from __future__ import annotations


class Meter:
    """Counters since the engine was made. Plain attributes."""

    def __init__(self) -> None:
        self.turns = 0
        """Waits: each turn of the loop has one."""
        self.calls = 0
        """Calls run that were handed over by threads and signals."""
        self.timers = 0
        """Timers run."""
        self.events = 0
        """Readiness events delivered, the waker's included."""
        self.running: object = None
        """The handler of the event that is being delivered now, None outside of events."""
