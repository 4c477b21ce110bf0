"""What programs ask of a reactor most often: that it calls something. A part of the reactor (contract.py), compiled.

A class of Python's own: programs subclass and patch these methods as any others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .core.delayed import DelayedCall
from .engine.turn import Engine


class Calling:
    """The methods of the contract's reactor that schedule a call, in its thread and from others."""

    def callLater(self, delay: float, callable: Callable[..., object], *args: object, **kw: object) -> DelayedCall:
        """Call in ``delay`` seconds, on a later turn even if that is 0. AssertionError if it is negative or NaN."""
        return engine_of(self).call_later(delay, callable, args, kw)

    def callFromThread(self, function: Callable[..., object], /, *args: object, **kwargs: object) -> None:
        """Call in the reactor's thread, on its next turn, in the order given (semantics 46). Any thread."""
        assert callable(function), f"{function!r} is not callable"
        if not engine_of(self).hand_over(function, args, kwargs):
            self.wakeUp()

    def wakeUp(self) -> None:
        """End the wait that is going on, or else the next one. Any thread."""
        # Not engine.wake(), which may leave it: that is for changes the engine knows of, and here only the caller does.
        engine_of(self).waker.wake()


def engine_of(reactor: Any) -> Engine:
    """The reactor's engine, of a type that the compiler knows."""
    engine: Engine = reactor.engine
    return engine
