"""Which thread is the I/O thread, and methods made to exclude one another. Contract: Twisted's ``threadable``."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from threading import Lock, RLock, get_ident
from typing import Any

__all__ = ["XLock", "getThreadID", "isInIOThread", "registerAsIOThread"]

threaded = True

#: The identifier of the thread that last called :func:`registerAsIOThread`.
ioThread: int | None = None


def getThreadID() -> int:
    """The calling thread's identifier."""
    return get_ident()


def registerAsIOThread() -> None:
    """The calling thread is the I/O thread from now on. A reactor does this when it begins to run."""
    global ioThread
    ioThread = get_ident()


def isInIOThread() -> bool:
    """Whether the caller is in the I/O thread."""
    return ioThread == get_ident()


def init(with_threads: int = 1) -> None:
    """Nothing: threads are always there. RuntimeError when asked to do without."""
    if not with_threads:
        raise RuntimeError("threads cannot be switched off")


class XLock:
    """A reentrant lock that can be pickled: it arrives as a new one, unlocked."""

    def __init__(self) -> None:
        self._lock = RLock()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """As threading.RLock's: whether it could be had, at most `timeout` seconds later."""
        return self._lock.acquire(blocking, timeout)

    def release(self) -> None:
        self._lock.release()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *exception: object) -> None:
        self.release()

    def __reduce__(self) -> tuple[Callable[[], XLock], tuple[()]]:
        return unpickle_lock, ()


class DummyLock:
    """What a lock was pickled as where there were no threads: it arrives as a lock."""

    def __reduce__(self) -> tuple[Callable[[], XLock], tuple[()]]:
        return unpickle_lock, ()


def unpickle_lock() -> XLock:
    return XLock()


def synchronize(*klasses: type[Any]) -> None:
    """Let the methods named in each class's `synchronized` exclude one another, per instance.

    KeyError if the class itself does not define one of them.
    """
    for klass in klasses:
        for name in klass.synchronized:
            setattr(klass, name, _exclusive(klass.__dict__[name]))


_lock_maker = Lock()


def _exclusive(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def exclusively(self: Any, *args: Any, **kwargs: Any) -> Any:
        with _lock_of(self):
            return method(self, *args, **kwargs)

    return exclusively


def _lock_of(instance: Any) -> XLock:
    """The lock of `instance`, made when first asked for; `_threadable_lock` may be supplied, or deleted, by anyone."""
    lock: XLock | None = instance.__dict__.get("_threadable_lock")
    if lock is None:
        with _lock_maker:
            lock = instance.__dict__.setdefault("_threadable_lock", XLock())
    return lock
