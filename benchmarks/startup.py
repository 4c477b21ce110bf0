"""Measure what starting a program costs under `torsion run`, beside plain Python and beside Twisted.

For each program, rounds of three processes: Python with an empty file, Python with the program (on Twisted), and
`torsion run` with the program. The unit is CPU time of the process, user and system. Printed are medians of the rounds
with their quartiles: how many milliseconds `torsion run` takes more than Python with an empty file, and how it compares
to Twisted. A bar is missed only where the interval lies beyond it.

Usage: startup.py [--rounds N] [--pure] [--only NAME ...]
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

#: The most milliseconds over plain Python's, for a program that imports none of Twisted's interfaces.
OVER_PYTHON = 60.0
#: The most of what Twisted takes, for others.
OF_TWISTED = 0.5

# name: (program, the bar that it is held to)
PROGRAMS = {
    "nothing": ("", "python"),
    "core": ("from twisted.internet import defer, protocol, reactor", "python"),
    "endpoints": ("from twisted.internet import endpoints, reactor, task", "python"),
    "interfaces": ("from twisted.internet import interfaces, reactor", "twisted"),
    "tls": ("from twisted.internet import reactor, ssl", ""),
    "web client": ("from twisted.internet import reactor\nfrom twisted.web import client", ""),
    "web server": ("from twisted.internet import reactor\nfrom twisted.web import resource, server", ""),
}


def cpu(command: list[str], environment: dict[str, str]) -> float:
    """Milliseconds of CPU time, user and system, of a process that must end well."""
    process = subprocess.Popen(command, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command}: exit status {process.returncode}")
    return (usage.ru_utime + usage.ru_stime) * 1000


def spread(values: list[float], form: str) -> tuple[str, float]:
    """Median (quartiles) as text, and the lower quartile."""
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{middle:{form}} ({low:{form}}–{high:{form}})", low


def measure(name: str, folder: Path, rounds: int, environment: dict[str, str]) -> bool:
    """Print the row of one program; False if it misses its bar."""
    text, bar = PROGRAMS[name]
    empty, program = folder / "empty.py", folder / "program.py"
    empty.write_text("")
    program.write_text(text + "\n")
    commands = {
        "python": [sys.executable, str(empty)],
        "twisted": [sys.executable, str(program)],
        "torsion": [sys.executable, "-m", "torsion", "run", str(program)],
    }
    for command in commands.values():
        cpu(command, environment)  # writes the bytecode that an installation comes with
    taken: dict[str, list[float]] = {peer: [] for peer in commands}
    for _ in range(rounds):
        for peer, command in commands.items():
            taken[peer].append(cpu(command, environment))
    over, least_over = spread(
        [ours - plain for ours, plain in zip(taken["torsion"], taken["python"], strict=True)], ".0f"
    )
    ratio, least = spread([ours / stock for ours, stock in zip(taken["torsion"], taken["twisted"], strict=True)], ".2f")
    missed = (bar == "python" and least_over > OVER_PYTHON) or (bar == "twisted" and least > OF_TWISTED)
    limit = {"python": f" ≤ {OVER_PYTHON:.0f}"}.get(bar, "")
    share = {"twisted": f" ≤ {OF_TWISTED}"}.get(bar, "")
    mark = " **missed**" if missed else ""
    print(
        f"| {name} | {statistics.median(taken['torsion']):.0f} ms | {over}{limit} | {ratio}{share} |{mark}", flush=True
    )
    return not missed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--pure", action="store_true", help="the interpreted lane")
    parser.add_argument("--only", nargs="+", default=list(PROGRAMS), choices=list(PROGRAMS), metavar="NAME")
    options = parser.parse_args()
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    if options.pure:
        environment["TORSION_PURE"] = "1"
    print(f"Python {platform.python_version()}, Twisted {metadata.version('twisted')}, {options.rounds} rounds")
    print("| start of | torsion run | over plain Python, ms | / twisted |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        kept = [measure(name, Path(folder), options.rounds, environment) for name in options.only]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
