"""A reactor inside an asyncio loop: Deferreds and coroutines of asyncio run in one thread.

The loop sees one file descriptor, the engine's own, which is readable when any of the descriptors that the engine
watches is ready; and one timer, which is the engine's next. So what is on our side costs the loop one event a turn, and
runs as fast as elsewhere. Every turn runs in one context (contextvars), whatever part of asyncio caused it.

Contract: twisted.internet.asyncioreactor.
"""

from __future__ import annotations

import asyncio
import contextvars
import warnings
from typing import Any

from . import reactors, report
from .contract import Running
from .core import states
from .failure import Failure
from .posixbase import PosixReactorBase

__all__ = ["AsyncioSelectorReactor", "install"]


class AsyncioSelectorReactor(PosixReactorBase):
    """A reactor that an asyncio loop turns; run() runs that loop.

    Where the loop is run by others, startRunning() fires "startup" and nothing else is needed; stop() then stops the
    loop too. Timers and files are served whenever the loop runs, started or not.
    """

    mechanism = "epoll"  # the one that is itself a file descriptor

    def __init__(self, eventloop: asyncio.AbstractEventLoop | None = None) -> None:
        """Without ``eventloop``: the loop of this thread, made if need be.

        Raises TypeError for a loop that cannot watch file descriptors, ValueError on a system without epoll.
        """
        super().__init__()
        self._asyncioEventloop = _loop_of_this_thread() if eventloop is None else eventloop
        self._context = contextvars.copy_context()
        self._alarm: asyncio.Handle | None = None
        self._alarm_due: float | None = None
        self._turning = False  # in a turn that the loop asked for: it does the waiting
        self._steps: int | None = None  # in iterate(): how many turns there may still be
        self.engine.timers.alarm = self.engine.wake
        try:
            self._asyncioEventloop.add_reader(self.engine.fileno(), self._context.run, self._turn)
        except NotImplementedError:
            self._lifeline.close()
            raise TypeError(f"this event loop cannot watch file descriptors: {self._asyncioEventloop!r}") from None
        self._arm()

    def close(self) -> None:
        """Leave the loop, and give the engine's file descriptors back."""
        if not self._asyncioEventloop.is_closed():
            self._asyncioEventloop.remove_reader(self.engine.fileno())
        self._disarm()
        super().close()

    def _enter(self, stage: states.Stage) -> None:
        started = self._life.started
        super()._enter(stage)
        if started and not stage.started and self._asyncioEventloop.is_running():
            self._asyncioEventloop.stop()
        self.engine.wake()  # there may be a shutdown to fire

    def _go_on(self) -> None:
        if not self._life.started:
            return  # crashed during startup
        try:
            self._asyncioEventloop.run_forever()
        finally:
            # Somebody else has stopped the loop, or it was running already: for the reactor that is the end too.
            if self._life.started:
                self.crash()

    def _wait(self, delay: float | None) -> None:
        loop = self._asyncioEventloop
        if self._turning:
            self._turning = False
            self.engine.poll(0)
        elif loop.is_running():  # iterate() in a callback: the rest of the loop has to wait
            self.engine.poll(delay)
            self._arm()
        else:
            stop = None if delay is None else loop.call_later(delay, loop.stop)
            self._steps = 1
            self._arm()
            try:
                loop.run_forever()
            finally:
                self._steps = None
                if stop is not None:
                    stop.cancel()

    def _turn(self) -> None:
        """Called by the loop: there is something to do, or may be."""
        if self._steps == 0:
            return
        with Running(self):
            try:
                if self._steps:
                    self._steps = 0
                    self._asyncioEventloop.stop()
                    self.engine.poll(0)
                elif self.engine.overridden:
                    self._turning = True
                    self._turn_by_contract()
                else:
                    self.engine.turn(0)
            except BaseException:
                report.failure("Unexpected error in main loop.", Failure())
            finally:
                self._turning = False
        self._arm()

    def _ring(self) -> None:
        self._alarm = None
        self._turn()

    def _arm(self) -> None:
        """Have the loop call when the next timer is due, or soon if there is something to do already."""
        loop = self._asyncioEventloop
        if loop.is_closed():
            return
        rest = self.engine.rest()
        due = self.engine.next_due() if rest else None
        if self._alarm is not None and due is not None and due == self._alarm_due:
            return
        self._disarm()
        if rest is not None:
            self._alarm_due = due
            if rest:
                self._alarm = loop.call_later(rest, self._ring, context=self._context)
            else:
                self._alarm = loop.call_soon(self._ring, context=self._context)

    def _disarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None


def _loop_of_this_thread() -> asyncio.AbstractEventLoop:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that it may make one is what is wanted here
        try:
            loop = asyncio.get_event_loop()
        except RuntimeError:
            loop = None
    if loop is None or loop.is_closed():
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
    return loop


def install(eventloop: Any = None) -> None:
    """Make an AsyncioSelectorReactor the process's reactor; ``eventloop`` as there.

    Raises ReactorAlreadyInstalledError if the process has one (semantics 45).
    """
    reactors.install(AsyncioSelectorReactor(eventloop))
