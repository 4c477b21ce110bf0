"""Operations on time: delayed calls, timeouts, LoopingCall, Cooperator; on a Clock, and on the reactor's own timers."""

from collections.abc import Iterator
from typing import Any

from twisted.internet import task
from twisted.internet.defer import Deferred
from twisted.internet.epollreactor import EPollReactor
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure
from world import World, operation, plain


class Time:
    """A reactor's time, that a program moves. No two looks at it are equal, nor two distances between looks: the order
    of calls due at the same time is not promised by Twisted's reactor."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._now = 1000.0
        self._tick = 1e-8
        reactor.seconds = self.seconds

    def seconds(self) -> float:
        self._tick *= 1.001
        self._now += self._tick
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += seconds
        self._reactor.iterate(0)


def started(world: World) -> Any:
    """A reactor of the program's own, that runs when the program says so."""
    reactor: Any = EPollReactor()
    world.keep("reactor", reactor)
    reactor.advance = Time(reactor).advance
    reactor.startRunning(installSignalHandlers=False)
    return reactor


def clock_of(world: World) -> Any:
    found = world.things.get("clock")
    return found[0] if found else world.keep("clock", task.Clock())


@operation
def real_timers(world: World) -> None:
    """The program's clock is a reactor."""
    if not world.things.get("clock"):
        reactor: Any = world.keep("clock", started(world))
        world.cleanups.append(lambda: shut(reactor))


def shut(reactor: Any) -> None:
    if reactor.threadpool is not None:
        reactor.threadpool.stop()
    for call in reactor.getDelayedCalls():
        call.cancel()
    for selectable in reactor.removeAll():
        selectable.connectionLost(Failure(ConnectionDone()))


@operation
def advance(world: World, seconds: float) -> None:
    clock_of(world).advance(seconds)


@operation
def later(world: World, seconds: float, body: list[Any]) -> None:
    clock = clock_of(world)
    world.keep("call", clock.callLater(seconds, world.callback("later", body), len(world.things.get("call", ()))))


@operation
def call_cancel(world: World, number: int) -> None:
    world.pick("call", number).cancel()


@operation
def call_reset(world: World, number: int, seconds: float) -> None:
    world.pick("call", number).reset(seconds)


@operation
def call_delay(world: World, number: int, seconds: float) -> None:
    world.pick("call", number).delay(seconds)


@operation
def call_state(world: World, number: int) -> Any:
    call = world.pick("call", number)
    return [round(call.getTime(), 3), bool(call.active()), bool(call.called), bool(call.cancelled)]


@operation
def calls_left(world: World) -> Any:
    return sorted(round(call.getTime(), 3) for call in clock_of(world).getDelayedCalls())


@operation
def timeout(world: World, number: int, seconds: float, body: list[Any] | None) -> None:
    world.cancels = True
    handler = world.callback("timed out", body) if body else None
    world.pick("deferred", number).addTimeout(seconds, clock_of(world), handler)


@operation
def defer_later(world: World, seconds: float, body: list[Any] | None) -> None:
    call = [world.callback("deferred call", body)] if body else []
    world.keep("deferred", task.deferLater(clock_of(world), seconds, *call))


# LoopingCall.


@operation
def looping(world: World, body: list[Any], counted: bool) -> None:
    looped = world.callback("looping", body)

    def function(*given: Any) -> Any:
        call.waits_for = looped(*given)
        return call.waits_for

    call: Any = task.LoopingCall.withCount(function) if counted else task.LoopingCall(function)
    call.waits_for = None
    call.clock = clock_of(world)
    world.keep("loop", call)


@operation
def loop_start(world: World, number: int, interval: float, now: bool) -> None:
    loop = world.pick("loop", number)
    if not isinstance(loop.waits_for, Deferred):  # Twisted's, stopped and started while it waits, runs twice as often
        world.keep("deferred", loop.start(interval, now))


@operation
def loop_stop(world: World, number: int) -> None:
    world.pick("loop", number).stop()


@operation
def loop_reset(world: World, number: int) -> None:
    world.pick("loop", number).reset()


@operation
def loop_state(world: World, number: int) -> Any:
    call = world.pick("loop", number)
    return [bool(call.running), call.interval, call.starttime is not None, plain(repr(call)).partition("(")[0][:12]]


# Cooperator.


@operation
def cooperator(world: World, steps: int, begin: bool) -> None:
    """One that hands the reactor its control back after so many steps."""
    clock = clock_of(world)

    def terminator() -> Any:
        taken = 0

        def over() -> bool:
            nonlocal taken
            taken += 1
            return taken >= steps

        return over

    world.keep("cooperator", task.Cooperator(terminator, lambda f: clock.callLater(0.001, f), begin))


class Work:
    """A task's iterator, which knows whether its last step gave a Deferred, and whether somebody waits for its end."""

    waits = asked = False

    def __init__(self, world: World, bodies: list[Any]) -> None:
        self.steps = self._steps(world, bodies)

    def __iter__(self) -> "Work":
        return self

    def __next__(self) -> Any:
        result = next(self.steps)
        self.waits = isinstance(result, Deferred)
        return result

    @staticmethod
    def _steps(world: World, bodies: list[Any]) -> Iterator[Any]:
        for number, body in enumerate(bodies):
            world.log("step", number)
            yield world.body(body)


@operation
def cooperate(world: World, number: int, bodies: list[Any]) -> None:
    it = world.pick("cooperator", number)
    work = Work(world, bodies)
    task = it.cooperate(work)
    task.work = work
    world.keep("task", task)


@operation
def coiterate(world: World, number: int, bodies: list[Any]) -> None:
    it = world.pick("cooperator", number)
    world.keep("deferred", it.coiterate(Work(world, bodies)))


@operation
def cooperator_do(world: World, number: int, what: str) -> Any:
    it = world.pick("cooperator", number)
    return it.running if what == "running" else getattr(it, what)()


@operation
def task_do(world: World, number: int, what: str) -> None:
    it = world.pick("task", number)
    if what == "whenDone":
        it.work.asked = True
        world.keep("deferred", it.whenDone())
    elif not (what == "stop" and it.work.waits and it.work.asked):  # what it waits for fails twice in Twisted, then
        getattr(it, what)()
