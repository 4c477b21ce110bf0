"""Children are reaped by number, each that somebody registered and no other (semantics 54).

Waiting for any child would take the exit status of children that belong to others in the process: subprocess, for one.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from .. import report
from ..failure import Failure

Ended = Callable[[int], object]
"""Told the status that waitpid gave; see os.waitstatus_to_exitcode."""


class Reaper:
    """Who waits for which child. The loop's own thread only."""

    def __init__(self) -> None:
        self._ended: dict[int, Ended] = {}

    def register(self, pid: int, ended: Ended) -> None:
        """Call `ended(status)` once child `pid` has ended: before this returns if it has already, else from reap_all().

        Raises ValueError if somebody waits for it already.
        """
        if pid in self._ended:
            raise ValueError(f"somebody waits for child {pid} already: {self._ended[pid]!r}")
        self._ended[pid] = ended
        self._reap(pid)

    def unregister(self, pid: int) -> None:
        """Wait for `pid` no longer. ValueError if nobody did."""
        if self._ended.pop(pid, None) is None:
            raise ValueError(f"nobody waits for child {pid}")

    def reap_all(self) -> None:
        """Look at every registered child. Called when a signal has come: one SIGCHLD may stand for many children."""
        for pid in list(self._ended):
            if pid in self._ended:  # one that ended may have unregistered another
                self._reap(pid)

    def _reap(self, pid: int) -> None:
        try:
            reaped, status = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            return  # ECHILD: not ours, or somebody else has its status
        if not reaped:
            return
        ended = self._ended.pop(pid)
        try:
            ended(status)
        except BaseException:
            report.failure(f"Unhandled error at the end of child {pid}", Failure())
