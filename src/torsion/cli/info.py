"""`python -m torsion info`: what a bug report should begin with."""

import platform
import sys

import torsion
from torsion import lane
from torsion.engine import poll


def main(arguments: list[str]) -> int:
    """Print one `name: value` a line. Exit status 0, or 2 for a bad command line."""
    if arguments:
        print(f"torsion info: takes no arguments, not {arguments!r}", file=sys.stderr)
        return 2
    poller = poll.choose(None)
    name = poller.name
    poller.close()
    print(f"version:   {torsion.__version__}")
    print(f"lane:      {torsion.LANE}")
    if why := lane.reason(torsion.LANE):
        print(f"because:   {why}")
    print(f"freshness: {lane.freshness(torsion.LANE)}")
    print(f"poller:    {name}")
    print(f"python:    {platform.python_implementation()} {platform.python_version()}")
    return 0
