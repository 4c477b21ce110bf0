"""Count what repeats exactly: for each operation its system calls, instructions, Python calls and allocations.

`strace` counts system calls, `valgrind --tool=callgrind` all else; what is not installed is said and left out. Neither
looks at the time, so a busy machine changes nothing. Instructions are the process's own, not the kernel's. Python calls
are those from C into Python code, as a callback is; from Python to Python there is no such call since CPython 3.11, so
in programs that are written in Python most are not seen. Allocations are calls of Python's allocators, for growth of
what is there, too; an object from a freelist is none.

A server is run five times and asked to do different numbers of things; the differences are one echoed message of 64
bytes, one of 20 connections that send at once, one accepted connection, and one that its client closes. Start-up falls
out. All but the second are asked for one at a time, so each has a turn of the loop to itself. Deferreds, timers and
calls are those of run.py, in one process (worker.py): each is asked for twice, and the second time counts. The cyclic
garbage collector is off there: a pass over all objects would be in one figure or in another, as luck has it.

Usage: counts.py [--peers NAME ...] [--tools NAME ...] [--gate | --write]

With --gate, Torsion's counts are held against those in gates.json for the same Python, compiler and machine: no system
call more, and 3 % more instructions at most. --write puts the counts there.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import network
from run import LOOPS, available

HERE = Path(__file__).parent
GATES = HERE / "gates.json"
MORE = 1.03
"""So many times the instructions of gates.json are let through."""
COUNT = 1000
"""So many operations make a figure; those of servers a fifth."""
FEW = 20
ECHO, ECHO_AT_ONCE, ACCEPT, CLOSE = SERVED = (
    "echoed message",
    f"echoed message of {FEW} at once",
    "accepted connection",
    "closed connection",
)
OPERATIONS = (
    "deferred_three_callbacks",
    "deferred_error_path",
    "deferred_chain_link",
    "gather_item",
    "await_fired",
    "inline_yield",
    "inline_call",
    "call_later_chain",
    "timer_schedule_and_fire",
    "call_from_thread",
)
NOT_EXACT = (ECHO_AT_ONCE, "call from thread")
"""How many there are in a turn is a matter of luck."""

Counts = dict[str, float]
"""Of one operation: system calls by name; or what callgrind counts, by `PROFILED`."""
INSTRUCTIONS, PYTHON, ALLOCATIONS = PROFILED = ("instructions", "Python calls", "allocations")
ALLOCATOR = re.compile(r"_?Py(Object|Mem)_(Raw)?(Malloc|Calloc|Realloc)$")


def count_trace(trace: str) -> Counts:
    """Of strace's lines: `PID name(…`. What is `resumed` has been counted where it began."""
    return dict(Counter(re.findall(r"^\d+ +(\w+)\(", trace, re.MULTILINE)))


def split_trace(out: Path) -> list[str]:
    return re.split(r"^\d+ +getpgrp\(.*$", out.read_text(errors="replace"), flags=re.MULTILINE)


def count_profile(profile: Path) -> Counts:
    """Of a file of callgrind's: `fn=` says who calls, `cfn=` whom, `calls=` how often."""
    names: dict[str, str] = {}
    caller = called = ""
    found = dict.fromkeys(PROFILED, 0.0)

    def name_of(text: str) -> str:
        number, _, name = text.partition(" ")  # the name is there the first time only
        return names.setdefault(number, name).partition("'")[0]  # name'2 is a call within a call

    for line in profile.read_text().splitlines():
        key, _, value = line.partition("=")
        if key == "fn":
            caller = name_of(value)
        elif key == "cfn":
            called = name_of(value)
        elif key == "calls":
            number = int(value.split()[0])
            if called == "_PyEval_EvalFrameDefault":
                found[PYTHON] += number
            elif ALLOCATOR.match(called) and not ALLOCATOR.match(caller):
                found[ALLOCATIONS] += number
        elif line.startswith("totals:"):
            found[INSTRUCTIONS] += int(line.split()[1])
    return found


def split_profiles(out: Path) -> list[Path]:
    """Each part is a file with a number; the last one has none."""
    return [*sorted(out.parent.glob(f"{out.name}.*"), key=lambda path: int(path.suffix[1:])), out]


