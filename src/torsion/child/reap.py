"""Children are reaped by number, each that somebody registered and no other (semantics 54).

Waiting for any child would take the exit status of children that belong to others in the process: subprocess, for one.

That a child has ended shows in two ways. SIGCHLD comes to the main thread, to the loop that handles signals there (53).
And Linux has a descriptor for a process, which becomes readable at its end: the engine watches one for each child, so a
loop in any thread, with signal handlers or without, sees its children, and looks at those alone that have ended. What
has no such descriptor (an older kernel, none left, an engine that somebody else turns) is seen by the signal.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable

from .. import report
from ..engine.turn import Engine
from ..failure import Failure
from ..twin.kernel import READ

Ended = Callable[[int], object]
"""Told the status that waitpid gave; see os.waitstatus_to_exitcode."""

reapers: weakref.WeakSet[Reaper] = weakref.WeakSet()
"""Every reaper there is: who ends a program wants to know which children are left."""


class _Watched:
    """The descriptor of one child's process."""

    def __init__(self, fd: int, pid: int, reaper: Reaper) -> None:
        self.fd = fd
        self._pid = pid
        self._reaper = reaper

    def on_ready(self, ready: int) -> None:
        self._reaper.look(self._pid)


class Reaper:
    """Who waits for which child. The loop's own thread only."""

    def __init__(self, engine: Engine | None = None) -> None:
        """`engine`: what watches the children; without one, only `reap_all` and `look` see that they have ended."""
        self._engine = engine
        self._ended: dict[int, Ended] = {}
        self._watched: dict[int, _Watched] = {}
        self._taken: set[int] = set()  # those whose status somebody else has: their numbers may be other children's
        reapers.add(self)

    def register(self, pid: int, ended: Ended) -> None:
        """Call `ended(status)` once child `pid` has ended: before this returns if it has already, else later.

        Raises ValueError if somebody waits for it already.
        """
        if pid in self._ended and pid not in self._taken:
            raise ValueError(f"somebody waits for child {pid} already: {self._ended[pid]!r}")
        self._ended[pid] = ended
        self._taken.discard(pid)
        self.look(pid)
        if self._ended.get(pid) is ended and self._engine is not None and self._engine.carries_streams:
            self._watch(pid, self._engine)

    def unregister(self, pid: int) -> None:
        """Wait for `pid` no longer. ValueError if nobody did."""
        if self._ended.pop(pid, None) is None:
            raise ValueError(f"nobody waits for child {pid}")
        self._taken.discard(pid)
        self._unwatch(pid)

    def registered(self) -> dict[int, Ended]:
        """Which children are waited for, and by whom: a copy."""
        return dict(self._ended)

    def reap_all(self) -> None:
        """Look at every registered child."""
        for pid in list(self._ended):
            self.look(pid)

    def child_signal(self) -> None:
        """SIGCHLD has come, perhaps once for many: look at every child that the engine does not watch."""
        turns = self._engine is not None and self._engine.carries_streams
        for pid in list(self._ended):
            if not (turns and pid in self._watched):
                self.look(pid)

    def look(self, pid: int) -> None:
        """Reap child `pid`, if it is registered and has ended. What goes wrong is reported."""
        if pid not in self._ended:
            return
        try:
            reaped, status = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            self._taken.add(pid)
            self._unwatch(pid)  # ECHILD: not ours, or somebody else has its status; it would be readable for ever
            return
        if not reaped:
            return
        ended = self._ended.pop(pid)
        self._taken.discard(pid)
        self._unwatch(pid)
        try:
            ended(status)
        except BaseException:
            report.failure(f"Unhandled error at the end of child {pid}", Failure())

    def close(self) -> None:
        """Give back the descriptors of the children that are left. They are not reaped."""
        for pid in list(self._watched):
            self._unwatch(pid)

    def _watch(self, pid: int, engine: Engine) -> None:
        try:
            fd = os.pidfd_open(pid)  # not inherited by programs
        except (AttributeError, OSError):
            return
        watched = self._watched[pid] = _Watched(fd, pid, self)
        engine.watch(fd, watched, READ)

    def _unwatch(self, pid: int) -> None:
        watched = self._watched.pop(pid, None)
        if watched is not None:
            if self._engine is not None:
                self._engine.forget(watched.fd)
            os.close(watched.fd)
