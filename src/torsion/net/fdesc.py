"""Single reads and writes of a file descriptor. They answer as doRead does: with a reason to disconnect, or not.

Contract: twisted.internet.fdesc.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

from .descriptor import CONNECTION_DONE, CONNECTION_LOST

__all__ = ["readFromFD", "setBlocking", "setNonBlocking", "writeToFD"]

BUFFER = 65536
"""The most that one read takes, in bytes: what a Linux pipe holds."""
SEND_LIMIT = 131072
"""The most that one write is given, in bytes."""
DONE: BaseException = CONNECTION_DONE.value
LOST: BaseException = CONNECTION_LOST.value
NOTHING_NOW = (errno.EAGAIN, errno.EINTR)


def setNonBlocking(fd: int) -> None:
    """Have calls on `fd` return at once. All who share the open file (after dup or fork) share this."""
    os.set_blocking(fd, False)


def setBlocking(fd: int) -> None:
    """Have calls on `fd` wait again."""
    os.set_blocking(fd, True)


def readFromFD(fd: int, callback: Callable[[bytes], object]) -> BaseException | None:
    """Read once, at most 65,536 bytes, and call `callback(data)` if there was something.

    Returns None, CONNECTION_DONE at the end of the file, or CONNECTION_LOST after an error. What `callback` raises is
    the caller's.
    """
    try:
        data = os.read(fd, BUFFER)
    except OSError as error:
        return None if error.errno in NOTHING_NOW else LOST
    if not data:
        return DONE
    callback(data)
    return None


def writeToFD(fd: int, data: bytes | memoryview) -> int | BaseException:
    """Write once. Returns how many bytes were taken (0: no room), or CONNECTION_LOST after an error."""
    try:
        return os.write(fd, data[:SEND_LIMIT])
    except OSError as error:
        return 0 if error.errno in NOTHING_NOW else LOST


def _setCloseOnExec(fd: int) -> None:
    """Keep `fd` from programs that this process becomes or starts."""
    os.set_inheritable(fd, False)


def _unsetCloseOnExec(fd: int) -> None:
    """Let programs that this process becomes have `fd`."""
    os.set_inheritable(fd, True)
