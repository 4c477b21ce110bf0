"""Names of `twisted.internet.defer` that Twisted's trial and tests import, and packages; and what versions before 25.5
still had."""

import warnings
from collections.abc import Callable, Generator
from functools import wraps
from typing import Any, TypeVar

from torsion.core.coroutine import ReturnValue as _DefGen_Return
from torsion.core.deferred import Deferred
from torsion.core.inline import inlineCallbacks
from torsion.failure import Failure

__all__ = [
    "_DEFERRED_SUBCLASSES",
    "_T",
    "DeferredCallback",
    "DeferredErrback",
    "_DefGen_Return",
    "_DeferredListResultItemT",
    "_DeferredListResultListT",
    "_DeferredListSingleResultT",
    "deferredGenerator",
    "waitForDeferred",
]

_T = TypeVar("_T")

# For types alone: what is added to a Deferred.
DeferredCallback = DeferredErrback = Callable[..., Any]

# What a DeferredList fires with, in its three shapes.
_DeferredListResultItemT = tuple[bool, _T]
_DeferredListResultListT = list[_DeferredListResultItemT[_T]]
_DeferredListSingleResultT = tuple[_T, int]


class _Subclasses:
    """A view of Deferred and all classes made from it, oldest first: Python keeps that record already."""

    def __getitem__(self, index: Any) -> Any:
        return self._all()[index]

    def __len__(self) -> int:
        return len(self._all())

    def append(self, cls: type) -> None:
        """Nothing to do: a subclass is known by being one."""

    def pop(self, index: int = -1) -> type:
        """The class; it stays in the view for as long as it exists."""
        return self._all()[index]

    @staticmethod
    def _all() -> list[type]:
        found: dict[type, None] = {Deferred: None}
        waiting: list[type] = [Deferred]
        for cls in waiting:
            made_from: list[type] = type.__subclasses__(cls)
            waiting += [each for each in made_from if each not in found]
            found.update(dict.fromkeys(made_from))
        return list(found)


_DEFERRED_SUBCLASSES = _Subclasses()


class waitForDeferred:
    """What a generator under deferredGenerator yields to wait for a Deferred. Deprecated."""

    def __init__(self, d: Deferred) -> None:
        """Raises TypeError if it is no Deferred."""
        _deprecated("waitForDeferred")
        if not isinstance(d, Deferred):
            raise TypeError(f"waitForDeferred waits for a Deferred, not for {d!r}")
        self.d = d
        self.result: Any = None

    def getResult(self) -> Any:
        """The Deferred's result, once the generator runs again; raises what it failed with."""
        if isinstance(self.result, Failure):
            self.result.raiseException()
        return self.result


def deferredGenerator(f: Callable[..., Generator[Any, Any, Any]]) -> Callable[..., Deferred]:
    """A function that returns a Deferred of what a generator yields last. Deprecated: use inlineCallbacks."""
    _deprecated("deferredGenerator")

    @wraps(f)
    @inlineCallbacks
    def run(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        last = None
        for yielded in f(*args, **kwargs):
            if isinstance(yielded, Deferred):
                raise TypeError("yield waitForDeferred(d), not the Deferred itself")
            last = yielded
            if isinstance(yielded, waitForDeferred):
                last = None
                try:
                    yielded.result = yield yielded.d
                except GeneratorExit:  # nobody waits for the rest any more
                    raise
                except BaseException:
                    yielded.result = Failure()
        return last

    return run


def _deprecated(name: str) -> None:
    warnings.warn(
        f"twisted.internet.defer.{name} was deprecated in Twisted 15.0.0; please use"
        " twisted.internet.defer.inlineCallbacks instead",
        DeprecationWarning,
        stacklevel=3,
    )
