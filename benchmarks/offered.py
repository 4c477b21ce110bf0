"""Measure echo servers at a fixed offered rate: what a message takes, and how long its sender waits.

network.py asks as fast as a server answers. Here so many messages a second come whether the answers are there or not,
evenly spread over the connections (load.c, `paced`). Latency is counted from when a message was due, over the loopback
interface, and takes in how late the load itself is; at low rates it is the machine's, for all the same. A server that
wakes for each message alone pays for that, too: CPU for a message is higher than at saturation, and the peers are
closer together.

The servers are those of network.py, one process each for the whole run, asked in turn in every round: the same program
on Torsion and on Twisted. Figures are medians of the rounds.

Usage: offered.py [--rounds N] [--seconds S] [--rates R ...] [--connections N] [--peers NAME ...]
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from contextlib import ExitStack

import network
from run import available, quartiles

SIZE = 64
FIGURES = ("p50", "p99", "p99.9")


def measure(servers: list[network.Server], connections: int, rate: int, rounds: int, seconds: float) -> None:
    """Print a row for each server at this rate, of all connections together."""
    each = max(1, rate // connections)
    figures: dict[str, list[dict[str, float]]] = {server.name: [] for server in servers}
    work = {
        "connections": connections,
        "size": SIZE,
        "rate": each,
        "messages": max(1, int(connections * each * seconds)),
    }
    for number in range(rounds):
        first = number % len(servers)
        for server in servers[first:] + servers[:first]:
            figures[server.name].append(server.load("paced", **work))
    ours = [figure["cpu"] for figure in figures["torsion"]]
    for name, found in figures.items():
        cpu = statistics.median(figure["cpu"] / figure["messages"] for figure in found) * 1e6
        low, middle, high = quartiles([our / figure["cpu"] for our, figure in zip(ours, found, strict=True)])
        ratio = "" if name == "torsion" else f"{middle:.2f} ({low:.2f}–{high:.2f})"
        waits = [f"{statistics.median(figure[key] for figure in found) * 1e3:.2f} ms" for key in FIGURES]
        print(f"| {connections * each:,} | {name} | {cpu:.1f} µs | {ratio} | {' | '.join(waits)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Echo servers at a fixed offered rate.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="how long a round of one server is")
    parser.add_argument("--rates", type=int, nargs="*", default=[1_000, 10_000, 25_000], help="messages a second")
    parser.add_argument("--connections", type=int, default=100)
    peers = ["twisted", "uvloop", "C"]
    parser.add_argument("--peers", nargs="*", choices=list(network.SERVERS), default=peers, metavar="NAME")
    options = parser.parse_args()
    network.build()
    there = set(available([module for module, _ in network.SERVERS.values()]))
    names = [name for name in ("torsion", *options.peers) if network.SERVERS[name][0] in there]
    print(f"{time.strftime('%Y-%m-%d')}, compiled lane, Python {platform.python_version()}, {platform.machine()}")
    print(f"{options.connections} connections, {SIZE} bytes, {options.rounds} rounds of {options.seconds:g} s\n")
    print("| messages a second | server | CPU for one | torsion / it (quartiles) | p50 | p99 | p99.9 |")
    print("|---|---|---|---|---|---|---|")
    with ExitStack() as stack:
        servers = [network.Server(name, pure=False) for name in names]
        for server in servers:
            stack.callback(server.close)
        for rate in options.rates:
            measure(servers, options.connections, rate, options.rounds, options.seconds)


if __name__ == "__main__":
    main()
