"""A Deferred is a result that is not there yet, and the callbacks that wait for it.

Two rules carry the file. What waits is one flat list, three slots an entry (callback, errback, extra arguments), so
that adding allocates no tuple. And the runner is a loop with a stack of its own (semantics 5): a Deferred that waits
for another leaves a continuation in the other's list, and the loop goes on with the waiting one when it comes to it,
so a chain of any length needs no Python stack. `_advance` runs one Deferred; `_run` decides which comes next.

Frames that end while a traceback refers to them keep their variables, and the frames below them too. The interpreted
lane therefore drops what it holds (`del`) before it calls anything that may fail: no reference cycle survives.
"""

from __future__ import annotations

import sys
import traceback
import warnings
from collections.abc import Callable, Coroutine, Generator
from types import FrameType, GenericAlias
from typing import TYPE_CHECKING, Any

from .. import report
from ..failure import Failure
from ..twin.steps import Asked, Stack, attempt, caught

if TYPE_CHECKING:
    import asyncio

    import cython

    from ..interfaces import IDelayedCall, IReactorTime
else:
    from ..twin import directives as cython

SUCCESS, FAILURE = True, False


class AlreadyCalledError(Exception):
    """The Deferred has a result already. In debug mode the text says who made it and who fired it first."""


class CancelledError(Exception):
    """The Deferred was cancelled before it had a result."""


class TimeoutError(Exception):
    """The Deferred had no result in time. Args: the timeout in seconds, and a description."""


for _error in (AlreadyCalledError, CancelledError, TimeoutError):
    _error.__module__ = "torsion.defer"


class _Mark:
    """A unique value."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"<{self.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _the_mark, (self.name,)  # a copied or unpickled Deferred has the same mark


def _the_mark(name: str) -> _Mark:
    return _CONTINUE if name == _CONTINUE.name else _NO_RESULT


_NO_RESULT = _Mark("_NO_RESULT")
_CONTINUE = _Mark("_CONTINUE")
_failure_init = Failure.__init__
_debugging = False
_start_coroutine: Callable[[Any], Deferred] | None = None


def set_coroutine_driver(start: Callable[[Any], Deferred]) -> None:
    """`core/coroutine.py`, which stands on this module, says how `fromCoroutine` starts one."""
    global _start_coroutine
    _start_coroutine = start


def setDebugging(on: object) -> None:
    """Record who creates and fires each Deferred from now on (costly). Contract: Twisted's defer."""
    global _debugging
    _debugging = bool(on)


def getDebugging() -> bool:
    """Are Deferreds made now recorded?"""
    return bool(_debugging)


def passthru(arg: Any) -> Any:
    """Return the argument."""
    return arg


def logError(err: Failure) -> Failure:
    """Report the failure and return it unchanged, so that later errbacks see it too."""
    report.failure("", err)
    return err


def caller(module: str) -> FrameType:
    """The frame that called into the module of that name. Our own frames are known by their module, never by their
    number: the compiled lane has none."""
    frame = sys._getframe()
    while frame.f_back is not None and frame.f_globals.get("__name__") in (__name__, module):
        frame = frame.f_back
    return frame


def warn_caller(module: str, text: str) -> None:
    """A DeprecationWarning at the line that called into `module`; `stacklevel` would name another one when compiled."""
    frame = caller(module)
    warnings.warn_explicit(text, DeprecationWarning, frame.f_code.co_filename, frame.f_lineno)


class DebugInfo:
    """Reports a failure that nobody handled, when the last reference to its Deferred goes (semantics 13).

    It is apart from the Deferred so that only a Deferred whose last result is a failure pays for a finaliser."""

    failResult: Failure | None = None
    creator: list[str] | None = None
    invoker: list[str] | None = None

    def _getDebugTracebacks(self) -> str:
        info = ""
        for title, stack, letter in (
            (" C: Deferred was created:\n", self.creator, " C:"),
            (" I: First Invoker was:\n", self.invoker, " I:"),
        ):
            if stack is not None:
                lines = "".join(stack).splitlines()
                info += title + "".join(f"{letter}{line[1:] or line}\n" for line in lines)
        return info

    def __del__(self) -> None:
        failure = self.failResult
        if failure is not None:
            self.failResult = None
            report.error("Unhandled error in Deferred:")
            details = self._getDebugTracebacks()
            report.failure("(debug: " + details + ")" if details else "", failure)


