"""The outbox against a bytearray, under random programs."""

from hypothesis import given, settings
from hypothesis import strategies as st

from torsion.core.outbox import Outbox

# Around what is small enough to be joined, and around where joining ends.
SIZES = st.one_of(
    st.integers(0, 3), st.sampled_from([50, 4000, 4095, 4096, 4097, 10_000, 65_535, 65_536, 65_537, 150_000])
)
LIMITS = st.sampled_from([1, 7, 4095, 4096, 5000, 65_536, 70_000, 1 << 20, (1 << 63) - 1])
#: How much of what was offered is taken, in hundredths.
SHARES = st.sampled_from([0, 1, 10, 50, 99, 100, 100])
STEPS = st.one_of(
    st.tuples(st.just("append"), SIZES),
    st.tuples(st.just("extend"), st.lists(SIZES, max_size=4)),
    st.tuples(st.just("many"), st.integers(2, 200), st.sampled_from([1, 700, 3000])),
    st.tuples(st.just("view"), LIMITS, SHARES),
    st.tuples(st.just("pieces"), LIMITS, SHARES),
    st.tuples(st.just("take"), SHARES),
    st.tuples(st.just("over"), st.integers(-1, 1)),
)


class Machine:
    """An outbox, and what must be in it."""

    def __init__(self) -> None:
        self.outbox = Outbox()
        self.model = bytearray()
        self.pattern = 0

    def make(self, size: int) -> bytes:
        """Bytes that show when they are out of place."""
        self.pattern += 1
        return (self.pattern.to_bytes(3, "big") * (size // 3 + 1))[:size]

    def append(self, size: int) -> None:
        data = self.make(size)
        self.outbox.append(data)
        self.model += data

    def extend(self, sizes: list[int]) -> None:
        pieces = [self.make(size) for size in sizes]
        self.outbox.extend(iter(pieces))
        self.model += b"".join(pieces)

    def many(self, count: int, size: int) -> None:
        for _ in range(count):
            self.append(size)

    def view(self, limit: int, share: int) -> None:
        offered = self.outbox.view(limit)
        assert self.model[: len(offered)] == offered
        assert len(offered) <= limit
        assert len(offered) >= min(len(self.model), 1)
        self.remove(len(offered) * share // 100)

    def pieces(self, limit: int, share: int) -> None:
        offered = self.outbox.pieces(limit)
        together = b"".join(offered)
        assert self.model[: len(together)] == together
        assert len(together) <= limit
        # Nothing is held back unless there are too many buffers already.
        assert len(together) == min(len(self.model), limit) or len(offered) == 64
        assert all(map(len, offered))
        self.remove(len(together) * share // 100)

    def take(self, share: int) -> None:
        self.remove(len(self.model) * share // 100)

    def over(self, difference: int) -> None:
        assert self.outbox.over(len(self.model) + difference) is (difference < 0)

    def remove(self, count: int) -> None:
        self.outbox.take(count)
        del self.model[:count]


@settings(max_examples=300)
@given(st.lists(STEPS, max_size=40))
def test_it_gives_out_what_was_put_in(program: list[tuple]) -> None:
    machine = Machine()
    for name, *arguments in program:
        getattr(machine, name)(*arguments)
        assert len(machine.outbox) == machine.outbox.size == len(machine.model)
        assert bool(machine.outbox) is bool(machine.model)
    received = bytearray()
    while machine.outbox:
        offered = b"".join(machine.outbox.pieces(100_000))
        received += offered
        machine.outbox.take(len(offered))
    assert received == machine.model
    assert machine.outbox.pieces(1) == []
    assert machine.outbox.view(1) == b""
