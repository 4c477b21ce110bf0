"""Twisted's zope interfaces, declared on our classes once Twisted's module of interfaces has been loaded."""

import importlib
from types import ModuleType

from torsion.net.binding import Binding

from .table import PROVIDED


def declare(interfaces: ModuleType) -> None:
    """Declare what PROVIDED lists, on the interfaces in this module (`twisted.internet.interfaces`)."""
    from zope.interface import classImplements

    if hasattr(interfaces, "_Binding"):  # the class of what makeBinding makes, by which Twisted's endpoints know it
        vars(interfaces)["_Binding"] = Binding
    for interface, module, name in PROVIDED:
        classImplements(getattr(importlib.import_module(module), name), getattr(interfaces, interface))
