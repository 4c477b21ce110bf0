"""The meter counts exactly, and the watchdog tells what stands still: time, readiness and looks are made by hand."""

import math
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.scripted import Recorder, call_later, scripted_engine

from torsion import report
from torsion.core.histogram import Histogram
from torsion.engine.poll import READ
from torsion.engine.stats import Stats, duration
from torsion.engine.turn import Engine
from torsion.engine.watchdog import Watchdog, seconds
from torsion.failure import Failure


def filled(histogram: dict[float, int]) -> dict[float, int]:
    return {bound: count for bound, count in histogram.items() if count}


def stats(engine: Engine) -> Stats:
    return engine.meter.stats(engine.clock())


class TestHistogram:
    @given(st.lists(st.floats(min_value=0, allow_nan=False)))
    def test_each_duration_is_in_the_lowest_bucket_that_it_fits_in(self, durations: list[float]) -> None:
        histogram = Histogram()
        for each in durations:
            histogram.add(each)
        counts = histogram.counts()
        bounds = list(counts)
        assert bounds == [2.0**power for power in range(-14, 5)] + [math.inf]
        for below, bound in zip([-1.0, *bounds], bounds, strict=False):
            assert counts[bound] == sum(below < each <= bound for each in durations)

    @pytest.mark.parametrize("backwards", [-1.0, -math.inf, math.nan])
    def test_a_clock_that_was_set_back_counts_as_no_time(self, backwards: float) -> None:
        histogram = Histogram()
        histogram.add(backwards)
        assert filled(histogram.counts()) == {2.0**-14: 1}


class TestCounters:
    def test_work_and_waiting_are_told_apart(self) -> None:
        engine, poller, clock = scripted_engine()
        call_later(engine, 0, clock.advance, 2)
        call_later(engine, 10, clock.advance, 0.25)
        engine.watch(5, Recorder(lambda: clock.advance(1)), READ)
        engine.turn(4)  # 2 s of a timer, 4 s of waiting
        poller.batches.append([(5, READ)])
        engine.turn(None)  # 1 s of an event
        assert (stats(engine).busy, stats(engine).idle) == (3, 4)
        engine.turn(3)  # the event was work before this wait, of 3 s
        engine.turn(0)  # the second timer
        assert (stats(engine).busy, stats(engine).idle) == (3.25, 7)
        assert filled(stats(engine).event_lag) == {2.0**-14: 1, 1.0: 1, 2.0: 1, 0.25: 1}

    def test_nothing_is_counted_before_the_first_turn(self) -> None:
        engine, _, clock = scripted_engine()
        clock.advance(100)
        now = stats(engine)
        assert (now.busy, now.idle, now.at_work_for, now.running, now.turns) == (0, 0, 0, None, 0)
        engine.turn(0)
        engine.leave()
        clock.advance(5)
        assert (stats(engine).busy, stats(engine).idle) == (0, 5)

    def test_a_wait_without_a_turn_before_it_is_counted_too(self) -> None:
        engine, poller, clock = scripted_engine()
        engine.calls.put(lambda: None)
        engine.watch(5, Recorder(lambda: clock.advance(1)), READ)
        poller.batches.append([(5, READ)])
        engine.poll(0)
        assert (stats(engine).busy, stats(engine).idle) == (1, 0)
        engine.calls.run_batch()
        engine.poll(3)
        clock.advance(2)
        engine.leave()
        assert (stats(engine).busy, stats(engine).idle) == (3, 3)

    def test_the_lag_of_a_timer_is_from_its_time_to_the_beginning_of_its_pass(self) -> None:
        engine, _, clock = scripted_engine()
        for delay in (0, 1, 1.5):
            call_later(engine, delay, clock.advance, 100)
        clock.advance(2)
        engine.turn(0)
        assert filled(stats(engine).timer_lag) == {2.0: 1, 1.0: 1, 0.5: 1}

    def test_who_hosts_the_loop_waits_for_it(self) -> None:
        engine, _, clock = scripted_engine()
        engine.turn(0)
        assert engine.rest() is None
        clock.advance(7)
        engine.turn(0)
        assert (stats(engine).busy, stats(engine).idle) == (0, 7)

    def test_a_clock_that_is_set_back_takes_nothing_away(self) -> None:
        engine, _, clock = scripted_engine()
        call_later(engine, 0, clock.advance, 2)
        engine.turn(1)
        clock.advance(-1000)
        engine.turn(1)
        assert (stats(engine).busy, stats(engine).idle) == (2, 2)

    def test_what_runs_is_named_while_it_does(self) -> None:
        engine, poller, clock = scripted_engine()
        seen: list[tuple[str | None, float]] = []

        def note() -> None:
            clock.advance(1)
            now = stats(engine)
            seen.append((now.running, now.at_work_for))

        class Named(Recorder):
            def log_prefix(self) -> str:
                return "Echo,3,10.0.0.7"

        engine.calls.put(note)
        call_later(engine, 0, note)
        engine.watch(5, Named(note), READ)
        engine.watch(6, Recorder(note), READ)
        engine.at_rest = note
        poller.batches.append([(5, READ), (6, READ)])
        engine.turn(None)
        name = note.__qualname__
        assert seen == [
            (f"a call from a thread: {name}", 1),
            (f"the timer of {name}", 2),
            (None, 3),
            ("an event of Echo,3,10.0.0.7", 1),
            ("an event of Recorder", 2),
        ]
        engine.leave()
        assert stats(engine).running is None

    def test_a_call_that_turns_the_loop_is_named_again_afterwards(self) -> None:
        engine, _, _ = scripted_engine()
        seen: list[str | None] = []

        def outer() -> None:
            call_later(engine, 0, seen.append, "inner timer")
            engine.calls.put(seen.append, ("inner call",))
            engine.turn(0)
            seen.append(stats(engine).running)

        call_later(engine, 0, outer)
        engine.turn(0)
        assert seen == ["inner call", "inner timer", f"the timer of {outer.__qualname__}"]
        assert (stats(engine).calls, stats(engine).timers, stats(engine).turns) == (1, 2, 2)

    def test_the_text_says_it_all(self) -> None:
        engine, poller, clock = scripted_engine()
        call_later(engine, 0, clock.advance, 3)
        engine.watch(5, Recorder(lambda: clock.advance(0.002)), READ)
        engine.turn(1)
        poller.batches.append([(5, READ)])
        engine.turn(None)
        assert str(stats(engine)).splitlines() == [
            "busy 3 s, idle 1 s (75.0% busy)",
            "now at work for 2 ms: the loop itself",
            "2 turns, 1 events, 0 calls, 1 timers",
            "0 bytes in, 0 bytes out",
            "timers late: 1 by at most 61 µs",
            "events late: 1 by at most 61 µs, 1 by at most 4 s",
        ]

    @pytest.mark.parametrize(
        ("value", "text"), [(0, "0 µs"), (2.0**-14, "61 µs"), (0.0125, "12.5 ms"), (59.96, "60 s"), (86400, "86,400 s")]
    )
    def test_durations_have_three_figures(self, value: float, text: str) -> None:
        assert duration(value) == text


