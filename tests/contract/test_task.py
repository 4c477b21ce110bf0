"""LoopingCall, Clock, deferLater and react (semantics 35, 36, 89, 91, 93)."""

import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from torsion import report, task
from torsion.contract import Reactor
from torsion.core.coroutine import NotACoroutineError
from torsion.core.deferred import CancelledError, Deferred, fail, succeed
from torsion.core.delayed import DelayedCall
from torsion.failure import Failure


@pytest.fixture
def clock() -> task.Clock:
    return task.Clock()


@pytest.fixture
def reports() -> Iterator[list[tuple[str, Failure | None]]]:
    found: list[tuple[str, Failure | None]] = []
    report.set_sink(lambda level, text, failure, details: found.append((text, failure)))
    yield found
    report.set_sink(None)


def noted(*args: object, **kw: object) -> None:
    """A function with a name."""


def results_of(deferred: Deferred) -> list[Any]:
    """What it fires with, in a list that is empty until then; a failure as the exception's class."""
    results: list[Any] = []
    deferred.addCallbacks(results.append, lambda failure: results.append(failure.type))
    return results


def looping(clock: task.Clock, f: Callable[..., object], *args: object, **kw: object) -> task.LoopingCall:
    loop = task.LoopingCall(f, *args, **kw)
    loop.clock = clock
    return loop


def counting(clock: task.Clock, f: Callable[[int], object]) -> task.LoopingCall:
    loop = task.LoopingCall.withCount(f)
    loop.clock = clock
    return loop


# LoopingCall has a default clock, and asking for it makes the process's reactor: here it is one of ours.
@pytest.fixture(autouse=True)
def no_reactor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task, "current", lambda: None)


# Clock


def test_s035_advance_jumps_to_the_end_and_runs_what_is_due(clock: task.Clock) -> None:
    seen: list[tuple[str, float]] = []
    for name, delay in (("c", 3), ("a", 1), ("b", 2), ("never", 11)):
        clock.callLater(delay, lambda name: seen.append((name, clock.seconds())), name)
    clock.advance(10)
    assert seen == [("a", 10), ("b", 10), ("c", 10)]


def test_s035_what_becomes_due_in_advance_runs_in_it(clock: task.Clock) -> None:
    ran: list[str] = []
    far = clock.callLater(50, ran.append, "reset")
    clock.callLater(1, lambda: (clock.callLater(0, ran.append, "new"), far.reset(0)))
    clock.advance(1)
    assert sorted(ran) == ["new", "reset"]


def test_s035_what_a_call_raises_leaves_advance_and_the_rest_stays(clock: task.Clock) -> None:
    ran: list[int] = []
    clock.callLater(1, divmod, 1, 0)
    rest = clock.callLater(1, ran.append, 1)
    with pytest.raises(ZeroDivisionError):
        clock.advance(1)
    assert (ran, clock.getDelayedCalls()) == ([], [rest])
    clock.advance(0)
    assert ran == [1]


def test_s035_a_negative_delay_is_accepted(clock: task.Clock) -> None:
    ran: list[str] = []
    clock.callLater(0, ran.append, "zero")
    clock.callLater(-3, ran.append, "negative")
    assert ran == []
    clock.advance(0)
    assert ran == ["negative", "zero"]


def test_s035_the_list_of_calls_is_live_and_in_order(clock: task.Clock) -> None:
    calls = clock.getDelayedCalls()
    third, first, second = (clock.callLater(delay, noted) for delay in (3, 1, 2))
    assert calls is clock.calls and calls == [first, second, third]
    first.reset(5)
    third.reset(1)
    second.cancel()
    assert sorted(calls, key=DelayedCall.getTime) == [third, first]
    clock.advance(1)
    assert calls == [first]


def test_s033_equal_times_run_in_order_in_a_clock(clock: task.Clock) -> None:
    ran: list[int] = []
    for number in range(100):
        clock.callLater(1, ran.append, number)
    clock.advance(1)
    assert ran == list(range(100))


def test_s035_a_call_delayed_within_advance_lets_the_others_pass(clock: task.Clock) -> None:
    ran: list[tuple[str, float]] = []

    def note(name: str) -> None:
        ran.append((name, clock.seconds()))

    clock.callLater(1, lambda: late.reset(3))
    late = clock.callLater(2, note, "late")
    clock.callLater(3, note, "other")
    clock.pump([0.5] * 10)
    assert ran == [("other", 3), ("late", 4)]


