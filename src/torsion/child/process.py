"""A child process as its protocol knows it: a transport with a pipe for each of the child's descriptors.

Two things end, in any order: the child, and its pipes, each by itself. The protocol is told of each, and by
processEnded once all have ended. A grandchild that holds a pipe delays that, and not processExited (semantics 55).

Contract: twisted.internet.process, IProcessTransport.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Mapping
from typing import Any

from .. import report
from ..error import ProcessDone, ProcessExitedAlready, ProcessTerminated
from ..failure import Failure
from ..net import descriptor
from . import spawn
from .pipes import ProcessReader, ProcessWriter
from .reap import Reaper

PIPES: dict[int, int | str] = {0: "w", 1: "r", 2: "r"}
"""What a child has if nothing else is said: standard input, output and error."""

NAMES = ("HUP", "STOP", "INT", "KILL", "TERM")
"""The signals that have a name for signalProcess."""

_elsewhere = Reaper()
"""For children that are started for a reactor which is not ours: seen when their pipes close, or by reap_all."""


def reaper_of(reactor: Any) -> Reaper:
    """What waits for the children of a reactor."""
    reaper = getattr(reactor, "_children", None)
    return reaper if isinstance(reaper, Reaper) else _elsewhere


class Child:
    """What all children have in common: a number until they are reaped, a status, a protocol that is told."""

    #: The child's number; None once it was reaped.
    pid: int | None = None
    #: What waitpid said of it; -1 before.
    status = -1
    #: How many of these have ended: the child, its terminal.
    lostProcess = 0

    proto: Any
    reactor: Any

    def _begin(self, pid: int) -> None:
        """The child runs. Its protocol has the transport before it can be told anything (55)."""
        self.pid = pid
        if self.proto is not None:
            self._tell("makeConnection", self)
        reaper_of(self.reactor).register(pid, self.processEnded)

    def _give_up(self, pid: int) -> None:
        """The child runs, but nobody will have it, as its transport cannot be made: it is ended, and reaped."""
        self.pid, self.proto = pid, None
        try:
            os.kill(pid, signal.SIGKILL)
        except PermissionError:
            pass  # it is somebody else's by now, and sees its pipes close
        reaper_of(self.reactor).register(pid, self.processEnded)

    def reapProcess(self) -> None:
        """Look whether it has ended; if so, the protocol is told before this returns."""
        if self.pid is not None:
            reaper_of(self.reactor).look(self.pid)

    def signalProcess(self, signalID: int | str) -> None:
        """Send a signal: a number, or "HUP", "STOP", "INT", "KILL" or "TERM".

        Raises error.ProcessExitedAlready if there is nobody to send it to, TypeError for another name (95).
        """
        if self.pid is None:
            raise ProcessExitedAlready
        if signalID in NAMES:
            signalID = getattr(signal, f"SIG{signalID}")
        if not isinstance(signalID, int):
            raise TypeError(f"signalID is to be a number, as signal.SIGUSR1 is, or one of {NAMES}, not {signalID!r}")
        try:
            os.kill(self.pid, signalID)
        except ProcessLookupError:
            raise ProcessExitedAlready from None

    def processEnded(self, status: int) -> None:
        """It was reaped, with this status: called by whoever did."""
        self.status = status
        self.lostProcess += 1
        self.pid = None
        if self.proto is not None:
            self._tell("processExited", self._reason())
        self.maybeCallProcessEnded()

    def maybeCallProcessEnded(self) -> None:
        """Tell the protocol of the end of it all, once, if that is the end."""
        if not self._all_is_lost():
            return
        if self.pid is not None:
            self.reapProcess()  # the signal of its end may never come (53)
        elif self.proto is not None:
            self._tell("processEnded", self._reason())
            self.proto = None

    def _all_is_lost(self) -> bool:
        """Whether nothing but the child itself may be left."""
        raise NotImplementedError

    def _close_descriptor(self, fd: int) -> None:
        """Close it; that somebody has done so already is reported, and holds up nothing."""
        try:
            os.close(fd)
        except OSError:
            report.failure(f"Descriptor {fd} of {self!r} could not be closed", Failure())

    def _reason(self) -> Failure:
        code, number = None, None
        if os.WIFEXITED(self.status):
            code = os.WEXITSTATUS(self.status)
            if code == 0:
                return Failure(ProcessDone(self.status))
        else:
            number = os.WTERMSIG(self.status)
        return Failure(ProcessTerminated(code, number, self.status))

    def _tell(self, what: str, *arguments: object) -> None:
        """Call a method of the protocol; what it raises is reported (96)."""
        try:
            getattr(self.proto, what)(*arguments)
        except BaseException:
            report.failure(f"Unhandled error in {what} of {type(self.proto).__qualname__}", Failure())

    def getHost(self) -> Any:
        raise NotImplementedError("this end of a child's pipes has no address")

    def getPeer(self) -> Any:
        raise NotImplementedError("a child process has no address")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} pid={self.pid} status={self.status}>"


class Process(Child):
    """A child with pipes, or with descriptors of the parent's. See Reactor.spawnProcess. The reactor's thread only."""

    #: What makes the end of a pipe that the child writes to: called with reactor, process, the child's number, ours.
    processReaderFactory: Any = ProcessReader
    #: What makes the end of a pipe that the child reads from: the same, and forceReadHack=True.
    processWriterFactory: Any = ProcessWriter

    def __init__(
        self,
        reactor: Any,
        executable: Any,
        args: Any,
        environment: Any,
        path: Any,
        proto: Any,
        uid: int | None = None,
        gid: int | None = None,
        childFDs: Mapping[int, int | str] | None = None,
    ) -> None:
        """`reactor`: that of this thread, or the process's, if it is None. `proto` may be None: then nobody is told.

        Raises TypeError or ValueError for what cannot be, OSError if it cannot be started; then nothing is left behind.
        """
        self.reactor = descriptor.current_reactor() if reactor is None else reactor
        self.proto = proto
        #: The ends of its pipes that are open, by the child's number.
        self.pipes: dict[int, Any] = {}
        order = spawn.order(executable, args, environment, path, uid, gid)
        ends = _Ends(PIPES if childFDs is None else childFDs)
        try:
            ends.make()
            pid = self._start(order, ends.childs)
        except BaseException:
            ends.close(ends.reading, ends.writing)
            raise
        finally:
            ends.close(ends.given_away)
        try:
            for number, fd in ends.reading.items():
                self.pipes[number] = self.processReaderFactory(self.reactor, self, number, fd)
            for number, fd in ends.writing.items():
                self.pipes[number] = self.processWriterFactory(self.reactor, self, number, fd, forceReadHack=True)
        except BaseException:
            self._unwatch()
            ends.close(ends.reading, ends.writing)
            self._give_up(pid)
            raise
        self._begin(pid)

    def _start(self, order: spawn.Order, wanted: dict[int, int]) -> int:
        """Start the program with the descriptors `wanted`, its number to ours; returns the child's number."""
        return spawn.start(order, wanted, getattr(self.reactor, "_neverUseSpawn", False))

    def _unwatch(self) -> None:
        """Take what was made of its pipes from the reactor: also one whose making raised, and that nobody has."""
        self.pipes.clear()
        for end in self.reactor.getReaders() + self.reactor.getWriters():
            if getattr(end, "proc", None) is self:
                self.reactor.removeReader(end)
                self.reactor.removeWriter(end)

    # Told by the pipes

    def childDataReceived(self, name: int, data: bytes) -> None:
        if self.proto is not None:
            self.proto.childDataReceived(name, data)

    def childConnectionLost(self, childFD: int, reason: Failure) -> None:
        """A pipe has ended: close it, and tell the protocol."""
        self._close_descriptor(self.pipes.pop(childFD).fileno())
        if self.proto is not None:
            self._tell("childConnectionLost", childFD)
        self.maybeCallProcessEnded()

    def _all_is_lost(self) -> bool:
        return not self.pipes

    # Told by the program. Contract: IProcessTransport

    def closeChildFD(self, childFD: int) -> None:
        """Close this end of a pipe, once what was written to it is sent. Nothing happens if it is closed."""
        if childFD in self.pipes:
            self.pipes[childFD].loseConnection()

    def closeStdin(self) -> None:
        """Close the child's standard input, once what was written is sent."""
        self.closeChildFD(0)

    def closeStdout(self) -> None:
        """Read no more of the child's standard output; a child that still writes there gets SIGPIPE."""
        self.closeChildFD(1)

    def closeStderr(self) -> None:
        """Read no more of the child's standard error."""
        self.closeChildFD(2)

    def loseConnection(self) -> None:
        """Close standard input, output and error. What a child makes of that is its affair."""
        self.closeStdin()
        self.closeStdout()
        self.closeStderr()

    def write(self, data: bytes) -> None:
        """Write to the child's standard input; nothing happens if that is closed. TypeError for what is not bytes."""
        if 0 in self.pipes:
            self.pipes[0].write(data)

    def writeSequence(self, seq: Iterable[bytes]) -> None:
        """Write each of them."""
        if 0 in self.pipes:
            self.pipes[0].writeSequence(seq)

    def writeToChild(self, childFD: int, data: bytes) -> None:
        """Write to a descriptor that the child reads. KeyError if that is closed or never was (95)."""
        self.pipes[childFD].write(data)

    # Contract: IConsumer for standard input, IPushProducer for all that the child writes

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Let `producer` write to standard input; stopped at once if that is closed. RuntimeError if there is one."""
        if 0 in self.pipes:
            self.pipes[0].registerProducer(producer, streaming)
        else:
            producer.stopProducing()

    def unregisterProducer(self) -> None:
        if 0 in self.pipes:
            self.pipes[0].unregisterProducer()

    def pauseProducing(self) -> None:
        """Read nothing that the child writes, until resumeProducing. The child waits when its pipes are full."""
        for end in list(self.pipes.values()):
            if isinstance(end, ProcessReader):
                end.stopReading()

    def resumeProducing(self) -> None:
        for end in list(self.pipes.values()):
            if isinstance(end, ProcessReader):
                end.startReading()


class _Ends:
    """The descriptors of a child that is about to be started."""

    def __init__(self, wanted: Any) -> None:
        if not isinstance(wanted, Mapping):
            raise TypeError(f"childFDs is to be a dict of the child's descriptors, or None, not {wanted!r}")
        for number, what in wanted.items():
            for value in (number,) if what in ("r", "w") else (number, what):
                if not isinstance(value, int):
                    raise TypeError(
                        f'childFDs has {what!r} for {number!r}: it is to have a number of ours, "r" or "w" for a number'
                    )
                if value < 0:
                    raise ValueError(f"childFDs has {what!r} for {number!r}: descriptors are not negative")
        self._wanted: Mapping[int, int | str] = wanted
        #: The child's descriptors, by the child's number.
        self.childs: dict[int, int] = {}
        #: Those of them that are pipes: ours until they are the child's.
        self.given_away: dict[int, int] = {}
        #: Our ends of the pipes.
        self.reading: dict[int, int] = {}
        self.writing: dict[int, int] = {}

    def make(self) -> None:
        """Make the pipes. Raises OSError; then some may be there."""
        for number, what in self._wanted.items():
            if isinstance(what, int):
                self.childs[number] = what
                continue
            out, into = os.pipe()
            ours, childs = (out, into) if what == "r" else (into, out)
            (self.reading if what == "r" else self.writing)[number] = ours
            self.childs[number] = self.given_away[number] = childs

    def close(self, *kinds: dict[int, int]) -> None:
        for kind in kinds:
            for fd in kind.values():
                os.close(fd)
