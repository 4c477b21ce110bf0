"""The system's lookup of names blocks, for as long as the servers on the way let it: threads of its own wait for it.

Not those of the reactor's pool: a name server that does not answer would otherwise stop every job of a program. These
threads are there while there are names to look up, and then end; nobody waits at shutdown for one that is asking.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import RLock, Thread, current_thread
from typing import Any, NamedTuple

from ..failure import Failure
from .filedescriptor import isIPAddress, isIPv6Address

OnResult = Callable[[bool, Any], object]
#: At most so many names are looked up at once, or as many as the reactor's pool may have threads if that is more.
AT_ONCE = 10


class Job(NamedTuple):
    """A call, and whom to tell its result."""

    on_result: OnResult
    function: Callable[..., Any]
    args: tuple[Any, ...]

    def perform(self) -> tuple[OnResult, bool, Any]:
        try:
            return self.on_result, True, self.function(*self.args)
        except BaseException:
            return self.on_result, False, Failure()


class Threads:
    """Up to `most` threads that do the calls they are given; a thread ends when no call waits.

    Of a thread pool it has what resolvers need: the method that takes a call and tells its result. Any thread.
    """

    def __init__(self, most: int = AT_ONCE) -> None:
        self.most = most
        self.stopped = False
        self._lock = RLock()  # a finalizer may look something up in the middle of everything
        self._waiting: deque[Job] = deque()
        self._working: set[Thread] = set()
        self._leaving: set[Thread] = set()

    def callInThreadWithCallback(self, onResult: OnResult, func: Callable[..., Any], /, *args: Any) -> None:
        """Call ``func(*args)`` in a thread, and there ``onResult(success, result or Failure)``, which must not block.

        After stop() the call is dropped. Raises RuntimeError if the system has no thread to give.
        """
        with self._lock:
            if self.stopped:
                return
            self._waiting.append(Job(onResult, func, args))
            if len(self._working) < self.most:
                self._begin()

    def stop(self) -> None:
        """Drop the calls that wait, and tell no result any more. Threads that are in a call end when that ends."""
        with self._lock:
            self.stopped = True
            self._waiting.clear()
            leaving, self._leaving = self._leaving - {current_thread()}, set()
        for thread in leaving:
            thread.join()

    def _begin(self) -> None:
        self._leaving = {thread for thread in self._leaving if thread.is_alive()}
        # A daemon: a process that wants to end does not wait for a name.
        thread = Thread(target=self._work, name="torsion.lookup", daemon=True)
        self._working.add(thread)
        try:
            thread.start()
        except RuntimeError:
            self._working.discard(thread)
            if not self._working:  # nobody would ever do it
                self._waiting.pop()
                raise

    def _work(self) -> None:
        job = self._next()
        while job is not None:
            job = self._next(*job.perform())

    def _next(self, on_result: OnResult | None = None, success: bool = True, result: Any = None) -> Job | None:
        """Tell a result, and what to do then; None to end. Under the lock: nothing is told once stop() has returned."""
        with self._lock:
            if on_result is not None and not self.stopped:
                on_result(success, result)
            if self._waiting:
                return self._waiting.popleft()
            thread = current_thread()
            self._working.discard(thread)
            self._leaving.add(thread)
            return None


def known(name: str) -> str | None:
    """The IPv4 address that `name` is by itself: an address in figures, or "", which means any; else None."""
    if not name:
        return "0.0.0.0"
    return name if isIPAddress(name) else None


def figures(name: str) -> bool:
    """Whether `name` is an IPv4 or IPv6 address, with a scope or without, so that nobody has to be asked."""
    return isIPAddress(name) or isIPv6Address(name)


def as_ascii(name: str) -> str:
    """The name as it is asked for. One with other letters goes by IDNA: 2008 where the `idna` package is installed.

    The standard library knows IDNA 2003 only, which takes a few names for others (straße.de for strasse.de), but has
    names that 2008 refuses and that are in use (i❤.ws). Raises UnicodeError for what cannot be a name.
    """
    if name.isascii():
        return name
    try:
        import idna

        return idna.encode(name, uts46=True).decode("ascii")
    except (ImportError, UnicodeError):
        return name.encode("idna").decode("ascii")
