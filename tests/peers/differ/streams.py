"""Operations on connections: TCP on 127.0.0.1 and UNIX sockets, in one process, by a reactor with a time of its own.

Each end of each connection has a channel; so have each connector and each port. An end has a script: what it does when
it is connected, when so many bytes have come, when it is told of a half-close, and when it is lost. How bytes are cut
is not part of the contract: those that came one after the other are one event.
"""

import os
import tempfile
from itertools import groupby
from typing import Any

import contexts
from timers import shut, started
from twisted.internet import protocol
from twisted.internet.interfaces import IHalfCloseableProtocol
from world import World, operation, plain
from zope.interface import implementer


def reactor_of(world: World) -> Any:
    found = world.things.get("clock")
    if found:
        return found[0]
    reactor = world.keep("clock", started(world))
    world.cleanups.append(lambda: shut(reactor))
    return reactor


def own_reactor() -> Any:
    """The process's own, which does not run."""
    from twisted.internet import reactor

    return reactor


class End(protocol.Protocol):
    """One end of a connection, which does what its script says."""

    def __init__(self, world: World, name: str, script: dict[str, Any]) -> None:
        self.world = world
        self.name = name
        self.script = script
        self.received = 0
        self.read_lost = False
        self.write_closed = False
        self.closed = False
        #: It writes nothing once one of these has closed.
        self.silenced_by: list[End] = []
        self.waiting = sorted(script.get("received", ()))

    def log(self, *what: Any) -> None:
        self.world.log(*what, channel=self.name)

    def does(self, when: str) -> None:
        if when in self.script:
            self.act(self.script[when])

    def act(self, body: list[Any]) -> None:
        """As `World.body`, for this end."""
        operations, ending = body
        for name, *arguments in operations:
            self.world.left -= 1
            if self.world.left < 0:
                return
            if self.write_closed and name in ("lose", "stop", "lose_write"):
                continue  # what comes first then, is a matter of time
            self.write_closed |= name == "lose_write"
            if name.startswith("write") and any(end.closed for end in self.silenced_by):
                continue
            self.closed |= name == "lose"
            try:
                result = ACTS[name](self, *arguments)
            except Exception as error:
                self.world.log(name, "raised", error, channel=f"{self.name}, asked")
            else:
                if result is not None:
                    self.world.log(name, result, channel=f"{self.name}, asked")
        if ending[0] == "raise":
            self.world.body([[], ending])

    def is_tcp(self) -> bool:
        return hasattr(self.transport.getHost(), "port") and not self.read_lost and not self.write_closed

    def where(self) -> tuple[int, int]:
        """The ports of both ends."""
        return self.transport.getHost().port, self.transport.getPeer().port

    def connectionMade(self) -> None:
        if self.script.get("tls"):  # else the kernel holds small records back for longer than `settle` waits
            self.transport.setTcpNoDelay(True)
        self.log("made")
        self.does("made")

    def dataReceived(self, data: bytes) -> None:
        events = self.world.events.setdefault(self.name, [])
        if not events or events[-1][0] != "data":
            events.append(["data"])
        runs = events[-1]
        for letter, run in groupby(data.decode("latin-1")):
            if isinstance(runs[-1], list) and runs[-1][0] == letter:
                runs[-1][1] += len(list(run))
            else:
                runs.append([letter, len(list(run))])
        self.world.happened += 1
        self.received += len(data)
        while self.waiting and self.waiting[0][0] <= self.received:
            self.act(self.waiting.pop(0)[1])

    def connectionLost(self, reason: Any = None) -> None:
        self.log("lost", reason)
        self.does("lost")


@implementer(IHalfCloseableProtocol)
class HalfCloseableEnd(End):
    def readConnectionLost(self) -> None:
        self.read_lost = True
        self.log("read side lost")
        self.does("read lost")

    def writeConnectionLost(self) -> None:
        self.log("write side lost")
        self.does("write lost")


class Producer:
    """Writes so many pieces, when it is told to."""

    def __init__(self, end: End, pieces: int, size: int) -> None:
        self.end, self.pieces, self.size = end, pieces, size

    def log(self, what: str) -> None:
        self.end.world.log(what, channel=f"{self.end.name}, producer")

    def resumeProducing(self) -> None:
        self.log("resume")
        if self.pieces > 0:
            self.pieces -= 1
            self.end.transport.write(b"p" * self.size)
        else:
            self.end.transport.unregisterProducer()

    def pauseProducing(self) -> None:
        self.log("pause")

    def stopProducing(self) -> None:
        self.log("stop")


