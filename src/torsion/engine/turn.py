"""The heart: one turn of the loop makes calls of what threads handed over, of time, and of readiness, in this order.

`turn` is the whole loop; everything else here serves it. It knows descriptors, time and calls, and no contract: a
face (contract.py) composes it, and an engine can also be embedded in another loop, by `fileno()` and
`rest()`.

Readiness of a descriptor is delivered to whoever watches it *when the event is dispatched*, and only if they watched
it when the wait began: a number that a handler closed and that is somebody else's by now is left alone. All readiness
is a level, so an event that is not delivered comes again, and nothing is lost by dropping one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from math import inf
from typing import Any

from ..core.calls import Calls
from ..core.delayed import DelayedCall, Keeper
from ..core.timers import TimerQueue
from ..twin.kernel import GONE, READ, Events, Sys
from .meter import Meter
from .poll import Poller, choose, events_of
from .waker import Waker
from .watch import Handler, Queue, Told, Unsent, Watch

LONGEST = 2147483.0
"""The longest wait in seconds: what epoll's and poll's milliseconds hold in 31 bits (34)."""
FOREVER = inf
"""How long is waited where nothing ends the wait."""
BEYOND = 1 << 24
"""More than any system gives descriptors to a process: the list of who watches is as long as the highest number."""
TOGETHER = 16
"""So many streams that events have written to are sent for in one go. One by one, each would wake its peer, and the
processor be with the kernel in between; all of a long batch, and the first peer would wait for the last event."""


class Engine:
    """A loop's parts and its turn. Everything but `wake` and `calls.put` belongs to the thread that turns it."""

    def __init__(
        self,
        clock: Callable[[], float] = time.time,
        poller: Poller | None = None,
        waker: Waker | None = None,
        timers: TimerQueue | None = None,
    ) -> None:
        self.clock = clock
        self.poller: Poller = choose() if poller is None else poller
        self.events: Events = events_of(self.poller)
        """What it waits with; may be replaced."""
        self.waker: Waker = Waker() if waker is None else waker
        if timers is None:
            timers = TimerQueue()
        self.timers = timers
        self.calls = Calls()
        self.meter = Meter(self.calls, self.timers)
        self.stopping = False
        """Set once the loop is to end: no wait is longer than 0 from then on."""
        self.at_rest: Callable[[], object] | None = None
        """Called once, by the next pass, after its timers: a pending shutdown (34, 38)."""
        self.carries_streams = True
        """Whether streams may watch their descriptors here: not where others replaced the watching or the waiting."""
        self.alone = False
        """Whether the event that is being delivered is the only one there is: no other answer is to go with its own."""
        self.overridden = False
        """Whether somebody else may be waiting on our behalf; then every `wake` is written."""
        self.sooner: Callable[[Any], object] = timers.reset
        """Told by a call of call_later that its time has become earlier."""
        self.scheduled: Callable[[DelayedCall], object] | None = None
        """Told of each call of call_later, for who notes where they are made."""
        self._cancel = timers.cancel  # bound once
        self._keeper = Keeper(self._cancel, self.sooner, clock)
        self._asleep = False
        self._watches: list[Watch | None] = []  # by their descriptors, which are small numbers
        self._changed: list[Watch] = []
        self._unsent = Queue()
        self._always: dict[int, int] = {}  # readiness that is told at each wait without asking the poller
        self.watch(self.waker.fileno(), self.waker, READ)

    def turn(self, longest: float | None) -> None:
        """Turn the loop once; wait at most `longest` seconds (None: no limit) if there is nothing to do."""
        self.run_current()  # calls, timers, a pending shutdown
        self.poll(longest)  # send what they wrote; wait until something is ready, deliver it; send what that wrote

    def run(self) -> None:
        """Turn until the loop is `stopping` or `overridden`, and at least once."""
        while True:
            self.turn(None)
            if self.stopping or self.overridden:
                break

    def run_current(self) -> None:
        """Run what is there now; what it adds waits a turn. Raises only what `at_rest` raises."""
        if not self.meter.at_work:
            self.begin()
        if self.calls.waiting:
            self.calls.run_batch()  # what threads and signals handed over before this turn (46)
        if self.timers.size:
            self.timers.run_due(Sys.now(self.clock))  # what is due now (32)
        if self.at_rest is not None:
            at_rest, self.at_rest = self.at_rest, None
            at_rest()

    def poll(self, longest: float | None) -> None:
        """Wait for readiness, at most `longest` seconds (None: no limit) and never past the next timer, and deliver it.

        What was written is sent before (see patience) and after. Raises what a handler raises; the rest of the batch
        comes again.
        """
        meter = self.meter
        if meter.running is not None:
            meter.running.flush()  # a handler turns the loop itself, in the middle of its event
        meter.turns += 1
        waits = meter.turns
        self._asleep = True  # before it is asked how long: see wake()
        left = self._prepare(longest)
        self.events.wait(left)
        self._asleep = False
        if left != 0:
            self.timers.now = Sys.now(self.clock)
        meter.work(self.timers.now)
        self._deliver(waits)
        if self._unsent.length:
            self.flush()

    def _deliver(self, waits: int) -> None:
        """Tell those who watched already when the wait of this number began."""
        meter, events = self.meter, self.events
        around = meter.running
        try:
            while events.next():
                self.alone = not events.more and not self._unsent.length
                if not self._deliver_to(events.fd, events.ready, waits):
                    return
            if self._always:
                for fd, ready in tuple(self._always.items()):
                    if not self._deliver_to(fd, ready, waits):
                        return
        finally:
            meter.running = around

    def _deliver_to(self, fd: int, ready: int, waits: int) -> bool:
        """Whether the others of the batch are to be told, too."""
        watch = self._watch_of(fd)
        if watch is None or watch._born == waits:
            return True  # forgotten by a handler of this batch; or that number is another's by now
        ready &= watch._interest | GONE
        if not watch._interest or not ready:
            return True
        meter = self.meter
        meter.events += 1
        meter.running = watch
        watch.on_ready(ready)
        if self._unsent.length >= TOGETHER:
            self.flush()
        turned = meter.turns  # in C, in as many bits as a watch keeps of it
        return turned == waits  # else the loop was turned meanwhile: that wait saw what is still ready

    def flush_later(self, handler: Any) -> None:
        """Have `handler.flush()` called before the loop sleeps: once for all that is written until then."""
        self.send_later(handler if isinstance(handler, Unsent) else Told(-1, handler))

    def send_later(self, unsent: Unsent) -> None:
        """As flush_later."""
        self._unsent.add(unsent)
        if self._asleep:  # as in watch()
            self.wake()

    def flush(self) -> None:
        """Send what calls, timers and events wrote to streams that were not served just now.

        What is written meanwhile waits: two that answer each other would keep the loop here. What a KeyboardInterrupt
        keeps from being sent is not lost.
        """
        unsent, meter = self._unsent, self.meter
        around = meter.running
        left = unsent.length
        try:
            while left > 0 and unsent.length:
                left -= 1
                stream = unsent.take()
                meter.running = stream
                stream.flush()
        finally:
            meter.running = around

    def watched(self) -> list[tuple[Handler, int]]:
        """Who watches something now, and for what: READ, WRITE, both."""
        return [(watch.who(), watch._interest) for watch in self._watches if watch is not None and watch._interest]

    def patience(self, longest: float | None) -> float | None:
        """How long the loop may wait now: at most `longest` seconds, None for ever. Cancelled timers count too (34).

        Ask this before each wait, your own on `fileno()` too: it also tells the poller what has changed, and sends what
        was written, which may run a producer and so add calls. It does not send while calls or timers are due: the
        answer could overtake them, if the peer is in this loop. What is left is sent when the wait, of 0, is over.
        """
        left = self._prepare(longest)
        return None if left == FOREVER else left

    def _prepare(self, longest: float | None) -> float:
        """As patience; infinity for ever."""
        if self._unsent.length and self._left(longest) != 0:
            asleep = self._asleep
            self.flush()
            self._asleep = asleep  # who sends may have turned the loop, and it is awake after that
        if self._changed:
            self._apply()
        left = 0.0 if self._unsent.length else self._left(longest)
        self.meter.rest(self.timers.now)
        return left

    def _left(self, longest: float | None) -> float:
        """How long calls and timers leave the loop idle: at most `longest` seconds, infinity for ever."""
        timers = self.timers
        if not timers.size:
            timers.now = Sys.now(self.clock)  # for the meter; with timers, run_current has just done so
        if self.stopping or self.calls.waiting or self._always or self.at_rest is not None:
            return 0.0
        left = FOREVER
        if timers.size:
            due = timers.next_time()
            if due <= timers.now:
                return 0.0  # known without another look at the clock
            timers.now = Sys.now(self.clock)
            left = due - timers.now
        if longest is not None and longest < left:
            left = longest
        if left <= 0:
            return 0.0
        return left if left == FOREVER else min(left, LONGEST)

    def call_later(self, delay: float, func: Any, args: tuple[Any, ...], kw: dict[str, Any]) -> DelayedCall:
        """Schedule a call `delay` seconds from now; AssertionError if that is negative or NaN (29)."""
        keeper = self._keeper
        if keeper.seconds is not self.clock or keeper.resetter is not self.sooner:
            keeper = self._keeper = Keeper(self._cancel, self.sooner, self.clock)
        call = self.timers.call_later(keeper, delay, func, args, kw)
        if self.scheduled is not None:
            self.scheduled(call)
        return call

    def hand_over(self, function: Callable[..., object], args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """Have a call made on the next turn (46). Any thread, and signal handlers.

        False if somebody else may be waiting on our behalf: then the caller has to wake them.
        """
        self.calls.put(function, args, kwargs)
        if self.overridden:
            return False
        if self._asleep:
            self.wake()
        return True

    def begin(self) -> None:
        """Somebody turns this loop now: what passes is work, until it waits."""
        if not self.meter.at_work:
            self.timers.now = Sys.now(self.clock)
            self.meter.work(self.timers.now)

    def leave(self) -> None:
        """Nobody turns this loop for now: what passes until somebody does is no work of its."""
        self.timers.now = Sys.now(self.clock)
        self.meter.rest(self.timers.now)

    def rest(self) -> float | None:
        """For a loop that hosts this one: how long it may wait on `fileno()` before it calls `turn(0)`; as `patience`.

        From now until that turn, whatever would shorten the wait makes `fileno()` readable: calls handed over, and
        descriptors watched. (Not timers, which know no engine: have their `alarm` call `wake`.)
        """
        self._asleep = True  # before patience is asked: see wake()
        return self.patience(None)

    def next_due(self) -> float | None:
        """When the earliest timer is due, in seconds of the clock; None without timers."""
        return self.timers.next_due()

    def wake(self) -> None:
        """Have a sleeping loop look again at what `patience` looks at. Any thread, and signal handlers.

        Nothing is written while the loop is busy, nor twice for one wait. No wake is lost: whoever wakes has changed
        something first, and the loop announces that it sleeps *before* it asks `patience`; so either the announcement
        is seen here, or `patience` sees the change. The announcement is taken back before the write: the other way
        round, the one of a wait that begins in between would be taken back, and the next wake be lost.
        """
        if self._asleep or self.overridden:
            self._asleep = False
            self.waker.wake()

    def watch(self, fd: int, handler: Handler, interest: int) -> None:
        """Tell `handler` about `fd` from the next wait on. `interest`: READ, WRITE, both; 0 for nothing at the moment.

        A change costs nothing now, and one system call before the wait if something is different then. Before a
        descriptor is closed, `forget` it. Raises ValueError for a negative `fd`, and for one beyond any system's.
        """
        if not 0 <= fd < BEYOND:
            raise ValueError(f"cannot watch file descriptor {fd!r}: no descriptor has this number")
        watch = self._watch_of(fd)
        if watch is None or watch.who() is not handler:
            watch = handler if isinstance(handler, Watch) else Told(fd, handler)
        self.tell(watch, interest)

    def tell(self, watch: Watch, interest: int) -> None:
        """As `watch`, for one that has its descriptor."""
        fd, watches = watch._fd, self._watches
        if fd >= len(watches):
            watches.extend([None] * (fd + 64 - len(watches)))  # numbers are given from below
        if watches[fd] is not watch:
            self.forget(fd)
            watches[fd] = watch
            watch._born = self.meter.turns
        watch._interest = interest
        if not watch._noted:
            watch._noted = True
            self._changed.append(watch)
            if self._asleep:  # a wait has begun that is not ours (see rest), or a signal handler runs within ours
                self.wake()

    def _watch_of(self, fd: int) -> Watch | None:
        watches = self._watches
        if 0 <= fd < len(watches):
            return watches[fd]
        return None

    def forget(self, fd: int) -> None:
        """Tell nobody about `fd` any more, from now on. Unknown: nothing happens.

        This one is not put off: the descriptor is about to be closed, and afterwards the poller may not be able to
        (engine/poll/epoll.py).
        """
        watch = self._watch_of(fd)
        if watch is None:
            return
        self._watches[fd] = None
        self._always.pop(fd, None)
        watch._interest = 0
        if watch._applied:
            watch._applied = 0
            self.poller.unregister(fd)

    def fileno(self) -> int:
        """A descriptor that is readable when there is something to turn for; -1 if the poller has none."""
        return self.poller.fileno()

    def close(self) -> None:
        """Give back the descriptors that are the engine's own. The engine is not usable afterwards."""
        self._watches.clear()
        self._changed.clear()
        self._unsent = Queue()
        self._always.clear()
        self.timers.alarm = None
        self.waker.close()
        self.poller.close()

    def _apply(self) -> None:
        """Bring the poller up to date with what handlers want.

        A change is taken off the list when it is done, for a signal's handler may raise in the middle of it, and only
        if it is still the last, for a finalizer may add others. To do one twice does no harm.
        """
        changed = self._changed
        while changed:
            watch = changed[-1]
            watch._noted = False
            if self._watch_of(watch._fd) is watch:  # not forgotten since
                self._always.pop(watch._fd, None)
                if not watch._interest:
                    self.forget(watch._fd)
                elif watch._interest != watch._applied:
                    self._tell_poller(watch)
            if changed and changed[-1] is watch:
                changed.pop()

    def _tell_poller(self, watch: Watch) -> None:
        fd, interest = watch._fd, watch._interest
        try:
            if watch._applied:
                self.poller.modify(fd, interest)
            else:
                self.poller.register(fd, interest)
            watch._applied = interest
        except OSError as error:
            # A regular file has no readiness to wait for: it is always ready (61). Whatever else cannot be watched,
            # closed already as a rule, is told as gone until it is forgotten, as poll and select do.
            watch._applied = 0
            self._always[fd] = interest if isinstance(error, PermissionError) else GONE
