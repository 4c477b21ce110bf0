"""A child on a terminal of its own: what it writes, to whichever descriptor, comes out as one stream (semantics 57).

Closing the terminal hangs the child up: the kernel sends it SIGHUP.

Contract: twisted.internet.process.
"""

from __future__ import annotations

import os
from typing import Any

from ..failure import Failure
from ..net.fdesc import readFromFD, writeToFD
from ..net.filedescriptor import FileDescriptor
from . import spawn
from .process import Child


class PTYProcess(Child, FileDescriptor):
    """See Reactor.spawnProcess. The reactor's thread only."""

    def __init__(
        self,
        reactor: Any,
        executable: Any,
        args: Any,
        environment: Any,
        path: Any,
        proto: Any,
        uid: int | None = None,
        gid: int | None = None,
        usePTY: Any = None,
    ) -> None:
        """`usePTY`: a terminal that is there, as (master, slave, name of the slave), or what is none to have one made.

        The descriptors of one that is there are this object's from now on, but if this raises. Raises TypeError,
        ValueError or OSError.
        """
        FileDescriptor.__init__(self, reactor)
        self.proto = proto
        order = spawn.order(executable, args, environment, path, uid, gid)
        given = isinstance(usePTY, tuple | list)
        if given and len(usePTY) != 3:
            raise ValueError(f"usePTY is to be (master, slave, name) if it is a terminal that is there, not {usePTY!r}")
        master, slave = usePTY[:2] if given else os.openpty()
        try:
            pid = self._start(order, master, slave)
        except BaseException:
            if not given:
                os.close(master)
                os.close(slave)
            raise
        self.fd = master
        self.connected = 1
        try:
            os.close(slave)
            os.set_blocking(master, False)
            self.startReading()
        except BaseException:
            if not given:
                os.close(master)
            self.fd = -1
            self._give_up(pid)
            raise
        self._begin(pid)

    def _start(self, order: spawn.Order, master: int, slave: int) -> int:
        """Start the program on the terminal; returns the child's number."""
        return spawn.start_on_terminal(order, slave)

    def fileno(self) -> int:
        """The terminal's descriptor, for its settings and its size; -1 once it is closed."""
        return self.fd

    def doRead(self) -> Any:
        """Read once; all is the child's standard output (57). That nobody has it open any more is an error on Linux."""
        return readFromFD(self.fd, self._received)

    def _received(self, data: bytes) -> None:
        self._count_bytes(len(data), 0)
        if self.proto is not None:
            self.proto.childDataReceived(1, data)

    def writeSomeData(self, data: bytes) -> Any:
        return writeToFD(self.fd, data)

    def connectionLost(self, reason: Failure) -> None:
        """The terminal is closed: by the child, or by loseConnection, which hangs the child up."""
        if self.disconnected:
            return
        super().connectionLost(reason)
        fd, self.fd = self.fd, -1
        self._close_descriptor(fd)
        self.lostProcess += 1
        self.maybeCallProcessEnded()

    def _all_is_lost(self) -> bool:
        return self.fd < 0

    # Contract: IProcessTransport. There is nothing to be closed by itself.

    def closeStdin(self) -> None:
        """Nothing: it is the whole terminal."""

    closeStdout = closeStderr = closeStdin

    def closeChildFD(self, descriptor: int) -> None:
        raise NotImplementedError("a terminal has no descriptors that can be closed one by one")

    def writeToChild(self, childFD: int, data: bytes) -> None:
        raise NotImplementedError("a terminal has no descriptors that can be written to one by one: use write()")
