"""One turn of the loop, mostly with time and readiness made by hand; where the kernel matters, with the real thing."""

import select
import socket
import threading
from collections.abc import Callable

import pytest
from tests.unit.scripted import CountingWaker, Recorder, ScriptedPoller, VirtualClock, call_later, scripted_engine

from torsion import report
from torsion.engine.poll import READ, WRITE, choose
from torsion.engine.turn import Engine

Pair = tuple[socket.socket, socket.socket]


class TestOrder:
    def test_s034_a_turn_runs_calls_then_timers_then_a_pending_shutdown_then_io(self) -> None:
        engine, poller, _ = scripted_engine()
        ran: list[str] = []
        engine.watch(5, Recorder(lambda: ran.append("event")), READ)
        poller.batches.append([(5, READ)])
        engine.at_rest = lambda: ran.append("shutdown")
        call_later(engine, 0, ran.append, "timer")
        engine.calls.put(ran.append, ("call",), {})
        engine.turn(None)
        assert ran == ["call", "timer", "shutdown", "event"]

    def test_s032_what_a_timer_schedules_for_now_runs_after_the_next_wait(self) -> None:
        engine, poller, _ = scripted_engine()
        ran: list[str] = []
        poller.asleep = lambda: ran.append("wait")
        call_later(engine, 0, lambda: call_later(engine, 0, ran.append, "second"))
        engine.turn(None)
        assert ran == ["wait"]
        engine.turn(None)
        assert ran == ["wait", "second", "wait"]

    def test_s032_one_time_is_read_for_a_pass(self) -> None:
        engine, _, clock = scripted_engine()
        ran: list[str] = []
        call_later(engine, 0, clock.advance, 10)
        call_later(engine, 5, ran.append, "due only after that reading")
        engine.run_current()
        assert ran == []
        engine.run_current()
        assert ran == ["due only after that reading"]

    def test_s046_what_a_call_puts_runs_in_the_next_turn_without_a_sleep_before(self) -> None:
        engine, poller, _ = scripted_engine()
        ran: list[str] = []
        engine.calls.put(lambda: engine.calls.put(ran.append, ("second",), {}), (), {})
        engine.turn(None)
        assert (ran, poller.waits) == ([], [0])
        engine.turn(None)
        assert (ran, poller.waits) == (["second"], [0, None])

    def test_s038_a_pending_shutdown_runs_once_and_may_ask_for_another(self) -> None:
        engine, _, _ = scripted_engine()
        ran: list[str] = []

        def again() -> None:
            assert engine.at_rest is None
            ran.append("first")
            engine.at_rest = lambda: ran.append("second")

        engine.at_rest = again
        engine.turn(0)
        assert ran == ["first"]
        engine.turn(0)
        engine.turn(0)
        assert ran == ["first", "second"]

    def test_s038_a_call_that_stops_still_lets_the_timers_of_its_pass_run(self) -> None:
        engine, _, _ = scripted_engine()
        ran: list[str] = []

        def stop() -> None:
            engine.stopping = True
            engine.at_rest = lambda: ran.append("shutdown")
            call_later(engine, 0, ran.append, "timer")

        engine.calls.put(stop, (), {})
        engine.turn(None)
        assert ran == ["timer", "shutdown"]

    def test_s038_after_the_shutdown_io_is_polled_once_more_without_waiting(self) -> None:
        engine, poller, _ = scripted_engine()
        late = Recorder()

        def shutdown() -> None:
            engine.stopping = True
            engine.watch(7, late, READ)

        engine.at_rest = shutdown
        poller.batches.append([(7, READ)])
        engine.turn(None)
        assert poller.waits == [0]
        assert late.told == [READ]


