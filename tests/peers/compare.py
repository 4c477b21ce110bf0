"""The comparer: Twisted's own tests, unmodified, on stock Twisted and on our engine, test by test.

    python tests/peers/compare.py [options] NAME...            these test modules, and those in these packages
    python tests/peers/compare.py [options] --suite core       the packages that our engine replaces or carries at once
    python tests/peers/compare.py [options] --suite all        all of Twisted's tests, and treq's

    --python PATH    interpreter of an environment that has Twisted, what its tests need, and torsion (default: this
                     one). Both sides run in it, and nothing is installed or changed
    --lane LANE      `compiled` or `interpreted`; may be given twice (default: what torsion chooses by itself). If
                     torsion then says that it runs in another lane, or that the compiled one is stale, nothing is
                     compared
    --jobs N         modules that run at the same time (default: as many as there are CPUs)
    --results DIR    where the outcomes on stock are kept of modules in which none failed, to be used again as long as
                     all that is installed is the same (default: build/peers)
    --fresh          run stock again
    --timeout S      seconds that one test module may take (default 180)
    --show N         lines of explanation shown for a lost test (default 12)
    --table          at the end, a table of the packages and their results in Markdown

A test is *lost* if it passes on stock and, on our engine, fails, is skipped, or is not there at all. A module that lost
a test is run again at the end, on both sides, with nothing beside it: the test stays lost unless it now passes on ours,
or fails on stock as well. What became of it is printed. Exit status: 0 if none is lost, 1 if any is, 2 if there was
nothing to compare. Lost tests listed in exclusions.txt do not count, but are shown; a line there that excludes nothing
is named too, when everything was run. With a Twisted older than the current one, exclusions-older.txt holds as well.

trial itself runs on our reactor.
"""

import argparse
import os
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from sides import Run, Sides, cannot

HERE = Path(__file__).resolve().parent
SUITES = {
    "core": (
        "twisted._threads",
        "twisted.internet",
        "twisted.logger",
        "twisted.protocols",
        "twisted.python",
        "twisted.test",
    ),
    "all": ("twisted", "treq"),
}


@dataclass
class Comparison:
    """One module, on stock and in one lane of ours."""

    module: str
    lane: str
    stock: Run
    ours: Run
    exclusions: dict[str, str]
    #: Lost the first time and not the second, and why that is so.
    forgiven: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.expected = self.stock.passed()
        gone = sorted(self.expected - self.ours.passed())
        self.excluded = [test for test in gone if reason_for(test, self.exclusions)]
        self.lost = [test for test in gone if test not in self.excluded]
        self.gained = sorted(self.ours.passed() - self.expected)

    def repeated(self, stock: Run, ours: Run) -> None:
        """Judge what is lost by a second run as well."""
        for test in self.lost:
            if test in ours.passed():
                self.forgiven[test] = "passes when repeated"
            elif test not in stock.passed():
                self.forgiven[test] = f"repeated: {stock.outcomes.get(test, 'not there')} on stock as well"
        self.lost = [test for test in self.lost if test not in self.forgiven]

    @property
    def kept(self) -> int:
        """How many of the tests that pass on stock pass on ours."""
        return len(self.expected) - len(self.lost) - len(self.excluded)


def compare(
    sides: Sides, modules: list[str], lanes: list[str], exclusions: dict[str, str], jobs: int, show: int
) -> list[Comparison]:
    """All modules in all lanes. Prints each, in the order of `modules`, and what became of the lost when repeated."""

    def both(module: str) -> list[Comparison]:
        stock = sides.on_stock(module)
        return [Comparison(module, lane, stock, sides.on_ours(module, lane), exclusions) for lane in lanes]

    compared = []
    with ThreadPoolExecutor(jobs) as pool:
        for found in pool.map(both, modules):
            for each in found:
                describe(each, show)
            compared += found
    for each in compared:
        if each.lost:
            print(f"{each.module}{_in(each.lane)}: again, with nothing beside it")
            each.repeated(sides.on_stock(each.module, again=True), sides.on_ours(each.module, each.lane))
            for test in each.lost:
                print(f"      lost      {test}: again")
            for test, reason in each.forgiven.items():
                print(f"      forgiven  {test}: {reason}")
            sys.stdout.flush()
    return compared


def describe(each: Comparison, show: int) -> None:
    word = "LOST" if each.lost else "ok"
    print(f"{word:4}  {each.module}{_in(each.lane)}: {each.kept} of {len(each.expected)} pass")
    for side, run in (("stock", each.stock), ("ours", each.ours)):
        if run.broken:
            print(_indented(f"the run on {side} broke: {run.broken}", show))
    for test in each.lost:
        print(f"      lost      {test}: {each.ours.outcomes.get(test, 'not there')}")
        print(_indented(each.ours.texts.get(test, ""), show))
    for test in each.excluded:
        print(f"      excluded  {test}: {reason_for(test, each.exclusions)}")
    for test in each.gained:
        print(f"      gained    {test}: {each.stock.outcomes.get(test, 'not there')} on stock")
    sys.stdout.flush()


