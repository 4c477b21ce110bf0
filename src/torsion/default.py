"""Which reactor a program gets that installs none: the one with the system's best mechanism (semantics 45).

Contract: twisted.internet.default. `install` makes it the process's; the environment's TORSION_POLLER, read when this
is imported, may name another mechanism. It is the `install` of the mechanism's own module, where programs look for the
reactor's class.
"""

from __future__ import annotations

from . import epollreactor, pollreactor, selectreactor
from .engine.poll import best

__all__ = ["install"]

install = {"epoll": epollreactor.install, "poll": pollreactor.install, "select": selectreactor.install}[best()]
