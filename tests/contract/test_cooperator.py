"""Cooperator, its tasks, and the functions cooperate and coiterate (semantics 36, 90)."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from torsion import task
from torsion.core.deferred import Deferred, fail, succeed


@pytest.fixture
def clock() -> task.Clock:
    return task.Clock()


def results_of(deferred: Deferred) -> list[Any]:
    """What it fires with, in a list that is empty until then; a failure as the exception's class."""
    results: list[Any] = []
    deferred.addCallbacks(results.append, lambda failure: results.append(failure.type))
    return results


class Slices:
    """A Cooperator whose slices come when told, one step each."""

    def __init__(self, started: bool = True, steps: int = 1) -> None:
        self.due: list[Callable[[], None]] = []
        self.steps = steps
        self.cooperator = task.Cooperator(self.slice, self.later, started)

    def slice(self) -> Callable[[], bool]:
        taken: list[int] = []

        def is_over() -> bool:
            taken.append(1)
            return len(taken) >= self.steps

        return is_over

    def later(self, tick: Callable[[], None]) -> Any:
        self.due.append(tick)

        class Call:
            def cancel(call) -> None:
                self.due.remove(tick)

        return Call()

    def run(self, slices: int = 1) -> None:
        for _ in range(slices):
            due, self.due = self.due, []
            for tick in due:
                tick()


@pytest.fixture
def slices() -> Slices:
    return Slices()


def steps(seen: list[Any], *values: Any) -> Iterator[Any]:
    for value in values:
        seen.append(value)
        yield value


def test_s090_nothing_runs_synchronously_and_tasks_take_turns(slices: Slices) -> None:
    seen: list[int] = []
    tasks = [slices.cooperator.cooperate(steps(seen, *numbers)) for numbers in ((1, 2, 3), (10, 20), (100,))]
    assert seen == [] and len(slices.due) == 1
    done = [results_of(each.whenDone()) for each in tasks]
    slices.run(20)
    assert seen == [1, 10, 100, 2, 20, 3]
    assert done == [[each._iterator] for each in tasks]
    assert slices.due == []


def test_s090_a_task_added_during_a_round_has_its_turn_in_it(slices: Slices) -> None:
    seen: list[str] = []
    slices.cooperator.cooperate(steps(seen, "a1", "a2"))
    slices.run()
    slices.cooperator.cooperate(steps(seen, "b1", "b2"))
    slices.run(3)
    assert seen == ["a1", "b1", "a2", "b2"]


def test_s090_who_follows_a_task_that_ends_waits_for_the_next_round(slices: Slices) -> None:
    seen: list[str] = []
    for values in (["a1"], ["b1", "b2"], ["c1", "c2"]):
        slices.cooperator.cooperate(steps(seen, *values))
    slices.run(10)
    assert seen == ["a1", "b1", "c1", "c2", "b2"]


def test_s090_a_slice_takes_as_many_steps_as_it_may() -> None:
    slices = Slices(steps=4)
    seen: list[int] = []
    slices.cooperator.coiterate(steps(seen, *range(10)))
    slices.run()
    assert seen == [0, 1, 2, 3]
    slices.run(2)
    assert seen == list(range(10))


