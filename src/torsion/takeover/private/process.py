"""`twisted.internet.process`: our children under its names, and what is private there.

There, who waits for which child is one dict of the process; here each reactor has a reaper, and this looks at them all.
"""

import os
from collections.abc import Iterator, Mapping
from typing import Any

from torsion import report
from torsion.child.pipes import ProcessReader, ProcessWriter
from torsion.child.process import Child, Process, reaper_of
from torsion.child.pty import PTYProcess
from torsion.child.reap import reapers
from torsion.child.spawn import CLOSE, DUP2, Order, by_fork, open_descriptors, plan, steps, take, take_terminal
from torsion.failure import Failure
from torsion.net import descriptor

__all__ = [
    "PTYProcess",
    "Process",
    "ProcessReader",
    "ProcessWriter",
    "_BaseProcess",
    "_getFileActions",
    "_listOpenFDs",
    "reapAllProcesses",
    "reapProcessHandlers",
    "registerReapProcessHandler",
    "unregisterReapProcessHandler",
]


class _Handlers(Mapping[int, Any]):
    """The children that are waited for, by number."""

    def _now(self) -> dict[int, Any]:
        return {
            pid: getattr(ended, "__self__", ended)
            for reaper in list(reapers)
            for pid, ended in reaper.registered().items()
        }

    def __getitem__(self, pid: int) -> Any:
        return self._now()[pid]

    def __iter__(self) -> Iterator[int]:
        return iter(self._now())

    def __len__(self) -> int:
        return len(self._now())

    def __repr__(self) -> str:
        return repr(self._now())


reapProcessHandlers = _Handlers()


def reapAllProcesses() -> None:
    """Reap every child that has ended and that somebody waits for."""
    for reaper in list(reapers):
        reaper.reap_all()


def registerReapProcessHandler(pid: Any, process: Any) -> None:
    """Call `process.processEnded(status)` once the child has ended, now if it has. RuntimeError if somebody waits."""
    if pid in reapProcessHandlers:
        raise RuntimeError(f"somebody waits for child {pid} already")
    if _can_be_waited_for(pid):
        reaper_of(descriptor.current_reactor()).register(pid, process.processEnded)


def unregisterReapProcessHandler(pid: Any, process: Any) -> None:
    """Wait for it no longer. RuntimeError if `process` did not."""
    for reaper in list(reapers):
        if getattr(reaper.registered().get(pid), "__self__", None) is process:
            reaper.unregister(pid)
            return
    raise RuntimeError(f"{process!r} does not wait for child {pid}")


def _can_be_waited_for(pid: Any) -> bool:
    """Whether it is a number; if not, what waitpid says of it is reported."""
    if isinstance(pid, int):
        return True
    try:
        os.waitpid(pid, os.WNOHANG)
    except BaseException:
        report.failure(f"Cannot wait for child {pid!r}", Failure())
    return False


class _BaseProcess(Child):
    """A child that has not been started."""

    def __init__(self, proto: Any) -> None:
        self.proto = proto

    def reapProcess(self) -> None:
        if _can_be_waited_for(self.pid):
            super().reapProcess()


def _getFileActions(
    fdState: list[tuple[int, bool]], childToParentFD: dict[int, int], doClose: int, doDup2: int
) -> list[tuple[int, ...]]:
    """What to do with descriptors in a child, given each one's number and whether it is closed on exec."""
    kinds = {CLOSE: doClose, DUP2: doDup2}
    found = steps(childToParentFD, [fd for fd, closed in fdState if not closed])
    return [(kinds[kind], *numbers) for kind, *numbers in found]


def _listOpenFDs() -> list[int]:
    return open_descriptors()


# Subclasses have their children do more before they become the program (be the leader of a group of processes, say) by
# a method of their own that runs in the child. Where there is one the process forks.


def _setupChild(self: Any, fdmap: dict[int, int]) -> None:
    """In the child: have these descriptors, its number to ours."""
    take(plan(fdmap))


def _setup_child_on_terminal(self: Any, masterfd: int, slavefd: int) -> None:
    """In the child: have this terminal."""
    take_terminal(slavefd, plan(dict.fromkeys((0, 1, 2), slavefd)))


def _start(self: Any, order: Order, wanted: dict[int, int]) -> int:
    if type(self)._setupChild is _setupChild:
        return _start_plainly(self, order, wanted)
    return by_fork(order, lambda: self._setupChild(wanted))


def _start_on_terminal(self: Any, order: Order, master: int, slave: int) -> int:
    if type(self)._setupChild is _setup_child_on_terminal:
        return _start_plainly_on_terminal(self, order, master, slave)
    return by_fork(order, lambda: self._setupChild(master, slave))


_start_plainly, _start_plainly_on_terminal = Process._start, PTYProcess._start
_process: Any = Process
_process._setupChild, _process._start = _setupChild, _start
_terminal: Any = PTYProcess
_terminal._setupChild, _terminal._start = _setup_child_on_terminal, _start_on_terminal
