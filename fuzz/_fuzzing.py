"""What fuzz targets are run by: `PYTHONPATH=. python fuzz/name.py --seconds 60 [--seed S] [--only CASE]`.

A target is a function of a `random.Random`: one case, which raises if something is wrong. Each case has a seed of its
own, which is printed if it fails, so that `--only` repeats it. A case that takes longer than `PATIENCE` is a hang: all
threads are shown and the program ends.
"""

import argparse
import faulthandler
import itertools
import random
import sys
import time
import traceback
from collections.abc import Callable

PATIENCE = 20.0  # seconds for one case; a machine may be busy


def run(target: Callable[[random.Random], object]) -> None:
    """Make cases until the time is over. Ends the program: with status 1 if a case failed."""
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to go on (60)")
    parser.add_argument("--seed", default=str(random.SystemRandom().randrange(1 << 32)), help="of the whole run")
    parser.add_argument("--only", help="repeat one case")
    options = parser.parse_args()
    end = time.monotonic() + options.seconds
    cases = [options.only] if options.only else (f"{options.seed}-{number}" for number in itertools.count())
    count = 0
    for case in cases:
        if count and time.monotonic() >= end:
            break
        faulthandler.dump_traceback_later(PATIENCE, exit=True)
        try:
            target(random.Random(case))
        except Exception:
            traceback.print_exc()
            sys.exit(f"case {case} failed: repeat it with --only {case}")
        count += 1
    faulthandler.cancel_dump_traceback_later()
    print(f"{count} cases, seed {options.seed}: nothing found")


def damaged(data: bytes, chance: random.Random) -> bytes:
    """The same bytes with something wrong: changed, lost, doubled, put in, cut off."""
    made = bytearray(data)
    for _ in range(chance.choice([1, 1, 2, 5])):
        at = chance.randrange(len(made) + 1)
        size = chance.choice([1, 1, 2, 4, 16, 100])
        what = chance.randrange(6)
        if what == 0 and at < len(made):
            made[at] ^= 1 << chance.randrange(8)
        elif what == 1 and at < len(made):
            made[at] = chance.choice([0, 1, 0x7F, 0x80, 0xFF])
        elif what == 2:
            del made[at : at + size]
        elif what == 3:
            made[at:at] = made[at : at + size]
        elif what == 4:
            made[at:at] = chance.randbytes(size)
        else:
            del made[at:]
    return bytes(made)


def split(data: bytes, chance: random.Random) -> list[bytes]:
    """In pieces, as a network would."""
    pieces = []
    while data:
        size = chance.choice([1, 2, 5, 100, 20_000])
        pieces.append(data[:size])
        data = data[size:]
    return pieces
