"""A team, stepped by hand through random histories: what must hold whatever happens when."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion.pool.team import Team
from torsion.pool.worker import AlreadyQuit, MemoryWorker, createMemoryWorker

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("do")),
        st.tuples(st.just("fail")),
        st.tuples(st.just("grow"), st.integers(0, 4)),
        st.tuples(st.just("shrink"), st.one_of(st.none(), st.integers(0, 4))),
        st.tuples(st.just("limit"), st.integers(0, 5)),
        st.tuples(st.just("coordinate")),
        st.tuples(st.just("work"), st.integers(0, 4)),
        st.tuples(st.just("quit")),
    ),
    max_size=60,
)


class World:
    """A team with workers in memory, and what is known of it from outside."""

    def __init__(self) -> None:
        self.limit = 5
        self.workers: list[tuple[MemoryWorker, Callable[[], bool]]] = []
        self.given = 0
        self.ran: list[int] = []
        self.failed = 0
        self.has_quit = False
        coordinator, self.coordinate = createMemoryWorker()
        self.coordinator = coordinator
        self.team = Team(coordinator, self.create, self.log)

    def create(self) -> MemoryWorker | None:
        now = self.team.statistics()
        if now.idleWorkerCount + now.busyWorkerCount >= self.limit:
            return None
        self.workers.append(createMemoryWorker())
        return self.workers[-1][0]

    def log(self) -> None:
        self.failed += 1

    def do(self, work: Callable[..., object]) -> None:
        if self.has_quit:
            with pytest.raises(AlreadyQuit):
                self.team.do(work)
        else:
            self.team.do(partial(work, self.given))
            self.given += 1

    def fail(self, number: int) -> None:
        self.ran.append(number)
        raise SystemExit

    def step(self, name: str, *args: Any) -> None:
        if name == "do":
            self.do(self.ran.append)
        elif name == "fail":
            self.do(self.fail)
        elif name == "limit":
            self.limit = args[0]
        elif name == "coordinate":
            self.coordinate()
        elif name == "work":
            if args[0] < len(self.workers):
                self.workers[args[0]][1]()
        elif self.has_quit:
            with pytest.raises(AlreadyQuit):
                getattr(self.team, name)(*args)
        else:
            getattr(self.team, name)(*args)
            self.has_quit = name == "quit"

    def settle(self) -> None:
        """Do everything that is left to do."""
        while any([self.coordinate(), *(perform() for _, perform in self.workers)]):
            pass

    def living(self) -> int:
        return sum(not worker._quit.isSet for worker, _ in self.workers)


@given(STEPS)
def test_all_work_is_done_once_and_every_worker_quits_at_the_end(steps: list[tuple[Any, ...]]) -> None:
    world = World()
    for step in steps:
        world.step(*step)
        now = world.team.statistics()
        assert now.idleWorkerCount + now.busyWorkerCount == world.living()
        assert world.team.leaving <= now.busyWorkerCount
        # Work waits only where there is nobody to do it.
        assert not now.idleWorkerCount or not now.backloggedWorkCount
    world.limit = 5
    if not world.has_quit:
        world.settle()
        world.step("grow", world.team.statistics().backloggedWorkCount)
        world.settle()
        assert world.team.statistics().busyWorkerCount == 0
        assert sorted(world.ran) == list(range(world.given))
        world.step("quit")
    world.settle()
    assert len(set(world.ran)) == len(world.ran)
    assert len(world.ran) + world.team.statistics().backloggedWorkCount == world.given
    assert world.living() == 0
    with pytest.raises(AlreadyQuit):
        world.coordinator.quit()


@given(st.lists(st.sampled_from(["do", "coordinate", "first works"]), max_size=40), st.integers(1, 3))
def test_work_begins_in_the_order_in_which_it_came(steps: list[str], limit: int) -> None:
    """With one worker the row is the whole row; with more, which of them works first is chance."""
    world = World()
    world.limit = limit
    for name in steps:
        if name == "first works":
            world.step("work", 0)
        else:
            world.step(name)
    world.settle()
    assert sorted(world.ran) == list(range(world.given))
    if limit == 1:
        assert world.ran == list(range(world.given))
