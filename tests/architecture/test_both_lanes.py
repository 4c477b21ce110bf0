"""The tests of both lanes run at the same time, and what they print is kept apart."""

import os
import re
import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).resolve().parents[1] / "lanes.py"


def test_the_last_lane_is_told_of_last_and_none_may_fail(tmp_path: Path) -> None:
    (tmp_path / "tests" / "cluster").mkdir(parents=True)
    (tmp_path / "tests" / "cluster" / "test_cluster.py").write_text("def test_passes():\n    pass\n")
    (tmp_path / "test_lane.py").write_text(
        "import os\n\ndef test_compiled():\n    assert 'TORSION_PURE' not in os.environ\n"
    )
    environment = {**os.environ, "PYTEST_ADDOPTS": "-p no:cacheprovider"}
    command = [sys.executable, PROGRAM, "interpreted", "compiled"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    found = re.findall(r"^== tests, (\w+) lane$|^(?:(\d failed), )?(\d passed)", done.stdout, re.MULTILINE)
    told = [" ".join(filter(None, each)) for each in found]
    assert told == ["interpreted", "1 passed", "1 failed 1 passed", "compiled", "1 passed", "2 passed"]
    assert (done.returncode, done.stderr) == (1, "")
