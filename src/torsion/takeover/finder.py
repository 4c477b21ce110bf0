"""The meta path finder that answers imports of Twisted's modules with ours.

It stands first on `sys.meta_path` and knows four answers: a module of the table is ours; `twisted.internet.reactor` is
the reactor object; where Twisted is not installed, its packages are stand-ins and everything else in them is an error
that says so; and what is to be done once a module has been loaded, is: with ours that programs know by Twisted's names
(takeover/loaded.py), with Twisted's interfaces and plugins, with its log, which then asks us whom the loop serves, with
its `spread`, which sends failures, with trial's reports, which leave our frames out, and with `unittest.mock`, which
learns of compiled functions. Anything else is not its affair.

The trick is the import system's own: what a loader leaves in `sys.modules` under the name it was asked for is what the
import gives, and what is set on the parent package. So our module objects keep their own `__spec__` and `__name__`.
"""

import importlib
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from . import missing
from .later import Later
from .loaded import WATCHED, Loaded
from .table import INTERFACES, LOG, MOCKS, PACKAGES, PLUGIN, REACTOR, SPREAD, TABLE, TRIAL_REPORTER


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


class Then:
    """The loader of a module after which something is done. It stands before the installation's, and then gives way.

    That one is left as it is: the loader of an archive is the same for all modules in it.
    """

    def __init__(self, loader: Any, act: Callable[[ModuleType], None]) -> None:
        self._loader = loader
        self._act = act

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        assert module.__spec__ is not None
        module.__spec__.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        self._act(module)


class Finder:
    """See the module. One a process, made by `torsion.takeover.install`."""

    def __init__(self) -> None:
        self._turned = False
        self._loaded = Loaded()
        if INTERFACES in sys.modules:
            self._loaded.interfaces(sys.modules[INTERFACES])
        for name in MOCKS:
            if name in sys.modules:
                _mocks(sys.modules[name])

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname == "twisted":
            spec = self._elsewhere(fullname) or _stand_in(fullname)
            return _later(spec) if target is None else spec  # it is if the program loads it again
        if fullname in WATCHED:
            return _then(self._elsewhere(fullname, path), self._loaded.ours)
        if not fullname.startswith("twisted."):
            if fullname in MOCKS:
                return _then(self._elsewhere(fullname, path), _mocks)
            return None
        if self.is_ours(fullname):
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
        if fullname == INTERFACES:
            return _then(self._elsewhere(fullname, path), self._loaded.interfaces)
        if fullname in _WHEN_LOADED:
            return _then(self._elsewhere(fullname, path), _WHEN_LOADED[fullname])
        return None

    def has_twisted(self) -> bool:
        """Whether Twisted is installed, on the `sys.path` that the program had when it first asked for it."""
        loaded = sys.modules.get("twisted")
        if loaded is None:
            return self._elsewhere("twisted") is not None
        return not isinstance(getattr(loaded.__spec__, "loader", None), StandIn)

    def is_ours(self, fullname: str) -> bool:
        """Whether a program that imports this module of Twisted's gets ours, here."""
        line = TABLE.get(fullname)
        if line is None:
            return fullname == REACTOR
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

            return reactors.default()
        module = _take(fullname, self.has_twisted())
        if hasattr(module, "__path__") and self.has_twisted():
            # Twisted's own package of this name holds tests, and perhaps modules that the table lacks.
            spec = self._elsewhere(fullname, sys.modules[fullname.rpartition(".")[0]].__path__)
            if spec is not None and spec.submodule_search_locations is not None:
                module.__path__ = spec.submodule_search_locations
        return module

    def _turn(self) -> None:
        """Turn the seams of ours: reports, the place of the reactor, what endpoints and child processes are given."""
        from torsion import reactors, report
        from torsion.child import heritage
        from torsion.endpoint import outside

        from . import children, standins
        from .logs import Sink
        from .outside import TwistedOutside
        from .reactor import ModulePlace

        report.set_sink(Sink(self.has_twisted))
        reactors.keep_in(ModulePlace())
        heritage.set_completion(children.complete)
        if self.has_twisted():
            standins.complete(self._loaded.when)
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
            if name not in vars(module):  # hasattr would ask what answers for the names that it lacks
                setattr(module, name, getattr(private, name))
    missing.answer(module, fullname)
    return module


def _log_context(log: ModuleType) -> None:
    from .logcontext import install

    install(log)


def _plugins(plugin: ModuleType) -> None:
    from .declare import declare_plugins

    declare_plugins(plugin)


def _trial_frames(reporter: ModuleType) -> None:
    from .trialframes import install

    install(reporter)


def _mocks(mock: ModuleType) -> None:
    from .mocks import install

    install(mock)


def _failures_that_travel(pb: ModuleType) -> None:
    from .spread import install

    install(pb)


# Other modules of Twisted's own, and what is done once they have been loaded.
_WHEN_LOADED: dict[str, Callable[[ModuleType], None]] = {
    LOG: _log_context,
    PLUGIN: _plugins,
    SPREAD: _failures_that_travel,
    TRIAL_REPORTER: _trial_frames,
}


def _then(spec: ModuleSpec | None, act: Callable[[ModuleType], None]) -> ModuleSpec | None:
    """The same spec, by whose loader `act(module)` is called afterwards."""
    if spec is not None:
        loader: Any = Then(spec.loader, act)
        spec.loader = loader
    return spec


def _later(spec: ModuleSpec) -> ModuleSpec:
    """The same spec, of a module that is executed when it is first asked for something."""
    loader: Any = Later(spec.loader)
    spec.loader = loader
    return spec


def _stand_in(fullname: str) -> ModuleSpec:
    return _spec(fullname, StandIn(), is_package=True)


def _spec(fullname: str, loader: Any, is_package: bool = False) -> ModuleSpec:
    return ModuleSpec(fullname, loader, is_package=is_package)
