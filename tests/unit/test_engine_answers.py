"""What is written in a turn, and when its answer comes: after what is due already, if the peer is in the same loop."""

import pytest
from tests.unit.scripted import Recorder, ScriptedPoller, call_later, scripted_engine

from torsion.engine.poll import READ
from torsion.engine.turn import Engine


class Answered:
    """Something to send whose peer answers as soon as it is sent, on descriptor 5."""

    def __init__(self, poller: ScriptedPoller) -> None:
        self.poller = poller
        self.sent = 0

    def flush(self) -> None:
        self.sent += 1
        self.poller.batches.append([(5, READ)])


@pytest.mark.parametrize("due", ["timer", "call"])
def test_what_is_due_at_once_runs_before_an_answer_to_what_is_written(due: str) -> None:
    engine, poller, _ = scripted_engine()
    ran: list[str] = []
    stream = Answered(poller)
    engine.watch(5, Recorder(lambda: ran.append("answer")), READ)

    def write() -> None:
        engine.flush_later(stream)
        if due == "timer":
            call_later(engine, 0, ran.append, "due")
        else:
            engine.calls.put(ran.append, ("due",), {})

    call_later(engine, 0, write)
    engine.turn(None)
    assert (ran, stream.sent, poller.waits) == ([], 1, [0])
    engine.turn(None)
    assert ran == ["due", "answer"]


def test_with_nothing_due_what_is_written_is_sent_before_the_wait() -> None:
    engine, poller, _ = scripted_engine()
    stream = Answered(poller)
    answer = Recorder()
    engine.watch(5, answer, READ)
    call_later(engine, 0, engine.flush_later, stream)
    call_later(engine, 3, lambda: None)
    engine.turn(None)
    assert (answer.told, stream.sent, poller.waits) == ([READ], 1, [3])


class Sending:
    """Something to send that notes its turn, and who runs meanwhile."""

    def __init__(self, name: str, engine: Engine, sent: list[tuple[str, bool]]) -> None:
        self.name, self.engine, self.sent = name, engine, sent

    def flush(self) -> None:
        self.sent.append((self.name, self.engine.meter.handler is self))


def test_streams_are_sent_for_in_the_order_in_which_they_were_written_to_and_each_runs_then() -> None:
    engine, _, _ = scripted_engine()
    sent: list[tuple[str, bool]] = []
    for name in "abc":
        engine.flush_later(Sending(name, engine, sent))
    engine.turn(0)
    assert sent == [("a", True), ("b", True), ("c", True)]
    assert engine.meter.running is None


def test_what_an_interrupted_flush_did_not_come_to_is_sent_next_and_first() -> None:
    engine, _, _ = scripted_engine()
    sent: list[tuple[str, bool]] = []

    class Interrupted:
        def flush(self) -> None:
            engine.flush_later(Sending("written meanwhile", engine, sent))
            raise KeyboardInterrupt

    for stream in (Interrupted(), Sending("a", engine, sent), Sending("b", engine, sent)):
        engine.flush_later(stream)
    with pytest.raises(KeyboardInterrupt):
        engine.turn(0)
    assert (sent, engine.meter.running) == ([], None)
    engine.turn(0)
    assert [name for name, _ in sent] == ["a", "b", "written meanwhile"]


def test_a_handler_that_turns_the_loop_in_its_event_has_sent_before_what_it_wrote() -> None:
    engine, poller, _ = scripted_engine()
    written: list[str] = []
    sent: list[str] = []

    class Handler(Recorder):
        def flush(self) -> None:
            sent.extend(written)
            written.clear()

    def answer() -> None:
        written.append("answer")
        engine.turn(0)
        assert sent == ["answer"]

    handler = Handler(answer)
    engine.watch(5, handler, READ)
    poller.batches += [[(5, READ)], []]
    engine.turn(0)
    assert handler.told == [READ]
    assert sent == ["answer"]
