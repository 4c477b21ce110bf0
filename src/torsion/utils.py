"""Run a program and get what it said, as a Deferred; make a call with warnings filtered.

Contract: twisted.internet.utils.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from typing import Any

from . import reactors
from .core.deferred import Deferred, fail
from .failure import Failure
from .protocol import ProcessProtocol

__all__ = [
    "getProcessOutput",
    "getProcessOutputAndValue",
    "getProcessValue",
    "runWithWarningsSuppressed",
    "suppressWarnings",
]


class _UnexpectedErrorOutput(IOError):
    """The program wrote to its standard error, and getProcessOutput was not told to expect that."""

    def __init__(self, text: bytes) -> None:
        super().__init__(f"got stderr: {text!r}")
        self._ended: Deferred | None = None
        self._reason: Failure | None = None

    @property
    def processEnded(self) -> Deferred:
        """Fires with the end of the process: always a Failure, of ProcessDone or ProcessTerminated."""
        if self._ended is None:  # made for who asks: the end of one that nobody waits for is no unhandled error
            self._ended = Deferred() if self._reason is None else fail(self._reason)
        return self._ended

    def end(self, reason: Failure) -> None:
        """The process has ended."""
        self._reason = reason
        if self._ended is not None:
            self._ended.errback(reason)


class _Collector(ProcessProtocol):
    """Keeps what the program writes."""

    def __init__(self, result: Deferred) -> None:
        self.result: Deferred | None = result
        self.out: list[bytes] = []
        self.err: list[bytes] = []

    def outReceived(self, data: bytes) -> None:
        self.out.append(data)

    def errReceived(self, data: bytes) -> None:
        self.err.append(data)


class _Output(_Collector):
    """Its output is the result; what it writes to standard error is part of that, or ends it at once."""

    def __init__(self, result: Deferred, errortoo: bool) -> None:
        super().__init__(result)
        self._errortoo = errortoo
        self._error: _UnexpectedErrorOutput | None = None

    def errReceived(self, data: bytes) -> None:
        if self._errortoo:
            self.out.append(data)
        elif self.result is not None:
            result, self.result = self.result, None
            self._error = _UnexpectedErrorOutput(data)
            result.errback(Failure(self._error))
            self.transport.loseConnection()

    def processEnded(self, reason: Failure) -> None:
        if self.result is not None:
            self.result.callback(b"".join(self.out))
        elif self._error is not None:
            self._error.end(reason)


class _Value(ProcessProtocol):
    """Its exit status is the result."""

    def __init__(self, result: Deferred) -> None:
        self._result = result

    def processEnded(self, reason: Failure) -> None:
        self._result.callback(reason.value.exitCode)


class _Everything(_Collector):
    """All that is known of it is the result."""

    def __init__(self, result: Deferred, stdinBytes: bytes | None) -> None:
        super().__init__(result)
        self._stdin = stdinBytes

    def connectionMade(self) -> None:
        if self._stdin is not None:
            self.transport.write(self._stdin)
            self.transport.closeStdin()

    def processEnded(self, reason: Failure) -> None:
        assert self.result is not None
        out, err, error = b"".join(self.out), b"".join(self.err), reason.value
        if error.signal:
            self.result.errback((out, err, error.signal))  # type: ignore[arg-type]  # by contract, no exception
        else:
            self.result.callback((out, err, error.exitCode))


def _spawn(protocol: ProcessProtocol, reactor: Any, executable: Any, args: Any, env: Any, path: Any) -> None:
    if args and isinstance(args, (str, bytes)):
        raise TypeError(f"args is to be a sequence of arguments, not {args!r}")  # which would be its letters
    if reactor is None:
        reactor = reactors.current()
    reactor.spawnProcess(protocol, executable, [executable, *args], env, path)


def getProcessOutput(
    executable: Any,
    args: Sequence[Any] = (),
    env: Mapping[Any, Any] | None = {},  # the contract's default, which None is not
    path: Any = None,
    reactor: Any = None,
    errortoo: bool = False,
) -> Deferred:
    """A Deferred of what a program writes to its standard output, as bytes, once it has ended (semantics 97).

    `args` comes without the program's name; `env` and `path` are as in Reactor.spawnProcess, which raises what it
    raises here too. With `errortoo`, standard error is part of the result. Else anything there is an IOError at once,
    with a Deferred `processEnded` that fires with the reason when the program has ended.
    """
    result = Deferred()
    _spawn(_Output(result, bool(errortoo)), reactor, executable, args, env, path)
    return result


def getProcessValue(
    executable: Any,
    args: Sequence[Any] = (),
    env: Mapping[Any, Any] | None = {},
    path: Any = None,
    reactor: Any = None,
) -> Deferred:
    """A Deferred of a program's exit status, None if a signal ended it. Arguments as for getProcessOutput."""
    result = Deferred()
    _spawn(_Value(result), reactor, executable, args, env, path)
    return result


def getProcessOutputAndValue(
    executable: Any,
    args: Sequence[Any] = (),
    env: Mapping[Any, Any] | None = {},
    path: Any = None,
    reactor: Any = None,
    stdinBytes: bytes | None = None,
) -> Deferred:
    """A Deferred of (output, error output, exit status). `stdinBytes` is what the program reads, if it is not None.

    If a signal ends the program the Deferred fails, with (output, error output, signal) as the failure's value (97).
    Arguments as for getProcessOutput.
    """
    result = Deferred()
    _spawn(_Everything(result, stdinBytes), reactor, executable, args, env, path)
    return result


# Warnings

Filter = tuple[tuple[Any, ...], Mapping[str, Any]]
"""The arguments of warnings.filterwarnings."""


def runWithWarningsSuppressed(suppressedWarnings: Iterable[Filter], f: Callable[..., Any], *a: Any, **kw: Any) -> Any:
    """Call `f(*a, **kw)` with these filters for warnings until it returns, or the Deferred fires that it returns.

    Each filter is the positional and keyword arguments of warnings.filterwarnings. The filters are the whole process's.
    """
    before = list(warnings.filters)
    for positional, named in suppressedWarnings:
        warnings.filterwarnings(*positional, **named)
    added = warnings.filters[: len(warnings.filters) - len(before)]
    try:
        result = f(*a, **kw)
    except BaseException:
        _remove(added)
        raise
    if isinstance(result, Deferred):
        return result.addBoth(_passing, added)
    _remove(added)
    return result


def _passing(result: Any, added: Sequence[Any]) -> Any:
    _remove(added)
    return result


def _remove(added: Sequence[Any]) -> None:
    for each in added:
        if each in warnings.filters:
            warnings.filters.remove(each)  # type: ignore[attr-defined]  # a list, whatever the stubs say
    # Python keeps what it has decided by the filters. It forgets that here, as it cannot know that we changed them.
    # The module is named, as `f` may have replaced sys.modules, where it would be looked for.
    with warnings.catch_warnings(module=warnings):
        pass


def suppressWarnings(f: Callable[..., Any], *suppressedWarnings: Filter) -> Callable[..., Any]:
    """`f`, called with these filters for warnings; see runWithWarningsSuppressed."""

    @wraps(f)
    def filtered(*a: Any, **kw: Any) -> Any:
        return runWithWarningsSuppressed(suppressedWarnings, f, *a, **kw)

    return filtered
