"""What waits to be written, whom that holds back, and who waits for it to be gone: the consumer's side of a stream.

A write only notes what is to be sent, and compares what waits with two limits: beyond the one a push producer is
paused, beyond the other the connection is aborted. No user code runs in a write, but for pauseProducing (62). When and
how it is sent, and what closing waits for, is the stream's business (stream.py), which has this as its base.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..core import streamlife as life
from ..core.calls import Calls
from ..core.deferred import Deferred, fail, succeed
from ..core.outbox import Outbox
from ..core.streamlife import after
from ..core.timers import TimerQueue
from ..engine.meter import Meter
from ..engine.turn import Engine
from ..engine.watch import Watch
from ..error import ConnectionAborted
from ..failure import Failure
from .descriptor import CONNECTION_LOST

# As C numbers in the compiled lane.
OPEN, CLOSING, HALF_CLOSED = life.OPEN, life.CLOSING, life.HALF_CLOSED
ABORTED, LOST, NEW = life.ABORTED, life.LOST, life.NEW

BUFFER = 65536
"""The most that one event receives, and what may wait before a producer is paused, in bytes (68, 99)."""
ALL = 1 << 30
"""The most that a system call is given."""


class WriteLimitExceeded(ConnectionAborted):
    """More waited to be written than the limit that the program had set: the peer reads too slowly."""


_native_classes: dict[type, bool] = {}
NOBODYS = Meter(Calls(), TimerQueue())
"""Where a transport counts its bytes whose reactor is not ours: nobody looks."""
EMPTY = Outbox()
"""The outbox of all streams that were never written to, or are over. Nothing is ever put into it."""


class Flow(Watch):
    """The base of a stream: write, producers, limits. Contract: IConsumer, and the producers' interfaces (68, 69)."""

    def _begin_flow(self, reactor: Any) -> None:
        self._begin_watch(-1)
        self.reactor = reactor
        self.producer: Any = None
        self.streamingProducer = False
        self.producerPaused = False
        self._engine: Engine | None = None  # set: driven natively
        self._life = NEW
        self._disconnecting = False  # what the contract shows of CLOSING, which stays
        self._ended = False  # natively: the peer has ended, and all that it sent was read
        self._busy = False  # inside its own event, at whose end it sends
        self._wanted = False  # there is something to send, or to do when all is sent
        self._queued = False  # in the engine's list of who has something to send
        self._outbox = EMPTY
        # How many bytes may wait: before a push producer is paused, before the connection is aborted (0: any number).
        self._pause_above = BUFFER
        self._abort_above = 0
        self._drains: list[Deferred] | None = None

    def _find_engine(self) -> Engine | None:
        """The engine of its reactor that drives it natively; None where the contract's methods must be used."""
        engine = getattr(self.reactor, "engine", None)
        if not isinstance(engine, Engine) or not engine.carries_streams:
            return None
        kind: Any = type(self)
        native = _native_classes.get(kind)
        if native is None:
            native = _native_classes[kind] = bool(kind._goes_natively())
        return engine if native else None

    def _count_bytes(self, received: int, sent: int) -> None:
        """So many bytes were received and sent."""
        if self._engine is not None:
            meter = self._engine.meter
        else:
            engine = getattr(self.reactor, "engine", None)
            meter = engine.meter if isinstance(engine, Engine) else NOBODYS
        meter.received += received
        meter.sent += sent

    # What the stream is, that this needs of it

    def _send_soon(self) -> None:
        """There is something to send, or to do when all is sent."""
        raise NotImplementedError

    def _abort(self, error: ConnectionAborted) -> None:
        """Drop the connection, for this reason."""
        raise NotImplementedError

    def loseConnection(self) -> None:
        """Send what was written, then close."""
        raise NotImplementedError

    # What the contract knows of its state. Programs read these, and subclasses set them.

    @property
    def connected(self) -> int:
        return int(self._life < LOST)

    @connected.setter
    def connected(self, value: object) -> None:
        if value:
            self._life = after(self._life, life.CONNECT)
        elif self._life < LOST:
            self._life = NEW

    @property
    def disconnected(self) -> int:
        return int(self._life == LOST)

    @disconnected.setter
    def disconnected(self, value: object) -> None:
        if bool(value) is not (self._life == LOST):
            self._life = LOST if value else NEW

    @property
    def disconnecting(self) -> int:
        """Whether it was told to close when something was to be waited for; true from then on."""
        return int(self._disconnecting)

    @disconnecting.setter
    def disconnecting(self, value: object) -> None:
        self._disconnecting = bool(value)
        if bool(value) is not (self._life == CLOSING):
            self._life = CLOSING if value else OPEN

    @property
    def _writeDisconnected(self) -> bool:
        return self._life == HALF_CLOSED

    # Writing

    def write(self, data: bytes) -> None:
        """Send, as soon as the caller has returned. Raises TypeError for what is not bytes (62)."""
        self._put(data if type(data) is bytes else _as_bytes(data))

    def _put(self, data: bytes) -> None:
        if self._life > CLOSING or not data:
            return
        if self._outbox is EMPTY:
            self._outbox = Outbox()
        self._outbox.append(data)
        self._note_written()

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        """Write each of them."""
        pieces = [data if type(data) is bytes else _as_bytes(data) for data in iovec]
        if self._life > CLOSING or not pieces:
            return
        if self._outbox is EMPTY:
            self._outbox = Outbox()
        self._outbox.extend(pieces)
        self._note_written()

    def _note_written(self) -> None:
        self._send_soon()  # first: a producer may raise when it is paused
        size = self._outbox.size
        if size > self._pause_above or size > self._abort_above > 0 or self._engine is None:
            self._over_mark()

    def _forget_written(self) -> None:
        """Nothing will be sent any more."""
        self._outbox = EMPTY

    # Producers

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Let `producer` be paused and resumed as what waits grows and goes. RuntimeError if there is one already."""
        if self.producer is not None:
            raise RuntimeError(
                f"Cannot register producer {producer!r}, because producer {self.producer!r} was never unregistered."
            )
        if self._life == LOST:
            producer.stopProducing()
            return
        self.producer = producer
        self.streamingProducer = bool(streaming)
        self.producerPaused = False
        if not streaming:
            producer.resumeProducing()

    def unregisterProducer(self) -> None:
        """The producer has ended: a closing that waited for it goes on."""
        self.producer = None
        if self._life == CLOSING:
            self._send_soon()

    def stopConsuming(self) -> None:
        """Take no more from the producer: lose the connection."""
        self.unregisterProducer()
        self.loseConnection()

    # Waiting for it to be gone

    def drained(self) -> Deferred:
        """A Deferred that fires with None when all that was written has been handed to the kernel: `await` it.

        At once if nothing waits. What is written before it fires is waited for too. It fails with the reason of the end
        if the connection is lost before, and with ConnectionLost if it is over already. Ours; Twisted has none.
        """
        if self._life >= ABORTED:
            return fail(CONNECTION_LOST)
        if not self._outbox.size:
            return succeed(None)
        waiting = Deferred()
        if self._drains is None:
            self._drains = []
        self._drains.append(waiting)
        return waiting

    def _tell_drained(self, result: Failure | None) -> None:
        """All is sent; or, with a reason, never will be."""
        waiting, self._drains = self._drains, None
        for each in waiting or ():
            if not each.called:  # it may have been cancelled
                each.callback(result)  # a Failure makes it fail

    def _over_mark(self) -> None:
        """More waits than a limit allows, or the contract driver asks each time, as the test is overridable there."""
        size = self._outbox.size
        if self._abort_above and size > self._abort_above:
            self._abort(WriteLimitExceeded(f"{size} bytes wait to be written; the limit is {self._abort_above}"))
        elif self._engine is None:
            self._maybePauseProducer()
        elif size > self._pause_above:
            self._pause_producer()

    def _pause_producer(self) -> None:
        """Enough waits: a push producer is to make a pause."""
        if self.producer is not None and self.streamingProducer:
            self.producerPaused = True
            self.producer.pauseProducing()

    def _isSendBufferFull(self) -> bool:
        return self._outbox.over(self.bufferSize)

    def _maybePauseProducer(self) -> None:
        if self.producer is not None and self.streamingProducer and self._isSendBufferFull():
            self._pause_producer()

    def set_write_limit(self, limit: int, abort: bool = False) -> None:
        """What to do when more than `limit` bytes wait to be written because the peer does not read.

        A push producer is paused there, not at 65,536 bytes. Or, with `abort`, the connection is aborted, with
        WriteLimitExceeded as the reason; a limit of 0 takes that back. Raises ValueError for a negative limit.
        """
        if limit < 0:
            raise ValueError(f"a limit is a number of bytes, not {limit!r}")
        if not abort:
            self.bufferSize = limit
            return
        self._abort_above = limit

    @property
    def bufferSize(self) -> int:
        """How many bytes may wait before a push producer is paused."""
        return self._pause_above

    @bufferSize.setter
    def bufferSize(self, size: int) -> None:
        self._pause_above = size

    @property
    def _tempDataBuffer(self) -> list[bytes]:
        """What waits, for the contract's sake."""
        return [bytes(piece) for piece in self._outbox.pieces(ALL)]


def _as_bytes(data: Any) -> bytes:
    if not isinstance(data, bytes):
        raise TypeError("Data must be bytes")  # the sentence that Twisted's own tests compare
    return bytes(memoryview(data))
