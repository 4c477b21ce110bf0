"""What every reactor of the contract is made from. Contract: twisted.internet.base."""

from __future__ import annotations

from .contract import Reactor
from .core.delayed import DelayedCall
from .net.connector import BaseConnector
from .net.filedescriptor import BasePort

__all__ = ["BaseConnector", "BasePort", "DelayedCall", "ReactorBase"]


class ReactorBase(Reactor):
    """A life, a clock and threads. A subclass may bring its own readiness: doIteration, addReader, and so on."""

    #: There are always threads.
    usingThreads = True
