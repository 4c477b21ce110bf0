"""This process's own standard input and output as a transport, for one protocol (semantics 58).

They stay open when the connection is lost: they belong to the process, and to those who gave them to it. Standard
output is blocking again then, as a shell that has the same terminal expects.

Contract: twisted.internet.stdio.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import report
from ..error import ConnectionDone
from ..failure import Failure
from ..net import descriptor, stream
from .pipes import ProcessReader, ProcessWriter


class PipeAddress:
    """Either end of standard input and output: there is nothing to say about it, and no two are equal."""


class StandardIO:
    """The transport. The reactor's thread only.

    Regular files, pipes and terminals all do. Contract: ITransport, IConsumer, IPushProducer, IHalfCloseableDescriptor.
    """

    #: loseConnection was called, and standard output is not all written yet.
    disconnecting = False
    #: The connection is lost.
    disconnected = False

    _reader: ProcessReader | None = None
    _writer: ProcessWriter | None = None

    def __init__(self, proto: Any, stdin: int = 0, stdout: int = 1, reactor: Any = None) -> None:
        """Connect `proto` to two descriptors, on `reactor` (None: that of this thread, or the process's).

        Raises OSError if one of them is not open, and what the protocol's makeConnection raises.
        """
        self.reactor = descriptor.current_reactor() if reactor is None else reactor
        self.protocol = proto
        self._writer = ProcessWriter(self.reactor, self, "write", stdout)
        try:
            self._reader = ProcessReader(self.reactor, self, "read", stdin)
            proto.makeConnection(self)
        except BaseException:
            self._let_go(descriptor.CONNECTION_DONE)
            raise

    def getHost(self) -> PipeAddress:
        return PipeAddress()

    def getPeer(self) -> PipeAddress:
        return PipeAddress()

    # Writing

    def write(self, data: bytes) -> None:
        """Write to standard output; nothing happens once it is closed. TypeError for what is not bytes."""
        if self._writer is not None:
            self._writer.write(data)

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """Write each of them."""
        if self._writer is not None:
            self._writer.writeSequence(data)

    def loseWriteConnection(self) -> None:
        """Write what waits, then use standard output no more; a protocol that can live half closed is told."""
        if self._writer is not None:
            self._writer.loseConnection()

    def loseConnection(self) -> None:
        """Write what waits, then lose the connection; nothing more is read."""
        self.disconnecting = True
        self.stopReading()
        if self._writer is not None:
            self._writer.loseConnection()
        elif self._reader is not None:
            self._reader.loseConnection()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Let `producer` be paused and resumed as what waits for standard output grows and goes (68)."""
        if self._writer is None:
            producer.stopProducing()
        else:
            self._writer.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        if self._writer is not None:
            self._writer.unregisterProducer()

    # Reading

    def startReading(self) -> None:
        """Read standard input, if it is not at its end and the connection is not being closed."""
        if self._reader is not None and not self.disconnecting:
            self._reader.startReading()

    def stopReading(self) -> None:
        """Read nothing until startReading."""
        if self._reader is not None:
            self._reader.stopReading()

    def pauseProducing(self) -> None:
        self.stopReading()

    def resumeProducing(self) -> None:
        self.startReading()

    def stopProducing(self) -> None:
        self.loseConnection()

    # Told by the two ends

    def childDataReceived(self, fd: str, data: bytes) -> None:
        self.protocol.dataReceived(data)

    def childConnectionLost(self, fd: str, reason: Failure) -> None:
        """One of the two has ended, in order or not."""
        if self.disconnected:
            return
        if not isinstance(reason.value, ConnectionDone):
            self.connectionLost(reason)
        elif fd == "read":
            self.readConnectionLost(reason)
        else:
            self.writeConnectionLost(reason)

    def readConnectionLost(self, reason: Failure) -> None:
        """Standard input is at its end: without half-close support that is all, and what waits is not written (58)."""
        self._reader = None
        if self.disconnecting or not stream.tell_half(self, self.protocol, "readConnectionLost"):
            self.connectionLost(reason)

    def writeConnectionLost(self, reason: Failure) -> None:
        """Standard output is closed, or its reader has gone; who cannot live half closed does not learn of it (58)."""
        self._writer = None
        if self.disconnecting:
            self.connectionLost(reason)
        else:
            stream.tell_half(self, self.protocol, "writeConnectionLost")

    def log_prefix(self) -> str:
        """Whom this serves."""
        return type(self.protocol).__qualname__

    def connectionLost(self, reason: Failure) -> None:
        """The connection is over, both ways. The protocol is told once."""
        if self.disconnected:
            return
        protocol = self.protocol
        self._let_go(reason)
        try:
            protocol.connectionLost(reason)
        except BaseException:
            report.failure(f"Unhandled error in connectionLost of {type(protocol).__qualname__}", Failure())

    def _let_go(self, reason: Failure) -> None:
        self.disconnected = True
        self.protocol = None
        ends, self._reader, self._writer = (self._reader, self._writer), None, None
        for end in ends:
            if end is not None:
                end.connectionLost(reason)