class TestPatience:
    def test_s034_without_timers_it_is_what_is_asked_for(self) -> None:
        engine, _, _ = scripted_engine()
        assert engine.patience(None) is None
        assert engine.patience(3) == 3
        assert engine.patience(-1) == 0

    def test_s034_the_next_timer_bounds_it(self) -> None:
        engine, _, clock = scripted_engine()
        call_later(engine, 2, lambda: None)
        assert engine.next_due() == clock() + 2
        assert engine.patience(None) == 2
        assert engine.patience(1.5) == 1.5
        assert engine.patience(9) == 2
        clock.advance(5)
        assert engine.patience(None) == 0

    def test_s034_it_is_capped_at_what_milliseconds_in_31_bits_hold(self) -> None:
        engine, _, _ = scripted_engine()
        call_later(engine, 10_000_000, lambda: None)
        assert engine.patience(None) == 2147483
        assert engine.patience(1e300) == 2147483

    def test_s034_a_cancelled_timer_still_bounds_it(self) -> None:
        engine, _, _ = scripted_engine()
        call = call_later(engine, 2, lambda: None)
        engine.turn(0)
        call.cancel()
        assert engine.patience(None) == 2

    def test_s034_a_postponed_timer_still_bounds_it(self) -> None:
        engine, _, _ = scripted_engine()
        call = call_later(engine, 2, lambda: None)
        engine.turn(0)
        call.delay(5)
        assert engine.patience(None) == 2

    def test_there_is_none_while_there_is_something_to_do(self) -> None:
        engine, _, _ = scripted_engine()
        engine.calls.put(lambda: None, (), {})
        assert engine.patience(None) == 0
        engine.run_current()
        assert engine.patience(None) is None
        engine.at_rest = lambda: None
        assert engine.patience(None) == 0
        engine.run_current()
        engine.stopping = True
        assert engine.patience(None) == 0

    def test_a_wait_of_the_contract_also_ends_with_the_next_timer(self) -> None:
        engine, poller, _ = scripted_engine()
        call_later(engine, 2, lambda: None)
        engine.poll(60)
        assert poller.waits == [2]

    def test_the_clock_can_be_replaced(self) -> None:
        engine, _, _ = scripted_engine()
        call_later(engine, 2, lambda: None)
        engine.clock = lambda: 1001.5
        assert engine.patience(None) == 0.5


class TestWake:
    """Written only when it is needed, and never lost."""

    @pytest.fixture
    def parts(self) -> tuple[Engine, ScriptedPoller, CountingWaker]:
        engine, poller, _ = scripted_engine()
        waker = engine.waker
        assert isinstance(waker, CountingWaker)
        return engine, poller, waker

    Parts = tuple[Engine, ScriptedPoller, CountingWaker]

    def test_s047_nothing_is_written_while_the_loop_is_busy(self, parts: Parts) -> None:
        engine, _, waker = parts
        engine.wake()
        engine.calls.put(engine.wake, (), {})
        call_later(engine, 0, engine.wake)
        engine.turn(0)
        engine.wake()
        assert waker.wakes == 0

    def test_s047_the_first_wake_of_a_sleep_is_written_and_no_other(self, parts: Parts) -> None:
        engine, poller, waker = parts
        poller.asleep = lambda: [engine.wake() for _ in range(5)]
        engine.turn(None)
        assert waker.wakes == 1
        engine.turn(None)
        assert waker.wakes == 2

    def test_a_wake_that_comes_when_the_patience_is_already_known_is_written(self, parts: Parts) -> None:
        """The hole between the decision to sleep and the sleep."""
        engine, _, waker = parts
        ran: list[str] = []
        call_later(engine, 5, lambda: None)
        readings: list[float] = []

        def clock() -> float:
            readings.append(1000.0)
            if len(readings) == 2:  # patience has looked at the calls and reads the clock for the timer
                engine.calls.put(ran.append, ("in time",), {})
                engine.wake()
            return 1000.0

        engine.turn(0)
        engine.clock = clock
        engine.turn(None)
        assert waker.wakes == 1
        engine.turn(0)
        assert ran == ["in time"]

    def test_a_thread_that_is_held_up_while_it_wakes_takes_no_later_wake_away(self, parts: Parts) -> None:
        """Its write comes when the loop has long gone round and sleeps again."""
        engine, poller, waker = parts
        writing, go_on = threading.Event(), threading.Event()
        write = waker.wake

        def held_up() -> None:
            waker.wake = write  # type: ignore[method-assign]
            writing.set()
            go_on.wait(10)
            write()

        waker.wake = held_up  # type: ignore[method-assign]
        thread = threading.Thread(target=engine.wake)

        def first_sleep() -> None:
            thread.start()
            writing.wait(10)

        def second_sleep() -> None:
            go_on.set()
            thread.join(10)
            assert waker.wakes == 1
            engine.wake()
            assert waker.wakes == 2

        for poller.asleep in (first_sleep, second_sleep):
            engine.turn(None)

    def test_a_call_that_comes_before_patience_is_asked_needs_no_wake(self, parts: Parts) -> None:
        engine, poller, waker = parts
        call_later(engine, 0, lambda: (engine.calls.put(lambda: None, (), {}), engine.wake()))
        engine.turn(None)
        assert poller.waits == [0]
        assert waker.wakes == 0

    def test_who_turns_the_loop_while_it_sends_before_a_sleep_keeps_nobody_from_ending_that(self, parts: Parts) -> None:
        engine, poller, waker = parts

        class Sender:
            turned = False

            def flush(self) -> None:
                if not self.turned:
                    self.turned = True
                    engine.turn(0)
                    poller.asleep = engine.wake

        engine.flush_later(Sender())
        engine.turn(None)
        assert poller.waits == [0, None]
        assert waker.wakes == 1

    def test_every_wake_is_written_when_somebody_else_may_wait_for_us(self, parts: Parts) -> None:
        engine, _, waker = parts
        engine.overridden = True
        for _ in range(3):
            engine.wake()
        assert waker.wakes == 3

    def test_s047_the_waker_is_drained_by_the_loop(self, engine: Engine) -> None:
        engine.overridden = True
        engine.wake()
        engine.turn(None)
        assert engine.poller.wait(0) == []

    def test_s046_a_thread_that_hands_over_one_call_at_a_time_is_always_heard(self, engine: Engine) -> None:
        """Each call is put when the loop is about to sleep or asleep; a lost wake would hang this test."""
        served = threading.Event()
        rounds = 2000

        def ping() -> None:
            for _ in range(rounds):
                engine.calls.put(served.set, (), {})
                engine.wake()
                assert served.wait(20)
                served.clear()
            engine.calls.put(setattr, (engine, "stopping", True), {})
            engine.wake()

        thread = threading.Thread(target=ping)
        thread.start()
        while not engine.stopping:
            engine.turn(None)
        thread.join(10)
        assert engine.meter.calls == rounds + 1

    def test_s046_calls_from_many_threads_all_arrive(self, engine: Engine) -> None:
        left = [4 * 1000]

        def one_less() -> None:
            left[0] -= 1
            engine.stopping = not left[0]  # or the turn would sleep on it

        def put() -> None:
            for _ in range(1000):
                engine.calls.put(one_less, (), {})
                engine.wake()

        threads = [threading.Thread(target=put) for _ in range(4)]
        for thread in threads:
            thread.start()
        while left[0]:
            engine.turn(None)
        for thread in threads:
            thread.join(10)


