"""Which reactor a program gets that installs none: the one with the system's best mechanism (semantics 45).

Contract: twisted.internet.default.
"""

from __future__ import annotations

from . import epollreactor, pollreactor, selectreactor
from .engine.poll import best

__all__ = ["install"]

_INSTALL = {"epoll": epollreactor.install, "poll": pollreactor.install, "select": selectreactor.install}


def install() -> None:
    """Make the default reactor the process's; the environment's TORSION_POLLER may name another mechanism.

    Raises ReactorAlreadyInstalledError if the process has one.
    """
    _INSTALL[best()]()
