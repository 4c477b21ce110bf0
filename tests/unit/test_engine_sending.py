"""Who has something to send: in which order they are asked, and what becomes of those who are not."""

from collections.abc import Callable

import pytest
from tests.unit.scripted import CountingWaker, Recorder, ScriptedPoller, scripted_engine

from torsion.engine.poll import READ
from torsion.engine.turn import Engine
from torsion.trying.virtual import VirtualClock


class Sender:
    """Notes its name when it is to send, and may do something else."""

    def __init__(self, name: object, sent: list[object], action: Callable[[], object] | None = None) -> None:
        self.name, self.sent, self.action = name, sent, action

    def flush(self) -> None:
        self.sent.append(self.name)
        if self.action is not None:
            self.action()


def test_they_send_in_the_order_in_which_they_said_so_however_many_they_are() -> None:
    engine, _, _ = scripted_engine()
    sent: list[object] = []
    for number in (1, 40, 3, 200):
        for name in range(number):
            engine.flush_later(Sender(name, sent))
        engine.flush()
        assert sent == list(range(number))
        sent.clear()


def test_who_is_added_meanwhile_waits_and_keeps_its_place() -> None:
    """So the queue is never empty, and is not to grow for ever: the order is kept where it closes its gaps."""
    engine, _, _ = scripted_engine()
    sent: list[object] = []

    def add(engine: Engine, name: int) -> None:
        engine.flush_later(Sender(name, sent, lambda: add(engine, name + 10)))

    for name in range(10):
        add(engine, name)
    for begun in range(0, 500, 10):
        engine.flush()
        assert sent == list(range(begun, begun + 10))
        sent.clear()


def test_s043_what_a_keyboard_interrupt_keeps_from_being_sent_is_sent_later() -> None:
    engine, _, _ = scripted_engine()
    sent: list[object] = []

    def interrupt() -> None:
        engine.flush_later(Sender("added", sent))
        raise KeyboardInterrupt

    engine.flush_later(Sender("interrupted", sent, interrupt))
    engine.flush_later(Sender("left", sent))
    with pytest.raises(KeyboardInterrupt):
        engine.flush()
    assert engine.meter.handler is None
    engine.turn(0)
    assert sent == ["interrupted", "left", "added"]


def test_who_turns_the_loop_while_it_sends_has_the_others_send_first_and_once() -> None:
    engine, _, _ = scripted_engine()
    sent: list[object] = []

    def turn() -> None:
        turning.action = None  # it is asked once more by the turn within, for what it may have written
        engine.flush_later(Sender("added", sent))
        engine.turn(0)
        sent.append("turned")

    turning = Sender("turning", sent, turn)
    engine.flush_later(turning)
    engine.flush_later(Sender("other", sent))
    engine.turn(0)
    assert sent == ["turning", "turning", "other", "added", "turned"]


def test_an_event_is_alone_if_no_other_answer_is_to_go_with_its_own() -> None:
    engine, poller, _ = scripted_engine()
    alone: list[bool] = []
    sent: list[object] = []
    for fd in (5, 6):
        engine.watch(fd, Recorder(lambda: alone.append(engine.alone)), READ)
    engine.watch(7, Recorder(lambda: engine.flush_later(Sender(7, sent))), READ)
    poller.batches += [[(5, READ)], [(5, READ), (6, READ)], [(7, READ), (5, READ)]]
    for _ in range(3):
        engine.turn(0)
    assert alone == [True, False, True, False]
    assert sent == [7]


def test_a_handler_that_turns_the_loop_hears_no_more_of_its_batch() -> None:
    """The wait within has seen what is still ready, and the next one will tell it again."""
    engine, poller, _ = scripted_engine()
    later = Recorder()
    engine.watch(5, Recorder(lambda: engine.turn(0)), READ)
    engine.watch(6, later, READ)
    poller.batches += [[(5, READ), (6, READ)], [], [(6, READ)]]
    engine.turn(0)
    assert later.told == []
    engine.turn(0)
    assert later.told == [READ]


def test_a_poller_may_have_events_of_its_own() -> None:
    """Only the kernel's are waited with in place of its lists."""
    clock = VirtualClock()
    poller = ScriptedPoller(clock)
    poller.events = ["its own"]  # type: ignore[attr-defined]
    engine = Engine(clock, poller, CountingWaker())  # type: ignore[arg-type]
    handler = Recorder()
    engine.watch(5, handler, READ)
    poller.batches.append([(5, READ)])
    engine.turn(0)
    assert handler.told == [READ]