class TestCalls:
    def test_s029_call_later_counts_from_the_clock_of_that_moment(self) -> None:
        engine, _, clock = scripted_engine()
        clock.advance(7)
        call = engine.call_later(2, int, ("1",), {"base": 3})
        assert (call.getTime() - clock(), call.func, call.args, call.kw) == (2, int, ("1",), {"base": 3})
        engine.clock = lambda: 100
        assert engine.call_later(2, int, (), {}).getTime() == 102

    def test_who_asks_is_told_of_each_call(self) -> None:
        engine, _, _ = scripted_engine()
        told: list[object] = []
        engine.scheduled = told.append
        assert told == [engine.call_later(2, int, (), {})]

    def test_s030_a_call_that_is_to_be_sooner_tells_what_stood_there_when_it_was_made(self) -> None:
        engine, _, clock = scripted_engine()
        own, told = engine.sooner, []
        engine.sooner = told.append
        call = engine.call_later(10, int, (), {})
        engine.sooner = own
        other = engine.call_later(10, int, (), {})
        call.reset(1)
        assert told == [call]
        assert engine.next_due() == clock() + 10
        other.reset(2)
        assert engine.next_due() == clock() + 2

    def test_the_alarm_rings_when_a_call_comes_or_is_to_be_sooner_until_the_engine_is_closed(self) -> None:
        engine, _, _ = scripted_engine()
        rung: list[object] = []
        engine.timers.alarm = lambda: rung.append(engine.next_due())
        call = engine.call_later(10, int, (), {})
        engine.call_later(20, int, (), {}).cancel()
        first = call.getTime()
        assert rung == [first, first]
        call.reset(30)
        assert len(rung) == 2
        call.reset(1)
        assert rung[2:] == [call.getTime()]
        engine.close()
        assert engine.timers.alarm is None

    @pytest.mark.parametrize("kwargs", [{}, {"key": 1}])
    def test_s046_what_is_handed_over_runs_in_the_next_turn_and_wakes_a_loop_that_sleeps(
        self, kwargs: dict[str, object]
    ) -> None:
        engine, poller, _ = scripted_engine()
        waker = engine.waker
        assert isinstance(waker, CountingWaker)
        ran: list[object] = []

        def call(*args: object, **kwargs: object) -> None:
            ran.append((args, kwargs))

        def hand_over() -> None:
            ran.append(engine.hand_over(call, (1,), kwargs))

        poller.asleep = hand_over
        engine.turn(None)
        assert waker.wakes == 1
        poller.asleep = None
        engine.turn(0)
        assert ran == [True, ((1,), kwargs)]

    def test_who_hands_over_wakes_where_somebody_else_may_wait(self) -> None:
        engine, _, _ = scripted_engine()
        waker = engine.waker
        assert isinstance(waker, CountingWaker)
        engine.overridden = True
        assert engine.hand_over(int, (), {}) is False
        assert waker.wakes == 0


