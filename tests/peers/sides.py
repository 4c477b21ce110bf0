"""Runs Twisted's own test modules, on stock Twisted and on our engine, each in a process of its own."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

RUNNER = str(Path(__file__).resolve().parent / "runner.py")
PASSED = ("success", "todo")
OURS = ("-m", "torsion", "run")

# Prints the versions, and all that is installed but torsion: what is kept of stock holds as long as that is the same.
ABOUT = """
import sys, zlib, twisted
from importlib.metadata import distributions
found = sorted({f"{each.name}=={each.version}" for each in distributions() if each.name != "torsion"})
print(twisted.__version__, sys.version.split()[0], format(zlib.crc32("\\n".join(found).encode()), "08x"))
"""


@dataclass
class Run:
    """What became of each test of one module, in one run."""

    outcomes: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    #: Why the run did not come to its end; empty if it did.
    broken: str = ""

    def passed(self) -> set[str]:
        return {test for test, outcome in self.outcomes.items() if outcome in PASSED}


class Sides:
    """An environment that has both. May be used by several threads at once.

    A lane is "compiled", "interpreted" or, for what torsion chooses by itself, "".
    """

    def __init__(self, python: str, timeout: float, results: Path, fresh: bool) -> None:
        self._python = python
        self._timeout = timeout
        self._environment = dict(os.environ)
        self._environment["PYTHONDONTWRITEBYTECODE"] = "1"
        # A locale that Python can set again as it reports it; of C.UTF-8 it reports one that need not be installed.
        self._environment["LC_ALL"] = "C"
        # By this, Hypothesis makes the same inputs on both sides, and fails no test for the machine's being slow.
        self._environment["CI"] = "1"
        if "PYTHONPATH" in os.environ:  # each test module runs in a folder of its own
            entries = os.environ["PYTHONPATH"].split(os.pathsep)
            self._environment["PYTHONPATH"] = os.pathsep.join(os.path.abspath(entry) for entry in entries)
        self.twisted, version, installed = self._say(self._environment, "-c", ABOUT).split()
        self.about = f"Twisted {self.twisted} on Python {version}"
        self._kept = results / f"twisted-{self.twisted}-python-{version}-{installed}"
        self._fresh = fresh

    def engine(self, lane: str) -> str:
        """What torsion says of itself; does not return if that is another lane, or a stale one."""
        said = self._say(self._in_lane(lane), "-m", "torsion", "info")
        facts = dict(line.split(":", 1) for line in said.splitlines() if ":" in line)
        if lane and facts.get("lane", "").split()[:1] != [lane]:
            sys.exit(cannot(f"the {lane} lane was asked for", said))
        if facts.get("freshness", "").strip() == "stale":
            sys.exit(cannot("what is compiled is older than its sources", said))
        return said

    def modules_in(self, names: Sequence[str]) -> list[str]:
        """These test modules, and all those in these packages."""
        return self._say(self._environment, RUNNER, "--list", *names).split()

    def on_stock(self, module: str, again: bool = False) -> Run:
        """From what is kept, if it is there, and it is not to be run `again`.

        Nothing is kept of a run in which a test failed: it may pass the next time.
        """
        kept = self._kept / f"{module}.json"
        if kept.exists() and not self._fresh and not again:
            return Run(outcomes=json.loads(kept.read_text()))
        run = self._run(module, (), self._environment)
        if not run.broken and not again and set(run.outcomes.values()) <= {*PASSED, "skip"}:
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(json.dumps(run.outcomes, indent=0))
        return run

    def on_ours(self, module: str, lane: str) -> Run:
        return self._run(module, OURS, self._in_lane(lane))

    def _in_lane(self, lane: str) -> dict[str, str]:
        environment = dict(self._environment)
        if lane:
            environment.pop("TORSION_PURE", None)
        if lane == "interpreted":
            environment["TORSION_PURE"] = "1"
        return environment

    def _say(self, environment: dict[str, str], *arguments: str) -> str:
        done = subprocess.run([self._python, *arguments], env=environment, capture_output=True, text=True, timeout=60)
        if done.returncode:
            sys.exit(cannot(f"{self._python} {' '.join(arguments)}", done.stderr))
        return done.stdout

    def _run(self, module: str, before: tuple[str, ...], environment: dict[str, str]) -> Run:
        with tempfile.TemporaryDirectory(prefix="torsion-peers-") as folder:
            results = os.path.join(folder, "results")
            command = [self._python, *before, RUNNER, results, os.path.join(folder, "trial"), module]
            broken = ""
            with open(os.path.join(folder, "output"), "w+b") as output:
                try:
                    done = subprocess.run(
                        command,
                        env=environment,
                        stdin=subprocess.DEVNULL,
                        stdout=output,
                        stderr=output,
                        cwd=folder,
                        timeout=self._timeout,
                    )
                    if done.returncode:
                        broken = f"exit status {done.returncode}"
                except subprocess.TimeoutExpired:
                    broken = f"not done after {self._timeout:g} s"
                output.seek(0)
                return read(results, broken, output.read().decode(errors="replace"))


def read(results: str, broken: str, output: str) -> Run:
    """What the runner wrote, as far as it came."""
    run = Run()
    started = ""
    ended = False
    lines = Path(results).read_text().splitlines() if os.path.exists(results) else []
    for line in lines:
        event = json.loads(line)
        if "start" in event:
            started = event["start"]
        elif event["outcome"] == "end":
            ended = True
        else:
            name = event["id"]
            # Tests of one name: it passes only if all of them do.
            if run.outcomes.get(name, "success") in PASSED:
                run.outcomes[name] = event["outcome"]
                run.texts[name] = event.get("text", "")
    if broken or not ended:
        where = f", in or after {started}" if started else ""
        run.broken = f"{broken or 'ended early'}{where}\n{output[-3000:]}"
    return run


def cannot(what: str, detail: str) -> int:
    print(f"nothing compared: {what}\n{detail}", file=sys.stderr)
    return 2
