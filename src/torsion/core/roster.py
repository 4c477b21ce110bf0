"""Who is there: members that come and go, in no order, each at the price of a place in a list.

A member keeps the number of its place. Who leaves gives the place to the last one, so that leaving costs the same among
many as among few.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Roster:
    """`emptied` is called whenever the last member leaves."""

    def __init__(self) -> None:
        self._members: list[Any] = []
        self.emptied: Callable[[], object] | None = None

    def __len__(self) -> int:
        return len(self._members)

    def members(self) -> list[Any]:
        """Those that are there now."""
        return self._members.copy()

    def add(self, member: Any) -> int:
        """Have one more; returns its place."""
        self._members.append(member)
        return len(self._members) - 1

    def remove(self, place: int) -> Any:
        """Who has this place leaves; returns who has it from now on, or None."""
        last = self._members.pop()
        if place < len(self._members):
            self._members[place] = last
            return last
        if not self._members and self.emptied is not None:
            self.emptied()
        return None
