"""What the loop waits with: the contract that every mechanism supplies, and the choice between them.

Guaranteed by each, and by tests/unit/test_pollers.py for all:
- Readiness is a level: what stays ready is told again by the next wait.
- `wait` never raises because of a descriptor. One that was closed while registered is told as GONE, or (epoll, whose
  kernel forgets it) not at all; it does not disturb the others, and can be unregistered, and its number registered
  anew.
- A signal that arrives during `wait` has its Python handler run at once, in the wait or as it ends early, and what the
  handler makes ready is told.

So by chance, not to be relied on: the order of what is told; that a hang-up comes as GONE (select can only say READ);
that a regular file can be registered (epoll refuses with PermissionError, the others call it always ready).
"""

from __future__ import annotations

import os
import select as _mechanisms
from typing import Protocol

from ...twin.kernel import GONE, READ, WRITE, Events

__all__ = ["GONE", "READ", "WRITE", "Poller", "best", "choose", "events_of"]


class Poller(Protocol):
    """Tells which descriptors are ready. The loop's thread only.

    One that has `events` (twin/kernel.py) is asked through these by an engine, and not by `wait`: they make no list.
    """

    name: str

    def register(self, fd: int, interest: int) -> None:
        """Tell about `fd` from now on; `interest`: READ, WRITE or both. OSError where the mechanism checks at once."""

    def modify(self, fd: int, interest: int) -> None:
        """Change what is told about `fd`."""

    def unregister(self, fd: int) -> None:
        """Tell no more about `fd`. Unknown or closed: nothing happens."""

    def wait(self, timeout: float | None) -> list[tuple[int, int]]:
        """What is ready, as (fd, READ | WRITE | GONE). Waits at most `timeout` seconds; None: for ever."""

    def fileno(self) -> int:
        """A descriptor that is readable when something is ready, for embedding; -1 if there is none."""

    def close(self) -> None:
        """Give back what the mechanism holds. Any number of times."""


#: In their order of merit.
_CHOICES = [name for name in ("epoll", "poll", "select") if hasattr(_mechanisms, name)]


def best(name: str | None = None) -> str:
    """The name of a poller: `name` if there is one, else the one in TORSION_POLLER, else the best of this system.

    Raises ValueError for a name that is not known, or not here.
    """
    name = name or os.environ.get("TORSION_POLLER") or _CHOICES[0]
    if name not in _CHOICES:
        raise ValueError(f"no poller is called {name!r} on this system; there are: {', '.join(_CHOICES)}")
    return name


def choose(name: str | None = None) -> Poller:
    """Make the poller that `best` names. Raises ValueError as it does."""
    name = best(name)  # and only its module is loaded
    if name == "epoll":
        from .epoll import EpollPoller

        return EpollPoller()
    if name == "poll":
        from .poll import PollPoller

        return PollPoller()
    from .select import SelectPoller

    return SelectPoller()


def events_of(poller: Poller) -> Events:
    """What an engine waits with: the poller's own, or else the lists that it gives."""
    events = getattr(poller, "events", None)
    if isinstance(events, Events):
        return events
    from .listed import Listed

    return Listed(poller.wait)
