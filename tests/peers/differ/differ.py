"""The differential fuzzer: random programs on stock Twisted and on our engine; what happens must be the same.

    python tests/peers/differ/differ.py [options]

    --programs N     how many (default 1000)
    --seed S         of the first; the next has S + 1, and so on (default 1)
    --kinds K,...    only programs of these kinds (generate.py)
    --batch N        programs that one process runs (default 500)
    --show           print the first program and what happened on each side, and compare nothing
    --program FILE   run the program in this file instead, JSON

Exit status: 0 if no program differs, 1 if one does. Each difference is printed as the smallest program that still
differs, with where the logs part, and the command that repeats it.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import generate  # noqa: E402

Program = list[Any]
Log = dict[str, list[Any]]
SIDES = {"stock": (), "ours": ("-m", "torsion", "run")}

#: A difference counts if it shows every time: sockets are the kernel's, and what it does is not always the same.
TIMES = 3
#: How many differences are made small and printed.
ENOUGH = 5


def logs_of(programs: list[Program]) -> list[list[Log | None]]:
    """What happened on each side, program by program; None where that side did not end."""
    with tempfile.TemporaryDirectory(prefix="torsion-differ-") as folder:
        sides = [Side(Path(folder, name), before) for name, before in SIDES.items()]
        for side in sides:
            side.start(programs)
        while not all(side.finished(programs) for side in sides):
            pass
        return [side.logs for side in sides]


class Side:
    """One side's process. A program that hangs ends the process, and another one goes on behind it."""

    def __init__(self, folder: Path, before: tuple[str, ...]) -> None:
        folder.mkdir()
        self._folder = folder
        self._before = before
        self.logs: list[Log | None] = []

    def start(self, programs: list[Program]) -> None:
        source, target = self._folder / "programs", self._folder / "logs"
        source.write_text("".join(json.dumps(program) + "\n" for program in programs[len(self.logs) :]))
        target.write_text("")
        command = [sys.executable, *self._before, str(HERE / "interpret.py"), str(source), str(target)]
        with open(self._folder / "output", "w") as output:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)

    def finished(self, programs: list[Program]) -> bool:
        """Whether there is a log of every program; if not, what is left has been started."""
        if len(self.logs) == len(programs):
            return True
        status = self._process.wait()
        self.logs += [json.loads(line) for line in (self._folder / "logs").read_text().splitlines()]
        if len(self.logs) == len(programs):
            return True
        if status > 0:
            sys.exit((self._folder / "output").read_text()[-2000:])
        self.logs.append(None)
        if len(self.logs) < len(programs):
            self.start(programs)
        return len(self.logs) == len(programs)


def differing(programs: list[Program], excused: Counter[str]) -> list[int]:
    """Which of the programs differ, or do not end on ours; those that are let pass are counted, by the reason."""
    stock, ours = logs_of(programs)
    excused.update(why for one, other in zip(stock, ours, strict=True) if one != other and (why := excuse(one)))
    found = [number for number in range(len(programs)) if _other(stock[number], ours[number])]
    if len(programs) == 1 or not found:
        return found
    return [number for number in found if differs(programs[number])]


def differs(program: Program) -> bool:
    return all(_differs_once(program) for _ in range(TIMES))


def _differs_once(program: Program) -> bool:
    stock, ours = logs_of([program])
    return _other(stock[0], ours[0])


def _other(stock: Log | None, ours: Log | None) -> bool:
    """Whether they differ. A program that hangs on Twisted, or makes it fail where ours does not, tells nothing."""
    return stock != ours and not excuse(stock)


#: Programs on which Twisted goes wrong are not compared: why, and the error that shows it (docs/twisted.md).
EXCUSES = {
    '["RecursionError", ""]': "a Deferred that waits for itself is cancelled",
    '["thrown", ["misuse", ""]]': "a Deferred is awaited in its own errback",
    '["out of operations"]': "a program goes on without end on Twisted",
    "_InternalInlineCallbacksCancelledError": "a program sees a Deferred in the middle of its cancellation",
}


def excuse(stock: Log | None) -> str:
    """Why what happened on Twisted is no model, or nothing."""
    if stock is None:
        return "a program that does not end on Twisted"
    text = json.dumps(stock)
    return next((why for error, why in EXCUSES.items() if error in text), "")


