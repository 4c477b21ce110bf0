"""What waits to be written, whom that holds back, and who waits for it to be gone: the consumer's side of a stream.

A write only notes what is to be sent, and looks at one number: the mark, beyond which a push producer is paused or the
connection aborted. No user code runs in a write, but for pauseProducing (62). When and how it is sent, and what
closing waits for, is the stream's business (stream.py), which has this as its base: so a write is one call.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..core import streamlife as life
from ..core.deferred import Deferred, fail, succeed
from ..core.outbox import Outbox
from ..engine.turn import Engine
from ..error import ConnectionAborted
from ..failure import Failure
from .descriptor import CONNECTION_LOST

CLOSING, ABORTED, LOST = life.CLOSING, life.ABORTED, life.LOST  # as C numbers in the compiled lane

BUFFER = 65536
"""The most that one event receives, and what may wait before a producer is paused, in bytes (68, 99)."""
ALL = 1 << 30
"""The most that a system call is given."""


class WriteLimitExceeded(ConnectionAborted):
    """More waited to be written than the limit that the program had set: the peer reads too slowly."""


class Flow:
    """The base of a stream: write, producers, limits. Contract: IConsumer, and the producers' interfaces (68, 69)."""

    def __init__(self, reactor: Any) -> None:
        self.reactor = reactor
        self.producer: Any = None
        self.streamingProducer = False
        self.producerPaused = False
        self._engine: Engine | None = None  # set: driven natively
        self._state = life.NEW
        self._disconnecting = False  # what the contract shows of CLOSING, which stays
        self._outbox = Outbox()
        # How many bytes may wait: before a push producer is paused, before the connection is aborted (0: any number),
        # and the smaller of both, which is all that a write looks at.
        self._pause_above = BUFFER
        self._abort_above = 0
        self._mark = BUFFER
        self._drains: list[Deferred] | None = None

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

    # Writing

    def write(self, data: bytes) -> None:
        """Send, as soon as the caller has returned. Raises TypeError for what is not bytes (62)."""
        if data.__class__ is not bytes:
            data = _as_bytes(data)
        if self._state > CLOSING or not data:
            return
        self._outbox.append(data)
        self._send_soon()  # first: a producer may raise when it is paused
        if self._outbox.size > self._mark or self._engine is None:
            self._over_mark()

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        """Write each of them."""
        pieces = [data if data.__class__ is bytes else _as_bytes(data) for data in iovec]
        if self._state > CLOSING or not pieces:
            return
        self._outbox.extend(pieces)
        self._send_soon()  # first: a producer may raise when it is paused
        if self._outbox.size > self._mark or self._engine is None:
            self._over_mark()

    # Producers

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Let `producer` be paused and resumed as what waits grows and goes. RuntimeError if there is one already."""
        if self.producer is not None:
            raise RuntimeError(
                f"Cannot register producer {producer!r}, because producer {self.producer!r} was never unregistered."
            )
        if self._state == LOST:
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
        if self._state == CLOSING:
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
        if self._state >= ABORTED:
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
        """More waits than the mark allows, or the contract driver asks each time, as the test is overridable there."""
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
        self._mark = min(self._pause_above, limit or self._pause_above)

    @property
    def bufferSize(self) -> int:
        """How many bytes may wait before a push producer is paused."""
        return self._pause_above

    @bufferSize.setter
    def bufferSize(self, size: int) -> None:
        self._pause_above = size
        self._mark = min(size, self._abort_above or size)

    @property
    def _tempDataBuffer(self) -> list[bytes]:
        """What waits, for the contract's sake."""
        return [bytes(piece) for piece in self._outbox.pieces(ALL)]


def _as_bytes(data: Any) -> bytes:
    if not isinstance(data, bytes):
        raise TypeError("Data must be bytes")  # the sentence that Twisted's own tests compare
    return bytes(memoryview(data))
