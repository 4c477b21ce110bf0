"""Operations in threads, whose outcomes do not depend on which thread is faster.

An operation starts its jobs, and turns the reactor until all of them have ended. What happens in a job's thread goes
to one channel, what the reactor's thread does for it to another. What a job has that thread call runs in the order in
which it was asked for, before the job's result is told.
"""

import time
from collections.abc import Callable
from threading import current_thread, main_thread
from typing import Any

from streams import reactor_of
from twisted.internet import threads
from twisted.internet.defer import Deferred
from twisted.python import context
from world import ERRORS, World, operation

#: Seconds that jobs may take.
PATIENCE = 3


class Job:
    """What one thread does, step by step."""

    def __init__(self, world: World, name: str, steps: list[Any], ending: list[Any]) -> None:
        self.world, self.name, self.steps, self.ending = world, name, steps, ending
        self.reactor = reactor_of(world)
        #: How many calls in the reactor's thread are to come, the result included.
        self.left = sum(how == "call" for how, _ in steps) + 1

    def log(self, *what: Any) -> None:
        where = self.name if current_thread() is main_thread() else f"{self.name}, its thread"
        self.world.log(*what, channel=where)

    def __call__(self, *given: Any) -> Any:
        self.log("begins", context.get("job"), *given)
        for how, ending in self.steps:
            if how == "call":
                self.reactor.callFromThread(self.asked, ending)
                continue
            try:
                self.log("answer", threads.blockingCallFromThread(self.reactor, self.answer, "asked", ending))
            except BaseException as error:
                self.log("answer raised", error)
        if self.ending[0] == "raise":
            raise ERRORS[self.ending[1]]()
        return self.ending[1] if self.ending[0] == "return" else None

    def asked(self, ending: list[Any]) -> None:
        self.left -= 1
        self.answer("called", ending)

    def answer(self, what: str, ending: list[Any]) -> Any:
        """In the reactor's thread. A Deferred that it answers with fires later: else the job would wait for ever."""
        self.log(what)
        result = self.world.body([[], ending])
        if isinstance(result, Deferred):
            result = Deferred()
            self.reactor.callFromThread(result.callback, "late")
        return result

    def ended(self, result: Any) -> Any:
        self.left -= 1
        self.log("ended", result)
        return result


def _run(world: World, jobs: list[Job]) -> None:
    """Turn the reactor until all jobs have ended."""
    end = time.monotonic() + PATIENCE
    while any(job.left > 0 for job in jobs) and time.monotonic() < end:
        jobs[0].reactor.iterate(0.01)
    for job in jobs:
        if job.left > 0:
            job.log("does not end")


@operation
def in_threads(world: World, several: list[list[Any]], how: str) -> None:
    """Several jobs at once, [steps, ending] each."""
    for _ in range(8):  # what was asked for before, and what that asks for
        reactor_of(world).advance(0)
    first = len(world.things.get("job", ()))
    jobs = [world.keep("job", Job(world, f"job {first + n}", *each)) for n, each in enumerate(several)]
    START[how](world, reactor_of(world), jobs)
    _run(world, jobs)


def _deferred(world: World, reactor: Any, jobs: list[Job]) -> None:
    for job in jobs:
        d = context.call({"job": job.name}, threads.deferToThreadPool, reactor, reactor.getThreadPool(), job, 1)
        d.addBoth(job.ended)
        if len(jobs) == 1:  # which of several is the first is not known
            world.keep("deferred", d)


def _cancelled(world: World, reactor: Any, jobs: list[Job]) -> None:
    """Cancelled at once: the thread goes on, and nobody hears of what comes of it."""
    for job in jobs:
        d = threads.deferToThreadPool(reactor, reactor.getThreadPool(), _then(job))
        d.addErrback(lambda failure, job: world.log("cancelled", failure, channel=f"{job.name}, cancelled"), job)
        d.cancel()


def _with_result(world: World, reactor: Any, jobs: list[Job]) -> None:
    def told(success: bool, result: Any, job: Job) -> None:
        job.log("result", success, result)
        reactor.callFromThread(job.ended, "told")

    for job in jobs:
        pool = reactor.getThreadPool()
        pool.callInThreadWithCallback(lambda success, result, job=job: told(success, result, job), job, 2)


def _in_thread(world: World, reactor: Any, jobs: list[Job]) -> None:
    """Nobody is told of the result; an error is reported, from that thread."""
    for job in jobs:
        reactor.callInThread(_then(job), 3)


def _then(job: Job) -> Callable[..., Any]:
    def both(*given: Any) -> Any:
        try:
            return job(*given)
        finally:
            job.reactor.callFromThread(job.ended, None)

    return both


START: dict[str, Any] = {
    "deferred": _deferred,
    "cancelled": _cancelled,
    "with result": _with_result,
    "in thread": _in_thread,
}


@operation
def call_from_thread(world: World, body: list[Any]) -> None:
    """From the reactor's own: called in its next turn."""
    reactor_of(world).callFromThread(world.callback("from thread", body))
