"""From the name of a host to its addresses, in the contract's two views.

The newer view tells a receiver: that it began, each address, that it is complete (IHostnameResolver). The older one is
a Deferred of one IPv4 address as text (IResolverSimple). A program may bring a resolver of either kind; the other view
of it is made here. Every resolution that began completes, once, also one that finds nothing or is cancelled.

Contract: semantics 77, twisted.internet._resolver. The reactor's thread only, but for what a thread pool calls.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, TypeAlias

from .. import report
from ..address import IPv4Address, IPv6Address
from ..core.deferred import CancelledError, Deferred
from ..core.maybe import maybeDeferred
from ..error import DNSLookupError
from ..failure import Failure
from . import lookup
from .filedescriptor import isIPv6Address

Address: TypeAlias = IPv4Address | IPv6Address

FAMILIES: dict[type, int] = {IPv4Address: socket.AF_INET, IPv6Address: socket.AF_INET6}
SOCKET_TYPES = {"TCP": socket.SOCK_STREAM, "UDP": socket.SOCK_DGRAM}
NUMERIC_ONLY = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV


class HostResolution:
    """The looking up of one name, as it goes on. Contract: IHostResolution."""

    #: Why nothing was found, in the system's words, where that is known; set before the receiver is told.
    reason = ""

    def __init__(self, name: str, receiver: Any = None) -> None:
        self.name = name
        self._receiver = receiver
        self._give_up: Callable[[], object] | None = None

    @property
    def complete(self) -> bool:
        """Whether its receiver has been told that it is. Any thread."""
        return self._receiver is None

    def cancel(self) -> None:
        """Look no further: the receiver is told now that it is complete, and nothing after that.

        A lookup that the system has begun cannot be stopped; what it finds is dropped. Nothing happens once complete.
        """
        receiver, self._receiver = self._receiver, None
        give_up, self._give_up = self._give_up, None
        if receiver is None:
            return
        if give_up is not None:
            give_up()
        _tell(receiver.resolutionComplete)

    def end(self, addresses: Iterable[Address], reason: str = "") -> None:
        """Tell the addresses, and that these were all. The receiver may cancel meanwhile."""
        self._give_up = None
        self.reason = reason
        for address in addresses:
            if self._receiver is None:
                return
            _tell(self._receiver.addressResolved, address)
        self.cancel()


def _tell(what: Callable[..., object], *args: object) -> None:
    """A receiver that raises is told the rest all the same."""
    try:
        what(*args)
    except BaseException:
        report.failure("Unhandled error in a receiver of addresses", Failure())


class GAIResolver:
    """Asks the system (getaddrinfo) in threads. Contract: IHostnameResolver.

    `getThreadPool()` gives what has callInThreadWithCallback; the reactor's pool, if nothing is given.
    """

    def __init__(
        self,
        reactor: Any,
        getThreadPool: Callable[[], Any] | None = None,
        getaddrinfo: Callable[..., Any] = socket.getaddrinfo,
    ) -> None:
        self._reactor = reactor
        self._getThreadPool: Callable[[], Any] = reactor.getThreadPool if getThreadPool is None else getThreadPool
        self._getaddrinfo = getaddrinfo

    def resolveHostName(
        self,
        resolutionReceiver: Any,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Iterable[type] | None = None,
        transportSemantics: str = "TCP",
    ) -> HostResolution:
        """Tell `resolutionReceiver` the addresses of a host, in the system's order, on a later pass of the reactor.

        An address in figures is its own answer, and no thread is asked. `addressTypes` are IPv4Address, IPv6Address, or
        both (None); `transportSemantics` is "TCP" or "UDP". Raises TypeError for a name that is no str, ValueError for
        another transport. What cannot be the name of a host has no addresses.
        """
        resolution = HostResolution(_checked(hostName, transportSemantics), resolutionReceiver)
        wanted = _wanted(addressTypes)
        resolutionReceiver.resolutionBegan(resolution)
        if not wanted:
            self._in_loop(resolution, [], "no kind of address is wanted")
            return resolution
        family = FAMILIES[wanted[0]] if len(wanted) == 1 else socket.AF_UNSPEC
        details = portNumber, family, SOCKET_TYPES[transportSemantics]
        if lookup.figures(hostName):
            self._in_loop(resolution, *_ask(resolution, socket.getaddrinfo, *details, 0, socket.AI_NUMERICHOST))
            return resolution
        try:
            self._getThreadPool().callInThreadWithCallback(
                partial(self._found, resolution), _ask, resolution, self._getaddrinfo, *details
            )
        except RuntimeError as error:  # the system has no thread to give
            self._in_loop(resolution, [], str(error))
        return resolution

    def _found(self, resolution: HostResolution, success: bool, result: Any) -> None:
        """In the thread: what _ask has returned, or a Failure."""
        if not success:
            report.failure(f"Unhandled error while {resolution.name!r} was looked up", result)
            result = [], result.getErrorMessage()
        self._in_loop(resolution, *result)

    def _in_loop(self, resolution: HostResolution, addresses: Sequence[Address], reason: str) -> None:
        self._reactor.callFromThread(resolution.end, addresses, reason)


def _ask(
    resolution: HostResolution, getaddrinfo: Callable[..., Any], port: Any, *more: int
) -> tuple[Sequence[Address], str]:
    """The addresses, or none and why. Any thread; blocks."""
    if resolution.complete:  # cancelled while it waited for a thread
        return [], ""
    try:
        found = getaddrinfo(lookup.as_ascii(resolution.name), port, *more)
    except (OSError, ValueError, OverflowError) as error:  # the last: a port that is no number of C's
        return [], str(error)
    addresses = [_address(port, *entry) for entry in found]
    return [address for address in addresses if address is not None], ""


def _address(port: Any, family: int, socket_type: int, protocol: int, name: object, where: Any) -> Address | None:
    """What an entry of getaddrinfo's means; None for another kind of address."""
    transport: Any = "UDP" if socket_type == socket.SOCK_DGRAM else "TCP"
    if isinstance(port, int):  # the system takes one that is too large modulo 65536
        where = where[0], port, *where[2:]
    if family == socket.AF_INET:
        return IPv4Address(transport, *where)
    if family != socket.AF_INET6:
        return None
    if where[3] and where[0].startswith("fe80:") and "%" not in where[0]:
        # A local address means nothing without its scope, and who connects to an address may look at the host only.
        where = socket.getnameinfo((where[0], 0, *where[2:]), NUMERIC_ONLY)[0], *where[1:]
    return IPv6Address(transport, *where)


