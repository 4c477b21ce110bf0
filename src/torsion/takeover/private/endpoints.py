"""Names of `twisted.internet.endpoints` that Twisted's plugins, its older modules, and its tests use."""

from typing import Any

from torsion.endpoint.connecting import _WrappingFactory, _WrappingProtocol
from torsion.endpoint.parsers import (
    _StandardIOParser,
    _SystemdParser,
    _TCP6ServerParser,
    _TLSClientEndpointParser,
    _TLSServerEndpointParser,
    serverFromString,
)
from torsion.endpoint.processes import _ProcessEndpointTransport, _WrapIProtocol
from torsion.endpoint.sockets import SSL4ServerEndpoint, TCP4ServerEndpoint, UNIXServerEndpoint
from torsion.endpoint.strings import parse as _parse
from torsion.endpoint.tls import _TLSServerEndpoint, _WrapperEndpoint

__all__ = [
    "_ProcessEndpointTransport",
    "_StandardIOParser",
    "_SystemdParser",
    "_TCP6ServerParser",
    "_TLSClientEndpointParser",
    "_TLSServerEndpoint",
    "_TLSServerEndpointParser",
    "_WrapIProtocol",
    "_WrapperEndpoint",
    "_WrapperServerEndpoint",
    "_WrappingFactory",
    "_WrappingProtocol",
    "_parse",
    "_parseServer",
]


class _WrapperServerEndpoint:
    """Listens by another endpoint, for a factory that is made of the program's. Contract: IStreamServerEndpoint."""

    def __init__(self, wrappedEndpoint: Any, wrapperFactory: Any) -> None:
        self._wrappedEndpoint = wrappedEndpoint
        self._wrapperFactory = wrapperFactory

    def listen(self, protocolFactory: Any) -> Any:
        """Listen for the factory: a Deferred of the port."""
        return self._wrappedEndpoint.listen(self._wrapperFactory(protocolFactory))


def _parseServer(description: str, factory: Any) -> tuple[Any, Any, dict[str, Any]]:
    """A description as the name of a reactor's method (after `listen`), its arguments and its named arguments.

    Of the three kinds that once were all there are; of any other, the parser and what it is to be given.
    """
    endpoint = serverFromString(None, description)
    if type(endpoint) is TCP4ServerEndpoint:
        return "TCP", (endpoint._port, factory), {"interface": endpoint._interface, "backlog": endpoint._backlog}
    if type(endpoint) is SSL4ServerEndpoint:
        more = {"interface": endpoint._interface, "backlog": endpoint._backlog}
        return "SSL", (endpoint._port, factory, endpoint._sslContextFactory), more
    if type(endpoint) is UNIXServerEndpoint:
        more = {"mode": endpoint._mode, "backlog": endpoint._backlog, "wantPID": endpoint._wantPID}
        return "UNIX", (endpoint._address, factory), more
    raise ValueError(f"{description!r} is no port that one of a reactor's listening methods opens")
