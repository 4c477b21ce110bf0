"""The process's reactor, kept where Twisted's programs look for it: as the module `twisted.internet.reactor`.

They look in `sys.modules` without importing, to learn whether there is a reactor yet; and Twisted's own tests take the
reactor out, install another, and put the first back.
"""

import importlib
import sys
from typing import Any

from torsion import reactors

from .table import DEFAULT, REACTOR


class ModulePlace(reactors.Place):
    """Keeps the reactor in `sys.modules`, and as the attribute of its package."""

    @property
    def reactor(self) -> Any:
        return sys.modules.get(REACTOR)

    @reactor.setter
    def reactor(self, reactor: Any) -> None:
        package, _, name = REACTOR.rpartition(".")
        setattr(importlib.import_module(package), name, reactor)
        sys.modules[REACTOR] = reactor

    def fill(self) -> None:
        """As importing `twisted.internet.reactor` does: what `default.install` is by then decides."""
        importlib.import_module(DEFAULT).install()
