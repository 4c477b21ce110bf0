"""Delayed calls, on the real reactor under a virtual clock (semantics 29-34, 85, 92)."""

import gc
import math
import time
import weakref
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from torsion import error, report
from torsion.contract import Reactor
from torsion.core.delayed import DelayedCall, describe_call
from torsion.core.timers import TimerQueue
from torsion.failure import Failure
from torsion.task import Clock


def noted(*args: object, **kw: object) -> None:
    """A function with a name."""


@pytest.fixture
def reports() -> Iterator[list[tuple[str, str, Failure | None]]]:
    found: list[tuple[str, str, Failure | None]] = []
    report.set_sink(lambda level, text, failure, details: found.append((level, text, failure)))
    yield found
    report.set_sink(None)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def reactor(clock: Clock) -> Iterator[Reactor]:
    reactor = Reactor(clock=clock.seconds)
    yield reactor
    reactor.engine.close()


def run_pass(reactor: Reactor, clock: Clock, later: float = 0) -> None:
    clock.rightNow += later
    reactor.runUntilCurrent()


def detached(when: float = 12, func: Any = noted, *args: object, **kw: object) -> DelayedCall:
    """A call that no queue knows."""
    return DelayedCall(when, func, args, kw, noted, noted, lambda: 1.5)


def test_s029_seconds_is_the_wall_clock() -> None:
    reactor = Reactor()
    try:
        before = time.time()
        assert before <= reactor.seconds() <= time.time()
    finally:
        reactor.engine.close()


def test_s029_seconds_is_looked_up_when_it_is_needed(reactor: Reactor) -> None:
    reactor.seconds = lambda: 100.0
    call = reactor.callLater(5, noted)
    assert call.getTime() == 105
    assert call.seconds() == 100


def test_s029_a_call_knows_its_time_and_whom_to_tell(reactor: Reactor, clock: Clock) -> None:
    clock.advance(1)
    call = reactor.callLater(2, noted, 3, key=4)
    assert (call.time, call.delayed_time, call.func, call.args, call.kw) == (3, 0, noted, (3,), {"key": 4})
    assert callable(call.canceller) and callable(call.resetter)
    assert not call.called and not call.cancelled and call.active()


@pytest.mark.parametrize("delay", [-1, -1e-9, math.nan])
def test_s029_a_delay_below_zero_or_not_a_number_is_refused(reactor: Reactor, delay: float) -> None:
    with pytest.raises(AssertionError):
        reactor.callLater(delay, noted)
    assert reactor.getDelayedCalls() == []


def test_s029_what_cannot_be_called_is_reported_when_due(reactor: Reactor, clock: Clock, reports: list[Any]) -> None:
    reactor.callLater(0, None)  # type: ignore[arg-type]
    assert reports == []
    run_pass(reactor, clock)
    [(level, text, failure)] = reports
    assert level == "error" and "None()" in text and failure.check(TypeError)


def test_s030_a_later_time_is_only_noted(reactor: Reactor, clock: Clock) -> None:
    ran: list[float] = []
    call = reactor.callLater(2, lambda: ran.append(clock.seconds()))
    run_pass(reactor, clock, 1)
    call.reset(3)
    assert (call.time, call.delayed_time, call.getTime()) == (2, 2, 4)
    call.delay(1)
    assert (call.time, call.delayed_time, call.getTime()) == (2, 3, 5)
    run_pass(reactor, clock, 1)
    assert (ran, call.time, call.delayed_time) == ([], 5, 0)
    run_pass(reactor, clock, 3)
    assert ran == [5]


def test_s030_an_earlier_time_counts_at_once(reactor: Reactor, clock: Clock) -> None:
    ran: list[str] = []
    call = reactor.callLater(10, ran.append, "moved")
    reactor.callLater(5, ran.append, "other")
    run_pass(reactor, clock)
    call.reset(1)
    assert (call.time, call.delayed_time, call.getTime(), reactor.timeout()) == (1, 0, 1, 1)
    run_pass(reactor, clock, 1)
    assert ran == ["moved"]
    run_pass(reactor, clock, 100)
    assert ran == ["moved", "other"]
    assert reactor.timeout() is None


