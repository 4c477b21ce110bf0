"""The timer queue by itself: it neither reads a clock nor knows a reactor."""

import math
import weakref
from typing import Any

import pytest

from torsion.core.delayed import DelayedCall
from torsion.core.timers import TimerQueue


class Scheduled:
    """A queue, a clock that stands still, and what ran."""

    def __init__(self) -> None:
        self.queue = TimerQueue()
        self.now = 0.0
        self.ran: list[Any] = []

    def at(self, when: float, name: Any) -> DelayedCall:
        call = DelayedCall(when, self.ran.append, (name,), {}, self.queue.cancel, self.queue.reset, lambda: self.now)
        self.queue.add(call)
        return call

    def run(self, now: float) -> list[Any]:
        self.now = now
        self.ran.clear()
        assert self.queue.run_due(now) == len(self.ran)
        return list(self.ran)


@pytest.fixture
def scheduled() -> Scheduled:
    return Scheduled()


def test_s032_a_pass_runs_what_is_due_and_says_how_much(scheduled: Scheduled) -> None:
    for when in (3, 1, 2, 4.5):
        scheduled.at(when, when)
    assert scheduled.run(0.5) == []
    assert scheduled.run(3) == [1, 2, 3]
    assert scheduled.run(1e9) == [4.5]


@pytest.mark.parametrize("when", [1 / 16, 0.5, 1.0, 3.0])
def test_s032_what_is_due_at_the_very_end_of_what_was_looked_at_runs_at_its_time(
    scheduled: Scheduled, when: float
) -> None:
    assert scheduled.run(when - 1 / 32) == []
    scheduled.at(when, "at it")
    assert scheduled.run(when) == ["at it"]


def test_s033_equal_times_keep_their_order_among_a_million(scheduled: Scheduled) -> None:
    queue, ran = scheduled.queue, scheduled.ran
    for number in range(1_000_000):
        queue.add(DelayedCall(10 + number % 4, ran.append, (number,), {}, queue.cancel, queue.reset))
    assert queue.next_due() == 10
    assert queue.run_due(20) == 1_000_000
    assert ran == [number for last in range(4) for number in range(last, 1_000_000, 4)]


def test_s033_a_call_that_comes_late_to_its_bucket_finds_its_place(scheduled: Scheduled) -> None:
    for when in (100.01, 100.05, 100.03):
        scheduled.at(when, when)
    assert scheduled.run(100.0) == []
    for when in (100.02, 100.05, 100.04):
        scheduled.at(when, f"late {when}")
    assert scheduled.run(101) == [100.01, "late 100.02", 100.03, "late 100.04", 100.05, "late 100.05"]


def test_s033_one_late_call_among_many_finds_its_place(scheduled: Scheduled) -> None:
    for number in range(40):
        scheduled.at(100.01, number)
    assert scheduled.run(100.0) == []
    scheduled.at(100.01, "equal")
    scheduled.at(100.005, "before")
    assert scheduled.run(101) == ["before", *range(40), "equal"]


@pytest.mark.parametrize("when", [1e15, 1e300, math.inf])
def test_no_time_is_too_far(scheduled: Scheduled, when: float) -> None:
    call = scheduled.at(when, "far")
    scheduled.at(1, "near")
    assert scheduled.queue.next_due() == 1
    assert scheduled.run(1) == ["near"]
    assert scheduled.queue.next_due() == when
    assert scheduled.queue.calls() == [call]
    assert scheduled.run(when) == ["far"]


def test_a_clock_may_go_back_and_start_below_zero(scheduled: Scheduled) -> None:
    scheduled.at(-5, "first")
    scheduled.at(-7.5, "zeroth")
    assert scheduled.queue.next_due() == -7.5
    assert scheduled.run(-5) == ["zeroth", "first"]
    scheduled.at(1000, "far")
    assert scheduled.run(1000) == ["far"]
    scheduled.at(20, "after the clock went back")
    assert scheduled.queue.next_due() == 20
    assert scheduled.run(10) == []
    assert scheduled.run(20) == ["after the clock went back"]


def test_s030_a_call_may_be_moved_back_and_forth(scheduled: Scheduled) -> None:
    call = scheduled.at(100, "moved")
    scheduled.at(60, "other")
    scheduled.queue.next_due()
    for seconds in (50, 10, 5):
        call.reset(seconds)
    assert scheduled.queue.next_due() == 5
    call.reset(200)
    assert scheduled.queue.calls().count(call) == 1
    assert scheduled.run(150) == ["other"]
    assert scheduled.queue.next_due() == 200
    assert scheduled.run(200) == ["moved"]
    assert scheduled.queue.next_due() is None and scheduled.queue.calls() == []


def test_s030_a_call_that_is_put_off_does_not_trouble_the_queue() -> None:
    moved: list[DelayedCall] = []
    call = DelayedCall(10, print, (), {}, moved.append, moved.append, lambda: 0.0)
    call.delay(0.5)
    call.reset(11)
    call.delay(-1)  # where it was
    assert (moved, call.getTime()) == ([], 10)
    call.delay(-0.5)
    assert (moved, call.getTime()) == ([call], 9.5)