def _checked(name: Any, transport: Any) -> str:
    if not isinstance(name, str):
        raise TypeError(f"a host name is a str, not {name!r}")
    if transport not in SOCKET_TYPES:
        raise ValueError(f"transportSemantics is 'TCP' or 'UDP', not {transport!r}")
    return name


def _wanted(types: Iterable[type] | None) -> list[type]:
    """Those of the address types that there are resolvers for."""
    acceptable = FAMILIES if types is None else set(types)
    return [known for known in FAMILIES if known in acceptable]


# From one view to the other


class SimpleResolverComplexifier:
    """The newer view of an IResolverSimple. Contract: IHostnameResolver."""

    def __init__(self, simpleResolver: Any) -> None:
        self._simpleResolver = simpleResolver

    def resolveHostName(
        self,
        resolutionReceiver: Any,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Iterable[type] | None = None,
        transportSemantics: str = "TCP",
    ) -> HostResolution:
        """As GAIResolver's; whether on a later pass or at once is the other resolver's choice.

        That one is given the name as ASCII, and nothing of the rest.
        """
        resolution = HostResolution(_checked(hostName, transportSemantics), resolutionReceiver)
        wanted = _wanted(addressTypes)

        def found(host: str) -> None:
            kind = IPv6Address if isIPv6Address(host) else IPv4Address
            transport: Any = transportSemantics
            resolution.end([kind(transport, host, portNumber)] if kind in wanted else [])

        def failed(failure: Failure) -> None:
            if not failure.check(DNSLookupError, CancelledError):
                report.failure(f"Unhandled error while {hostName!r} was looked up", failure)
            resolution.end([], failure.getErrorMessage())

        resolutionReceiver.resolutionBegan(resolution)
        try:
            name = lookup.as_ascii(hostName)
        except UnicodeError as error:
            resolution.end([], str(error))
        else:
            if not resolution.complete:
                answer = maybeDeferred(self._simpleResolver.getHostByName, name)
                resolution._give_up = answer.cancel
                answer.addCallbacks(found, failed)
        return resolution