def test_s030_delay_may_be_negative(reactor: Reactor, clock: Clock) -> None:
    ran: list[int] = []
    call = reactor.callLater(10, ran.append, 1)
    call.delay(5)
    call.delay(-3)
    assert (call.time, call.delayed_time, call.getTime()) == (10, 2, 12)
    call.delay(-6)
    assert (call.time, call.delayed_time, call.getTime()) == (6, 0, 6)
    run_pass(reactor, clock, 6)
    assert ran == [1]


def test_s030_the_resetter_is_told_of_earlier_times_only() -> None:
    told: list[object] = []
    call = DelayedCall(10, noted, (), {}, noted, told.append, lambda: 0)
    call.reset(12)
    call.delay(1)
    assert told == []
    call.reset(3)
    call.delay(-1)
    assert told == [call, call] and call.time == 2


def test_s031_cancel_marks_the_call_and_drops_what_it_held(reactor: Reactor, clock: Clock) -> None:
    class Held:
        def __call__(self) -> None:
            raise AssertionError

    held, argument, keyword = Held(), Held(), Held()
    gone = [weakref.ref(each) for each in (held, argument, keyword)]
    call = reactor.callLater(1, held, argument, keyword=keyword)
    del held, argument, keyword
    call.cancel()
    assert call.cancelled and not call.called and not call.active()
    assert [ref() for ref in gone] == [None, None, None]
    run_pass(reactor, clock, 2)


@pytest.mark.parametrize("method, args", [("cancel", ()), ("reset", (1,)), ("delay", (1,))])
def test_s031_a_call_that_is_over_raises(reactor: Reactor, clock: Clock, method: str, args: tuple[Any, ...]) -> None:
    inside: list[type] = []

    def from_inside() -> None:
        with pytest.raises(error.AlreadyCalled) as caught:
            getattr(called, method)(*args)
        inside.append(caught.type)

    called, cancelled = reactor.callLater(1, from_inside), reactor.callLater(1, noted)
    cancelled.cancel()
    run_pass(reactor, clock, 1)
    assert inside == [error.AlreadyCalled]
    with pytest.raises(error.AlreadyCalled):
        getattr(called, method)(*args)
    with pytest.raises(error.AlreadyCancelled):
        getattr(cancelled, method)(*args)
    assert issubclass(error.AlreadyCalled, ValueError) and issubclass(error.AlreadyCancelled, ValueError)


def test_s031_function_and_arguments_are_kept_after_the_call(reactor: Reactor, clock: Clock) -> None:
    call = reactor.callLater(1, noted, 2, key=3)
    run_pass(reactor, clock, 1)
    assert (call.called, call.func, call.args, call.kw) == (1, noted, (2,), {"key": 3})


def test_s031_many_cancelled_calls_are_purged(reactor: Reactor, clock: Clock) -> None:
    calls = [reactor.callLater(10 + n, noted) for n in range(100)]
    reactor.timeout()
    for call in calls[:50]:
        call.cancel()
    run_pass(reactor, clock)
    assert reactor.timeout() == 10  # fifty are not more than fifty
    calls[50].cancel()
    run_pass(reactor, clock)
    assert reactor.timeout() == 10 + 51


def test_s031_fewer_than_half_cancelled_are_not_purged(reactor: Reactor, clock: Clock) -> None:
    calls = [reactor.callLater(10 + n, noted) for n in range(200)]
    reactor.timeout()
    for call in calls[:100]:
        call.cancel()
    run_pass(reactor, clock)
    assert reactor.timeout() == 10
    calls[100].cancel()
    run_pass(reactor, clock)
    assert reactor.timeout() == 10 + 101


def test_s031_cancelled_calls_whose_time_came_up_no_longer_count(reactor: Reactor, clock: Clock) -> None:
    calls = [reactor.callLater(1, noted) for _ in range(50)] + [reactor.callLater(10 + n, noted) for n in range(60)]
    reactor.timeout()
    for call in calls[:50]:
        call.cancel()
    run_pass(reactor, clock, 5)
    for call in calls[50:90]:
        call.cancel()
    run_pass(reactor, clock)
    assert reactor.timeout() == 5  # forty are not more than fifty


def test_s031_after_a_purge_it_is_counted_anew(reactor: Reactor, clock: Clock) -> None:
    calls = [reactor.callLater(10 + n, noted) for n in range(100)]
    reactor.timeout()
    for call in calls[:60]:
        call.cancel()
    run_pass(reactor, clock)
    assert reactor.timeout() == 10 + 60
    for call in calls[60:90]:
        call.cancel()
    run_pass(reactor, clock)
    assert reactor.timeout() == 10 + 60  # thirty are not more than fifty


