"""The end of a port that waits for its connections: they end by themselves, or are lost, or in the end aborted.

Connections tell the place where their port has them when they are over (stream.py), and that place is a dictionary as
long as nobody drains: a port that is never drained pays for one entry a connection. When it is, this takes its place.
"""

from __future__ import annotations

from typing import Any

from .. import report
from ..core.deferred import Deferred
from ..core.timers import DelayedCall
from ..failure import Failure

PATIENCE = 1.0
"""How long a connection may take to send what was written, once it is told to end, in seconds."""
PORT = -1
"""Stands for the listening socket among the numbers of the connections."""


class Drain:
    """What is left of one port. `over` when that is nothing."""

    def __init__(self, reactor: Any, connections: dict[int, Any], closed: Deferred | None) -> None:
        """`closed` fires when the port is closed; None if it is."""
        self.over = False
        self._reactor = reactor
        self._left = connections
        self._cut: set[int] = set()
        self._waiting: list[Deferred] = []
        self._calls: list[DelayedCall] = []
        for stream in connections.values():
            stream._home = self
        if closed is not None:
            connections[PORT] = None
            closed.addCallbacks(lambda result: self.pop(PORT, None), self._failed)

    def within(self, grace: float) -> Deferred:
        """A Deferred of how many had to be cut; `grace` in seconds."""
        done = Deferred()
        self._waiting.append(done)
        if self._left:
            self._calls.append(self._reactor.callLater(grace, self._lose))
        else:
            self._end(None)
        return done

    def __setitem__(self, number: int, stream: Any) -> None:
        """One more, that was being accepted."""
        self._left[number] = stream

    def left(self) -> dict[int, Any]:
        """The connections that are not over, by their numbers."""
        return dict(self._streams())

    def pop(self, number: int, default: None) -> None:
        """The connection of this number is over."""
        if self._left.pop(number, self) is not self and not self._left:
            self._end(None)

    def _streams(self) -> list[tuple[int, Any]]:
        return [(number, stream) for number, stream in self._left.items() if number != PORT]

    def _lose(self) -> None:
        """The time is over: the rest is to end."""
        for number, stream in self._streams():
            if number not in self._left:
                continue  # it ended as another one did
            self._cut.add(number)
            try:
                _outermost(stream).loseConnection()
            except BaseException:
                report.failure(f"Unhandled error in loseConnection of {stream.log_prefix()}", Failure())
        if self._left:
            self._calls.append(self._reactor.callLater(PATIENCE, self._abort))

    def _abort(self) -> None:
        for _, stream in self._streams():
            try:
                stream.abortConnection()
            except BaseException:  # an override's: the others end all the same
                report.failure(f"Unhandled error in abortConnection of {stream.log_prefix()}", Failure())

    def _failed(self, failure: Failure) -> None:
        """The port could not be closed: whoever waits is told."""
        self._end(failure)

    def _end(self, failure: Failure | None) -> None:
        self.over = True
        calls, self._calls = self._calls, []
        for call in calls:
            if call.active():
                call.cancel()
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            if not each.called:  # it may have been cancelled
                each.callback(len(self._cut) if failure is None else failure)


def _outermost(stream: Any) -> Any:
    """Who has to be told to end: a protocol that is itself a transport (TLS, say) has something to send before."""
    kind = type(stream.protocol)
    return stream.protocol if hasattr(kind, "loseConnection") and hasattr(kind, "writeSequence") else stream
