"""UNIX sockets, to subclass or to make by hand: streams, datagrams. Contract: twisted.internet.unix."""

from __future__ import annotations

from . import reactors as _reactors  # noqa: F401 - knows the reactor that is meant when none is given
from .net.unix import Client, Connector, Port, Server
from .net.unixdatagram import ConnectedDatagramPort, DatagramPort

__all__ = ["Client", "ConnectedDatagramPort", "Connector", "DatagramPort", "Port", "Server"]
