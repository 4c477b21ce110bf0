"""What an echo, a connection and a turn cost in system calls, counted by strace; and the counting itself."""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from tests.interpreters import needs_twisted

import torsion
from torsion import lane

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
needs_valgrind = pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    monkeypatch.setenv("PYTHONPATH", str(Path(lane.ROOT).parent))
    before = set(sys.modules)
    import counts

    yield counts
    for name in set(sys.modules) - before:
        del sys.modules[name]


@needs_strace
@needs_twisted  # its echo server is Twisted's program
def test_system_calls_of_an_echo_and_a_connection(counts: ModuleType, tmp_path: Path) -> None:
    served = counts.count_served(counts.TOOLS["strace"], "torsion", tmp_path / "out")
    found = {name: counts.calls_of(each) for name, each in served.items()}
    total = {name: round(sum(each.values()), 1) for name, each in found.items()}
    interpreted = torsion.LANE == lane.INTERPRETED
    assert total["echoed message"] == 3, found  # wait, receive, send
    assert total[counts.ECHO_AT_ONCE] <= 2.2, found  # the wait is shared
    assert total["accepted connection"] <= (6.5 if interpreted else 4.5), found
    assert total["closed connection"] <= (6 if interpreted else 5), found


@needs_strace
@needs_twisted
def test_system_calls_of_deferreds_timers_and_turns(counts: ModuleType, tmp_path: Path) -> None:
    found = counts.count_operations(counts.TOOLS["strace"], "torsion", tmp_path / "out")
    calls = {name: round(sum(counts.calls_of(each).values()), 1) for name, each in found.items()}
    assert calls.pop("call later chain") == 1, found  # a turn looks at the descriptors
    assert calls.pop("call from thread") < 1, found
    assert "inline call" in calls and "timer schedule and fire" in calls
    assert set(calls.values()) == {0}, found


def test_a_trace_is_split_at_the_marks(counts: ModuleType, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.write_text(
        '7  read(0, "x", 1) = 1\n'
        "7  getpgrp() = 7\n"
        "7  futex(0x1, FUTEX_WAIT <unfinished ...>\n"
        '18 write(4, "getpgrp()", 9) = 9\n'
        "7  <... futex resumed>) = 0\n"
        "7  write(4, 1) = 1\n"
        "7  getpgrp( <unfinished ...>\n"
        "18 futex(0x1, FUTEX_WAKE) = 1\n"
        "7  <... getpgrp resumed>) = 7\n"
        "7  +++ exited with 0 +++\n"
    )
    parts = [counts.count_trace(part) for part in counts.split_trace(out)]
    assert parts == [{"read": 1}, {"futex": 1, "write": 2}, {"futex": 1}]


def test_calls_and_allocations_are_counted_in_a_profile(counts: ModuleType, tmp_path: Path) -> None:
    profile = tmp_path / "out.2"
    profile.write_text(
        "fn=(1) list_append\n12 5\n"
        "cfn=(2) PyMem_Realloc\ncalls=3 10\n12 90\n"
        "fn=(2)\n12 9\n"
        "cfn=(3) _PyObject_Realloc\ncalls=3 10\n12 60\n"
        "fn=(4) dispatch\n12 9\n"
        "cfn=(5) _PyEval_EvalFrameDefault'2\ncalls=4 10\n12 700\n"
        "totals: 1234\n"
    )
    assert counts.count_profile(profile) == {"instructions": 1234, "Python calls": 4, "allocations": 3}
    (tmp_path / "out").touch()
    (tmp_path / "out.10").touch()
    parts = counts.split_profiles(tmp_path / "out")
    assert [part.name for part in parts] == ["out.2", "out.10", "out"]


@needs_valgrind
def test_instructions_of_the_server_in_c(counts: ModuleType) -> None:
    counts.network.build()
    found = counts.count(["valgrind"], "C")
    assert list(found) == list(counts.SERVED)
    for each in found.values():
        assert 30 < each["instructions"] < 1000
        assert each["Python calls"] == each["allocations"] == 0


@pytest.mark.parametrize(
    ("found", "status", "text"),
    [
        ({"epoll_wait": 1.0, "recvfrom": 1.0, "instructions": 1029.0}, 0, "1.029 of those before"),
        ({"epoll_wait": 1.0, "recvfrom": 1.1, "instructions": 1000.0}, 1, "2.1 system calls, 2.0 before"),
        ({"epoll_wait": 1.0, "recvfrom": 1.0, "instructions": 1031.0}, 1, "more than 1.03 times"),
    ],
)
def test_the_gate(
    counts: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    found: dict[str, float],
    status: int,
    text: str,
) -> None:
    monkeypatch.setattr(counts, "GATES", tmp_path / "gates.json")
    exact = {"epoll_wait": 1.0, "recvfrom": 1.0, "instructions": 1000.0}
    counts.write({"an echo": exact, "call from thread": exact})
    held = json.loads(counts.GATES.read_text())
    assert held == {counts.made_with(): {"an echo": {"system calls": 2.0, "instructions": 1000}}}
    assert counts.gate({"an echo": found, "call from thread": exact}) == status
    assert text in capsys.readouterr().out


def test_the_gate_is_shut_where_nothing_is_known(
    counts: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(counts, "GATES", tmp_path / "gates.json")
    counts.GATES.write_text("{}")
    assert counts.gate({}) == 1
    assert "has no counts for" in capsys.readouterr().out
