"""What the tests of the protocol toolkit are made of: a transport in memory, and receivers that note what they get."""

from collections.abc import Callable, Iterable
from typing import Any

from torsion.protocols import basic


class MemoryTransport:
    """Notes what is done to it."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.disconnecting = False
        self.paused = False
        self.stopped = False
        self.producer: Any = None

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def writeSequence(self, pieces: Iterable[bytes]) -> None:
        self.written.append(b"".join(pieces))

    def loseConnection(self) -> None:
        self.disconnecting = True

    def pauseProducing(self) -> None:
        self.paused = True

    def resumeProducing(self) -> None:
        self.paused = False

    def stopProducing(self) -> None:
        self.stopped = True
        self.disconnecting = True

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        self.producer = producer

    def unregisterProducer(self) -> None:
        self.producer = None

    def getPeer(self) -> Any:
        return ("peer", 1)

    def getHost(self) -> Any:
        return ("host", 2)


class Lines(basic.LineReceiver):
    """Notes lines and raw data as (kind, bytes); `on` maps what is received to what is done then."""

    def __init__(self, on: dict[bytes, Callable[[Any], object]] | None = None) -> None:
        self.got: list[tuple[str, bytes]] = []
        self.on = on or {}

    def lineReceived(self, line: bytes) -> object:
        self.got.append(("line", line))
        return self.on[line](self) if line in self.on else None

    def rawDataReceived(self, data: bytes) -> object:
        self.got.append(("raw", data))
        return self.on[b"raw"](self) if b"raw" in self.on else None


class Strings:
    """Mixed into a receiver of strings: notes them."""

    def __init__(self) -> None:
        self.got: list[bytes] = []

    def stringReceived(self, string: bytes) -> None:
        self.got.append(string)


class Strings8(Strings, basic.Int8StringReceiver):
    pass


class Strings16(Strings, basic.Int16StringReceiver):
    pass


class Strings32(Strings, basic.Int32StringReceiver):
    pass


class Netstrings(Strings, basic.NetstringReceiver):
    pass


def connected(protocol: Any) -> Any:
    protocol.makeConnection(MemoryTransport())
    return protocol
