"""epoll, level-triggered: the kernel keeps the list of what is watched, so a wait costs by what is ready, not by what
is watched.

The trap: that list is keyed by the pair (number, open file), and an entry leaves it by itself only when the *file*
closes, which is when the last duplicate of the descriptor closes, in a forked child too. Until then the entry goes on
reporting a number that may long belong to another file, and cannot be removed under that number any more. So
descriptors are to be unregistered before they are closed; the engine's `forget` does that at once. For the opposite
case, a number closed behind our back and used again, what the kernel says goes.
"""

from __future__ import annotations

from ...twin.kernel import EpollSet


class EpollPoller:
    """Contract: Poller, in this package."""

    name = "epoll"

    def __init__(self) -> None:
        self.events = EpollSet()

    def register(self, fd: int, interest: int) -> None:
        try:
            self.events.add(fd, interest)
        except FileExistsError:
            self.events.change(fd, interest)

    def modify(self, fd: int, interest: int) -> None:
        try:
            self.events.change(fd, interest)
        except FileNotFoundError:
            self.events.add(fd, interest)

    def unregister(self, fd: int) -> None:
        try:
            self.events.remove(fd)
        except OSError:
            pass  # closed (EBADF), its number another file's by now (ENOENT), or never registered

    def wait(self, timeout: float | None) -> list[tuple[int, int]]:
        return self.events.listed(timeout)

    def fileno(self) -> int:
        return self.events.fileno()

    def close(self) -> None:
        self.events.close()