Told = list[tuple[str, dict[str, object]]]


@pytest.fixture
def told() -> Iterator[Told]:
    reports: Told = []

    def sink(level: str, text: str, failure: Failure | None, details: dict[str, object]) -> None:
        assert level == "warning"
        reports.append((text, details))

    before = report.set_sink(sink)
    yield reports
    report.set_sink(before)


class Watched:
    """An engine with a watchdog that looks when it is told, in the loop's own thread."""

    def __init__(self) -> None:
        self.engine, self.poller, self.clock = scripted_engine()
        self.dog = Watchdog(self.engine.meter, 1.0, self.clock)
        self.dog.start()
        self.dog._ended.set()  # its own looks would take real time
        assert self.dog._thread is not None
        self.dog._thread.join()

    def look(self, *after: float) -> None:
        for each in after:
            self.clock.advance(each)
            self.dog.look()


@pytest.fixture
def watched() -> Watched:
    return Watched()


class TestWatchdog:
    def test_a_callback_is_told_once_when_the_limit_is_over_and_again_when_it_has_ended(
        self, watched: Watched, told: Told
    ) -> None:
        def slow() -> None:
            watched.look(0, 0.5, 0.375)
            assert told == []
            watched.look(0.25, 5, 5)
            assert len(told) == 1

        call_later(watched.engine, 0, slow)
        watched.engine.turn(0)
        watched.look(0.25)
        watched.engine.leave()
        watched.look(5, 5)
        assert [details for _, details in told] == [
            {"running": f"the timer of {slow.__qualname__}", "seconds": 1.125},
            {"running": f"the timer of {slow.__qualname__}", "seconds": 11.375},
        ]
        assert "blocked, for 1.12 s up to now, by the timer of" in told[0][0]
        assert "watched.look(0.25, 5, 5)\n" in told[0][0], "the stack of the blocking code"
        assert told[1][0].endswith("blocked it for about 11.4 s")

    @pytest.mark.parametrize("kind", ["calls", "timers", "events"])
    def test_many_callbacks_that_are_short_are_none_that_is_long(self, watched: Watched, told: Told, kind: str) -> None:
        def short() -> None:
            watched.look(0, 0.9)

        for number in range(10):
            if kind == "calls":
                watched.engine.calls.put(short)
            elif kind == "timers":
                call_later(watched.engine, 0, short)
            else:
                watched.engine.watch(number, Recorder(short), READ)
        watched.poller.batches.append([(number, READ) for number in range(10)])
        watched.engine.turn(None)
        assert told == []

    def test_waiting_is_no_blocking(self, watched: Watched, told: Told) -> None:
        watched.poller.asleep = lambda: watched.look(5, 5, 5)
        watched.engine.turn(None)
        watched.engine.leave()
        watched.look(5, 5)
        assert told == []

    def test_two_callbacks_are_told_each(self, watched: Watched, told: Told) -> None:
        for _ in range(2):
            call_later(watched.engine, 0, watched.look, 0, 1, 1)
        watched.engine.turn(0)
        assert ["blocked, for" in text for text, _ in told] == [True, False, True]

    def test_what_ends_while_the_stack_is_taken_is_not_told(self, watched: Watched, told: Told) -> None:
        class Ending:
            """Whose name is asked for, and who ends then."""

            def log_prefix(self) -> str:
                watched.engine.turn(0)
                return "ending"

            def on_ready(self, ready: int) -> None:
                watched.look(0, 2)

        watched.engine.watch(5, Ending(), READ)
        watched.poller.batches.append([(5, READ)])
        watched.engine.turn(0)
        assert told == []


@pytest.mark.parametrize(
    ("limit", "error", "text"),
    [
        (0, ValueError, "limit must be more than 0 seconds and finite, not 0"),
        (-1.5, ValueError, "not -1.5"),
        (math.inf, ValueError, "not inf"),
        (math.nan, ValueError, "not nan"),
        ("1", TypeError, "limit is a number of seconds, not '1'"),
        (True, TypeError, "not True"),
    ],
)
def test_a_limit_that_is_none_is_refused(limit: object, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        seconds(limit)


def test_a_limit_is_a_number_of_seconds() -> None:
    assert [seconds(2), seconds(0.05)] == [2.0, 0.05]
