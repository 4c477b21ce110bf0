"""The private name of `twisted.internet.epollreactor` and `pollreactor` by which programs time what the loop waits.

They put an object of their own in place of `reactor._poller`, whose `poll` calls that of the one that was there: a
server's metrics do so. That one is here an object with the `poll` of the standard library's, over what our engine waits
with; whatever is put in its place, the engine waits with from then on.
"""

import math
from typing import Any

from torsion.engine.poll import GONE, READ, WRITE, Poller
from torsion.epollreactor import EPollReactor
from torsion.pollreactor import PollReactor

__all__: list[str] = []

#: Bits of both mechanisms: what is to be told of ours, and what of theirs is told as ours.
TOLD = (READ, 1), (WRITE, 4), (GONE, 16)
HEARD = (READ, 1), (WRITE, 4), (GONE, 8 | 16 | 32)


class OwnPoller:
    """What a reactor's `_poller` is at first. `per_second`: its unit of time, 1 as epoll's or 1000 as poll's."""

    def __init__(self, poller: Poller, per_second: int) -> None:
        self._poller = poller
        self._per_second = per_second

    def poll(self, timeout: float | None = None, maxevents: int = -1) -> list[tuple[int, int]]:
        """What is ready, as (descriptor, bits). Waits at most `timeout`; None, and less than 0: for ever."""
        ready = self._poller.wait(None if timeout is None or timeout < 0 else timeout / self._per_second)
        return [(fd, sum(theirs for ours, theirs in TOLD if bits & ours)) for fd, bits in ready]


class Waited:
    """Waits with what a program put there."""

    def __init__(self, poller: Any, per_second: int) -> None:
        self._poller = poller
        self._per_second = per_second

    def wait(self, seconds: float | None) -> list[tuple[int, int]]:
        """As Poller.wait."""
        if self._per_second == 1:
            ready = self._poller.poll(-1 if seconds is None else seconds, -1)
        else:
            ready = self._poller.poll(None if seconds is None else math.ceil(seconds * self._per_second))
        return [(fd, sum(ours for ours, theirs in HEARD if bits & theirs)) for fd, bits in ready]


class PollerPlace:
    """The attribute, of reactors that wait with one of the two."""

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second

    def __get__(self, reactor: Any, owner: type) -> Any:
        if reactor is None:
            return self
        kept = reactor.__dict__
        if "_poller" not in kept:
            kept["_poller"] = OwnPoller(reactor.engine.poller, self._per_second)
        return kept["_poller"]

    def __set__(self, reactor: Any, poller: Any) -> None:
        from torsion.engine.poll.listed import Listed

        reactor.__dict__["_poller"] = poller
        reactor.engine.events = Listed(Waited(poller, self._per_second).wait)


_epoll: Any = EPollReactor
_epoll._poller = PollerPlace(1)
_poll: Any = PollReactor
_poll._poller = PollerPlace(1000)
