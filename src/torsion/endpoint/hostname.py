"""A service at a host that is known by its name, and has several addresses, of which some may not answer.

Attempts begin one after the other, a fixed delay apart, in the order of the addresses; the first connection wins and
ends the others. By the contract that is all: a refusal does not bring the next attempt forward, and that nothing has
worked is said at the tick after the last attempt (78). RFC 8305 says otherwise, and `refusal_advances` follows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from itertools import chain, zip_longest
from typing import Any

from ..address import HostnameAddress, IPv4Address, IPv6Address
from ..core.deferred import Deferred, fail
from ..error import ConnectError, ConnectingCancelledError, DNSLookupError, NoProtocol
from ..failure import Failure
from . import lookup
from .outside import outside
from .sockets import TCP4ClientEndpoint, TCP6ClientEndpoint

#: Why one attempt fails and another may not. Anything else is the program's own error, which is not tried again.
OF_THE_NETWORK = (ConnectError, ConnectingCancelledError, NoProtocol, OSError)


class HostnameEndpoint:
    """A TCP service at a host, at whichever of its addresses answers first. Contract: IStreamClientEndpoint."""

    _DEFAULT_ATTEMPT_DELAY = 0.3

    def __init__(
        self,
        reactor: Any,
        host: str | bytes,
        port: int,
        timeout: float | None = 30,
        bindAddress: Any = None,
        attemptDelay: float | None = None,
        *,
        refusal_advances: bool = False,
        interleave_families: bool = False,
    ) -> None:
        """``host`` is a name, which may be international, or an address. ``timeout`` in seconds, for each attempt.

        ``attemptDelay``: seconds between attempts, 0.3 if not given. ``bindAddress``: this side's address, (address,
        port), or what tcp.makeBinding makes. With ``refusal_advances`` an attempt that fails starts the next at once,
        and the last failure is reported at once. With ``interleave_families`` IPv6 and IPv4 addresses take turns,
        beginning with the kind that the resolver names first.
        """
        self._reactor = reactor
        try:
            self._badHostname = False
            self._hostBytes, self._hostText = outside().host_name(host)
        except ValueError:
            self._badHostname = True
            self._hostBytes, self._hostText = lookup.escaped(host)
        self._port = port
        self._timeout = timeout
        self._bindAddress = _this_side(bindAddress)
        self._attemptDelay = self._DEFAULT_ATTEMPT_DELAY if attemptDelay is None else attemptDelay
        self._refusal_advances = refusal_advances
        self._interleave_families = interleave_families
        self._names = outside().names_of(self, reactor)

    def __repr__(self) -> str:
        host = self._hostBytes.decode("ascii") if not self._badHostname else self._hostText
        return f"<{type(self).__name__} {f'[{host}]' if ':' in host else host}:{self._port}>"

    def connect(self, protocolFactory: Any) -> Deferred:
        """Connect a protocol of the factory: a Deferred of it, once its connectionMade has returned.

        Fails with the last attempt's failure, such as ConnectionRefusedError; with ValueError for what is no host's
        name, DNSLookupError for one that has no address. An error of the program, which buildProtocol or connectionMade
        raised, ends all attempts. When cancelled, with DNSLookupError during the lookup, ConnectingCancelledError
        afterwards.
        """
        if self._badHostname:
            return fail(ValueError(f"invalid hostname: {self._hostText}"))
        found = lookup.addresses(self._names, self._hostText, self._port)
        found.addCallback(self._connect, protocolFactory)
        return found

    def _connect(self, addresses: list[Any], protocolFactory: Any) -> Deferred:
        endpoints = [each for each in map(self._endpoint, self._ordered(addresses)) if each is not None]
        if not endpoints:
            raise DNSLookupError(f"no address of the host {self._hostText!r} is one that TCP can connect to")
        race = _Race(
            [partial(each.connect, protocolFactory) for each in endpoints],
            self._reactor.callLater,
            self._attemptDelay,
            self._refusal_advances,
            lambda: ConnectingCancelledError(HostnameAddress(self._hostBytes, self._port)),
        )
        return race.run()

    def _ordered(self, addresses: list[Any]) -> Iterable[Any]:
        if not self._interleave_families or not addresses:
            return addresses
        first = [each for each in addresses if type(each) is type(addresses[0])]
        others = [each for each in addresses if type(each) is not type(addresses[0])]
        return filter(None, chain.from_iterable(zip_longest(first, others)))

    def _endpoint(self, address: Any) -> Any:
        """The endpoint of one address, or None if it is of another kind."""
        if isinstance(address, IPv6Address):
            host, kind = lookup.scoped(address), TCP6ClientEndpoint
        elif isinstance(address, IPv4Address):
            host, kind = address.host, TCP4ClientEndpoint  # type: ignore[assignment]
        else:
            return None
        return kind(self._reactor, host, address.port, self._timeout, self._bindAddress)


def _this_side(bindAddress: Any) -> Any:
    """A bindAddress as connectTCP takes it."""
    if isinstance(bindAddress, str | bytes):
        bindAddress = bindAddress, 0
    if isinstance(bindAddress, tuple) and isinstance(bindAddress[0], bytes):
        return (bindAddress[0].decode("ascii"), *bindAddress[1:])
    return bindAddress


class _Race:
    """Attempts of which the first that succeeds is the answer."""

    def __init__(
        self,
        attempts: list[Callable[[], Deferred]],
        call_later: Callable[..., Any],
        delay: float,
        refusal_advances: bool,
        cancelled: Callable[[], BaseException],
    ) -> None:
        self._waiting = attempts[::-1]
        self._call_later = call_later
        self._delay = delay
        self._refusal_advances = refusal_advances
        self._cancelled = cancelled
        self._pending: list[Deferred] = []
        self._timer: Any = None
        self._to_begin = 0  # attempts, because as many have failed
        self._over = False
        self._failure: Failure | None = None
        self._answer = Deferred(self._cancel)

    def run(self) -> Deferred:
        """Begin; a Deferred of the winner's result, or of the last failure."""
        self._tick()
        return self._answer

    def _tick(self) -> None:
        """Begin the next attempt, and come again. At the tick after the last one all that is left is to wait."""
        self._timer = None
        if self._waiting:
            attempt = self._waiting.pop()
            if self._waiting or not self._refusal_advances:
                self._timer = self._call_later(self._delay, self._tick)
            self._begin(attempt)
        else:
            self._look()

    def _begin(self, attempt: Callable[[], Deferred]) -> None:
        connecting = attempt()
        self._pending.append(connecting)
        connecting.addCallbacks(self._won, self._lost, callbackArgs=(connecting,), errbackArgs=(connecting,))

    def _won(self, result: Any, attempt: Deferred) -> None:
        self._pending.remove(attempt)
        if not self._over:
            self._end()
            self._answer.callback(result)

    def _lost(self, failure: Failure, attempt: Deferred) -> None:
        self._pending.remove(attempt)
        if self._over:
            return
        self._failure = failure
        if not failure.check(*OF_THE_NETWORK):
            self._fail()
        elif self._refusal_advances:
            self._advance()
        self._look()

    def _advance(self) -> None:
        """An attempt failed: the next begins now, and its delay with it. (A loop: a thousand may fail at once.)"""
        self._to_begin += 1
        if self._to_begin > 1:
            return
        while self._to_begin and self._waiting:
            self._stop_timer()
            self._tick()
            self._to_begin -= 1
        self._to_begin = 0

    def _look(self) -> None:
        """Fail if nothing can succeed any more."""
        if not (self._waiting or self._pending or self._timer is not None or self._over):
            self._fail()

    def _fail(self) -> None:
        failure, self._failure = self._failure, None
        self._end()
        self._answer.errback(failure)

    def _cancel(self, answer: Deferred) -> None:
        self._end()
        answer.errback(self._cancelled())

    def _end(self) -> None:
        """No attempt begins any more, and those that go on are given up."""
        self._over = True
        self._waiting = []
        self._stop_timer()
        for attempt in list(self._pending):
            attempt.cancel()

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
