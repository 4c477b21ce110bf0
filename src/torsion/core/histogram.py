"""How often something took how long, in buckets that are powers of two: a count is one comparison and one addition.

The bounds are 1/16384 s (61 µs), 1/8192 s, … 1 s, … 16 s: what is shorter than the first is nobody's trouble in an
event loop, and what is longer than the last is trouble enough.
"""

from __future__ import annotations

from math import inf

LEAST = 2.0**-14
LAST = 19
"""The bucket of what is longer than all bounds."""


class Histogram:
    """Counts of durations. One thread adds; any may read."""

    def __init__(self) -> None:
        self.least = LEAST
        """The lowest bound, in seconds. What is not over it may be counted by `shortest += 1`, which costs no call."""
        self.shortest = 0
        self._counts = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]  # in C, an array

    def add(self, seconds: float) -> None:
        """Count one duration. Negative, as when the clock was set back, counts as none at all."""
        bound = LEAST
        bucket = 0
        while seconds > bound and bucket < LAST:
            bound *= 2
            bucket += 1
        self._counts[bucket] += 1

    def counts(self) -> dict[float, int]:
        """{the longest duration that is counted there, in seconds: how many}, shortest first; the last bound is inf."""
        found: dict[float, int] = {}
        bound = LEAST
        for count in self._counts:
            found[bound if len(found) < LAST else inf] = count
            bound *= 2
        found[LEAST] += self.shortest
        return found
