"""Names of `twisted.internet.base` that Twisted's tests, and its reactors and names client, use.

The resolvers here are those that programs bring and install; our own lookup is in `net/lookup.py`.
"""

import socket
from collections.abc import Sequence
from typing import Any

from torsion.core.deferred import Deferred, fail, succeed
from torsion.core.phases import ThreePhaseEvent as _ThreePhaseEvent
from torsion.error import DNSLookupError
from torsion.failure import Failure
from torsion.net import lookup

__all__ = ["BlockingResolver", "PluggableResolverMixin", "ThreadedResolver", "_ThreePhaseEvent"]


class BlockingResolver:
    """Looks names up at once, while everything waits. Contract: IResolverSimple."""

    def getHostByName(self, name: str, timeout: Sequence[int] = (1, 3, 11, 45)) -> Deferred:
        try:
            address = socket.gethostbyname(name)
        except OSError as error:
            return fail(Failure(DNSLookupError(f"address {name!r} not found: {error}")))
        return succeed(address)


class ThreadedResolver:
    """Looks names up in a reactor's thread pool, and gives up when the timeouts, in seconds, have passed together."""

    def __init__(self, reactor: Any) -> None:
        self.reactor = reactor

    def getHostByName(self, name: str, timeout: Sequence[int] = (1, 3, 11, 45)) -> Deferred:
        address = Deferred()
        found = lookup.resolve(name, self.reactor.getThreadPool(), self.reactor.callFromThread)

        def give_up() -> None:
            address.errback(Failure(DNSLookupError(f"address {name!r} not found: it took more than {seconds} seconds")))

        def answer(result: Any) -> None:
            if alarm.active():
                alarm.cancel()
                address.callback(result)  # a Failure too

        seconds = sum(timeout) or 60
        alarm = self.reactor.callLater(seconds, give_up)
        found.addBoth(answer)
        return address


class PluggableResolverMixin:
    """The two ways in which a program may have its own resolver asked; installing one gives the other (77).

    Contract: IReactorPluggableResolver, IReactorPluggableNameResolver. Twisted's own adapters are between the two.
    """

    @property
    def resolver(self) -> Any:
        return self._resolvers()[0]

    @property
    def nameResolver(self) -> Any:
        return self._resolvers()[1]

    def installResolver(self, resolver: Any) -> Any:
        """Ask this IResolverSimple from now on; returns the one before."""
        from twisted.internet._resolver import SimpleResolverComplexifier

        before = self.resolver
        self.__dict__["_installed_resolvers"] = resolver, SimpleResolverComplexifier(resolver)
        return before

    def installNameResolver(self, resolver: Any) -> Any:
        """Ask this IHostnameResolver from now on; returns the one before."""
        from twisted.internet._resolver import ComplexResolverSimplifier

        before = self.nameResolver
        self.__dict__["_installed_resolvers"] = ComplexResolverSimplifier(resolver), resolver
        return before

    def _resolvers(self) -> Any:
        if "_installed_resolvers" not in self.__dict__:
            self.__dict__["_installed_resolvers"] = self._first_resolvers()
        return self.__dict__["_installed_resolvers"]

    def _first_resolvers(self) -> Any:
        from twisted.internet._resolver import SimpleResolverComplexifier

        blocking = BlockingResolver()
        return blocking, SimpleResolverComplexifier(blocking)
