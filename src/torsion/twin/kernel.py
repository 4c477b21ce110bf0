"""The system calls on the hot path. This module has two versions, and must not grow a third reason to exist.

`kernel.py` is the plain one, over the standard library; `kernel.pyx` with `kernel.pxd` is the compiled one, straight
to the kernel. Both offer the same classes, and every test runs against both. A consumer imports the class (and its
`.pxd` cimports it): compiled, its methods are C calls.

Readiness is spoken in three bits, the same for every poller; where they are made they are made once, in the loop over
the kernel's events.
"""

from __future__ import annotations

import errno
import operator
import os
import select
import socket
import struct
from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

READ = 1
"""There is something to read, an end of file or a connection to accept included."""
WRITE = 2
"""There is room to write."""
GONE = 4
"""Hung up, in error, or no longer open. Reported without being asked for, as far as the mechanism can tell."""

MAX_EVENTS = 512
"""Events taken by one wait; the rest stay ready, and the kernel hands them out first next time."""


PIECES = 64
"""How many pieces one `Sys.sendmsg` takes."""


SocketCalls = socket.SocketType
"""The C class below socket.socket, here made for one call on a descriptor."""
SAID = (int(socket.AF_INET), int(socket.SOCK_STREAM), 0)
"""What it is told about the descriptor, or it would ask the kernel. None of these calls looks at it."""


INT = struct.Struct("i")
ROOM = socket.CMSG_SPACE(253 * INT.size)
"""For the descriptors that a kernel passes at most with one message."""
MSG_CMSG_CLOEXEC = getattr(socket, "MSG_CMSG_CLOEXEC", 0)


class Sys:
    """Single calls. Static methods, because a function that a `.pxd` cimports under its name does not compile."""

    now: ClassVar[Callable[[Callable[[], float]], float]] = operator.call
    """Call a clock. Compiled, this costs no Python call if it is time.time."""

    @staticmethod
    def check_signals() -> None:
        """Run the Python handlers of signals that have arrived; raises what they raise.

        Here the interpreter does so between any two instructions. Compiled code never passes through the
        interpreter's loop, so it has to ask (SIGTERM was once served 3.7 s late).
        """

    # The calls on sockets do not raise for what the socket says: that is an answer, -errno, and EAGAIN is a common one.

    @staticmethod
    def recv(fd: int, size: int) -> bytes | int:
        """At most `size` bytes, b"" at the end of the stream, or -errno."""
        try:
            return os.read(fd, size)
        except OSError as error:
            return -(error.errno or 0)

    @staticmethod
    def recvmsg(fd: int, size: int, descriptors: list[int]) -> bytes | int:
        """As `recv`, of a UNIX socket: the descriptors that came along are appended, not inherited by child processes.

        A -1 among them: there were more, and they are lost, as this process may not have that many.
        """
        connection = SocketCalls(*SAID, fd)
        try:
            data, parts, flags, _ = connection.recvmsg(size, ROOM, MSG_CMSG_CLOEXEC)
        except OSError as error:
            return -(error.errno or 0)
        finally:
            connection.detach()
        for level, kind, passed in parts:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                whole = len(passed) - len(passed) % INT.size
                descriptors.extend(fd for (fd,) in INT.iter_unpack(passed[:whole]))
        if flags & socket.MSG_CTRUNC:
            descriptors.append(-1)
        return data

    @staticmethod
    def send(fd: int, data: bytes | memoryview) -> int:
        """Send `data`; how many bytes were taken, or -errno. No SIGPIPE."""
        try:
            return os.write(fd, data)
        except OSError as error:
            return -(error.errno or 0)

    @staticmethod
    def read(fd: int, size: int) -> bytes | int:
        """As `recv`, from what is no socket and does not block."""
        return Sys.recv(fd, size)

    @staticmethod
    def sendmsg(fd: int, pieces: list[bytes | memoryview]) -> int:
        """Send `pieces`, at most PIECES of them, as one; how many bytes were taken, or -errno."""
        try:
            return os.writev(fd, pieces[:PIECES])
        except OSError as error:
            return -(error.errno or 0)

    @staticmethod
    def hang_up(fd: int, abort: bool, shared: bool) -> None:
        """End a connection and close its descriptor: with an end of file, or with a reset if `abort`.

        If it may be `shared`, with a child process say, the end of file is sent in any case: closing may not send it.
        """
        connection = SocketCalls(*SAID, fd)
        try:
            if abort:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            elif shared:
                connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the peer was first
        connection.close()

    @staticmethod
    def option(fd: int, level: int, name: int) -> int:
        """A socket option that is a number. Raises OSError as the kernel does."""
        connection = SocketCalls(*SAID, fd)
        try:
            return connection.getsockopt(level, name)
        finally:
            connection.detach()

    @staticmethod
    def set_option(fd: int, level: int, name: int, value: int) -> None:
        """Set a socket option that is a number. Raises OSError as the kernel does."""
        connection = SocketCalls(*SAID, fd)
        try:
            connection.setsockopt(level, name, value)
        finally:
            connection.detach()

    @staticmethod
    def accept(fd: int, listening: socket.socket) -> tuple[int, Any] | int:
        """The descriptor of a new connection, non-blocking and not inherited, and its peer's address; or -errno.

        The listening socket is given as its descriptor and its object: each version uses what is nearer to it.
        """
        try:
            accepted, address = listening._accept()  # type: ignore[attr-defined]  # accept() would make a socket object of it
        except OSError as error:
            return -(error.errno or 0)
        os.set_blocking(accepted, False)
        return accepted, address

    @staticmethod
    def new(kind: Any) -> Any:
        """An instance without anything set: its __init__ is not called."""
        return kind.__new__(kind)

    # A datagram socket is given as its descriptor and its object: each version uses what is nearer to it.

    @staticmethod
    def receive_from(fd: int, skt: socket.socket, size: int) -> tuple[bytes, Any] | int:
        """The next datagram, cut to `size` bytes, and whom it is from; or -errno. Waits for none."""
        try:
            return skt.recvfrom(size, socket.MSG_DONTWAIT)
        except OSError as error:
            return -(error.errno or 0)

    @staticmethod
    def send_to(fd: int, skt: socket.socket, family: int, data: Buffer, address: Any) -> int:
        """Send a datagram; how many bytes were taken, or -errno. No SIGPIPE, and no name is ever looked up.

        ``address`` is None where the socket has a peer, or (host, port). -EDESTADDRREQ for what is not a pair of
        figures of this family (AF_INET, AF_INET6): the caller finds out what is wrong with it.
        """
        try:
            if address is None:
                return skt.send(data, socket.MSG_DONTWAIT)
            if not _in_figures(family, address):
                return -errno.EDESTADDRREQ
            return skt.sendto(data, socket.MSG_DONTWAIT, address)
        except OSError as error:
            return -(error.errno or 0)


