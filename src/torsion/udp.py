"""Ports for datagrams, to subclass or to make by hand. Contract: twisted.internet.udp."""

from __future__ import annotations

from . import reactors as _reactors  # noqa: F401 - knows the reactor that is meant when none is given
from .net.multicast import MulticastPort
from .net.udp import Port

__all__ = ["MulticastPort", "Port"]
