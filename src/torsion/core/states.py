"""What a reactor may do next follows from where it is in its life, so that is one table and not five flags.

The contract speaks of a reactor's life through flags (``running``, ``_started``, ``_justStopped`` ...) that programs
read and a few set. Here each of the combinations that can occur has a name, and MOVES says what each event does to it:
another stage, an error to raise, or, where nothing is written, nothing.
"""

from __future__ import annotations

from ..error import ReactorAlreadyRunning, ReactorNotRestartable, ReactorNotRunning


class Stage:
    """One stage of a reactor's life, and what the contract's flags say in it; never changed.

    ``started``: the main loop turns. ``running``: startup is over and shutdown has not reached its middle, which is
    what ``reactor.running`` says. ``stopped``: stop() was called, or run() never was, and another stop() is an error.
    ``spent``: stop() was called, and this reactor does not start again. ``ending``: stop() was called and the shutdown
    event has yet to fire, at the end of the next run of calls and timers.
    """

    __slots__ = ("ending", "name", "running", "spent", "started", "stopped")

    def __init__(
        self,
        name: str,
        *,
        started: bool = False,
        running: bool = False,
        stopped: bool = False,
        spent: bool = False,
        ending: bool = False,
    ) -> None:
        self.name = name
        self.started, self.running, self.stopped, self.spent, self.ending = started, running, stopped, spent, ending

    def __repr__(self) -> str:
        return f"<Stage {self.name}>"

    def flags(self) -> tuple[bool, bool, bool, bool, bool]:
        return self.started, self.running, self.stopped, self.spent, self.ending


IDLE = Stage("idle", stopped=True)
STARTING = Stage("starting", started=True)
RUNNING = Stage("running", started=True, running=True)
CRASHED = Stage("crashed")

# After stop(). The early ones were stopped before startup was over: they come up late or never.
STOPPING_EARLY = Stage("stopping early", started=True, stopped=True, spent=True, ending=True)
STOPPING = Stage("stopping", started=True, running=True, stopped=True, spent=True, ending=True)
CLOSING_EARLY = Stage("closing early", started=True, stopped=True, spent=True)
CLOSING = Stage("closing", started=True, running=True, stopped=True, spent=True)
HALTED = Stage("halted", stopped=True, spent=True, ending=True)
ENDED = Stage("ended", stopped=True, spent=True)

STAGES = (
    IDLE, STARTING, RUNNING, CRASHED, STOPPING_EARLY, STOPPING, CLOSING_EARLY, CLOSING, HALTED, ENDED,
)  # fmt: skip

# The events: run() or startRunning(); the middle of the startup event; stop(); the shutdown event fires; crash().
START, UP, STOP, CLOSE, CRASH = "start", "up", "stop", "close", "crash"

# The errors are those of semantics 37. A stop() after crash() is no error (as in Twisted, by experiment): a program
# may do both in one callback, and the shutdown event then still fires at the end of that pass.
MOVES: dict[Stage, dict[str, Stage | type[Exception]]] = {
    IDLE: {START: STARTING, STOP: ReactorNotRunning},
    STARTING: {START: ReactorAlreadyRunning, UP: RUNNING, STOP: STOPPING_EARLY, CRASH: CRASHED},
    RUNNING: {START: ReactorAlreadyRunning, STOP: STOPPING, CRASH: CRASHED},
    CRASHED: {START: STARTING, STOP: HALTED},
    STOPPING_EARLY: {
        START: ReactorAlreadyRunning, UP: STOPPING, STOP: ReactorNotRunning, CLOSE: CLOSING_EARLY, CRASH: HALTED,
    },
    STOPPING: {START: ReactorAlreadyRunning, STOP: ReactorNotRunning, CLOSE: CLOSING, CRASH: HALTED},
    CLOSING_EARLY: {START: ReactorAlreadyRunning, UP: CLOSING, STOP: ReactorNotRunning, CRASH: ENDED},
    CLOSING: {START: ReactorAlreadyRunning, STOP: ReactorNotRunning, CRASH: ENDED},
    HALTED: {START: ReactorNotRestartable, STOP: ReactorNotRunning, CLOSE: ENDED},
    ENDED: {START: ReactorNotRestartable, STOP: ReactorNotRunning},
}  # fmt: skip

MESSAGES: dict[type[Exception], str] = {
    ReactorNotRunning: "Can't stop a reactor that is {0}.",
    ReactorAlreadyRunning: "Can't start a reactor that is {0}.",
    ReactorNotRestartable: "Can't start a reactor again once it was stopped; it is {0}.",
}


def after(stage: Stage, event: str) -> Stage:
    """The stage that follows; raises the error of the contract where the event is not allowed."""
    move = MOVES[stage].get(event, stage)
    if isinstance(move, Stage):
        return move
    raise move(MESSAGES[move].format(stage.name))


def with_flag(stage: Stage, flag: str, value: object) -> Stage:
    """The stage whose flags are those of ``stage`` but for one: programs set the contract's flags one by one.

    Where no stage has such flags, the one that has the flag as asked and else agrees in most, earliest stage first.
    """
    wanted = bool(value)
    agreeing = [candidate for candidate in STAGES if getattr(candidate, flag) is wanted]
    return max(agreeing, key=lambda candidate: sum(map(bool.__eq__, candidate.flags(), stage.flags())))
