"""What the tests of the reactor are made of: virtual time, reports to look at, and an object to be watched."""

from asyncio import new_event_loop
from collections.abc import Callable
from typing import Any

from tests.unit.scripted import ScriptedPoller, VirtualClock

from torsion.asyncioreactor import AsyncioSelectorReactor
from torsion.contract import Reactor
from torsion.epollreactor import EPollReactor
from torsion.pollreactor import PollReactor
from torsion.selectreactor import SelectReactor


def run(reactor: Reactor) -> None:
    """Run it and leave the process's signals alone."""
    reactor.run(installSignalHandlers=False)


class Source:
    """A reader whose doRead does what it is told to. Its number need not be a file's."""

    def __init__(self, fd: int, on_read: Callable[[], object]) -> None:
        self.fd, self.on_read = fd, on_read
        self.lost: list[BaseException] = []

    def fileno(self) -> int:
        return self.fd

    def logPrefix(self) -> str:
        return "source"

    def doRead(self) -> object:
        return self.on_read()

    def connectionLost(self, reason: Any) -> None:
        self.lost.append(reason.value)


class VirtualPoller(ScriptedPoller):
    """Tells of readiness, or makes something happen during a wait; a loop that would sleep for ever fails the test."""

    def __init__(self) -> None:
        super().__init__(VirtualClock())
        self.pending: list[tuple[int, int]] = []
        self.happenings: list[Callable[[], object]] = []
        self.stuck = ""
        self.crash: Callable[[], object] | None = None

    def end(self, why: str) -> None:
        """An exception would only be reported by the loop: crash it, and let the fixture fail the test."""
        self.stuck = why
        if self.crash is not None:
            self.crash()

    def becomes_ready(self, fd: int, ready: int) -> None:
        """The next wait tells so."""
        self.pending.append((fd, ready))

    def meanwhile(self, happening: Callable[[], object]) -> None:
        """The next wait is spent on this."""
        self.happenings.append(happening)

    def wait(self, timeout: float | None) -> list[tuple[int, int]]:
        if len(self.waits) == 200:
            self.end("the loop went on and on")
        if self.pending:
            self.batches.append(self.pending)
            self.pending = []
        self.asleep = self.happenings.pop(0) if self.happenings else None
        if self.asleep is not None:
            self.batches.append([])
        elif not self.batches and timeout is None:
            self.end("the loop would have slept for ever")
        return super().wait(timeout)


class ThroughMethods(Reactor):
    """Overrides one method, and so turns by the contract's loop."""

    def doIteration(self, delay: float | None) -> None:
        Reactor.doIteration(self, delay)


def asyncio_reactor() -> AsyncioSelectorReactor:
    """In a loop of its own, which closes with it."""

    class Closing(AsyncioSelectorReactor):
        def close(self) -> None:
            super().close()
            self._asyncioEventloop.close()

    return Closing(new_event_loop())


#: Every reactor that waits for the kernel, by the name of its class.
REAL_REACTORS: dict[str, Callable[[], Reactor]] = {
    "EPollReactor": EPollReactor,
    "PollReactor": PollReactor,
    "SelectReactor": SelectReactor,
    "AsyncioSelectorReactor": asyncio_reactor,
}


class Reports(list[tuple[str, Any]]):
    """What was reported: (text, exception)."""

    def texts(self) -> list[str]:
        return [text for text, _ in self]

    def exceptions(self) -> list[type[BaseException]]:
        return [type(exception) for _, exception in self]

    def take(self, exception: type[BaseException]) -> str:
        """Remove the one report of such an exception; returns its text."""
        (text,) = [text for text, value in self if type(value) is exception]
        self[:] = [(text, value) for text, value in self if type(value) is not exception]
        return text
