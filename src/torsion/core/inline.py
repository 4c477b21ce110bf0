"""The decorator inlineCallbacks. It is not compiled: what it returns is an ordinary function, and programs look.

Trial, for one, finds a class's test methods by their being functions. What drives the generator is compiled.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import wraps
from typing import Any, ParamSpec

from .coroutine import ReturnValue, from_call
from .deferred import Deferred

P = ParamSpec("P")


def inlineCallbacks(f: Callable[P, Generator[Any, Any, Any]]) -> Callable[P, Deferred]:
    """Make a generator function return a Deferred of what its generator returns.

    Inside, `value = yield deferred` waits for the result; a failure is raised at the `yield`. Anything else that is
    yielded is sent straight back. Cancelling the Deferred cancels what is waited for. Contract: Twisted's defer;
    semantics 20 to 25.

        @inlineCallbacks
        def fetch_both():
            first = yield fetch(1)
            second = yield fetch(2)
            return first + second
    """

    @wraps(f)
    def unwind(*args: P.args, **kwargs: P.kwargs) -> Deferred:
        try:
            return from_call(f, f(*args, **kwargs))
        except ReturnValue as returned:
            raise TypeError(
                f"inlineCallbacks requires {f!r} to produce a generator; it called returnValue in a non-generator"
            ) from returned

    return unwind