# Making programs smaller.


def _lists_of_operations(program: Any) -> Iterator[list[Any]]:
    """The lists inside a program that hold operations (or a generator's steps)."""
    if isinstance(program, list):
        if program and all(isinstance(each, list) and each and isinstance(each[0], str) for each in program):
            yield program
        for each in program:
            yield from _lists_of_operations(each)


def _smaller(program: Program) -> Iterator[Program]:
    """Programs with something left out, the larger parts first."""
    for index in range(sum(1 for _ in _lists_of_operations(program))):
        size = len(list(_lists_of_operations(program))[index])
        step = size
        while step:
            for start in range(0, size, step):
                copy = json.loads(json.dumps(program))
                del list(_lists_of_operations(copy))[index][start : start + step]
                yield copy
            step //= 2


def shrunk(program: Program) -> Program:
    """The smallest program found that differs in the same way."""
    stock, ours = (logs[0] for logs in logs_of([program]))
    way = _way(stock, ours)
    while True:
        candidates = list(_smaller(program))
        stocks, others = logs_of(candidates)
        found = [n for n in range(len(candidates)) if _way(stocks[n], others[n]) == way]
        found.sort(key=lambda number: len(json.dumps(candidates[number])))
        best = next((candidates[number] for number in found[:8] if _differs_once(candidates[number])), None)
        if best is None or way is None:
            return program
        program = best


def _parting(one: list[Any], other: list[Any]) -> int:
    """How many events are the same."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((number for number, (a, b) in pairs if a != b), min(len(one), len(other)))


def _way(stock: Log | None, ours: Log | None) -> Any:
    """The kind of the first events that differ, or None."""
    if stock is None or ours is None:
        return None if stock is None else ("does not end",)
    for channel in sorted(stock.keys() | ours.keys()):
        one, other = stock.get(channel, []), ours.get(channel, [])
        if one != other:
            same = _parting(one, other)
            return channel, _kind(one[same:]), _kind(other[same:])
    return None


def _kind(events: list[Any]) -> Any:
    return events[0][0] if events else None


def report(program: Program) -> None:
    stock, ours = (logs[0] for logs in logs_of([program]))
    print(json.dumps(program))
    if stock is None or ours is None:
        print(f"  does not end on {'stock' if stock is None else 'ours'}")
        return
    for channel in sorted(stock.keys() | ours.keys()):
        one, other = stock.get(channel, []), ours.get(channel, [])
        if one == other:
            continue
        same = _parting(one, other)
        print(f"  {channel}, after {same} events:")
        for event in one[max(0, same - 3) : same]:
            print(f"      both   {json.dumps(event)}")
        for side, events in (("stock", one), ("ours", other)):
            for event in events[same : same + 4] or ["(nothing)"]:
                print(f"      {side:5}  {json.dumps(event)}")


def show(program: Program) -> None:
    for side, logs in zip(SIDES, logs_of([program]), strict=True):
        print(side)
        for channel, events in (logs[0] or {}).items():
            for event in events:
                print(f"  {channel}: {json.dumps(event)}")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kinds", type=lambda text: text.split(","))
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--program", type=Path)
    options = parser.parse_args(arguments)
    if options.program:
        programs = [json.loads(options.program.read_text())]
    else:
        programs = [generate.program(options.seed + n, options.kinds) for n in range(options.programs)]
    if options.show:
        show(programs[0])
        return 0
    begun = time.monotonic()
    excused: Counter[str] = Counter()
    found = []
    for start in range(0, len(programs), options.batch):
        for number in differing(programs[start : start + options.batch], excused):
            found.append(options.seed + start + number)
            if len(found) <= ENOUGH:
                print(f"seed {found[-1]} differs; the smallest program that does:")
                report(shrunk(programs[start + number]))
                kinds = f" --kinds {','.join(options.kinds)}" if options.kinds else ""
                print(
                    f"  again: python tests/peers/differ/differ.py --seed {found[-1]} --programs 1{kinds}", flush=True
                )
    for why, count in excused.most_common():
        print(f"  let pass, {count}: {why}")
    print(
        f"{len(programs)} programs in {time.monotonic() - begun:.1f} s, {excused.total()} let pass, {len(found)} differ"
        + (f": {found[:20]}" if found else "")
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
