"""The end of a port that waits for its connections: they end by themselves, or are lost, or in the end aborted.

A port has its connections in a roster, which they leave when they are over (stream.py): a port that is never drained
pays for a place in a list, for each. When it is drained, the roster tells that it is empty.
"""

from __future__ import annotations

from typing import Any

from .. import report
from ..core.deferred import Deferred
from ..core.delayed import DelayedCall
from ..core.roster import Roster
from ..failure import Failure

PATIENCE = 1.0
"""How long a connection may take to send what was written, once it is told to end, in seconds."""


class Drain:
    """What is left of one port. `over` when that is nothing."""

    def __init__(self, reactor: Any, connections: Roster, closed: Deferred | None) -> None:
        """`closed` fires when the port is closed; None if it is."""
        self.over = False
        self._reactor = reactor
        self._connections = connections
        self._cut: dict[int, Any] = {}  # by their id()
        self._waiting: list[Deferred] = []
        self._calls: list[DelayedCall] = []
        self._listens = closed is not None
        connections.emptied = self._look
        if closed is not None:
            closed.addCallbacks(self._closed, self._end)

    def within(self, grace: float) -> Deferred:
        """A Deferred of how many had to be cut; `grace` in seconds."""
        done = Deferred()
        self._waiting.append(done)
        self._calls.append(self._reactor.callLater(grace, self._lose))
        self._look()
        return done

    def _closed(self, result: object) -> None:
        self._listens = False
        self._look()

    def _look(self) -> None:
        """Something is over: is all?"""
        if not self._listens and not len(self._connections):
            self._end(None)

    def _lose(self) -> None:
        """The time is over: the rest is to end."""
        for stream in self._connections.members():
            if stream.disconnected:
                continue  # it ended as another one did
            self._cut[id(stream)] = stream
            try:
                _outermost(stream).loseConnection()
            except BaseException:
                report.failure(f"Unhandled error in loseConnection of {stream.log_prefix()}", Failure())
        if not self.over:
            self._calls.append(self._reactor.callLater(PATIENCE, self._abort))

    def _abort(self) -> None:
        for stream in self._connections.members():
            try:
                stream.abortConnection()
            except BaseException:  # an override's: the others end all the same
                report.failure(f"Unhandled error in abortConnection of {stream.log_prefix()}", Failure())

    def _end(self, failure: Failure | None) -> None:
        self.over = True
        self._connections.emptied = None
        calls, self._calls = self._calls, []
        for call in calls:
            if call.active():
                call.cancel()
        waiting, self._waiting = self._waiting, []
        cut, self._cut = self._cut, {}
        for each in waiting:
            if not each.called:  # it may have been cancelled
                each.callback(len(cut) if failure is None else failure)


def _outermost(stream: Any) -> Any:
    """Who has to be told to end: a protocol that is itself a transport (TLS, say) has something to send before."""
    kind = type(stream.protocol)
    return stream.protocol if hasattr(kind, "loseConnection") and hasattr(kind, "writeSequence") else stream
