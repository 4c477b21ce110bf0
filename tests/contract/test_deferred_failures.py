"""What a callback raises becomes a Failure as `Failure()` would make it; who awaits is answered as by a generator."""

import pdb
import sys
import traceback
import warnings
from collections.abc import Generator
from typing import Any

import pytest

from torsion import failure
from torsion.defer import Deferred, fail, inlineCallbacks, setDebugging, succeed
from torsion.failure import Failure


def divide(value: object) -> float:
    return 1 / 0


def failure_of(callback: Any, *args: Any) -> Failure:
    got: list[Failure] = []
    succeed("text").addCallback(callback, *args).addErrback(got.append)
    return got.pop()


def fields(f: Failure) -> dict[str, object]:
    return {name: value for name, value in vars(f).items() if name not in ("count", "value", "tb")}


def test_s012_what_a_callback_raises_has_what_a_failure_made_by_hand_has() -> None:
    before = Failure(KeyError())
    f = failure_of(divide)
    after = Failure(KeyError())
    try:
        divide(None)
    except ZeroDivisionError:
        by_hand = Failure()
    assert fields(f) == fields(by_hand)
    assert (type(f), type(f.value), f.type) == (Failure, ZeroDivisionError, ZeroDivisionError)
    assert (before.count < f.count < after.count, f.captureVars, f.pickled, f.args) == (True, False, 0, ())
    assert f.tb is f.value.__traceback__
    assert f.frames[-1][0] == "divide"
    assert f.getTraceback().endswith("builtins.ZeroDivisionError: division by zero\n")


def test_s012_frames_of_a_callback_with_arguments_end_with_it_too() -> None:
    assert failure_of(lambda value, argument: divide(argument), 1).frames[-1][0] == "divide"


def test_s012_where_no_interpreted_function_raised_the_failure_still_says_where() -> None:
    f = failure_of(int)
    assert (f.type, bool(f.frames), f.tb) == (ValueError, True, f.value.__traceback__)


def test_s012_a_failure_that_a_callback_raises_is_copied() -> None:
    original = Failure(KeyError("mine"))

    def raises(_: object) -> None:
        raise original

    f = failure_of(raises)
    assert (f is original, f.type, f.value, f.count) == (False, KeyError, original.value, original.count)


def test_no_exception_is_being_handled_after_a_callback_has_raised() -> None:
    seen: list[object] = []
    succeed(1).addCallback(divide).addErrback(lambda f: seen.append(sys.exception()))
    seen.append(sys.exception())
    try:
        raise KeyError("outer")
    except KeyError as outer:
        f = failure_of(divide)
        assert (sys.exception(), f.value.__context__) == (outer, outer)
    assert seen[-1] is None


def test_s008_in_debug_mode_a_failure_keeps_the_variables_of_what_raised() -> None:
    def kept() -> list[str]:
        return [name for frame in failure_of(divide).frames for name, _ in frame[3]]

    assert kept() == []
    setDebugging(True)
    try:
        assert "value" in kept()
    finally:
        setDebugging(False)


def test_debug_mode_enters_the_debugger_for_what_a_callback_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    entered: list[object] = []
    monkeypatch.setattr(Failure, "__init__", Failure.__init__)  # is put back
    monkeypatch.setattr(pdb, "post_mortem", entered.append)
    failure.startDebugMode()
    f = failure_of(divide)
    assert entered == [f.value.__traceback__]


def test_s022_what_await_steps_through_answers_as_a_generator() -> None:
    deferred: Deferred[str] = Deferred()
    steps = deferred.__await__()
    assert isinstance(steps, Generator)
    assert (iter(steps), next(steps), steps.send("ignored")) == (steps, deferred, deferred)
    deferred.callback("value")
    with pytest.raises(StopIteration) as ended:
        next(steps)
    assert ended.value.value == "value"
    assert list(steps) == []  # its value comes once
    closed = deferred.__await__()
    closed.close()
    assert list(closed) == []


@pytest.mark.filterwarnings("ignore:the .* signature of throw.. is deprecated")
@pytest.mark.parametrize(
    ("thrown", "args"),
    [
        ((KeyError,), ()),
        ((KeyError(1),), (1,)),
        ((KeyError, None), ()),
        ((KeyError, 1), (1,)),
        ((KeyError, (1, 2)), (1, 2)),
        ((KeyError, KeyError(1)), (1,)),
        ((KeyError, KeyError(1), None), (1,)),
    ],
)
def test_s022_what_is_thrown_at_an_await_is_raised_there(thrown: Any, args: tuple[int, ...]) -> None:
    async def waits(deferred: Deferred[Any]) -> None:
        await deferred

    steps = Deferred().__await__()
    waiting = waits(Deferred())
    waiting.send(None)
    for throw in (steps.throw, waiting.throw):
        with pytest.raises(KeyError) as caught:
            throw(*thrown)
        assert caught.value.args == args
    assert list(steps) == []


def test_s022_the_traceback_of_what_is_thrown_at_an_await_is_kept() -> None:
    f = failure_of(divide)
    with pytest.raises(ZeroDivisionError) as caught, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        Deferred().__await__().throw(ZeroDivisionError, ZeroDivisionError(), f.tb)
    assert [each.name for each in traceback.extract_tb(caught.value.__traceback__)][-1] == "divide"


def test_s022_an_awaited_stop_iteration_is_a_runtime_error_and_no_value() -> None:
    stop = StopIteration("no value")
    with pytest.raises(RuntimeError, match="StopIteration") as caught:
        next(fail(stop).__await__())
    assert caught.value.__cause__ is stop


def test_s022_iterating_over_a_deferred_is_awaiting_it() -> None:
    @inlineCallbacks
    def reads(deferred: Deferred[Any]) -> Generator[Any, Any, Any]:
        return (yield from deferred)

    got: list[Any] = []
    for value in ("value", (1, 2), None, StopIteration("value")):
        pending: Deferred[Any] = Deferred()
        reads(pending).addCallback(got.append)
        pending.callback(value)
        reads(succeed(value)).addCallback(got.append)
        assert got[-2:] == [value, value]


def test_s022_an_awaited_failure_is_raised_where_it_is_awaited() -> None:
    async def waits(deferred: Deferred[Any]) -> list[str]:
        try:
            await deferred
        except ZeroDivisionError as error:
            return [each.name for each in traceback.extract_tb(error.__traceback__)]
        return []

    for make in (lambda: succeed(1).addCallback(divide), lambda: fail(failure_of(divide))):
        names: list[list[str]] = []
        Deferred.fromCoroutine(waits(make())).addCallback(names.append)
        assert (names[0][0], names[0][-1]) == ("waits", "divide")


def test_s022_an_exception_that_is_a_value_is_no_failure_to_who_awaits_it() -> None:
    values: list[object] = []
    error = ValueError("a value")

    async def waits(deferred: Deferred[Any]) -> None:
        values.append(await deferred)

    @inlineCallbacks
    def yields(deferred: Deferred[Any]) -> Generator[Any, Any, None]:
        values.append((yield deferred))

    for run in (lambda deferred: Deferred.fromCoroutine(waits(deferred)), yields):
        run(succeed(error))
        later: Deferred[Any] = Deferred()
        run(later)
        later.callback(error)
    assert values == [error] * 4
