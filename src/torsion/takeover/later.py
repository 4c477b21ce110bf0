"""The package `twisted` itself, made at once and executed when it is first asked for something.

All that it has of its own is its version, and to work that out takes as long as to load our reactor. Most programs only
name it on the way to `twisted.internet.defer`.
"""

from importlib.machinery import ModuleSpec
from threading import RLock
from types import ModuleType
from typing import Any


class Later:
    """The loader of a module that executes when something is missing in it. It stands before the installation's loader,
    and gives way to it at once."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        assert module.__spec__ is not None
        module.__spec__.loader = module.__loader__ = self._loader
        del vars(module)["__doc__"]  # it is None yet
        module.__class__ = _Unread


class _Unread(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__version__":  # asked for by who inspects any module
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}", name=name, obj=self)
        return getattr(_read(self), name)

    def __dir__(self) -> list[str]:
        return dir(_read(self))

    @property
    def __doc__(self) -> str | None:  # type: ignore[override]
        return _read(self).__doc__


_lock = RLock()


def _read(module: ModuleType) -> ModuleType:
    """Execute the module, which is a plain one from then on."""
    with _lock:
        if isinstance(module, _Unread):
            loader: Any = module.__loader__
            loader.exec_module(module)
            module.__class__ = ModuleType  # type: ignore[assignment]
    return module
