"""What is measured, written once against Twisted's names.

The same file runs on stock Twisted and on Torsion under the takeover. Each operation takes a count and gives the
seconds of process CPU (user and system, all threads) that so many took, or a Deferred of them. They run inside a
running reactor."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from itertools import pairwise
from time import process_time as cpu
from typing import Any

from delays import DELAYS, LEAD
from twisted.internet import defer, reactor, threads
from twisted.protocols import basic


def _identity(value: Any) -> Any:
    return value


def _raise(value: Any) -> Any:
    raise ValueError(value)


def _ignore(*ignored: Any) -> None:
    return None


def deferred_three_callbacks(count: int) -> float:
    began = cpu()
    for _ in range(count):
        deferred = defer.Deferred()
        deferred.addCallback(_identity)
        deferred.addCallback(_identity)
        deferred.addCallback(_identity)
        deferred.callback(None)
    return cpu() - began


def deferred_error_path(count: int) -> float:
    began = cpu()
    for _ in range(count):
        deferred = defer.Deferred()
        deferred.addCallback(_raise)
        deferred.addErrback(_ignore)
        deferred.callback(None)
    return cpu() - began


def deferred_chain_link(count: int) -> float:
    began = cpu()
    chain = [defer.Deferred() for _ in range(count)]
    for outer, inner in pairwise(chain):
        outer.addCallback(lambda _, inner=inner: inner)
    for deferred in chain:
        deferred.callback(None)
    del chain, deferred, outer, inner
    return cpu() - began


def gather_item(count: int) -> float:
    began = cpu()
    for _ in range(count // 100):
        items: list[Any] = [defer.Deferred() for _ in range(100)]
        defer.gatherResults(items)
        for item in items:
            item.callback(None)
    return cpu() - began


def await_fired(count: int) -> float:
    fired = defer.succeed(None)

    async def wait() -> None:
        for _ in range(count):
            await fired

    began = cpu()
    defer.Deferred.fromCoroutine(wait())
    return cpu() - began


def inline_yield(count: int) -> float:
    waited: list[Any] = []

    @defer.inlineCallbacks
    def wait() -> Any:
        for _ in range(count):
            deferred: Any = defer.Deferred()
            waited.append(deferred)
            yield deferred

    began = cpu()
    wait()
    for _ in range(count):
        waited.pop().callback(None)
    return cpu() - began


def inline_call(count: int) -> float:
    @defer.inlineCallbacks
    def one_yield() -> Any:
        yield defer.succeed(None)

    began = cpu()
    for _ in range(count):
        one_yield()
    return cpu() - began


def _after_turn(work: Callable[[], Any]) -> Any:
    """CPU of `work` and of the turn after it, where what was put off is done."""
    done: Any = defer.Deferred()
    began = cpu()
    work()
    reactor.callLater(0, lambda: reactor.callLater(0, lambda: done.callback(cpu() - began)))
    return done


_crowd: list[Any] | None = None


def crowd(delays: Iterable[float]) -> None:
    """From now on the timers that are measured are among these others: they wait so many seconds."""
    global _crowd
    for call in _crowd or ():
        call.cancel()
    _crowd = [reactor.callLater(delay, _ignore) for delay in delays]


def _in_a_crowd(work: Callable[[], Any]) -> Any:
    """What `work` measures, among many timers that are far from due and well settled."""
    if _crowd is None:
        crowd(10_000 + delay for delay in DELAYS)
    settled: Any = defer.Deferred()
    reactor.callLater(0, lambda: reactor.callLater(0, settled.callback, None))
    return settled.addCallback(lambda _: work())


def timer_schedule(count: int) -> Any:
    calls: list[Any] = []

    def schedule() -> None:
        calls.extend([reactor.callLater(1000 + delay, _ignore) for delay in DELAYS[:count]])

    def clean_up(took: float) -> float:
        for call in calls:
            call.cancel()
        return took

    return _in_a_crowd(lambda: _after_turn(schedule)).addCallback(clean_up)


def timer_cancel(count: int) -> Any:
    calls: list[Any] = []

    def schedule() -> None:
        calls.extend([reactor.callLater(1000 + delay, _ignore) for delay in DELAYS[:count]])

    def cancel() -> None:
        for call in calls:
            call.cancel()

    return _in_a_crowd(lambda: _after_turn(schedule)).addCallback(lambda _: _after_turn(cancel))


def timer_fire(count: int, lead: float = LEAD) -> Any:
    """All become due before the loop goes on, so that only the firing is measured."""
    due: list[float] = []

    def schedule() -> None:
        due.append(reactor.seconds() + lead + 0.1)
        for delay in DELAYS[:count]:
            reactor.callLater(lead + delay / 1000, _ignore)

    def fire(_: Any) -> Any:
        if reactor.seconds() > due[0] - 0.1:  # scheduling took so long that some have fired already
            time.sleep(0.2)
            return timer_fire(count, 2 * lead)
        time.sleep(due[0] + 0.05 - reactor.seconds())
        return _after_turn(_ignore)

    return _in_a_crowd(lambda: _after_turn(schedule)).addCallback(fire)


def timer_schedule_and_fire(count: int) -> Any:
    """All in one turn, and no clock is watched meanwhile: the same instructions each time, unlike `timer_fire`."""

    def schedule() -> None:
        for delay in DELAYS[:count]:
            reactor.callLater(delay / 50, _ignore)
        time.sleep(2.1)

    return _after_turn(schedule)


def call_later_chain(count: int) -> Any:
    done: Any = defer.Deferred()
    began = cpu()

    def step(left: int) -> None:
        if left:
            reactor.callLater(0, step, left - 1)
        else:
            done.callback(cpu() - began)

    step(count)
    return done


def call_from_thread(count: int) -> Any:
    done: Any = defer.Deferred()

    def post() -> None:
        for _ in range(count):
            reactor.callFromThread(_ignore)
        reactor.callFromThread(lambda: done.callback(cpu() - began))

    began = cpu()
    reactor.callInThread(post)
    return done


def defer_to_thread(count: int) -> Any:
    @defer.inlineCallbacks
    def many() -> Any:
        began = cpu()
        for _ in range(count):
            yield threads.deferToThread(_ignore)
        return cpu() - began

    return many()


class _Sink:
    """A transport that takes everything."""

    disconnecting = False

    def write(self, data: bytes) -> None:
        pass


def _received(kind: type, message: bytes, count: int, size: int) -> float:
    """CPU of `count` messages that come in pieces of `size` bytes."""
    stream = message * count
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
    receiver: Any = kind()
    receiver.makeConnection(_Sink())
    receive = receiver.dataReceived
    began = cpu()
    for piece in pieces:
        receive(piece)
    took = cpu() - began
    assert receiver.count == count
    return took


class _Lines(basic.LineReceiver):
    count = 0

    def lineReceived(self, line: bytes) -> None:
        self.count += 1


class _Strings(basic.Int32StringReceiver):
    count = 0

    def stringReceived(self, string: bytes) -> None:
        self.count += 1


LINE = b"x" * 38 + b"\r\n"
STRING = b"\0\0\0\x24" + b"x" * 36


def line_in_64_kib(count: int) -> float:
    return _received(_Lines, LINE, count, 65536)


def line_in_1000_bytes(count: int) -> float:
    return _received(_Lines, LINE, count, 1000)


def line_in_a_piece(count: int) -> float:
    return _received(_Lines, LINE, count, len(LINE))


def line_in_half_pieces(count: int) -> float:
    return _received(_Lines, LINE, count, len(LINE) // 2)


def string_in_64_kib(count: int) -> float:
    return _received(_Strings, STRING, count, 65536)


def string_in_a_piece(count: int) -> float:
    return _received(_Strings, STRING, count, len(STRING))
