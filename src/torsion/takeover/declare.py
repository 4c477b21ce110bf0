"""Twisted's zope interfaces, declared on our classes once both have been loaded.

Nothing of ours is imported here: it would be declared before this module is there.
"""

import sys
from collections.abc import Collection
from types import ModuleType
from typing import Any

from .table import ADAPTED, BINDING, PROVIDED


def declare(interfaces: ModuleType, modules: Collection[str]) -> None:
    """Declare what PROVIDED and ADAPTED list for these modules of ours, which have been loaded.

    `interfaces` is the module `twisted.internet.interfaces`. What is declared already may be declared again.
    """
    from zope.interface import classImplements

    if BINDING in modules and hasattr(interfaces, "_Binding"):  # the class of what makeBinding makes
        vars(interfaces)["_Binding"] = _class(BINDING, "Binding")
    for interface, module, name in PROVIDED:
        if module in modules:
            classImplements(_class(module, name), getattr(interfaces, interface))
    for original, interface, module, name in ADAPTED:
        if module in modules:
            _adapt(getattr(interfaces, original), getattr(interfaces, interface), _class(module, name))


def declare_plugins(plugin: ModuleType) -> None:
    """Let our parsers of endpoints be plugins of Twisted's; `plugin` is the module `twisted.plugin`."""
    from zope.interface import classImplements

    from torsion.endpoint import parsers

    for parser in (parsers._ServerParser, parsers._ClientParser):
        classImplements(parser, plugin.IPlugin)


def _adapt(original: Any, interface: Any, adapter: type) -> None:
    from twisted.python.components import getAdapterFactory, registerAdapter

    if getAdapterFactory(original, interface, None) is not adapter:
        registerAdapter(adapter, original, interface)


def _class(module: str, name: str) -> Any:
    return getattr(sys.modules[module], name)
