"""Producers of TLS connections: pausing is told once, however many layers ask for it; and pull becomes push.

What a producer writes is encrypted and goes to the transport below, whose buffer is what fills. So it is registered
there, as a push producer, behind a membrane.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ... import report
from ...failure import Failure


class Membrane:
    """Between a push producer and those who pause it: the transport below, and TLS while it cannot write."""

    def __init__(self, producer: Any) -> None:
        self._producer = producer
        self._producerPaused = False

    def pauseProducing(self) -> None:
        if not self._producerPaused:
            self._producerPaused = True
            self._producer.pauseProducing()

    def resumeProducing(self) -> None:
        if self._producerPaused:
            self._producerPaused = False
            self._producer.resumeProducing()

    def stopProducing(self) -> None:
        self._producer.stopProducing()


class Pump:
    """Makes a push producer of one that pulls: asks it for more in each pass of the loop, unless it is paused."""

    def __init__(self, pullProducer: Any, consumer: Any, call_later: Callable[..., Any]) -> None:
        """``call_later(seconds, function)``: a reactor's callLater. Begins with startStreaming()."""
        self._producer = pullProducer
        self._consumer = consumer
        self._call_later = call_later
        self._finished = False
        self._paused = False
        self._pending: Any = None

    def startStreaming(self) -> None:
        if not self._paused:
            self._soon()

    def stopStreaming(self) -> None:
        """It is unregistered: ask no more."""
        self._finished = True
        self._cancel()

    def pauseProducing(self) -> None:
        self._paused = True
        self._cancel()

    def resumeProducing(self) -> None:
        self._paused = False
        self._soon()

    def stopProducing(self) -> None:
        self.stopStreaming()
        self._producer.stopProducing()

    def _soon(self) -> None:
        if self._pending is None and not self._finished:
            self._pending = self._call_later(0, self._pull)

    def _cancel(self) -> None:
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.cancel()

    def _pull(self) -> None:
        self._pending = None
        try:
            self._producer.resumeProducing()
        except BaseException:
            report.failure(
                f"{type(self._producer).__qualname__} failed in resumeProducing, and is no longer asked for more",
                Failure(),
            )
            self._give_up()
            return
        if not self._paused:
            self._soon()

    def _give_up(self) -> None:
        self._finished = True
        try:
            self._consumer.unregisterProducer()
        except BaseException:
            report.failure("Unhandled error in unregisterProducer", Failure())
        else:
            self._consumer.loseConnection()
