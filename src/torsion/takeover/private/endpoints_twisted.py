"""What `twisted.internet.endpoints` has besides where Twisted is installed.

Parsers that are plugins of it; and what its tests replace to have names resolved without the reactor's resolver.
"""

import importlib
import socket
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from torsion import endpoints, report
from torsion.address import IPv4Address, IPv6Address
from torsion.core.deferred import Deferred
from torsion.endpoint import lookup
from torsion.endpoint.hostname import HostnameEndpoint
from torsion.endpoint.processes import StandardIOEndpoint
from torsion.endpoint.sockets import TCP6ClientEndpoint
from torsion.endpoint.tls import wrapClientTLS as _wrapClientTLS
from torsion.failure import Failure

__all__ = ["_SimpleHostnameResolver", "_loadCAsFromDir"]

#: Whether there is one: None where nothing can speak TLS.
TLSMemoryBIOFactory: Any = True

KINDS: dict[int, Callable[..., Any]] = {socket.AF_INET: IPv4Address, socket.AF_INET6: IPv6Address}


def wrapClientTLS(
    connectionCreator: Any, wrappedEndpoint: Any, clock: Any = None, handshake_timeout: float | None = None
) -> Any:  # nothing by keyword alone: Twisted's tests make a copy that would not have its default
    """Ours, or an error at once where nothing can speak TLS."""
    if TLSMemoryBIOFactory is None:
        raise NotImplementedError("OpenSSL not available: install twisted[tls]")
    return _wrapClientTLS(connectionCreator, wrappedEndpoint, clock, handshake_timeout=handshake_timeout)


def _loadCAsFromDir(directoryPath: Any) -> Any:
    """The certificates in a folder, as authorities."""
    from .contexts import trusted

    return trusted(directoryPath)


class _Resolution:
    def __init__(self, name: str) -> None:
        self.name = name

    def cancel(self) -> None:
        """It cannot be."""


class _SimpleHostnameResolver:
    """Resolves by a function (name, port) that answers as getaddrinfo does, in a Deferred."""

    def __init__(self, nameResolution: Callable[[str, int], Deferred]) -> None:
        self._nameResolution = nameResolution

    def resolveHostName(
        self,
        resolutionReceiver: Any,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type] | None = None,
        transportSemantics: str = "TCP",
    ) -> Any:
        resolution = _Resolution(hostName)
        resolutionReceiver.resolutionBegan(resolution)

        def found(result: Any) -> None:
            if isinstance(result, Failure):
                report.failure(f"{hostName!r} could not be resolved by {self._nameResolution!r}", result)
                result = ()
            for family, _, _, _, address in result:
                if family in KINDS:
                    resolutionReceiver.addressResolved(KINDS[family](transportSemantics, *address))
            resolutionReceiver.resolutionComplete()

        self._nameResolution(hostName, portNumber).addBoth(found)
        return resolution


def host_name(host: str | bytes) -> tuple[bytes, str]:
    """Ours, and what a program accepts besides that has put its own for `_idnaBytes` and `_idnaText`.

    A name given in bytes is international as text.
    """
    module: Any = endpoints
    try:
        name, text = lookup.host_name(host)
    except ValueError:
        return (host, module._idnaText(host)) if isinstance(host, bytes) else (module._idnaBytes(host), host)
    if isinstance(host, bytes) and b"xn--" in host:
        text = module._idnaText(host)
    return name, text


def _hostAsBytesAndText(host: str | bytes) -> tuple[bool, bytes, str]:
    """Whether it cannot be a host's name, and it as bytes and text."""
    try:
        return (False, *host_name(host))
    except ValueError:
        return (True, *lookup.escaped(host))


class ByFunction:
    """Stands for a reactor without a resolver."""

    def __init__(self, function: Callable[[str, int], Deferred]) -> None:
        self.nameResolver = _SimpleHostnameResolver(function)


def names_of(endpoint: Any, reactor: Any) -> Any:
    """The reactor, whose resolver is asked; one that has none is deprecated, and a thread asks the system then."""
    from twisted.internet.interfaces import IReactorPluggableNameResolver

    if IReactorPluggableNameResolver.providedBy(reactor):
        return reactor
    kind = type(reactor)
    warnings.warn(
        "Passing HostnameEndpoint a reactor that does not provide IReactorPluggableNameResolver"
        f" ({kind.__module__}.{kind.__qualname__}) was deprecated in Twisted 17.5.0; please use a reactor that provides"
        " IReactorPluggableNameResolver instead",
        DeprecationWarning,
        stacklevel=3,
    )
    return ByFunction(endpoint._fallbackNameResolution)


def _fallbackNameResolution(self: Any, host: str, port: int) -> Any:
    return self._deferToThread(self._getaddrinfo, host, port, 0, socket.SOCK_STREAM)


def _nameResolution(self: Any, host: str) -> Any:
    return self._deferToThread(self._getaddrinfo, host, 0, socket.AF_INET6)


class _Later:
    """A class attribute whose value is a name of a module that is slow to load; an instance may have its own."""

    def __init__(self, module: str, name: str) -> None:
        self._module, self._name = module, name

    def __get__(self, instance: object, owner: type) -> Any:
        return getattr(importlib.import_module(self._module), self._name)


each: Any
for each in (HostnameEndpoint, TCP6ClientEndpoint):
    each._deferToThread = _Later("torsion.threads", "deferToThread")
    each._getaddrinfo = staticmethod(socket.getaddrinfo)
HostnameEndpoint._hostAsBytesAndText = staticmethod(_hostAsBytesAndText)  # type: ignore[attr-defined]
HostnameEndpoint._fallbackNameResolution = _fallbackNameResolution  # type: ignore[attr-defined]
TCP6ClientEndpoint._nameResolution = _nameResolution  # type: ignore[method-assign]
StandardIOEndpoint._stdio = _Later("torsion.stdio", "StandardIO")
endpoints.wrapClientTLS = wrapClientTLS
