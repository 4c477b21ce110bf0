"""How a child comes to its descriptors: the steps, on a model of a process's table, for any wish."""

import os
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion.child import spawn
from torsion.child.spawn import CLOSE, DUP2, order, start, steps


def after(todo: list[spawn.Step], opened: dict[int, str], inherited: set[int]) -> dict[int, str]:
    """What a child has after these steps, and after it became another program."""
    table, stays = dict(opened), set(inherited)
    for kind, fd, *number in todo:
        if kind == DUP2:
            table[number[0]] = table[fd]
            if number[0] != fd:
                stays.add(number[0])
        else:
            assert kind == CLOSE
            del table[fd]
            stays.discard(fd)
    return {fd: file for fd, file in table.items() if fd in stays}


numbers = st.integers(0, 12)


@given(st.dictionaries(numbers, st.booleans(), min_size=1), st.data())
def test_the_child_has_what_was_wanted_and_nothing_else(opened: dict[int, bool], data: st.DataObject) -> None:
    wanted = data.draw(st.dictionaries(numbers, st.sampled_from(sorted(opened))))
    files = {fd: f"file {fd}" for fd in opened}
    inherited = {fd for fd, stays in opened.items() if stays}
    todo = steps(wanted, inherited)
    assert after(todo, files, inherited) == {number: files[ours] for number, ours in wanted.items()}


def test_what_needs_no_step_has_none() -> None:
    assert steps({}, set()) == []
    assert steps({0: 0, 1: 1}, {0, 1}) == []
    assert steps({3: 7}, set()) == [(DUP2, 7, 3)]


def test_the_steps_use_low_numbers_only() -> None:
    """One above the limit could not be had."""
    used = [number for _, *each in steps({1000: 5, 5: 1000}, set()) for number in each]
    assert max(used) == 1000


def test_the_open_descriptors_are_listed() -> None:
    out, into = os.pipe()
    listed = spawn.open_descriptors()
    assert {out, into} <= set(listed)
    os.close(out)
    os.close(into)
    assert not {out, into} & set(spawn.open_descriptors()) - {min(out, into)}  # the listing has one of its own


def test_where_nothing_lists_them_all_that_may_be_open_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_folder(path: str) -> list[str]:
        raise FileNotFoundError(path)

    monkeypatch.setattr(os, "listdir", no_folder)
    listed = spawn.open_descriptors()
    assert listed == list(range(len(listed)))
    assert len(listed) >= 256
    what = order("/bin/true", ["true"], {}, None, None, None)
    assert os.waitpid(start(what, {}), 0)[1] == 0


def test_a_descriptor_above_a_lowered_limit_is_closed_nonetheless() -> None:
    import resource

    program = "import os; os.fstat(200)"
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 200)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (150, before[1]))
        what = order(sys.executable, ["python", "-S", "-c", program], {}, None, None, None)
        pid = start(what, {0: null, 1: null, 2: null})
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
        os.close(200)
        os.close(null)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 1  # it was not open


def test_a_name_that_cannot_be_encoded_is_an_error_at_the_call() -> None:
    with pytest.raises(ValueError, match="surrogates not allowed"):
        order("\ud800", ["x"], {}, None, None, None)


def test_a_user_without_a_name_has_no_other_groups() -> None:
    assert order("x", ["x"], {}, None, 54321, 99).user == (54321, 99, [99])
    assert order("x", ["x"], {}, None, os.getuid(), 99).user == (os.getuid(), 99, None)
