"""The comparer: Twisted's own tests, unmodified, on stock Twisted and on our engine, test by test.

    python tests/peers/compare.py [options] MODULE...          these test modules
    python tests/peers/compare.py [options] --all-modules      those in modules.txt
    python tests/peers/compare.py [options] --all-modules PACKAGE...
                                                               every test module in these packages of Twisted's

    --python PATH    interpreter of an environment that has Twisted, what its tests need, and torsion (default: this
                     one). Both sides run in it, and nothing is installed or changed
    --lane LANE      `compiled` or `interpreted` (default: what torsion chooses by itself). If torsion then says that it
                     runs in another lane, or that the compiled one is stale, nothing is compared
    --results DIR    where the outcomes on stock are kept, to be used again for the same Twisted and Python
                     (default: build/peers)
    --fresh          run stock again
    --timeout S      seconds that one test module may take (default 180)
    --show N         lines of explanation shown for a lost test (default 12)

A test is *lost* if it passes on stock and, on our engine, fails, is skipped, or is not there at all. Exit status: 0 if
none is lost, 1 if any is, 2 if there was nothing to compare. Lost tests listed in exclusions.txt do not count, but are
shown; a line there that excludes nothing is named too, when everything was run.

trial itself runs on our reactor.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

HERE = Path(__file__).resolve().parent
RUNNER = str(HERE / "runner.py")
PASSED = ("success", "todo")
OURS = ("-m", "torsion", "run")


@dataclass
class Run:
    """What became of each test of one module, in one run."""

    outcomes: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    #: Why the run did not come to its end; empty if it did.
    broken: str = ""

    def passed(self) -> set[str]:
        return {test for test, outcome in self.outcomes.items() if outcome in PASSED}


class Peers:
    """Runs test modules in an environment, on stock and on ours, each in a process of its own."""

    def __init__(self, python: str, lane: str | None, timeout: float, results: Path, fresh: bool) -> None:
        self._python = python
        self._timeout = timeout
        self._environment = {key: value for key, value in os.environ.items() if key != "TORSION_PURE"}
        self._environment["PYTHONDONTWRITEBYTECODE"] = "1"
        if lane == "interpreted" or (lane is None and "TORSION_PURE" in os.environ):
            self._environment["TORSION_PURE"] = "1"
        if "PYTHONPATH" in os.environ:  # each test module runs in a folder of its own
            entries = os.environ["PYTHONPATH"].split(os.pathsep)
            self._environment["PYTHONPATH"] = os.pathsep.join(os.path.abspath(entry) for entry in entries)
        version = self._say("-c", "import sys, twisted; print(twisted.__version__, sys.version.split()[0])")
        self.about = "Twisted {} on Python {}".format(*version.split())
        self._kept = results / "twisted-{}-python-{}".format(*version.split())
        self._fresh = fresh
        self.engine = self._say("-m", "torsion", "info")
        self._check_lane(lane)

    def _say(self, *arguments: str) -> str:
        done = subprocess.run(
            [self._python, *arguments], env=self._environment, capture_output=True, text=True, timeout=60
        )
        if done.returncode:
            sys.exit(_cannot(f"{self._python} {' '.join(arguments)}", done.stderr))
        return done.stdout

    def _check_lane(self, lane: str | None) -> None:
        facts = dict(line.split(":", 1) for line in self.engine.splitlines() if ":" in line)
        found, freshness = facts.get("lane", "").split(), facts.get("freshness", "").strip()
        if lane and found[:1] != [lane]:
            sys.exit(_cannot(f"the {lane} lane was asked for", self.engine))
        if freshness == "stale":
            sys.exit(_cannot("what is compiled is older than its sources", self.engine))

    def modules_in(self, packages: list[str]) -> list[str]:
        return self._say(RUNNER, "--list", *packages).split()

    def on_stock(self, module: str) -> Run:
        kept = self._kept / f"{module}.json"
        if kept.exists() and not self._fresh:
            return Run(outcomes=json.loads(kept.read_text()))
        run = self._run(module, ())
        if not run.broken:
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(json.dumps(run.outcomes, indent=0))
        return run

    def on_ours(self, module: str) -> Run:
        return self._run(module, OURS)

    def _run(self, module: str, before: tuple[str, ...]) -> Run:
        with tempfile.TemporaryDirectory(prefix="torsion-peers-") as folder:
            results = os.path.join(folder, "results")
            command = [self._python, *before, RUNNER, results, os.path.join(folder, "trial"), module]
            broken = ""
            with open(os.path.join(folder, "output"), "w+b") as output:
                try:
                    done = subprocess.run(
                        command,
                        env=self._environment,
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
                return _read(results, broken, output.read().decode(errors="replace"))


def _read(results: str, broken: str, output: str) -> Run:
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


@dataclass
class Tally:
    """What the comparison found, over all modules."""

    passed_on_stock: int = 0
    passed_on_ours: int = 0
    lost: list[str] = field(default_factory=list)
    excluded: list[str] = field(default_factory=list)
    gained: list[str] = field(default_factory=list)


def compare(peers: Peers, modules: list[str], exclusions: dict[str, str], show: int) -> Tally:
    tally = Tally()
    for module in modules:
        stock = peers.on_stock(module)
        expected = stock.passed()
        ours = peers.on_ours(module)
        passed = ours.passed()
        tally.passed_on_stock += len(expected)
        tally.passed_on_ours += len(passed)
        gone = sorted(expected - passed)
        excluded = [test for test in gone if _excluded(test, exclusions)]
        lost = [test for test in gone if test not in excluded]
        gained = sorted(passed - expected)
        tally.lost += lost
        tally.excluded += excluded
        tally.gained += gained
        print(f"{'LOST' if lost else 'ok':4}  {module}: {len(expected & passed)} of {len(expected)} pass")
        for side, run in (("stock", stock), ("ours", ours)):
            if run.broken:
                print(_indented(f"the run on {side} broke: {run.broken}", show))
        for test in lost:
            print(f"      lost      {test}: {ours.outcomes.get(test, 'not there')}")
            print(_indented(ours.texts.get(test, ""), show))
        for test in excluded:
            print(f"      excluded  {test}: {_excluded(test, exclusions)}")
        for test in gained:
            print(f"      gained    {test}: {stock.outcomes.get(test, 'not there')} on stock")
        sys.stdout.flush()
    return tally


def read_exclusions(path: Path) -> dict[str, str]:
    """Test id (or pattern) and why it is excluded. A line without a reason is an error."""
    exclusions = {}
    for line in path.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            test, _, reason = line.partition(" ")
            if not reason.strip():
                raise ValueError(f"{path.name}: {test} is excluded without a reason")
            exclusions[test] = reason.strip()
    return exclusions


def read_modules(path: Path) -> list[str]:
    lines = (line.partition("#")[0].strip() for line in path.read_text().splitlines())
    return [line for line in lines if line]


def _excluded(test: str, exclusions: dict[str, str]) -> str:
    return next((reason for pattern, reason in exclusions.items() if fnmatchcase(test, pattern)), "")


def _indented(text: str, lines: int) -> str:
    return "\n".join(f"          | {line}" for line in text.strip().splitlines()[-lines:]) if lines else ""


def _cannot(what: str, detail: str) -> int:
    print(f"nothing compared: {what}\n{detail}", file=sys.stderr)
    return 2


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--all-modules", action="store_true")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--lane", choices=("compiled", "interpreted"))
    parser.add_argument("--results", type=Path, default=HERE.parent.parent / "build" / "peers")
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--timeout", type=float, default=180)
    parser.add_argument("--show", type=int, default=12)
    options = parser.parse_args(arguments)
    if not options.names and not options.all_modules:
        parser.error("name test modules, or say --all-modules")
    exclusions = read_exclusions(HERE / "exclusions.txt")
    peers = Peers(options.python, options.lane, options.timeout, options.results, options.fresh)
    modules = options.names or read_modules(HERE / "modules.txt")
    if options.all_modules and options.names:
        modules = peers.modules_in(options.names)
    print(f"{peers.about}, against:\n{peers.engine}", flush=True)
    tally = compare(peers, modules, exclusions, options.show)
    print(f"{tally.passed_on_stock} pass on stock, {tally.passed_on_ours} on ours; {len(tally.lost)} lost", end="")
    print(f", {len(tally.excluded)} excluded, {len(tally.gained)} gained")
    if options.all_modules and not options.names:
        for pattern in exclusions:
            if not any(fnmatchcase(test, pattern) for test in tally.excluded):
                print(f"exclusions.txt: {pattern} excludes nothing")
    if not tally.passed_on_stock:
        return _cannot("no test passes on stock", "")
    return 1 if tally.lost else 0


if __name__ == "__main__":
    sys.exit(main())
