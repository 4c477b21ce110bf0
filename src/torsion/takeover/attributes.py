"""Twisted's addresses are classes of attrs, and programs use that: `attr.evolve(address, port=80)`. So are ours, then.

attrs is imported when it is asked of a class, and not before.
"""

from typing import Any

from torsion import address


def complete() -> None:
    """Let attrs know the addresses."""
    kinds: tuple[Any, ...] = (
        address.IPv4Address,
        address.IPv6Address,
        address.HostnameAddress,
        address.UNIXAddress,
    )
    for kind in kinds:
        kind.__attrs_attrs__ = _Fields(kind)


class _Fields:
    """A class attribute whose value is what attrs knows of a class with these arguments."""

    def __init__(self, kind: type) -> None:
        self._kind = kind
        self._fields: Any = None

    def __get__(self, instance: object, owner: type) -> Any:
        if self._fields is None:
            from inspect import Parameter, signature

            import attr

            given = signature(self._kind).parameters.values()
            attributes = {
                each.name: attr.ib(default=attr.NOTHING if each.default is Parameter.empty else each.default)
                for each in given
            }
            self._fields = attr.fields(attr.make_class(self._kind.__name__, attributes))
        return self._fields
