"""Private names of `twisted.internet.defer` that Twisted's trial and tests import, and packages."""

from typing import Any, TypeVar

from torsion.core.coroutine import ReturnValue as _DefGen_Return
from torsion.core.deferred import Deferred

__all__ = [
    "_DEFERRED_SUBCLASSES",
    "_T",
    "_DefGen_Return",
    "_DeferredListResultItemT",
    "_DeferredListResultListT",
    "_DeferredListSingleResultT",
]

_T = TypeVar("_T")

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
