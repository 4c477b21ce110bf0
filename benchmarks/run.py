"""Measure Torsion beside its peers and print ratios of CPU time. `make bench` runs it.

Every peer is a process of its own, pinned to one core, that stays for the whole run (worker.py). A round asks each
peer in turn for the same operation, so that the machine's moods meet all of them; the figure is the median of the
paired ratios of the rounds, with their quartiles. A bar is missed only where the interval lies outside it. The unit
is process CPU time, user and system, of all threads.

Usage: run.py [--rounds N] [--scale X] [--only NAME ...] [--pure] [--json FILE]
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent

# operation: (count a round, {peer: bar for the ratio})
OPERATIONS: dict[str, tuple[int, dict[str, float]]] = {
    "deferred_three_callbacks": (20_000, {"twisted": 0.25}),
    "deferred_error_path": (20_000, {"twisted": 0.35}),
    "deferred_chain_link": (20_000, {"twisted": 0.25}),
    "gather_item": (20_000, {"twisted": 0.3}),
    "await_fired": (100_000, {"twisted": 0.4}),
    "inline_yield": (20_000, {"twisted": 0.3}),
    "inline_call": (20_000, {"twisted": 0.3}),
    "timer_schedule": (20_000, {"twisted": 0.25, "uvloop": 1.0}),
    "timer_cancel": (20_000, {"twisted": 0.5, "uvloop": 1.0}),
    "timer_fire": (20_000, {"twisted": 0.15, "uvloop": 1.0}),
    "call_later_chain": (20_000, {"twisted": 0.25, "uvloop": 1.3}),
    "call_from_thread": (50_000, {"twisted": 0.25, "uvloop": 1.0}),
    "defer_to_thread": (3_000, {"twisted": 0.6, "uvloop": 1.0}),
    # A line or string of 40 bytes, in pieces as a read brings them.
    "line_in_64_kib": (50_000, {"twisted": 0.5}),
    "line_in_1000_bytes": (50_000, {"twisted": 0.5}),
    "line_in_a_piece": (50_000, {"twisted": 0.5}),
    "line_in_half_pieces": (50_000, {"twisted": 0.5}),
    "string_in_64_kib": (50_000, {"twisted": 1.0}),
    "string_in_a_piece": (50_000, {"twisted": 1.0}),
}
LOOPS = {"await_fired", "gather_item", "timer_schedule", "timer_cancel", "timer_fire"} | {
    "timer_schedule_and_fire",
    "call_later_chain",
    "call_from_thread",
    "defer_to_thread",
}


class Peer:
    """A worker process that measures one operation at a time."""

    def __init__(self, name: str, pure: bool) -> None:
        self.name = name
        environment = dict(os.environ)
        environment.pop("TORSION_PURE", None)
        if pure:
            environment["TORSION_PURE"] = "1"
        command = [sys.executable, str(HERE / "worker.py"), name]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=HERE
        )
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(self.process.pid, {max(os.sched_getaffinity(0))})
        self._line()

    def _line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name}: the worker ended with status {self.process.wait()}")
        return line

    def measure(self, operation: str, count: int) -> float:
        """Nanoseconds of CPU per operation."""
        return self.ask(operation, count) / count * 1e9

    def ask(self, operation: str, count: int) -> float:
        """Seconds of CPU that the operation says it took."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{operation} {count}\n")
        self.process.stdin.flush()
        return float(self._line())

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=30)


def available(names: list[str]) -> list[str]:
    return [name for name in names if name == "asyncio" or importlib.util.find_spec(name)]


def quartiles(values: list[float]) -> tuple[float, float, float]:
    if len(values) < 2:
        return (values[0],) * 3
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def measure(peers: list[Peer], operation: str, rounds: int, scale: float) -> dict[str, list[float]]:
    """Nanoseconds per operation of each peer, a figure a round; the first round warms up and is not counted."""
    count = max(200, int(OPERATIONS[operation][0] * scale))
    taking_part = [peer for peer in peers if peer.name in ("torsion", "twisted") or operation in LOOPS]
    figures: dict[str, list[float]] = {peer.name: [] for peer in taking_part}
    for round_number in range(rounds + 1):
        for peer in taking_part:
            took = peer.measure(operation, count)
            if round_number:
                figures[peer.name].append(took)
    return figures


def row(
    operation: str,
    figures: dict[str, list[float]],
    others: list[str],
    bars: dict[str, float],
    ours: str = "torsion",
    unit: str = "ns",
) -> tuple[str, bool]:
    """A line of the table, and whether every bar is kept."""
    kept = True
    cells = [operation.replace("_", " "), f"{statistics.median(figures[ours]):,.0f} {unit}"]
    for other in others:
        if other not in figures:
            cells.append("")
            continue
        ratios = [our / their for our, their in zip(figures[ours], figures[other], strict=True)]
        low, middle, high = quartiles(ratios)
        bar = bars.get(other)
        cell = f"{middle:.2f} ({low:.2f}–{high:.2f})"
        if bar is not None:
            missed = low > bar
            kept = kept and not missed
            cell += f" ≤ {bar:g}" + (" **missed**" if missed else "")
        cells.append(cell)
    return "| " + " | ".join(cells) + " |", kept


def print_head(what: str, others: list[str], rounds: int, pure: bool, ours: str = "torsion") -> None:
    lane = "interpreted" if pure else "compiled"
    print(f"{time.strftime('%Y-%m-%d')}, {lane} lane, Python {platform.python_version()}, {platform.machine()}")
    print(f"{rounds} paired rounds: median ratio {ours} / peer (quartiles), and the bar where there is one\n")
    print(f"| {what} | {ours} | " + " | ".join("/ " + name for name in others) + " |")
    print("|---|---|" + "---|" * len(others), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="CPU of Torsion beside its peers.")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument(
        "--scale",
        type=float,
        default=1.0,
        help="multiplies the count of every operation; 200,000 timers wait all the same",
    )
    parser.add_argument("--only", nargs="*", choices=list(OPERATIONS), metavar="NAME", help=", ".join(OPERATIONS))
    parser.add_argument(
        "--pure", action="store_true", help="measure the interpreted lane (bar: not slower than Twisted)"
    )
    parser.add_argument("--json", type=Path, help="write every figure there")
    options = parser.parse_args()
    others = available(["twisted", "asyncio", "uvloop", "rloop"])
    peers = [Peer(name, options.pure) for name in ["torsion", *others]]
    if options.pure:
        for name, (count, _) in OPERATIONS.items():
            OPERATIONS[name] = (count, {"twisted": 1.0})
    print_head("operation", others, options.rounds, options.pure)
    everything: dict[str, dict[str, list[float]]] = {}
    all_kept = True
    for operation in options.only or OPERATIONS:
        figures = everything[operation] = measure(peers, operation, options.rounds, options.scale)
        line, kept = row(operation, figures, others, OPERATIONS[operation][1])
        all_kept = all_kept and kept
        print(line, flush=True)
    for peer in peers:
        peer.close()
    if options.json:
        options.json.write_text(json.dumps(everything, indent=1))
    print("\nEvery bar is kept." if all_kept else "\nA bar is missed.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