def test_s092_delayed_calls_are_those_still_to_come(reactor: Reactor, clock: Clock) -> None:
    listed: list[list[DelayedCall]] = []
    running = reactor.callLater(1, lambda: listed.append(reactor.getDelayedCalls()))
    waiting, cancelled, moved = (reactor.callLater(n, noted) for n in (5, 6, 7))
    run_pass(reactor, clock)
    cancelled.cancel()
    moved.reset(2)
    new = reactor.callLater(1, noted)
    new_cancelled = reactor.callLater(1, noted)
    new_cancelled.cancel()
    assert sorted(reactor.getDelayedCalls(), key=id) == sorted([running, waiting, moved, new], key=id)
    run_pass(reactor, clock, 1)
    assert sorted(listed[0], key=id) == sorted([waiting, moved, new], key=id)
    assert sorted(reactor.getDelayedCalls(), key=id) == sorted([waiting, moved], key=id)


def test_s092_pending_calls_stay_listed_after_stop(reactor: Reactor, clock: Clock) -> None:
    reactor.callLater(0, reactor.stop)
    pending = reactor.callLater(5, noted)
    reactor.run(installSignalHandlers=False)
    assert reactor.getDelayedCalls() == [pending]


def test_s032_called_is_set_before_the_call(reactor: Reactor, clock: Clock) -> None:
    seen: list[tuple[int, bool]] = []
    call = reactor.callLater(0, lambda: seen.append((call.called, call.active())))
    run_pass(reactor, clock)
    assert seen == [(1, False)]


def test_s032_what_a_pass_schedules_waits_for_the_next(reactor: Reactor, clock: Clock) -> None:
    ran: list[int] = []

    def again(n: int) -> None:
        ran.append(n)
        reactor.callLater(0, again, n + 1)

    reactor.callLater(0, again, 0)
    for expected in ([0], [0, 1], [0, 1, 2]):
        run_pass(reactor, clock, 1)
        assert ran == expected


def test_s032_one_now_holds_for_the_whole_pass(reactor: Reactor, clock: Clock) -> None:
    ran: list[str] = []

    def long() -> None:
        ran.append("long")
        clock.rightNow += 5

    reactor.callLater(1, long)
    reactor.callLater(2, ran.append, "later")
    run_pass(reactor, clock, 1)
    assert ran == ["long"]
    run_pass(reactor, clock)
    assert ran == ["long", "later"]


def test_s032_a_waiting_call_made_due_in_a_pass_runs_in_it(reactor: Reactor, clock: Clock) -> None:
    ran: list[str] = []
    far, farther = reactor.callLater(50, ran.append, "reset"), reactor.callLater(60, ran.append, "delayed")
    run_pass(reactor, clock)
    reactor.callLater(1, far.reset, 0)
    reactor.callLater(1, farther.delay, -60)
    run_pass(reactor, clock, 1)
    assert sorted(ran) == ["delayed", "reset"]


def test_s032_a_new_call_reset_to_now_still_waits(reactor: Reactor, clock: Clock) -> None:
    ran: list[str] = []
    reactor.callLater(1, lambda: reactor.callLater(9, ran.append, "new").reset(0))
    run_pass(reactor, clock, 1)
    assert ran == []
    run_pass(reactor, clock)
    assert ran == ["new"]


def test_s032_a_due_call_cancelled_in_the_pass_does_not_run(reactor: Reactor, clock: Clock) -> None:
    ran: list[str] = []
    reactor.callLater(1, lambda: victim.cancel())
    victim = reactor.callLater(1, ran.append, "victim")
    reactor.callLater(1, ran.append, "other")
    run_pass(reactor, clock, 1)
    assert ran == ["other"]


@pytest.mark.parametrize("count", [2, 3, 1000])
@pytest.mark.parametrize("delay", [0, 0.001, 7, 1e6])
def test_s033_equal_times_run_in_the_order_of_scheduling(
    reactor: Reactor, clock: Clock, count: int, delay: float
) -> None:
    ran: list[int] = []
    for n in range(count):
        reactor.callLater(delay, ran.append, n)
        if n % 3 == 0:
            reactor.timeout()
    run_pass(reactor, clock, delay)
    assert ran == list(range(count))


