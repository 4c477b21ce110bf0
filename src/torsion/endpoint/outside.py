"""What endpoints need of others only when it is used: TLS, standard input and output, the PROXY protocol, plugins.

One place for all of it, because this is where the takeover puts what belongs to Twisted (`use`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from . import lookup


class Outside:
    """What is ours. A method a thing, asked each time it is needed."""

    def tls_factory(self) -> Callable[..., Any]:
        """Makes the factory that speaks TLS: `(contextFactory, isClient, wrappedFactory, clock)`."""
        from ..protocols.tls import TLSMemoryBIOFactory

        return TLSMemoryBIOFactory

    def contexts(self) -> Any:
        """The module that makes TLS contexts of what a string names: one like `contexts.py`."""
        from . import contexts

        return contexts

    def standard_io(self) -> Callable[..., Any]:
        """Makes the transport of standard input and output: `(protocol, reactor=reactor)`."""
        from ..stdio import StandardIO

        return StandardIO

    def pipe_address(self) -> Any:
        """The address of the other end of standard input and output."""
        from ..stdio import PipeAddress

        return PipeAddress()

    def proxied(self, endpoint: Any) -> Any:
        """A server's endpoint whose clients come through a proxy that speaks the PROXY protocol."""
        from ..protocols.haproxy import proxyEndpoint

        return proxyEndpoint(endpoint)

    def host_name(self, host: str | bytes) -> tuple[bytes, str]:
        """A host's name as bytes and as text. ValueError for what cannot be one."""
        return lookup.host_name(host)

    def names_of(self, endpoint: Any, reactor: Any) -> Any:
        """What has the `nameResolver` that an endpoint asks: its reactor. Contract: IReactorPluggableNameResolver."""
        return reactor

    def server_parsers(self) -> Iterable[Any]:
        """Those that others bring. Contract: IStreamServerEndpointStringParser."""
        return ()

    def client_parsers(self) -> Iterable[Any]:
        """Those that others bring. Contract: IStreamClientEndpointStringParserWithReactor."""
        return ()

    def declare(self, wrapper: Any, wrapped: Any) -> None:
        """`wrapper` has the hooks that `wrapped` has: let it say so, where that is said and not seen."""


_outside = Outside()


def outside() -> Outside:
    """What is in use."""
    return _outside


def use(other: Outside) -> None:
    """Ask this one from now on."""
    global _outside
    _outside = other
