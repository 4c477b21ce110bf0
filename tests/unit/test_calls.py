"""The queue of calls from other threads: order, batches, and errors that stop nothing."""

import threading

import pytest
from tests.unit.conftest import Reports

from torsion import report
from torsion.core.calls import Calls


def test_s046_calls_run_in_the_order_they_were_put() -> None:
    calls, ran = Calls(), []
    for number in range(5):
        calls.put(ran.append, (number,), {})
    assert ran == []
    assert len(calls) == 5
    assert calls.run_batch() == 5
    assert ran == [0, 1, 2, 3, 4]
    assert len(calls) == 0


def test_arguments_arrive_by_position_and_by_name() -> None:
    calls, ran = Calls(), []
    calls.put(lambda *args, **kwargs: ran.append((args, kwargs)), (1, 2), {"three": 3})
    calls.put(lambda *args, **kwargs: ran.append((args, kwargs)))
    calls.run_batch()
    assert ran == [((1, 2), {"three": 3}), ((), {})]


def test_s046_what_a_call_puts_waits_for_the_next_pass() -> None:
    calls, ran = Calls(), []

    def again() -> None:
        ran.append("first")
        calls.put(ran.append, ("second",), {})

    calls.put(again)
    assert calls.run_batch() == 1
    assert ran == ["first"]
    assert calls.run_batch() == 1
    assert ran == ["first", "second"]


def test_s046_a_call_that_runs_a_pass_itself_does_not_make_this_pass_longer() -> None:
    """The inner pass takes the rest of the outer one's entries; what came after that is not the outer one's either."""
    calls, ran = Calls(), []

    def nest() -> None:
        calls.put(ran.append, ("put by the first",), {})
        ran.append(calls.run_batch())
        calls.put(ran.append, ("put after the inner pass",), {})

    calls.put(nest)
    calls.put(ran.append, ("second",), {})
    assert calls.run_batch() == 1
    assert ran == ["second", "put by the first", 2]
    assert calls.run_batch() == 1
    assert ran[-1] == "put after the inner pass"


@pytest.mark.parametrize("kind", [ValueError, SystemExit, KeyboardInterrupt, GeneratorExit])
def test_s043_any_exception_is_reported_and_the_batch_goes_on(kind: type[BaseException], reports: Reports) -> None:
    calls, ran = Calls(), []
    error = kind("wrong")

    def fails() -> None:
        raise error

    calls.put(fails)
    calls.put(ran.append, ("after",), {})
    assert calls.run_batch() == 2
    assert ran == ["after"]
    [(text, value)] = reports
    assert value is error
    assert "fails" in text


def test_s029_what_cannot_be_called_is_reported_when_it_is_run(
    reports: Reports,
) -> None:
    calls = Calls()
    calls.put(None)  # type: ignore[arg-type]
    calls.run_batch()
    [(text, value)] = reports
    assert isinstance(value, TypeError)
    assert "None" in text


def test_s043_a_call_that_cannot_even_be_named_is_reported(reports: Reports) -> None:
    class Nameless:
        def __getattr__(self, name: str) -> object:
            raise RuntimeError("no attributes")

        def __call__(self) -> None:
            raise ValueError("wrong")

    calls = Calls()
    calls.put(Nameless())
    calls.run_batch()
    [(text, value)] = reports
    assert isinstance(value, ValueError)
    assert "Nameless" in text


def test_s046_many_threads_put_and_each_ones_order_is_kept() -> None:
    calls, ran = Calls(), []
    start = threading.Barrier(4)

    def put(thread: int) -> None:
        start.wait(10)
        for number in range(2000):
            calls.put(ran.append, ((thread, number),), {})

    threads = [threading.Thread(target=put, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    total = 0
    while any(thread.is_alive() for thread in threads) or len(calls):
        total += calls.run_batch()
    assert total == 8000
    for number in range(4):
        assert [entry for thread, entry in ran if thread == number] == list(range(2000))


def test_a_call_that_has_run_is_let_go(no_leaks) -> None:
    def use() -> None:
        calls = Calls()
        for _ in range(100):
            calls.put(lambda: None, ([],), {})
            calls.put(list)
        report.set_sink(lambda *event: None)
        calls.run_batch()
        report.set_sink(None)

    use()
    with no_leaks():
        use()
