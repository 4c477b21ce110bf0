"""Runs programs, and writes what happened: one side of the comparison.

    python interpret.py PROGRAMS LOGS          a program a line in, a log a line out, both JSON

The same file runs on Twisted and, under `python -m torsion run`, on our engine.
"""

import gc
import json
import os
import signal
import sys

import deferreds  # noqa: F401
import jobs  # noqa: F401
import loopbacks  # noqa: F401
import messages  # noqa: F401
import streams  # noqa: F401
import timers  # noqa: F401
import triggers  # noqa: F401
import world
import wrapped  # noqa: F401
from twisted.logger import globalLogBeginner

#: Seconds that a program may take.
PATIENCE = 4
#: Deeper than a program goes in its budget: how many frames a call takes is not part of the contract.
DEPTH = 8000


def main(programs: str, logs: str) -> None:
    globalLogBeginner.beginLoggingTo([], discardBuffer=True, redirectStandardIO=False)  # else it keeps what it is told
    # Collections happen where the world asks for them, and look at nothing but the program's own objects.
    sys.setrecursionlimit(DEPTH)
    gc.collect()
    gc.freeze()
    gc.disable()
    with open(programs) as source, open(logs, "w") as target:
        for line in source:
            signal.setitimer(signal.ITIMER_REAL, PATIENCE)  # a program that hangs ends the process
            target.write(json.dumps(world.run(json.loads(line)), sort_keys=True) + "\n")
            target.flush()
    os._exit(0)  # threads that a program left behind are of no interest


if __name__ == "__main__":
    main(*sys.argv[1:])
