"""What a test has left behind in its reactor, and the line that made it.

Whatever is opened is noted with the line of the test that opened it: the innermost one in the test's own file, or, if
the test's file is not on the stack, of whoever called Torsion. That is a walk over the stack for each call, so only the
reactors of the pytest fixtures do it.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import weakref
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any

from .. import report
from ..failure import Failure
from ..net.descriptor import DescriptorSet
from ..posixbase import PosixReactorBase
from .turning import Turning
from .virtual import VirtualReactor

OPENING = (
    "listenTCP", "connectTCP", "listenUNIX", "connectUNIX", "listenUDP", "listenMulticast", "listenUNIXDatagram",
    "connectUNIXDatagram", "adoptStreamPort", "adoptStreamConnection", "adoptDatagramPort", "spawnProcess",
)  # fmt: skip
ROUNDS, ROUND = 20, 0.01
"""How often the loop is turned, and for how many seconds, so that what is being closed is closed."""
UNKNOWN = "an unknown line"


def place(frame: FrameType | None, file: str | None) -> str:
    """The line to blame, as "file:line": see above."""
    caller = None
    while frame is not None:
        if frame.f_code.co_filename == file:
            return f"{file}:{frame.f_lineno}"
        if caller is None and not _is_ours(frame):
            caller = f"{frame.f_code.co_filename}:{frame.f_lineno}"
        frame = frame.f_back
    return caller or UNKNOWN


def _is_ours(frame: FrameType) -> bool:
    name = str(frame.f_globals.get("__name__"))
    return name.startswith("torsion.") or name == "threading"


def place_of_error(failure: Failure | None, file: str | None) -> str:
    """Where an error was raised: the innermost line in the test's file, or else the innermost of all."""
    traceback: TracebackType | None = None if failure is None else failure.tb
    found, innermost = None, UNKNOWN
    while traceback is not None:
        name = traceback.tb_frame.f_code.co_filename
        innermost = f"{name}:{traceback.tb_lineno}"
        if name == file:
            found = innermost
        traceback = traceback.tb_next
    return found or innermost


class NotingDescriptors(DescriptorSet):
    """Notes who adds readers and writers."""

    def __init__(self, engine: Any, note: Callable[[], Any]) -> None:
        super().__init__(engine)
        self._note = note

    def add(self, selectable: Any, interest: int, disconnect: Any) -> None:
        super().add(selectable, interest, disconnect)
        note = self._note()
        if note is not None:
            note(selectable)


class Noting:
    """Mixed into a reactor's class, before that: notes who opens what."""

    if TYPE_CHECKING:
        _descriptors: Any
        engine: Any

    #: The file of the test, whose lines are the ones to name.
    blamed: str | None = None

    def __init__(self, *args: Any, **kw: Any) -> None:
        self._noted: dict[int, tuple[Any, str]] = {}  # by id(): what is noted is kept, and need not be hashable
        super().__init__(*args, **kw)
        reactor = weakref.ref(self)  # one that is dropped is no cycle

        def note(call: Any) -> None:
            owner = reactor()
            call.made_at = place(sys._getframe(1), None if owner is None else owner.blamed)

        self.engine.scheduled = note
        self._descriptors = NotingDescriptors(self.engine, weakref.WeakMethod(self._note))

    def _note(self, made: Any) -> Any:
        if id(made) not in self._noted:
            self._noted[id(made)] = made, place(sys._getframe(2), self.blamed)
        return made

    def made_at(self, made: Any) -> str:
        """The line that opened this."""
        return self._noted.get(id(made), (None, UNKNOWN))[1]

    def opened(self) -> list[Any]:
        """All that was opened, in this order."""
        return [made for made, _ in self._noted.values()]


def _noting(name: str) -> Callable[..., Any]:
    def open_and_note(self: Any, *args: Any, **kw: Any) -> Any:
        return self._note(getattr(super(Noting, self), name)(*args, **kw))

    return open_and_note


for _name in OPENING:
    setattr(Noting, _name, _noting(_name))


class NotingReactor(Noting, Turning, PosixReactorBase):
    """What the fixture `reactor` gives: the system's sockets and time."""

    def settle(self) -> None:
        """Let what is being closed be closed."""
        for _ in range(ROUNDS):
            self.iterate(0)
            if not left_in(self):
                break
            self.iterate(ROUND)


class NotingVirtualReactor(Noting, VirtualReactor):
    """What the fixture `virtual_reactor` gives."""

    def settle(self) -> None:
        """Let what is being closed be closed; no time passes."""
        self.pump()


def left_in(reactor: Any) -> list[str]:
    """What there is in a reactor that a test should have taken away, a line each."""
    left = [f"a delayed call, {call!r}, made at {_made_at(call)}" for call in reactor.getDelayedCalls()]
    told: set[int] = set()
    for made in reactor.opened():
        where = reactor.made_at(made)
        if getattr(made, "pid", None) is not None:
            told.update(map(id, getattr(made, "pipes", {}).values()))  # a terminal has none
            left.append(f"a child process, {made!r}, started at {where}")
        elif hasattr(made, "getDestination"):
            if made.state != "disconnected":
                told.add(id(made.transport))
                left.append(f"a connection to {made.getDestination()}, {made.state}, made at {where}")
        elif hasattr(made, "stopListening") and made.connected:
            told.add(id(made))
            left.append(f"a listening port, {made!r}, made at {where}")
        for stream in _accepted(made):
            if stream.connected:
                told.add(id(stream))
                left.append(f"a connection, {stream!r}, accepted by the port made at {where}")
    watched = {id(each): each for each in (*reactor.getReaders(), *reactor.getWriters())}
    for key, each in watched.items():
        if key not in told and each not in reactor._internalReaders:
            left.append(f"a reader or writer, {each!r}, made at {reactor.made_at(each)}")
    return left


