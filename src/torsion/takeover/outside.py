"""What our endpoints have of Twisted's where it is installed: TLS contexts by its own objects, plugins, interfaces.

A module of Twisted's that has been replaced by ours is asked for by its name there all the same: it is ours then.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import Any

from torsion.endpoint import outside


class TwistedOutside(outside.Outside):
    """See the module."""

    def tls_factory(self) -> Any:
        return importlib.import_module("twisted.protocols.tls").TLSMemoryBIOFactory

    def contexts(self) -> Any:
        """By pyOpenSSL where that is installed, which programs expect then; else by the standard library."""
        try:
            from .private import contexts
        except ImportError:
            return super().contexts()
        return contexts

    def standard_io(self) -> Any:
        return importlib.import_module("twisted.internet.stdio").StandardIO

    def pipe_address(self) -> Any:
        return importlib.import_module("twisted.internet.stdio").PipeAddress()

    def proxied(self, endpoint: Any) -> Any:
        return importlib.import_module("twisted.protocols.haproxy").proxyEndpoint(endpoint)

    def host_name(self, host: str | bytes) -> tuple[bytes, str]:
        from .private.endpoints_twisted import host_name

        return host_name(host)

    def names_of(self, endpoint: Any, reactor: Any) -> Any:
        from .private.endpoints_twisted import names_of

        return names_of(endpoint, reactor)

    def server_parsers(self) -> Iterable[Any]:
        return _plugins("IStreamServerEndpointStringParser")

    def client_parsers(self) -> Iterable[Any]:
        return _plugins("IStreamClientEndpointStringParserWithReactor")

    def declare(self, wrapper: Any, wrapped: Any) -> None:
        from twisted.internet import interfaces
        from zope.interface import alsoProvides

        for interface in (
            interfaces.IHalfCloseableProtocol,
            interfaces.IFileDescriptorReceiver,
            interfaces.IHandshakeListener,
        ):
            if interface.providedBy(wrapped):
                alsoProvides(wrapper, interface)


def _plugins(interface: str) -> Iterable[Any]:
    from twisted.internet import interfaces
    from twisted.plugin import getPlugins

    plugins: Iterable[Any] = getPlugins(getattr(interfaces, interface))
    return plugins
