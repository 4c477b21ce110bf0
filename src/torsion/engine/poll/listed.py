"""What is ready, of a poller that gives lists."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from ...twin.kernel import Events

Wait = Callable[[float | None], list[tuple[int, int]]]


class Listed(Events):
    """Waits by a poller's `wait`."""

    def __init__(self, wait: Wait) -> None:
        super().__init__()
        self._wait = wait
        self._found: list[tuple[int, int]] = []
        self._at = 0

    def wait(self, seconds: float) -> None:
        self._found = self._wait(None if seconds == inf else seconds)
        self._at = 0  # now: that may have turned the loop

    def next(self) -> bool:
        if self._at == len(self._found):
            return False
        self.fd, self.ready = self._found[self._at]
        self._at += 1
        self.more = self._at != len(self._found)
        return True
