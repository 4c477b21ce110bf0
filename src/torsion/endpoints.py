"""Where a connection leads to or a service listens, as an object that a program can be given.

A client's endpoint has `connect(factory)`, which answers with a Deferred of the connected protocol; a server's has
`listen(factory)`, with a Deferred of the port. They come from a class here, or from a string of the program's
configuration: `serverFromString(reactor, "tcp:8080")`. The reactor's thread only.

Contract: twisted.internet.endpoints.
"""

from __future__ import annotations

from .endpoint.adopted import AdoptedStreamServerEndpoint, ListenFDs
from .endpoint.connecting import connectProtocol
from .endpoint.hostname import HostnameEndpoint
from .endpoint.parsers import _SystemdParser, clientFromString, serverFromString
from .endpoint.processes import ProcessEndpoint, StandardErrorBehavior, StandardIOEndpoint
from .endpoint.sockets import (
    SSL4ClientEndpoint,
    SSL4ServerEndpoint,
    TCP4ClientEndpoint,
    TCP4ServerEndpoint,
    TCP6ClientEndpoint,
    TCP6ServerEndpoint,
    UNIXClientEndpoint,
    UNIXServerEndpoint,
)
from .endpoint.strings import quoteStringArgument
from .endpoint.tls import wrapClientTLS, wrapServerTLS

__all__ = [
    "AdoptedStreamServerEndpoint",
    "HostnameEndpoint",
    "ProcessEndpoint",
    "SSL4ClientEndpoint",
    "SSL4ServerEndpoint",
    "StandardErrorBehavior",
    "StandardIOEndpoint",
    "TCP4ClientEndpoint",
    "TCP4ServerEndpoint",
    "TCP6ClientEndpoint",
    "TCP6ServerEndpoint",
    "UNIXClientEndpoint",
    "UNIXServerEndpoint",
    "clientFromString",
    "connectProtocol",
    "quoteStringArgument",
    "serverFromString",
    "wrapClientTLS",
    "wrapServerTLS",
]

# Noted now: a server that becomes a daemon has another process id later on, and these are for one process by its id.
_SystemdParser._sddaemon = ListenFDs.fromEnvironment()
