"""Messages out of a stream of bytes: lines, netstrings, strings behind their length; and a file sent as it is.

However the peer's bytes are split on the way, the same messages come out, and none is larger than MAX_LENGTH. Subclass
a receiver and override what it is told; each belongs to its reactor's thread. The splitting is in twin/lines (lines)
and core/framing.py (strings).
Contract: twisted.protocols.basic.
"""

from __future__ import annotations

import io
import os
import re
import stat
import struct
from collections.abc import Callable
from typing import Any

from .. import report
from ..core import framing
from ..core.deferred import Deferred
from ..core.delayed import describe
from ..failure import Failure
from ..net.stream import Stream
from ..protocol import Protocol
from ..twin.lines import receive_lines, take_waiting

__all__ = [
    "FileSender",
    "IncompleteNetstring",
    "Int8StringReceiver",
    "Int16StringReceiver",
    "Int32StringReceiver",
    "IntNStringReceiver",
    "LineOnlyReceiver",
    "LineReceiver",
    "NetstringParseError",
    "NetstringReceiver",
    "StatefulStringProtocol",
    "StringTooLongError",
]


class _Pauseable(Protocol):
    """What can be paused in the middle of what was received: the rest waits until it is resumed."""

    paused = False
    _held: Any = None  # what has come and was not handed on yet

    def pauseProducing(self) -> None:
        """Be told nothing more, at once, and have the transport receive nothing more."""
        self.paused = True
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """Be told of what was held back, and go on."""
        self.paused = False
        self.transport.resumeProducing()
        self.dataReceived(b"")

    def stopProducing(self) -> None:
        """Be told nothing more, and close."""
        self.paused = True
        self.transport.stopProducing()


# Lines


class LineReceiver(_Pauseable):
    """Lines that end with `delimiter`, and raw data in between where a protocol has it (104).

    A true value returned by what is overridden ends the handing on until more data comes; so do pauseProducing (the
    rest comes with resumeProducing) and loseConnection.
    """

    delimiter = b"\r\n"
    #: The longest line, in bytes, its delimiter not counted.
    MAX_LENGTH = 16384
    #: Whether lines are received, or raw data. Change it with setLineMode and setRawMode.
    line_mode = 1

    #: Hand on, as lines or raw, what has come.
    dataReceived = receive_lines

    def setLineMode(self, extra: bytes = b"") -> Any:
        """Receive lines from now on, first from `extra`: that part of the raw data that is lines."""
        self.line_mode = 1
        return self.dataReceived(extra) if extra else None

    def setRawMode(self) -> None:
        """Receive raw data from now on: what came behind this line first."""
        self.line_mode = 0

    def clearLineBuffer(self) -> bytes:
        """Take back what has come and was not handed on yet: it will not be."""
        return take_waiting(self)

    def lineReceived(self, line: bytes) -> Any:
        """A line has come, here without its delimiter. Override this."""
        raise NotImplementedError

    def rawDataReceived(self, data: bytes) -> Any:
        """Data has come in raw mode. Override this, if that is used."""
        raise NotImplementedError

    def lineLengthExceeded(self, line: bytes) -> Any:
        """A line is too long; `line` is all that has come and was not handed on (105). Closes the connection."""
        return self.transport.loseConnection()

    def sendLine(self, line: bytes) -> Any:
        """Send a line, given without its delimiter."""
        return self.transport.write(line + self.delimiter)


class LineOnlyReceiver(Protocol):
    """Lines and nothing else: there is no raw mode and no pause, but for closing."""

    delimiter = b"\r\n"
    #: The longest line, in bytes, its delimiter not counted.
    MAX_LENGTH = 16384
    _buffer = b""

    def dataReceived(self, data: bytes) -> Any:
        """Hand on the lines that have come."""
        lines = (self._buffer + data).split(self.delimiter)
        self._buffer = rest = lines.pop()
        for line in lines:
            if self.transport.disconnecting:
                return None
            if len(line) > self.MAX_LENGTH:
                return self.lineLengthExceeded(line)
            self.lineReceived(line)
        return self.lineLengthExceeded(rest) if len(rest) > self.MAX_LENGTH else None

    def lineReceived(self, line: bytes) -> Any:
        """A line has come, here without its delimiter. Override this."""
        raise NotImplementedError

    def lineLengthExceeded(self, line: bytes) -> Any:
        """A line is too long, whole or not. Closes the connection."""
        return self.transport.loseConnection()

    def sendLine(self, line: bytes) -> Any:
        """Send a line, given without its delimiter."""
        return self.transport.writeSequence((line, self.delimiter))


# Strings behind their length


class StringTooLongError(AssertionError):
    """A string is longer than its length can say."""


