"""BoundedExecutor: how many calls an executor has, who waits, and who is told of room."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import AbstractContextManager
from typing import Any

import pytest

from torsion import reactors
from torsion.core.deferred import CancelledError, Deferred
from torsion.threads import BoundedExecutor


class Held(Executor):
    """An executor whose calls are done when a test says so."""

    def __init__(self) -> None:
        self.futures: list[Future[Any]] = []
        self.calls: list[Any] = []
        self.broken = False

    def submit(self, f: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        if self.broken:
            raise RuntimeError("cannot schedule new futures after shutdown")
        future: Future[Any] = Future()
        self.futures.append(future)
        self.calls.append((f, args, kwargs))
        return future

    def runs(self, number: int) -> None:
        assert self.futures[number].set_running_or_notify_cancel()

    def does(self, number: int, result: Any = None) -> None:
        self.futures[number].set_result(result)


class AtOnce:
    """The reactor: calls are made in the thread that is there."""

    def callFromThread(self, f: Callable[..., Any], *args: Any) -> None:
        f(*args)


@pytest.fixture(autouse=True)
def reactor(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    here = AtOnce()
    monkeypatch.setattr(reactors, "current", lambda: here)
    return


@pytest.fixture
def held() -> Held:
    return Held()


def numbers(bounded: BoundedExecutor) -> tuple[int, int, bool]:
    return bounded.in_flight, bounded.waiting, bounded.has_room


def test_no_more_calls_are_in_flight_than_allowed_and_the_others_follow_in_order(held: Held) -> None:
    bounded = BoundedExecutor(held, 2)
    results: list[Any] = []
    for number in range(4):
        bounded.defer(pow, number, mod=None).addCallback(results.append)
    assert held.calls == [(pow, (0,), {"mod": None}), (pow, (1,), {"mod": None})]
    assert numbers(bounded) == (2, 2, False)
    held.does(1, "one")
    assert results == ["one"]
    assert [args for _, args, _ in held.calls] == [(0,), (1,), (2,)]
    held.does(0, "zero")
    held.does(2, "two")
    held.does(3, "three")
    assert results == ["one", "zero", "two", "three"]
    assert numbers(bounded) == (0, 0, True)


def test_a_call_that_fails_makes_room_too(held: Held) -> None:
    bounded = BoundedExecutor(held, 1)
    errors: list[Any] = []
    bounded.defer(int).addErrback(lambda failure: errors.append(failure.type))
    bounded.defer(str)
    held.futures[0].set_exception(ValueError())
    assert errors == [ValueError]
    assert held.calls[1][0] is str


def test_who_gets_a_result_finds_the_room(held: Held) -> None:
    bounded = BoundedExecutor(held, 1)
    seen: list[bool] = []
    bounded.defer(int).addCallback(lambda _: seen.append(bounded.has_room))
    held.does(0)
    assert seen == [True]


def test_a_call_that_is_cancelled_while_it_waits_is_never_submitted(held: Held) -> None:
    bounded = BoundedExecutor(held, 1)
    bounded.defer(int)
    outcomes: list[Any] = []
    waiting = bounded.defer(str)
    waiting.addErrback(lambda failure: outcomes.append(failure.type))
    waiting.cancel()
    assert outcomes == [CancelledError]
    assert numbers(bounded) == (1, 0, False)
    held.does(0)
    assert len(held.calls) == 1


def test_a_call_that_is_cancelled_before_it_begins_makes_room_at_once(held: Held) -> None:
    bounded = BoundedExecutor(held, 1)
    first = bounded.defer(int).addErrback(lambda failure: failure.type)
    bounded.defer(str)
    first.cancel()
    assert first.result is CancelledError
    assert [f for f, _, _ in held.calls] == [int, str]


def test_a_call_that_is_cancelled_while_it_runs_counts_until_it_ends_and_its_result_is_dropped(held: Held) -> None:
    bounded = BoundedExecutor(held, 1)
    first = bounded.defer(int)
    outcomes: list[Any] = []
    first.addErrback(lambda failure: failure.type).addBoth(outcomes.append)
    second = bounded.defer(str)
    held.runs(0)
    first.cancel()
    assert outcomes == [CancelledError]
    assert numbers(bounded) == (1, 1, False)
    held.does(0, "late")
    assert outcomes == [CancelledError]
    second.cancel()  # it has begun to wait for its own future
    assert held.futures[1].cancelled()
    second.addErrback(lambda failure: failure.trap(CancelledError))
    assert numbers(bounded) == (0, 0, True)


def test_when_the_executor_breaks_all_that_wait_are_told_so(held: Held) -> None:
    bounded = BoundedExecutor(held, 1)
    errors: list[Any] = []
    for _ in range(3):
        bounded.defer(int).addErrback(lambda failure: errors.append(failure.type))
    held.broken = True
    held.does(0)
    assert errors == [RuntimeError, RuntimeError]
    assert numbers(bounded) == (0, 0, True)


def test_room_is_told_of_to_one_after_the_other(held: Held) -> None:
    bounded = BoundedExecutor(held, 1)
    told: list[int] = []

    def ask(number: int) -> None:
        def feed(_: None) -> None:
            told.append(number)
            bounded.defer(int)

        bounded.when_room().addCallback(feed)

    for number in range(3):
        ask(number)
    assert told == [0]
    held.does(0)
    assert told == [0, 1]
    assert bounded.waiting == 0
    held.does(1)
    assert told == [0, 1, 2]


def test_who_does_not_use_the_room_leaves_it_to_the_next(held: Held) -> None:
    bounded = BoundedExecutor(held, 1)
    bounded.defer(int)
    told: list[int] = []
    asking = [bounded.when_room() for _ in range(3)]
    for number, deferred in enumerate(asking):
        deferred.addCallbacks(
            lambda _, number=number: told.append(number), lambda failure: failure.trap(CancelledError)
        )
    asking[1].cancel()
    held.does(0)
    assert told == [0, 2]


def test_a_coroutine_may_wait_for_room(held: Held) -> None:
    bounded = BoundedExecutor(held, 1)

    async def feed() -> list[Any]:
        results = []
        for number in range(3):
            await bounded.when_room()
            results.append(await bounded.defer(pow, number))
        return results

    done = Deferred.fromCoroutine(feed())
    for number in range(3):
        held.does(number, number)
    assert done.result == [0, 1, 2]


@pytest.mark.parametrize("number", [0, -1])
def test_a_bound_is_at_least_one(held: Held, number: int) -> None:
    with pytest.raises(ValueError, match=f"1 or more, not {number}"):
        BoundedExecutor(held, number)


def test_no_cycle_is_left(no_leaks: Callable[[], AbstractContextManager[None]]) -> None:
    def one() -> None:
        held = Held()
        bounded = BoundedExecutor(held, 2)
        for _ in range(3):
            bounded.defer(int)
        for number in range(3):
            held.does(number)
        bounded.defer(int).addErrback(lambda failure: None).cancel()
        held.futures.clear()  # which others do not keep

    one()
    with no_leaks():
        one()
