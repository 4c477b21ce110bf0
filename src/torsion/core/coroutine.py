"""What drives inlineCallbacks and coroutines: a loop that resumes one generator and waits for what it yields.

A Driver runs its generator until it yields a Deferred that is not ready, and is itself what that Deferred calls back.
Deferreds that are ready are taken in the loop (semantics 20). Each call has one copy of the context and all steps run
in it (21); between steps the driver is in its caller's context. When the generator ends the driver lets go of
everything: no cycle survives (25).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, copy_context
from types import CoroutineType, GeneratorType
from typing import Any, NoReturn

from ..failure import Failure
from ..twin.steps import Stepper
from .deferred import Deferred, set_coroutine_driver, warn_caller

_NOT_READY = Deferred()._take()  # what _take() gives where there is nothing to take yet
_return_value_deprecated: Callable[[], bool] | None = None


class NotACoroutineError(TypeError):
    """Neither a coroutine nor anything else that can be driven."""


class ReturnValue(BaseException):
    """How returnValue() leaves its generator."""

    def __init__(self, value: object) -> None:
        self.value = value


NotACoroutineError.__module__ = "torsion.defer"


class Driver(Stepper):
    """Runs one generator or coroutine and fires one Deferred with its result."""

    def __init__(self, generator: Any, context: Context) -> None:
        Stepper.__init__(self, generator, context)
        self.deferred: Deferred | None = Deferred(self.cancel)
        self.waiting_on: Deferred | None = None
        self.resuming = False
        self.resumed_with: Any = _NOT_READY

    def start(self) -> Deferred:
        """Run to the first wait; the Deferred of the result."""
        deferred = self.deferred
        assert deferred is not None
        self.resume(None)
        return deferred

    def resume(self, result: Any) -> None:
        """What we wait for has come: step until the generator waits again or ends."""
        yielded: Deferred | None
        if self.resuming:  # it came at once, inside our own addBoth: the loop below takes it, without recursion (20)
            self.resumed_with = result
            return
        self.waiting_on = None
        try:
            while True:
                if isinstance(result, BaseException) and isinstance(result, Failure):  # see Deferred._advance
                    result = self.throw(result)
                else:
                    result = self.step(result)
                if self.finished:
                    break
                if isinstance(result, Deferred):
                    yielded = result
                    # A subclass may have its own addBoth, which is how the contract listens.
                    result = yielded._take() if type(yielded) is Deferred else _NOT_READY
                    if result is _NOT_READY:
                        result = self._wait_for(yielded)
                        if result is _NOT_READY:
                            return
                    yielded = None
                elif type(result) is CoroutineType or type(result) is GeneratorType:
                    result = self._wait_for(Driver(result, copy_context()).start())
                    if result is _NOT_READY:
                        return
        except ReturnValue as returned:
            result = _value_of(returned, self.generator)
        except BaseException:
            result = Failure()
        ending = [result]
        del result  # frames that a traceback holds must not hold the failure (25)
        self._end(ending)

    def cancel(self, deferred: Deferred) -> None:
        """The canceller (semantics 23, 24): the Deferred handed out fires at once, waiting for a new one that gets the
        generator's result; what the generator waits for is cancelled."""
        deferred._fire_through(self._cancelled)

    def _cancelled(self, _: None) -> Deferred:
        later = self.deferred = Deferred(self.cancel)
        waiting_on, self.waiting_on = self.waiting_on, None
        if waiting_on is not None:
            waiting_on.cancel()
        return later

    def _end(self, ending: list[Any]) -> None:
        """Let go of all, then fire."""
        deferred, self.deferred = self.deferred, None
        self.generator = self.context = self.waiting_on = None
        if deferred is not None:
            deferred._fire(ending.pop())

    def _wait_for(self, deferred: Deferred) -> Any:
        """Its result if it comes at once, else _NOT_READY and we shall be resumed."""
        self.resuming = True
        self.waiting_on = deferred
        deferred.addBoth(self.resume)
        self.resuming = False
        result = self.resumed_with
        if result is not _NOT_READY:
            self.resumed_with = _NOT_READY
            self.waiting_on = None
        return result


def from_coroutine(coro: Coroutine[Any, Any, Any] | Generator[Any, Any, Any]) -> Deferred:
    """Start a coroutine or generator in a copy of the current context; the Deferred of its result."""
    # Coroutines of other makers (Cython's, for one) have the methods without the type.
    if isinstance(coro, (CoroutineType, GeneratorType, Coroutine, Generator)):
        return Driver(coro, copy_context()).start()
    raise NotACoroutineError(f"{coro!r} is not a coroutine")


def ensureDeferred(coro: Any) -> Deferred:
    """A Deferred as it is; the Deferred of a coroutine's or generator's result. NotACoroutineError (a TypeError) for
    anything else (semantics 18)."""
    if isinstance(coro, Deferred):
        return coro
    try:
        return from_coroutine(coro)
    except NotACoroutineError:
        raise NotACoroutineError(f"{coro!r} is not a coroutine or a Deferred") from None


def from_call(f: Callable[..., Any], generator: Any) -> Deferred:
    """Start the generator that a call of `f`, decorated with inlineCallbacks, made; TypeError if it is none (25)."""
    if type(generator) is not GeneratorType and not isinstance(generator, Generator):
        raise TypeError(f"inlineCallbacks requires {f!r} to produce a generator; instead got {generator!r}")
    return Driver(generator, copy_context()).start()


def returnValue(val: object) -> NoReturn:
    """End the generator decorated with inlineCallbacks that calls this, with a result. Deprecated: use `return`."""
    if _return_value_deprecated is None or _return_value_deprecated():
        warn_caller(
            __name__,
            "twisted.internet.defer.returnValue was deprecated in Twisted 24.7.0; "
            "please use standard return statement instead",
        )
    raise ReturnValue(val)


def deprecate_return_value(deprecated: Callable[[], bool]) -> None:
    """Ask this whether returnValue() warns. It does, unless a Twisted is installed where it is not yet deprecated."""
    global _return_value_deprecated
    _return_value_deprecated = deprecated


def _value_of(returned: ReturnValue, generator: Any) -> Any:
    """The value; with a warning at the line that called returnValue() if that is not the generator's own (semantics
    25)."""
    lines = []
    traceback, returned.__traceback__ = returned.__traceback__, None
    while traceback is not None:
        if traceback.tb_frame.f_globals.get("__name__") != __name__:
            lines.append((traceback.tb_frame.f_code, traceback.tb_lineno))
        traceback = traceback.tb_next
    code = getattr(generator, "gi_code", None)
    while lines and lines[0][0] is not code:
        del lines[0]
    if len(lines) > 1:
        source, line = lines[-1]
        try:
            warnings.warn_explicit(
                f"returnValue() in {source.co_name!r} causing {lines[0][0].co_name!r} to exit: returnValue should only "
                "be invoked by functions decorated with inlineCallbacks",
                DeprecationWarning,
                source.co_filename,
                line,
            )
        except DeprecationWarning:  # warnings are errors
            return Failure()
    return returned.value


set_coroutine_driver(from_coroutine)
