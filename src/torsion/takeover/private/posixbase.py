"""Private names of `twisted.internet.posixbase` that Twisted's other reactors and tests use."""

from typing import Any

from torsion.engine.poll import GONE, READ, WRITE
from torsion.engine.signals import set_child_handler
from torsion.engine.waker import Waker
from torsion.error import ConnectionFdescWentAway
from torsion.net.descriptor import Descriptor, InternalReader, disconnect
from torsion.task import LoopingCall

__all__ = [
    "_NO_FILEDESC", "_NO_FILENO", "_ContinuousPolling", "_PollLikeMixin", "_SIGCHLDWaker", "_SocketWaker", "_UnixWaker",
    "_Waker", "processEnabled", "unixEnabled",
]  # fmt: skip

processEnabled = unixEnabled = True  # on a POSIX system

_NO_FILEDESC = ConnectionFdescWentAway("The file descriptor is gone")
_NO_FILENO = ConnectionFdescWentAway("It has no fileno method")  # the name until Twisted 24.7


class _AnyWaker(type):
    """A reactor's own waker counts as one of these."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, InternalReader)


class _Waker(InternalReader, metaclass=_AnyWaker):
    """A waker that belongs to whoever makes it: connectionLost closes it."""

    _eventfd = True

    def __init__(self, reactor: Any = None) -> None:
        self._own = Waker() if self._eventfd else Waker(eventfd=False)
        super().__init__(self._own)

    def connectionLost(self, reason: object) -> None:
        self._own.close()


_UnixWaker = _SocketWaker = _Waker


class _SIGCHLDWaker(_Waker):
    """A waker that the end of a child process wakes, and that then has Twisted's process module look at its own."""

    _eventfd = False  # signals are written as single bytes

    def install(self) -> None:
        set_child_handler(self._own._writer)

    def uninstall(self) -> None:
        set_child_handler(-1)

    def doRead(self) -> None:
        from twisted.internet import process

        super().doRead()
        process.reapAllProcesses()


class _PollLikeMixin:
    """Serves events of a mechanism like poll, which the reactor has by itself; its bits are class attributes."""

    _POLL_DISCONNECTED: int
    _POLL_IN: int
    _POLL_OUT: int
    _reads: Any = ()

    def _doReadOrWrite(self: Any, selectable: Any, fd: int, event: int) -> None:
        watched = Descriptor(fd, self._disconnectSelectable)
        watched.reader = selectable if event & self._POLL_IN or fd in self._reads else None
        watched.writer = selectable if event & self._POLL_OUT or watched.reader is None else None
        bits = (self._POLL_IN, READ), (self._POLL_OUT, WRITE), (self._POLL_DISCONNECTED, GONE)
        watched.on_ready(sum(ours for theirs, ours in bits if event & theirs))


class _ContinuousPolling:
    """Serves what is always ready, again and again, by a reactor's clock. (Our engine does so by itself, see 61.)"""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._loop: LoopingCall | None = None
        self._readers: dict[Any, None] = {}
        self._writers: dict[Any, None] = {}

    def addReader(self, reader: Any) -> None:
        self._readers[reader] = None
        self._check_loop()

    def addWriter(self, writer: Any) -> None:
        self._writers[writer] = None
        self._check_loop()

    def removeReader(self, reader: Any) -> None:
        self._readers.pop(reader, None)
        self._check_loop()

    def removeWriter(self, writer: Any) -> None:
        self._writers.pop(writer, None)
        self._check_loop()

    def removeAll(self) -> list[Any]:
        removed = list(self._readers | self._writers)
        self._readers.clear()
        self._writers.clear()
        self._check_loop()
        return removed

    def getReaders(self) -> list[Any]:
        return list(self._readers)

    def getWriters(self) -> list[Any]:
        return list(self._writers)

    def isReading(self, selectable: Any) -> bool:
        return selectable in self._readers

    def isWriting(self, selectable: Any) -> bool:
        return selectable in self._writers

    def iterate(self) -> None:
        for selectable in self._readers | self._writers:
            watched = Descriptor(-1, self._disconnectSelectable)
            watched.reader = selectable if selectable in self._readers else None
            watched.writer = selectable if selectable in self._writers else None
            if watched.interest():
                watched.on_ready(READ | WRITE)

    def _disconnectSelectable(self, selectable: Any, why: Any, isRead: bool) -> None:
        disconnect(self, selectable, why, isRead)

    def _check_loop(self) -> None:
        if self._readers or self._writers:
            if self._loop is None:
                self._loop = LoopingCall(self.iterate)
                self._loop.clock = self._reactor
                self._loop.start(1e-8, now=False)  # what has to wait a turn, and is never put off
        elif self._loop is not None:
            self._loop.stop()
            self._loop = None
