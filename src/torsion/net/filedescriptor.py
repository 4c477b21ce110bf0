"""What programs subclass to bring a file descriptor of their own to a reactor: how it is read and written is theirs.

A FileDescriptor is a stream (stream.py: what closing waits for, producers, limits) on the contract's driver: it works
on any reactor that has addReader and addWriter, and every step goes through a method that can be overridden, on the
class or the instance.

Contract: twisted.internet.abstract.
"""

from __future__ import annotations

import socket
from typing import Any

from ..core import streamlife as life
from ..failure import Failure
from . import descriptor
from .stream import Stream


class FileDescriptor(Stream):
    """An object to be watched, and a transport, a consumer and a push producer at once. The reactor's thread only.

    A subclass has fileno, doRead and writeSomeData, and sets ``connected`` when it can be written to.
    """

    #: A push producer is paused while more bytes than this wait.
    bufferSize = 2**16
    #: What a subclass's writeSomeData may cut a long piece to, in bytes.
    SEND_LIMIT = 2**17

    def __init__(self, reactor: Any = None) -> None:
        """``reactor``: that of this thread, or the process's, if it is not given."""
        super().__init__(descriptor.current_reactor() if reactor is None else reactor)
        if self.connected:  # a subclass says so for all its instances
            self._life = life.OPEN

    # To be overridden

    def fileno(self) -> int:
        """Its file descriptor; -1 when there is none any more."""
        return -1

    def doRead(self) -> Any:
        """It is readable. A true result disconnects it, with that as the reason (semantics 60)."""
        raise NotImplementedError(f"{type(self).__qualname__} has no doRead")

    def writeSomeData(self, data: bytes) -> Any:
        """Write what can be written now; returns how many bytes that was, or an exception, which disconnects."""
        raise NotImplementedError(f"{type(self).__qualname__} has no writeSomeData")

    def _closeWriteConnection(self) -> Any:
        """What loseWriteConnection() waited for is written."""

    def writeConnectionLost(self, reason: Failure) -> None:
        """Nothing more can be written. Here, that is the end."""
        self.connectionLost(reason)

    # A plain attribute: a subclass may have a protocol, and then tells it what there is to tell.
    protocol: Any = None

    # Where a stream looks whether it has a descriptor, this one is asked for none.

    def loseWriteConnection(self) -> None:
        """Write what waits, then close for writing only (semantics 65)."""
        self._life = life.after(self._life, life.LOSE_WRITE)
        self.startWriting()

    def _close_stream(self, abort: bool) -> None:
        self.stopReading()
        self.stopWriting()

    @property
    def _writeDisconnected(self) -> bool:
        return self._life == life.HALF_CLOSED

    @_writeDisconnected.setter
    def _writeDisconnected(self, value: object) -> None:
        self._life = life.HALF_CLOSED if value else life.OPEN

    def _getLogPrefix(self, applicationObject: Any) -> str:
        """Under which name the events of this protocol or factory are logged: its own word, or its class's name."""
        return descriptor.prefix_of(applicationObject)


class BasePort(FileDescriptor):
    """A socket that is bound and has no peer. It may be opened again. Contract: twisted.internet.base.BasePort."""

    # No stream: what it is, its subclass says.
    connected: Any = 0
    disconnected: Any = 0
    disconnecting: Any = 0

    addressFamily: Any = None
    socketType: Any = None

    def createInternetSocket(self) -> socket.socket:
        """A socket of its family and type: non-blocking, not inherited by child processes."""
        made = socket.socket(self.addressFamily, self.socketType)
        made.setblocking(False)
        return made

    def doWrite(self) -> Any:
        raise RuntimeError(f"{self!r} is never written to")

    def resumeProducing(self) -> None:
        """Read again; nothing happens once it is closing or closed."""
        if self.connected and not self.disconnecting:
            self.startReading()

    def connectionLost(self, reason: Failure) -> None:
        self.disconnected = 1
        self.connected = 0
        self.stopReading()
        self.stopWriting()


def isIPAddress(addr: str | bytes, family: int = socket.AF_INET) -> bool:
    """Whether this is an address in figures, and no name: IPv4, or IPv6 with a scope or without.

    Raises ValueError for another family.
    """
    if family not in (socket.AF_INET, socket.AF_INET6):
        raise ValueError(f"addresses of family {family!r} have no figures")
    try:
        text = addr.decode("ascii") if isinstance(addr, bytes) else addr
        if family == socket.AF_INET6:
            text = text.partition("%")[0]
        socket.inet_pton(family, text)
    except (OSError, ValueError):
        return False
    return True


def isIPv6Address(addr: str | bytes) -> bool:
    """Whether this is an IPv6 address in figures."""
    return isIPAddress(addr, socket.AF_INET6)
