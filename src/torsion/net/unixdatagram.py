"""UNIX datagram sockets: whole messages to a path, and back if the sender is bound to one too.

Unlike a network's datagrams these are never lost on the way: a receiver that is slow makes the sender's kernel refuse.
What it refuses is dropped, as the contract has it (76). The path stays when the port is closed: the contract leaves it
to the program, which is to remove it before it binds there again.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from errno import EAGAIN, ECONNREFUSED, EINTR, EMSGSIZE, ENOBUFS, EWOULDBLOCK
from typing import Any

from .. import report
from ..address import UNIXAddress
from ..core.deferred import Deferred
from ..error import CannotListenError, MessageLengthError
from ..failure import Failure
from .descriptor import CONNECTION_DONE
from .filedescriptor import BasePort
from .unixaddress import as_bytes, bind, remove, to_address

NOT_NOW = (EAGAIN, EWOULDBLOCK, ENOBUFS, EINTR)
BATCH = 1024
"""The most datagrams that one event delivers: a flood of small ones lets others have their turn."""


class DatagramPort(BasePort):
    """A socket for datagrams, bound to a path. Contract: IListeningPort, IUNIXDatagramTransport."""

    addressFamily = socket.AF_UNIX
    socketType = socket.SOCK_DGRAM
    #: How many bytes one event receives before the others have their turn.
    maxThroughput = 256 * 1024
    deferred: Deferred | None = None
    _realPortNumber: str | None = None
    _halted = False  # somebody wants no more of what this event brings

    def __init__(
        self, addr: Any, proto: Any, maxPacketSize: int = 8192, mode: int = 0o666, reactor: Any = None
    ) -> None:
        """Longer datagrams than `maxPacketSize` bytes are cut. TypeError for an address that is no path."""
        BasePort.__init__(self, reactor)
        self.port: bytes | None = None if addr is None else as_bytes(addr)
        self.protocol, self.maxPacketSize, self.mode = proto, maxPacketSize, mode
        self._identity: tuple[int, int] | None = None
        self.setLogStr()

    def getHandle(self) -> Any:
        """The socket object. Contract: ISystemHandle."""
        return self.socket

    def startListening(self) -> None:
        """Bind, and tell the protocol. CannotListenError if the path cannot be had."""
        self._bindSocket()
        self._connectToProtocol()

    def _bindSocket(self) -> None:
        skt = None
        try:
            skt = self.createInternetSocket()
            if self.port is not None:
                self._identity = bind(skt, self.port, self.mode)
        except OSError as error:
            if skt is not None:
                skt.close()
            raise CannotListenError(None, self.port, error) from None
        self._realPortNumber = "" if self.port is None else os.fsdecode(self.port)
        report.info(f"{self._getLogPrefix(self.protocol)} starting on {self._realPortNumber!r}")
        self.connected, self.disconnected = 1, 0
        self.socket = skt

    def _connectToProtocol(self) -> None:
        try:
            self.protocol.makeConnection(self)
        except BaseException:  # there is no port, so nothing of it is to be left
            self._close_socket()
            if self.port is not None:
                remove(self.port, self._identity)
            raise
        if self.connected and not self.disconnecting:
            self.startReading()

    def _close_socket(self) -> None:
        self._realPortNumber, self.connected = None, 0
        self.socket.close()
        del self.socket

    def fileno(self) -> int:
        skt = getattr(self, "socket", None)
        return -1 if skt is None else skt.fileno()

    def stopReading(self) -> None:
        """Deliver no more, not even the rest of what this event brings. What comes meanwhile waits in the kernel."""
        self._halted = True
        BasePort.stopReading(self)

    def doRead(self) -> None:
        """Receive what is there; what the protocol raises is reported, and the socket stays (76)."""
        self._halted = False
        left, count = self.maxThroughput, 0
        while left > 0 and count < BATCH and self.connected and not (self.disconnecting or self._halted):
            try:
                data, address = self.socket.recvfrom(self.maxPacketSize)
            except OSError as error:
                self._failed(error)
                return
            left, count = left - len(data), count + 1
            self._count_bytes(len(data), 0)
            try:
                self._received(data, address or None)
            except BaseException:
                report.failure(f"Unhandled error in datagramReceived of {self.logstr}", Failure())

    def _received(self, data: bytes, address: Any) -> None:
        self.protocol.datagramReceived(data, address)

    def _failed(self, error: OSError) -> None:
        """What to do about an error of the socket: nothing if it is only full or empty. Raises MessageLengthError."""
        if error.errno == EMSGSIZE:
            raise MessageLengthError("message too long") from None
        if error.errno not in NOT_NOW:
            raise error

    def write(self, datagram: bytes, address: Any) -> int | None:  # type: ignore[override]
        """Send a datagram to a path now; how many bytes that were, or None if it was dropped as there is no room.

        Raises MessageLengthError if it is too long, TypeError for an address that is no path, OSError if nobody is
        there: FileNotFoundError, ConnectionRefusedError.
        """
        name = as_bytes(address)
        try:
            return self._counted(self.socket.sendto(datagram, name))
        except OSError as error:
            self._failed(error)
            return None

    def _counted(self, sent: int) -> int:
        self._count_bytes(0, sent)
        return sent

    def writeSequence(self, seq: Iterable[bytes], addr: Any) -> int | None:  # type: ignore[override]
        """Send the pieces as one datagram."""
        return self.write(b"".join(seq), addr)

    def stopListening(self) -> Deferred | None:
        """Close it. The Deferred fires on a later pass, when the protocol has been stopped; None if it is closed."""
        if not self.connected:
            return None
        self.stopReading()
        if self.deferred is None:
            self.deferred = Deferred()
            self.disconnecting = 1
            self.reactor.callLater(0, self.connectionLost, CONNECTION_DONE)
        return self.deferred

    def loseConnection(self) -> Any:
        """The same. Contract: ITransport."""
        return self.stopListening()

    def connectionLost(self, reason: Failure | None = None) -> None:
        """It is over: close the socket, stop the protocol, tell who waits. In this order."""
        if not self.connected:
            return
        report.info(f"(UDP Port {self._realPortNumber!r} Closed)")
        deferred, self.deferred = self.deferred, None
        BasePort.connectionLost(self, CONNECTION_DONE if reason is None else reason)
        self.disconnecting = 0
        try:
            self._close_socket()
            self.protocol.doStop()
        except BaseException:
            if deferred is None:
                raise
            deferred.errback(Failure())
        else:
            if deferred is not None:
                deferred.callback(None)

    def setLogStr(self) -> None:
        """Note under which name its events are logged (44)."""
        kind = type(self.protocol)
        self.logstr = f"{kind.__module__}.{kind.__qualname__} (UDP)"

    def logPrefix(self) -> str:
        return str(self.logstr)

    def getHost(self) -> UNIXAddress:
        """The path that it is bound to."""
        return to_address(self.socket.getsockname())

    def __repr__(self) -> str:
        kind = type(self.protocol)
        where = "(not listening)" if self._realPortNumber is None else f"on {self._realPortNumber!r}"
        return f"<{kind.__module__}.{kind.__name__} {where}>"


class ConnectedDatagramPort(DatagramPort):
    """A socket that sends to one path only, and receives from there only. Contract: IUNIXDatagramConnectedTransport."""

    def __init__(
        self,
        addr: Any,
        proto: Any,
        maxPacketSize: int = 8192,
        mode: int = 0o666,
        bindAddress: Any = None,
        reactor: Any = None,
    ) -> None:
        """As DatagramPort; `addr` is the peer's path, and `bindAddress` its own, which it needs for answers."""
        DatagramPort.__init__(self, bindAddress, proto, maxPacketSize, mode, reactor)
        self.remoteaddr = None if addr is None else as_bytes(addr)

    def startListening(self) -> None:
        """Bind, connect, and tell the protocol: connectionFailed if either cannot be done.

        TypeError if there is no path to connect to.
        """
        peer = as_bytes(self.remoteaddr)  # type: ignore[arg-type]  # None is what it is to refuse
        try:
            self._bindSocket()
            self.socket.connect(peer)
        except (CannotListenError, OSError):
            failure = Failure()
            if self.connected:
                self._close_socket()
                if self.port is not None:
                    remove(self.port, self._identity)
            self.connectionFailed(failure)
            return
        self._connectToProtocol()

    def connectionFailed(self, reason: Any) -> None:
        """It cannot be connected: close it, and tell the protocol."""
        self.stopListening()
        self.protocol.connectionFailed(reason)

    def _received(self, data: bytes, address: Any) -> None:
        self.protocol.datagramReceived(data)

    def _failed(self, error: OSError) -> None:
        if error.errno == ECONNREFUSED:
            try:
                self.protocol.connectionRefused()
            except BaseException:
                report.failure(f"Unhandled error in connectionRefused of {self.logstr}", Failure())
        else:
            super()._failed(error)

    def write(self, data: bytes) -> int | None:  # type: ignore[override]
        """Send a datagram; as DatagramPort.write. That nobody is there any more is told to connectionRefused."""
        try:
            return self._counted(self.socket.send(data))
        except OSError as error:
            self._failed(error)
            return None

    def writeSequence(self, seq: Iterable[bytes]) -> int | None:  # type: ignore[override]
        """Send the pieces as one datagram."""
        return self.write(b"".join(seq))

    def getPeer(self) -> UNIXAddress:
        """The path that it sends to."""
        return to_address(self.remoteaddr)