def test_s034_the_timeout_is_the_time_to_the_earliest_call(reactor: Reactor, clock: Clock) -> None:
    assert reactor.timeout() is None
    reactor.callLater(30, noted)
    assert reactor.timeout() == 30
    reactor.callLater(7, noted)
    assert reactor.timeout() == 7
    clock.advance(8)
    assert reactor.timeout() == 0


@pytest.mark.parametrize("delay", [1e10, math.inf])
def test_s034_the_timeout_is_capped(reactor: Reactor, delay: float) -> None:
    reactor.callLater(delay, noted)
    assert reactor.timeout() == 2147483


def test_s034_cancelled_and_postponed_calls_bound_the_sleep(reactor: Reactor, clock: Clock) -> None:
    cancelled, postponed = reactor.callLater(5, noted), reactor.callLater(10, noted)
    assert reactor.timeout() == 5
    postponed.delay(20)
    cancelled.cancel()
    assert reactor.timeout() == 5
    run_pass(reactor, clock, 5)
    assert reactor.timeout() == 5
    run_pass(reactor, clock, 5)
    assert reactor.timeout() == 20


@pytest.mark.parametrize("delay", [0, 50])
def test_s034_a_call_cancelled_before_it_was_seen_does_not_bound_the_sleep(reactor: Reactor, delay: float) -> None:
    reactor.callLater(delay, int).cancel()
    assert reactor.timeout() is None
    reactor.callLater(delay, int)
    reactor.callLater(60, int)
    assert reactor.timeout() == delay


def test_s034_a_call_postponed_before_it_was_seen_bounds_the_sleep_by_its_new_time(reactor: Reactor) -> None:
    reactor.callLater(40, int).delay(20)
    reactor.callLater(0, int).reset(70)
    assert reactor.timeout() == 60


def test_s034_thread_calls_come_before_timers(reactor: Reactor, clock: Clock) -> None:
    ran: list[str] = []
    reactor.callLater(0, ran.append, "timer")
    reactor.callFromThread(ran.append, "from thread")
    run_pass(reactor, clock)
    assert ran == ["from thread", "timer"]


@pytest.mark.parametrize("raised", [ValueError("v"), KeyboardInterrupt(), SystemExit(3), GeneratorExit()])
def test_s043_whatever_a_call_raises_is_reported_by_name_and_the_pass_goes_on(
    reactor: Reactor, clock: Clock, reports: list[Any], raised: BaseException
) -> None:
    ran: list[int] = []

    def explode(*args: object, **kw: object) -> None:
        raise raised

    reactor.callLater(1, explode, 4, key="k")
    reactor.callLater(1, ran.append, 1)
    run_pass(reactor, clock, 1)
    assert ran == [1]
    [(level, text, failure)] = reports
    assert level == "error" and failure.value is raised
    assert "explode(4, key='k')" in text


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit])
def test_s043_a_call_that_cannot_be_described_is_reported_all_the_same(kind: type[BaseException]) -> None:
    class Indescribable:
        def __call__(self) -> None:
            raise OSError("the error of the call")

        def __repr__(self) -> str:
            raise kind

        def __getattr__(self, name: str) -> object:
            raise kind

    assert describe_call(Indescribable(), (Indescribable(),), {}).count(f"whose repr raised {kind.__name__}") == 2


def test_s043_a_report_says_where_the_call_was_scheduled_when_that_is_known(
    reactor: Reactor, clock: Clock, reports: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DelayedCall, "debug", True)
    reactor.callLater(0, divmod, 1, 0)
    run_pass(reactor, clock)
    assert "reactor.callLater(0, divmod, 1, 0)" in reports[0][1]


def test_s085_a_call_shows_its_time_its_state_and_what_it_calls() -> None:
    call = detached(12, noted, 1, k=2)
    assert str(call) == f"<DelayedCall {id(call):#x} [10.5s] called=0 cancelled=0 noted(1, k=2)>"
    assert repr(call) == str(call)
    call.called = 1
    assert " called=1 cancelled=0 noted(1, k=2)>" in repr(call)