class IntNStringReceiver(_Pauseable):
    """Strings, each behind its length as a binary number. Use one of the subclasses, or give the two formats (105)."""

    #: The longest string, in bytes.
    MAX_LENGTH = 99999
    #: The number, as the struct module writes it.
    structFormat: str
    #: Its bytes.
    prefixLength: int

    #: Hand on the strings that have come.
    dataReceived = framing.receive_strings

    @property
    def recvd(self) -> bytes:
        """What has come and was not handed on yet. A program may set it, also while it is told of a string.

        Anything empty stands for nothing.
        """
        return framing.held_by(self).rest()

    @recvd.setter
    def recvd(self, data: bytes) -> None:
        framing.held_by(self).replace(data or b"")

    def stringReceived(self, string: bytes) -> Any:
        """A string has come. Override this."""
        raise NotImplementedError

    def lengthLimitExceeded(self, length: int) -> Any:
        """The next string is to have `length` bytes, which is too long. Closes the connection."""
        self.transport.loseConnection()

    def sendString(self, string: bytes) -> None:
        """Send a string. Raises StringTooLongError if its length cannot be written in the prefix."""
        longest = (1 << 8 * self.prefixLength) - 1
        if len(string) > longest:
            raise StringTooLongError(f"a string of {len(string)} bytes: {describe(self)} can send {longest} at most")
        self.transport.write(struct.pack(self.structFormat, len(string)) + string)


class Int32StringReceiver(IntNStringReceiver):
    """Strings behind a length of four bytes, the highest first."""

    structFormat = "!I"
    prefixLength = struct.calcsize(structFormat)


class Int16StringReceiver(IntNStringReceiver):
    """Strings behind a length of two bytes, the highest first."""

    structFormat = "!H"
    prefixLength = struct.calcsize(structFormat)


class Int8StringReceiver(IntNStringReceiver):
    """Strings behind a length of one byte."""

    structFormat = "!B"
    prefixLength = struct.calcsize(structFormat)


class StatefulStringProtocol:
    """Beside a receiver of strings: what a string means depends on the state.

    In the state "init", where it begins, proto_init is called with the string, and returns the name of the next state.
    The state "done" closes the connection.
    """

    state: Any = "init"
    transport: Any

    def stringReceived(self, string: bytes) -> None:
        """A string has come."""
        handler = getattr(self, f"proto_{self.state}", None)
        if handler is None:
            report.error("{protocol} has no proto_{state}: a string is lost", protocol=self, state=self.state)
            return
        self.state = handler(string)
        if self.state == "done":
            self.transport.loseConnection()


# Netstrings


class NetstringParseError(ValueError):
    """This is no netstring."""


class IncompleteNetstring(Exception):
    """There may be a netstring when more has come."""


class NetstringReceiver(Protocol):
    """Netstrings: the length in decimal digits, a colon, so many bytes, and a comma (`5:hello,`)."""

    #: The longest string, in bytes.
    MAX_LENGTH = 99999
    #: 1 after the peer sent what is no netstring: the connection is closed.
    brokenPeer = 0

    _LENGTH = re.compile(rb"(0|[1-9][0-9]*):")
    _BEGINNING = re.compile(rb"(0|[1-9][0-9]*)\Z")
    _remainingData = b""  # what has come and was not looked at, from _at on: a string costs a copy of its own bytes
    _at = 0
    _expectedPayloadSize = 0  # of the string that comes now, its comma included; 0 while its length is awaited
    _payload: list[bytes] = []
    _currentPayloadSize = 0

    def makeConnection(self, transport: Any) -> None:
        """Take the transport, and begin with nothing received."""
        self._remainingData, self._at = b"", 0
        self._begin(0)
        self.brokenPeer = 0
        super().makeConnection(transport)

    def dataReceived(self, data: bytes) -> None:
        """Hand on the netstrings that have come."""
        if self.brokenPeer:
            return
        self._remainingData = self._remainingData[self._at :] + data
        self._at = 0
        try:
            while self._at < len(self._remainingData) and not self.brokenPeer:
                if self._payloadComplete():
                    self._consumeLength()
                self._consumePayload()
        except IncompleteNetstring:
            pass
        except NetstringParseError:
            self.brokenPeer = 1
            self.transport.loseConnection()
        finally:
            self._remainingData, self._at = self._remainingData[self._at :], 0

    def _begin(self, size: int) -> None:
        """The next `size` bytes are a string and its comma."""
        self._expectedPayloadSize, self._payload, self._currentPayloadSize = size, [], 0

    def _consumeLength(self) -> None:
        match = self._LENGTH.match(self._remainingData, self._at)
        most = self.MAX_LENGTH
        digits = match or self._BEGINNING.match(self._remainingData, self._at)
        if digits is None:
            raise NetstringParseError("a netstring begins with its length and a colon")
        # As digits first: a number of a million of them takes its time. Also before the colon has come.
        if len(digits[1]) > len(str(most)) or int(digits[1]) > most:
            raise NetstringParseError(f"a netstring is to be longer than {most} bytes")
        if match is None:
            raise IncompleteNetstring
        self._at = match.end()
        self._begin(int(digits[1]) + 1)

    def _consumePayload(self) -> None:
        end = self._at + self._expectedPayloadSize - self._currentPayloadSize
        piece = self._remainingData[self._at : end]
        self._at += len(piece)
        self._payload.append(piece)
        self._currentPayloadSize += len(piece)
        if not self._payloadComplete():
            raise IncompleteNetstring
        string = b"".join(self._payload)
        self._begin(0)
        if string[-1:] != b",":
            raise NetstringParseError("a netstring ends with a comma")
        self.stringReceived(string[:-1])

    def _payloadComplete(self) -> bool:
        return self._currentPayloadSize == self._expectedPayloadSize

    def stringReceived(self, string: bytes) -> Any:
        """A string has come. Override this."""
        raise NotImplementedError

    def sendString(self, string: bytes) -> None:
        """Send a string."""
        self.transport.write(b"%d:%b," % (len(string), string))


