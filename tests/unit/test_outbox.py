"""Bytes waiting to be written: what is copied and what is not, and that nothing depends on sizes."""

import gc
import sys
import tracemalloc

import pytest

from torsion.core.outbox import Outbox

LIMIT = 1 << 62


def test_an_empty_one_has_nothing_to_send() -> None:
    outbox = Outbox()
    assert not outbox
    assert len(outbox) == outbox.size == 0
    assert outbox.view(LIMIT) == b""
    assert outbox.pieces(LIMIT) == []
    assert not outbox.over(0)
    outbox.take(0)


def test_empty_pieces_are_nothing() -> None:
    outbox = Outbox()
    outbox.append(b"")
    outbox.extend([b"", b"a", b"", b"b" * 5000, b""])
    assert [bytes(piece) for piece in outbox.pieces(LIMIT)] == [b"a", b"b" * 5000]


@pytest.mark.parametrize("size", [1, 5000, 1 << 20])
def test_a_single_piece_is_offered_as_it_is(size: int) -> None:
    outbox, data = Outbox(), bytes(size)
    outbox.append(data)
    assert outbox.view(LIMIT) is data
    assert outbox.view(size) is data
    assert outbox.pieces(LIMIT)[0] is data


def test_what_was_taken_is_not_offered_again() -> None:
    outbox = Outbox()
    outbox.append(b"abcdef")
    outbox.take(2)
    assert outbox.view(LIMIT) == b"cdef"
    assert outbox.view(3) == b"cde"
    outbox.take(4)
    assert not outbox


def test_small_pieces_are_joined_in_their_order() -> None:
    outbox = Outbox()
    outbox.extend(letter.encode() for letter in "one send")
    assert outbox.view(LIMIT) == b"one send"
    assert [bytes(piece) for piece in outbox.pieces(LIMIT)] == [b"one send"]


def test_what_one_send_left_over_goes_with_what_came_meanwhile() -> None:
    outbox = Outbox()
    outbox.append(b"hello")
    outbox.take(3)
    outbox.append(b" world")
    assert outbox.view(LIMIT) == b"lo world"


def test_a_large_piece_is_never_copied() -> None:
    outbox, header, body, trailer = Outbox(), b"header", bytes(100_000), b"trailer"
    outbox.extend([header, body, trailer])
    first, second, third = outbox.pieces(LIMIT)
    assert first is header
    assert second is body
    assert third is trailer
    outbox.take(len(header) + 10)
    view = outbox.view(LIMIT)
    assert isinstance(view, memoryview)
    assert view.obj is body
    assert len(view) == len(body) - 10


def test_a_limit_cuts_the_last_piece() -> None:
    outbox = Outbox()
    outbox.extend([b"a" * 5000, b"b" * 5000, b"c" * 5000])
    assert [len(piece) for piece in outbox.pieces(7000)] == [5000, 2000]
    assert [len(piece) for piece in outbox.pieces(10_000)] == [5000, 5000]
    assert [len(piece) for piece in outbox.pieces(10)] == [10]
    assert [len(piece) for piece in outbox.pieces(sys.maxsize)] == [5000, 5000, 5000]


def test_a_view_outlives_what_it_shows() -> None:
    """A send that is under way elsewhere, or a TLS engine, may still read it."""
    outbox = Outbox()
    outbox.append(b"x" * 10_000)
    outbox.take(1)
    view = outbox.view(100)
    outbox.take(9999)
    assert bytes(view) == b"x" * 100


def test_s068_exactly_the_limit_is_not_over_it() -> None:
    outbox = Outbox()
    outbox.append(bytes(65_536))
    assert not outbox.over(65_536)
    outbox.append(b"x")
    assert outbox.over(65_536)
    outbox.take(1)
    assert not outbox.over(65_536)


@pytest.mark.parametrize("count", [-1, 4, sys.maxsize])
def test_more_than_there_is_cannot_be_taken(count: int) -> None:
    outbox = Outbox()
    outbox.append(b"abc")
    with pytest.raises(ValueError, match=f"cannot take {count} bytes: 3 wait"):
        outbox.take(count)
    assert outbox.view(LIMIT) == b"abc"


def test_pieces_that_raise_leave_what_came_before_them() -> None:
    def pieces():
        yield b"one"
        raise KeyError("two")

    outbox = Outbox()
    with pytest.raises(KeyError):
        outbox.extend(pieces())
    assert outbox.view(LIMIT) == b"one"


def test_what_was_sent_is_let_go_at_once() -> None:
    outbox = Outbox()
    pieces = [bytes(5000) for _ in range(10)]
    alone = sys.getrefcount(pieces[0])
    outbox.extend(pieces)
    for sent in range(1, 11):
        outbox.take(5000)
        held = [sys.getrefcount(pieces[at]) > alone for at in range(10)]
        assert held == [False] * sent + [True] * (10 - sent)


def test_what_was_joined_is_let_go_at_once() -> None:
    outbox = Outbox()
    pieces = [bytes([at]) * 100 for at in range(100)]
    alone = sys.getrefcount(pieces[0])
    outbox.extend([*pieces, bytes(5000), *pieces[:2]])
    outbox.view(LIMIT)
    assert [at for at in range(100) if sys.getrefcount(pieces[at]) > alone] == [0, 1]


def test_a_million_single_bytes() -> None:
    outbox = Outbox()
    for _ in range(1_000_000):
        outbox.append(b"x")
    sends = 0
    while outbox:
        outbox.take(len(outbox.view(LIMIT)))
        sends += 1
    assert sends < 20


def test_a_reader_of_single_bytes_costs_no_copies() -> None:
    """Each of these steps would copy the backlog if it were one buffer."""
    outbox = Outbox()
    outbox.append(bytes(1 << 30))  # the system gives zeros without touching them
    for _ in range(100_000):
        outbox.append(b"x")
    tracemalloc.start()
    try:
        for _ in range(1000):
            outbox.view(LIMIT)
            outbox.pieces(LIMIT)
            outbox.take(1)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000
    assert len(outbox) == (1 << 30) + 99_000


def test_a_reader_as_slow_as_the_writer_costs_few_copies() -> None:
    """Each view could join the little that is left with the little that has come."""
    outbox = Outbox()
    outbox.extend([b"x"] * 100_000)
    for _ in range(100_000):
        outbox.view(LIMIT)
        outbox.take(1)
        outbox.append(b"y")
    assert bytes(outbox.view(LIMIT)[:1]) == b"y"
    assert len(outbox) == 100_000


def test_a_queue_that_is_never_empty_does_not_grow() -> None:
    outbox = Outbox()
    outbox.append(bytes(5000))
    gc.collect()
    tracemalloc.start()
    try:
        for _ in range(50_000):
            outbox.append(bytes(5000))
            outbox.take(5000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100_000


def test_it_leaves_no_cycle(no_leaks) -> None:
    with no_leaks():
        for _ in range(100):
            outbox = Outbox()
            outbox.extend([b"a", b"b", bytes(5000), b"c"])
            outbox.pieces(10)
            outbox.take(1)
        del outbox
