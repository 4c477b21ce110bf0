"""The threads that wait for the system's lookup: how many, until when, and what stop() leaves undone."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from torsion.failure import Failure
from torsion.net.lookup import Threads

PATIENCE = 20  # seconds; a test that needs them fails


class Held:
    """Calls that are held back in their threads."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.begun = threading.Semaphore(0)
        self.results: list[Any] = []
        self.told = threading.Semaphore(0)
        self.threads: list[threading.Thread] = []

    def call(self, what: Any = None) -> Any:
        self.threads.append(threading.current_thread())
        self.begun.release()
        assert self.go_on.wait(PATIENCE)
        if isinstance(what, BaseException):
            raise what
        return what

    def tell(self, success: bool, result: Any) -> None:
        self.results.append((success, result))
        self.told.release()

    def wait(self, what: threading.Semaphore, times: int = 1) -> None:
        for _ in range(times):
            assert what.acquire(timeout=PATIENCE)

    def end(self) -> None:
        self.go_on.set()
        for thread in self.threads:
            thread.join(PATIENCE)


def test_calls_are_made_in_threads_in_order_at_most_so_many_at_a_time() -> None:
    held, threads = Held(), Threads(most=2)
    for number in range(5):
        threads.callInThreadWithCallback(held.tell, held.call, number)
    held.wait(held.begun, 2)
    assert len(set(held.threads)) == 2
    assert not held.begun.acquire(blocking=False)
    held.go_on.set()
    held.wait(held.told, 5)
    assert sorted(held.results) == [(True, number) for number in range(5)]
    assert len(set(held.threads)) == 2
    held.end()
    threads.stop()


def test_what_a_call_raises_is_a_failure_and_the_thread_goes_on() -> None:
    held, threads = Held(), Threads(most=1)
    held.go_on.set()
    threads.callInThreadWithCallback(held.tell, held.call, SystemExit(3))
    threads.callInThreadWithCallback(held.tell, held.call, 7)
    held.wait(held.told, 2)
    (first, failure), second = held.results
    assert first is False
    assert isinstance(failure, Failure)
    assert failure.check(SystemExit)
    assert second == (True, 7)
    threads.stop()


def test_a_thread_ends_when_no_call_waits_and_another_is_made_for_the_next(
    no_leaks: Callable[[], AbstractContextManager[None]],
) -> None:
    def one() -> None:
        held, threads = Held(), Threads()
        held.go_on.set()
        for _ in range(3):
            threads.callInThreadWithCallback(held.tell, held.call)
            held.wait(held.told)
            held.end()
        assert not any(thread.is_alive() for thread in held.threads)
        threads.stop()

    one()
    with no_leaks():
        one()


def test_stop_waits_for_no_call_and_drops_what_waits() -> None:
    held, threads = Held(), Threads(most=1)
    threads.callInThreadWithCallback(held.tell, held.call)
    threads.callInThreadWithCallback(held.tell, held.call)
    held.wait(held.begun)
    threads.stop()
    threads.callInThreadWithCallback(held.tell, held.call)
    held.end()
    assert not held.results
    assert len(held.threads) == 1


def test_a_result_may_stop_the_threads() -> None:
    held, threads = Held(), Threads()
    held.go_on.set()

    def tell(success: bool, result: Any) -> None:
        threads.stop()
        held.told.release()

    threads.callInThreadWithCallback(tell, held.call)
    held.wait(held.told)
    held.end()


@pytest.mark.parametrize("working", [0, 1])
def test_where_the_system_has_no_thread_to_give(monkeypatch: pytest.MonkeyPatch, working: int) -> None:
    held, threads = Held(), Threads()
    for _ in range(working):
        threads.callInThreadWithCallback(held.tell, held.call)
    held.wait(held.begun, working)

    def no_more(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", no_more)
        if working:
            threads.callInThreadWithCallback(held.tell, held.call)  # waits for the one there is
        else:
            with pytest.raises(RuntimeError, match="can't start"):
                threads.callInThreadWithCallback(held.tell, held.call)
    held.go_on.set()
    held.wait(held.told, 2 * working)
    held.end()
    threads.callInThreadWithCallback(held.tell, held.call)
    held.wait(held.told)
    held.end()
    threads.stop()
