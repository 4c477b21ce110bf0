"""Operations on what goes round a protocol or in front of one: timeouts, throttling, endpoints' strings.

The connections are in memory, the time is a Clock's.
"""

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


@operation
def throttle(world: World, most: int, read_limit: int | None) -> None:
    """A factory of protocols behind ThrottlingFactory. Twisted's cannot limit what one without a producer writes."""
    inner = protocol.Factory()
    inner.noisy = False

    def build(addr: Any) -> Any:
        made = Timed()
        made.world, made.name = world, f"wrapped {len(world.things.get('wrapped', ()))}"
        return world.keep("wrapped", made)

    inner.buildProtocol = build  # type: ignore[method-assign]
    factory = Throttling(inner, most, read_limit)
    factory.world = world
    factory.doStart()
    world.keep("throttle", factory)
    world.cleanups.append(factory.doStop)


@operation
def wrap(world: World, number: int) -> Any:
    """A new connection of the factory's."""
    made = world.pick("throttle", number).buildProtocol(None)
    if made is None:
        return "refused"
    transport = StringTransport(lenient=True)  # as a socket is: resumed while it closes, it does nothing
    made.makeConnection(transport)
    world.keep("outer", (made, transport))
    return None


@operation
def outer_do(world: World, number: int, what: str, argument: Any, body: Any) -> Any:
    """Something happens to a connection, or its protocol does something."""
    outer, transport = world.pick("outer", number)
    inner = outer.wrappedProtocol
    if what == "feed":
        # While connections are held back, a new one's surplus counts otherwise in Twisted (docs/twisted.md).
        if all(each.producerState == "producing" for _, each in world.things["outer"]):
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