def _accepted(made: Any) -> list[Any]:
    """The connections of a port."""
    roster = getattr(made, "_connections", None)
    return [] if roster is None else roster.members()


def _made_at(call: Any) -> str:
    return getattr(call, "made_at", UNKNOWN)


class Reports:
    """The errors that were reported during a test: they fail it, unless the test flushes them."""

    def __init__(self) -> None:
        self._reported: list[tuple[str, Failure | None]] = []
        self._before: Any = None

    def __call__(self, level: str, text: str, failure: Failure | None, details: dict[str, object]) -> None:
        if level == "error":
            shown = text
            if not text and self._reported and self._reported[-1][1] is None:
                shown = self._reported.pop()[0]  # one error is sometimes told in two parts
            self._reported.append((shown, failure))
        self._before(level, text, failure, details)

    def begin(self) -> None:
        self._before = report.set_sink(self)

    def end(self) -> None:
        for _, failure in self._reported:
            _let_go(None if failure is None else failure.tb)
        gc.collect()  # errors in Deferreds that nobody handles are reported then
        report.set_sink(self._before)

    def flush(self, *kinds: type[BaseException]) -> list[Failure]:
        """Take back what was reported, or what is of these kinds of exceptions: returns their Failures, as expected.

        Errors in Deferreds that nobody handles are reported when they are collected; that is done now.
        """
        gc.collect()
        taken = [each for each in self._reported if not kinds or (each[1] is not None and each[1].check(*kinds))]
        self._reported = [each for each in self._reported if each not in taken]
        return [failure for _, failure in taken if failure is not None]

    def left(self, file: str | None) -> list[str]:
        """What was not flushed, a line each."""
        return [f"a reported error, {text}{_raised(failure, file)}" for text, failure in self._reported]


def _raised(failure: Failure | None, file: str | None) -> str:
    if failure is None:
        return ""
    where = place_of_error(failure, file)
    return f" {failure.getErrorMessage()}" + ("" if where is UNKNOWN else f", raised at {where}")


def _let_go(traceback: TracebackType | None) -> None:
    """Clear the frames below this that have ended: they keep the test's variables, and so its Deferreds."""
    while traceback is not None:
        frame: FrameType | None = traceback.tb_frame
        while frame is not None:
            try:
                frame.clear()
            except RuntimeError:
                break  # it still runs, and so do those that called it
            frame = frame.f_back
        traceback = traceback.tb_next


class Threads:
    """The threads that were started during a test and still run."""

    def __init__(self, file: str | None) -> None:
        self._file = file

    def begin(self) -> None:
        self._before = set(threading.enumerate())
        self._start: Any = threading.Thread.start
        start, file = self._start, self._file

        def noting(thread: Any) -> None:
            thread._torsion_made_at = place(sys._getframe(1), file)
            start(thread)

        threading.Thread.start = noting  # type: ignore[method-assign, assignment]

    def end(self) -> list[str]:
        """What is left, a line each. Those that are about to end are waited for, a moment."""
        threading.Thread.start = self._start  # type: ignore[method-assign]
        left = set(threading.enumerate()) - self._before
        for thread in left:
            if thread is not threading.current_thread():
                thread.join(ROUNDS * ROUND)
        return [
            f"a thread, {thread.name}, started at {getattr(thread, '_torsion_made_at', UNKNOWN)}"
            for thread in left
            if thread.is_alive() and thread.name != "torsion.lookup"  # nobody waits for a name server
        ]


class Watched:
    """A reactor for one test, and what is found when the test is over."""

    def __init__(self, virtual: bool, file: str | None) -> None:
        self._file = file
        self.reports, self._threads = Reports(), Threads(file)
        self.reactor: Any = NotingVirtualReactor() if virtual else NotingReactor()
        self.reactor.blamed = file
        self.reports.begin()
        self._threads.begin()

    def end(self) -> list[str]:
        """Close all, and say what was left. Always to be called."""
        reactor = self.reactor
        try:
            left = []
            try:
                reactor.settle()
            except RuntimeError as error:  # it goes on and on
                left.append(str(error))
            left += left_in(reactor)
            self._clear()
            reactor.shut_down()
            reactor._noted.clear()
        finally:
            self.reports.end()
            threads = self._threads.end()
        return left + threads + self.reports.left(self._file)

    def _clear(self) -> None:
        """Whatever is left goes, and no next test sees it."""
        reactor = self.reactor
        for call in reactor.getDelayedCalls():
            call.cancel()
        for made in reactor.opened():
            if getattr(made, "pid", None) is not None:
                self._end_child(made)
            elif hasattr(made, "getDestination"):
                if made.state == "connecting":
                    made.stopConnecting()
                elif made.state == "connected":
                    made.transport.abortConnection()
            elif hasattr(made, "stopListening") and made.connected:
                for stream in _accepted(made):
                    stream.abortConnection()
                made.stopListening()
        reactor.iterate(0)
        reactor.iterate(0)

    def _end_child(self, child: Any) -> None:
        try:
            os.kill(child.pid, signal.SIGKILL)
        except OSError:
            return
        for _ in range(100):
            self.reactor.iterate(ROUND)
            if child.pid is None:
                return
