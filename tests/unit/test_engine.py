"""One turn of the loop, mostly with time and readiness made by hand; where the kernel matters, with the real thing."""

import os
import select
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.unit.scripted import CountingWaker, Recorder, ScriptedPoller, VirtualClock, call_later, scripted_engine

from torsion import report
from torsion.engine.poll import GONE, READ, WRITE, choose
from torsion.engine.turn import LONGEST, Engine

NAMES = ["epoll", "poll", "select"]


@pytest.fixture(params=NAMES)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """A real one, over each poller."""
    engine = Engine(poller=choose(request.param))
    yield engine
    engine.close()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    one.setblocking(False)
    other.setblocking(False)
    yield one, other
    one.close()
    other.close()


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
        assert engine.patience(None) == LONGEST == 2147483
        assert engine.patience(1e300) == LONGEST

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


class TestDispatch:
    def test_a_handler_is_told_what_it_asked_for_and_what_is_gone(self) -> None:
        engine, poller, _ = scripted_engine()
        handler = Recorder()
        engine.watch(5, handler, READ)
        poller.batches += [[(5, READ | WRITE)], [(5, WRITE)], [(5, READ | GONE)], [(5, GONE)]]
        for _ in range(4):
            engine.turn(0)
        assert handler.told == [READ, READ | GONE, GONE]

    def test_s061_a_handler_that_another_of_its_batch_forgot_is_not_told(self) -> None:
        engine, poller, _ = scripted_engine()
        second = Recorder()
        engine.watch(5, Recorder(lambda: engine.forget(6)), READ)
        engine.watch(6, second, READ)
        poller.batches.append([(5, READ), (6, READ)])
        engine.turn(0)
        assert second.told == []

    def test_a_handler_that_forgets_everybody_and_itself_is_safe(self) -> None:
        engine, poller, _ = scripted_engine()
        handlers: list[Recorder] = []

        def forget_all() -> None:
            for fd in range(20):
                engine.forget(fd)
            handlers.clear()

        handlers += [Recorder(forget_all) for _ in range(20)]
        first = handlers[0]
        for fd, handler in enumerate(handlers):
            engine.watch(fd, handler, READ)
        poller.batches.append([(fd, READ) for fd in range(20)])
        del handler
        engine.turn(0)
        assert first.told == [READ]
        assert set(poller.watched) == {engine.waker.fileno()}

    def test_s061_an_event_for_a_number_that_was_watched_anew_in_its_batch_is_stale(self) -> None:
        """By another handler, or by the same one: the event was the old descriptor's."""
        for same in (False, True):
            engine, poller, _ = scripted_engine()
            old = Recorder()
            new = old if same else Recorder()

            def replace(engine: Engine = engine, new: Recorder = new) -> None:
                engine.forget(6)
                engine.watch(6, new, READ)

            engine.watch(5, Recorder(replace), READ)
            engine.watch(6, old, READ)
            poller.batches += [[(5, READ), (6, READ)], [(6, READ)]]
            engine.turn(0)
            assert old.told == new.told == []
            engine.turn(0)
            assert new.told == [READ]

    def test_s061_events_are_stale_if_what_was_sent_among_them_turned_the_loop(self) -> None:
        """A producer that is resumed may do so: a number of this batch may be another's by then."""
        engine, poller, _ = scripted_engine()
        new = Recorder()

        class Producing:
            turned = False

            def flush(self) -> None:
                if not self.turned:
                    self.turned = True
                    engine.forget(6)
                    engine.turn(0)
                    engine.watch(6, new, READ)

        producing = Producing()

        def write() -> None:
            for _ in range(16):  # so many are sent for before the next event
                engine.flush_later(producing)

        engine.watch(5, Recorder(write), READ)
        engine.watch(6, Recorder(), READ)
        poller.batches += [[(5, READ), (6, READ | GONE)], [], [(6, READ)]]
        engine.turn(0)
        assert new.told == []
        engine.turn(0)
        assert new.told == [READ]

    def test_a_handler_that_takes_the_place_of_another_gets_none_of_its_events(self) -> None:
        """Without forget: the number was closed and opened again behind our back."""
        engine, poller, _ = scripted_engine()
        old, new = Recorder(), Recorder()
        engine.watch(6, old, READ)
        engine.watch(5, Recorder(lambda: engine.watch(6, new, READ)), READ)
        poller.batches += [[(5, READ), (6, READ)], [(6, READ)]]
        engine.turn(0)
        assert (old.told, new.told) == ([], [])
        assert poller.log[-1] == ("unregister", 6, 0)
        engine.turn(0)
        assert poller.log[-1] == ("register", 6, READ)
        assert (old.told, new.told) == ([], [READ])

    def test_a_handler_that_was_paused_in_its_batch_is_not_told(self) -> None:
        engine, poller, _ = scripted_engine()
        paused, writing = Recorder(), Recorder()

        def pause() -> None:
            engine.watch(6, paused, 0)
            engine.watch(7, writing, WRITE)

        engine.watch(5, Recorder(pause), READ)
        engine.watch(6, paused, READ)
        engine.watch(7, writing, READ | WRITE)
        poller.batches.append([(5, READ), (6, READ | GONE), (7, READ | WRITE)])
        engine.turn(0)
        assert paused.told == []
        assert writing.told == [WRITE]

    def test_events_for_strangers_are_ignored(self) -> None:
        engine, poller, _ = scripted_engine()
        poller.batches.append([(99, READ | GONE)])
        engine.turn(0)

    @pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit])
    def test_s043_an_exception_of_a_handler_leaves_the_turn_and_the_others_are_told_later(
        self, engine: Engine, pair: Pair, kind: type[BaseException]
    ) -> None:
        one, other = pair
        one.send(b"x")
        other.send(b"x")
        told: list[int] = []

        class Fails:
            def __init__(self, fd: int) -> None:
                self.fd = fd

            def on_ready(self, ready: int) -> None:
                told.append(self.fd)
                engine.forget(self.fd)
                raise kind("wrong")

        for fd in (one.fileno(), other.fileno()):
            engine.watch(fd, Fails(fd), READ)
        for _ in range(2):
            with pytest.raises(kind):
                engine.turn(5)
        assert sorted(told) == sorted([one.fileno(), other.fileno()])
        assert engine.meter.running is None
        engine.turn(0)

    def test_a_handler_may_turn_the_loop_itself(self, engine: Engine, pair: Pair) -> None:
        """The inner turn tells the others; the outer one does not tell them again what they have dealt with."""
        one, other = pair
        one.send(b"x")
        other.send(b"x")
        told: list[int] = []

        class Reads:
            def __init__(self, socket: socket.socket) -> None:
                self.socket = socket

            def on_ready(self, ready: int) -> None:
                told.append(self.socket.fileno())
                self.socket.recv(10)  # raises BlockingIOError if told in vain
                engine.turn(0)

        for each in pair:
            engine.watch(each.fileno(), Reads(each), READ)
        engine.turn(5)
        assert sorted(told) == sorted([one.fileno(), other.fileno()])

    def test_what_runs_is_on_the_meter(self) -> None:
        engine, poller, _ = scripted_engine()
        seen: list[object] = []

        def nest() -> None:
            seen.append(engine.meter.running)
            poller.batches.append([(6, READ)])
            engine.turn(0)
            seen.append(engine.meter.running)

        outer = Recorder(nest)
        inner = Recorder(lambda: seen.append(engine.meter.running))
        engine.watch(5, outer, READ)
        engine.watch(6, inner, READ)
        call_later(engine, 0, lambda: seen.append(engine.meter.running))
        engine.calls.put(lambda: None, (), {})
        poller.batches.append([(5, READ)])
        engine.turn(0)
        assert seen == [None, outer, inner, outer]
        assert engine.meter.running is None
        meter = engine.meter
        assert (meter.turns, meter.calls, meter.timers, meter.events) == (2, 1, 1, 2)


