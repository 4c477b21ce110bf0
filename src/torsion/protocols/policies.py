"""What is put around the protocols of a factory: limits, time-outs, throttling, logs of the traffic.

A WrappingFactory builds for each protocol of another factory a wrapper, which is the protocol to the transport, and the
transport to the protocol. Policies override what passes through it. Each belongs to its reactor's thread.
Contract: twisted.protocols.policies.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import IO, Any

from .. import reactors, report
from ..core.delayed import describe
from ..failure import Failure
from ..net.wrapping import WP as WP
from ..net.wrapping import ProtocolWrapper, WrappingFactory
from ..protocol import ServerFactory, connectionDone

__all__ = [
    "LimitConnectionsByPeer",
    "LimitTotalConnectionsFactory",
    "ProtocolWrapper",
    "SpewingFactory",
    "SpewingProtocol",
    "ThrottlingFactory",
    "ThrottlingProtocol",
    "TimeoutFactory",
    "TimeoutMixin",
    "TimeoutProtocol",
    "TrafficLoggingFactory",
    "TrafficLoggingProtocol",
    "WrappingFactory",
]


def _call_later(seconds: float, function: Callable[[], object]) -> Any:
    return reactors.current().callLater(seconds, function)


def _waits(call: Any) -> bool:
    return call is not None and bool(call.active())


def _stop(call: Any) -> None:
    if _waits(call):
        call.cancel()


# Throttling


class ThrottlingProtocol(ProtocolWrapper):
    """What a ThrottlingFactory holds back, together with all others that it has built."""

    producer: Any = None

    def write(self, data: bytes) -> None:
        self.factory.registerWritten(len(data))
        ProtocolWrapper.write(self, data)

    def writeSequence(self, seq: Iterable[bytes]) -> None:
        pieces = list(seq)
        self.factory.registerWritten(sum(map(len, pieces)))
        ProtocolWrapper.writeSequence(self, pieces)

    def dataReceived(self, data: bytes) -> None:
        self.factory.registerRead(len(data))
        ProtocolWrapper.dataReceived(self, data)

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        self.producer = producer
        ProtocolWrapper.registerProducer(self, producer, streaming)

    def unregisterProducer(self) -> None:
        self.producer = None
        ProtocolWrapper.unregisterProducer(self)

    def throttleReads(self) -> None:
        """Receive nothing until unthrottleReads."""
        self.transport.pauseProducing()

    def unthrottleReads(self) -> None:
        self.transport.resumeProducing()

    def throttleWrites(self) -> None:
        """Have the producer pause until unthrottleWrites; without one, nothing can be held back."""
        if self._can_pause():
            self.producer.pauseProducing()

    def unthrottleWrites(self) -> None:
        if self._can_pause():
            self.producer.resumeProducing()

    def _can_pause(self) -> bool:
        """Whether there is a producer that pauses; one that is asked for more each time need not."""
        return hasattr(self.producer, "pauseProducing")


class ThrottlingFactory(WrappingFactory[Any]):
    """Limits how many connections there are, and how many bytes a second all of them together receive and send.

    Looked at once a second: if a second had more than the limit, everything is paused as long as the surplus is worth.
    """

    protocol = ThrottlingProtocol

    def __init__(
        self,
        wrappedFactory: Any,
        maxConnectionCount: int = sys.maxsize,
        readLimit: int | None = None,
        writeLimit: int | None = None,
    ) -> None:
        """Limits in bytes a second; None: any number."""
        WrappingFactory.__init__(self, wrappedFactory)
        self.connectionCount = 0
        self.maxConnectionCount = maxConnectionCount
        self.readLimit = readLimit
        self.writeLimit = writeLimit
        self.readThisSecond = 0
        self.writtenThisSecond = 0
        self.unthrottleReadsID: Any = None
        self.checkReadBandwidthID: Any = None
        self.unthrottleWritesID: Any = None
        self.checkWriteBandwidthID: Any = None

    def callLater(self, period: float, func: Callable[[], object]) -> Any:
        """The reactor's; override it for another clock."""
        return _call_later(period, func)

    def registerWritten(self, length: int) -> None:
        """So many bytes were written."""
        self.writtenThisSecond += length

    def registerRead(self, length: int) -> None:
        """So many bytes were received."""
        self.readThisSecond += length

    def checkReadBandwidth(self) -> None:
        """A second is over: pause if too much was received in it."""
        limit = self.readLimit
        if limit is not None and self.readThisSecond > limit:
            self.throttleReads()
            _stop(self.unthrottleReadsID)  # what came on connections made since then is too much, too
            self.unthrottleReadsID = self.callLater(self.readThisSecond / limit - 1, self.unthrottleReads)
        self.readThisSecond = 0
        self.checkReadBandwidthID = self.callLater(1, self.checkReadBandwidth)

    def checkWriteBandwidth(self) -> None:
        """A second is over: pause if too much was written in it."""
        limit = self.writeLimit
        if limit is not None and self.writtenThisSecond > limit:
            self.throttleWrites()
            _stop(self.unthrottleWritesID)  # what came on connections made since then is too much, too
            self.unthrottleWritesID = self.callLater(self.writtenThisSecond / limit - 1, self.unthrottleWrites)
        self.writtenThisSecond = 0
        self.checkWriteBandwidthID = self.callLater(1, self.checkWriteBandwidth)

    def throttleReads(self) -> None:
        """Receive nothing, on any connection."""
        report.info("Throttling reads on {factory}", factory=self)
        for p in list(self.protocols):
            p.throttleReads()

    def unthrottleReads(self) -> None:
        """Receive again."""
        self.unthrottleReadsID = None
        report.info("Stopped throttling reads on {factory}", factory=self)
        for p in list(self.protocols):
            p.unthrottleReads()

    def throttleWrites(self) -> None:
        """Have all producers pause."""
        report.info("Throttling writes on {factory}", factory=self)
        for p in list(self.protocols):
            p.throttleWrites()

    def unthrottleWrites(self) -> None:
        """Have all producers go on."""
        self.unthrottleWritesID = None
        report.info("Stopped throttling writes on {factory}", factory=self)
        for p in list(self.protocols):
            p.unthrottleWrites()

    def buildProtocol(self, addr: Any) -> Any:
        """A wrapper; None, which closes the connection, if there are as many as may be."""
        if self.connectionCount >= self.maxConnectionCount:
            report.info("Max connection count reached!")
            return None
        wrapper = WrappingFactory.buildProtocol(self, addr)
        if wrapper is None:
            return None
        if self.connectionCount == 0:
            if self.readLimit is not None:
                self.checkReadBandwidth()
            if self.writeLimit is not None:
                self.checkWriteBandwidth()
        self.connectionCount += 1
        return wrapper

    def unregisterProtocol(self, p: Any) -> None:
        """The wrapper `p` has lost its connection; with the last one, the clock stops."""
        WrappingFactory.unregisterProtocol(self, p)
        self.connectionCount -= 1
        if self.connectionCount:
            return
        for call in (
            self.unthrottleReadsID,
            self.checkReadBandwidthID,
            self.unthrottleWritesID,
            self.checkWriteBandwidthID,
        ):
            _stop(call)
        self.unthrottleReadsID = self.checkReadBandwidthID = None
        self.unthrottleWritesID = self.checkWriteBandwidthID = None


