"""Single reads and writes of a file descriptor. Contract: twisted.internet.fdesc."""

from __future__ import annotations

from .main import CONNECTION_DONE, CONNECTION_LOST
from .net.fdesc import (
    _setCloseOnExec,
    _unsetCloseOnExec,
    readFromFD,
    setBlocking,
    setNonBlocking,
    writeToFD,
)

__all__ = [
    "CONNECTION_DONE",
    "CONNECTION_LOST",
    "_setCloseOnExec",
    "_unsetCloseOnExec",
    "readFromFD",
    "setBlocking",
    "setNonBlocking",
    "writeToFD",
]