def test_s036_a_slice_is_ten_milliseconds_and_the_next_is_a_moment_later(
    clock: task.Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [50.0]
    monkeypatch.setattr("torsion.task.time.monotonic", lambda: now[0])
    monkeypatch.setattr(task, "current", lambda: clock)
    taken: list[float] = []

    def work() -> Iterator[None]:
        while len(taken) < 30:
            taken.append(now[0])
            now[0] += 0.001
            yield

    cooperator = task.Cooperator()
    cooperator.coiterate(work())
    assert [call.getTime() for call in clock.calls] == [1e-8]
    clock.rightNow = 1.0
    call = clock.calls.pop(0)
    call.func()
    assert 9 <= len(taken) <= 11
    assert [call.getTime() for call in clock.calls] == [1 + 1e-8]


def test_s090_a_yielded_deferred_pauses_its_task_and_gives_it_nothing(slices: Slices) -> None:
    seen: list[Any] = []
    waited: Deferred = Deferred()

    def work() -> Iterator[Any]:
        seen.append((yield waited))

    slices.cooperator.coiterate(work())
    slices.cooperator.coiterate(steps(seen, 1, 2))
    slices.run(10)
    assert seen == [1, 2]
    waited.callback("value")
    slices.run(2)
    assert seen == [1, 2, None]
    assert results_of(waited) == [None]


def test_s090_errors_end_the_task(slices: Slices) -> None:
    waited: Deferred = Deferred()

    def broken() -> Iterator[Any]:
        raise KeyboardInterrupt
        yield

    first, second = (results_of(slices.cooperator.coiterate(each)) for each in (broken(), iter([waited])))
    slices.run(3)
    assert (first, second) == ([KeyboardInterrupt], [])
    waited.errback(KeyError())
    assert second == [KeyError] and slices.due == []


@pytest.mark.parametrize(
    "end, error", [("done", task.TaskDone), ("failed", task.TaskFailed), ("stop", task.TaskStopped)]
)
def test_s090_a_finished_task_can_be_neither_paused_nor_stopped(slices: Slices, end: str, error: type) -> None:
    def work() -> Iterator[None]:
        if end == "failed":
            raise KeyError
        yield from ()

    each = slices.cooperator.cooperate(work())
    done = results_of(each.whenDone())
    if end == "stop":
        each.stop()
    slices.run(2)
    assert done == [{"done": each._iterator, "failed": KeyError, "stop": task.TaskStopped}[end]]
    assert results_of(each.whenDone()) == done
    for misuse in (each.pause, each.stop):
        with pytest.raises(error):
            misuse()
    with pytest.raises(task.NotPaused):
        each.resume()
    assert issubclass(error, task.TaskFinished) and issubclass(task.TaskFinished, task.SchedulerError)


def test_s090_pauses_are_counted_and_resume_needs_one(slices: Slices) -> None:
    seen: list[int] = []
    each = slices.cooperator.cooperate(steps(seen, 1, 2, 3))
    with pytest.raises(task.NotPaused):
        each.resume()
    each.pause()
    each.pause()
    assert slices.due == []
    each.resume()
    slices.run(2)
    assert seen == []
    each.resume()
    assert seen == []
    slices.run()
    assert seen == [1]
    each.pause()
    each.stop()
    each.resume()
    slices.run()
    assert seen == [1] and slices.due == []


def test_s090_a_task_may_pause_and_stop_itself(slices: Slices) -> None:
    seen: list[str] = []

    def work() -> Iterator[Any]:
        each.pause()
        yield
        seen.append("resumed")
        each.stop()
        yield Deferred()
        seen.append("never")

    each = slices.cooperator.cooperate(work())
    done = results_of(each.whenDone())
    slices.run(3)
    assert seen == []
    each.resume()
    slices.run(3)
    assert seen == ["resumed"] and done == [task.TaskStopped]


@pytest.mark.parametrize("told", [False, True], ids=["asked later", "told of the stop"])
def test_s090_a_failure_after_stop_is_the_tasks_and_not_reported(slices: Slices, told: bool) -> None:
    waited: Deferred = Deferred()
    each = slices.cooperator.cooperate(iter([waited]))
    done = results_of(each.whenDone()) if told else []
    slices.run()
    each.stop()
    waited.errback(KeyError())
    assert results_of(waited) == [None] and done == [task.TaskStopped] * told
    assert results_of(each.whenDone()) == [KeyError]
    with pytest.raises(task.TaskFailed):
        each.pause()


def test_s090_a_stopped_cooperator_fails_its_tasks_old_and_new(slices: Slices) -> None:
    running, paused = (slices.cooperator.cooperate(iter([1, 2])) for _ in range(2))
    done = [results_of(each.whenDone()) for each in (running, paused)]
    paused.pause()
    slices.cooperator.stop()
    assert done == [[task.SchedulerStopped], []] and slices.due == []
    paused.resume()
    assert done[1] == [task.SchedulerStopped]
    assert results_of(slices.cooperator.coiterate(iter([1]))) == [task.SchedulerStopped]
    with pytest.raises(task.SchedulerStopped):
        running.stop()
    assert not slices.cooperator.running
    slices.cooperator.start()
    again = results_of(slices.cooperator.coiterate(iter([1])))
    slices.run(3)
    assert len(again) == 1 and slices.cooperator.running


def test_s090_starting_a_running_cooperator_in_a_step_schedules_nothing(slices: Slices) -> None:
    due: list[int] = []

    def work() -> Iterator[Any]:
        slices.cooperator.start()
        due.append(len(slices.due))
        yield

    slices.cooperator.coiterate(work())
    slices.run()
    assert due == [0] and len(slices.due) == 1


def test_s090_a_cooperator_not_started_runs_nothing_until_it_is() -> None:
    slices = Slices(started=False)
    seen: list[int] = []
    slices.cooperator.coiterate(steps(seen, 1))
    assert slices.due == [] and not slices.cooperator.running
    slices.cooperator.start()
    slices.run(2)
    assert seen == [1]


def test_s090_removing_the_last_task_cancels_the_slice(slices: Slices) -> None:
    first, second = (slices.cooperator.cooperate(iter([1])) for _ in range(2))
    first.stop()
    assert slices.due == [slices.cooperator._tick]
    second.pause()
    assert slices.due == [] and slices.cooperator._delayedCall is None
    first.whenDone().addErrback(lambda failure: None)


def test_s090_coiterate_may_be_given_its_deferred(slices: Slices) -> None:
    given: Deferred = Deferred()
    iterator = iter([1])
    assert slices.cooperator.coiterate(iterator, given) is given
    slices.run(2)
    assert results_of(given) == [iterator]


def test_the_functions_use_one_cooperator_for_each_reactor(clock: task.Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    other = task.Clock()
    monkeypatch.setattr(task, "default", lambda: clock)
    monkeypatch.setattr(task, "_theCooperator", task.Cooperator())
    seen: list[int] = []
    for here in (clock, other):
        monkeypatch.setattr(task, "current", lambda here=here: here)
        task.coiterate(steps(seen, id(here)))
        assert (task.cooperate(steps(seen, 0)) in task._theCooperator._tasks) == (here is clock)
        assert task._cooperator() is task._cooperator()
    other.advance(1)
    assert seen == [id(other), 0]
    clock.advance(1)
    assert seen == [id(other), 0, id(clock), 0]


def test_nothing_is_left_behind_by_tasks_in_any_ending(no_leaks: Any) -> None:
    def broken() -> Iterator[Any]:
        raise KeyError
        yield

    def cooperation() -> None:
        clock = task.Clock()
        cooperator = task.Cooperator(lambda: lambda: True, lambda tick: clock.callLater(1, tick))
        held: Deferred = Deferred()
        for iterator in (iter([1, 2]), iter([succeed(1)]), broken(), iter([fail(KeyError())]), iter([held])):
            cooperator.cooperate(iterator).whenDone().addErrback(lambda failure: None)
        stopped = cooperator.cooperate(iter([1]))
        stopped.whenDone().addErrback(lambda failure: None)
        stopped.stop()
        clock.pump([1] * 20)
        cooperator.stop()
        held.callback(None)

    cooperation()
    with no_leaks():
        for _ in range(20):
            cooperation()
