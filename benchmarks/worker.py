"""One peer in a process of its own: reads "operation count" lines, answers each with the seconds of CPU it took.

An operation is a function of operations.py (of loop_operations.py for who has no Deferreds), or of another module here
that it names: "growth.chain_link". Before it and after it the process asks for its group: counts.py knows by that where
in a trace the operation is.

Usage: worker.py torsion|twisted|asyncio|uvloop|rloop [without-gc]
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
from typing import Any


def answer(took: float) -> None:
    print(repr(took), flush=True)


def requests() -> Any:
    """Blocks in between: nothing else is to run while another peer is measured."""
    for line in iter(sys.stdin.readline, ""):
        name, count = line.split()
        yield name, int(count)


def serve_deferreds() -> None:
    from twisted.internet import defer, reactor

    @defer.inlineCallbacks
    def serve() -> Any:
        for name, count in requests():
            module, _, function = name.rpartition(".")
            operation = getattr(importlib.import_module(module or "operations"), function)
            os.getpgrp()
            took = yield operation(count)
            os.getpgrp()
            answer(took)
        reactor.stop()

    def report(failure: Any) -> None:
        failure.printTraceback(sys.stderr)
        reactor.stop()

    reactor.callWhenRunning(lambda: serve().addErrback(report))
    print("ready", flush=True)
    reactor.run()


async def serve_futures() -> None:
    import loop_operations

    print("ready", flush=True)
    for name, count in requests():
        operation = getattr(loop_operations, name)
        os.getpgrp()
        took = await operation(count)
        os.getpgrp()
        answer(took)


def main(peer: str) -> None:
    if peer == "torsion":
        import torsion.takeover

        torsion.takeover.install()
    if peer in ("torsion", "twisted"):
        serve_deferreds()
    else:
        import asyncio

        with asyncio.Runner(loop_factory=importlib.import_module(peer).new_event_loop) as runner:
            runner.run(serve_futures())


if __name__ == "__main__":
    if sys.argv[2:] == ["without-gc"]:
        gc.disable()
    main(sys.argv[1])
