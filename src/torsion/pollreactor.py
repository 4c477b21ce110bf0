"""The reactor that waits with poll. Contract: twisted.internet.pollreactor."""

from __future__ import annotations

from . import reactors
from .posixbase import PosixReactorBase

__all__ = ["PollReactor", "install"]


class PollReactor(PosixReactorBase):
    """A reactor that waits with poll. Raises ValueError when made on a system without it."""

    mechanism = "poll"

    #: What its doIteration is, by itself: a subclass that overrides that may call it.
    doPoll = PosixReactorBase.doIteration


def install() -> None:
    """Make a PollReactor the process's reactor. Raises ReactorAlreadyInstalledError if the process has one (45)."""
    reactors.install(PollReactor())
