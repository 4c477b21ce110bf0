"""The reactor that waits with select. Contract: twisted.internet.selectreactor."""

from __future__ import annotations

from . import reactors
from .posixbase import PosixReactorBase

__all__ = ["SelectReactor", "install"]


class SelectReactor(PosixReactorBase):
    """A reactor that waits with select. Raises ValueError when made on a system without it."""

    mechanism = "select"

    #: What its doIteration is, by itself: a subclass that overrides that may call it.
    doSelect = PosixReactorBase.doIteration


def install() -> None:
    """Make a SelectReactor the process's reactor. Raises ReactorAlreadyInstalledError if the process has one (45)."""
    reactors.install(SelectReactor())
