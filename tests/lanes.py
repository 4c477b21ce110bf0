"""Runs the tests in one lane, or in both at the same time.

    python tests/lanes.py LANE...        `interpreted`, `compiled`

What the first lane prints is seen at once; what another one prints, when those before it are done: the closing line is
the last lane's. Exit status: 0 if all passed.
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

# The Dask tests have a process of their own.
PARTS = (("tests/cluster",), ())


def run(lane: str, shown: bool) -> tuple[bool, bytes]:
    """Whether all tests pass in this lane, and what they print, unless that is `shown` at once."""
    environment = {name: value for name, value in os.environ.items() if name != "TORSION_PURE"}
    if lane == "interpreted":
        environment["TORSION_PURE"] = "1"
    printed = f"== tests, {lane} lane\n".encode()
    if shown:
        sys.stdout.buffer.write(printed)
        sys.stdout.flush()
    passed = True
    for part in PARTS:
        command = [sys.executable, "-m", "pytest", "-q", *part]
        output = None if shown else subprocess.PIPE
        done = subprocess.run(command, env=environment, stdout=output, stderr=output and subprocess.STDOUT)
        passed &= done.returncode == 0
        printed += done.stdout or b""
    return passed, printed


def main(lanes: list[str]) -> int:
    if not lanes or not set(lanes) <= {"interpreted", "compiled"}:
        sys.exit(__doc__)
    with ThreadPoolExecutor(len(lanes)) as pool:
        (first, _), *others = pool.map(run, lanes, [lane == lanes[0] for lane in lanes])
    for _, printed in others:
        sys.stdout.buffer.write(printed)
    sys.stdout.flush()
    return 0 if first and all(passed for passed, _ in others) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