def summary(compared: list[Comparison]) -> str:
    """One line on all that was compared in one lane."""
    expected, kept = sum(len(each.expected) for each in compared), sum(each.kept for each in compared)
    lost, excluded = sum(len(each.lost) for each in compared), sum(len(each.excluded) for each in compared)
    gained, forgiven = sum(len(each.gained) for each in compared), sum(len(each.forgiven) for each in compared)
    return (
        f"{expected} pass on stock, {kept} of them on ours; {lost} lost, {excluded} excluded,"
        f" {gained} gained, {forgiven} forgiven"
    )


def table(compared: list[Comparison], lanes: list[str]) -> str:
    """The results of each package, in Markdown."""
    rows: dict[str, list[Comparison]] = {}
    for each in compared:
        parts = each.module.split(".")
        rows.setdefault(".".join(parts[:2]) if parts[0] == "twisted" else parts[0], []).append(each)
    lines = [["tests of", "pass on Twisted", *(f"on Torsion{_in(lane)}" for lane in lanes), "excluded"]]
    lines += [[f"`{name}`", *_figures(row, lanes)] for name, row in sorted(rows.items())]
    lines += [["all", *_figures(compared, lanes)]]
    lines[1:1] = [["---"] + ["---:"] * (len(lines[0]) - 1)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _figures(compared: list[Comparison], lanes: list[str]) -> list[str]:
    by_lane = [[each for each in compared if each.lane == lane] for lane in lanes]
    expected = sum(len(each.expected) for each in by_lane[0])
    excluded = {test for each in compared for test in each.excluded}
    kept = [sum(each.kept for each in chosen) for chosen in by_lane]
    return [f"{figure:,}" for figure in (expected, *kept, len(excluded))]


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


def read_older(path: Path, twisted: str) -> dict[str, str]:
    """The same, of a file whose reasons begin with the last version of Twisted that they are about, as `@25.5`."""
    exclusions = {}
    for test, text in read_exclusions(path).items():
        last, _, reason = text.partition(" ")
        if not last.startswith("@") or not reason:
            raise ValueError(f"{path.name}: {test} is excluded without a last version, or without a reason")
        if _release(twisted) <= _release(last[1:]):
            exclusions[test] = reason
    return exclusions


def _release(version: str) -> tuple[int, ...]:
    """The year and the number in it: all that Twisted's versions differ by but corrections."""
    return tuple(int(part) for part in version.split(".")[:2])


def reason_for(test: str, exclusions: dict[str, str]) -> str:
    """Why it is excluded; empty if it is not."""
    return next((reason for pattern, reason in exclusions.items() if fnmatchcase(test, pattern)), "")


def unused(exclusions: Iterable[str], compared: list[Comparison]) -> list[str]:
    excluded = [test for each in compared for test in each.excluded]
    return [pattern for pattern in exclusions if not any(fnmatchcase(test, pattern) for test in excluded)]


def _in(lane: str) -> str:
    return f" ({lane})" if lane else ""


def _indented(text: str, lines: int) -> str:
    return "\n".join(f"          | {line}" for line in text.strip().splitlines()[-lines:]) if lines else ""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--suite", choices=SUITES)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--lane", choices=("compiled", "interpreted"), action="append", dest="lanes")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--results", type=Path, default=HERE.parent.parent / "build" / "peers")
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--timeout", type=float, default=180)
    parser.add_argument("--show", type=int, default=12)
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args(arguments)
    if bool(options.names) == bool(options.suite):
        parser.error("name test modules or packages, or a suite")
    lanes = options.lanes or [""]
    sides = Sides(options.python, options.timeout, options.results, options.fresh)
    exclusions = read_exclusions(HERE / "exclusions.txt") | read_older(HERE / "exclusions-older.txt", sides.twisted)
    print(f"{sides.about}, against:", *(sides.engine(lane) for lane in lanes), sep="\n", flush=True)
    modules = sides.modules_in(options.names or SUITES[options.suite])
    compared = compare(sides, modules, lanes, exclusions, options.jobs, options.show)
    if options.table:
        print(table(compared, lanes))
    for lane in lanes:
        print(summary([each for each in compared if each.lane == lane]) + _in(lane))
    for pattern in unused(exclusions, compared) if options.suite == "all" else ():
        print(f"exclusions: {pattern} excludes nothing")
    if not any(each.expected for each in compared):
        return cannot("no test passes on stock", "")
    return 1 if any(each.lost for each in compared) else 0


if __name__ == "__main__":
    sys.exit(main())