@dataclass
class Tool:
    """A program that runs another one, and writes what that does to the file OUT."""

    command: list[str]
    split: Callable[[Path], list[Any]]
    """Into parts, at the marks that worker.py makes."""
    count: Callable[[Any], Counts]
    """What there is in a part."""

    def start(self, command: list[str], out: Path) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*(word.replace("OUT", str(out)) for word in self.command), *command],
            env={**os.environ, "PYTHONHASHSEED": "0"},
            cwd=HERE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=network.prepare_child(network.cores()[1]),
        )


TOOLS = {
    "strace": Tool(["strace", "-f", "-o", "OUT"], split_trace, count_trace),
    "valgrind": Tool(
        ["valgrind", "-q", "--tool=callgrind", "--dump-before=getpgrp", "--callgrind-out-file=OUT"],
        split_profiles,
        count_profile,
    ),
}


def difference(more: Counts, less: Counts, number: int = 1) -> Counts:
    return {name: (more.get(name, 0) - less.get(name, 0)) / number for name in sorted({*more, *less})}


def converse(port: int, opened: int, messages: int, at_once: int, closed: int) -> list[socket.socket]:
    """Open connections, one after the other, with a message on each. More messages on the last; and some times one on
    each of the first at once. Close some. Those that are left."""
    connections: list[socket.socket] = []

    def exchange(those: list[socket.socket]) -> None:
        for connection in those:
            connection.sendall(b"x" * 64)
        for connection in those:
            assert connection.recv(64, socket.MSG_WAITALL) == b"x" * 64

    for _ in range(opened):
        connections.append(socket.create_connection(("127.0.0.1", port), timeout=60))
        exchange(connections[-1:])
    for _ in range(messages):
        exchange(connections[-1:])
    for _ in range(at_once):
        exchange(connections[:FEW])
    for connection in connections[:closed]:
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b""
        connection.close()
    exchange(connections[-1:])  # the turn in which the last one was closed is over
    return connections[closed:]


def wait_for_sleep(pid: int) -> None:
    """Until the process sleeps; or its child, if the process traces one."""
    child = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    until = time.monotonic() + 60
    while Path(f"/proc/{child[0] if child else pid}/stat").read_text().rpartition(")")[2].split()[0] != "S":
        assert time.monotonic() < until, "the server never rests"
        time.sleep(0.01)


