"""Takeover: an unmodified Twisted program gets our modules where it asks for Twisted's.

`python -m torsion run` calls `install()` before anything else; a program may do so itself, as its first line:

    import torsion.takeover

    torsion.takeover.install()

    from twisted.internet import defer, reactor  # Torsion's

Nothing on disk is changed and nothing happens without that call. What is replaced is in `takeover/table.py`.
"""

import sys

from . import children
from .finder import Finder
from .table import REACTOR, TABLE

__all__ = ["install", "installed"]


def installed() -> bool:
    """Whether imports of Twisted's modules are answered with ours in this process."""
    return any(isinstance(finder, Finder) for finder in sys.meta_path)


def install() -> None:
    """Answer imports of Twisted's modules with ours from now on, here and in child processes that get our environment.

    A second call does nothing. Call it in the main thread, before anything imports Twisted.

    Raises RuntimeError if Twisted's own core was imported before: Deferreds and Failures of two makes would meet.
    """
    if installed():
        return
    before = sorted({REACTOR, *TABLE} & set(sys.modules))
    if before:
        raise RuntimeError(
            f"torsion.takeover.install() came too late: {', '.join(before)} had been imported already, and a program"
            " cannot use both Twisted's and Torsion's. Make it the first line of the program, or start the program"
            " with `python -m torsion run`."
        )
    sys.meta_path.insert(0, Finder())
    children.inherit()
