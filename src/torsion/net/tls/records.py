"""Counts the TLS records in a stream of bytes, for a library that can only be asked by trying.

A record has a header of five bytes: its type, the version (two), the length of what follows (two). Nothing is
decrypted here, and nothing is kept but a header that is not there as a whole yet.
"""

from __future__ import annotations

HEADER = 5
FIRST_TYPE, LAST_TYPE = 20, 23
LONGEST = 16384 + 2048
"""A record is at most so long, in bytes; OpenSSL refuses a longer one."""


class Records:
    """See the module."""

    def __init__(self) -> None:
        self.whole = 0
        """Records that have come as a whole. Whoever takes some subtracts them."""
        self._ahead = 0
        self._head = b""

    def feed(self, data: bytes) -> None:
        """These bytes come next. What is no record counts as one: it is for the library to say so."""
        if self._head:
            data = self._head + data
            self._head = b""
        size = len(data)
        at = self._ahead  # where the next record begins
        if at and at <= size:
            self.whole += 1
        while at < size:
            length = data[at + 3] << 8 | data[at + 4] if at <= size - HEADER else 0
            if not FIRST_TYPE <= data[at] <= LAST_TYPE or length > LONGEST:
                self.whole += 1
                at = size
            elif at > size - HEADER:
                break
            else:
                at += HEADER + length
                if at <= size:
                    self.whole += 1
        if at < size:
            self._head = data[at:]
            at = size
        self._ahead = at - size