class TestWhole:
    def test_a_real_turn_delivers_what_is_ready(self, engine: Engine, pair: Pair) -> None:
        one, other = pair
        handler = Recorder(lambda: one.recv(10))
        engine.watch(one.fileno(), handler, READ)
        other.send(b"x")
        engine.turn(None)
        engine.turn(0)
        assert handler.told == [READ]

    def test_a_real_timer_ends_the_wait(self, engine: Engine) -> None:
        call_later(engine, 0.002, setattr, engine, "stopping", True)
        while not engine.stopping:
            engine.turn(None)
        assert engine.meter.turns <= 3

    def test_another_loop_can_drive_it(self, pair: Pair) -> None:
        """Embedded: the other loop waits for fileno() as long as patience(None) says, then turns with no wait."""
        engine = Engine(poller=choose("epoll"))
        engine.overridden = True
        one, other = pair
        handler = Recorder(lambda: one.recv(10))
        engine.watch(one.fileno(), handler, READ)
        ran: list[str] = []
        engine.turn(0)

        def is_ready() -> bool:
            return bool(select.select([engine.fileno()], [], [], 0)[0])

        def until(done: Callable[[], bool]) -> None:
            while not done():
                select.select([engine.fileno()], [], [], engine.patience(None))
                engine.turn(0)

        assert not is_ready()
        other.send(b"x")
        assert is_ready()
        until(lambda: bool(handler.told))
        engine.calls.put(ran.append, ("call",), {})
        engine.wake()
        assert is_ready()
        until(lambda: ran == ["call"])
        call_later(engine, 0.002, ran.append, "timer")
        until(lambda: ran == ["call", "timer"])

        late = Recorder(lambda: other.recv(10))
        call_later(engine, 0, engine.watch, other.fileno(), late, READ)
        one.send(b"x")
        until(lambda: bool(late.told))
        handler.action = lambda: engine.watch(one.fileno(), handler, WRITE)
        other.send(b"x")
        until(lambda: handler.told == [READ, READ, WRITE])
        engine.close()

    def test_an_error_in_a_call_or_timer_does_not_end_the_turn(self) -> None:
        engine, poller, _ = scripted_engine()
        reported: list[str] = []
        ran: list[str] = []
        engine.calls.put(int, ("not a number",), {})
        call_later(engine, 0, int, "not a number")
        call_later(engine, 0, ran.append, "timer")
        report.set_sink(lambda level, text, failure, details: reported.append(text))
        try:
            engine.turn(0)
        finally:
            report.set_sink(None)
        assert len(reported) == 2
        assert ran == ["timer"]
        assert poller.waits == [0]

    @pytest.mark.parametrize("name", ["epoll", "poll", "select"])
    def test_a_closed_engine_leaves_nothing_behind(self, name: str, no_leaks) -> None:
        def use() -> None:
            engine = Engine(poller=choose(name))
            one, other = socket.socketpair()
            with one, other:
                engine.watch(one.fileno(), Recorder(), READ | WRITE)
                engine.calls.put(list, (), {})
                call_later(engine, 0, list)
                for _ in range(3):
                    engine.turn(0)
                engine.forget(one.fileno())
            engine.close()
            engine.close()

        use()
        with no_leaks():
            use()

    def test_a_clock_that_is_not_ours_to_read_is_read_through_the_engine(self) -> None:
        clock = VirtualClock(5.0)
        engine = Engine(clock=clock)
        assert engine.clock is clock
        engine.close()
