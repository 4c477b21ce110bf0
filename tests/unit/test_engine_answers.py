"""What is written in a turn, and when its answer comes: after what is due already, if the peer is in the same loop."""

import pytest
from tests.unit.scripted import Recorder, ScriptedPoller, call_later, scripted_engine

from torsion.engine.poll import READ


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