def count_served(tool: Tool, name: str, out: Path) -> dict[str, Counts]:
    def run(opened: int = FEW, messages: int = FEW, at_once: int = 0, closed: int = FEW // 2) -> Counts:
        server = tool.start(network.command_of(name, "tcp"), out)
        left: list[socket.socket] = []
        assert server.stdout is not None
        try:
            port = int(server.stdout.readline().rpartition(":")[2])
            left = converse(port, opened, messages, at_once, closed)
            wait_for_sleep(server.pid)
        finally:
            os.killpg(server.pid, signal.SIGHUP)  # nobody handles it, and nothing is tidied up
            server.communicate()
            for connection in left:
                connection.close()
        counts: Counts = tool.count(*tool.split(out))
        return counts

    number = COUNT // 5
    few, many = run(), run(opened=FEW + number)
    message = difference(run(messages=FEW + number), few, number)
    at_once = difference(run(at_once=number // FEW), few, number)
    accept = difference(difference(many, few, number), message)
    close = difference(run(opened=FEW + number, closed=FEW // 2 + number), many, number)
    return dict(zip(SERVED, (message, at_once, accept, close), strict=True))


def count_operations(tool: Tool, name: str, out: Path) -> dict[str, Counts]:
    operations = [each for each in OPERATIONS if name in ("torsion", "twisted") or each in LOOPS]
    worker = tool.start([*network.PYTHON, str(HERE / "worker.py"), name, "without-gc"], out)
    worker.communicate("".join(f"{operation} {COUNT}\n" * 2 for operation in operations))
    if worker.returncode:
        raise RuntimeError(f"{name}: the worker ended with status {worker.returncode}")
    parts = tool.split(out)[1::2]  # those between are the worker's own
    return {
        operation.replace("_", " "): difference(tool.count(part), {}, COUNT)
        for operation, part in zip(operations, parts[1::2], strict=True)
    }


def count(tools: list[str], peer: str) -> dict[str, Counts]:
    """The counts of each operation, of all tools together."""
    everything: dict[str, Counts] = {}
    for name in tools:
        parts = [count_served] if peer == "C" else [count_served, count_operations]
        for part in parts:
            with tempfile.TemporaryDirectory() as folder:
                for operation, counts in part(TOOLS[name], peer, Path(folder) / "out").items():
                    everything.setdefault(operation, {}).update(counts)
    return everything


def calls_of(counts: Counts) -> dict[str, float]:
    """The system calls among them; what came once in a while only, as for memory, is left out."""
    return {name: number for name, number in counts.items() if name not in PROFILED and abs(number) >= 0.02}


def print_rows(operation: str, peers: dict[str, dict[str, Counts]]) -> None:
    for peer, everything in peers.items():
        if operation not in everything:
            continue
        counts = everything[operation]
        calls = calls_of(counts)
        each = ", ".join(name if f"{number:.3g}" == "1" else f"{number:.3g} {name}" for name, number in calls.items())
        cells = [f"{sum(calls.values()):.3g}" + (f": {each}" if each else "")]
        for kind, shown in zip(PROFILED, ("{:,.0f}", "{:.1f}", "{:.1f}"), strict=True):
            cells.append(shown.format(counts[kind]) if kind in counts else "")
        print(f"| {operation} | {peer} | {' | '.join(cells)} |")


def made_with() -> str:
    return f"{platform.python_implementation()} {platform.python_version()}, {platform.python_compiler()}, " + (
        platform.machine()
    )


def gate(everything: dict[str, Counts]) -> int:
    """Say what has grown. The exit status."""
    known: dict[str, dict[str, Counts]] = json.loads(GATES.read_text())
    if made_with() not in known:
        print(f"{GATES.name} has no counts for {made_with()}; --write puts them there")
        return 1
    status = 0
    for operation, held in known[made_with()].items():
        found = everything[operation]
        calls = round(sum(calls_of(found).values()), 1)
        if calls > held["system calls"]:
            print(f"{operation}: {calls} system calls, {held['system calls']} before")
            status = 1
        ratio = found[INSTRUCTIONS] / held[INSTRUCTIONS]
        print(f"{operation}: {found[INSTRUCTIONS]:,.0f} instructions, {ratio:.3f} of those before")
        if ratio > MORE:
            print(f"{operation}: more than {MORE:g} times the instructions")
            status = 1
    return status


def write(everything: dict[str, Counts]) -> None:
    known = json.loads(GATES.read_text()) if GATES.exists() else {}
    known[made_with()] = {
        operation: {"system calls": round(sum(calls_of(counts).values()), 1), INSTRUCTIONS: round(counts[INSTRUCTIONS])}
        for operation, counts in everything.items()
        if operation not in NOT_EXACT
    }
    GATES.write_text(json.dumps(known, indent=1) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(description="System calls, instructions, Python calls and allocations.")
    peers = ["twisted", "uvloop", "C"]
    parser.add_argument("--peers", nargs="*", choices=peers, default=peers, metavar="NAME", help=", ".join(peers))
    parser.add_argument("--tools", nargs="*", choices=list(TOOLS), default=list(TOOLS), help="what is to count")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--gate", action="store_true", help=f"hold Torsion's counts against those in {GATES.name}")
    what.add_argument("--write", action="store_true", help="put them there")
    options = parser.parse_args()
    os.environ.pop("TORSION_PURE", None)
    tools = [tool for tool in options.tools if shutil.which(tool)]
    for tool in options.tools:
        if tool not in tools:
            print(f"{tool} is not installed: what it counts is left out")
    if options.gate or options.write:
        if tools != list(TOOLS):
            print("the gates need both tools")
            return 1
        everything = count(tools, "torsion")
        if options.gate:
            return gate(everything)
        write(everything)
        return 0
    network.build()
    there = available(options.peers)
    print(f"{time.strftime('%Y-%m-%d')}, compiled lane, {made_with()}\n")
    print("| one | | system calls | instructions | Python calls | allocations |\n|---|---|---|---|---|---|", flush=True)
    found = {name: count(tools, name) for name in ("torsion", *options.peers) if name in ("torsion", "C", *there)}
    for operation in found["torsion"]:
        print_rows(operation, found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