# Limits


class LimitConnectionsByPeer(WrappingFactory[Any]):
    """Limits how many connections one host may have."""

    maxConnectionsPerPeer = 5

    def startFactory(self) -> None:
        #: How many connections a host has.
        self.peerConnections: dict[Any, int] = {}

    def buildProtocol(self, addr: Any) -> Any:
        """A wrapper; None, which closes the connection, if the host has as many as it may."""
        host = _host(addr)
        count = self.peerConnections.get(host, 0)
        if count >= self.maxConnectionsPerPeer:
            return None
        wrapper = WrappingFactory.buildProtocol(self, addr)
        if wrapper is not None:
            self.peerConnections[host] = count + 1
            wrapper._counted_for = host  # getPeer() may give another later: the client's, behind a proxy
        return wrapper

    def unregisterProtocol(self, p: Any) -> None:
        WrappingFactory.unregisterProtocol(self, p)
        host = p._counted_for
        self.peerConnections[host] -= 1
        if self.peerConnections[host] == 0:
            del self.peerConnections[host]


def _host(address: Any) -> Any:
    """Of an address as a transport gives it, or as a tuple."""
    return address[0] if isinstance(address, tuple) else address.host


class LimitTotalConnectionsFactory(ServerFactory[Any]):
    """Limits how many connections there are. A factory of its own, which wraps what `protocol` makes."""

    connectionCount = 0
    #: How many there may be; None: any number.
    connectionLimit: int | None = None
    #: What makes a protocol for a connection beyond the limit; None closes it.
    overflowProtocol: Callable[[], Any] | None = None

    def buildProtocol(self, addr: Any) -> Any:
        """A wrapped protocol, an overflow protocol, or None."""
        if self.connectionLimit is None or self.connectionCount < self.connectionLimit:
            make = self.protocol
            if make is None:
                raise AssertionError(f"{describe(self)} has no protocol: set it, or override buildProtocol")
        elif self.overflowProtocol is not None:
            make = self.overflowProtocol
        else:
            return None
        wrapped = make()
        wrapped.factory = self
        self.connectionCount += 1
        return ProtocolWrapper(self, wrapped)

    def registerProtocol(self, p: Any) -> None:
        """The wrapper `p` is connected. It is counted since it was built."""

    def unregisterProtocol(self, p: Any) -> None:
        """The wrapper `p` has lost its connection."""
        self.connectionCount -= 1


