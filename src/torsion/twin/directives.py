"""What hot modules ask of `cython` while they are compiled, as the interpreted lane sees it: nothing is done.

`compiled` is a constant to the compiler: what stands behind it is left out of the other lane."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

compiled = False


def cclass(cls: T) -> T:
    """Nearest to the class, it says that the class is a compiled one: its directives are refused otherwise."""
    return cls


def trashcan(on: bool) -> Callable[[T], T]:
    """Long chains of such objects are dropped without recursion (an ordinary class has this anyway)."""
    return lambda cls: cls


def freelist(size: int) -> Callable[[T], T]:
    """Keep up to `size` dead objects for reuse."""
    return lambda cls: cls
