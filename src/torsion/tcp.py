"""Sockets, ports and connectors, to subclass or to make by hand. Contract: twisted.internet.tcp."""

from __future__ import annotations

from . import reactors as _reactors  # noqa: F401 - knows the reactor that is meant when none is given
from .net.binding import makeBinding
from .net.tcp import Connection, Port, Server
from .net.tcpclient import BaseClient, Client, Connector

__all__ = ["BaseClient", "Client", "Connection", "Connector", "Port", "Server", "makeBinding"]
