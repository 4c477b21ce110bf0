"""What the engine tells whom about descriptors, and what it tells the poller; some with the real kernel."""

import os
import socket
from pathlib import Path

import pytest
from tests.unit.scripted import Recorder, call_later, scripted_engine

from torsion.engine.poll import GONE, READ, WRITE
from torsion.engine.turn import Engine
from torsion.engine.watch import Told

Pair = tuple[socket.socket, socket.socket]


class TestDispatch:
    def test_a_handler_is_told_what_it_asked_for_and_what_is_gone(self) -> None:
        engine, poller, _ = scripted_engine()
        handler = Recorder()
        engine.watch(5, handler, READ)
        poller.batches += [[(5, READ | WRITE)], [(5, WRITE)], [(5, READ | GONE)], [(5, GONE)]]
        for _ in range(4):
            engine.turn(0)
        assert handler.told == [READ, READ | GONE, GONE]

    def test_all_of_a_batch_are_told_however_many_turns_there_were(self) -> None:
        engine, poller, _ = scripted_engine()
        engine.meter.turns = 2**32 - 1  # a watch keeps 32 bits of a turn's number
        handlers = Recorder(), Recorder()
        engine.watch(5, handlers[0], READ)
        engine.watch(6, handlers[1], READ)
        poller.batches += [[(5, READ), (6, READ)]] * 3
        for _ in range(3):
            engine.turn(0)
        assert [handler.told for handler in handlers] == [[READ] * 3] * 2

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
            seen.append(engine.meter.handler)
            poller.batches.append([(6, READ)])
            engine.turn(0)
            seen.append(engine.meter.handler)

        outer = Recorder(nest)
        inner = Recorder(lambda: seen.append(engine.meter.handler))
        engine.watch(5, outer, READ)
        engine.watch(6, inner, READ)
        call_later(engine, 0, lambda: seen.append(engine.meter.handler))
        engine.calls.put(lambda: None, (), {})
        poller.batches.append([(5, READ)])
        engine.turn(0)
        assert seen == [None, outer, inner, outer]
        assert engine.meter.running is None
        meter = engine.meter
        assert (meter.turns, meter.calls, meter.timers, meter.events) == (2, 1, 1, 2)


class TestInterest:
    def test_one_that_was_forgotten_and_watches_the_same_again_is_registered_again(self) -> None:
        engine, poller, _ = scripted_engine()
        watch = Told(5, Recorder())
        for interest in (READ, 0, READ):
            engine.tell(watch, interest)
            engine.turn(0)
        engine.forget(5)
        engine.tell(watch, READ)
        engine.turn(0)
        assert [(what, fd) for what, fd, _ in poller.log if fd == 5] == [
            ("register", 5),
            ("unregister", 5),
            ("register", 5),
            ("unregister", 5),
            ("register", 5),
        ]

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
