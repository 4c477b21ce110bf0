"""The reactor that programs know: the contract's names over the engine.

It adds three things to the engine and is otherwise a translation. A life, with the errors of the wrong moves
(core/states.py). Events in three phases, startup and shutdown, at which a program may hook in (core/phases.py). And
overrides: programs subclass a reactor and patch one at any moment, and what they replaced is what runs.

A reactor belongs to the thread that runs it. Other threads, and signal handlers, may call callFromThread and wakeUp.
"""

from __future__ import annotations

import builtins
import signal
import threading
import weakref
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any

from . import report
from .calling import Calling
from .child.reap import Reaper
from .core import states
from .core.delayed import DelayedCall, Keeper, describe
from .core.phases import Handle, ThreePhaseEvent
from .engine import watchdog
from .engine.poll import READ, WRITE, Poller
from .engine.signals import SignalHandler, Signals
from .engine.stats import Stats
from .engine.turn import Engine
from .error import ReactorNotRestartable
from .failure import Failure
from .net.descriptor import CONNECTION_LOST, DescriptorSet, InternalReader, disconnect
from .openings import Openings
from .pool import context, threadable

if TYPE_CHECKING:
    from .pool.threadpool import ThreadPool

__all__ = ["Reactor", "running_event", "running_here", "running_system"]

# A reactor of which any of these is replaced, on its class or on itself, turns through its own methods (see _note).
OVERRIDABLE = frozenset({
    "runUntilCurrent", "timeout", "doIteration", "mainLoop", "iterate", "seconds", "callLater", "wakeUp", "addReader",
    "addWriter", "removeReader", "removeWriter", "removeAll", "_moveCallLaterSooner",
})  # fmt: skip
# Of these, what brings readiness to those who are watched.
WATCHING = ("addReader", "addWriter", "removeReader", "removeWriter", "doIteration")
_NOTED = OVERRIDABLE | {"__dict__", "__class__"}


class _Here(threading.local):
    reactor: Reactor | None = None
    depth = 0
    """How many contexts (pool/context.py) there were when it began to run here."""


_here = _Here()


def running_here() -> Reactor | None:
    """The reactor that runs in the calling thread, innermost if one runs inside another."""
    return _here.reactor


class Running:
    """Marks a reactor as the one that runs here. (A class: iterate() would feel a generator's cost.)"""

    __slots__ = ("at_work", "before", "depth", "engine", "reactor")

    def __init__(self, reactor: Reactor) -> None:
        self.reactor = reactor
        self.engine = reactor.engine

    def __enter__(self) -> None:
        self.at_work = self.engine.meter.at_work
        self.before, self.depth = _here.reactor, _here.depth
        _here.reactor, _here.depth = self.reactor, context.depth()

    def __exit__(self, *exception: object) -> None:
        _here.reactor, _here.depth = self.before, self.depth
        if self.at_work:  # this is within a callback, which goes on
            self.engine.begin()
        else:
            self.engine.leave()


def running_event() -> tuple[str, int] | None:
    """Who is served now in the calling thread, as its logPrefix() says, and how many contexts are older than the loop.

    None between events and without a reactor. Asked for when something is logged, and costs nothing before (semantics
    44).
    """
    reactor = _here.reactor
    log_prefix = None if reactor is None else getattr(reactor.engine.meter.handler, "log_prefix", None)
    return None if log_prefix is None else (str(log_prefix()), _here.depth)


def running_system() -> str:
    """Who is served now in the calling thread; "-" if nobody is (semantics 44)."""
    event = running_event()
    return "-" if event is None else event[0]


def _flag(name: str) -> property:
    def get(self: Reactor) -> bool:
        return bool(getattr(self._life, name))

    def set(self: Reactor, value: object) -> None:
        self._enter(states.with_flag(self._life, name, value))

    return property(get, set)


