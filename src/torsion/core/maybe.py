"""A function that may fail, answer at once or answer later becomes one thing: a Deferred.

Whatever leaves the function is a result: a value, a Failure, any exception, a Deferred, a coroutine (semantics 18).
"""

from __future__ import annotations

from collections.abc import Callable
from types import CoroutineType
from typing import Any

from ..failure import Failure
from .deferred import Deferred, fail, getDebugging, succeed


def maybeDeferred(f: Callable[..., Any], *args: Any, **kwargs: Any) -> Deferred:
    """Call ``f(*args, **kwargs)`` and answer with a Deferred, whatever happens.

    A returned Deferred is handed on as it is, a native coroutine is driven, a Failure becomes a failed Deferred, and so
    does an exception of any kind. Everything else, a generator too, is a value.
    Contract: ``twisted.internet.defer.maybeDeferred``; semantics 18.
    """
    try:
        result = f(*args, **kwargs)
    except BaseException:
        return fail(Failure(captureVars=getDebugging()))
    if isinstance(result, Deferred):
        return result
    if isinstance(result, Failure):
        return fail(result)
    if isinstance(result, CoroutineType):
        return Deferred.fromCoroutine(result)
    return succeed(result)


def execute(callable: Callable[..., Any], *args: Any, **kwargs: Any) -> Deferred:
    """Call ``callable(*args, **kwargs)``: its value or its exception is the result, with no look at what the value is.

    Contract: ``twisted.internet.defer.execute``.
    """
    try:
        return succeed(callable(*args, **kwargs))
    except BaseException:
        return fail(Failure(captureVars=getDebugging()))