class FirstOneWins:
    """The receiver that fires a Deferred with the first address, or with DNSLookupError. Contract: IResolutionReceiver.

    Cancelling the Deferred, if it was made with this one's `cancel`, cancels the resolution.
    """

    def __init__(self, deferred: Deferred | None = None) -> None:
        self.deferred: Deferred | None = Deferred(self.cancel) if deferred is None else deferred
        self._resolution: Any = None

    def resolutionBegan(self, resolution: Any) -> None:
        self._resolution = resolution

    def addressResolved(self, address: Any) -> None:
        deferred, self.deferred = self.deferred, None
        if deferred is not None:
            deferred.callback(address.host)

    def resolutionComplete(self) -> None:
        deferred, self.deferred = self.deferred, None
        resolution, self._resolution = self._resolution, None
        if deferred is not None:
            reason = getattr(resolution, "reason", "")  # somebody else's has none
            text = f"address {resolution.name!r} not found" + (f": {reason}" if reason else "")
            deferred.errback(Failure(DNSLookupError(text)))

    def cancel(self, deferred: Deferred) -> None:
        """The canceller of the Deferred: nothing more is told to it."""
        self.deferred = None
        if self._resolution is not None:
            try:
                self._resolution.cancel()
            except NotImplementedError:  # what Twisted's own and those built on it do
                pass


class ComplexResolverSimplifier:
    """The older view of an IHostnameResolver. Contract: IResolverSimple."""

    def __init__(self, nameResolver: Any) -> None:
        self._nameResolver = nameResolver

    def getHostByName(self, name: str, timeout: Sequence[float] = ()) -> Deferred:
        """A Deferred of the host's first IPv4 address, as text, or of DNSLookupError. `timeout` is not used.

        Cancelling it gives CancelledError and cancels the resolution.
        """
        receiver = FirstOneWins()
        deferred = receiver.deferred
        assert deferred is not None
        self._nameResolver.resolveHostName(receiver, name, 0, [IPv4Address])
        return deferred


class Pluggable:
    """Whom a reactor asks for names, in both views: installing a resolver of one kind gives the other (77).

    A subclass says whom it asks first. Contract: IReactorPluggableResolver, IReactorPluggableNameResolver.
    """

    _installed: tuple[Any, Any] | None = None

    @property
    def resolver(self) -> Any:
        """The resolver as an IResolverSimple."""
        return self._resolvers()[0]

    @property
    def nameResolver(self) -> Any:
        """The resolver as an IHostnameResolver."""
        return self._resolvers()[1]

    def installResolver(self, resolver: Any) -> Any:
        """Ask this IResolverSimple from now on; returns the one before."""
        before = self.resolver
        self._installed = resolver, SimpleResolverComplexifier(resolver)
        return before

    def installNameResolver(self, resolver: Any) -> Any:
        """Ask this IHostnameResolver from now on; returns the one before."""
        before = self.nameResolver
        self._installed = ComplexResolverSimplifier(resolver), resolver
        return before

    def _resolvers(self) -> tuple[Any, Any]:
        if self._installed is None:
            self._installed = self._first_resolvers()
        return self._installed

    def _first_resolvers(self) -> tuple[Any, Any]:
        raise NotImplementedError(f"{type(self).__qualname__} does not say whom it asks for names")
