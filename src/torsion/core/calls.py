"""Calls handed over to the loop by other threads and by signal handlers.

The interpreter's own deque does the work: its append and popleft are atomic, so `put` takes no lock and may be called
anywhere, in a signal handler too. Entries are numbered in the order they came. A pass runs up to the last number
there was when it began (46): what is put meanwhile waits, even if a call turns the loop again and that inner pass
takes some of this pass's entries.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from .. import report
from ..failure import Failure
from ..twin.kernel import Sys


class Calls:
    """A queue of calls, first in first out."""

    def __init__(self) -> None:
        self.waiting: deque[tuple[Callable[..., object], tuple[Any, ...], dict[str, Any] | None]] = deque()
        self._append = self.waiting.append  # bound once, called for each call
        self._popleft = self.waiting.popleft
        self.taken = 0
        """How many calls have begun."""
        self.running: object = None
        """The function that is being called now, for who asks; None between calls."""

    def __len__(self) -> int:
        return len(self.waiting)

    def put(
        self, function: Callable[..., object], args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> None:
        """Add a call. Any thread, and signal handlers."""
        self._append((function, args, kwargs or None))  # an empty dictionary is not kept

    def run_batch(self) -> int:
        """Run the calls that are there now and return how many that were. The loop's thread.

        Whatever a call raises, SystemExit and KeyboardInterrupt included, is reported and goes no further (43).
        """
        count = 0
        around = self.running
        end = self.taken + len(self.waiting)
        while self.taken < end:
            function, args, kwargs = self._popleft()
            self.taken += 1
            self.running = function
            count += 1
            try:
                if kwargs is None:
                    function(*args)
                else:
                    function(*args, **kwargs)
                if not count & 255:
                    Sys.check_signals()  # nothing else does in a long batch of compiled functions
            except BaseException:
                report.failure(f"Unhandled error in a call from a thread: {name_of(function)}", Failure())
        self.running = around
        return count


def name_of(function: object) -> str:
    """What to call `function` in a report; never raises."""
    try:
        return str(getattr(function, "__qualname__", None) or repr(function))
    except BaseException:
        return object.__repr__(function)