# Time-outs


class TimeoutProtocol(ProtocolWrapper):
    """Closes the connection if for a time nothing was received or sent."""

    def __init__(self, factory: Any, wrappedProtocol: Any, timeoutPeriod: float | None) -> None:
        """The time is in seconds; None: any."""
        self.timeoutCall: Any = None
        self.timeoutPeriod: float | None = None
        ProtocolWrapper.__init__(self, factory, wrappedProtocol)
        self.setTimeout(timeoutPeriod)

    def setTimeout(self, timeoutPeriod: float | None = None) -> None:
        """Begin to wait anew, so many seconds; None: do not wait."""
        self.cancelTimeout()
        self.timeoutPeriod = timeoutPeriod
        if timeoutPeriod is not None:
            self.timeoutCall = self.factory.callLater(timeoutPeriod, self.timeoutFunc)

    def cancelTimeout(self) -> None:
        """Do not wait."""
        self.timeoutPeriod = None
        _stop(self.timeoutCall)
        self.timeoutCall = None

    def resetTimeout(self) -> None:
        """Something happened: the time begins again."""
        if _waits(self.timeoutCall):
            self.timeoutCall.reset(self.timeoutPeriod)

    def write(self, data: bytes) -> None:
        self.resetTimeout()
        ProtocolWrapper.write(self, data)

    def writeSequence(self, seq: Iterable[bytes]) -> None:
        self.resetTimeout()
        ProtocolWrapper.writeSequence(self, seq)

    def dataReceived(self, data: bytes) -> None:
        self.resetTimeout()
        ProtocolWrapper.dataReceived(self, data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.cancelTimeout()
        ProtocolWrapper.connectionLost(self, reason)

    def timeoutFunc(self) -> None:
        """The time is over: closes the connection; override it for more."""
        self.loseConnection()


class TimeoutFactory(WrappingFactory[Any]):
    """Wraps in TimeoutProtocols."""

    protocol = TimeoutProtocol

    def __init__(self, wrappedFactory: Any, timeoutPeriod: float | None = 30 * 60) -> None:
        """Seconds in which something must be received or sent."""
        WrappingFactory.__init__(self, wrappedFactory)
        self.timeoutPeriod = timeoutPeriod

    def _wrap(self, wrapped: Any) -> Any:
        return self.protocol(self, wrapped, timeoutPeriod=self.timeoutPeriod)

    def callLater(self, period: float, func: Callable[[], object]) -> Any:
        """The reactor's; override it for another clock."""
        return _call_later(period, func)


class TimeoutMixin:
    """For a protocol that times itself out: it calls setTimeout, and resetTimeout when something happened (106)."""

    #: Seconds; None: it does not wait. Change it with setTimeout.
    timeOut: float | None = None
    transport: Any
    # Twisted's tests look at it under this name, mangled.
    __timeoutCall: Any = None

    def callLater(self, period: float, func: Callable[[], object]) -> Any:
        """The reactor's; override it for another clock."""
        return _call_later(period, func)

    def resetTimeout(self) -> None:
        """Something happened: the time begins again. Nothing happens if it is over, or was not set."""
        call = self.__timeoutCall
        if call is not None and self.timeOut is not None and call.active():
            call.reset(self.timeOut)

    def setTimeout(self, period: float | None) -> float | None:
        """Wait so many seconds from now on; None: do not. Returns what was set before."""
        previous, self.timeOut = self.timeOut, period
        call = self.__timeoutCall
        if call is not None and not call.active():
            call = None
        if period is None:
            if call is not None:
                call.cancel()
            self.__timeoutCall = None
        elif call is not None:
            call.reset(period)
        else:
            self.__timeoutCall = self.callLater(period, self.__timedOut)
        return previous

    def __timedOut(self) -> None:
        self.__timeoutCall = None
        self.timeoutConnection()

    def timeoutConnection(self) -> None:
        """The time is over: closes the connection; override it for more."""
        self.transport.loseConnection()


# Logs


class SpewingProtocol(ProtocolWrapper):
    """Reports all that is received and written."""

    def dataReceived(self, data: bytes) -> None:
        report.info("Received: {data!r}", data=data)
        ProtocolWrapper.dataReceived(self, data)

    def write(self, data: bytes) -> None:
        report.info("Sending: {data!r}", data=data)
        ProtocolWrapper.write(self, data)


class SpewingFactory(WrappingFactory[Any]):
    """Wraps in SpewingProtocols."""

    protocol = SpewingProtocol


class TrafficLoggingProtocol(ProtocolWrapper):
    """Writes to a file what is received (C), written (S) and written at once (SV), and when it begins and ends (*)."""

    def __init__(
        self, factory: Any, wrappedProtocol: Any, logfile: IO[str], lengthLimit: int | None = None, number: int = 0
    ) -> None:
        """Of data longer than `lengthLimit`, the log has so much that it has that length."""
        ProtocolWrapper.__init__(self, factory, wrappedProtocol)
        self.logfile = logfile
        self.lengthLimit = lengthLimit
        self._number = number

    _closes_logfile = False  # it is ours: opened for this connection

    def _log(self, line: str) -> None:
        self.logfile.write(line + "\n")
        self.logfile.flush()

    def _shortened(self, data: bytes) -> bytes:
        if not self.lengthLimit or len(data) <= self.lengthLimit:
            return data
        return data[: max(0, self.lengthLimit - 12)] + b"<... elided>"

    def connectionMade(self) -> None:
        self._log("*")

    def dataReceived(self, data: bytes) -> None:
        self._log(f"C {self._number}: {self._shortened(data)!r}")
        ProtocolWrapper.dataReceived(self, data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._log(f"C {self._number}: {reason!r}")
        if self._closes_logfile:
            self.logfile.close()
        ProtocolWrapper.connectionLost(self, reason)

    def write(self, data: bytes) -> None:
        self._log(f"S {self._number}: {self._shortened(data)!r}")
        ProtocolWrapper.write(self, data)

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        pieces = list(iovec)
        self._log(f"SV {self._number}: {[self._shortened(data) for data in pieces]!r}")
        ProtocolWrapper.writeSequence(self, pieces)

    def loseConnection(self) -> None:
        self._log(f"S {self._number}: *")
        ProtocolWrapper.loseConnection(self)


class TrafficLoggingFactory(WrappingFactory[Any]):
    """Wraps in TrafficLoggingProtocols, each with a file of its own, called PREFIX-NUMBER."""

    protocol = TrafficLoggingProtocol

    _counter = 0

    def __init__(self, wrappedFactory: Any, logfilePrefix: str, lengthLimit: int | None = None) -> None:
        WrappingFactory.__init__(self, wrappedFactory)
        self.logfilePrefix = logfilePrefix
        self.lengthLimit = lengthLimit

    def open(self, name: str) -> IO[str]:
        """The file to write to, closed when the connection is lost. Override it for another, which is left open."""
        return open(name, "w")

    def _wrap(self, wrapped: Any) -> Any:
        self._counter += 1
        logfile = self.open(f"{self.logfilePrefix}-{self._counter}")
        wrapper = self.protocol(self, wrapped, logfile, self.lengthLimit, self._counter)
        wrapper._closes_logfile = type(self).open is TrafficLoggingFactory.open and "open" not in vars(self)
        return wrapper

    def resetCounter(self) -> None:
        """Count from 1 again."""
        self._counter = 0
