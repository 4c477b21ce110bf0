"""Who waits is a Deferred in a list, first in first out; cancelling it takes it out of the list (semantics 19).

The lists and counters are public because the contract shows them.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, Generic, TypeVar

from .deferred import Deferred, succeed
from .maybe import maybeDeferred

_Item = TypeVar("_Item")


class QueueOverflow(Exception):
    """``put`` on a queue that holds `size` objects already."""


class QueueUnderflow(Exception):
    """``get`` on a queue with `backlog` waiters already."""


QueueOverflow.__module__ = QueueUnderflow.__module__ = "torsion.defer"  # where programs find them


class _Turnstile:
    """What a lock and a semaphore share: whether one more may pass is said by `_take` and `_give_back`."""

    waiting: list[Deferred]

    def __init__(self) -> None:
        self.waiting = []

    def _take(self) -> bool:
        """Take one place if there is one, and say so."""
        raise NotImplementedError

    def _give_back(self) -> None:
        """Make one place free. AssertionError if none is taken."""
        raise NotImplementedError

    def _cancelAcquire(self, d: Deferred) -> None:
        self.waiting.remove(d)

    def acquire(self) -> Deferred:
        """A Deferred that fires with this object when it is the caller's turn. Cancelling gives up the wait."""
        d: Deferred
        if self._take():
            d = Deferred()
            d.callback(self)
        else:
            d = Deferred(self._cancelAcquire)
            self.waiting.append(d)
        return d

    def release(self) -> None:
        """Let the next waiter in, before this call returns. AssertionError if nobody holds it (semantics 87)."""
        self._give_back()
        if self.waiting:
            self._take()
            self.waiting.pop(0).callback(self)

    def run(self, f: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Deferred:
        """Acquire, call ``f(*args, **kwargs)``, wait for its Deferred or coroutine, release; f's result is the result.

        Cancelling while waiting gives up the wait; while f runs it cancels f's Deferred, and releases (semantics 87).
        """

        def release(result: Any) -> Any:
            self.release()
            return result

        def holding(_: object) -> Deferred:
            return maybeDeferred(f, *args, **kwargs).addBoth(release)

        return self.acquire().addCallback(holding)

    def __aenter__(self) -> Deferred:
        return self.acquire()

    def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> Deferred:
        self.release()
        return succeed(False)


class DeferredLock(_Turnstile):
    """One at a time. ``locked`` says whether somebody holds it, ``waiting`` lists who is next.

    Reactor thread only. Contract: ``twisted.internet.defer.DeferredLock``; semantics 19, 87.
    """

    locked = False

    def _take(self) -> bool:
        free = not self.locked
        self.locked = True
        return free

    def _give_back(self) -> None:
        if not self.locked:
            raise AssertionError("released a DeferredLock that nobody holds")
        self.locked = False


class DeferredSemaphore(_Turnstile):
    """At most `tokens` at a time: ``limit`` is that number, ``tokens`` how many are left now.

    Reactor thread only; ValueError if `tokens` is below 1. Contract: ``twisted.internet.defer.DeferredSemaphore``.
    """

    def __init__(self, tokens: int) -> None:
        super().__init__()
        if tokens < 1:
            raise ValueError(f"DeferredSemaphore needs tokens >= 1, not {tokens!r}")
        self.tokens = tokens
        self.limit = tokens

    def _take(self) -> bool:
        if not self.tokens:
            return False
        self.tokens -= 1
        return True

    def _give_back(self) -> None:
        if self.tokens >= self.limit:
            raise AssertionError(
                f"released a DeferredSemaphore more often than acquired: all {self.limit} tokens are here"
            )
        self.tokens += 1


class DeferredQueue(Generic[_Item]):
    """Objects put now, or got later: ``pending`` lists the objects, ``waiting`` the Deferreds; one of them is empty.

    `size` limits ``pending`` and `backlog` limits ``waiting``; None is no limit. Reactor thread only.
    Contract: ``twisted.internet.defer.DeferredQueue``; semantics 19, 87.
    """

    def __init__(self, size: int | None = None, backlog: int | None = None) -> None:
        self.waiting: list[Deferred] = []
        self.pending: list[_Item] = []
        self.size = size
        self.backlog = backlog

    def _cancelGet(self, d: Deferred) -> None:
        self.waiting.remove(d)

    def put(self, obj: _Item) -> None:
        """Give `obj` to the first waiter, or keep it. QueueOverflow if `size` objects are kept already."""
        if self.waiting:
            self.waiting.pop(0).callback(obj)
        elif self.size is None or len(self.pending) < self.size:
            self.pending.append(obj)
        else:
            raise QueueOverflow()

    def get(self) -> Deferred:
        """A Deferred of the first object, now or when it is put. QueueUnderflow if `backlog` wait already."""
        if self.pending:
            return succeed(self.pending.pop(0))
        if self.backlog is not None and len(self.waiting) >= self.backlog:
            raise QueueUnderflow()
        d: Deferred = Deferred(self._cancelGet)
        self.waiting.append(d)
        return d
