"""The table of a stream's life, exhaustively."""

import itertools

import pytest

from torsion.core import streamlife as life

EVENTS = (life.CONNECT, life.LOSE, life.LOSE_WRITE, life.FLUSHED, life.ABORT, life.LOSS)

# Written out once more, by hand: state, and what each of EVENTS makes of it, "." for no change.
EXPECTED = """
new           open  .        .             .            .        lost
open          .     closing  half_closing  .            aborted  lost
half_closing  .     closing  .             half_closed  aborted  lost
closing       .     .        .             lost         aborted  lost
half_closed   .     lost     .             .            aborted  lost
aborted       .     .        .             .            .        lost
lost          .     .        .             .            .        .
"""
ROWS = [line.split() for line in EXPECTED.strip().splitlines()]
MOVES = [
    (name, event, name if then == "." else then)
    for name, *thens in ROWS
    for event, then in zip(EVENTS, thens, strict=True)
]


def number(name: str) -> int:
    value: int = getattr(life, name.upper())
    return value


@pytest.mark.parametrize(
    ("state", "event", "then"),
    [
        (row[0], event, row[0] if then == "." else then)
        for row in ROWS
        for event, then in zip(EVENTS, row[1:], strict=True)
    ],
)
def test_each_event_in_each_state(state: str, event: str, then: str) -> None:
    assert life.after(number(state), event) == number(then)


def test_every_state_is_in_the_table_and_has_a_name() -> None:
    assert sorted(life.MOVES) == list(range(len(life.STATES)))
    assert {number(row[0]) for row in ROWS} == set(life.MOVES)
    assert [name.replace(" ", "_") for name in life.STATES] == sorted((row[0] for row in ROWS), key=number)


def test_nothing_leads_out_of_lost_and_every_state_ends_there() -> None:
    for state in life.MOVES:
        if state != life.LOST:
            assert life.after(state, life.LOSS) == life.LOST


@pytest.mark.parametrize("events", list(itertools.product((life.LOSE, life.LOSE_WRITE, life.ABORT), repeat=3)))
def test_closing_never_opens_again(events: tuple[str, ...]) -> None:
    state = life.OPEN
    for event in events:
        state = life.after(state, event)
        assert state != life.OPEN and state != life.NEW
