"""An engine inside another loop: it says how long that loop may sleep, and its descriptor says when that is over."""

import os
import select

import pytest

from torsion.core.delayed import DelayedCall
from torsion.engine.poll import READ, choose
from torsion.engine.turn import Engine


class Handler:
    def __init__(self):
        self.told = []

    def on_ready(self, ready):
        self.told.append(ready)

    def flush(self):
        self.told.append("flush")


@pytest.fixture
def engine():
    made = Engine(poller=choose("epoll"))
    yield made
    made.close()


@pytest.fixture
def pipe():
    reading, writing = os.pipe()
    yield reading, writing
    os.close(reading)
    os.close(writing)


def is_over(engine):
    """Whether the host would be woken now."""
    return bool(select.select([engine.fileno()], [], [], 0)[0])


def add_timer(engine, seconds):
    engine.timers.add(DelayedCall(engine.clock() + seconds, int, (), {}, engine.timers.cancel, engine.timers.reset))


def test_with_nothing_to_do_the_host_may_sleep_for_ever(engine):
    assert engine.rest() is None
    assert not is_over(engine)


def test_with_a_timer_it_may_sleep_until_that_is_due(engine):
    add_timer(engine, 10)
    assert 9 < engine.rest() <= 10


def test_readiness_ends_the_sleep_and_the_turn_delivers_it(engine, pipe):
    reading, writing = pipe
    handler = Handler()
    engine.watch(reading, handler, READ)
    engine.rest()
    assert not is_over(engine)
    os.write(writing, b"x")
    assert is_over(engine)
    engine.turn(0)
    assert handler.told == [READ]


def test_a_descriptor_watched_meanwhile_ends_the_sleep_so_that_the_poller_hears_of_it(engine, pipe):
    engine.rest()
    engine.watch(pipe[0], Handler(), READ)
    assert is_over(engine)
    engine.turn(0)
    engine.rest()
    assert not is_over(engine)


def test_a_call_handed_over_ends_the_sleep(engine):
    ran = []
    engine.rest()
    engine.calls.put(ran.append, (1,), {})
    engine.wake()
    assert is_over(engine)
    engine.turn(0)
    assert ran == [1]
    assert engine.rest() is None
    assert not is_over(engine)


def test_what_is_written_meanwhile_ends_the_sleep_and_is_sent_by_the_turn(engine):
    stream = Handler()
    engine.rest()
    engine.flush_later(stream)
    assert is_over(engine)
    engine.turn(0)
    assert stream.told == ["flush"]


def test_what_was_written_before_is_sent_before_the_sleep(engine):
    stream = Handler()
    engine.flush_later(stream)
    assert engine.rest() is None
    assert stream.told == ["flush"]
    assert not is_over(engine)


def test_one_wake_is_enough_for_one_sleep(engine):
    engine.rest()
    for _ in range(3):
        engine.wake()
    engine.turn(0)
    engine.rest()
    assert not is_over(engine)


def test_while_it_turns_by_itself_nothing_is_written(engine, pipe):
    """A change made between turns costs nothing there: the next turn looks at it anyway."""
    engine.turn(0)
    engine.watch(pipe[0], Handler(), READ)
    engine.flush_later(Handler())
    assert not is_over(engine)
