"""The rules of a socket that sends and receives datagrams, once for every kind of address.

A datagram comes whole or not at all, and is sent when it is written. So nothing waits here to be sent, and what goes
wrong with one datagram is no reason to give up the socket (76). Like a stream (stream.py), this has two drivers. The
*native* one is our engine: `on_ready` receives and calls the protocol, several times for one event. The *contract* one
is any reactor's, through `doRead` and the socket object's own methods.

How such a socket is opened and closed is in datagramport.py, what an address may be in its subclasses (udp.py).
"""

from __future__ import annotations

import errno
import os
import socket
from typing import Any

from .. import report
from ..error import MessageLengthError
from ..failure import Failure
from ..twin.kernel import Sys
from .stream import Stream

BATCH = 1024
"""The most datagrams that one event delivers: a flood of small ones lets others have their turn."""
NOTHING = -errno.EAGAIN
NO_FIGURES = -errno.EDESTADDRREQ

# What receiving may say without being at an end. Lists: Twisted's own tests add to them.
NOTHING_NOW = [errno.EAGAIN, errno.EWOULDBLOCK, errno.EINTR, 0]
REFUSED = [errno.ECONNREFUSED]


class Datagrams(Stream):
    """The core of every datagram transport (compiled; subclasses are Python's). Belongs to its reactor's thread.

    Of a stream it has the watching and the names.
    """

    #: How many bytes one event delivers, about: if there are more, others have their turn first (76).
    maxThroughput = 256 * 1024

    def __init__(self, reactor: Any = None) -> None:
        super().__init__(reactor)
        self.maxPacketSize = 8192
        self._connectedAddr: Any = None  # set: the only one to send to and to hear of
        self._family = 0  # of the addresses that native sending knows
        self._halted = False  # somebody wants no more of what this event brings

    # Its socket

    def _socket_object(self) -> Any:
        if self._socket is None:
            raise AttributeError("the port is not open: there is no socket")
        return self._socket

    def fileno(self) -> int:
        """The descriptor; -1 while there is no socket."""
        return self._fd if self._engine is not None or self._socket is None else int(self._socket.fileno())

    def _close_socket(self) -> None:
        self._halted = True
        skt, self._socket = self._socket, None
        fd, self._fd = self._fd, -1
        engine, self._engine = self._engine, None
        if engine is not None and fd >= 0:
            engine.forget(fd)
        if skt is not None:
            skt.close()

    # Receiving

    @property
    def protocol(self) -> Any:
        """Whom datagrams are told to. Replacing it redirects them."""
        return self._protocol

    @protocol.setter
    def protocol(self, protocol: Any) -> None:
        self._protocol = protocol

    def startReading(self) -> None:
        """Receive."""
        self._halted = False
        Stream.startReading(self)

    def stopReading(self) -> None:
        """Deliver no more, not even the rest of what this event brings. What comes meanwhile waits in the kernel."""
        self._halted = True
        Stream.stopReading(self)

    def on_ready(self, ready: int) -> None:
        """The engine says: there are datagrams, or the kernel has something to tell about one that was sent."""
        try:
            self._receive()
        except BaseException:  # a size that is none, no memory
            self._fail(Failure())

    def _receive(self) -> None:
        self._halted = False
        count, taken = 0, 0
        most = self.maxThroughput
        while taken < most and count < BATCH and not self._halted:
            received = Sys.receive_from(self._fd, self._socket, self.maxPacketSize)
            if isinstance(received, int):
                if received != NOTHING:
                    self._receiving_failed(-received)
                return
            data, address = received
            count += 1
            taken += len(data)
            self._deliver(data, address)

    def doRead(self) -> Any:
        """Receive what is there. An OSError that is raised ends it. Contract: IReadDescriptor."""
        self._halted = False
        count, taken = 0, 0
        while taken < self.maxThroughput and count < BATCH and not self._halted:
            try:
                data, address = self._socket_object().recvfrom(self.maxPacketSize)
            except OSError as error:
                if self._is_fatal(number(error)):
                    raise
                break
            count += 1
            taken += len(data)
            self._deliver(data, address)
        return None

    def _deliver(self, data: bytes, address: Any) -> None:
        self._count_bytes(len(data), 0)
        try:
            if address.__class__ is tuple and len(address) == 2:
                self._protocol.datagramReceived(data, address)
            else:
                self.tell(data, address)
        except BaseException:
            self._report("datagramReceived")

    def tell(self, data: bytes, address: Any) -> None:
        """Tell the protocol of a datagram whose sender the socket says so. Overridden for other forms of addresses."""
        self._protocol.datagramReceived(data, address)

    def readConnectionLost(self, reason: Failure) -> None:
        """A reactor saw an error and stopped reading: find out what it is, and go on if that is possible (59, 76)."""
        self._halted = False
        try:
            error = int(self._socket_object().getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
        except OSError as closed:
            error = number(closed)
        self._receiving_failed(error)
        if not self._halted:
            self.startReading()

    def _receiving_failed(self, error: int) -> None:
        if self._is_fatal(error):
            self._fail(Failure(OSError(error, os.strerror(error))))

    def _fail(self, failure: Failure) -> None:
        report.failure(f"Unhandled error in receiving of {self.log_prefix()}", failure)
        try:
            self.connectionLost(failure)
        except BaseException:
            self._report("connectionLost")

    def _is_fatal(self, error: Any) -> bool:
        """Whether the socket is of no use any more, as receiving gave this. A refusal is told to the protocol."""
        if error in REFUSED:
            self._refused()
            return False
        return error not in NOTHING_NOW

    def _refused(self) -> None:
        """Nobody listens where a datagram was sent to. Among many peers, nobody knows which one that was."""
        if self._connectedAddr is None:
            return
        try:
            self._protocol.connectionRefused()
        except BaseException:
            self._report("connectionRefused")

    # Sending

    def write(self, datagram: Any, addr: Any = None) -> Any:
        """Send a datagram, now: to `addr`, or to the peer if there is one. Returns how many bytes that was.

        None if the network says that nobody listens there. Raises MessageLengthError if it is longer than the network
        takes, TypeError for what is not bytes, and what the kernel says else, as an OSError: BlockingIOError if there
        is no room. Nothing is sent then, and the port goes on. Contract: IUDPTransport (76).
        """
        if self._engine is not None and (addr is None) is (self._connectedAddr is not None):
            sent = Sys.send_to(self._fd, self._socket, self._family, datagram, addr)
            if sent >= 0:
                self._count_bytes(0, sent)
                return sent
            if sent != NO_FIGURES:
                return self.not_sent(OSError(-sent, os.strerror(-sent)))
        return self._write_by_object(datagram, addr)

    def _write_by_object(self, datagram: Any, addr: Any) -> Any:
        """The same with the socket's own methods, which take addresses of any kind."""
        self.check_destination(addr)
        skt = self._socket_object()
        while True:
            try:
                sent = skt.sendto(datagram, addr) if self._connectedAddr is None else skt.send(datagram)
                self._count_bytes(0, sent or 0)  # a program's own socket may not say
                return sent
            except OSError as error:
                if number(error) != errno.EINTR:
                    return self.not_sent(error)

    def writeSequence(self, seq: Any, addr: Any = None) -> None:
        """Send these pieces as one datagram."""
        self.write(b"".join(seq), addr)

    def check_destination(self, addr: Any) -> None:
        """Raise what is to be raised for an address that nothing can be sent to."""
        if self._connectedAddr is None:
            if addr is None:
                raise AssertionError("the port is connected to nobody: write needs an address")
        elif addr is not None and addr != self._connectedAddr:
            raise AssertionError(f"the port is connected to {self._connectedAddr!r}: it cannot write to {addr!r}")

    def not_sent(self, error: OSError) -> Any:
        """What `write` is to return, or raise, as the kernel says this."""
        said = number(error)
        if said == errno.EMSGSIZE:
            raise MessageLengthError("message too long")
        if said != errno.ECONNREFUSED:
            raise error
        self._refused()
        return None


def number(error: OSError) -> int:
    """Which error the kernel gave, also if only that is known of it."""
    said = error.errno if error.errno is not None or not error.args else error.args[0]
    return said if isinstance(said, int) else -1