def test_s031_what_is_purged_is_only_what_was_cancelled(scheduled: Scheduled) -> None:
    # Of every kind: in a run that has begun, in buckets, moved, and new.
    calls = [scheduled.at(10 + number % 7 / 100, number) for number in range(200)]
    calls += [scheduled.at(20 + number, 1000 + number) for number in range(200)]
    assert scheduled.run(10) == [number for number in range(200) if number % 7 == 0]
    left = [call for call in calls if call.active()]
    for call in left[::3]:
        call.reset(0.5)
    scheduled.at(30, "new").cancel()
    for call in left[1::3] + left[2::6]:
        call.cancel()
    kept = [call for call in left if call.active()]
    assert scheduled.run(10) == []
    assert sorted(map(id, scheduled.queue.calls())) == sorted(map(id, kept))
    assert scheduled.queue.next_due() == min(call.time for call in kept)
    assert sorted(scheduled.run(1e6)) == sorted(number for call in kept for number in call.args)
    assert scheduled.queue.next_due() is None


def test_s034_a_bucket_of_nothing_but_moved_calls_wakes_nobody(scheduled: Scheduled) -> None:
    call = scheduled.at(500, "moved")
    assert scheduled.queue.next_due() == 500
    call.reset(1)
    assert scheduled.queue.next_due() == 1
    assert scheduled.run(1) == ["moved"]
    assert scheduled.queue.next_due() is None


def test_s033_equal_times_keep_their_order_whether_scheduled_far_ahead_or_near(scheduled: Scheduled) -> None:
    for now in (0, 10, 93, 96, 99.9):  # first the whole block waits, then its parts, then the call's own part
        assert scheduled.run(now) == []
        scheduled.at(100, now)
        scheduled.at(99.95, f"before {now}")
    assert scheduled.run(100) == [f"before {now}" for now in (0, 10, 93, 96, 99.9)] + [0, 10, 93, 96, 99.9]


def test_what_is_next_is_known_among_calls_that_are_moved_to_and_fro(scheduled: Scheduled) -> None:
    queue = scheduled.queue
    first, second, third = (scheduled.at(when, when) for when in (1001, 1002, 1003))
    assert queue.next_due() == 1001
    third.reset(1000.5)  # within its block
    assert queue.next_due() == 1000.5
    third.reset(20)  # out of it
    assert queue.next_due() == 20
    assert scheduled.run(20) == [1003]
    assert queue.next_due() == 1001
    first.reset(980.25)
    assert queue.next_due() == 1000.25
    second.reset(950.5)
    assert queue.next_due() == 970.5
    assert scheduled.run(1001) == [1002, 1001]
    assert queue.next_due() is None


def test_s034_many_that_are_cancelled_or_postponed_before_they_are_looked_at_wake_nobody(scheduled: Scheduled) -> None:
    for number in range(3):
        scheduled.at(1000 + number, number).delay(500)
        scheduled.at(1000 + number, "never").cancel()
    looked_at = scheduled.at(1600, "looked at")
    assert scheduled.queue.next_due() == 1500
    scheduled.at(1000, "new").cancel()
    looked_at.cancel()
    assert scheduled.run(1502) == [0, 1, 2]
    assert scheduled.queue.next_due() == 1600
    assert scheduled.run(1600) == []
    assert scheduled.queue.next_due() is None


def test_a_clock_that_leaps_over_many_blocks_runs_all_in_order(scheduled: Scheduled) -> None:
    times = [number * 37 % 1000 + 0.5 for number in range(1000)]
    for when in times:
        scheduled.at(when, when)
    assert scheduled.run(700) == sorted(when for when in times if when <= 700)
    assert scheduled.run(1e9) == sorted(when for when in times if when > 700)


def test_no_bucket_keeps_a_call_that_has_run(scheduled: Scheduled) -> None:
    gone = [weakref.ref(scheduled.at(when, when)) for when in (0.5, 5, 500, 5000)]
    assert scheduled.run(1000) == [0.5, 5, 500]
    assert [ref() is None for ref in gone] == [True, True, True, False]
    for _ in range(100):
        scheduled.at(5000, "cancelled").cancel()
    assert scheduled.run(2000) == []
    assert scheduled.run(5000) == [5000]
    assert gone[3]() is None


def test_no_bucket_keeps_a_call_that_was_moved_and_has_run_when_no_other_is_to_come(scheduled: Scheduled) -> None:
    call = scheduled.at(3600, "moved")
    gone = weakref.ref(call)
    call.reset(1)
    del call
    assert scheduled.run(1) == ["moved"]
    assert gone() is None


def test_s032_what_is_made_due_in_a_pass_runs_in_it_behind_new_calls_of_the_same_time(scheduled: Scheduled) -> None:
    waiting = [scheduled.at(100, f"waiting {number}") for number in range(3)]

    def first() -> None:
        scheduled.at(1, "new").cancel()
        scheduled.at(1, "new")
        for call in waiting[:2]:
            call.reset(0)

    put_off = scheduled.at(0.5, "put off")
    put_off.delay(0.5)
    scheduled.queue.add(DelayedCall(0.25, first, (), {}, scheduled.queue.cancel, scheduled.queue.reset, lambda: 1.0))
    scheduled.now = 1
    scheduled.queue.run_due(1)
    assert sorted(scheduled.ran) == ["put off", "waiting 0", "waiting 1"]
    assert scheduled.run(1) == ["new"]
    assert scheduled.run(100) == ["waiting 2"]
    assert scheduled.queue.next_due() is None


def test_a_call_has_room_for_what_a_program_notes_on_it(scheduled: Scheduled) -> None:
    call = scheduled.at(1, "noted")
    call.note = "mine"  # type: ignore[attr-defined]
    assert call.__dict__ == {"note": "mine"}
    assert call.creator is None
