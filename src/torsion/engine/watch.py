"""Who is served by an engine: whom it tells of readiness, and who has something to send, in their order.

A stream is both itself, so a connection is one object of the loop's. Any other handler has a Told made for it.
"""

from __future__ import annotations

from typing import Any, Protocol


class Handler(Protocol):
    """What is told about a descriptor."""

    def on_ready(self, ready: int) -> None:
        """`ready` holds what was asked for of READ and WRITE, and GONE unasked. May find nothing to do after all.

        An exception leaves `turn`; the events not yet delivered come again.
        """


class Unsent:
    """What may have something to send that was not sent at once. A class of Python's overrides nothing here."""

    def flush(self) -> None:
        """Send it now, as far as it goes. Raises KeyboardInterrupt at most (43). Here there is nothing."""

    def who(self) -> Any:
        """Who is served."""
        return self


class Watch(Unsent):
    """Whom an engine tells about a descriptor, and what of: what it keeps under the descriptor's number."""

    def _begin_watch(self, fd: int) -> None:
        self._fd = fd
        self._interest = 0  # what is to be told
        self._applied = 0  # what the poller knows
        self._noted = False  # whether these two will be compared before the next wait
        self._born = 0  # how many waits had begun when it was watched

    def on_ready(self, ready: int) -> None:
        """As Handler.on_ready."""
        raise NotImplementedError


class Told(Watch):
    """For a handler that is no Watch, or has something to send and is no Unsent."""

    def __init__(self, fd: int, handler: Any) -> None:
        self._begin_watch(fd)
        self._handler = handler
        self._tell: Any = getattr(handler, "on_ready", None)  # bound once, called at each event

    def on_ready(self, ready: int) -> None:
        self._tell(ready)

    def flush(self) -> None:
        if hasattr(self._handler, "flush"):
            self._handler.flush()

    def who(self) -> Any:
        return self._handler


class Queue:
    """Who has something to send, in the order in which they said so.

    The places of a list are used again, so that to wait here allocates nothing.
    """

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