def _write(end: End, letter: str, size: int) -> None:
    end.transport.write(letter.encode() * size)


def _write_bad(end: End, text: Any) -> None:
    """Twisted's TLS sees that it was given no bytes too late, unless it is a text, and then writes nothing any more; a
    text it also refuses behind a loseConnection() that ends it, as it does before the handshake."""
    if not end.script.get("tls") or (isinstance(text, str) and not end.closed):
        end.transport.write(text)


def _write_sequence(end: End, letters: list[str]) -> None:
    end.transport.writeSequence([letter.encode() * 3 for letter in letters])


def _register(end: End, streaming: bool, pieces: int, size: int) -> None:
    """Over TLS, one that is registered behind a loseConnection() writes nothing: Twisted gives it to OpenSSL behind the
    close_notify, whose refusal is the reason of the end then."""
    if end.closed and end.script.get("tls"):
        pieces = 0
    end.transport.registerProducer(Producer(end, pieces, size), streaming)


def _resume(end: End) -> None:
    if not end.read_lost:  # else told of the end again, as often as it is read
        end.transport.resumeProducing()


def _if_connected(end: End, what: str) -> None:
    """In Twisted a TLS connection that is over can be asked for neither."""
    if end.transport.connected or not end.script.get("tls"):
        getattr(end.transport, what)()


def _state(end: End) -> Any:
    transport = end.transport
    if end.script.get("tls") and not transport.connected:
        return "over"  # whether it is still said to be disconnecting, is told of plain connections only
    return [bool(end.connected), bool(transport.connected), bool(transport.disconnecting)]


ACTS: dict[str, Any] = {
    "write": _write,
    "write_bad": _write_bad,
    "write_sequence": _write_sequence,
    "lose": lambda end: end.transport.loseConnection(),
    "abort": lambda end: _if_connected(end, "abortConnection"),
    "lose_write": lambda end: end.transport.loseWriteConnection(),
    "pause": lambda end: end.transport.pauseProducing(),
    "resume": _resume,
    "stop": lambda end: end.transport.stopProducing(),
    "register": _register,
    "unregister": lambda end: end.transport.unregisterProducer(),
    "state": _state,
    "peer": lambda end: plain(end.transport.getPeer()),
    "host": lambda end: plain(end.transport.getHost()) if end.transport.connected else None,
    "nodelay": lambda end: [end.transport.setTcpNoDelay(True), bool(end.transport.getTcpNoDelay())][1],
}


class Ends:
    """What the factories of both sides have in common: they make an end with a name of its own."""

    world: World
    name: str
    script: dict[str, Any]
    made = 0

    def prepare(self, world: World, name: str, script: dict[str, Any]) -> Any:
        self.world, self.name, self.script = world, name, script
        return self

    def buildProtocol(self, addr: Any) -> Any:
        self.made += 1
        self.world.log("build", self.made, channel=self.name)
        make = HalfCloseableEnd if self.script.get("half") else End
        end = make(self.world, f"{self.name}.{self.made}", self.script)
        end.factory = self
        return self.world.keep("end", end)

    def doStart(self) -> None:
        self.world.log("start", channel=self.name)
        super().doStart()  # type: ignore[misc]

    def doStop(self) -> None:
        self.world.log("stop", channel=self.name)
        super().doStop()  # type: ignore[misc]


class Server(Ends, protocol.Factory):
    noisy = False


class Client(Ends, protocol.ClientFactory):
    noisy = False
    again = 0

    def startedConnecting(self, connector: Any) -> None:
        self.world.log("connecting", connector.state, channel=self.name)
        self._does("connecting", connector)

    def clientConnectionFailed(self, connector: Any, reason: Any) -> None:
        self.world.log("failed", reason, connector.state, channel=self.name)
        self._does("failed", connector)

    def clientConnectionLost(self, connector: Any, reason: Any) -> None:
        self.world.log("lost", reason, connector.state, channel=self.name)
        self._does("client lost", connector)

    def _does(self, when: str, connector: Any) -> None:
        for what in self.script.get(when, ()):
            connector_act(self.world, self, connector, what)


