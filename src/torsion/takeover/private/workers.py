"""Twisted's `_threads`: our pool's workers, with the zope interfaces that Twisted declares on them.

Twisted's package is private, but its own reactors, resolver and tests are written against it; one module of ours stands
for the package and for each module in it.
"""

from typing import Any

from torsion.pool import worker
from torsion.pool.team import Statistics, Team, pool
from torsion.pool.worker import (
    AlreadyQuit,
    LockWorker,
    MemoryWorker,
    NoMoreWork,
    Quit,
    SimpleLock,
    SimpleQueue,
    Stop,
    StopThread,
    ThreadWorker,
    Work,
    createMemoryWorker,
)

__all__ = [
    "AlreadyQuit",
    "IExclusiveWorker",
    "IWorker",
    "LockWorker",
    "MemoryWorker",
    "NoMoreWork",
    "Quit",
    "SimpleLock",
    "SimpleQueue",
    "Statistics",
    "Stop",
    "StopThread",
    "Team",
    "ThreadWorker",
    "createMemoryWorker",
    "pool",
]

# Below this name Python looks for further modules; the finder points it to Twisted's own tests where there are any.
__path__: list[str] = []


def do(task: Work) -> None:
    """Have `task` called soon, without arguments. AlreadyQuit after quit."""


def quit() -> None:
    """Accept nothing more, finish what was accepted, free what is held. AlreadyQuit if it was called before."""


def _interfaces() -> tuple[Any, Any]:
    """IWorker and IExclusiveWorker, declared on the classes above; without zope, the Protocols that they mirror."""
    try:
        from zope.interface import Interface, classImplements
        from zope.interface.interface import InterfaceClass
    except ImportError:
        return worker.IWorker, worker.IExclusiveWorker
    make: Any = InterfaceClass
    wide = make("IWorker", (Interface,), {"do": do, "quit": quit}, worker.IWorker.__doc__, __name__)
    exclusive = make("IExclusiveWorker", (wide,), {}, worker.IExclusiveWorker.__doc__, __name__)
    classImplements(Team, wide)
    for cls in (LockWorker, MemoryWorker, ThreadWorker):
        classImplements(cls, exclusive)
    return wide, exclusive


IWorker, IExclusiveWorker = _interfaces()
