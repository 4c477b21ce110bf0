"""Signals end the wait, so that their Python handlers run at once.

The interpreter's C handler only notes that a signal came; the Python handler runs in the main thread, between two
instructions. That leaves two holes: a signal that comes between the last instruction and the start of the wait, and
one that the kernel gives to another thread; the wait knows of neither. So the C handler is also told to write to a
descriptor that the poller watches (`signal.set_wakeup_fd`). There is one per process, it belongs to the main thread's
loop, and it is a socket pair: an eventfd cannot take its one-byte writes.

Handlers stay when the loop ends (52): a second Ctrl-C during exit is not to print a traceback. Only a loop that ran
inside another one gives back what it took from that one, which goes on.
"""

from __future__ import annotations

import signal
import socket
import weakref
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Protocol

from ..twin.kernel import READ

SignalHandler = Callable[[int, FrameType | None], object]


class Watcher(Protocol):
    """What this needs of the engine."""

    def watch(self, fd: int, handler: Signals, interest: int) -> None: ...

    def forget(self, fd: int) -> None: ...


_installed: list[weakref.ref[Signals]] = []
"""Who delivers signals: the last one does, the others are of loops that it runs inside of."""


class Signals:
    """Delivers the process's signals to the loop of the main thread. The main thread only."""

    def __init__(self, engine: Watcher, woken: Callable[[], object]) -> None:
        """`woken()` is called in the loop when any signals have come, and once at installation: some may have come
        before (53)."""
        self._engine = engine
        self._woken = woken
        self._pair: tuple[socket.socket, socket.socket] | None = None
        self._handlers: Mapping[int, SignalHandler] = {}

    def install(self, handlers: Mapping[int, SignalHandler]) -> None:
        """Take the signals in `handlers`, and SIGCHLD, and have each that arrives end the wait.

        SIGINT is taken only from Python's own handler: a program that has set another wants that one (52). Raises
        ValueError outside of the main thread, and then has changed nothing.
        """
        for number, handler in handlers.items():
            if number != signal.SIGINT or signal.getsignal(number) is signal.default_int_handler:
                signal.signal(number, handler)
        self.uninstall()
        self._handlers = handlers
        reader, writer = self._pair = socket.socketpair()
        reader.setblocking(False)
        writer.setblocking(False)
        self._engine.watch(reader.fileno(), self, READ)
        set_child_handler(writer.fileno())
        _installed.append(weakref.ref(self))
        self._woken()

    def uninstall(self) -> None:
        """Give SIGCHLD and the wake-up descriptor back; `install`'s handlers stay. Any number of times.

        Back to the loop around this one, and then the handlers too; to nobody if there is none.
        """
        if self._pair is None:
            return
        was_innermost = _innermost() is self
        reader, writer = self._pair
        if was_innermost:
            set_child_handler(-1)
        self._pair = None
        around = _innermost()
        if was_innermost and around is not None:
            around._take_back(self._handlers)
        self._engine.forget(reader.fileno())
        reader.close()
        writer.close()

    def _take_back(self, handlers: Mapping[int, SignalHandler]) -> None:
        """What a loop that ran inside this one's has taken; what the program has set meanwhile stays."""
        for number, handler in self._handlers.items():
            if signal.getsignal(number) is handlers.get(number):
                signal.signal(number, handler)
        if self._pair is not None:
            set_child_handler(self._pair[1].fileno())
        self._woken()

    def fileno(self) -> int:
        """What is readable when a signal has come; -1 while nothing is installed."""
        return -1 if self._pair is None else self._pair[0].fileno()

    def on_ready(self, ready: int) -> None:
        """Empty the wake-up descriptor; by now the interpreter has run the handlers, or is about to."""
        if self._pair is not None:
            try:
                self._pair[0].recv(4096)
            except BlockingIOError:
                pass
            self._woken()


def _innermost() -> Signals | None:
    """Who delivers signals now; forgets those that are not installed any more."""
    while _installed:
        last = _installed[-1]()
        if last is not None and last._pair is not None:
            return last
        _installed.pop()
    return None


def set_child_handler(fd: int) -> int:
    """Have signals write to `fd`, and SIGCHLD be one of those that do; -1 undoes both. Returns the descriptor that
    was set before (53).

    Without a handler SIGCHLD would not be written. With one it interrupts system calls, so those that can are to be
    resumed.
    """
    if hasattr(signal, "SIGCHLD"):
        if fd == -1:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        else:
            signal.signal(signal.SIGCHLD, _ignore)
            signal.siginterrupt(signal.SIGCHLD, False)
    # A full descriptor has been written to and will be read: no warning.
    return signal.set_wakeup_fd(fd, warn_on_full_buffer=False)


def _ignore(number: int, frame: FrameType | None) -> None:
    """SIGCHLD's handler. The write to the wake-up descriptor was the purpose."""
