"""Bytes waiting to be written, in the pieces in which they came.

Two observations. Mostly a write has been sent before the next one comes: so the first piece has a place of its own, and
only what queues behind it costs a list. And a system call costs as much as copying some kilobytes: so small pieces next
to each other are joined, once, when it is their turn. What is not small is never copied, however large.

So everything costs the same per piece, whatever the sizes: what is joined was not sent yet, apart from fewer than
`SMALL` bytes that an earlier send left over, and the list is cut only when at least half of it has gone.
"""

from __future__ import annotations

from collections.abc import Iterable

SMALL = 4096
"""Bytes from which on a piece is left as it is."""
JOINED = 65536
"""Bytes at which joining ends. The allocator takes larger blocks from the system, page by page, each time."""
MOST = 64
"""Buffers for one sendmsg. The system takes 1,024; past a few dozen there is nothing to be gained."""


class Outbox:
    """A queue of bytes. It keeps what it is given, so this must be bytes, not a buffer that may change: not checked."""

    def __init__(self) -> None:
        self.size = 0
        """Bytes that wait, for reading only."""
        self._head: bytes | None = None  # the piece whose turn it is; None only if nothing waits
        self._sent = 0  # how much of it has been taken
        self._rest: list[bytes | None] | None = None  # the pieces behind it: from `_next` on, None before
        self._next = 0

    def __len__(self) -> int:
        return self.size

    def append(self, data: bytes) -> None:
        """Add a piece."""
        length = len(data)
        if not length:
            return
        self.size += length
        if self._head is None:
            self._head = data
        elif self._rest is None:
            self._rest = [data]
        else:
            self._rest.append(data)

    def extend(self, pieces: Iterable[bytes]) -> None:
        """Add pieces, in their order."""
        for data in pieces:
            self.append(data)

    def over(self, limit: int) -> bool:
        """Whether more than `limit` bytes wait; exactly `limit` is not over it (68)."""
        return self.size > limit

    def view(self, limit: int) -> bytes | memoryview:
        """What one send should be given: the next bytes, `limit` (positive) at most; empty only if nothing waits."""
        self._join()
        if self._head is None:
            return b""
        left = len(self._head) - self._sent
        if left > limit:
            left = limit
        elif self._sent == 0:
            return self._head
        return memoryview(self._head)[self._sent : self._sent + left]

    def whole(self) -> bytes | None:
        """What waits, if that is one piece of which nothing has been taken; else None."""
        if self._rest is not None:
            self._join()
        return self._head if self._rest is None and not self._sent else None

    def pieces(self, limit: int) -> list[bytes | memoryview]:
        """What one sendmsg should be given: as `view`, going on through what is too large to be joined."""
        if self._head is None:
            return []
        found = [self.view(limit)]
        rest = self._rest
        if rest is not None:
            limit -= len(found[0])
            at = self._next
            while limit > 0 and at < len(rest) and len(found) < MOST:
                data = rest[at]
                assert data is not None
                length = len(data)
                found.append(data if length <= limit else memoryview(data)[:limit])
                limit -= length
                at += 1
        return found

    def take(self, count: int) -> None:
        """The next `count` bytes have been sent: forget them. Raises ValueError if fewer wait."""
        if count < 0 or count > self.size:
            raise ValueError(f"cannot take {count} bytes: {self.size} wait")
        self.size -= count
        if not self.size:
            self.clear()
            return
        self._sent += count
        while True:
            assert self._head is not None
            length = len(self._head)
            if self._sent < length:
                return
            self._sent -= length
            self._advance()

    def clear(self) -> None:
        """Nothing waits any longer."""
        self.size = self._sent = self._next = 0
        self._head = self._rest = None

    def _join(self) -> None:
        """Make one piece of a small head and the small pieces behind it."""
        rest, head = self._rest, self._head
        if rest is None or head is None:
            return
        total = len(head) - self._sent
        if total >= SMALL:
            return
        run = [head[self._sent :]]
        at, end = self._next, len(rest)
        while at < end and total < JOINED:
            data = rest[at]
            assert data is not None
            length = len(data)
            if length >= SMALL:
                break
            run.append(data)
            rest[at] = None
            total += length
            at += 1
        if at > self._next:
            self._head = b"".join(run)
            self._sent = 0
            self._left(at)

    def _advance(self) -> None:
        """The head is done: it is the next one's turn."""
        rest = self._rest
        assert rest is not None
        self._head = rest[self._next]
        rest[self._next] = None
        self._left(self._next + 1)

    def _left(self, at: int) -> None:
        """The pieces before `at` are no longer behind the head."""
        assert self._rest is not None
        if at == len(self._rest):
            self._rest = None
            self._next = 0
        elif at * 2 >= len(self._rest):
            del self._rest[:at]
            self._next = 0
        else:
            self._next = at
