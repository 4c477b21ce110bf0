"""`make demo`: the three programs, unmodified, on Torsion; then one job on Torsion and on Twisted, with what each cost.

The job is examples/unmodified/job.py: 10,000 timers, 1,000 calls into threads and back, 100,000 Deferreds.
"""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

PROGRAMS = Path(__file__).parent / "unmodified"
ON_TORSION = [sys.executable, "-m", "torsion", "run"]


def show_programs():
    for name in ("one_callback", "many_callbacks", "worker_thread"):
        program = PROGRAMS / f"{name}.py"
        print(f"\n$ python -m torsion run {program.relative_to(Path(__file__).parent.parent)}", flush=True)
        subprocess.run([*ON_TORSION, str(program)], check=True, stderr=subprocess.STDOUT)


def run_job(command):
    done = subprocess.run([*command, str(PROGRAMS / "job.py")], check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def show_table(columns):
    print(f"\n{'':36}" + "".join(f"{name:>24}" for name in columns))
    for step in next(iter(columns.values())):
        entries = [column[step] for column in columns.values()]
        print(f"{step:36}" + "".join(f"{entry['done']:>10,} {entry['cpu'] * 1000:>10,.0f} ms" for entry in entries))
    totals = [sum(entry["cpu"] for entry in column.values()) for column in columns.values()]
    print(f"{'CPU in all':36}" + "".join(f"{total * 1000:>21,.0f} ms" for total in totals))
    if len(totals) > 1:
        print(f"\nTorsion took {totals[0] / totals[1]:.2f} of Twisted's CPU for this job.")


def main():
    subprocess.run([sys.executable, "-m", "torsion", "info"], check=True)
    show_programs()
    columns = {"Torsion": run_job(ON_TORSION)}
    if find_spec("twisted"):
        columns["Twisted"] = run_job([sys.executable])
    else:
        print("\n(Twisted is not installed: nothing to compare with)")
    show_table(columns)


if __name__ == "__main__":
    main()