# Files


class FileSender:
    """Sends a file to a consumer, as much at a time as that takes.

    A transport that is a plain connection gets the file from the kernel (os.sendfile) behind the first piece, if the
    file is one of the disk and is sent as it is; anything else is read and written in pieces of CHUNK_SIZE bytes.
    Whoever cuts or overwrites a file while it is sent changes also what the kernel has taken of it and not delivered
    (sendfile(2)); with a `transform`, only what has not been read.
    Contract: IProducer, a pull producer.
    """

    CHUNK_SIZE = 2**14
    #: The last byte sent, of what was sent; "" before.
    lastSent: Any = ""
    deferred: Deferred | None = None
    file: Any = None
    consumer: Any = None
    transform: Callable[[bytes], bytes] | None = None
    _sent = False  # something was written, so that a call now says that it is on its way

    def beginFileTransfer(
        self, file: Any, consumer: Any, transform: Callable[[bytes], bytes] | None = None
    ) -> Deferred:
        """Send `file`, from where it stands to its end; each piece is what `transform` makes of it, if that is given.

        The Deferred gives the last byte sent, or fails with an Exception if the consumer will have no more (100).
        The file is not closed.
        """
        self.file, self.consumer, self.transform = file, consumer, transform
        self._sent = False
        self.deferred = deferred = Deferred()
        consumer.registerProducer(self, False)
        return deferred

    def resumeProducing(self) -> None:
        """The consumer will have more. What reading the file raises is raised, and leaves the transfer as it is."""
        if self.file is None:
            return
        if self._sent and self._send_by_kernel():
            return
        chunk = self.file.read(self.CHUNK_SIZE)
        if not chunk:
            self._finish()
            return
        if self.transform is not None:
            chunk = self.transform(chunk)
        self.consumer.write(chunk)
        self.lastSent = chunk[-1:]
        self._sent = True

    def _send_by_kernel(self) -> bool:
        """Whether the kernel took some of the file; the consumer will ask again when there is room for more."""
        consumer, file = self.consumer, self.file
        if self.transform is not None or not _is_plain(consumer) or type(file) not in _PLAIN_FILES:
            return False
        descriptor = file.fileno()
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return False
        start = file.tell()
        sent = consumer.send_from_file(descriptor, start)
        if not sent:
            return False
        self.lastSent = os.pread(descriptor, 1, start + sent - 1)
        file.seek(start + sent)
        return True

    def _finish(self) -> None:
        self.file = None
        self.consumer.unregisterProducer()
        deferred, self.deferred = self.deferred, None
        if deferred is not None:
            deferred.callback(self.lastSent)

    def pauseProducing(self) -> None:
        """Nothing comes that is not asked for."""

    def stopProducing(self) -> None:
        """The consumer will have no more: the Deferred fails."""
        deferred, self.deferred = self.deferred, None
        if deferred is not None:
            deferred.errback(Failure(Exception("Consumer asked us to stop producing")))


def _is_plain(consumer: Any) -> bool:
    """Whether what is written to it is what goes over the wire."""
    if not isinstance(consumer, Stream) or getattr(consumer, "TLS", False):
        return False
    return type(consumer).write is Stream.write and "write" not in vars(consumer)


# What reads a file of the disk without changing it on the way; subclasses and look-alikes may.
_PLAIN_FILES = (io.BufferedReader, io.FileIO)
