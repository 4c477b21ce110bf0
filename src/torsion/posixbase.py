"""What the reactors that wait with a system call of POSIX are made from. Contract: twisted.internet.posixbase."""

from __future__ import annotations

from collections.abc import Callable

from .base import ReactorBase
from .engine.poll import Poller, choose
from .engine.turn import Engine

__all__ = ["PosixReactorBase"]


class PosixReactorBase(ReactorBase):
    """A reactor with files and sockets. Without a mechanism it waits with the best that the system has."""

    #: The mechanism of engine/poll that it waits with.
    mechanism: str | None = None

    def __init__(
        self, clock: Callable[[], float] | None = None, poller: Poller | None = None, engine: Engine | None = None
    ) -> None:
        """As Reactor. Raises ValueError where the system does not have the mechanism."""
        if poller is None and engine is None:
            poller = choose(self.mechanism)
        super().__init__(clock, poller, engine)
