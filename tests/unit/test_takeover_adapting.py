"""What an interface makes of an object, remembered a class: each way to change the answer changes it at once.

Each test runs a program of its own in a fresh process; the program asserts, and must end with status 0.
"""

from __future__ import annotations

import pytest
from tests.interpreters import Python

BEGIN = """
    from twisted.internet import protocol
    from twisted.internet.interfaces import IHalfCloseableProtocol
    from twisted.python import components
    from zope.interface import alsoProvides, classImplements, implementedBy, noLongerProvides
    from zope.interface.interface import adapter_hooks
    from torsion.takeover.adapting import Adapting

    class Base(protocol.Protocol): pass
    class Plain(Base): pass
    class Adapter:
        def __init__(self, original): pass

    adapting = Adapting(IHalfCloseableProtocol)
    adapt = adapting.adapt
    known, fresh = Plain(), Plain()
    assert adapt(known) is None and adapt(known) is None and adapt(fresh) is None
    assert adapting._none == {Plain: True}
"""


@pytest.mark.parametrize(
    "change",
    [
        "alsoProvides(known, IHalfCloseableProtocol); assert adapt(known) is known and adapt(fresh) is None; "
        "noLongerProvides(known, IHalfCloseableProtocol); assert adapt(known) is None",
        "classImplements(Plain, IHalfCloseableProtocol); assert adapt(known) is known and adapt(fresh) is fresh",
        "classImplements(Base, IHalfCloseableProtocol); assert adapt(known) is known and adapt(fresh) is fresh",
        "components.registerAdapter(Adapter, Plain, IHalfCloseableProtocol); assert type(adapt(known)) is Adapter",
        "components.registerAdapter(Adapter, Base, IHalfCloseableProtocol); assert type(adapt(known)) is Adapter",
        "known.__conform__ = lambda interface: 7; assert adapt(known) == 7 and adapt(fresh) is None",
        "adapter_hooks.append(lambda interface, thing: 8); assert adapt(known) == 8; "
        "adapter_hooks.pop(); assert adapt(known) is None",
    ],
    ids=["object", "class", "base", "adapter", "adapter for base", "conform", "hook"],
)
def test_an_answer_that_was_remembered_changes(full: Python, change: str) -> None:
    full.check(BEGIN + "".join(f"    {line.strip()}\n" for line in change.split(";")))


def test_a_changed_answer_changes_back(full: Python) -> None:
    full.check(
        BEGIN
        + """
    components.registerAdapter(Adapter, Plain, IHalfCloseableProtocol)
    assert type(adapt(known)) is Adapter and not adapting._none
    components.getRegistry().unregister([implementedBy(Plain)], IHalfCloseableProtocol, "")
    assert adapt(known) is None and adapting._none
    """
    )


@pytest.mark.parametrize(
    "body",
    [
        "def __getattr__(self, name): raise AttributeError(name)",
        "def __getattribute__(self, name): return super().__getattribute__(name)",
        "def __conform__(self, interface): return None",
        "__providedBy__ = property(lambda self: implementedBy(type(self)))",
        "__provides__ = property(lambda self: implementedBy(type(self)))",
        "__slots__ = ('__provides__',)",
        "__dict__ = property(lambda self: {})",
    ],
    ids=["getattr", "getattribute", "conform", "providedBy", "provides", "slot", "dict"],
)
def test_a_class_that_works_out_what_it_provides_is_always_asked(full: Python, body: str) -> None:
    full.check(
        BEGIN
        + f"""
    class Own(Base):
        {body}
    assert adapt(Own()) is None and Own not in adapting._none
    """
    )


def test_an_adapter_that_declines_one_object_is_asked_for_the_next(full: Python) -> None:
    full.check(
        BEGIN
        + """
    def adapter(original): return Adapter(original) if original is fresh else None
    components.registerAdapter(adapter, Base, IHalfCloseableProtocol)
    assert adapt(known) is None and type(adapt(fresh)) is Adapter and adapt(known) is None
    """
    )


def test_a_class_without_attributes_of_its_objects_is_always_asked(full: Python) -> None:
    full.check(
        BEGIN
        + """
    class Bare:
        __slots__ = ()
    for thing in (Bare(), None, 1):
        assert adapt(thing) is None and type(thing) not in adapting._none
    """
    )


def test_not_every_class_of_a_program_is_kept(full: Python) -> None:
    full.check(
        BEGIN
        + """
    from torsion.takeover.adapting import MANY
    for number in range(MANY):
        assert adapt(type(f"Made{number}", (Base,), {})()) is None
    assert 0 < len(adapting._none) < MANY
    """
    )