class Reactor(Calling, Openings):
    """An event loop under Twisted's contract (IReactorCore, IReactorTime, IReactorThreads, IReactorFDSet).

    Parts are passed in, or made: ``clock()`` gives seconds; ``poller`` is a mechanism of engine/poll; ``engine`` brings
    both. Any number of reactors may exist, each run in its own thread. A reactor that is dropped gives its file
    descriptors back; close() does so at once.

        reactor = Reactor()
        reactor.callLater(1.5, reactor.stop)
        reactor.run()
    """

    def __init__(
        self, clock: Callable[[], float] | None = None, poller: Poller | None = None, engine: Engine | None = None
    ) -> None:
        if engine is None:
            engine = Engine(poller=poller)
            if clock is not None:
                engine.clock = clock
        elif clock is not None or poller is not None:
            raise TypeError("an engine has its own clock and poller: pass either the engine or these")
        # Everything lies in __dict__: a test may assign one reactor's __dict__ to another, and both are one then.
        self.engine = engine
        self._clock = engine.clock
        self._children = Reaper(engine)
        self._signals = Signals(engine, self._children.child_signal)
        self._lifeline = _Lifeline(engine, self._signals, self._children)
        self._life = states.IDLE
        self.running = False
        self._looping = False
        self._event_triggers: dict[str, ThreePhaseEvent] = {}
        self._descriptors = DescriptorSet(engine)
        self._internalReaders: set[Any] = set()
        self._install_signal_handlers = False
        self._exitSignal: int | None = None
        self.threadpool: ThreadPool | None = None
        self._pool_triggers: list[tuple[str, Handle]] = []
        self.waker: InternalReader | None = None
        self._signal_reader: InternalReader | None = None
        self._watchdog: watchdog.Watchdog | None = None
        # Where instances share the keys of __dict__, Python 3.11 finds all slowly once it was looked at, as _note does.
        object.__setattr__(self, "__dict__", dict(self.__dict__))
        _note(self)
        self.installWaker()

    def close(self) -> None:
        """Give back the poller's and the waker's file descriptors. The reactor cannot be used afterwards.

        RuntimeError while it runs.
        """
        if self._looping:
            raise RuntimeError("a reactor cannot be closed while it runs: stop it first")
        self._end_lookups()
        self._lifeline.close()

    # Overrides

    def __setattr__(self, name: str, value: object) -> None:
        if name == "__dict__" and "engine" in self.__dict__:
            self.engine.overridden = True  # mainLoop, if it turns this engine, is to look which one is ours now
        object.__setattr__(self, name, value)
        if name in _NOTED:
            _note(self)

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        if name in _NOTED:
            _note(self)

    # Its life. Contract: IReactorCore

    #: From the middle of startup to the middle of shutdown (semantics 38, 42). Who sets it, as tests do for a while,
    #: changes what is said, and not where the reactor is in its life.
    running: bool

    # What else the contract knows of its life: read by loops that others write, and set by tests that run one twice.
    _started = _flag("started")
    _stopped = _flag("stopped")
    _startedBefore = _flag("spent")
    _justStopped = _flag("ending")

    def _enter(self, stage: states.Stage) -> None:
        self._life = stage
        self.running = stage.running
        if self._watchdog is not None and not stage.started:
            self._watchdog.stop()
        engine = self.engine
        engine.stopping = self._looping and not stage.started  # this turn is the last, and is not to sleep
        engine.at_rest = self._shut_down if stage.ending else None

    def run(self, installSignalHandlers: bool = True) -> None:
        """Turn until stop() or crash(). Nothing that a callback raises leaves it (semantics 43).

        With ``installSignalHandlers``, SIGINT and SIGTERM stop it (in the main thread; elsewhere that is reported).
        Raises ReactorAlreadyRunning, and ReactorNotRestartable once it was stopped (semantics 37).
        """
        with Running(self):
            self.startRunning(installSignalHandlers=installSignalHandlers)
            try:
                self.mainLoop()
            finally:
                self._uninstallHandler()

    def startRunning(self, installSignalHandlers: bool = True) -> None:
        """Fire "startup"; who calls this instead of run() turns the loop with mainLoop() or iterate()."""
        if self._lifeline.closed:
            raise ReactorNotRestartable("This reactor was closed: its file descriptors are gone. Make a new one.")
        self._enter(states.after(self._life, states.START))
        self._install_signal_handlers = bool(installSignalHandlers)
        threadable.registerAsIOThread()
        with Running(self):
            self.fireSystemEvent("startup")

    def _reallyStartRunning(self) -> None:
        """The first trigger "during startup"."""
        self._enter(states.after(self._life, states.UP))
        if self._watchdog is not None:
            self._watchdog.start()
        if self._install_signal_handlers:
            _let_go_of_sigint()
            self._signals.install(_handlers(self))
            self._signal_reader = InternalReader(self._signals)
            self._watch_internally(self._signal_reader)

    def mainLoop(self) -> None:
        """Turn the loop while it is started. What leaves a turn is reported, and the loop goes on (semantics 43)."""
        outer, self._looping = self._looping, True
        try:
            with Running(self):
                self._go_on()
        finally:
            # It may have been run again inside one of its own turns, after a crash: then that one ends too.
            self._looping = self.engine.stopping = outer

    def _go_on(self) -> None:
        """Turn while started: the one thing that a reactor in somebody else's loop does otherwise."""
        while self._life.started:
            try:
                if self.engine.overridden:
                    self._turn_by_contract()
                else:
                    self.engine.run()
            except BaseException:
                report.failure("Unexpected error in main loop.", Failure())

    def _turn_by_contract(self) -> None:
        self.runUntilCurrent()
        longest = self.timeout()
        # Shutdown is over at this point if it was fired just now: one more look at I/O, without a wait (semantics 38).
        self.doIteration(longest if self._life.started else 0)

    def iterate(self, delay: float | None = 0) -> None:
        """Run what is due, then wait at most ``delay`` seconds for I/O and deliver it. May be called in a callback."""
        with Running(self):
            self.runUntilCurrent()
            self.doIteration(delay)

    def runUntilCurrent(self) -> None:
        """Run the calls from threads that are there, the timers that are due, then a pending shutdown (34)."""
        self.engine.run_current()

    def timeout(self) -> float | None:
        """How many seconds the loop may sleep now: None without limit, at most 2147483 (semantics 34)."""
        return self.engine.patience(None)

    def doIteration(self, delay: float | None) -> None:
        """Wait at most ``delay`` seconds (None: no limit) for I/O and deliver it."""
        self._wait(delay)

    def _wait(self, delay: float | None) -> None:
        self.engine.poll(delay)

    def stop(self) -> None:
        """End run() in good order: "shutdown" fires at the end of the next run of calls and timers (semantics 38).

        Raises ReactorNotRunning before run() and after another stop().
        """
        self._enter(states.after(self._life, states.STOP))

    def crash(self) -> None:
        """End run() without "shutdown" triggers; run() may be called again."""
        self._enter(states.after(self._life, states.CRASH))

    def _shut_down(self) -> None:
        self._enter(states.after(self._life, states.CLOSE))
        self.fireSystemEvent("shutdown")

    def fireSystemEvent(self, eventType: str) -> None:
        """Run an event's triggers: "startup", "shutdown", or any other name (semantics 39)."""
        event = self._event_triggers.setdefault(eventType, ThreePhaseEvent())
        # The reactor's own triggers come first. They are put there now and not at construction: looked up on self they
        # are what a program put in their place, and a reactor that never fires them is no cycle.
        own: list[Callable[[], object]] = []
        if eventType == "startup":
            own = [self._reallyStartRunning]
        elif eventType == "shutdown":
            own = [self.crash, self.disconnectAll]
        event.during[:0] = [(trigger, (), {}) for trigger in own]
        event.fireEvent()

    def addSystemEventTrigger(
        self, phase: str, eventType: str, callable: Callable[..., object], *args: object, **kwargs: object
    ) -> tuple[str, Handle]:
        """Call something "before", "during" or "after" an event; returns what removeSystemEventTrigger takes.

        A Deferred that a "before" trigger returns delays the rest. Raises KeyError for another phase, AssertionError
        for what cannot be called (semantics 39-41).
        """
        assert builtins.callable(callable), f"{callable!r} is not callable"
        event = self._event_triggers.setdefault(eventType, ThreePhaseEvent())
        return eventType, event.addTrigger(phase, callable, *args, **kwargs)

    def removeSystemEventTrigger(self, triggerID: tuple[str, Handle]) -> None:
        """Take back what addSystemEventTrigger added; ValueError if it has run or was removed (semantics 41)."""
        try:
            eventType, handle = triggerID
        except TypeError:
            raise TypeError(f"triggerID is what addSystemEventTrigger returned, not {triggerID!r}") from None
        self._event_triggers[eventType].removeTrigger(handle, stacklevel=3)

    def callWhenRunning(
        self, callable: Callable[..., object], *args: object, **kwargs: object
    ) -> tuple[str, Handle] | None:
        """Call at once if running (and return None), else "after startup" (semantics 42)."""
        assert builtins.callable(callable), f"{callable!r} is not callable"
        if self.running:
            callable(*args, **kwargs)
            return None
        return self.addSystemEventTrigger("after", "startup", callable, *args, **kwargs)

    # What it does

    def stats(self) -> Stats:
        """What this reactor has done since it was made, and does now: numbers, and `str()` of it is a text. Any thread.

        Turns, events, calls, timers, bytes in and out, seconds busy and idle, how late timers and events ran, what is
        running. They are counted always, and cost next to nothing.
        """
        return self.engine.meter.stats(self.engine.clock())

    def watch_blocking(self, limit: float | None) -> None:
        """Report a callback that runs for longer than `limit` seconds, with its stack, while it does.

        A thread looks, from now or from startup on, as long as the reactor runs; there is none before this is called.
        None: no longer. Raises TypeError for what is no number, ValueError unless it is finite and more than 0.
        """
        watching = None if limit is None else watchdog.Watchdog(self.engine.meter, watchdog.seconds(limit))
        before, self._watchdog = self._watchdog, watching
        if before is not None:
            before.stop()
        if watching is not None and self._life.running:  # else startup will
            watching.start()

    # Signals

    def sigInt(self, number: int, frame: FrameType | None = None) -> None:
        """SIGINT's handler: stop, and keep the number in ``_exitSignal`` for whoever ends the process."""
        self._stop_by("SIGINT", number)

    def sigBreak(self, number: int, frame: FrameType | None = None) -> None:
        """SIGBREAK's handler, as sigInt."""
        self._stop_by("SIGBREAK", number)

    def sigTerm(self, number: int, frame: FrameType | None = None) -> None:
        """SIGTERM's handler, as sigInt."""
        self._stop_by("SIGTERM", number)

    def _stop_by(self, name: str, number: int) -> None:
        self._exitSignal = number
        self.callFromThread(report.info, f"Received {name}, shutting down.")  # not in the middle of another report
        self.callFromThread(self.stop)

    def _uninstallHandler(self) -> None:
        """Give SIGCHLD and the wake-up descriptor back; the other handlers stay (semantics 52)."""
        reader, self._signal_reader = self._signal_reader, None
        if reader is not None and reader in self._internalReaders:
            self._internalReaders.discard(reader)
            if _replaced(self, "addReader"):
                self.removeReader(reader)
        self._signals.uninstall()

    # Time. Contract: IReactorTime

    def seconds(self) -> float:
        """Now, in seconds of the clock: time.time unless another was passed in (semantics 29)."""
        return self.engine.clock()

    def getDelayedCalls(self) -> list[DelayedCall]:
        """The calls of callLater that are still to come, in no useful order (semantics 31, 92)."""
        calls: list[Any] = self.engine.timers.calls()
        return [call for call in calls if type(call.func) is not _Unseen]

    def call_unseen(self, delay: float, function: Callable[[], object]) -> None:
        """Call in ``delay`` seconds, by a timer that getDelayedCalls does not show: it is not the program's.

        Any thread. For what does no harm if it is never called. It cannot be cancelled, and does not keep the reactor
        alive.
        """
        self.callFromThread(self._call_unseen, delay, function)

    def _call_unseen(self, delay: float, function: Callable[[], object]) -> None:
        engine = self.engine
        engine.timers.call_later(Keeper(_leave, _leave, engine.clock), delay, _Unseen(function), (), {})

    def _moveCallLaterSooner(self, call: DelayedCall) -> None:
        self.engine.timers.reset(call)

    def _cancelCallLater(self, call: DelayedCall) -> None:
        self.engine.timers.cancel(call)

    # Threads. Contract: IReactorThreads

    def installWaker(self) -> None:
        """Watch for wakeUp(): through addReader where a program has replaced that, else the engine does by itself."""
        if self.waker is None:
            self.waker = InternalReader(self.engine.waker)
            self._watch_internally(self.waker)

    def _watch_internally(self, reader: InternalReader) -> None:
        self._internalReaders.add(reader)
        if _replaced(self, "addReader"):
            self.addReader(reader)

    def callInThread(self, callable: Callable[..., object], /, *args: object, **kwargs: object) -> None:
        """Call in a thread of the pool; what it raises is reported."""
        self.getThreadPool().callInThread(callable, *args, **kwargs)

    def suggestThreadPoolSize(self, size: int) -> None:
        """Let the pool have at most ``size`` threads."""
        self.getThreadPool().adjustPoolsize(maxthreads=size)

    def getThreadPool(self) -> ThreadPool:
        """The reactor's pool of 0 to 10 threads, made now if need be; it starts and stops with the reactor (48)."""
        if self.threadpool is None:
            from .pool.threadpool import ThreadPool  # a program without jobs for threads need not load it

            self.threadpool = ThreadPool(0, 10, "torsion.reactor")
            self.threadpool.watch.later = self.call_unseen
            starting = self.callWhenRunning(self.threadpool.start)
            stopping = self.addSystemEventTrigger("during", "shutdown", self._stopThreadPool)
            self._pool_triggers = [stopping] if starting is None else [starting, stopping]
        return self.threadpool

    def _stopThreadPool(self) -> None:
        """Let the pool's backlog run and its threads end; a new one is made when next needed."""
        for trigger in self._pool_triggers:
            try:
                self.removeSystemEventTrigger(trigger)
            except ValueError:
                pass  # it has run
        self._pool_triggers = []
        if self.threadpool is not None:
            pool, self.threadpool = self.threadpool, None
            pool.stop()

    # Readiness. Contract: IReactorFDSet

    def addReader(self, reader: Any) -> None:
        """Call ``reader.doRead()`` whenever it can be read. ValueError if its fileno() is negative."""
        self._descriptors.add(reader, READ, self._disconnectSelectable)

    def addWriter(self, writer: Any) -> None:
        """Call ``writer.doWrite()`` whenever it can be written. ValueError if its fileno() is negative."""
        self._descriptors.add(writer, WRITE, self._disconnectSelectable)

    def removeReader(self, reader: Any) -> None:
        """Call its doRead no longer; nothing happens if it was not added (semantics 61)."""
        self._descriptors.remove(reader, READ)

    def removeWriter(self, writer: Any) -> None:
        """Call its doWrite no longer; nothing happens if it was not added (semantics 61)."""
        self._descriptors.remove(writer, WRITE)

    def removeAll(self) -> list[Any]:
        """Remove all readers and writers but the reactor's internal ones; returns what was removed."""
        return self._descriptors.remove_all(self._internalReaders)

    def getReaders(self) -> list[Any]:
        """What addReader added."""
        return self._descriptors.readers()

    def getWriters(self) -> list[Any]:
        """What addWriter added."""
        return self._descriptors.writers()

    def disconnectAll(self) -> None:
        """Remove all, and tell each that its connection is lost; one that raises does not stop the rest (40)."""
        for selectable in self.removeAll():
            try:
                selectable.connectionLost(CONNECTION_LOST)
            except BaseException:
                report.failure(f"Unhandled error in connectionLost of {describe(selectable)}", Failure())

    def _disconnectSelectable(self, selectable: Any, why: Any, isRead: bool) -> None:
        disconnect(self, selectable, why, isRead)


