"""What is done with a module of ours once it has been loaded: it says that it comes from Twisted, and provides for it.

A class of ours bears Twisted's name, in reprs and pickles, and provides Twisted's zope interfaces once Twisted's module
of interfaces has been loaded too. Each module by itself: a program pays for what it uses, and nothing of ours is
imported for it.
"""

import sys
from collections.abc import Callable
from functools import cache
from types import FunctionType, ModuleType
from typing import Any, ForwardRef

from .table import ADAPTED, BINDING, PROVIDED, TABLE

#: The name of Twisted's that the classes and functions written in a module of ours bear.
NAMES = {home: name for name, line in TABLE.items() for home in line.homes}
PROVIDERS = {BINDING, *(module for *_, module, _ in (*PROVIDED, *ADAPTED))}
#: The modules that Loaded is told of; streams.py gives something to one of them that is in neither list.
WATCHED = frozenset(NAMES) | PROVIDERS | {"torsion.net.tls.source"}


class Loaded:
    """Told by the finder of each module in WATCHED, and of Twisted's interfaces, once they have been loaded."""

    def __init__(self) -> None:
        self._ready: set[str] = set()
        self._interfaces: ModuleType | None = None
        self._acts: dict[str, Callable[[ModuleType], None]] = {}
        for name in WATCHED.intersection(sys.modules):
            self.ours(sys.modules[name])

    def ours(self, module: ModuleType) -> None:
        """A module of ours has been loaded."""
        home = module.__name__
        if home in NAMES:
            _rename(module, NAMES[home])
        self._ready.add(home)  # before it looks: another thread may be loading the interfaces
        if self._interfaces is not None:
            self._declare(self._interfaces, [home])
        self._act(home)

    def when(self, name: str, act: Callable[[ModuleType], None]) -> None:
        """Call `act(module)` once this module, which is in WATCHED, has been loaded: now, if it has been."""
        self._acts[name] = act
        if name in self._ready:
            self._act(name)

    def _act(self, name: str) -> None:
        act = self._acts.pop(name, None)
        if act is not None:
            act(sys.modules[name])

    def interfaces(self, interfaces: ModuleType) -> None:
        """`twisted.internet.interfaces` has been loaded."""
        self._interfaces = interfaces
        self._declare(interfaces, list(self._ready))

    def _declare(self, interfaces: ModuleType, modules: list[str]) -> None:
        from .declare import declare

        declare(interfaces, PROVIDERS.intersection(modules))


def _rename(module: ModuleType, name: str) -> None:
    """Let what the module defines say that it comes from Twisted's; a compiled class cannot be told.

    A function that is nobody's but the module's own is pickled by its name, and Twisted's module has none of that name.
    """
    for value in list(vars(module).values()):
        if not isinstance(value, (type, FunctionType)) or value.__module__ != module.__name__:
            continue
        if isinstance(value, type) or not value.__name__.startswith("_"):
            try:
                value.__module__ = name
            except (AttributeError, TypeError):
                continue
            _keep_hints(value, module.__name__)


def _keep_hints(renamed: Any, home: str) -> None:
    """Let `typing.get_type_hints` go on looking for what a class's annotations name in the module that it is from.

    It looks there for a function's by itself.
    """
    hints: dict[str, Any] = vars(renamed).get("__annotations__", {}) if isinstance(renamed, type) else {}
    for name, hint in hints.items():
        if isinstance(hint, str):
            hints[name] = _hint(hint, home)


@cache
def _hint(hint: str, home: str) -> ForwardRef:
    return ForwardRef(hint, module=home, is_argument=False, is_class=True)
