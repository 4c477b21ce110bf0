"""Which reactor is meant where none is named: the one that runs in this thread, else the process's own.

The process's own is made when it is first asked for, not by importing anything, and can be given beforehand (install).
"""

from __future__ import annotations

import threading
from typing import Any

from .contract import Reactor, running_here
from .error import ReactorAlreadyInstalledError
from .net import descriptor

__all__ = ["Place", "current", "default", "install", "installed", "keep_in"]


class Place:
    """Where the process's reactor is kept. A subclass may keep it where others look for it (see takeover)."""

    reactor: Any = None

    def fill(self) -> None:
        """Make a reactor, because it is asked for and nobody has installed one."""
        self.reactor = Reactor()


_lock = threading.RLock()  # a place may fill itself with install()
_place = Place()


def keep_in(place: Place) -> None:
    """Keep the process's reactor there from now on; one that there is already moves."""
    global _place
    with _lock:
        if _place.reactor is not None:
            place.reactor = _place.reactor
        _place = place


def install(reactor: Any) -> None:
    """Make this the process's reactor.

    Raises ReactorAlreadyInstalledError if there is one, made on first use or installed (semantics 45).
    """
    with _lock:
        if _place.reactor is not None:
            raise ReactorAlreadyInstalledError(f"this process has a reactor already: {_place.reactor!r}")
        _place.reactor = reactor


def installed() -> Any:
    """The process's reactor, or None if it has not been made."""
    return _place.reactor


def default() -> Any:
    """The process's reactor, made now if need be. Any thread. A Reactor, unless another was installed."""
    reactor = _place.reactor
    if reactor is None:
        with _lock:
            if _place.reactor is None:
                _place.fill()
            reactor = _place.reactor
    return reactor


def current() -> Any:
    """The reactor that runs in the calling thread, else the process's."""
    here = running_here()
    return default() if here is None else here


descriptor.current_reactor = current
