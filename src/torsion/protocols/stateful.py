"""A protocol that says how many bytes it wants next, and what is to be called with them.

Contract: twisted.protocols.stateful.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..protocol import Protocol

__all__ = ["StatefulProtocol"]


class StatefulProtocol(Protocol):
    """A state is a function and a number of bytes: the function is called with so many, and gives the next state.

    None means the same state again. Override getInitialState.
    """

    _state: tuple[Callable[[bytes], Any], int] | None = None
    _waiting = b""
    _busy = False

    def makeConnection(self, transport: Any) -> None:
        """Take the transport, and begin in the initial state."""
        Protocol.makeConnection(self, transport)
        self._state = self.getInitialState()

    def getInitialState(self) -> Any:
        """The first state: (function, number of bytes)."""
        raise NotImplementedError

    def dataReceived(self, data: bytes) -> None:
        """Call the state's function as often as there are bytes enough for it. What it brings itself waits its turn."""
        self._waiting += data
        if self._busy:
            return
        self._busy = True
        at = 0
        try:
            while self._state is not None:
                function, size = self._state
                if len(self._waiting) - at < size:
                    return
                at += size
                following = function(self._waiting[at - size : at])
                if following is not None:
                    self._state = following
        finally:
            self._busy = False
            self._waiting = self._waiting[at:]
