"""Who is there, in a list whose members know their places."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion.core.roster import Roster


class Member:
    """Keeps its place, as a stream does."""

    def __init__(self, roster: Roster) -> None:
        self.roster = roster
        self.place = roster.add(self)

    def leave(self) -> None:
        moved = self.roster.remove(self.place)
        if moved is not None:
            moved.place = self.place


@given(st.lists(st.integers(min_value=-20, max_value=20)))
def test_who_came_and_has_not_left_is_there(moves: list[int]) -> None:
    roster, there = Roster(), []
    for move in moves:
        if move < 0 and there:
            there.pop(move % len(there)).leave()
        else:
            there.append(Member(roster))
        assert len(roster) == len(there)
        assert {id(each) for each in roster.members()} == {id(each) for each in there}


def test_it_tells_when_the_last_one_leaves() -> None:
    roster, told = Roster(), []
    roster.emptied = lambda: told.append(len(roster))
    first, second = Member(roster), Member(roster)
    first.leave()
    assert told == []
    second.leave()
    assert told == [0]


def test_nobody_leaves_an_empty_one() -> None:
    with pytest.raises(IndexError):
        Roster().remove(0)


def test_members_may_leave_while_they_are_looked_at() -> None:
    roster = Roster()
    for _ in range(3):
        Member(roster)
    for member in roster.members():
        member.leave()
    assert len(roster) == 0
