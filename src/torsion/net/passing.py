"""File descriptors that travel with the bytes of a UNIX stream: those that wait to be sent, and what becomes of others.

Each is carried by one byte, the next that is sent; so one never arrives later than what is written after it, and who
sends more descriptors than there are bytes to carry them has made a mistake (75). What waits is a duplicate: the caller
may close its own at once, and a number that was closed and is another file's by then is never what gets sent.
"""

from __future__ import annotations

import errno
import os
import socket
from array import array
from typing import Any

from .. import report
from ..core.outbox import Outbox
from ..core.streamlife import ABORTED
from ..error import FileDescriptorOverrun
from .descriptor import CONNECTION_LOST

MANY = 64
"""If more wait than this, a producer is paused."""
NOT_NOW = (errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOBUFS, errno.EINTR)
GONE = (errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN)


class Passing:
    """The descriptors of one stream. It owns what is in `waiting` and in `received`."""

    def __init__(self) -> None:
        self.waiting: list[int] = []  # few as a rule; a deque is ten times as large
        self.received: list[int] = []

    def add(self, descriptor: int) -> None:
        """Take a duplicate, to be sent. TypeError for what is no number, OSError if it is not open or none is left."""
        if isinstance(descriptor, bool) or not isinstance(descriptor, int):
            raise TypeError(f"a file descriptor is a number, not {descriptor!r}")
        try:
            self.waiting.append(os.dup(descriptor))
        except (OSError, OverflowError) as error:
            number = getattr(error, "errno", None) or errno.EBADF
            raise OSError(number, f"cannot send file descriptor {descriptor!r}: {os.strerror(number)}") from None

    def send(self, fd: int, outbox: Outbox) -> Any:
        """Send what waits, each with a byte that is taken from `outbox`. A reason to disconnect, or None."""
        if len(self.waiting) > outbox.size:
            return FileDescriptorOverrun()
        connection = socket.SocketType(socket.AF_UNIX, socket.SOCK_STREAM, 0, fd)
        try:
            while self.waiting:
                passed = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", [self.waiting[0]]))
                connection.sendmsg([outbox.view(1)], [passed])
                outbox.take(1)
                os.close(self.waiting.pop(0))
        except OSError as error:
            if error.errno in NOT_NOW:
                return None
            if error.errno not in GONE:  # ETOOMANYREFS: as many are on their way as the system allows
                report.error(f"Could not send a file descriptor: {error}")
            return CONNECTION_LOST.value
        finally:
            connection.detach()
        return None

    def deliver(self, stream: Any) -> None:
        """Give the protocol what was received, in order; a protocol that takes none is spared them (75).

        Raises what fileDescriptorReceived does; what is left then, or when the connection is over, is closed.
        """
        received = self.received
        try:
            while received:
                descriptor = received.pop(0)
                if descriptor < 0:
                    report.error("File descriptors that a peer sent are lost: this process may not have that many")
                    continue
                over = stream._life >= ABORTED
                receiver = None if over else descriptor_receiver(stream.protocol)
                if receiver is not None:
                    receiver.fileDescriptorReceived(descriptor)
                    continue
                os.close(descriptor)
                if not over:
                    unwanted(stream)
        finally:
            _close_all(received)

    def close(self) -> None:
        """The stream is over: what waits will not be sent."""
        _close_all(self.waiting)
        _close_all(self.received)


def _close_all(descriptors: list[int]) -> None:
    while descriptors:
        descriptor = descriptors.pop()
        if descriptor >= 0:
            os.close(descriptor)


def descriptor_receiver(protocol: Any) -> Any:
    """`protocol` if it has the method of IFileDescriptorReceiver, or None."""
    return protocol if hasattr(protocol, "fileDescriptorReceived") else None


def unwanted(stream: Any) -> None:
    """Report that the protocol of this stream was sent a descriptor. The takeover puts Twisted's own words here."""
    report.warning(
        f"{type(stream.protocol).__name__} has no fileDescriptorReceived: "
        f"a file descriptor was closed that {stream.getPeer()!r} sent to {stream.getHost()!r}"
    )
