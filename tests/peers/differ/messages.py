"""Operations on receivers of messages, on a transport in memory: lines and raw data, netstrings, strings with a length.

A receiver has a list of bodies: what it does when it is told something, one after the other. An act in a body is an
operation on that receiver; what it returns and raises is the body's ending.
"""

from typing import Any

from twisted.internet.testing import StringTransportWithDisconnection
from twisted.protocols import basic
from world import World, operation


class Told:
    """What a receiver is told, and what it does then."""

    world: World
    name: str
    bodies: list[Any]

    def told(self, what: str, data: bytes) -> Any:
        self.world.log(what, data, channel=self.name)
        if not self.bodies:
            return None
        operations, ending = self.bodies.pop(0)
        for act in operations:
            perform(self, act)
        return self.world.body([[], ending])

    def connectionLost(self, reason: Any = None) -> None:
        self.world.log("lost", reason, channel=self.name)


class Lines(Told, basic.LineReceiver):
    def lineReceived(self, line: bytes) -> Any:
        return self.told("line", line)

    def rawDataReceived(self, data: bytes) -> Any:
        return self.told("raw", data)

    def lineLengthExceeded(self, line: bytes) -> Any:
        self.told("too long", line)
        return super().lineLengthExceeded(line)


class OnlyLines(Told, basic.LineOnlyReceiver):
    def lineReceived(self, line: bytes) -> Any:
        return self.told("line", line)

    def lineLengthExceeded(self, line: bytes) -> Any:
        self.told("too long", line)
        return super().lineLengthExceeded(line)


class Netstrings(Told, basic.NetstringReceiver):
    def stringReceived(self, string: bytes) -> Any:
        return self.told("string", string)


class Strings8(Told, basic.Int8StringReceiver):
    def stringReceived(self, string: bytes) -> Any:
        return self.told("string", string)


class Strings16(Told, basic.Int16StringReceiver):
    def stringReceived(self, string: bytes) -> Any:
        return self.told("string", string)

    def lengthLimitExceeded(self, length: int) -> Any:
        self.told("too long", str(length).encode())
        return super().lengthLimitExceeded(length)


RECEIVERS: dict[str, Any] = {
    "lines": Lines,
    "only lines": OnlyLines,
    "netstrings": Netstrings,
    "strings 8": Strings8,
    "strings 16": Strings16,
}


def _feed(receiver: Any, data: str) -> None:
    """As a connection does: nothing comes after its end, and an exception ends it."""
    if receiver.memory.connected and not receiver.memory.failed:
        try:
            receiver.dataReceived(data.encode("latin-1"))
        except BaseException:
            receiver.memory.failed = True
            raise


def _resume(receiver: Any) -> None:
    if receiver.memory.connected and not receiver.memory.failed:
        try:
            receiver.resumeProducing()
        except BaseException:
            receiver.memory.failed = True
            raise


ACTS: dict[str, Any] = {
    "feed": _feed,
    "raw": lambda it: it.setRawMode(),
    "line": lambda it, extra: it.setLineMode(extra.encode("latin-1")),
    "clear": lambda it: it.clearLineBuffer(),
    "send line": lambda it, line: it.sendLine(line.encode("latin-1")),
    "send string": lambda it, text: it.sendString(text.encode("latin-1")),
    "pause": lambda it: it.pauseProducing(),
    "resume": _resume,
    "stop": lambda it: it.stopProducing(),
    "lose": lambda it: it.transport.loseConnection(),
    "longest": lambda it, size: setattr(it, "MAX_LENGTH", size),
    "delimiter": lambda it, text: setattr(it, "delimiter", text.encode("latin-1")),
}


def perform(receiver: Any, act: list[Any]) -> None:
    name, *arguments = act
    receiver.world.left -= 1
    if receiver.world.left < 0:
        return
    try:
        result = ACTS[name](receiver, *arguments)
    except Exception as error:
        receiver.world.log(name, "raised", error, channel=receiver.name)
    else:
        if result is not None:
            receiver.world.log(name, result, channel=receiver.name)


@operation
def receiver(world: World, kind: str, longest: int, bodies: list[Any]) -> None:
    made = RECEIVERS[kind]()
    made.world, made.bodies, made.MAX_LENGTH = world, list(bodies), longest
    made.name = f"{kind} {len(world.things.get('receiver', ()))}"
    world.keep("receiver", made)
    made.memory = StringTransportWithDisconnection()
    made.memory.protocol = made
    made.memory.failed = False
    made.makeConnection(made.memory)


@operation
def receiver_do(world: World, number: int, act: list[Any]) -> None:
    it = world.pick("receiver", number)
    perform(it, act)
    transport = it.memory
    world.log(
        transport.value(), transport.connected, bool(transport.disconnecting), transport.producerState,
        channel=it.name,
    )  # fmt: skip
