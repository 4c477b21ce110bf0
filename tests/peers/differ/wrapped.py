"""Operations on what goes round a protocol or in front of one: the policies, timeouts, endpoints' strings.

The connections are in memory, the time is a Clock's.
"""

import io
from typing import Any

from timers import clock_of
from twisted.internet import endpoints, protocol
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.protocols import policies
from world import World, operation, plain


class Timed(protocol.Protocol, policies.TimeoutMixin):
    """A protocol in memory that may have a timeout, and tells what happens to it."""

    world: World
    name: str
    body: Any = None

    def callLater(self, seconds: float, function: Any) -> Any:
        return clock_of(self.world).callLater(seconds, function)

    def connectionMade(self) -> None:
        self.world.log("made", channel=self.name)

    def dataReceived(self, data: bytes) -> None:
        self.world.log("data", data, channel=self.name)
        self.resetTimeout()

    def connectionLost(self, reason: Any = None) -> None:
        self.world.log("lost", reason, channel=self.name)
        self.setTimeout(None)

    def timeoutConnection(self) -> None:
        self.world.log("timed out", channel=self.name)
        if self.body is None:
            super().timeoutConnection()
        else:
            self.world.body(self.body)


class Throttling(policies.ThrottlingFactory):
    world: World

    def callLater(self, period: float, function: Any) -> Any:
        return clock_of(self.world).callLater(period, function)


class Timing(policies.TimeoutFactory):
    world: World

    def callLater(self, period: float, function: Any) -> Any:
        return clock_of(self.world).callLater(period, function)


class Kept(io.StringIO):
    """A file that can be read when it is closed."""

    def close(self) -> None:
        pass


class Logging(policies.TrafficLoggingFactory):
    world: World

    def open(self, name: str) -> Any:
        return self.world.keep("log file", Kept())


class Limiting(policies.LimitTotalConnectionsFactory):
    world: World

    def buildProtocol(self, addr: Any) -> Any:
        made = super().buildProtocol(addr)
        self.world.log("connections", self.connectionCount)
        return made


class Overflow(protocol.Protocol):
    """Of a connection too many."""

    world: World

    def connectionMade(self) -> None:
        self.world.log("overflow", channel="overflow")
        self.transport.loseConnection()


def _limiting(world: World, inner: Any, most: int, limit: Any) -> Any:
    def overflow() -> Any:
        made = Overflow()
        made.world = world
        return made

    factory = Limiting()
    factory.protocol = lambda: inner.buildProtocol(None)
    factory.connectionLimit = most
    factory.overflowProtocol = overflow if limit else None  # type: ignore[assignment]
    return factory


POLICIES: dict[str, Any] = {
    # Twisted's cannot limit what one without a producer writes.
    "throttle": lambda world, inner, most, limit: Throttling(inner, most, limit),
    "wrap": lambda world, inner, most, limit: policies.WrappingFactory(inner),
    "time": lambda world, inner, most, limit: Timing(inner, limit or 2),
    "log": lambda world, inner, most, limit: Logging(inner, "traffic"),
    "limit": _limiting,
}


@operation
def policy(world: World, kind: str, most: int, limit: int | None) -> None:
    """A factory of protocols behind a policy."""
    inner = protocol.Factory()
    inner.noisy = False

    def build(addr: Any) -> Any:
        made = Timed()
        made.factory = inner
        made.world, made.name = world, f"wrapped {len(world.things.get('wrapped', ()))}"
        return world.keep("wrapped", made)

    inner.buildProtocol = build  # type: ignore[method-assign]
    factory = POLICIES[kind](world, inner, most, limit)
    factory.world, factory.noisy, factory.kind = world, False, kind
    factory.doStart()
    world.keep("policy", factory)
    world.cleanups.append(factory.doStop)


@operation
def wrap(world: World, number: int) -> Any:
    """A new connection of the factory's."""
    factory = world.pick("policy", number)
    made = factory.buildProtocol(None)
    if made is None:
        return "refused"
    transport = StringTransport(lenient=True)  # as a socket is: resumed while it closes, it does nothing
    made.makeConnection(transport)
    if not isinstance(made, Overflow):
        world.keep("outer", (made, transport, factory.kind))
    return [bool(transport.disconnecting), len(getattr(factory, "protocols", ()))]


@operation
def log_files(world: World) -> Any:
    return [plain(each.getvalue()) for each in world.things.get("log file", ())]


@operation
def outer_do(world: World, number: int, what: str, argument: Any, body: Any) -> Any:
    """Something happens to a connection, or its protocol does something."""
    outer, transport, kind = world.pick("outer", number)
    inner = getattr(outer, "wrappedProtocol", outer)
    if inner is None or (kind == "time" and transport.disconnecting and what != "lost"):
        return "over"  # one that has timed out fails in Twisted when it is written to before it is lost
    if what == "feed":
        # While connections are held back, a new one's surplus counts otherwise in Twisted (docs/twisted.md).
        if all(each.producerState == "producing" for _, each, _ in world.things["outer"]):
            outer.dataReceived(b"d" * argument)
    elif what == "lost":
        if not getattr(transport, "over", False):
            transport.over = True
            outer.connectionLost(None)
    elif what == "write":
        inner.transport.write(b"w" * argument)
    elif what == "sequence":
        inner.transport.writeSequence([b"v"] * argument)
    elif what == "lose":
        inner.transport.loseConnection()
    elif what == "timeout":
        inner.body = body
        inner.setTimeout(argument or None)
    elif what == "reset":
        inner.resetTimeout()
    elif what == "pass on":
        (inner.transport.pauseProducing if argument % 2 else inner.transport.resumeProducing)()
    return [len(transport.value()), bool(transport.disconnecting), transport.producerState, inner.timeOut]


class Nothing(protocol.Factory):
    noisy = False


@operation
def endpoint(world: World, client: bool, text: str) -> None:
    """What listening or connecting with this string asks of a reactor."""
    reactor = MemoryReactorClock()
    factory = Nothing()
    try:
        if client:
            endpoints.clientFromString(reactor, text).connect(factory).addErrback(lambda failure: None)
        else:
            endpoints.serverFromString(reactor, text).listen(factory).addErrback(lambda failure: None)
    except (TypeError, ValueError, IndexError):  # which, when two things are wrong, is not part of the contract
        world.log("endpoint", "refused")
    for name in ("tcpServers", "unixServers", "tcpClients", "unixClients"):
        for asked in getattr(reactor, name):
            shown = [int(each) if isinstance(each, bool) else each for each in asked]
            world.log("endpoint", name, *[plain(each) for each in shown if isinstance(each, int | str | bytes | None)])
