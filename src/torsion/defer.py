"""Results that come later: the public module.

What runs callbacks is in core/deferred.py, coroutines in core/coroutine.py, many at once in core/gather.py, waiting for
a turn in core/locks.py; here is what needs a clock, and the names under which programs know all of it.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from . import reactors
from .core.coroutine import NotACoroutineError, ensureDeferred, returnValue
from .core.deferred import (
    FAILURE,
    SUCCESS,
    AlreadyCalledError,
    CancelledError,
    DebugInfo,
    Deferred,
    TimeoutError,
    fail,
    getDebugging,
    logError,
    passthru,
    setDebugging,
    succeed,
)
from .core.gather import DeferredList, FailureGroup, FirstError, gatherResults, race
from .core.inline import inlineCallbacks
from .core.locks import DeferredLock, DeferredQueue, DeferredSemaphore, QueueOverflow, QueueUnderflow
from .core.maybe import execute, maybeDeferred
from .engine.filelock import FilesystemLock
from .failure import Failure

if TYPE_CHECKING:
    from .interfaces import IDelayedCall, IReactorTime

__all__ = [
    "FAILURE",
    "SUCCESS",
    "AlreadyCalledError",
    "AlreadyTryingToLockError",
    "CancelledError",
    "DebugInfo",
    "Deferred",
    "DeferredFilesystemLock",
    "DeferredList",
    "DeferredLock",
    "DeferredQueue",
    "DeferredSemaphore",
    "FailureGroup",
    "FirstError",
    "NotACoroutineError",
    "QueueOverflow",
    "QueueUnderflow",
    "TimeoutError",
    "ensureDeferred",
    "execute",
    "fail",
    "gatherResults",
    "getDebugging",
    "inlineCallbacks",
    "logError",
    "maybeDeferred",
    "passthru",
    "race",
    "returnValue",
    "setDebugging",
    "succeed",
    "timeout",
]


class AlreadyTryingToLockError(Exception):
    """``deferUntilLocked`` while an earlier call of it still tries."""


class DeferredFilesystemLock(FilesystemLock):
    """A lock between processes that one can wait for: it is tried again every second.

    `scheduler` times the tries; default: the reactor running in this thread, else the global one.
    Contract: ``twisted.internet.defer.DeferredFilesystemLock``.
    """

    _interval = 1
    _tryLockCall: IDelayedCall | None = None
    _timeoutCall: IDelayedCall | None = None

    def __init__(self, name: str, scheduler: IReactorTime | None = None) -> None:
        super().__init__(name)
        self._scheduler: IReactorTime = reactors.current() if scheduler is None else scheduler

    def deferUntilLocked(self, timeout: float | None = None) -> Deferred:
        """A Deferred that fires with None once the lock is ours, or fails with TimeoutError after `timeout` seconds.

        It fails at once with AlreadyTryingToLockError while an earlier one is pending, and with the OSError if the path
        cannot be used. Cancelling gives up.
        """
        if self._tryLockCall is not None:
            return fail(AlreadyTryingToLockError(f"an earlier deferUntilLocked still waits for {self.name!r}"))
        waiter: Deferred = Deferred(self._give_up)
        if timeout is not None:
            self._timeoutCall = self._scheduler.callLater(timeout, self._time_out, waiter, timeout)
        self._attempt(waiter)
        return waiter

    def _attempt(self, waiter: Deferred) -> None:
        self._tryLockCall = None
        try:
            locked = self.lock()
        except Exception:
            self._give_up()
            waiter.errback(Failure())
            return
        if locked:
            self._give_up()
            waiter.callback(None)
        else:
            self._tryLockCall = self._scheduler.callLater(self._interval, self._attempt, waiter)

    def _time_out(self, waiter: Deferred, timeout: float) -> None:
        self._timeoutCall = None
        self._give_up()
        waiter.errback(TimeoutError(f"did not get lock {self.name!r} within {timeout:f} s"))

    def _give_up(self, _: object = None) -> None:
        for call in (self._tryLockCall, self._timeoutCall):
            if call is not None:
                call.cancel()
        self._tryLockCall = self._timeoutCall = None


def timeout(deferred: Deferred) -> None:
    """Fail `deferred` with TimeoutError("Callback timed out"). Deprecated: use ``addTimeout``."""
    warnings.warn(
        "twisted.internet.defer.timeout was deprecated in Twisted 17.1.0;"
        " please use twisted.internet.defer.Deferred.addTimeout instead",
        DeprecationWarning,
        stacklevel=2,
    )
    deferred.errback(TimeoutError("Callback timed out"))
