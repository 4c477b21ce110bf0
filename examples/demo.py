"""`make demo`: the three programs, unmodified, on Torsion; then one job, and one echo server with five hundred clients,
on Torsion and on Twisted, with what each cost.

The job is examples/unmodified/job.py: 10,000 timers, 1,000 calls into threads and back, 100,000 Deferreds. The server
is examples/unmodified/echo_server.py, its clients are those of crowd.py.
"""

import json
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import crowd

PROGRAMS = Path(__file__).parent / "unmodified"
ON_TORSION = [sys.executable, "-m", "torsion", "run"]
CLIENTS = 500
LINES = 200  # of each client


def show_programs():
    for name in ("one_callback", "many_callbacks", "worker_thread"):
        program = PROGRAMS / f"{name}.py"
        print(f"\n$ python -m torsion run {program.relative_to(Path(__file__).parent.parent)}", flush=True)
        subprocess.run([*ON_TORSION, str(program)], check=True, stderr=subprocess.STDOUT)


def run_job(command):
    done = subprocess.run([*command, str(PROGRAMS / "job.py")], check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def show_job(columns):
    print(f"\n{'':36}" + "".join(f"{name:>24}" for name in columns))
    for step in next(iter(columns.values())):
        entries = [column[step] for column in columns.values()]
        print(f"{step:36}" + "".join(f"{entry['done']:>10,} {entry['cpu'] * 1000:>10,.0f} ms" for entry in entries))
    totals = [sum(entry["cpu"] for entry in column.values()) for column in columns.values()]
    print(f"{'CPU in all':36}" + "".join(f"{total * 1000:>21,.0f} ms" for total in totals))
    if len(totals) > 1:
        print(f"\nTorsion took {totals[0] / totals[1]:.2f} of Twisted's CPU for this job.")


def run_server(command):
    """What the crowd did at this server, and the CPU that the server took for what was said."""
    with subprocess.Popen([*command, str(PROGRAMS / "echo_server.py")], stdout=subprocess.PIPE, text=True) as server:
        try:
            port = int(server.stdout.readline().rpartition(":")[2])
            clock = (~server.pid << 3) | 2  # Linux: the CPU clock of that process, all its threads
            return crowd.visit(port, CLIENTS, LINES, lambda: time.clock_gettime(clock))
        finally:
            server.terminate()


def show_server(columns):
    first = next(iter(columns.values()))
    kinds = ", ".join(f"{count} {kind}" for kind, count in first["clients"].items())
    print(f"\nAn echo server and its clients: {kinds} of the standard library")
    print(f"{'':36}" + "".join(f"{name:>24}" for name in columns))
    for what, form in (("connections", "24,"), ("messages", "24,"), ("bytes", "24,"), ("seconds", "24.2f")):
        print(f"{what:36}" + "".join(f"{column[what]:>{form}}" for column in columns.values()))
    costs = [column["cpu"] / column["messages"] * 1e6 for column in columns.values()]
    print(f"{'CPU of the server, per message':36}" + "".join(f"{cost:>21.1f} µs" for cost in costs))
    if len(costs) > 1:
        print(f"\nTorsion took {costs[0] / costs[1]:.2f} of Twisted's CPU for a message.")


def main():
    subprocess.run([sys.executable, "-m", "torsion", "info"], check=True)
    show_programs()
    engines = {"Torsion": ON_TORSION}
    if find_spec("twisted"):
        engines["Twisted"] = [sys.executable]
    else:
        print("\n(Twisted is not installed: nothing to compare with)")
    show_job({name: run_job(command) for name, command in engines.items()})
    show_server({name: run_server(command) for name, command in engines.items()})


if __name__ == "__main__":
    main()
