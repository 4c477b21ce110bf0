"""Torsion: an event-driven engine for Python, under the API that Twisted made known.

    from torsion import reactor, protocol, defer, task, threads

Importing this package chooses the lane and nothing more: the public modules are imported when first asked for, and
`reactor` is the reactor running in this thread, else the global one, which is made on first use.
"""

from __future__ import annotations

from . import lane as _lane

TYPE_CHECKING = False  # as in lane
if TYPE_CHECKING:
    from typing import Any

    from . import (
        abstract,
        address,
        asyncioreactor,
        base,
        default,
        defer,
        endpoints,
        epollreactor,
        error,
        failure,
        fdesc,
        inotify,
        interfaces,
        main,
        pollreactor,
        posixbase,
        protocol,
        protocols,
        selectreactor,
        ssl,
        stdio,
        task,
        tcp,
        testing,
        threads,
        udp,
        unix,
        utils,
    )
    from .contract import Reactor

    reactor: Reactor

__version__ = "0.1.0"
__all__ = [
    "abstract",
    "address",
    "asyncioreactor",
    "base",
    "default",
    "defer",
    "endpoints",
    "epollreactor",
    "error",
    "failure",
    "fdesc",
    "inotify",
    "interfaces",
    "main",
    "pollreactor",
    "posixbase",
    "protocol",
    "protocols",
    "reactor",
    "selectreactor",
    "ssl",
    "stdio",
    "task",
    "tcp",
    "testing",
    "threads",
    "udp",
    "unix",
    "utils",
]

#: `compiled` or `interpreted`; chosen here, before any module that has two lanes is imported.
LANE = _lane.choose()


def __getattr__(name: str) -> Any:
    if name == "reactor":
        # Never stored in the module: another thread, or a later moment, may have another reactor.
        from .reactors import current

        return current()
    if name in __all__:
        from importlib import import_module

        return import_module("torsion." + name)
    raise AttributeError(f"module 'torsion' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
