"""select: there on every system, for descriptors up to FD_SETSIZE (1,024 as a rule).

It fails as a whole when one of its descriptors is closed or too large, without saying which. Then each is asked about
alone, and those that cannot be waited for are told as GONE.
"""

from __future__ import annotations

import select

from ...twin.kernel import GONE, READ, WRITE


class SelectPoller:
    """Contract: Poller, in this package."""

    name = "select"

    def __init__(self) -> None:
        self._reading: set[int] = set()
        self._writing: set[int] = set()

    def register(self, fd: int, interest: int) -> None:
        for watched, bit in ((self._reading, READ), (self._writing, WRITE)):
            if interest & bit:
                watched.add(fd)
            else:
                watched.discard(fd)

    modify = register

    def unregister(self, fd: int) -> None:
        self._reading.discard(fd)
        self._writing.discard(fd)

    def wait(self, timeout: float | None) -> list[tuple[int, int]]:
        try:
            readable, writable, _ = select.select(self._reading, self._writing, (), timeout)
        except (OSError, ValueError):
            return self._unusable()
        ready = dict.fromkeys(readable, READ)
        for fd in writable:
            ready[fd] = ready.get(fd, 0) | WRITE
        return list(ready.items())

    def _unusable(self) -> list[tuple[int, int]]:
        found = []
        for fd in self._reading | self._writing:
            try:
                select.select((fd,), (), (), 0)
            except (OSError, ValueError):
                found.append((fd, GONE))
        return found

    def fileno(self) -> int:
        return -1

    def close(self) -> None:
        self._reading.clear()
        self._writing.clear()
