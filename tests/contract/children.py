"""What the tests of child processes are made of: a protocol that notes all it is told, and a reactor that is run.

It runs with signal handlers, and is crashed when something has happened: so children are seen as in a program, by their
descriptors or by SIGCHLD.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torsion.contract import Reactor
from torsion.protocol import ProcessProtocol

PATIENCE = 20.0  # seconds; a test that needs them fails
SH = "/bin/sh"


class Told(ProcessProtocol):
    """Notes events in `told`, what the child wrote by descriptor in `data`, and the reasons of its end."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.data: dict[int, bytes] = {}
        self.reasons: list[Any] = []
        self.on: dict[str, Callable[[], object]] = {}

    def _note(self, what: str) -> None:
        self.told.append(what)
        self.on.get(what, lambda: None)()

    def makeConnection(self, transport: Any) -> None:
        self.transport = transport
        self._note("made")

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        self.data[childFD] = self.data.get(childFD, b"") + data
        self.on.get("data", lambda: None)()

    def childConnectionLost(self, childFD: int) -> None:
        self._note(f"lost {childFD}")

    def processExited(self, reason: Any) -> None:
        self.reasons.append(reason.value)
        self._note("exited")

    def processEnded(self, reason: Any) -> None:
        self.reasons.append(reason.value)
        self._note("ended")

    @property
    def ended(self) -> bool:
        return "ended" in self.told


class Home:
    """A reactor and its children."""

    def __init__(self, reactor: Reactor) -> None:
        self.reactor = reactor

    def sh(self, script: str, protocol: Any = None, **options: Any) -> Any:
        """A shell that runs a script. Returns the protocol."""
        protocol = Told() if protocol is None else protocol
        options.setdefault("env", {"PATH": os.defpath})
        self.reactor.spawnProcess(protocol, SH, ["sh", "-c", script], **options)
        return protocol

    def until(self, happened: Callable[[], object]) -> None:
        """Run the reactor until then."""
        self.reactor.callLater(0, self._look, happened, time.monotonic() + PATIENCE)
        self.reactor.run()
        assert happened(), "this has not happened"

    def _look(self, happened: Callable[[], object], deadline: float) -> None:
        if happened() or time.monotonic() > deadline:
            self.reactor.crash()
        else:
            self.reactor.callLater(0.002, self._look, happened, deadline)

    def passes(self, count: int = 3) -> None:
        """Some turns: what is to happen at once has happened then."""
        turns = [None] * count
        self.until(lambda: not turns or turns.pop())

    def end(self, *protocols: Told) -> None:
        """Until all of them have ended."""
        self.until(lambda: all(each.ended for each in protocols))

    def close(self) -> None:
        self.reactor.disconnectAll()
        self.reactor.removeReader(self.reactor.waker)  # a replaced addReader has it, and with it the reactor
        self.reactor.close()


@contextmanager
def home(kind: Callable[[], Reactor]) -> Iterator[Home]:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)
    before = [signal.getsignal(number) for number in numbers]
    made = Home(kind())
    try:
        yield made
    finally:
        made.close()
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def zombies() -> list[int]:
    """Children of this process that have ended and were not reaped."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="latin-1") as file:
                    state, parent = file.read().rpartition(")")[2].split()[:2]
            except OSError:
                continue
            if state == "Z" and int(parent) == os.getpid():
                found.append(int(name))
    return found
