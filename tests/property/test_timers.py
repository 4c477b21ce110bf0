"""The timer queue against a sorted list, under random programs."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from torsion.core.delayed import DelayedCall
from torsion.core.timers import TimerQueue

# Few distinct times, so that many are equal; small and large ones, so that near and far calls take different ways.
TIMES = st.sampled_from([0, 0, 0.001, 0.02, 0.5, 1, 1, 2, 3, 4.5, 9, 100, 101, 1000.5])
STEPS = st.one_of(
    st.tuples(st.just("add"), TIMES),
    st.tuples(st.just("reset"), TIMES, st.integers(0, 40)),
    st.tuples(st.just("delay"), st.sampled_from([-2, -0.5, 0.5, 1, 50]), st.integers(0, 40)),
    st.tuples(st.just("cancel"), st.integers(0, 40)),
    st.tuples(st.just("next_due")),
    st.tuples(st.just("advance"), TIMES),
    st.tuples(st.just("many"), TIMES, st.integers(2, 80)),
    st.tuples(st.just("cancel many"), st.integers(1, 3)),
    # The next call that runs does this to another, or schedules one.
    st.tuples(st.just("during"), st.sampled_from(["add", "reset", "cancel"]), TIMES, st.integers(0, 40)),
)


class Machine:
    """A queue, and beside it what each call's time is known to be."""

    def __init__(self) -> None:
        self.now = 0.0
        self.queue = TimerQueue()
        self.calls: list[DelayedCall] = []  # those to come, in the order of scheduling
        self.when: dict[DelayedCall, float] = {}
        self.new: set[DelayedCall] = set()  # scheduled in the pass that is running
        self.ran: list[DelayedCall] = []
        self.orders: list[Any] = []
        self.moved: set[DelayedCall] = set()

    def add(self, delay: float) -> None:
        call = DelayedCall(self.now + delay, self.run, (), {}, self.queue.cancel, self.queue.reset, lambda: self.now)
        call.args = (call,)
        self.queue.add(call)
        self.calls.append(call)
        self.when[call] = call.time
        self.new.add(call)

    def pick(self, at: int) -> DelayedCall | None:
        return self.calls[at % len(self.calls)] if self.calls else None

    def reset(self, seconds: float, at: int) -> None:
        call = self.pick(at)
        if call is not None:
            call.reset(seconds)
            self.when[call] = self.now + seconds
            self.moved.add(call)
            assert abs(call.getTime() - self.when[call]) < 1e-9
            self.when[call] = call.getTime()

    def delay(self, seconds: float, at: int) -> None:
        call = self.pick(at)
        if call is not None:
            before = call.getTime()
            call.delay(seconds)
            self.moved.add(call)
            assert abs(call.getTime() - (before + seconds)) < 1e-9
            self.when[call] = call.getTime()

    def cancel(self, at: int) -> None:
        call = self.pick(at)
        if call is not None:
            call.cancel()
            self.calls.remove(call)

    def run(self, call: DelayedCall) -> None:
        assert call.called and call in self.calls and call not in self.new
        assert self.when[call] <= self.now + 1e-9
        # Nothing that is to come was due before it, and among equals that were never moved none was scheduled before.
        for other in self.calls:
            if other is not call and other not in self.new:
                assert self.when[other] >= self.when[call] - 1e-9
                if other.time == call.time and not {call, other} & self.moved:
                    assert self.calls.index(other) > self.calls.index(call)
        self.calls.remove(call)
        self.ran.append(call)
        if self.orders:
            kind, seconds, at = self.orders.pop()
            if kind == "add":
                self.add(seconds)
            elif kind == "reset":
                self.reset(seconds, at)
            else:
                self.cancel(at)

    def advance(self, seconds: float) -> None:
        self.now += seconds
        self.new.clear()
        self.ran = []
        assert self.queue.run_due(self.now) == len(self.ran)
        assert all(self.when[call] > self.now - 1e-9 or call in self.new for call in self.calls)

    def check(self) -> None:
        assert set(self.queue.calls()) == set(self.calls)
        assert len(self.queue.calls()) == len(self.calls)

    def check_next_due(self) -> None:
        # It may be early (cancelled, postponed), never late.
        due = self.queue.next_due()
        if self.calls:
            assert due is not None and due <= min(self.when[call] for call in self.calls) + 1e-9


@settings(max_examples=300)
@given(st.lists(STEPS, max_size=40))
def test_the_queue_does_what_a_sorted_list_would(steps: list[tuple[Any, ...]]) -> None:
    machine = Machine()
    for name, *arguments in steps:
        if name == "next_due":
            machine.check_next_due()
        elif name == "many":
            for _ in range(arguments[1]):
                machine.add(arguments[0])
        elif name == "cancel many":
            for at in reversed(range(0, len(machine.calls), arguments[0])):
                machine.cancel(at)
        elif name == "during":
            machine.orders.append(arguments)
        else:
            getattr(machine, name)(*arguments)
        machine.check()
    machine.check_next_due()
    machine.orders.clear()
    while machine.calls:
        due = machine.queue.next_due()
        assert due is not None
        machine.advance(max(due - machine.now, 0))
    machine.advance(1e7)
    assert machine.queue.next_due() is None
