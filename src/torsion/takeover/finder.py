"""The meta path finder that answers imports of Twisted's modules with ours.

It stands first on `sys.meta_path` and knows four answers: a module of the table is ours; `twisted.internet.reactor` is
the reactor object; where Twisted is not installed, its packages are stand-ins and everything else in them is an error
that says so; and Twisted's interfaces, once loaded, are declared on our classes, as its log then asks us whom the loop
serves, and trial leaves our frames out of its reports. Anything else is not its affair.

The trick is the import system's own: what a loader leaves in `sys.modules` under the name it was asked for is what the
import gives, and what is set on the parent package. So our module objects keep their own `__spec__` and `__name__`.
"""

import importlib
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import FunctionType, ModuleType
from typing import Any

from .table import INTERFACES, LOG, PACKAGES, REACTOR, TABLE, TRIAL_REPORTER, Taken


class Ours:
    """The loader whose module is what `find(name)` returns."""

    def __init__(self, find: Callable[[str], Any]) -> None:
        self._find = find

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        sys.modules[module.__name__] = self._find(module.__name__)


class StandIn:
    """The loader of a package that is empty but for what the table puts into it."""

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        module.__doc__ = "Stands in for Twisted's package of this name: Twisted is not installed."


class Finder:
    """See the module. One a process, made by `torsion.takeover.install`."""

    def __init__(self) -> None:
        self._turned = False

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname == "twisted":
            return self._elsewhere(fullname) or _stand_in(fullname)
        if not fullname.startswith("twisted."):
            return None
        if fullname == REACTOR or (fullname in TABLE and self._is_ours(TABLE[fullname])):
            return _spec(fullname, Ours(self._ours))
        if not self.has_twisted():
            if fullname in PACKAGES:
                return _stand_in(fullname)
            # The name given is Twisted's, not the module's: `from package import module` swallows the latter.
            raise ModuleNotFoundError(
                f"No module named {fullname!r}: it needs Twisted, which is not installed here, and Torsion does not"
                f" replace it (pip install twisted)",
                name="twisted",
            )
        if fullname in _WHEN_LOADED:
            return _then(self._elsewhere(fullname, path), _WHEN_LOADED[fullname])
        return None

    def has_twisted(self) -> bool:
        """Whether Twisted is installed, on the `sys.path` that the program had when it first asked for it."""
        loaded = sys.modules.get("twisted")
        if loaded is None:
            return self._elsewhere("twisted") is not None
        return not isinstance(getattr(loaded.__spec__, "loader", None), StandIn)

    def _is_ours(self, line: Taken) -> bool:
        """Whether the program gets ours for this line, here."""
        if not self.has_twisted():
            return line.module != ""
        return line.unless == "" or self._elsewhere(line.unless) is None

    def _elsewhere(self, fullname: str, path: Sequence[str] | None = None) -> ModuleSpec | None:
        """What the other finders say. A folder that merely has the name (a namespace) does not count."""
        for finder in sys.meta_path:
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(fullname, path, None)
            if spec is not None and spec.loader is not None and spec.origin is not None:
                return spec
        return None

    def _ours(self, fullname: str) -> Any:
        """The module, or the reactor, that a program gets which asks for this name."""
        if fullname == REACTOR:
            del sys.modules[REACTOR]  # the empty module that the import system has put there meanwhile
        if not self._turned:
            self._turned = True
            self._turn()
        if fullname == REACTOR:
            from torsion import reactors

            reactor = reactors.default()
            _rename_all()
            return reactor
        module = _take(fullname, self.has_twisted())
        if hasattr(module, "__path__") and self.has_twisted():
            # Twisted's own package of this name holds tests, and perhaps modules that the table lacks.
            spec = self._elsewhere(fullname, sys.modules[fullname.rpartition(".")[0]].__path__)
            if spec is not None and spec.submodule_search_locations is not None:
                module.__path__ = spec.submodule_search_locations
        return module

    def _turn(self) -> None:
        """Turn the seams of ours: where reports go, where the process's reactor is kept, what endpoints are made of."""
        from torsion import reactors, report
        from torsion.endpoint import outside

        from . import standins
        from .logs import Sink
        from .outside import TwistedOutside
        from .reactor import ModulePlace

        report.set_sink(Sink(self.has_twisted))
        reactors.keep_in(ModulePlace())
        if self.has_twisted():
            standins.complete()
            outside.use(TwistedOutside())


def _take(fullname: str, has_twisted: bool) -> ModuleType:
    """Our module for Twisted's name, with the private names it is asked for and the names the contract prints."""
    line = TABLE[fullname]
    module = importlib.import_module((has_twisted and line.instead) or line.module)
    for names in (line.private, line.with_twisted if has_twisted else ""):
        if not names:
            continue
        private = importlib.import_module(f"torsion.takeover.private.{names}")
        for name in private.__all__:
            if not hasattr(module, name):
                setattr(module, name, getattr(private, name))
    _rename_all()
    return module


def _rename_all() -> None:
    for taken_name, taken in TABLE.items():
        _rename(taken_name, taken)


def _rename(taken_name: str, line: Taken) -> None:
    """Let what the loaded homes define say that it comes from Twisted's module; a compiled class cannot be told."""
    for home in line.homes:
        module = sys.modules.get(home)
        for value in list(vars(module).values()) if module is not None else ():
            if isinstance(value, (type, FunctionType)) and value.__module__ == home:
                try:
                    value.__module__ = taken_name
                except (AttributeError, TypeError):
                    pass


def _declare(interfaces: ModuleType) -> None:
    from .declare import declare

    declare(interfaces)


def _log_context(log: ModuleType) -> None:
    from .logcontext import install

    install(log)


def _trial_frames(reporter: ModuleType) -> None:
    from .trialframes import install

    install(reporter)


# Modules of Twisted's own, and what is done once they have been loaded.
_WHEN_LOADED: dict[str, Callable[[ModuleType], None]] = {
    INTERFACES: _declare,
    LOG: _log_context,
    TRIAL_REPORTER: _trial_frames,
}


def _then(spec: ModuleSpec | None, act: Callable[[ModuleType], None]) -> ModuleSpec | None:
    """The same spec, whose loader also calls `act(module)` afterwards."""
    if spec is None:
        return None
    loader: Any = spec.loader
    execute = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        del loader.exec_module  # only this once: the loader is the installation's own again
        execute(module)
        act(module)

    loader.exec_module = exec_module
    return spec


def _stand_in(fullname: str) -> ModuleSpec:
    return _spec(fullname, StandIn(), is_package=True)


def _spec(fullname: str, loader: Any, is_package: bool = False) -> ModuleSpec:
    return ModuleSpec(fullname, loader, is_package=is_package)