def test_s033_a_call_of_a_clock_that_was_delayed_to_the_time_of_later_ones_runs_before_them(clock: task.Clock) -> None:
    """Two calls at 0.5 and 1, delayed to 3 by 2.5 and 2; another at 3; advance(3)."""
    ran: list[str] = []
    first = clock.callLater(0.5, ran.append, "first")
    second = clock.callLater(1, ran.append, "second")
    clock.callLater(3, ran.append, "third")
    first.delay(2.5)
    second.reset(3)
    clock.advance(1)
    clock.callLater(2, ran.append, "fourth")
    clock.advance(2)
    assert ran == ["first", "second", "third", "fourth"]


def test_s033_a_call_of_a_clock_that_was_moved_to_the_time_of_others_stays_on_the_side_it_came_from(
    clock: task.Clock,
) -> None:
    ran: list[str] = []
    early, late, last = (
        clock.callLater(time, ran.append, name) for time, name in ((1, "early"), (2, "late"), (3, "last"))
    )
    late.reset(0)
    early.delay(-1)
    last.reset(0)
    clock.advance(0)
    assert ran == ["early", "late", "last"]


def test_s033_a_call_of_a_clock_that_is_moved_finds_its_place_where_one_is_scheduled(clock: task.Clock) -> None:
    """Later, and back to the time of another; what was scheduled in between has seen it later."""
    ran: list[str] = []
    moved = clock.callLater(0.5, ran.append, "moved")
    other = clock.callLater(1, ran.append, "other")
    moved.reset(3)
    clock.callLater(2, ran.append, "last")
    assert clock.calls[0] is other and clock.calls[2] is moved
    moved.delay(-2)
    clock.advance(2)
    assert ran == ["other", "moved", "last"]


def test_s033_a_call_of_a_clock_that_is_moved_twice_before_it_finds_its_place_was_moved_once(clock: task.Clock) -> None:
    ran: list[str] = []
    moved = clock.callLater(0.5, ran.append, "moved")
    clock.callLater(1, ran.append, "other")
    moved.reset(3)
    moved.reset(1)
    clock.advance(2)
    assert ran == ["moved", "other"]


def test_s031_a_call_of_a_clock_is_cancelled_after_another_was_moved(clock: task.Clock) -> None:
    ran: list[int] = []
    calls = [clock.callLater(number, ran.append, number) for number in range(5)]
    calls[4].reset(1.5)
    calls[3].cancel()
    clock.advance(10)
    assert ran == [0, 1, 4, 2]


def test_s031_a_call_of_a_clock_is_like_any_other(clock: task.Clock) -> None:
    call = clock.callLater(1, noted, 1, k=2)
    assert isinstance(call, DelayedCall)
    assert repr(call) == f"<DelayedCall {id(call):#x} [1.0s] called=0 cancelled=0 noted(1, k=2)>"
    clock.advance(1)
    with pytest.raises(ValueError):
        call.cancel()


def test_a_clock_can_be_a_reactors_clock(clock: task.Clock) -> None:
    reactor = Reactor(clock=clock.seconds)
    try:
        ran: list[int] = []
        reactor.callLater(5, ran.append, 1)
        clock.advance(5)
        reactor.runUntilCurrent()
        assert ran == [1]
    finally:
        reactor.engine.close()


# LoopingCall


def test_s036_the_first_run_is_inside_start(clock: task.Clock) -> None:
    ran: list[tuple[object, ...]] = []
    loop = looping(clock, lambda *args, **kw: ran.append((args, kw)), 1, k=2)
    done = results_of(loop.start(1))
    assert ran == [((1,), {"k": 2})] and loop.running and loop.interval == 1 and loop.starttime == 0
    clock.pump([1, 1])
    assert len(ran) == 3
    loop.stop()
    assert done == [loop] and not loop.running and clock.calls == []


def test_s036_with_now_false_the_first_run_is_after_one_interval(clock: task.Clock) -> None:
    ran: list[float] = []
    loop = looping(clock, lambda: ran.append(clock.seconds()))
    loop.start(2, now=False)
    clock.pump([1, 1, 1, 1])
    assert ran == [2, 4]


