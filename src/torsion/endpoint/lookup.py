"""Names for endpoints: what a host's name is on the wire, and its addresses, as the reactor's resolver finds them."""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from typing import Any

from ..core.deferred import Deferred
from ..error import DNSLookupError
from ..failure import Failure
from ..net.filedescriptor import isIPAddress, isIPv6Address

_LABEL = re.compile(rb"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.IGNORECASE)
LONGEST_NAME = 253  # in bytes, without a dot at the end


def host_name(host: str | bytes) -> tuple[bytes, str]:
    """The name as bytes that go over the wire, and as text. ValueError for what cannot be a host's name or address."""
    if isinstance(host, bytes):
        host = host.decode("ascii")  # UnicodeDecodeError is a ValueError
    elif not isinstance(host, str):
        raise TypeError(f"a host is a str or bytes, not {host!r}")
    if isIPAddress(host, socket.AF_INET) or isIPv6Address(host):
        return host.encode("ascii"), host
    name = host.encode("ascii") if host.isascii() else to_idna(host)
    labels = name.removesuffix(b".").split(b".")
    if len(name) > LONGEST_NAME + 1 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(f"{host!r} cannot be a host's name")
    return name, host if name.isascii() and host.isascii() else to_text(name)


def escaped(host: str | bytes) -> tuple[bytes, str]:
    """What is shown of what cannot be a host's name, both ways."""
    if isinstance(host, str):
        host = host.encode("ascii", "backslashreplace")
    text = host.decode("ascii", "backslashreplace")
    return text.encode("ascii"), text


def to_idna(host: str) -> bytes:
    """An international name as it is looked up: by the package `idna` where there is one, else by the standard library,
    whose rules are older. ValueError if the name is none."""
    try:
        import idna
    except ImportError:
        return host.encode("idna")
    return idna.encode(host, uts46=True)


def to_text(name: bytes) -> str:
    """The reverse of to_idna."""
    try:
        import idna
    except ImportError:
        return name.decode("idna")
    return idna.decode(name)


class _Receiver:
    """Gathers what a resolver finds. Contract: IResolutionReceiver."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._resolution: Any = None
        self._addresses: list[Any] = []
        self.found = Deferred(self._cancel)

    def resolutionBegan(self, resolution: Any) -> None:
        self._resolution = resolution

    def addressResolved(self, address: Any) -> None:
        self._addresses.append(address)

    def resolutionComplete(self) -> None:
        self._resolution = None
        if self.found.called:
            return
        if self._addresses:
            self.found.callback(self._addresses)
        else:
            self.found.errback(DNSLookupError(f"no results for hostname lookup: {self._host}"))

    def _cancel(self, found: Deferred) -> None:
        resolution, self._resolution = self._resolution, None
        found.errback(DNSLookupError(f"looking up the host {self._host!r} was cancelled"))
        if resolution is not None:
            resolution.cancel()


def addresses(reactor: Any, host: str, port: int, kinds: Sequence[type] | None = None) -> Deferred:
    """A Deferred of the addresses of a host, in the order in which the reactor's resolver finds them.

    Fails with DNSLookupError: if none is found, if the resolver raises, and if it is cancelled (78).
    """
    receiver = _Receiver(host)
    # A program's own resolver may know fewer arguments than the contract has: it is given what is not the default.
    wanted = {} if kinds is None else {"addressTypes": kinds}
    try:
        reactor.nameResolver.resolveHostName(receiver, host, portNumber=port, **wanted)
    except BaseException:
        error = Failure()
        receiver.found.errback(DNSLookupError(f"the host {host!r} could not be looked up: {error.getErrorMessage()}"))
    return receiver.found


def scoped(address: Any) -> str:
    """An IPv6 address as a connection needs it: with its scope, if it has one."""
    host: str = address.host
    return f"{host}%{address.scopeID}" if address.scopeID and "%" not in host else host
