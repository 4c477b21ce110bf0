"""Private names of `twisted.python.failure`."""

from typing import TypeVar

__all__ = ["DefaultException", "_extraneous"]

_F = TypeVar("_F")


class DefaultException(Exception):
    """Raised by old programs for want of a better one."""


def _extraneous(function: _F) -> _F:
    """Marked frames that Twisted leaves out of tracebacks. We leave nothing out."""
    return function