def test_s036_runs_stay_on_the_grid_and_missed_ones_are_skipped(clock: task.Clock) -> None:
    ran: list[float] = []
    loop = looping(clock, lambda: ran.append(clock.seconds()))
    loop.start(1)
    clock.pump([1.25, 0.75, 2.5, 0.25, 0.25])
    assert ran == [0, 1.25, 2, 4.5, 5]


def test_s036_runs_do_not_overlap(clock: task.Clock) -> None:
    waiting: list[Deferred] = []

    def work() -> Deferred:
        waiting.append(Deferred())
        return waiting[-1]

    loop = looping(clock, work)
    loop.start(1)
    clock.pump([1, 1.5])
    assert len(waiting) == 1
    waiting[0].callback(None)
    clock.advance(0.25)
    assert len(waiting) == 1
    clock.advance(0.25)
    assert len(waiting) == 2


def test_s036_coroutines_are_waited_for_too(clock: task.Clock) -> None:
    gate: Deferred = Deferred()
    began: list[int] = []

    async def work() -> None:
        began.append(1)
        await gate

    looping(clock, work).start(1)
    clock.pump([1, 1])
    assert began == [1]
    gate.callback(None)
    clock.advance(1)
    assert began == [1, 1]


def test_s036_stop_during_a_run_waits_for_it(clock: task.Clock) -> None:
    pending: Deferred = Deferred()
    loop = looping(clock, lambda: pending)
    done = results_of(loop.start(1))
    loop.stop()
    assert done == []
    pending.callback(None)
    assert done == [loop] and clock.calls == []


def test_s036_a_failing_run_ends_the_loop(clock: task.Clock) -> None:
    loop = looping(clock, divmod, 1, 0)
    assert results_of(loop.start(1)) == [ZeroDivisionError]
    assert not loop.running and clock.calls == []
    late: Deferred = Deferred()
    loop = looping(clock, lambda: late)
    done = results_of(loop.start(1))
    late.errback(KeyError())
    assert done == [KeyError] and not loop.running


def test_s036_stopping_and_then_failing_is_a_failure(clock: task.Clock) -> None:
    def work() -> None:
        loop.stop()
        raise KeyError

    loop = looping(clock, work)
    assert results_of(loop.start(1)) == [KeyError]


def test_s036_a_loop_started_again_during_its_last_run_goes_on_once(clock: task.Clock) -> None:
    waiting: list[Deferred] = [Deferred(), Deferred()]
    ran: list[float] = []

    def work() -> Deferred | None:
        ran.append(clock.seconds())
        return waiting.pop() if waiting else None

    loop = looping(clock, work)
    first = waiting[1]
    old = results_of(loop.start(1))
    loop.stop()
    waiting.clear()
    new = results_of(loop.start(1, now=False))
    first.callback(None)
    assert (old, new) == ([loop], [])
    clock.pump([1, 1])
    assert ran == [0, 1, 2] and len(clock.calls) == 1
    loop.stop()
    assert new == [loop]


def test_s089_a_counted_loop_that_is_started_again_counts_from_the_last_run_of_the_start_before(
    clock: task.Clock,
) -> None:
    counts: list[int] = []
    loop = counting(clock, counts.append)
    loop.start(1)
    loop.stop()
    clock.advance(4)
    loop.start(2)
    assert counts == [1, 2]
    loop.stop()
    clock.advance(0.5)
    loop.start(1)  # no interval has passed since
    assert counts == [1, 2]
    clock.advance(1)
    assert counts == [1, 2, 1]


def test_s036_interval_zero_runs_in_every_pass(clock: task.Clock) -> None:
    reactor = Reactor(clock=clock.seconds)
    try:
        ran: list[int] = []
        loop = task.LoopingCall(ran.append, 1)
        loop.clock = reactor
        loop.start(0)
        for expected in (2, 3, 4):
            reactor.runUntilCurrent()
            assert len(ran) == expected
    finally:
        reactor.engine.close()


def test_s089_interval_zero_keeps_advance_busy_until_it_is_stopped(clock: task.Clock) -> None:
    ran: list[int] = []

    def work() -> None:
        ran.append(1)
        if len(ran) == 1000:
            loop.stop()

    loop = looping(clock, work)
    loop.start(0, now=False)
    clock.advance(0)
    assert len(ran) == 1000


def test_s036_with_count_gets_the_ticks_elapsed(clock: task.Clock) -> None:
    counts: list[int] = []
    counting(clock, counts.append).start(1)
    clock.advance(3.5)
    clock.advance(0.5)
    assert counts == [1, 3, 1]