def _note(reactor: Any) -> None:
    """Note what a program replaced, so that the loop need not look at each turn.

    One flag chooses how the loop turns: natively, or through the reactor's own methods. A replaced ``seconds`` becomes
    the engine's clock besides. Not a method: the new ``__class__`` may be one that has none of ours.
    """
    engine: Engine | None = reactor.__dict__.get("engine")
    if engine is None or "_clock" not in reactor.__dict__:
        return  # a subclass that sets attributes before it calls our __init__
    # Streams watch by themselves only where nobody else watches or waits for them.
    engine.carries_streams = not any(_replaced(reactor, name) for name in WATCHING)
    before, engine.overridden = engine.overridden, any(_replaced(reactor, name) for name in OVERRIDABLE)
    if engine.overridden and not before:
        engine.wake()  # if this is a callback: the turn that goes on is still a native one, and is not to sleep
    engine.clock = reactor.seconds if _replaced(reactor, "seconds") else reactor.__dict__["_clock"]
    engine.sooner = reactor._moveCallLaterSooner if _replaced(reactor, "_moveCallLaterSooner") else engine.timers.reset


def _replaced(reactor: Any, name: str) -> bool:
    ours = getattr(Reactor, name)
    if name in reactor.__dict__:
        # Who patches an attribute for a while often puts back the bound method it found: then it is as before.
        now = reactor.__dict__[name]
        own = getattr(getattr(now, "__self__", None), "__dict__", None)
        return own is not reactor.__dict__ or now.__func__ is not ours
    return getattr(type(reactor), name, None) is not ours


