"""This process's standard input and output as a transport. Contract: twisted.internet.stdio."""

from __future__ import annotations

from . import reactors as _reactors  # noqa: F401 - knows the reactor that is meant when none is given
from .child.stdio import PipeAddress, StandardIO

__all__ = ["PipeAddress", "StandardIO"]
