"""`python -m torsion info`: what a bug report should begin with."""

import platform
import sys

import torsion
from torsion import lane
from torsion.engine import poll

from . import output


def main(arguments: list[str]) -> int:
    """Print one `name: value` a line. Exit status 0, or 2 for a bad command line."""
    if arguments:
        print(f"torsion info: takes no arguments, not {arguments!r}", file=sys.stderr)
        return 2
    poller = poll.choose(None)
    name = poller.name
    poller.close()
    lines = [
        f"version:   {torsion.__version__}",
        f"lane:      {torsion.LANE}",
        f"because:   {why}" if (why := lane.reason(torsion.LANE)) else "",
        f"freshness: {lane.freshness(torsion.LANE)}",
        f"poller:    {name}",
        f"python:    {platform.python_implementation()} {platform.python_version()}",
    ]
    output.write("".join(f"{line}\n" for line in lines if line))
    return 0
