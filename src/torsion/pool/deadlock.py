"""Two threads that wait for each other wait for ever. Here it is noticed.

A worker may wait for a call in some reactor's thread, and whoever stops a pool waits for its workers. When the second
happens in the thread the first waits for, neither ends (semantics 51). So a pool notes which of its workers wait and,
when it is stopped, from where.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock, get_ident
from typing import NamedTuple, Protocol


class WouldDeadlock(RuntimeError):
    """A call that could never have been answered, because the thread that would answer it waits for the caller."""


class Place(NamedTuple):
    """A thread, and the reactor that runs in it if one does."""

    thread: int
    reactor: object | None


def _nothing_runs_here() -> object | None:
    return None


_reactor_here: Callable[[], object | None] = _nothing_runs_here


def set_reactor_here(reactor_here: Callable[[], object | None]) -> None:
    """Say how to find the reactor that runs in the calling thread: reactors are above this floor."""
    global _reactor_here
    _reactor_here = reactor_here


def here() -> Place:
    return Place(get_ident(), _reactor_here())


class Waiter(Protocol):
    """A thread that waits for an answer from another one. Any thread may call."""

    def waits_for(self, place: Place) -> bool:
        """Whether the answer comes from there."""

    def give_up(self) -> None:
        """End the wait with :exc:`WouldDeadlock`."""


class Waiters:
    """The waiting workers of one pool."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: set[Waiter] = set()
        self._joining: Place | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, waiter: Waiter) -> None:
        """A worker begins to wait. It gives up at once if the place it waits for already waits for the workers."""
        with self._lock:
            self._waiting.add(waiter)
            if self._joining is not None and waiter.waits_for(self._joining):
                waiter.give_up()

    def discard(self, waiter: Waiter) -> None:
        """A worker has its answer."""
        with self._lock:
            self._waiting.discard(waiter)

    def join_from_here(self) -> None:
        """From now on the calling thread waits for all workers of the pool."""
        with self._lock:
            self._joining = here()
            for waiter in self._waiting:
                if waiter.waits_for(self._joining):
                    waiter.give_up()
