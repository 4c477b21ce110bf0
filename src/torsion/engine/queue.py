"""Who has something to send, in the order in which they said so.

The places of a list are used again, so that to wait here allocates nothing.
"""

from __future__ import annotations

from .watch import Unsent


class Queue:
    """First in, first out."""

    def __init__(self) -> None:
        self.length = 0
        """How many these are."""
        self._places: list[Unsent | None] = []
        self._first = 0  # where the first of them is; None before

    def add(self, unsent: Unsent) -> None:
        """Behind the others."""
        places, end = self._places, self._first + self.length
        if end < len(places):
            places[end] = unsent
        else:
            if self._first > self.length:  # it was never empty for long: close the gap
                del places[: self._first]
                self._first = 0
            places.append(unsent)
        self.length += 1

    def take(self) -> Unsent:
        """Remove the first. There has to be one."""
        places, first = self._places, self._first
        unsent = places[first]
        assert unsent is not None
        places[first] = None
        self.length -= 1
        self._first = first + 1 if self.length else 0
        return unsent
