"""Names of `twisted.internet.tcp` that Twisted's own unix and ssl modules, and its tests, use."""

from collections.abc import Callable
from errno import (
    EAGAIN,
    EALREADY,
    ECONNABORTED,
    EINPROGRESS,
    EINVAL,
    EISCONN,
    EMFILE,
    ENFILE,
    ENOBUFS,
    ENOMEM,
    EPERM,
    EWOULDBLOCK,
)
from typing import Any

from zope.interface import Interface, implementer

from torsion.net.binding import NUMERIC_ONLY as _NUMERIC_ONLY
from torsion.net.binding import resolve_ipv6 as _resolveIPv6
from torsion.net.listener import RESERVE as _reservedFD
from torsion.net.listener import Reserve

__all__ = [
    "EAGAIN",
    "EALREADY",
    "ECONNABORTED",
    "EINPROGRESS",
    "EINVAL",
    "EISCONN",
    "EMFILE",
    "ENFILE",
    "ENOBUFS",
    "ENOMEM",
    "EPERM",
    "EWOULDBLOCK",
    "_ACCEPT_ERRORS",
    "_NUMERIC_ONLY",
    "_BuffersLogs",
    "_FileDescriptorReservation",
    "_IFileDescriptorReservation",
    "_NullFileDescriptorReservation",
    "_reservedFD",
    "_resolveIPv6",
]  # fmt: skip

_ACCEPT_ERRORS = (EMFILE, ENOBUFS, ENFILE, ENOMEM, ECONNABORTED)


class _IFileDescriptorReservation(Interface):  # type: ignore[misc]
    """A descriptor that is held so that it can be given up."""

    def available() -> bool:  # type: ignore[misc, empty-body]
        """Whether one is held."""

    def reserve() -> None:  # type: ignore[misc]
        """Hold one."""

    def __enter__() -> None:  # type: ignore[misc]
        """Give it up for the time of the block."""

    def __exit__(exc_type: Any, exc_value: Any, traceback: Any) -> None:
        """Hold one again."""


@implementer(_IFileDescriptorReservation)
class _FileDescriptorReservation(Reserve):
    """The same, with the contract's name."""


@implementer(_IFileDescriptorReservation)
class _NullFileDescriptorReservation:
    """None is held, ever."""

    def available(self) -> bool:
        return False

    def reserve(self) -> None: ...

    def __enter__(self) -> None: ...

    def __exit__(self, exc_type: Any, exc_value: Any, traceback: Any) -> None: ...


class _BuffersLogs:
    """A logger whose events reach the observer at the end of the block, or at an exception."""

    def __init__(self, namespace: str, observer: Callable[[Any], object]) -> None:
        self._namespace, self._observer = namespace, observer
        self._events: list[Any] = []

    def __enter__(self) -> Any:
        from twisted.logger import Logger

        return Logger(self._namespace, observer=self._events.append)

    def __exit__(self, exc_type: Any, exc_value: Any, traceback: Any) -> None:
        events, self._events = self._events, []
        for event in events:
            self._observer(event)
