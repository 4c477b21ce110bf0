"""A lock between processes that a crash cannot leave shut: a symbolic link whose target is its holder's process id.

Making a link is atomic and fails if the name exists; reading it tells who holds it; a holder that no longer lives is
pushed aside by whoever finds that out.
"""

from __future__ import annotations

import os


class FilesystemLock:
    """``name`` is the link's path, ``locked`` whether this object holds it, ``clean`` whether no dead holder was found.

    Contract: the lock under ``DeferredFilesystemLock`` in Twisted.
    """

    clean: bool | None = None
    locked = False

    def __init__(self, name: str) -> None:
        self.name = name

    def lock(self) -> bool:
        """Take the lock if nobody alive holds it, without waiting. OSError if the path cannot be linked or read."""
        clean = True
        while True:
            try:
                os.symlink(str(os.getpid()), self.name)
            except FileExistsError:
                holder = self._holder()
                if holder is not None and _is_alive(holder):
                    return False
                clean = clean and holder is None
                if holder is not None:
                    self._remove_dead()
            else:
                self.locked = True
                self.clean = clean
                return True

    def unlock(self) -> None:
        """Give the lock back. ValueError if another process holds it, FileNotFoundError if nobody does."""
        holder = int(os.readlink(self.name))
        if holder != os.getpid():
            raise ValueError(f"lock {self.name!r} is held by process {holder}, not by this one")
        os.unlink(self.name)
        self.locked = False

    def _holder(self) -> int | None:
        try:
            return int(os.readlink(self.name))
        except FileNotFoundError:  # given back between the two system calls
            return None

    def _remove_dead(self) -> None:
        try:
            os.unlink(self.name)
        except FileNotFoundError:  # another finder was faster
            pass


def is_locked(name: str) -> bool:
    """Whether a process that lives holds the lock of this name."""
    try:
        return _is_alive(int(os.readlink(name)))
    except (OSError, ValueError):  # there is none, or it is no lock
        return False


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it lives, and belongs to somebody else
        return True
    return True
