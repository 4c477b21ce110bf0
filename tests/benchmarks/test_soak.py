"""The soak ends well when it is short, and says so; and it notices what goes wrong."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from torsion import lane

SOAK = Path(__file__).parents[2] / "benchmarks" / "soak.py"


def soak(*before: str) -> tuple[int, str]:
    """Run it for a moment, after these statements."""
    begin = f"import sys; sys.argv[1:] = ['--seconds', '5']; sys.path.insert(0, {str(SOAK.parent)!r}); import soak"
    program = "\n".join([begin, *before, "sys.exit(soak.main())"])
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env={**os.environ, "PYTHONPATH": str(Path(lane.ROOT).parent)},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_short_one_ends_well() -> None:
    status, printed = soak()
    assert status == 0, printed
    assert printed.endswith("All is well: nothing lost, nothing left behind.\n")


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ("soak.Echo.dataReceived = lambda self, data: self.transport.write(data[:-1] + b'?')", "were never sent"),
        (
            "soak.kept = []; soak.Echo.connectionLost = lambda self, reason: soak.kept.append(open('/dev/null'))",
            "fds: ",
        ),
    ],
)
def test_what_goes_wrong_is_noticed(fault: str, text: str) -> None:
    status, printed = soak(fault)
    assert status == 1 and text in printed, printed
