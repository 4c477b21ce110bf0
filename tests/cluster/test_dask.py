"""Calls on other machines: defer_to_executor and BoundedExecutor over a Dask cluster of processes.

Run by itself, not with the other tests: the cluster's threads go on as long as the process does, and what they make and
open would be taken for leaks of others.
"""

import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.contract.parts import Reports
from tests.contract.test_threads import run

from torsion.contract import Reactor
from torsion.core.deferred import CancelledError, Deferred
from torsion.defer import gatherResults
from torsion.task import deferLater
from torsion.threads import BoundedExecutor, defer_to_executor

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    distributed = pytest.importorskip("distributed")

# What the cluster's own code warns of is its affair.
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(scope="session")
def client() -> Iterator[Any]:
    """A client of two processes that do one call at a time. A call that kills its worker is not tried on another."""
    import dask

    with (
        warnings.catch_warnings(),
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
    ):
        warnings.simplefilter("default")
        with (
            distributed.LocalCluster(
                n_workers=2,
                threads_per_worker=1,
                processes=True,
                dashboard_address=None,
                worker_dashboard_address=None,
                silence_logs=60,
            ) as cluster,
            distributed.Client(cluster) as client,
        ):
            yield client


@pytest.fixture
def executor(client: Any) -> Iterator[Any]:
    made = client.get_executor(pure=False)
    yield made
    made.shutdown(wait=False)  # a test that failed may have left something that nobody lets go on


@pytest.fixture
def reactor(reports: Reports) -> Iterator[Reactor]:
    made = Reactor()
    yield made
    made.close()


class Gate:
    """A call on the cluster that says that it has begun, and then waits, until the test lets it go on."""

    def __init__(self, folder: Path, name: str) -> None:
        self.begun, self.go_on = str(folder / f"{name}.begun"), str(folder / f"{name}.go-on")
        os.mkfifo(self.go_on)

    def call(self) -> Callable[[], int]:
        begun, go_on = self.begun, self.go_on

        def hold() -> int:  # has no globals of this module: it travels as it is
            import os

            os.close(os.open(begun, os.O_CREAT))
            with open(go_on):  # until somebody opens the other end
                return os.getpid()

        return hold

    def has_begun(self, reactor: Reactor) -> Deferred:
        """A Deferred that fires when the call has begun; the loop turns meanwhile."""
        if os.path.exists(self.begun):
            return deferLater(reactor, 0)
        return deferLater(reactor, 0.005, self.has_begun, reactor)

    def open(self) -> None:
        with open(self.go_on, "w"):
            pass


@pytest.fixture
def gate(tmp_path: Path) -> Callable[[str], Gate]:
    return lambda name: Gate(tmp_path, name)


def test_a_result_comes_from_another_process(reactor: Reactor, executor: Any) -> None:
    assert run(reactor, defer_to_executor, executor, os.getpid) != os.getpid()


def test_an_error_comes_as_it_was_raised(reactor: Reactor, executor: Any) -> None:
    with pytest.raises(TypeError, match="unsupported operand"):
        run(reactor, defer_to_executor, executor, pow, 2, "x")


def test_a_result_that_comes_after_the_deferred_was_cancelled_is_dropped(
    reactor: Reactor, executor: Any, gate: Callable[[str], Gate]
) -> None:
    async def go() -> list[Any]:
        held, outcomes = gate("held"), []
        deferred = defer_to_executor(executor, held.call())
        deferred.addErrback(lambda failure: failure.type).addBoth(outcomes.append)
        await held.has_begun(reactor)
        deferred.cancel()
        assert outcomes == [CancelledError]  # at once
        held.open()
        await gatherResults([defer_to_executor(executor, os.getpid) for _ in range(4)])
        return outcomes

    assert run(reactor, lambda: Deferred.fromCoroutine(go())) == [CancelledError]


def calls_on(client: Any) -> tuple[int, int]:
    """How many calls the scheduler and the workers know of, running or not."""

    def on_scheduler(dask_scheduler: Any) -> int:
        return len(dask_scheduler.tasks)

    def on_worker(dask_worker: Any) -> int:
        return len(dask_worker.state.tasks)

    return client.run_on_scheduler(on_scheduler), sum(client.run(on_worker).values())


def test_a_call_that_is_cancelled_before_it_begins_never_does(
    reactor: Reactor, client: Any, executor: Any, gate: Callable[[str], Gate]
) -> None:
    async def go() -> None:
        held = [gate(f"held{number}") for number in range(2)]
        running = [defer_to_executor(executor, each.call()) for each in held]
        for each in held:
            await each.has_begun(reactor)
        late = gate("late")
        waiting = defer_to_executor(executor, late.call())
        waiting.addErrback(lambda failure: failure.trap(CancelledError))
        while calls_on(client)[0] < 3:  # Dask does not cancel what its scheduler has not heard of yet
            await deferLater(reactor, 0.005)
        waiting.cancel()
        while max(calls_on(client)) > 2:  # and the word of it takes its time
            await deferLater(reactor, 0.005)
        for each in held:
            each.open()
        await gatherResults(running)
        await gatherResults([defer_to_executor(executor, os.getpid) for _ in range(4)])
        assert not os.path.exists(late.begun)

    run(reactor, lambda: Deferred.fromCoroutine(go()))


def test_a_worker_that_dies_in_the_middle_of_a_call_fails_that_call_only(reactor: Reactor, executor: Any) -> None:
    with pytest.raises(distributed.KilledWorker):
        run(reactor, defer_to_executor, executor, os._exit, 3)
    second = Reactor()
    assert run(second, defer_to_executor, executor, os.getpid)
    second.close()


def test_no_more_calls_than_allowed_are_on_the_cluster_and_who_has_more_waits_for_room(
    reactor: Reactor, client: Any, executor: Any, gate: Callable[[str], Gate]
) -> None:
    async def go() -> list[int]:
        bounded, most, results = BoundedExecutor(executor, 3), 0, []
        held = gate("held")
        first = bounded.defer(held.call())
        await held.has_begun(reactor)
        for number in range(20):
            await bounded.when_room()
            results.append(bounded.defer(pow, number, 2))
            most = max(most, bounded.in_flight)
            assert bounded.waiting == 0
        assert most == 3
        assert bounded.in_flight >= 1  # the one that is held
        held.open()
        await first
        return list(await gatherResults(results))

    assert run(reactor, lambda: Deferred.fromCoroutine(go())) == [number**2 for number in range(20)]


def test_a_cancelled_call_that_its_worker_still_does_gives_its_place_back(
    reactor: Reactor, executor: Any, gate: Callable[[str], Gate]
) -> None:
    """Dask lets a running call go as soon as it is cancelled: it is not in flight any more."""

    async def go() -> int:
        bounded, held = BoundedExecutor(executor, 1), gate("held")
        deferred = bounded.defer(held.call())
        await held.has_begun(reactor)
        deferred.addErrback(lambda failure: failure.trap(CancelledError))
        deferred.cancel()
        result = await bounded.defer(pow, 3, 2)
        held.open()
        return int(result)

    assert run(reactor, lambda: Deferred.fromCoroutine(go())) == 9


def test_an_executor_that_is_shut_down_says_so(reactor: Reactor, client: Any) -> None:
    executor = client.get_executor()
    executor.shutdown()
    with pytest.raises(RuntimeError, match="after shutdown"):
        run(reactor, BoundedExecutor(executor, 1).defer, os.getpid)
