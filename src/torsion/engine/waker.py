"""Ends a wait from another thread or a signal handler.

A descriptor that the poller watches, and that anyone may make readable: an eventfd where there is one (half the
descriptors, and any number of wakes is one number to read), a pipe elsewhere. Non-blocking, because the waker of a
loop that is slow must not become slow itself: a full pipe is awake already.
"""

from __future__ import annotations

import os

from ..twin.kernel import Sys


class Waker:
    """Handler of its own descriptor: watch it for READ. Raises OSError when descriptors have run out."""

    def __init__(self, eventfd: bool = hasattr(os, "eventfd")) -> None:
        if eventfd:
            self._token = b"\1" * 8  # it adds a 64-bit number: any will do that is neither 0 nor nearly 2**64
            self._reader = self._writer = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        else:
            self._token = b"\1"
            self._reader, self._writer = os.pipe()  # close-on-exec already
            os.set_blocking(self._reader, False)
            os.set_blocking(self._writer, False)

    def fileno(self) -> int:
        """The readable side; -1 once closed."""
        return self._reader

    def wake(self) -> None:
        """Make the descriptor readable. Any thread, and signal handlers; nothing happens once it is closed."""
        if self._writer < 0:
            return
        try:
            os.write(self._writer, self._token)  # the interpreter is free meanwhile for the loop, which wakes at once
        except BlockingIOError:
            pass  # full: it is readable

    def on_ready(self, ready: int) -> None:
        """Make the descriptor unreadable again."""
        # Compiled, without letting the interpreter go: the thread that woke the loop would take it in mid-turn.
        Sys.read(self._reader, 4096)  # what should be left in a pipe is told again; EAGAIN: it is empty

    def close(self) -> None:
        """Close both sides. Any number of times."""
        if self._reader < 0:
            return
        reader, writer = self._reader, self._writer
        self._reader = self._writer = -1
        os.close(reader)
        if writer != reader:
            os.close(writer)
