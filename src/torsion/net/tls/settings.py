"""How one side of a connection speaks TLS, as the standard library's engine needs it.

Whatever makes TLS with the standard library (a bare `ssl.SSLContext`, an object of torsion.ssl) comes down to this.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    import ssl


class Settings(NamedTuple):
    """May be given wherever a context factory is."""

    #: What certificates, protocols and checks there are. Shared by all connections.
    context: ssl.SSLContext
    #: Clients: whom to ask for (SNI), and whose name is checked if the context checks host names.
    server_hostname: str | None = None
    #: Called once, with the engine's SSLObject, when the handshake is done; raises to refuse the peer.
    verify: Callable[[ssl.SSLObject], object] | None = None


class MakesSettings(Protocol):
    """A context factory of the standard library's kind: what the objects of torsion.ssl are."""

    def tls_settings(self, server_side: bool) -> Settings:
        """The settings for the next connection: of a server, or of a client."""


def certified(host: str) -> str:
    """The name or address by which a certificate knows this host: without the root's dot, or an address's scope."""
    return host.partition("%")[0] if ":" in host else host.removesuffix(".")
