"""Whatever handlers do to each other's descriptors: nobody is told what is not theirs, and the poller is up to date."""

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.scripted import Batch, ScriptedPoller, scripted_engine

from torsion.engine.poll import GONE, READ, WRITE
from torsion.engine.turn import Engine

FDS = st.integers(0, 4)
INTEREST = st.sampled_from([0, READ, WRITE, READ | WRITE])
#: watch a number by one of two handlers, forget it, or turn the loop from inside a handler
ACTION = st.one_of(
    st.tuples(st.just("watch"), FDS, INTEREST, st.integers(0, 1)),
    st.tuples(st.just("forget"), FDS, st.just(0), st.just(0)),
    st.tuples(st.just("turn"), st.just(0), st.just(0), st.just(0)),
)
READY = st.lists(st.tuples(FDS, st.integers(1, 7)), max_size=6, unique_by=lambda event: event[0])


class Model:
    """Who should be told what: for each number the handler, its interest and since which wait it is watched."""

    def __init__(self, engine: Engine, poller: ScriptedPoller, actions: list[tuple[str, int, int, int]]) -> None:
        self.engine = engine
        self.poller = poller
        self.actions = actions
        self.wanted: dict[int, tuple[Handler, int, int]] = {}
        self.waits = 0
        self.handlers = {(fd, which): Handler(self, fd) for fd in range(5) for which in range(2)}
        poller.asleep = self.wait_begins

    def wait_begins(self) -> None:
        self.waits += 1
        self.wanted = {fd: entry for fd, entry in self.wanted.items() if entry[1]}
        known = {fd: interest for fd, interest in self.poller.watched.items() if fd != self.engine.waker.fileno()}
        assert known == {fd: interest for fd, (_, interest, _) in self.wanted.items()}

    def act(self) -> None:
        if not self.actions:
            return
        kind, fd, interest, which = self.actions.pop()
        if kind == "watch":
            handler = self.handlers[fd, which]
            before = self.wanted.get(fd)
            since = before[2] if before is not None and before[0] is handler else self.waits
            self.wanted[fd] = (handler, interest, since)
            self.engine.watch(fd, handler, interest)
        elif kind == "forget":
            self.wanted.pop(fd, None)
            self.engine.forget(fd)
        else:
            self.engine.turn(0)


class Handler:
    def __init__(self, model: Model, fd: int) -> None:
        self.model = model
        self.fd = fd

    def on_ready(self, ready: int) -> None:
        handler, interest, since = self.model.wanted[self.fd]
        assert handler is self
        assert since < self.model.waits, "told of an event from before it watched"
        assert interest
        assert ready
        assert not ready & ~(interest | GONE)
        self.model.act()
        self.model.act()


@given(st.lists(st.one_of(ACTION, READY), max_size=40), st.lists(ACTION, max_size=40))
def test_s061_events_reach_their_watcher_and_nobody_else(
    script: list[tuple[str, int, int, int] | Batch], actions: list[tuple[str, int, int, int]]
) -> None:
    engine, poller, _ = scripted_engine()
    model = Model(engine, poller, actions)
    for step in script:
        if isinstance(step, tuple):
            model.actions.append(step)
            model.act()
        else:
            poller.batches.append(step)
            engine.turn(0)
    poller.batches.clear()
    engine.turn(0)
