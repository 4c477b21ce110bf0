"""The package `twisted` itself, made at once and executed when it is first asked for something.

All that it has of its own is its version, and to work that out takes as long as to load our reactor. Most programs only
name it on the way to `twisted.internet.defer`.
"""

from collections.abc import Callable
from importlib import import_module
from importlib.machinery import ModuleSpec
from threading import RLock
from types import ModuleType
from typing import Any

_namespace: Callable[[ModuleType], dict[str, Any]] = vars(ModuleType)["__dict__"].__get__


class Later:
    """The loader of a module that executes when something is missing in it. It stands before the installation's loader,
    answers what that would, and gives way to it at once."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        assert module.__spec__ is not None
        module.__spec__.loader = module.__loader__ = self._loader
        del vars(module)["__doc__"]  # it is None yet
        module.__class__ = _Unread


class _Unread(ModuleType):
    """Whatever looks into the module, or changes it, has it executed first: all but what inspects any module, and the
    import system, which sets the modules below."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__version__":  # asked for by who inspects any module
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}", name=name, obj=self)
        return ModuleType.__getattribute__(_read(self), name)

    def __setattr__(self, name: str, value: object) -> None:
        ModuleType.__setattr__(self if isinstance(value, ModuleType) else _read(self), name, value)

    def __delattr__(self, name: str) -> None:
        ModuleType.__delattr__(_read(self), name)

    def __dir__(self) -> list[str]:
        return sorted(_namespace(_read(self)))

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
        return _namespace(_read(self))

    @property
    def __doc__(self) -> str | None:  # type: ignore[override]
        return _namespace(_read(self)).get("__doc__")

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        """As cloudpickle does for a plain module, which it knows by its very type."""
        return import_module, (self.__name__,)


_lock = RLock()
_reading: set[ModuleType] = set()


def _read(module: ModuleType) -> ModuleType:
    """Execute the module, which is a plain one from then on. What it does meanwhile sees it as it is."""
    with _lock:
        if isinstance(module, _Unread) and module not in _reading:
            _reading.add(module)
            try:
                loader: Any = _namespace(module)["__loader__"]
                loader.exec_module(module)
            finally:
                _reading.discard(module)
            ModuleType.__setattr__(module, "__class__", ModuleType)
    return module
