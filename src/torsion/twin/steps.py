"""One step of a generator or coroutine in its context. The compiled twin asks the interpreter without a StopIteration.

And the guard of the stack: interpreted calls count themselves, compiled ones must ask."""

from __future__ import annotations

from contextvars import Context
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..failure import Failure


class Stack:
    """The interpreter's limit on recursion."""

    @staticmethod
    def enter() -> None:
        """One level deeper; RecursionError at the limit."""

    @staticmethod
    def leave() -> None:
        """Back up."""


class Stepper:
    """A generator or coroutine and the context that all its steps run in. `finished`: the last step returned."""

    def __init__(self, generator: Any, context: Context) -> None:
        self.generator = generator
        self.context: Any = context  # None once the generator has ended
        self.finished = False

    def step(self, value: Any) -> Any:
        """Resume with a value. Gives what is yielded, or returned (then `finished`); raises what it raises."""
        try:
            return self.context.run(self.generator.send, value)
        except StopIteration as stop:
            self.finished = True
            return stop.value

    def throw(self, failure: Failure) -> Any:
        """Resume by raising the failure's exception where the generator waits. Otherwise as `step`."""
        try:
            return self.context.run(failure.throwExceptionIntoGenerator, self.generator)
        except StopIteration as stop:
            self.finished = True
            return stop.value
        finally:
            del failure
