"""What the heart asks of the interpreter, and the compiled twin asks more cheaply.

A step of a generator or coroutine in its context, and a value for one that awaits: without a StopIteration. A Failure
made without its constructor. And the guard of the stack: interpreted calls count themselves, compiled ones
must ask."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context
from itertools import count
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self, TypeVar

if TYPE_CHECKING:
    from ..failure import Failure

Made = TypeVar("Made", bound=BaseException)

next_count = count(1).__next__


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


def caught(kind: type[Made], init: object) -> Made:
    """`kind()`, the Failure of the exception that is being handled. `init` is the constructor that the class came with:
    the compiled twin leaves that out, unless a debugger has put another one in its place."""
    return kind()


def attempt(function: Callable[[Any], Any], result: Any, kind: type[Made], init: object) -> Any:
    """`function(result)`; or the Failure of what that raises, as `caught` makes it."""
    try:
        return function(result)
    except BaseException:
        return caught(kind, init)


class Asked:
    """An iterator for `await`: it is asked what comes next, and says by `finished` that this was its value.

    The compiled twin hands that to the interpreter without a StopIteration."""

    finished = False

    def ask(self) -> Any:
        """What is handed to whoever drives the coroutine; or the value, then `finished`."""
        raise NotImplementedError

    def __await__(self) -> Self:
        return self

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        if self.finished:
            raise StopIteration
        value = self.ask()
        if self.finished:
            raise StopIteration(value)
        return value

    def send(self, value: Any) -> Any:
        """As a generator's; it asks for nothing."""
        return self.__next__()

    def throw(self, kind: Any, value: Any = None, traceback: TracebackType | None = None) -> NoReturn:
        """As a generator's that handles nothing."""
        self.finished = True
        if isinstance(kind, type) and not isinstance(value, kind):
            kind = kind() if value is None else kind(*value) if isinstance(value, tuple) else kind(value)
        elif value is not None:
            kind = value
        raise kind if traceback is None else kind.with_traceback(traceback)

    def close(self) -> None:
        """As a generator's."""
        self.finished = True
