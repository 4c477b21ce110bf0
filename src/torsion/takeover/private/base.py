"""Names of `twisted.internet.base` that Twisted's tests, and its reactors and names client, use.

The resolvers here are those that programs bring and install; our own are in `net/resolver.py`.
"""

import socket
from collections.abc import Sequence
from typing import Any, NewType

from torsion.core.deferred import Deferred, fail, succeed
from torsion.core.phases import ThreePhaseEvent as _ThreePhaseEvent
from torsion.error import DNSLookupError
from torsion.failure import Failure
from torsion.net.resolver import Pluggable, SimpleResolverComplexifier
from torsion.threads import deferToThreadPool

__all__ = ["BlockingResolver", "PluggableResolverMixin", "ThreadedResolver", "_SystemEventID", "_ThreePhaseEvent"]

# For types alone: what addSystemEventTrigger returns.
_SystemEventID = NewType("_SystemEventID", tuple[str, Any])


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
        found = deferToThreadPool(self.reactor, self.reactor.getThreadPool(), socket.gethostbyname, name)

        def not_found(why: object) -> None:
            address.errback(Failure(DNSLookupError(f"address {name!r} not found: {why}")))

        def answer(result: Any) -> None:
            if alarm.active():
                alarm.cancel()
                if isinstance(result, Failure):
                    not_found(result.getErrorMessage())
                else:
                    address.callback(result)

        seconds = sum(timeout) or 60
        alarm = self.reactor.callLater(seconds, not_found, f"it took more than {seconds} seconds")
        found.addBoth(answer)
        return address


class PluggableResolverMixin(Pluggable):
    """One that looks names up at once, until a program installs a resolver."""

    def _first_resolvers(self) -> Any:
        blocking = BlockingResolver()
        return blocking, SimpleResolverComplexifier(blocking)
