"""Mocks made after what is compiled take the arguments that it takes, and hand over `self`.

`unittest.mock` sees a function by its type, and does not know that of compiled functions: to it they are objects that
can be called, of which it knows no arguments.
"""

from types import FunctionType
from typing import Any


def install(mock: Any) -> None:
    """Let this module know compiled functions; in the interpreted lane there are none."""
    from torsion.calling import Calling

    compiled = type(Calling.callLater)
    known = getattr(mock, "FunctionTypes", None)
    if compiled is not FunctionType and isinstance(known, tuple) and compiled not in known:
        mock.FunctionTypes = (*known, compiled)
