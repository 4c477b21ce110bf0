"""The reasons for which most connections end, and the installation of a reactor. Contract: twisted.internet.main."""

from __future__ import annotations

from typing import Any

from . import reactors
from .error import ConnectionDone, ConnectionLost
from .net import descriptor

# The exceptions; the failures made of them, one of each in a process, are what a protocol is told (semantics 67).
CONNECTION_DONE: ConnectionDone = descriptor.CONNECTION_DONE.value
CONNECTION_LOST: ConnectionLost = descriptor.CONNECTION_LOST.value

__all__ = ["CONNECTION_DONE", "CONNECTION_LOST", "installReactor"]


def installReactor(reactor: Any) -> None:
    """Make this the process's reactor.

    Raises error.ReactorAlreadyInstalledError if the process has one (semantics 45).
    """
    reactors.install(reactor)
