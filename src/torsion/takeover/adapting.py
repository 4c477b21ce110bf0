"""What an interface of Twisted's makes of an object: asked for each connection that ends, so answered fast.

It is nearly always nothing, for all objects of a class: neither does the class provide the interface, nor is there an
adapter. zope finds that out once a class. It is forgotten when what it depends on changes: what such a class provides,
which adapters Twisted's registry has, who else is asked for adapters. An object that says something of itself alone,
a class that works out what it provides, and one for which there is an adapter, which may decline, are always asked. A
class that is given a `__conform__` only after it was asked about is not noticed.
"""

from types import GetSetDescriptorType
from typing import Any

from twisted.python.components import getRegistry
from zope.interface import implementedBy, providedBy
from zope.interface.adapter import AdapterRegistry
from zope.interface.declarations import ClassProvides, ObjectSpecificationDescriptor
from zope.interface.interface import adapter_hooks

OWN = frozenset({"__provides__", "__providedBy__", "__conform__"})
"""By which an object says for itself what it provides."""
MANY = 1000
"""So many classes are kept at most: programs that make classes as they go would keep them all."""


class Adapting:
    """To one interface."""

    def __init__(self, interface: Any) -> None:
        self._interface = interface
        self._none: dict[type, bool] = {}
        """Classes of whose objects the interface makes nothing."""
        self._hooks = [
            hook for hook in adapter_hooks if getattr(hook, "__module__", "") == "twisted.python.components"
        ][:1]
        self._noting = Noting(self)

    def adapt(self, thing: Any) -> Any:
        """As `interface(thing, None)`."""
        kind = type(thing)
        if kind in self._none and adapter_hooks == self._hooks and OWN.isdisjoint(thing.__dict__):
            return None
        adapted = self._interface(thing, None)
        if adapted is None and adapter_hooks == self._hooks and says_nothing_else(thing) and not self._is_adapted(kind):
            if len(self._none) >= MANY:
                self._none.clear()
            implementedBy(kind).subscribe(self)
            self._none[kind] = True
        return adapted

    def _is_adapted(self, kind: type) -> bool:
        return self._noting.lookup1(implementedBy(kind), self._interface) is not None

    def changed(self, what: Any) -> None:
        """zope says: what a class provides has changed, or the adapters have."""
        self._none.clear()


class Noting(AdapterRegistry):  # type: ignore[misc]  # zope has no types
    """Is told when Twisted's registry has changed, as everything that builds on it."""

    def __init__(self, adapting: Adapting) -> None:
        self._adapting = adapting
        super().__init__((getRegistry(),))

    def changed(self, originally_changed: Any) -> None:
        super().changed(originally_changed)
        self._adapting.changed(self)


def says_nothing_else(thing: Any) -> bool:
    """Whether all objects of this class provide what the class does, but for what one has in its attributes."""
    kind = type(thing)
    if providedBy(thing) is not implementedBy(kind):
        return False
    known: dict[str, Any] = {}
    for base in reversed(kind.__mro__):
        known.update(vars(base))
    plain = known["__getattribute__"] is object.__getattribute__ and "__getattr__" not in known
    ways = type(known.get("__providedBy__")), type(known.get("__provides__")), type(known.get("__dict__"))
    usual = ways == (ObjectSpecificationDescriptor, ClassProvides, GetSetDescriptorType)
    return plain and usual and "__conform__" not in known