def connector_act(world: World, factory: Client, connector: Any, what: str) -> None:
    if what == "connect":
        factory.again += 1
        if factory.again > 2:
            return
    try:
        getattr(connector, what)()
    except Exception as error:
        world.log(what, "raised", error, channel=factory.name)


# What the program does from outside.


@operation
def listen(world: World, kind: str, script: dict[str, Any]) -> None:
    reactor = reactor_of(world)
    number = len(world.things.get("port", ()))
    factory: Any = Server().prepare(world, f"server {number}", script)
    if kind.startswith("tls"):
        port = reactor.listenSSL(0, factory, contexts.server_context(kind[4:] or "server"), interface="127.0.0.1")
        port.is_tls = True
    elif kind == "unix":
        folder = tempfile.TemporaryDirectory(prefix="differ-")
        world.cleanups.append(folder.cleanup)
        port = reactor.listenUNIX(os.path.join(folder.name, "socket"), factory)
    else:
        port = reactor.listenTCP(0, factory, interface="127.0.0.1")
    port.name = factory.name
    world.keep("port", port)


@operation
def connect(world: World, number: int, script: dict[str, Any]) -> None:
    reactor = reactor_of(world)
    port = world.pick("port", number)
    name = f"client {len(world.things.get('connector', ()))}"
    factory: Any = Client().prepare(world, name, script)
    if not hasattr(port, "at"):
        port.at = port.getHost()
    if hasattr(port, "is_tls"):
        context = contexts.client_context(not script.get("careless"))
        connector = reactor.connectSSL("127.0.0.1", port.at.port, factory, context, timeout=5)
    elif hasattr(port.at, "port"):
        connector = reactor.connectTCP("127.0.0.1", port.at.port, factory, timeout=5)
    else:
        connector = reactor.connectUNIX(port.at.name, factory, timeout=5)
    world.keep("connector", (factory, connector))
    settle(world)


@operation
def connector_do(world: World, number: int, what: str) -> None:
    factory, connector = world.pick("connector", number)
    connector_act(world, factory, connector, what)


@operation
def act(world: World, number: int, closers: list[Any], others: list[Any]) -> None:
    """An end does something by itself, and everything that follows from it happens."""
    # By name: which of two ends is told first that they are connected, is not part of the contract.
    ends = sorted(world.things.get("end", ()), key=lambda end: end.name)
    if not ends:
        return
    end = ends[number % len(ends)]
    try:
        end.act(closers if end.script["closer"] else others)
    except Exception as error:
        end.log("raised", error)
    settle(world)


@operation
def both_act(world: World, number: int, what: str) -> None:
    """Both ends of a connection close it at once, with nothing under way."""
    ends = [end for end in world.things.get("end", ()) if end.transport.connected and end.is_tcp()]
    pairs = [(a, b) for a in ends for b in ends if a.name < b.name and a.where() == b.where()[::-1]]
    if pairs:
        for end in pairs[number % len(pairs)]:
            end.act([[[what]], ["pass"]])
        settle(world)


@operation
def stop_listening(world: World, number: int) -> None:
    port = world.pick("port", number)
    if not hasattr(port, "at"):
        port.at = port.getHost()
    if getattr(port, "stopped", False):
        return  # twice, it fails in Twisted
    port.stopped = True
    stopped = port.stopListening()
    name = port.name
    if stopped is not None:
        stopped.addBoth(lambda result: world.log("stopped", result, channel=name))
    settle(world)


@operation
def settle(world: World) -> None:
    """Turn the reactor until nothing more happens.

    A loaded kernel may take its time to hand over what was sent. That shows where several messages go to and fro before
    anything happens, with TLS: there the last turns wait a little.
    """
    reactor = reactor_of(world)
    secure = any(hasattr(port, "is_tls") for port in world.things.get("port", ()))
    quiet = 0
    for _ in range(400):
        before = world.happened
        reactor.advance(0)
        if secure:
            own_reactor().iterate(0)  # by whose time Twisted's TLS joins small writes, whichever reactor it is on
            if quiet > 3:
                reactor.iterate(0.005)
        quiet = quiet + 1 if world.happened == before else 0
        if quiet == 8:
            return
