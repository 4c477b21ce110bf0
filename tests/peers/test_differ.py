"""The differential fuzzer finds a difference, makes the program small, and finds none between Twisted and itself."""

import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent / "differ"
sys.path.insert(0, str(HERE))

import differ  # noqa: E402
import generate  # noqa: E402

#: What a side runs instead of the interpreter of programs: the same, but its Deferreds forget what they were given.
DAMAGED = """
import runpy, sys
from twisted.internet import defer

callback = defer.Deferred.callback
defer.Deferred.callback = lambda self, result: callback(self, None if result == "text" else result)
sys.argv = sys.argv[1:]
sys.path.insert(0, sys.argv[0].rpartition("/")[0])
runpy.run_path(sys.argv[0], run_name="__main__")
"""

PROGRAM: list[Any] = [
    ["new", None],
    ["new", None],
    ["add", 0, "callback", [[["look", 0]], ["pass"]], [[], ["pass"]]],
    ["cancel", 1],
    ["fire", 0, "text"],
]


@pytest.fixture
def damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "damaged.py"
    script.write_text(DAMAGED)
    monkeypatch.setattr(differ, "SIDES", {"stock": (), "ours": (str(script),)})


def test_a_seed_makes_the_same_program_every_time() -> None:
    assert [generate.program(seed) for seed in range(50)] == [generate.program(seed) for seed in range(50)]


def test_both_engines_do_the_same() -> None:
    programs = [generate.program(seed) for seed in range(60)]
    stock, _ = differ.logs_of(programs)
    assert None not in stock and sum(bool(log) for log in stock) > 50
    assert differ.differing(programs, Counter()) == []


def test_both_engines_do_the_same_in_programs_of_every_kind() -> None:
    programs = [generate.program(seed, [kind.__name__]) for _, kind in generate.KINDS for seed in range(4)]
    assert differ.differing(programs, Counter()) == []


CIRCLE: list[Any] = [["new", None], ["fire", 0, ["deferred", 0]], ["cancel", 0], ["look", 0]]


def test_deferreds_that_wait_for_each_other_are_not_cancelled() -> None:
    """And where something may cancel them that is no operation, the program ends."""
    logs = differ.logs_of([CIRCLE, [CIRCLE[0], ["race", []], *CIRCLE[1:]]])
    for alone, with_race in logs:
        assert alone is not None and [event[0] for event in alone["main"]] == ["look"]
        assert with_race is not None and with_race["main"] == [["a circle"]]


@pytest.mark.usefixtures("damaged")
def test_a_difference_is_found_and_the_program_made_small() -> None:
    assert differ.differing([PROGRAM[:2], PROGRAM], Counter()) == [1]
    small = differ.shrunk(PROGRAM)
    assert small == [PROGRAM[0], ["add", 0, "callback", [[], ["pass"]], [[], ["pass"]]], PROGRAM[4]]


def test_a_program_that_hangs_ends_its_process_and_the_next_one_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    hanging = [["looping", [[], ["pass"]], False], ["loop_start", 0, 0, False], ["advance", 1]]  # statement 89
    stock, ours = differ.logs_of([hanging, PROGRAM])
    assert stock[0] is None and ours[0] is None
    assert stock[1] is not None and stock[1] == ours[1]
    assert not differ.differs(hanging)


def test_the_command_says_what_differs(tmp_path: Path) -> None:
    command = [sys.executable, str(HERE / "differ.py"), "--programs", "3", "--seed", "7"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 programs in" in done.stdout and "0 differ" in done.stdout
