"""The fuzz targets start, find nothing in a moment, and end with 1 and the way to repeat it when they do."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from torsion import lane

PROJECT = Path(__file__).resolve().parents[2]
TARGETS = sorted((PROJECT / "fuzz").glob("[!_]*.py"))


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(Path(lane.ROOT).parent), str(PROJECT), str(PROJECT / "fuzz")])
    return subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("target", TARGETS, ids=[path.stem for path in TARGETS])
def test_each_target_runs(target: Path) -> None:
    done = run(str(target), "--seconds", "0.3")
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_is_found_can_be_repeated(tmp_path: Path) -> None:
    program = tmp_path / "target.py"
    program.write_text("""if True:
        from _fuzzing import damaged, run, split

        def case(chance):
            data = damaged(b"good data", chance)
            assert b"".join(split(data, chance)) == data
            assert data.startswith(b"g"), data

        run(case)
    """)
    found = run(str(program), "--seconds", "30", "--seed", "1")
    assert found.returncode == 1
    case = found.stderr.split()[-1]
    again = run(str(program), "--only", case)
    assert again.returncode == 1 and f"repeat it with --only {case}" in again.stderr
