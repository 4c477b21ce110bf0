"""A reactor that a test turns: until a Deferred or a coroutine has its result, and no longer."""

from __future__ import annotations

from collections.abc import Callable
from inspect import iscoroutine
from typing import TYPE_CHECKING, Any

from ..contract import Running
from ..core.coroutine import ensureDeferred
from ..core.deferred import Deferred
from ..error import ReactorNotRunning
from ..failure import Failure

PATIENCE = 60.0
"""How long run_until() waits if it is not told, in seconds of the reactor's clock."""


class NothingLeft(AssertionError):
    """What a test waits for cannot happen: nothing is left in the reactor that could bring it."""


class Turning:
    """Mixed into a reactor's class, before that."""

    if TYPE_CHECKING:
        _started: Any
        _life: Any
        running: Any
        startRunning: Any
        stop: Any
        iterate: Any
        runUntilCurrent: Any
        doIteration: Any
        timeout: Any
        callLater: Any
        close: Any
        threadpool: Any
        _stopThreadPool: Any

    def run_until(self, awaited: Any, timeout: float = PATIENCE) -> Any:
        """Turn the loop until this Deferred or coroutine has a result, and return it, or raise its error.

        TimeoutError, and it is cancelled, after `timeout` seconds of this reactor's clock. The reactor is started by
        the first call, and goes on at the next: close() ends it.
        """
        with self.here():
            self._begin()
            deferred = awaited if isinstance(awaited, Deferred) else ensureDeferred(awaited)
            results: list[Any] = []
            deferred.addBoth(results.append)
            try:
                over = bool(results) or self._turn_until(lambda: results or not self._started, timeout)
            except BaseException:
                deferred.cancel()
                raise
            if not results:
                deferred.cancel()
                if over:
                    raise ReactorNotRunning("the reactor was stopped before this had a result")
                raise TimeoutError(f"no result after {timeout} seconds")
        result = results.pop()
        if isinstance(result, Failure):
            result.raiseException()
        return result

    def here(self) -> Running:
        """`with reactor.here():` in it, `torsion.reactor` is this one, as while it turns."""
        return Running(self)  # type: ignore[arg-type]

    def _begin(self) -> None:
        """Start it, unless it is: what callWhenRunning was given runs, thread pools work."""
        if not self._started:
            self.startRunning(installSignalHandlers=False)

    def _turn_until(self, happened: Callable[[], object], timeout: float) -> bool:
        """Turn until it has happened, or that time is over: whether it has happened."""
        expired: list[bool] = []
        expiry = self.callLater(timeout, expired.append, True)
        try:
            self.runUntilCurrent()
            while not happened() and not expired:
                self.doIteration(self.timeout())
                if not happened():
                    self.runUntilCurrent()
        finally:
            if expiry.active():
                expiry.cancel()
        return not expired or bool(happened())

    def shut_down(self) -> None:
        """Stop it in good order, triggers of "shutdown" included, and give back what it holds."""
        if self._started:
            try:
                self.stop()
            except ReactorNotRunning:
                pass  # the program was first
            for _ in range(10):
                if not self._started:
                    break
                self.iterate(0)
        if self.threadpool is not None:  # it crashed: nobody has stopped the pool
            self._stopThreadPool()
        self.close()


def is_awaited(value: Any) -> bool:
    """Whether run_until() can wait for it."""
    return isinstance(value, Deferred) or iscoroutine(value)
