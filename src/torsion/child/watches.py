"""The three system calls of inotify, through the C library."""

from __future__ import annotations

import ctypes
import functools
import os

CLOSE_ON_EXEC, NON_BLOCKING = os.O_CLOEXEC, os.O_NONBLOCK


class INotifyError(OSError):
    """A system call of inotify failed, or the system has none."""


class Calls:
    """The calls. INotifyError when this is made, if the C library has none; and of each call, as the kernel says."""

    def __init__(self) -> None:
        library = ctypes.CDLL(None, use_errno=True)
        try:
            self._init, self._add, self._remove = (
                library.inotify_init1,
                library.inotify_add_watch,
                library.inotify_rm_watch,
            )
        except AttributeError:
            raise INotifyError("this system has no inotify: it is Linux's") from None
        self._add.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_uint32)
        self._remove.argtypes = (ctypes.c_int, ctypes.c_int)

    def init(self) -> int:
        """A descriptor to watch with: non-blocking, not inherited."""
        return _checked(self._init(CLOSE_ON_EXEC | NON_BLOCKING), "inotify cannot be used")

    def add(self, fd: int, path: bytes, mask: int) -> int:
        """Watch a path; returns the watch's number."""
        return _checked(self._add(fd, path, mask), f"{os.fsdecode(path)!r} cannot be watched")

    def remove(self, fd: int, watch: int) -> None:
        """Watch it no longer: an IN_IGNORED event follows."""
        _checked(self._remove(fd, watch), f"watch {watch} cannot be removed")


@functools.cache
def calls_of_the_kernel() -> Calls:
    """The calls: one of them a process, for to load a library leaves cycles behind."""
    return Calls()


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise INotifyError(number, f"{what}: {os.strerror(number)}")
    return result
