"""The parent's ends of a child's pipes, each watched by its reactor's addReader and addWriter.

They serve whatever they know as `proc`. It is told `childDataReceived(name, data)` and, once,
`childConnectionLost(name, reason)`, where it closes the descriptor if that is its own.

Contract: twisted.internet.process.
"""

from __future__ import annotations

import fcntl
import os
import select
import stat
from typing import Any

from ..failure import Failure
from ..net.descriptor import CONNECTION_DONE
from ..net.fdesc import readFromFD, writeToFD
from ..net.filedescriptor import FileDescriptor


class PipeEnd(FileDescriptor):
    """What both ends have in common."""

    def __init__(self, reactor: Any, proc: Any, name: Any, fileno: int) -> None:
        """`name` is what `proc` is told by. The descriptor becomes non-blocking. Raises OSError if it is not open."""
        super().__init__(reactor)
        os.set_blocking(fileno, False)
        self.proc = proc
        self.name = name
        self.fd = fileno
        self.connected = 1

    def fileno(self) -> int:
        """The descriptor, until `proc` was told that the connection is lost; then -1."""
        return self.fd

    def connectionLost(self, reason: Failure) -> None:
        if self.disconnected:
            return
        super().connectionLost(reason)
        try:
            self.proc.childConnectionLost(self.name, reason)
        finally:
            self.fd = -1


class ProcessReader(PipeEnd):
    """What the child writes comes out here."""

    def __init__(self, reactor: Any, proc: Any, name: Any, fileno: int) -> None:
        super().__init__(reactor, proc, name, fileno)
        self.startReading()

    def doRead(self) -> Any:
        """Read once, at most 65,536 bytes, and hand it on. What that raises ends this pipe alone (semantics 96)."""
        return readFromFD(self.fd, self._received)

    def _received(self, data: bytes) -> None:
        self._count_bytes(len(data), 0)
        self.dataReceived(data)

    def dataReceived(self, data: bytes) -> None:
        """Some of what the child wrote."""
        self.proc.childDataReceived(self.name, data)

    def write(self, data: bytes) -> None:
        """Nothing can be sent here. Raises ValueError if there is anything to send."""
        if data:
            raise ValueError(
                f"the child writes to its descriptor {self.name}, and cannot be written to there: {data!r}"
            )

    def loseConnection(self) -> None:
        """Read no more; `proc` is told on a later pass."""
        self.stopReading()
        self.reactor.callLater(0, self.connectionLost, CONNECTION_DONE)


class ProcessWriter(PipeEnd):
    """What is written here goes to the child."""

    def __init__(self, reactor: Any, proc: Any, name: Any, fileno: int, forceReadHack: bool = False) -> None:
        """`forceReadHack`: it is known to be a pipe's writing end. That the child has closed its own shows by watching
        it for reading (semantics 57); a terminal or a socket watched so would be drained, or never rest.
        """
        super().__init__(reactor, proc, name, fileno)
        if forceReadHack or _is_writing_end(fileno):
            self.startReading()

    def doRead(self) -> Any:
        """There is never anything to read: either the other end was closed, or this is a false alarm."""
        poll = select.poll()
        poll.register(self.fd, 0)
        return CONNECTION_DONE.value if poll.poll(0) else None

    def writeSomeData(self, data: bytes) -> Any:
        return writeToFD(self.fd, data)

    def connectionLost(self, reason: Failure) -> None:
        if self.disconnected:
            return
        try:
            # Who shares it with us, a shell perhaps, does not expect to find it otherwise (58).
            os.set_blocking(self.fd, True)
        except OSError:
            pass  # somebody else has closed it
        super().connectionLost(reason)


def _is_writing_end(fd: int) -> bool:
    only_writes = fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE == os.O_WRONLY
    return only_writes and stat.S_ISFIFO(os.fstat(fd).st_mode)
