"""The context: what a call sees of its callers, and what of it travels into a thread (semantics 50, 21)."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import Any

import pytest

from torsion.pool import context
from torsion.pool.threadpool import ThreadPool

PATIENCE = 20


@pytest.fixture
def in_worker() -> Iterator[Callable[..., Any]]:
    """Calls a function in a pool's thread and gives its result."""
    pool = ThreadPool(0, 1)
    pool.start()

    def call(function: Callable[..., Any], *args: Any) -> Any:
        answers: SimpleQueue[tuple[bool, Any]] = SimpleQueue()
        pool.callInThreadWithCallback(lambda *answer: answers.put(answer), function, *args)
        success, result = answers.get(timeout=PATIENCE)
        assert success, result
        return result

    yield call
    pool.stop()


@pytest.fixture
def default() -> Iterator[str]:
    context.setDefault("default", "bottom")
    yield "default"
    del context.defaultContextDict["default"]


def test_a_value_is_seen_below_the_call_and_nowhere_else() -> None:
    assert context.get("x") is None
    assert context.call({"x": 1}, context.get, "x") == 1
    assert context.get("x", "nothing") == "nothing"


def test_the_innermost_value_counts_and_outer_keys_shine_through() -> None:
    def inner() -> tuple[Any, ...]:
        return context.get("x"), context.get("y")

    assert context.call({"x": 1, "y": 2}, context.call, {"x": 3}, inner) == (3, 2)


def test_arguments_and_result_pass_through() -> None:
    assert context.call({}, lambda *args, **kwargs: (args, kwargs), 1, k=2) == ((1,), {"k": 2})


def test_the_context_ends_with_an_exception_too() -> None:
    with pytest.raises(ZeroDivisionError):
        context.call({"x": 1}, divmod, 1, 0)
    assert context.get("x") is None


def test_a_value_that_is_None_hides_the_outer_one() -> None:
    assert context.call({"x": 1}, context.call, {"x": None}, context.get, "x", "default") is None


def test_defaults_are_seen_in_every_thread_below_everything(default: str) -> None:
    assert context.get(default) == "bottom"
    assert context.call({default: "mine"}, context.get, default) == "mine"
    seen: list[Any] = []
    thread = threading.Thread(target=lambda: seen.append(context.get(default)))
    thread.start()
    thread.join(PATIENCE)
    assert seen == ["bottom"]


def test_each_thread_has_its_own_stack() -> None:
    seen: list[Any] = []

    def look() -> None:
        seen.append(context.get("x"))

    def inside() -> None:
        thread = threading.Thread(target=look)
        thread.start()
        thread.join(PATIENCE)

    context.call({"x": 1}, inside)
    assert seen == [None]


def test_the_pushed_dict_itself_is_on_the_stack() -> None:
    mine = {"x": 1}

    def inside() -> Any:
        contexts = context.theContextTracker.currentContext().contexts
        assert contexts[-1] is mine
        mine["x"] = 2
        return context.get("x")

    assert context.call(mine, inside) == 2


def test_another_tracker_may_be_installed() -> None:
    class Tracker(context.ThreadedContextTracker):
        def getContext(self, key: Any, default: Any = None) -> Any:
            return f"mine:{key}"

    before = context.theContextTracker
    context.installContextTracker(Tracker())
    try:
        assert context.get("x") == "mine:x"
    finally:
        context.installContextTracker(before)
    assert context.get("x") is None


def test_s050_only_the_topmost_dict_travels_into_the_worker(in_worker: Callable[..., Any]) -> None:
    def look() -> tuple[Any, ...]:
        return context.get("outer"), context.get("inner")

    def ask() -> tuple[Any, ...]:
        assert look() == (1, 2)
        result: tuple[Any, ...] = in_worker(look)
        return result

    assert context.call({"outer": 1}, context.call, {"inner": 2}, ask) == (None, 2)
    assert in_worker(look) == (None, None)


def test_s050_defaults_are_below_what_travelled(in_worker: Callable[..., Any], default: str) -> None:
    assert context.call({"x": 1}, in_worker, context.get, default) == "bottom"
    assert in_worker(context.get, default) == "bottom"


def test_s050_onResult_sees_the_same_context_as_the_job() -> None:
    pool = ThreadPool(0, 1)
    pool.start()
    seen: SimpleQueue[Any] = SimpleQueue()

    def look(*ignored: object) -> None:
        seen.put((threading.get_ident(), context.get("x")))

    context.call({"x": 1}, pool.callInThreadWithCallback, look, look)
    job, on_result = seen.get(timeout=PATIENCE), seen.get(timeout=PATIENCE)
    pool.stop()
    assert job == on_result
    assert job[1] == 1


def test_s050_the_context_is_that_of_the_moment_of_asking() -> None:
    pool = ThreadPool(0, 1)
    seen: SimpleQueue[Any] = SimpleQueue()
    context.call({"x": 1}, pool.callInThread, lambda: seen.put(context.get("x")))
    context.call({"x": 2}, pool.start)
    assert seen.get(timeout=PATIENCE) == 1
    pool.stop()


def test_s050_a_tracker_may_compute_what_travels(in_worker: Callable[..., Any]) -> None:
    class Tracker(context.ThreadedContextTracker):
        def currentContext(self) -> Any:
            tracker = super().currentContext()
            return type("View", (), {"contexts": [*tracker.contexts, {"computed": True}]})

    before = context.theContextTracker
    context.installContextTracker(Tracker())
    try:
        assert in_worker(context.get, "computed") is True
    finally:
        context.installContextTracker(before)


def test_s021_thread_calls_carry_no_context_variables(in_worker: Callable[..., Any]) -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")
    token = variable.set("main")
    try:
        assert in_worker(variable.get) == "unset"
    finally:
        variable.reset(token)