def test_s089_with_count_without_a_first_run(clock: task.Clock) -> None:
    counts: list[int] = []
    loop = counting(clock, counts.append)
    loop.start(1, now=False)
    clock.advance(3.5)
    assert counts == [3]


def test_s089_before_the_first_run_reset_moves_what_is_counted_from(clock: task.Clock) -> None:
    counts: list[int] = []
    loop = counting(clock, counts.append)
    loop.start(1, now=False)
    clock.advance(0.75)
    loop.reset()
    clock.advance(1)
    assert counts == [1]


def test_s036_counts_add_up_and_are_never_zero(clock: task.Clock) -> None:
    counts: list[int] = []
    counting(clock, counts.append).start(0.1, now=False)
    for _ in range(1000):
        clock.advance(0.1)
    clock.advance(0.001)
    assert sum(counts) == 1000 and 0 not in counts


def test_s089_stopping_a_stopped_loop_is_an_error(clock: task.Clock) -> None:
    loop = looping(clock, noted)
    for misuse in (loop.stop, loop.reset):
        with pytest.raises(AssertionError, match="not running"):
            misuse()
    with pytest.raises(ValueError, match="interval must be >= 0"):
        loop.start(-1)
    loop.start(1)
    with pytest.raises(AssertionError, match="already running"):
        loop.start(1)


def test_reset_starts_a_new_grid(clock: task.Clock) -> None:
    ran: list[float] = []
    loop = looping(clock, lambda: ran.append(clock.seconds()))
    loop.start(2, now=False)
    clock.advance(1.5)
    loop.reset()
    clock.pump([1.5, 0.5, 2])
    assert ran == [3.5, 5.5]


def test_a_loop_shows_its_interval_and_its_function(clock: task.Clock) -> None:
    loop = looping(clock, noted, 1, k=2)
    assert repr(loop) == "LoopingCall<None>(noted, *(1,), **{'k': 2})"
    loop.start(3)
    assert repr(loop) == "LoopingCall<3>(noted, *(1,), **{'k': 2})"
    assert repr(looping(clock, clock.advance)) == "LoopingCall<None>(Clock.advance, *(), **{})"


def test_the_attribute_deferred_is_deprecated(clock: task.Clock) -> None:
    loop = looping(clock, noted)
    with pytest.warns(DeprecationWarning, match=r"LoopingCall\.deferred was deprecated") as caught:
        assert loop.deferred is None
    assert caught[0].filename == __file__


def test_the_default_clock_is_the_reactor_that_runs_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    found: list[bool] = []

    def in_a_thread() -> None:
        reactor = Reactor()

        def look() -> None:
            found.append(task.LoopingCall(noted).clock is reactor)
            ran.callback(None)

        ran: Deferred = Deferred()
        ran.addCallback(lambda _: reactor.stop())
        reactor.callLater(0, look)
        reactor.run(installSignalHandlers=False)

    thread = threading.Thread(target=in_a_thread)
    thread.start()
    thread.join(10)
    assert found == [True]


# deferLater


def test_s091_defer_later_gives_the_result_of_the_call(clock: task.Clock) -> None:
    done = results_of(task.deferLater(clock, 3, divmod, 7, 2))
    failed = results_of(task.deferLater(clock, 3, divmod, 1, 0))
    clock.advance(2)
    assert done == []
    clock.advance(1)
    assert (done, failed) == ([(3, 1)], [ZeroDivisionError])


def test_s091_the_callable_may_be_omitted(clock: task.Clock) -> None:
    done = results_of(task.deferLater(clock, 1))
    clock.advance(1)
    assert done == [None]


def test_s091_cancel_removes_the_timer(clock: task.Clock) -> None:
    deferred = task.deferLater(clock, 1, pytest.fail, "called")
    done = results_of(deferred)
    deferred.cancel()
    assert done == [CancelledError] and clock.calls == []


def test_s091_cancel_is_forwarded_to_what_the_callable_returned(clock: task.Clock) -> None:
    inner: Deferred = Deferred()
    deferred = task.deferLater(clock, 1, lambda: inner)
    done = results_of(deferred)
    clock.advance(1)
    assert done == []
    deferred.cancel()
    assert inner.called and done == [CancelledError]


# react


