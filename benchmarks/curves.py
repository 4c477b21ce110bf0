"""Show that the cost of an operation does not grow: with connections, with timers, with the links of a chain.

For each number of them, and each peer, nanoseconds of CPU per operation: the median of some rounds, peers interleaved.
What grows is the processor's distance to memory, which all have in common; the epoll server in C shows how much of it
is the kernel's and the machine's.

Usage: curves.py [--rounds N] [--most N] [--only CURVE ...] [--svg FOLDER]

With --svg each curve is drawn, too (needs matplotlib).
"""

from __future__ import annotations

import argparse
import importlib
import platform
import resource
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import network
from run import Peer, available

Figures = dict[str, list[float]]
"""Nanoseconds of each peer, one for each number."""

POWERS = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000]
MESSAGES = 20_000
FLIGHT = 16
"""Messages under way at least: with fewer, putting a process to sleep and waking it is what is measured."""


def of_operation(name: str) -> Callable[[list[int], int], Figures]:
    """The curve of a function in growth.py."""

    def measure(numbers: list[int], rounds: int) -> Figures:
        with ExitStack() as stack:
            peers = [Peer(each, pure=False) for each in available(["torsion", "twisted"])]
            for peer in peers:
                stack.callback(peer.close)
            return of_rounds(
                numbers, rounds, {peer.name: lambda n, peer=peer: peer.ask(f"growth.{name}", n) * 1e9 for peer in peers}
            )

    return measure


def of_echo(numbers: list[int], rounds: int) -> Figures:
    """64 bytes, echoed on each of so many connections in turn."""
    network.build()
    there = available([module for module, _ in network.SERVERS.values()])
    names = [name for name in ("torsion", "twisted", "uvloop", "C") if network.SERVERS[name][0] in there]

    def ask(name: str) -> Callable[[int], float]:
        def measure(number: int) -> float:
            server = network.Server(name, pure=False)
            try:
                flight = max(1, FLIGHT // number)
                return network.echo(number, 64, flight)(server, max(MESSAGES, 3 * number))
            finally:
                server.close()

        return measure

    return of_rounds(numbers, rounds, {name: ask(name) for name in names})


def of_rounds(numbers: list[int], rounds: int, peers: dict[str, Callable[[int], float]]) -> Figures:
    found: Figures = {name: [] for name in peers}
    for number in numbers:
        figures: Figures = {name: [] for name in peers}
        for _ in range(rounds):
            for name, measure in peers.items():
                figures[name].append(measure(number))
        for name, values in figures.items():
            found[name].append(statistics.median(values))
    return found


# name: (what the numbers count, the most of them, how it is measured)
CURVES: dict[str, tuple[str, int, Callable[[list[int], int], Figures]]] = {
    "echo": ("connections", 10_000, of_echo),
    "timer_schedule": ("timers", 1_000_000, of_operation("timer_schedule")),
    "timer_cancel": ("timers", 1_000_000, of_operation("timer_cancel")),
    "timer_fire": ("timers", 1_000_000, of_operation("timer_fire")),
    "chain_link": ("links", 1_000_000, of_operation("chain_link")),
}


def draw(path: Path, name: str, what: str, numbers: list[int], figures: Figures) -> None:
    pyplot: Any = importlib.import_module("matplotlib.pyplot")
    pyplot.rcParams["svg.fonttype"] = "none"  # letters, not their outlines
    pyplot.rcParams["svg.hashsalt"] = name  # the same curve is the same file
    figure, axes = pyplot.subplots(figsize=(6, 3.5))
    for peer, values in figures.items():
        axes.plot(numbers, values, marker="o", label=peer)
    axes.set(xscale="log", yscale="log", xlabel=what, ylabel="ns of CPU each", title=name.replace("_", " "))
    axes.grid(True, alpha=0.3)
    axes.legend()
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None})
    pyplot.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description="How the cost of an operation grows.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--most", type=int, default=1_000_000, help="leave out what is beyond")
    parser.add_argument("--only", nargs="*", choices=list(CURVES), metavar="CURVE", help=", ".join(CURVES))
    parser.add_argument("--svg", type=Path, metavar="FOLDER", help="draw the curves there")
    options = parser.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    print(f"{time.strftime('%Y-%m-%d')}, compiled lane, Python {platform.python_version()}, {platform.machine()}")
    print(f"nanoseconds of CPU for one, among so many; {options.rounds} rounds, median")
    for name in options.only or CURVES:
        what, last, measure = CURVES[name]
        numbers = [number for number in POWERS if number <= min(last, options.most)]
        figures = measure(numbers, options.rounds)
        print(f"\n| {name.replace('_', ' ')}: {what} | " + " | ".join(f"{number:,}" for number in numbers) + " |")
        print("|---" * (len(numbers) + 1) + "|")
        for peer, values in figures.items():
            print(f"| {peer} | " + " | ".join(f"{value:,.0f}" for value in values) + " |", flush=True)
        if options.svg:
            options.svg.mkdir(parents=True, exist_ok=True)
            draw(options.svg / f"{name}.svg", name, what, numbers, figures)


if __name__ == "__main__":
    main()
