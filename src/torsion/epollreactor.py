"""The reactor that waits with epoll. Contract: twisted.internet.epollreactor."""

from __future__ import annotations

from . import reactors
from .posixbase import PosixReactorBase

__all__ = ["EPollReactor", "install"]


class EPollReactor(PosixReactorBase):
    """A reactor that waits with epoll. Raises ValueError when made on a system without it."""

    mechanism = "epoll"

    #: What its doIteration is, by itself: a subclass that overrides that may call it.
    doPoll = PosixReactorBase.doIteration


def install() -> None:
    """Make a EPollReactor the process's reactor. Raises ReactorAlreadyInstalledError if the process has one (45)."""
    reactors.install(EPollReactor())