def exit_code(main: Callable[..., Any], *argv: object) -> tuple[Any, Reactor]:
    reactor = Reactor()
    with pytest.raises(SystemExit) as caught:
        task.react(main, argv, reactor)
    return caught.value.code, reactor


async def leave(reactor: Reactor, how: object) -> None:
    await task.deferLater(reactor, 0)
    raise SystemExit(how)


@pytest.mark.parametrize(
    "main, code",
    [
        (lambda reactor: succeed(None), 0),
        (lambda reactor: task.deferLater(reactor, 0), 0),
        (lambda reactor: reactor.callLater(0, reactor.stop) and Deferred(), 0),
        (lambda reactor: fail(SystemExit(23)), 23),
        (lambda reactor: leave(reactor, 4), 4),
        (lambda reactor: leave(reactor, "text"), "text"),
    ],
)
def test_s093_the_exit_code_says_how_it_ended(main: Callable[..., Any], code: object) -> None:
    assert exit_code(main)[0] == code


def test_s093_a_failure_is_reported_and_exits_with_1(reports: list[tuple[str, Failure | None]]) -> None:
    for main in (lambda reactor: fail(KeyError()), lambda reactor: task.deferLater(reactor, 0, divmod, 1, 0)):
        assert exit_code(main)[0] == 1
    assert [text for text, failure in reports] == ["main function encountered error"] * 2
    assert [failure and failure.type for text, failure in reports] == [KeyError, ZeroDivisionError]


def test_s093_a_failure_while_stopping_counts(reports: list[Any]) -> None:
    def main(reactor: Reactor) -> Deferred:
        reactor.callLater(0, reactor.stop)
        finished: Deferred = Deferred()
        reactor.addSystemEventTrigger("during", "shutdown", finished.errback, KeyError())
        return finished

    assert exit_code(main)[0] == 1 and len(reports) == 1


def test_s093_main_gets_the_reactor_and_the_arguments() -> None:
    seen: list[tuple[object, ...]] = []

    async def main(*args: object) -> None:
        seen.append(args)

    code, reactor = exit_code(main, 1, "two")
    assert code == 0 and seen == [(reactor, 1, "two")]


def test_s093_what_is_raised_before_the_reactor_runs_propagates() -> None:
    reactor = Reactor()
    try:
        with pytest.raises(NotACoroutineError):
            task.react(lambda reactor: 5, (), reactor)
        with pytest.raises(ZeroDivisionError):
            task.react(lambda reactor: 1 // 0, (), reactor)
        assert not reactor.running
    finally:
        reactor.engine.close()


def test_react_uses_the_processs_reactor(monkeypatch: pytest.MonkeyPatch) -> None:
    reactor = Reactor()
    monkeypatch.setattr(task, "default", lambda: reactor)
    seen: list[object] = []

    async def main(reactor: object) -> None:
        seen.append(reactor)

    with pytest.raises(SystemExit):
        task.react(main)
    assert seen == [reactor]


# What is left behind


def test_nothing_is_left_behind_in_any_ending(no_leaks: Any) -> None:
    def explode(*args: object) -> None:
        raise KeyError

    def loops() -> None:
        clock = task.Clock()
        for make in (looping, counting):
            for outcome in (noted, explode, lambda *args: succeed(None), lambda *args: fail(KeyError())):
                loop = make(clock, outcome)
                loop.start(1).addErrback(lambda failure: None)
                clock.pump([1, 1])
                if loop.running:
                    loop.stop()
            for stop in (True, False):
                waited: Deferred = Deferred()
                loop = make(clock, lambda *args, waited=waited: waited)
                loop.start(1).addErrback(lambda failure: None)
                if stop:
                    loop.stop()
                    waited.callback(None)
                else:
                    waited.errback(KeyError())
        assert clock.calls == []

    def later() -> None:
        clock = task.Clock()
        task.deferLater(clock, 1, noted)
        task.deferLater(clock, 1, divmod, 1, 0).addErrback(lambda failure: None)
        cancelled = task.deferLater(clock, 1, noted)
        cancelled.addErrback(lambda failure: None)
        cancelled.cancel()
        clock.advance(1)

    for program in (loops, later):
        program()
        with no_leaks():
            for _ in range(20):
                program()


def test_the_module_keeps_the_names_of_the_contract() -> None:
    assert isinstance(task._theCooperator, task.Cooperator)
    assert sys.modules["torsion.task"].Clock().rightNow == 0
