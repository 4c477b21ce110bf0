"""What ours are given where Twisted is installed: what its own reactors call on the classes they inherit from, and what
goes by its version.

Nothing of Twisted is imported before it is used.
"""

import sys
from collections.abc import Callable
from typing import Any

from torsion import posixbase

from . import attributes, streams


def complete(when: Callable[[str, Callable[[Any], None]], None]) -> None:
    """Give our classes what they lack. `when(name, act)` calls `act(module)` once a module of ours has been loaded."""
    attributes.complete()
    streams.complete(when)
    when("torsion.core.coroutine", _return_value)
    if not hasattr(posixbase.PosixReactorBase, "_removeAll"):
        posixbase.PosixReactorBase._removeAll = _removeAll  # type: ignore[attr-defined]


def _return_value(coroutine: Any) -> None:
    coroutine.deprecate_return_value(_return_value_is_deprecated)


def _return_value_is_deprecated() -> bool:
    """In the Twisted that is installed; which is executed when its version is asked for (later.py), so not before."""
    year, number = sys.modules["twisted"].__version__.split(".")[:2]
    return (int(year), int(number)) >= (24, 7)


def _removeAll(self: Any, readers: Any, writers: Any) -> list[Any]:
    """Remove all that is in these two but the internal readers; returns what that was, each once."""
    removed: dict[Any, None] = {}
    for watched, remove in ((readers, self.removeReader), (writers, self.removeWriter)):
        for each in list(watched):
            if each not in self._internalReaders:
                removed[each] = None
                remove(each)
    return list(removed)