class _Unseen:
    """What a timer calls that is not the program's."""

    def __init__(self, function: Callable[[], object]) -> None:
        self._function = function

    def __call__(self) -> None:
        self._function()


def _leave(timer: object) -> None:
    """Nobody has the timer who could cancel it."""


class _Lifeline:
    """Closes the engine when the last reactor whose ``__dict__`` holds this goes."""

    def __init__(self, engine: Engine, signals: Signals, children: Reaper) -> None:
        self._engine = engine
        self._signals = signals
        self._children = children
        self.closed = False

    def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        try:
            self._signals.uninstall()
        except ValueError:
            pass  # only the main thread may; and who ran a reactor there has uninstalled them by now
        self._children.close()
        self._engine.close()

    def __del__(self) -> None:
        self.close()


class _StopHandler:
    """A signal handler that does not keep its reactor alive: handlers stay when the loop has ended (semantics 52)."""

    def __init__(self, handler: Callable[[int, FrameType | None], object]) -> None:
        self._handler = weakref.WeakMethod(handler)

    def __call__(self, number: int, frame: FrameType | None) -> None:
        handler = self._handler()
        if handler is not None:
            handler(number, frame)


def _handlers(reactor: Reactor) -> dict[int, SignalHandler]:
    handlers: dict[int, SignalHandler] = {
        signal.SIGINT: _StopHandler(reactor.sigInt),
        signal.SIGTERM: _StopHandler(reactor.sigTerm),
    }
    if hasattr(signal, "SIGBREAK"):
        handlers[signal.SIGBREAK] = _StopHandler(reactor.sigBreak)
    return handlers


def _let_go_of_sigint() -> None:
    """SIGINT is taken from Python's own handler only (52). One that an earlier reactor of ours left counts as that."""
    if isinstance(signal.getsignal(signal.SIGINT), _StopHandler):
        signal.signal(signal.SIGINT, signal.default_int_handler)
