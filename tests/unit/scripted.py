"""Parts for an engine without time and without descriptors: what the loop does becomes a list to look at."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from torsion.core.delayed import DelayedCall
from torsion.engine.turn import Engine
from torsion.trying.virtual import VirtualClock

Batch = list[tuple[int, int]]


class ScriptedPoller:
    """A poller that tells what it is given, batch by batch, and otherwise sleeps by moving the clock."""

    name = "scripted"

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.batches: list[Batch] = []  # what the next waits tell; consumed
        self.asleep: Callable[[], object] | None = None  # called while a wait goes on, as another thread would run
        self.waits: list[float | None] = []  # the timeout of each wait
        self.log: list[tuple[str, int, int]] = []  # each register, modify and unregister
        self.watched: dict[int, int] = {}

    def register(self, fd: int, interest: int) -> None:
        self.log.append(("register", fd, interest))
        self.watched[fd] = interest

    def modify(self, fd: int, interest: int) -> None:
        self.log.append(("modify", fd, interest))
        self.watched[fd] = interest

    def unregister(self, fd: int) -> None:
        self.log.append(("unregister", fd, 0))
        self.watched.pop(fd, None)

    def wait(self, timeout: float | None) -> Batch:
        self.waits.append(timeout)
        if self.asleep is not None:
            self.asleep()
        if self.batches:
            return self.batches.pop(0)
        if timeout is not None:
            self.clock.advance(timeout)
        return []  # a wait for ever is taken as ended by a wake

    def fileno(self) -> int:
        return -1

    def close(self) -> None:
        self.watched.clear()


class CountingWaker:
    """A waker that wakes nobody."""

    def __init__(self) -> None:
        self.wakes = 0

    def fileno(self) -> int:
        return 1_000_000

    def wake(self) -> None:
        self.wakes += 1

    def on_ready(self, ready: int) -> None:
        """There is nothing to drain."""

    def close(self) -> None:
        """There is nothing to close."""


class Recorder:
    """A handler that notes what it is told, and may do something about it."""

    def __init__(self, action: Callable[[], object] | None = None) -> None:
        self.told: list[int] = []
        self.action = action

    def on_ready(self, ready: int) -> None:
        self.told.append(ready)
        if self.action is not None:
            self.action()


def scripted_engine() -> tuple[Engine, ScriptedPoller, VirtualClock]:
    """An engine whose time and readiness are made by hand."""
    clock = VirtualClock()
    poller = ScriptedPoller(clock)
    engine = Engine(clock, poller, CountingWaker())  # type: ignore[arg-type]
    return engine, poller, clock


def call_later(engine: Engine, seconds: float, function: Callable[..., object], *args: object) -> DelayedCall:
    """What a face's callLater does."""
    return engine.call_later(seconds, function, args, {})


@contextmanager
def signals_arriving(handler: Callable[[], object], number: int = signal.SIGUSR1) -> Iterator[None]:
    """Real signals for the main thread, the calling one, until the first has been handled; then `handler` runs.

    Sent again and again, because one may come between the last instruction and the wait that it is to interrupt, and
    without a wake-up descriptor that one is noticed by nobody.
    """
    handled = threading.Event()

    def first_only(signum: int, frame: object) -> None:
        if not handled.is_set():
            handled.set()
            handler()

    def send() -> None:
        while not handled.wait(0.003):
            signal.pthread_kill(main, number)

    main = threading.get_ident()
    before = signal.signal(number, first_only)
    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield
    finally:
        handled.set()
        sender.join(10)
        signal.signal(number, before)
