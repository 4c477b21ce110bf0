"""Where the two ends of a connection are: values, equal by what they say, usable as keys, and picklable.

A path is the exception: two names of one file are one address, so UNIX addresses ask the file system when they are
compared or hashed. Contract: twisted.internet.address.
"""

from __future__ import annotations

import os
from typing import Any, Literal

__all__ = ["HostnameAddress", "IPv4Address", "IPv6Address", "UNIXAddress"]


def _wrong(type: object) -> ValueError:
    return ValueError(f"type is {type!r}; it must be 'TCP' or 'UDP'")


class _Value:
    """Equal, ordered and hashed by what `__match_args__` names, among those of one class.

    Not a dataclass: to load what makes those is a fifth of a program's start.
    """

    __match_args__: tuple[str, ...] = ()

    def _values(self) -> tuple[Any, ...]:
        return tuple([getattr(self, name) for name in self.__match_args__])

    def __eq__(self, other: Any) -> bool:
        return self._values() == other._values() if other.__class__ is self.__class__ else NotImplemented

    def __lt__(self, other: Any) -> bool:
        return self._values() < other._values() if other.__class__ is self.__class__ else NotImplemented

    def __le__(self, other: Any) -> bool:
        return self._values() <= other._values() if other.__class__ is self.__class__ else NotImplemented

    def __gt__(self, other: Any) -> bool:
        return self._values() > other._values() if other.__class__ is self.__class__ else NotImplemented

    def __ge__(self, other: Any) -> bool:
        return self._values() >= other._values() if other.__class__ is self.__class__ else NotImplemented

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        fields = ", ".join([f"{name}={getattr(self, name)!r}" for name in self.__match_args__])
        return f"{self.__class__.__qualname__.rpartition('>.')[2]}({fields})"


class IPv4Address(_Value):
    """An IPv4 host, as a dotted quad, and a port. Raises ValueError if `type` is neither "TCP" nor "UDP"."""

    __match_args__ = ("type", "host", "port")

    type: Literal["TCP", "UDP"]
    host: str
    port: int

    def __init__(self, type: Literal["TCP", "UDP"], host: str, port: int) -> None:
        if type not in ("TCP", "UDP"):
            raise _wrong(type)
        self.type, self.host, self.port = type, host, port


class IPv6Address(_Value):
    """An IPv6 host, as colon-separated hexadecimal, and a port; flow label and scope (a number or an interface's name).

    Raises ValueError if `type` is neither "TCP" nor "UDP".
    """

    __match_args__ = ("type", "host", "port", "flowInfo", "scopeID")

    type: Literal["TCP", "UDP"]
    host: str
    port: int
    flowInfo: int
    scopeID: str | int

    def __init__(
        self, type: Literal["TCP", "UDP"], host: str, port: int, flowInfo: int = 0, scopeID: str | int = 0
    ) -> None:
        if type not in ("TCP", "UDP"):
            raise _wrong(type)
        self.type, self.host, self.port, self.flowInfo, self.scopeID = type, host, port, flowInfo, scopeID


class HostnameAddress(_Value):
    """A name that is still to be resolved, as the bytes that go over the wire, and a port."""

    __match_args__ = ("hostname", "port")

    hostname: bytes
    port: int

    def __init__(self, hostname: bytes, port: int) -> None:
        self.hostname, self.port = hostname, port


class UNIXAddress:
    """A path in the file system, kept as bytes; None for the end of a UNIX connection that has no name.

    Equal are addresses of the same name, or whose names lead to the same file. A name that starts with a null byte is
    not in the file system.
    """

    __match_args__ = ("name",)

    name: bytes | None

    def __init__(self, name: str | bytes | None) -> None:
        self.name = None if name is None else os.fsencode(name)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, UNIXAddress):
            return NotImplemented
        if self.name == other.name:
            return True
        if self.name is None or other.name is None:
            return False
        try:
            return os.path.samefile(self.name, other.name)
        except (OSError, ValueError):  # ValueError: there is a null byte in it
            return False

    def __hash__(self) -> int:
        if self.name is not None:
            try:
                file = os.stat(self.name)
                return hash((UNIXAddress, file.st_dev, file.st_ino))
            except (OSError, ValueError):
                pass
        return hash((UNIXAddress, self.name))

    def __repr__(self) -> str:
        return f"UNIXAddress({None if self.name is None else os.fsdecode(self.name)!r})"


class _ProcessAddress:
    """The other end of a pipe to a process: there is nothing to say about it, and no two are equal."""
