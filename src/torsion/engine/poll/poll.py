"""poll: any number of descriptors, handed to the kernel anew by every wait.

The list is ours and holds numbers only, so a closed descriptor is told as POLLNVAL by each wait until it is
unregistered, and a number that is used again is simply watched again.
"""

from __future__ import annotations

import select

from ...twin.kernel import GONE, READ, WRITE


class PollPoller:
    """Contract: Poller, in this package."""

    name = "poll"

    def __init__(self) -> None:
        self._poll = select.poll()

    def register(self, fd: int, interest: int) -> None:
        self._poll.register(fd, (select.POLLIN if interest & READ else 0) | (select.POLLOUT if interest & WRITE else 0))

    modify = register  # poll.modify differs only in refusing what is not registered

    def unregister(self, fd: int) -> None:
        try:
            self._poll.unregister(fd)
        except KeyError:
            pass

    def wait(self, timeout: float | None) -> list[tuple[int, int]]:
        return [
            (
                fd,
                (READ if events & select.POLLIN else 0)
                | (WRITE if events & select.POLLOUT else 0)
                | (GONE if events & (select.POLLHUP | select.POLLERR | select.POLLNVAL) else 0),
            )
            for fd, events in self._poll.poll(None if timeout is None else timeout * 1000)  # milliseconds, rounded up
        ]

    def fileno(self) -> int:
        return -1

    def close(self) -> None:
        self._poll = select.poll()