class TestInterest:
    def test_changes_are_applied_once_before_the_wait(self) -> None:
        engine, poller, _ = scripted_engine()
        handler = Recorder()
        engine.turn(0)
        poller.log.clear()
        for interest in (READ, WRITE, READ, READ | WRITE):
            engine.watch(5, handler, interest)
        assert poller.log == []
        engine.turn(0)
        assert poller.log == [("register", 5, READ | WRITE)]
        for interest in (READ, 0, WRITE):
            engine.watch(5, handler, interest)
        engine.turn(0)
        assert poller.log[1:] == [("modify", 5, WRITE)]

    def test_a_change_and_back_costs_nothing(self) -> None:
        engine, poller, _ = scripted_engine()
        handler = Recorder()
        engine.watch(5, handler, READ)
        engine.turn(0)
        poller.log.clear()
        engine.watch(5, handler, 0)
        engine.watch(5, handler, READ)
        engine.turn(0)
        assert poller.log == []

    def test_no_interest_removes_with_the_next_wait(self) -> None:
        engine, poller, _ = scripted_engine()
        handler = Recorder()
        engine.watch(5, handler, READ)
        engine.watch(6, handler, READ)
        engine.watch(6, handler, 0)
        engine.turn(0)
        engine.watch(5, handler, 0)
        engine.turn(0)
        assert 5 not in poller.watched
        assert not [entry for entry in poller.log if entry[1] == 6]
        engine.watch(5, handler, READ)
        engine.turn(0)
        assert poller.watched[5] == READ

    def test_a_change_that_a_signal_interrupts_is_made_before_the_next_wait(self) -> None:
        engine, poller, _ = scripted_engine()
        handlers = [Recorder() for _ in range(4)]
        register = poller.register

        def interrupted(fd: int, interest: int) -> None:
            poller.register = register  # type: ignore[method-assign]
            raise KeyboardInterrupt

        for fd, handler in enumerate(handlers):
            engine.watch(fd, handler, READ)
        poller.register = interrupted  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            engine.turn(0)
        engine.turn(0)
        assert all(poller.watched[fd] == READ for fd in range(4))

    def test_a_change_that_comes_while_changes_are_made_is_made_too(self) -> None:
        """A finalizer may run at any time."""
        engine, poller, _ = scripted_engine()
        first, second = Recorder(), Recorder()
        engine.turn(0)
        register = poller.register

        def meanwhile(fd: int, interest: int) -> None:
            poller.register = register  # type: ignore[method-assign]
            engine.watch(6, second, READ)
            engine.watch(5, first, READ | WRITE)
            register(fd, interest)

        engine.watch(5, first, READ)
        poller.register = meanwhile  # type: ignore[method-assign]
        engine.turn(0)
        assert (poller.watched[5], poller.watched[6]) == (READ | WRITE, READ)
        for fd, handler in ((5, first), (6, second)):
            engine.watch(fd, handler, WRITE)
        engine.turn(0)
        assert (poller.watched[5], poller.watched[6]) == (WRITE, WRITE)

    def test_s061_forgetting_is_immediate_and_the_unknown_is_ignored(self) -> None:
        engine, poller, _ = scripted_engine()
        engine.forget(5)
        engine.watch(5, Recorder(), READ)
        engine.forget(5)
        engine.turn(0)
        assert 5 not in poller.watched
        engine.watch(5, Recorder(), READ)
        engine.turn(0)
        engine.watch(5, Recorder(), WRITE)
        engine.forget(5)
        assert 5 not in poller.watched
        engine.turn(0)
        assert 5 not in poller.watched

    @pytest.mark.parametrize("fd", [-1, 1 << 24, 1 << 80])
    def test_a_number_that_is_no_descriptor_is_refused_at_the_call(self, fd: int) -> None:
        engine, _, _ = scripted_engine()
        with pytest.raises(ValueError, match=f"{fd}: no descriptor"):
            engine.watch(fd, Recorder(), READ)

    def test_a_number_that_was_never_watched_is_forgotten_and_delivered_to_nobody(self) -> None:
        engine, poller, _ = scripted_engine()
        poller.batches.append([(1000, READ)])
        engine.turn(0)
        engine.forget(1000)
        assert engine.watched() == [(engine.waker, READ)]

    def test_a_closed_number_that_is_opened_again_is_watched_as_the_new_file(self, engine: Engine, pair: Pair) -> None:
        """Forgotten first, as it should be, or only watched by another handler."""
        one, other = pair
        other.send(b"x")
        for forget in (True, False):
            reader, writer = os.pipe()
            old, new = Recorder(), Recorder()
            engine.watch(reader, old, READ)
            engine.turn(0)
            if forget:
                engine.forget(reader)
            os.close(reader)
            again = os.dup2(one.fileno(), reader)
            engine.watch(again, new, READ)
            engine.turn(5)
            assert (old.told, new.told) == ([], [READ])
            engine.forget(again)
            os.close(again)
            os.close(writer)

    def test_a_forgotten_file_that_lives_on_in_a_duplicate_haunts_nobody(self, engine: Engine) -> None:
        """The trap of epoll: the kernel would go on reporting the number, for another file, for ever."""
        reader, writer = os.pipe()
        duplicate = os.dup(reader)
        engine.watch(reader, Recorder(), READ)
        engine.turn(0)
        engine.forget(reader)
        os.close(reader)
        quiet, quiet_writer = os.pipe()
        assert quiet == reader
        handler = Recorder()
        engine.watch(quiet, handler, READ)
        os.write(writer, b"x")
        engine.turn(0.002)
        assert handler.told == []
        assert engine.poller.wait(0) == []
        engine.forget(quiet)
        for fd in (duplicate, writer, quiet, quiet_writer):
            os.close(fd)

    def test_s061_a_regular_file_is_always_ready(self, engine: Engine, tmp_path: Path) -> None:
        fd = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
        handler = Recorder()
        engine.watch(fd, handler, READ | WRITE)
        engine.turn(None)
        engine.turn(None)
        assert handler.told == [READ | WRITE] * 2
        engine.watch(fd, handler, WRITE)
        engine.turn(None)
        assert handler.told[2:] == [WRITE]
        engine.watch(fd, handler, 0)
        engine.turn(0)
        engine.watch(fd, handler, READ)
        engine.turn(None)
        assert handler.told[3:] == [READ]
        engine.forget(fd)
        engine.turn(0)
        assert handler.told[4:] == []
        assert engine.patience(None) is None
        os.close(fd)

    def test_s060_what_is_closed_before_the_wait_is_told_as_gone_until_it_is_forgotten(self, engine: Engine) -> None:
        reader, writer = os.pipe()
        handler = Recorder()
        engine.watch(reader, handler, READ)
        os.close(reader)
        engine.turn(None)
        engine.turn(None)
        assert handler.told == [GONE, GONE]
        engine.forget(reader)
        engine.turn(0)
        assert len(handler.told) == 2
        os.close(writer)

    def test_what_was_gone_and_is_open_again_is_watched_again_when_asked(self, engine: Engine, pair: Pair) -> None:
        one, _ = pair
        reader, writer = os.pipe()
        handler = Recorder()
        engine.watch(reader, handler, READ)
        os.close(reader)
        engine.turn(None)
        os.dup2(one.fileno(), reader)
        engine.watch(reader, handler, WRITE)
        engine.turn(None)
        assert handler.told == [GONE, WRITE]
        engine.watch(reader, handler, READ)
        engine.turn(0)
        assert handler.told == [GONE, WRITE]
        assert engine.patience(None) is None
        engine.forget(reader)
        os.close(reader)
        os.close(writer)


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

    @pytest.mark.parametrize("name", NAMES)
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