@pytest.mark.parametrize(
    "func, name",
    [
        (Clock().advance, "Clock.advance"),
        (Clock, "Clock"),
        (print, "print"),
        (None, "None"),
        (partial(print, 1), "functools.partial(<built-in function print>, 1)"),
    ],
)
def test_s085_a_function_is_shown_by_its_qualified_name_else_by_its_repr(func: Any, name: str) -> None:
    assert repr(detached(2, func, "s")).endswith(f" called=0 cancelled=0 {name}('s')>")


def test_s085_a_cancelled_call_has_nothing_left_to_show() -> None:
    call = detached()
    call.cancel()
    assert repr(call) == f"<DelayedCall {id(call):#x} [10.5s] called=0 cancelled=1>"


def test_s085_an_argument_whose_repr_fails_does_no_harm() -> None:
    class Broken:
        def __repr__(self) -> str:
            raise RuntimeError

    assert "Broken" in repr(detached(1, noted, Broken()))


def test_s085_with_debug_a_call_shows_where_it_was_scheduled(reactor: Reactor, monkeypatch: pytest.MonkeyPatch) -> None:
    before = reactor.callLater(1, noted)
    monkeypatch.setattr(DelayedCall, "debug", True)
    call = reactor.callLater(1, noted, 3)
    monkeypatch.setattr(DelayedCall, "debug", False)
    head, stack = repr(call).split("\n\ntraceback at creation: \n\n")
    assert head.endswith("called=0 cancelled=0 noted(3)")
    assert stack.endswith("call = reactor.callLater(1, noted, 3)\n>")
    assert "traceback at creation" not in repr(before)
    call.cancel()
    assert "cancelled=1 noted(3)\n\ntraceback at creation" in repr(call)


def test_calls_compare_by_time_and_are_equal_only_to_themselves() -> None:
    zero, one, other = detached(0), detached(1), detached(1)
    assert zero < one and zero <= one and one > zero and one >= zero
    assert not one < zero and not one < other and not one > other
    assert one <= other and one >= other
    assert one == one and one != other
    assert len({zero, one, other}) == 3
    with pytest.raises(TypeError):
        assert zero < 3  # type: ignore[operator]


def test_a_call_takes_attributes_and_weak_references() -> None:
    call: Any = detached()
    call.debug = 1
    call.mine = 2
    assert (call.debug, call.mine, DelayedCall.debug) == (1, 2, False)
    assert weakref.ref(call)() is call


def test_a_pass_within_a_pass_runs_what_is_left_once(reactor: Reactor, clock: Clock) -> None:
    ran: list[int] = []

    def nested(n: int) -> None:
        ran.append(n)
        reactor.runUntilCurrent()

    for n in range(5):
        reactor.callLater(1, nested, n)
    run_pass(reactor, clock, 1)
    assert ran == [0, 1, 2, 3, 4]


def test_nothing_is_left_behind_by_calls_in_any_ending(no_leaks: Any) -> None:
    def explode() -> None:
        raise ValueError

    def program() -> None:
        now = 0.0
        queue = TimerQueue()
        calls = []
        for n in range(300):
            call = DelayedCall(n % 7, noted, (), {}, queue.cancel, queue.reset, lambda: now)
            queue.add(call)
            calls.append(call)
            if n % 50 == 0:
                queue.next_due()
        for call in calls[::4]:
            call.cancel()
        for call in calls[1::4]:
            call.reset(0)
        for call in calls[2::4]:
            call.func = explode
        for passed in range(10):
            queue.run_due(passed)
        assert queue.calls() == [] and queue.next_due() is None

    report.set_sink(lambda level, text, failure, details: None)
    try:
        program()
        with no_leaks():
            program()
    finally:
        report.set_sink(None)


def test_what_a_call_held_goes_with_the_call(reactor: Reactor, clock: Clock) -> None:
    class Held:
        def __call__(self) -> None:
            pass

    held = Held()
    gone = weakref.ref(held)
    reactor.callLater(1, held)
    del held
    gc.disable()
    try:
        run_pass(reactor, clock, 1)
        assert gone() is None
    finally:
        gc.enable()


def test_a_reactor_that_is_dropped_with_cancelled_calls_in_its_queue_is_no_cycle(no_leaks: Any) -> None:
    def use() -> None:
        reactor = Reactor()
        calls = [reactor.callLater(delay, print) for delay in (0.5, 5, 5000)]
        reactor.iterate(0)
        for call in calls:
            call.cancel()
        reactor.close()

    use()
    with no_leaks():
        use()
