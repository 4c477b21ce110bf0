"""Where the two ends of a connection are: values, equal by what they say, usable as keys, and picklable.

A path is the exception: two names of one file are one address, so UNIX addresses ask the file system when they are
compared or hashed. Contract: twisted.internet.address.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal

__all__ = ["HostnameAddress", "IPv4Address", "IPv6Address", "UNIXAddress"]


def _wrong(type: object) -> ValueError:
    return ValueError(f"type is {type!r}; it must be 'TCP' or 'UDP'")


# The two have an __init__ of their own, and not dataclass's, which would need a second call: one is made for each
# connection that is accepted.


@dataclass(order=True, unsafe_hash=True, init=False)
class IPv4Address:
    """An IPv4 host, as a dotted quad, and a port. Raises ValueError if `type` is neither "TCP" nor "UDP"."""

    type: Literal["TCP", "UDP"]
    host: str
    port: int

    def __init__(self, type: Literal["TCP", "UDP"], host: str, port: int) -> None:
        if type not in ("TCP", "UDP"):
            raise _wrong(type)
        self.type, self.host, self.port = type, host, port


@dataclass(order=True, unsafe_hash=True, init=False)
class IPv6Address:
    """An IPv6 host, as colon-separated hexadecimal, and a port; flow label and scope (a number or an interface's name).

    Raises ValueError if `type` is neither "TCP" nor "UDP".
    """

    type: Literal["TCP", "UDP"]
    host: str
    port: int
    flowInfo: int = 0
    scopeID: str | int = 0

    def __init__(
        self, type: Literal["TCP", "UDP"], host: str, port: int, flowInfo: int = 0, scopeID: str | int = 0
    ) -> None:
        if type not in ("TCP", "UDP"):
            raise _wrong(type)
        self.type, self.host, self.port, self.flowInfo, self.scopeID = type, host, port, flowInfo, scopeID


@dataclass(order=True, unsafe_hash=True)
class HostnameAddress:
    """A name that is still to be resolved, as the bytes that go over the wire, and a port."""

    hostname: bytes
    port: int


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
        return f"{self.__class__.__qualname__}({None if self.name is None else os.fsdecode(self.name)!r})"


class _ProcessAddress:
    """The other end of a pipe to a process: there is nothing to say about it, and no two are equal."""
