"""Transports that keep what is written to them, for tests of one protocol alone. Contract: twisted.internet.testing."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from typing import Any

from ..address import IPv4Address
from ..core.deferred import Deferred
from ..error import ConnectionDone
from ..failure import Failure

#: Where a StringTransport says that it is, and its peer, if it was not told.
OWN_ADDRESS = IPv4Address("TCP", "10.0.0.1", 12345)
PEER_ADDRESS = IPv4Address("TCP", "192.168.1.1", 54321)

PRODUCING, PAUSED, STOPPED = "producing", "paused", "stopped"


class StringTransport:
    """A connection whose other end is the test: `value()` is what was written, `clear()` forgets it.

    `producerState` is "producing", "paused" or "stopped", as the protocol has asked for. loseConnection only notes that
    it was called (`disconnecting`), and so does abortConnection (`disconnected`). Contract: ITransport, IConsumer,
    IPushProducer.
    """

    disconnecting = False
    disconnected = False
    hostAddr: Any = None
    peerAddr: Any = None
    producer: Any = None
    streaming: bool | None = None
    producerState = PRODUCING

    def __init__(self, hostAddress: Any = None, peerAddress: Any = None, lenient: bool = False) -> None:
        """`lenient`: to pause or resume it after loseConnection is no error."""
        self.io: Any = BytesIO()
        self.connected = True
        self._lenient = lenient
        if hostAddress is not None:
            self.hostAddr = hostAddress
        if peerAddress is not None:
            self.peerAddr = peerAddress

    def value(self) -> bytes:
        """All that was written since the last clear()."""
        written: bytes = self.io.getvalue()
        return written

    def clear(self) -> None:
        """Forget what was written."""
        self.io = BytesIO()

    def write(self, data: bytes) -> None:
        """Keep it. TypeError unless it is bytes."""
        if not isinstance(data, bytes):
            raise TypeError(f"Data must be bytes, not {data!r}")
        self.io.write(data)

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """Keep all of them. TypeError unless they are bytes."""
        self.io.write(b"".join(data))

    def loseConnection(self) -> None:
        """Note that it is to be closed."""
        self.disconnecting = True

    def abortConnection(self) -> None:
        """Note that it is to be dropped."""
        self.disconnected = True
        self.loseConnection()

    def getHost(self) -> Any:
        return OWN_ADDRESS if self.hostAddr is None else self.hostAddr

    def getPeer(self) -> Any:
        return PEER_ADDRESS if self.peerAddr is None else self.peerAddr

    # IConsumer

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Note it as `producer`, which the test resumes. RuntimeError if there is one."""
        if self.producer is not None:
            raise RuntimeError("Cannot register two producers")
        self.producer, self.streaming = producer, streaming

    def unregisterProducer(self) -> None:
        """RuntimeError if there is none."""
        if self.producer is None:
            raise RuntimeError("Cannot unregister a producer unless one is registered")
        self.producer = self.streaming = None

    # IPushProducer

    def pauseProducing(self) -> None:
        """RuntimeError if it is being closed or was stopped."""
        self._may_produce()
        self.producerState = PAUSED

    def resumeProducing(self) -> None:
        """RuntimeError if it is being closed or was stopped."""
        self._may_produce()
        self.producerState = PRODUCING

    def stopProducing(self) -> None:
        """Note that nothing more is wanted."""
        self.producerState = STOPPED

    def _may_produce(self) -> None:
        if self.disconnecting and not self._lenient:
            raise RuntimeError("Cannot resume producing after loseConnection")
        if self.producerState == STOPPED:
            raise RuntimeError("Cannot resume a stopped producer")


class StringTransportWithDisconnection(StringTransport):
    """One whose loseConnection tells `protocol`, at once, that the connection is over. Set `protocol` first."""

    protocol: Any

    def loseConnection(self) -> None:
        """Call the protocol's connectionLost with ConnectionDone, the first time."""
        if self.connected:
            self.connected = False
            self.protocol.connectionLost(Failure(ConnectionDone("Bye.")))


class FakeDatagramTransport:
    """Datagrams that were sent: (data, address) each, in `written`. Contract: IUDPTransport."""

    #: Stands for the address of a datagram that was sent without one.
    noAddr = object()

    def __init__(self) -> None:
        self.written: list[tuple[bytes, Any]] = []

    def write(self, packet: bytes, addr: Any = noAddr) -> None:
        self.written.append((packet, addr))


class StringIOWithoutClosing(BytesIO):
    """A file in memory that can still be looked at when the program under test has closed it."""

    def close(self) -> None:
        """It stays open."""


class NonStreamingProducer:
    """A pull producer: writes the numbers from 0 to 9, one each time it is asked, and unregisters after the last.

    `result` is a Deferred that fires when it is told to stop.
    """

    counter = 0
    stopped = False

    def __init__(self, consumer: Any) -> None:
        self.consumer = consumer
        self.result: Deferred = Deferred()

    def resumeProducing(self) -> None:
        """RuntimeError once it has written all, or was stopped."""
        if self.consumer is None or self.stopped:
            raise RuntimeError("BUG: resume after unregister/stop.")
        self.consumer.write(b"%d" % self.counter)
        self.counter += 1
        if self.counter == 10:
            self.consumer.unregisterProducer()
            self._done()

    def pauseProducing(self) -> None:
        """RuntimeError: who pulls does not pause."""
        raise RuntimeError("BUG: pause should never be called.")

    def stopProducing(self) -> None:
        self._done()

    def _done(self) -> None:
        self.consumer = None
        self.stopped = True
        result, self.result = self.result, None  # type: ignore[assignment]
        if result is not None:
            result.callback(None)
