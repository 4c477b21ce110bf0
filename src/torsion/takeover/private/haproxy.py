"""Twisted's `protocols.haproxy`: our PROXY protocol, with the parsers by their names there, and its plugin.

One module stands for the package and for each module in it. Loaded where Twisted is installed.
"""

import sys
from collections.abc import Mapping
from typing import Any

from twisted.internet import endpoints, interfaces
from twisted.plugin import IPlugin
from zope.interface import Attribute, Interface, alsoProvides, classImplements, implementer, providedBy

from torsion.core import proxyheader
from torsion.core.proxyheader import (
    InvalidNetworkProtocol,
    InvalidProxyHeader,
    MissingAddressData,
    ProxyInfo,
)
from torsion.protocols import haproxy
from torsion.protocols.haproxy import HAProxyProtocolWrapper, HAProxyWrappingFactory

__all__ = [
    "HAProxyProtocolWrapper",
    "HAProxyServerParser",
    "HAProxyWrappingFactory",
    "IProxyInfo",
    "InvalidNetworkProtocol",
    "InvalidProxyHeader",
    "MissingAddressData",
    "ProxyInfo",
    "V1Parser",
    "V2Parser",
    "proxyEndpoint",
    "unparseEndpoint",
]

# Below this name Python looks for further modules; the finder points it to Twisted's own tests.
__path__: list[str] = []
# `from twisted.protocols.haproxy import _v1parser` looks here before it looks there.
_exceptions = _info = _interfaces = _parser = _v1parser = _v2parser = _wrapper = sys.modules[__name__]


class IProxyInfo(Interface):  # type: ignore[misc]
    """What a header says."""

    header = Attribute("The header as it came.")
    source = Attribute("The client's address, or None.")
    destination = Attribute("The address that it connected to, or None.")


classImplements(ProxyInfo, IProxyInfo)
classImplements(HAProxyProtocolWrapper, interfaces.IProtocol, interfaces.ITransport)
classImplements(HAProxyWrappingFactory, interfaces.IProtocolFactory)


def _announce(wrapper: Any, transport: Any) -> None:
    alsoProvides(wrapper, providedBy(transport))


haproxy.announce = _announce


class _Parser(proxyheader.HeaderParser):
    """A parser of one version."""

    prefix: bytes

    @property
    def buffer(self) -> bytes:
        return bytes(self._seen)

    def feed(self, data: bytes) -> proxyheader.Fed:
        seen = self.buffer + data
        if not seen.startswith(self.prefix[: len(seen)]):
            raise InvalidProxyHeader(f"another version: {seen[:16]!r}")
        return super().feed(data)


class V1Parser(_Parser):
    prefix = proxyheader.V1_PREFIX
    parse = staticmethod(proxyheader.parse_v1)


class V2Parser(_Parser):
    prefix = proxyheader.V2_PREFIX
    parse = staticmethod(proxyheader.parse_v2)


def proxyEndpoint(wrappedEndpoint: Any) -> Any:
    return endpoints._WrapperServerEndpoint(wrappedEndpoint, HAProxyWrappingFactory)


def unparseEndpoint(args: tuple[object, ...], kwargs: Mapping[str, object]) -> str:
    """The string that endpoints' parser takes apart into these."""
    quote = endpoints.quoteStringArgument
    named = [f"{quote(str(name))}={quote(str(value))}" for name, value in sorted(kwargs.items())]
    return ":".join([*(quote(str(value)) for value in args), *named])


@implementer(IPlugin, interfaces.IStreamServerEndpointStringParser)
class HAProxyServerParser:
    """The plugin for `haproxy:`, with the description of another endpoint behind it."""

    prefix = "haproxy"

    def parseStreamServer(self, reactor: Any, *args: object, **kwargs: object) -> Any:
        return proxyEndpoint(endpoints.serverFromString(reactor, unparseEndpoint(args, kwargs)))