def _in_figures(family: int, address: Any) -> bool:
    if address.__class__ is not tuple or len(address) != 2 or family not in (socket.AF_INET, socket.AF_INET6):
        return False
    host, port = address
    if host.__class__ is not str or port.__class__ is not int or not 0 <= port <= 65535:
        return False
    try:
        socket.inet_pton(family, host)
    except (OSError, ValueError):
        return False
    return True


class Events:
    """What a wait has found, one after the other, without an object for each.

    What is not asked for until the next wait is told again by that.
    """

    def __init__(self) -> None:
        self.fd = -1
        """The descriptor that is ready."""
        self.ready = 0
        """What for: READ, WRITE, GONE."""
        self.more = False
        """Whether another one follows."""

    def wait(self, seconds: float) -> None:
        """Wait until something is ready, at most `seconds` (infinity: for ever), rounded up to a millisecond.

        Before it returns, early if need be, it does what `Sys.check_signals` does.
        """
        raise NotImplementedError

    def next(self) -> bool:
        """Make `fd` and `ready` those of the next descriptor that is ready. False: there is none."""
        raise NotImplementedError

    def listed(self, timeout: float | None) -> list[tuple[int, int]]:
        """Wait, at most `timeout` seconds (None: for ever), and give all of them."""
        self.wait(inf if timeout is None else timeout)
        found = []
        while self.next():
            found.append((self.fd, self.ready))
        return found


class EpollSet(Events):
    """An epoll instance, level-triggered. Raises OSError as the kernel does."""

    def __init__(self) -> None:
        super().__init__()
        self._epoll = select.epoll()
        self._found: list[tuple[int, int]] = []

    def add(self, fd: int, interest: int) -> None:
        """Start to watch; FileExistsError if it is watched, PermissionError if it cannot be (a regular file)."""
        self._epoll.register(fd, _asked(interest))

    def change(self, fd: int, interest: int) -> None:
        """Watch for something else; FileNotFoundError if it is not watched."""
        self._epoll.modify(fd, _asked(interest))

    def remove(self, fd: int) -> None:
        """Stop to watch; FileNotFoundError if it is not watched."""
        self._epoll.unregister(fd)

    def wait(self, seconds: float) -> None:
        self._found = self._epoll.poll(None if seconds == inf else seconds, MAX_EVENTS)
        self._found.reverse()  # and taken from its end

    def next(self) -> bool:
        if not self._found:
            return False
        self.fd, bits = self._found.pop()
        self.more = bool(self._found)
        self.ready = (
            (READ if bits & select.EPOLLIN else 0)
            | (WRITE if bits & select.EPOLLOUT else 0)
            | (GONE if bits & (select.EPOLLHUP | select.EPOLLERR) else 0)
        )
        return True

    def fileno(self) -> int:
        return self._epoll.fileno()

    def close(self) -> None:
        self._epoll.close()


def _asked(interest: int) -> int:
    return (select.EPOLLIN if interest & READ else 0) | (select.EPOLLOUT if interest & WRITE else 0)
