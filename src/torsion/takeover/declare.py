"""Twisted's zope interfaces, declared on our classes once Twisted's module of interfaces has been loaded."""

import importlib
from types import ModuleType
from typing import Any

from torsion.net.binding import Binding

from .table import ADAPTED, PROVIDED


def declare(interfaces: ModuleType) -> None:
    """Declare what PROVIDED and ADAPTED list, on the interfaces in this module (`twisted.internet.interfaces`)."""
    from twisted.python.components import registerAdapter
    from zope.interface import classImplements

    if hasattr(interfaces, "_Binding"):  # the class of what makeBinding makes, by which Twisted's endpoints know it
        vars(interfaces)["_Binding"] = Binding
    for interface, module, name in PROVIDED:
        classImplements(_class(module, name), getattr(interfaces, interface))
    for original, interface, module, name in ADAPTED:
        registerAdapter(_class(module, name), getattr(interfaces, original), getattr(interfaces, interface))


def _class(module: str, name: str) -> Any:
    return getattr(importlib.import_module(module), name)