@cython.trashcan(True)
@cython.freelist(64)
@cython.cclass
class Deferred:
    """A result that will come, and a chain of callbacks and errbacks that will receive it.

    `canceller`, if given, is called with the Deferred when `cancel()` comes before a result; it should stop the work
    and may fire the Deferred itself. A Deferred belongs to one thread, usually the reactor's; nothing here takes a
    lock.

    Attributes of the contract: `called` (it was fired), `result` (absent until then), `paused` (a counter), `debug`.
    Contract: Twisted's Deferred; semantics 1 to 19.

        d = Deferred()
        d.addCallback(lambda value: value + 1).addErrback(report)
        d.callback(41)
    """

    def __init__(self, canceller: Callable[[Deferred], object] | None = None) -> None:
        # Not checked: where the class itself is passed as a function, this is whatever that is called with.
        self._canceller = canceller
        self._result: Any = _NO_RESULT
        self._pending: list[Any] | None = None
        self._next = 0
        self._chainedTo: Deferred | None = None
        self._debugInfo: DebugInfo | None = None
        self._debug = -1  # or the 0 or 1 that `debug` was set to
        self.called = False
        self.paused = 0
        self._runningCallbacks = False
        self._suppressAlreadyCalled = False
        if _debugging:
            self._debugInfo = DebugInfo()
            self._debugInfo.creator = traceback.format_stack(caller(__name__))

    @classmethod
    def __class_getitem__(cls, item: Any) -> GenericAlias:
        return GenericAlias(cls, item)

    # -- state, as the contract shows it

    @property
    def result(self) -> Any:
        """The current result, a Failure included. AttributeError before there is one."""
        if self._result is _NO_RESULT:
            raise AttributeError("result")
        return self._result

    @result.setter
    def result(self, value: Any) -> None:
        self._result = value

    @result.deleter
    def result(self) -> None:
        if self._result is _NO_RESULT:
            raise AttributeError("result")
        self._result = _NO_RESULT

    @property
    def debug(self) -> bool:
        """Keep stacks for this Deferred? Follows setDebugging() unless set on the instance."""
        return self._is_debugged()

    @debug.setter
    def debug(self, on: bool) -> None:
        self._debug = 1 if on else 0

    def _is_debugged(self) -> bool:
        return _debugging if self._debug < 0 else self._debug > 0

    @property
    def callbacks(self) -> list[Any]:
        """A copy of what waits, for looking only. Deprecated: the contract keeps it private."""
        warn_caller(__name__, "twisted.internet.defer.Deferred.callbacks was deprecated in Twisted 25.5.0")
        waiting = self._pending or []
        entries: list[Any] = []
        for at in range(self._next, len(waiting), 3):
            args, kwargs, error_args, error_kwargs = waiting[at + 2] or ((), {}, (), {})
            callback = passthru if waiting[at] is None else waiting[at]
            errback = passthru if waiting[at + 1] is None else waiting[at + 1]
            entries.append(((callback, args, kwargs or {}), (errback, error_args, error_kwargs or {})))
        return entries

    def __repr__(self) -> str:
        name = f"{self.__class__.__name__} at 0x{id(self):x}"
        if self._chainedTo is not None:
            return f"<{name} waiting on Deferred at 0x{id(self._chainedTo):x}>"
        if self._result is _NO_RESULT:
            return f"<{name}>"
        return f"<{name} current result: {self._result!r}>"

    # -- adding

    def addCallbacks(
        self,
        callback: Callable[..., Any] | None,
        errback: Callable[..., Any] | None = None,
        callbackArgs: Any = None,
        callbackKeywords: Any = None,
        errbackArgs: Any = None,
        errbackKeywords: Any = None,
    ) -> Deferred:
        """Add a pair: `callback(result, *callbackArgs, **callbackKeywords)` for a result, `errback(failure, …)` for a
        failure.

        What the one that is called returns is the next result; what it raises becomes a Failure; a Deferred it
        returns is waited for. Runs at once if the result is there. None passes the result on. Returns self. TypeError
        for what is neither callable nor None."""
        if not (callback is None or callable(callback)):
            raise TypeError(f"callback must be callable, not {callback!r}")
        if not (errback is None or callable(errback)):
            raise TypeError(f"errback must be callable or None, not {errback!r}")
        extra = None
        if callbackArgs or callbackKeywords or errbackArgs or errbackKeywords:
            extra = (
                tuple(callbackArgs or ()),
                dict(callbackKeywords) if callbackKeywords else None,
                tuple(errbackArgs or ()),
                dict(errbackKeywords) if errbackKeywords else None,
            )
        self._add(_not_callable if callback is None else callback, errback, extra)
        return self

    def addCallback(self, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> Deferred:
        """Add `callback(result, *args, **kwargs)`; failures pass by. Returns self."""
        if not callable(callback):
            raise TypeError(f"callback must be callable, not {callback!r}")
        self._add(callback, None, (args, kwargs, (), None) if args or kwargs else None)
        return self

    def addErrback(self, errback: Callable[..., Any], *args: Any, **kwargs: Any) -> Deferred:
        """Add `errback(failure, *args, **kwargs)`; results pass by. Returns self."""
        if not callable(errback):
            raise TypeError(f"errback must be callable, not {errback!r}")
        self._add(None, errback, ((), None, args, kwargs) if args or kwargs else None)
        return self

    def addBoth(self, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> Deferred:
        """Add `callback(result_or_failure, *args, **kwargs)`, called either way. Returns self."""
        if not callable(callback):
            raise TypeError(f"callback must be callable, not {callback!r}")
        self._add(callback, callback, (args, kwargs, args, kwargs) if args or kwargs else None)
        return self

    def _add(self, callback: Any, errback: Any, extra: tuple[Any, ...] | None) -> None:
        pending = self._pending
        if pending is None:
            self._pending = [callback, errback, extra]
        else:
            pending.append(callback)
            pending.append(errback)
            pending.append(extra)
        if self.called:
            self._run()

    def chainDeferred(self, d: Deferred) -> Deferred:
        """Fire `d` with our result; our own next result is None (semantics 14). Returns self."""
        d._chainedTo = self
        return self.addCallbacks(d.callback, d.errback)

    def addTimeout(
        self,
        timeout: float,
        clock: IReactorTime,
        onTimeoutCancel: Callable[[Any, float], Any] | None = None,
    ) -> Deferred:
        """Cancel after `timeout` seconds of `clock` unless there is a result (semantics 15).

        Then whatever result follows goes through `onTimeoutCancel(result, timeout)`; by default a CancelledError
        becomes a `defer.TimeoutError`. A cancel by others stays a CancelledError. Returns self."""
        timer = _Timeout(self, timeout, onTimeoutCancel)
        timer.call = clock.callLater(timeout, timer.expire)
        self.addBoth(timer.convert)
        self.addBoth(timer.stop)
        return self

    # -- firing

    def callback(self, result: Any) -> None:
        """Fire with a result: the callbacks run before this returns, unless paused. A Failure takes the errback side; a
        Deferred is passed as a value (semantics 7). AlreadyCalledError if fired before. Call from the owning thread."""
        self._fire(result)

    def errback(self, fail: Failure | BaseException | None = None) -> None:
        """Fire with a failure: a Failure, an exception, or None for the exception being handled
        (NoCurrentExceptionError if there is none). AlreadyCalledError if fired before. Call from the owning
        thread."""
        if fail is None:
            fired = [Failure(captureVars=self._is_debugged())]
        else:
            fired = [fail if isinstance(fail, Failure) else Failure(fail)]
        del fail
        self._fire(fired.pop())

    def _fire(self, result: Any) -> None:
        if self.called:
            if self._suppressAlreadyCalled:
                self._suppressAlreadyCalled = False
                return
            raise self._already_called()
        if self._is_debugged():
            if self._debugInfo is None:
                self._debugInfo = DebugInfo()
            self._debugInfo.invoker = traceback.format_stack(caller(__name__))
        self.called = True
        self._canceller = None
        self._result = result
        del result
        self._run()

    def _already_called(self) -> AlreadyCalledError:
        if self._is_debugged() and self._debugInfo is not None:
            return AlreadyCalledError("\n" + self._debugInfo._getDebugTracebacks())
        return AlreadyCalledError()

    def _fire_through(self, function: Callable[[Any], Any]) -> None:
        """Fire with what `function(None)` gives, ahead of everything that waits; a Deferred it returns is waited
        for."""
        rest = self._pending[self._next :] if self._pending is not None else []
        self._pending = [function, None, None, *rest]
        self._next = 0
        self._fire(None)

    def pause(self) -> None:
        """Start no more callbacks until as many unpause() follow.

        Called by a callback, it does not stop the pass that is running: what waits already, and what is added
        meanwhile, still runs, as in Twisted. Programs may rely on that; the statements (1, 12) do not say otherwise."""
        self.paused = self.paused + 1

    def unpause(self) -> None:
        """Undo one pause(); the callbacks run when the counter is back at 0. Below 0 counts as paused (semantics
        12)."""
        self.paused = self.paused - 1
        if not self.paused and self.called:
            self._run()

    def cancel(self) -> None:
        """Ask for the result to be given up (semantics 9 to 11).

        Unfired: the canceller is called; if it fires nothing (or there is none) the result is a CancelledError. An
        exception of the canceller leaves here. Waiting for another Deferred: that one is cancelled. Otherwise nothing
        happens."""
        self._cancel()

    def _cancel(self) -> None:
        target: Deferred = self
        passed: Deferred = self
        steps = 0
        while target.called:  # along a chain of any length without recursion, as far as nobody overrides cancel()
            if not isinstance(target._result, Deferred):
                return
            target = target._result
            if type(target) is not Deferred:
                target.cancel()
                return
            if target is passed:  # a circle: they wait for each other, or one for itself (6), and none can be cancelled
                return
            steps += 1
            if steps & (steps - 1) == 0:  # rarer and rarer, so that any circle is longer passed by than it is long
                passed = target
        target._give_up()

    def _give_up(self) -> None:
        if self._canceller:
            self._canceller(self)
        else:
            self._suppressAlreadyCalled = True
        if not self.called:
            self.errback(Failure(CancelledError()))

    # -- running

    def _run(self) -> None:
        """Run what is due here, and then in the Deferreds that waited for us: a loop, no recursion.

        A callback that fires another Deferred by hand does nest; the stack's limit ends that as a RecursionError
        (84)."""
        current: Deferred | None = self
        unfinished: list[Deferred] | None = None
        if cython.compiled:
            Stack.enter()
        try:
            while current is not None:
                waiting = current._advance()
                if waiting is not None:
                    if current._pending is not None:
                        if unfinished is None:
                            unfinished = []
                        unfinished.append(current)
                    current = waiting
                else:
                    current = unfinished.pop() if unfinished else None
        finally:
            if cython.compiled:
                Stack.leave()

    def _advance(self) -> Deferred | None:
        """Run our own entries; return a Deferred that waited for the result and now has it, or None when done or
        paused."""
        if self._runningCallbacks or self.paused:
            return None
        self._chainedTo = None
        pending = self._pending
        if pending is None:
            self._note_unhandled()
            return None
        self._runningCallbacks = True
        direct = cython.compiled and not self._is_debugged()  # by `attempt`, which spares a frame in each traceback
        try:
            while self._next < len(pending):
                at = self._next
                function = pending[at]
                # Of what is no exception the first question costs next to nothing, the second much. The result is no
                # variable: a failure's traceback may hold this frame.
                failed = isinstance(self._result, BaseException) and isinstance(self._result, Failure)
                if function is _CONTINUE:
                    return self._hand_over(pending[at + 1])
                if failed:
                    function = pending[at + 1]
                extra = pending[at + 2]
                pending[at] = pending[at + 1] = pending[at + 2] = None
                self._next = at + 3
                if function is not None:
                    try:
                        if extra is None:
                            if direct:
                                self._result = attempt(function, self._result, Failure, _failure_init)
                            else:
                                self._result = function(self._result)
                        elif failed:
                            self._result = function(self._result, *extra[2], **(extra[3] or {}))
                        else:
                            self._result = function(self._result, *extra[0], **(extra[1] or {}))
                    except BaseException:
                        self._result = self._caught()
                if isinstance(self._result, Deferred) and self._wait_for(self._result, function):
                    break
        finally:
            self._runningCallbacks = False
            if self._next >= len(pending):
                self._pending, self._next = None, 0
            elif self._next > 192 and self._next * 2 > len(pending):  # what adds one whenever one has run never ends
                del pending[: self._next]
                self._next = 0
        self._note_unhandled()
        return None

    def _caught(self) -> Failure:
        """The Failure of what a callback raises."""
        if not self._is_debugged():
            return caught(Failure, _failure_init)
        kind, error, frames = sys.exc_info()
        if frames is not None:
            frames = frames.tb_next or frames  # the first frame is ours, and has no variables when compiled
        return Failure(error, kind, frames, captureVars=True)

    def _hand_over(self, waiting: Deferred) -> Deferred:
        """Give our result to the Deferred that waits for it next, and return that one; ours is None now (semantics
        3)."""
        assert self._pending is not None
        self._pending[self._next + 1] = None
        self._next += 3
        waiting._result, self._result = self._result, None
        waiting.paused = waiting.paused - 1
        self._handled()
        return waiting

    def _wait_for(self, inner: Deferred, source: Any) -> bool:
        """Take the result of a Deferred that a callback returned; True if we must wait for it (semantics 3, 4)."""
        if inner is self:
            try:
                _warn_of_own_deferred(source)
            except DeprecationWarning:  # warnings are errors: the callback has failed, and is not waited for
                self._result = Failure()
                return False
        result = inner._result
        if result is _NO_RESULT or inner.paused or isinstance(result, Deferred):
            self.paused = self.paused + 1
            self._chainedTo = inner
            pending = inner._pending
            if pending is None:
                inner._pending = [_CONTINUE, self, None]
            else:
                pending.append(_CONTINUE)
                pending.append(self)
                pending.append(None)
            return True
        inner._result = None
        inner._handled()
        self._result = result
        return False

    def _handled(self) -> None:
        if self._debugInfo is not None:
            self._debugInfo.failResult = None

    def _note_unhandled(self) -> None:
        """Whoever drops us now drops a failure, if that is the result: the holder will say so (semantics 13)."""
        result = self._result
        if isinstance(result, BaseException) and isinstance(result, Failure):
            if self._debugInfo is None:
                self._debugInfo = DebugInfo()
            self._debugInfo.failResult = result
        elif self._debugInfo is not None:
            self._debugInfo.failResult = None

    def _take(self) -> Any:
        """The result, consumed (None stays), if nothing is to be waited for; else _NO_RESULT. For who drives
        coroutines."""
        result = self._result
        if result is _NO_RESULT or self.paused or self._pending is not None or self._runningCallbacks:
            return _NO_RESULT
        self._result = self._chainedTo = None
        self._handled()
        return result

    # -- awaiting, and asyncio

    def __await__(self) -> Generator[Deferred, Any, Any]:
        """Give the value of a fired Deferred without consuming it (semantics 22); hand one that is not ready to whoever
        drives the coroutine, and look again when resumed."""
        steps: Generator[Deferred, Any, Any] = _awaiting(self)
        return steps

    def __iter__(self) -> Generator[Deferred, Any, Any]:
        return self.__await__()

    def asFuture(self, loop: asyncio.AbstractEventLoop) -> asyncio.Future[Any]:
        """A Future of `loop` with our result, which it consumes; cancelling it cancels us (semantics 18)."""
        future = loop.create_future()

        def cancelled(future: asyncio.Future[Any]) -> None:
            if future.cancelled():
                self.cancel()

        def succeed_with(result: Any) -> None:
            if not future.cancelled():
                future.set_result(result)

        def fail_with(failure: Failure) -> None:
            if not future.cancelled():
                future.set_exception(failure.value)

        self.addCallbacks(succeed_with, fail_with)
        future.add_done_callback(cancelled)
        return future

    @classmethod
    def fromFuture(cls, future: asyncio.Future[Any]) -> Deferred:
        """A Deferred with the result of `future`. Cancelling it cancels `future`; the error, asyncio's, arrives on a
        later turn of the loop (semantics 18)."""

        waiter = _Future(future, cls)
        deferred = waiter.deferred
        assert deferred is not None
        future.add_done_callback(waiter.settle)
        return deferred

    @classmethod
    def fromCoroutine(cls, coro: Coroutine[Any, Any, Any] | Generator[Any, Any, Any]) -> Deferred:
        """Start a coroutine (or generator) and return the Deferred of its result. NotACoroutineError otherwise."""
        assert _start_coroutine is not None
        return _start_coroutine(coro)


class _Awaiting(Asked):
    """What the compiled `await` steps through: it has no state, the Deferred has."""

    deferred: Deferred

    def ask(self) -> Any:
        deferred = self.deferred
        result = deferred._result
        if result is _NO_RESULT or deferred.paused:
            return deferred
        self.finished = True
        if isinstance(result, BaseException) and isinstance(result, Failure):  # see _advance
            deferred._handled()
            if isinstance(result.value, StopIteration):  # would be taken for the value, and no generator lets it out
                raise RuntimeError("generator raised StopIteration") from result.value
            result.raiseException()
        return result


def _awaiting(deferred: Deferred) -> Any:
    awaiting = _Awaiting.__new__(_Awaiting)
    awaiting.deferred = deferred
    return awaiting


if not cython.compiled:

    def _await(self: Deferred) -> Generator[Deferred, Any, Any]:
        """The same as a generator, which is what the interpreter steps through fastest."""
        result = self._result
        while result is _NO_RESULT or self.paused:
            yield self
            result = self._result
        if not (isinstance(result, BaseException) and isinstance(result, Failure)):  # see _advance
            return result
        self._handled()
        try:
            del self
            result.raiseException()
        finally:
            del result

    Deferred.__await__ = _await  # type: ignore[method-assign]


class _Timeout:
    """What addTimeout adds. A class, since compiled closures share one scope, which the timer's function would keep in
    a cycle with the timer."""

    def __init__(self, deferred: Deferred, timeout: float, convert: Callable[[Any, float], Any] | None) -> None:
        self.deferred: Deferred | None = deferred
        self.timeout = timeout
        self.converter = convert
        self.call: IDelayedCall | None = None
        self.expired = False

    def expire(self) -> None:
        self.expired = True
        if self.deferred is not None:
            self.deferred.cancel()

    def convert(self, result: Any) -> Any:
        if not self.expired:
            return result
        if self.converter is not None:
            return self.converter(result, self.timeout)
        if isinstance(result, Failure):
            result.trap(CancelledError)
            raise TimeoutError(self.timeout, "Deferred")
        return result

    def stop(self, result: Any) -> Any:
        call, self.call, self.deferred = self.call, None, None
        if call is not None and call.active():
            call.cancel()
        return result


class _Future:
    """A Deferred for a Future, and one more each time that the last one handed out is cancelled, having fired."""

    def __init__(self, future: asyncio.Future[Any], make: Callable[[Callable[[Deferred], object]], Deferred]) -> None:
        self.future: asyncio.Future[Any] | None = future
        self.make = make
        self.deferred: Deferred | None = make(self.give_up)

    def settle(self, future: asyncio.Future[Any]) -> None:
        outcome: list[Any] = []
        try:
            outcome.append(future.result())
        except BaseException:
            outcome.append(Failure())
        del future
        self.let_go().callback(outcome.pop())

    def let_go(self) -> Deferred:
        deferred, self.deferred, self.future = self.deferred, None, None
        assert deferred is not None
        return deferred

    def give_up(self, deferred: Deferred) -> None:
        deferred._fire_through(self.cancel)

    def cancel(self, _: None) -> Deferred:
        assert self.future is not None
        later = self.deferred = self.make(self.give_up)
        self.future.cancel()
        return later


def _not_callable(result: Any) -> Any:
    """Stands for a callback given as None: the contract accepts it, and fails when the turn comes to it."""
    raise TypeError("'NoneType' object is not callable")


def _warn_of_own_deferred(source: Any) -> None:
    """Semantics 6, at the callback's own line: `stacklevel` would name another line in the compiled lane."""
    code = getattr(source, "__code__", None)
    file, line = (code.co_filename, code.co_firstlineno) if code is not None else (__file__, 1)
    warnings.warn_explicit(
        "Callback returned the Deferred it was attached to; this breaks the callback chain and will raise an "
        "exception in the future.",
        DeprecationWarning,
        file,
        line,
    )


def succeed(result: Any) -> Deferred:
    """A Deferred that has fired with `result`."""
    deferred = Deferred()
    deferred.callback(result)
    return deferred


def fail(result: Failure | BaseException | None = None) -> Deferred:
    """A Deferred that has fired with a failure; None takes the exception being handled."""
    deferred = Deferred()
    deferred.errback(result)
    return deferred
