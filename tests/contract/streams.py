"""What the tests of streams are made of: real sockets of the standard library at the other end, and a real reactor.

Each runs on both drivers. A test never sleeps: `until` turns the reactor until something has happened.
"""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torsion.contract import Reactor

PATIENCE = 10.0  # seconds; a test that needs them fails


class ByContract(Reactor):
    """Replaces the watching, as a program may: its streams are driven through doRead and doWrite."""

    def addReader(self, reader: Any) -> None:
        Reactor.addReader(self, reader)


class Recorder:
    """A protocol that notes what it is told: events in `told`, data in `received`."""

    transport: Any

    def __init__(self) -> None:
        self.told: list[str] = []
        self.received = b""
        self.reasons: list[Any] = []
        self.on_made: Callable[[], object] = lambda: None
        self.on_data: Callable[[bytes], object] = lambda data: None
        self.on_lost: Callable[[Any], object] = lambda reason: None

    def makeConnection(self, transport: Any) -> None:
        self.transport = transport
        self.told.append("made")
        self.on_made()

    def dataReceived(self, data: bytes) -> None:
        self.received += data
        self.on_data(data)

    def connectionLost(self, reason: Any) -> None:
        self.told.append("lost")
        self.reasons.append(reason.value)
        self.on_lost(reason)

    def logPrefix(self) -> str:
        return "recorder"


class HalfRecorder(Recorder):
    """One that can live half closed."""

    def __init__(self) -> None:
        super().__init__()
        self.on_half: Callable[[str], object] = lambda side: None

    def readConnectionLost(self) -> None:
        self.told.append("read side lost")
        self.on_half("read")

    def writeConnectionLost(self) -> None:
        self.told.append("write side lost")
        self.on_half("write")


class Makers:
    """A factory, for servers and clients, that hands out the protocols it is given and notes what it is told."""

    noisy = False

    def __init__(self, *protocols: Any) -> None:
        self.protocols = list(protocols)
        self.built: list[Any] = []
        self.told: list[str] = []
        self.reasons: list[Any] = []
        self.addresses: list[Any] = []
        self.on_failed: Callable[[Any], object] = lambda connector: None

    def doStart(self) -> None:
        self.told.append("start")

    def doStop(self) -> None:
        self.told.append("stop")

    def buildProtocol(self, address: Any) -> Any:
        self.addresses.append(address)
        made = self.protocols.pop(0) if self.protocols else Recorder()
        if isinstance(made, Exception):
            raise made
        self.built.append(made)
        return made

    def startedConnecting(self, connector: Any) -> None:
        self.told.append(f"started, {connector.state}")

    def clientConnectionFailed(self, connector: Any, reason: Any) -> None:
        self.told.append("failed")
        self.reasons.append(reason.value)
        self.on_failed(connector)

    def clientConnectionLost(self, connector: Any, reason: Any) -> None:
        self.told.append("lost")
        self.reasons.append(reason.value)
        self.on_failed(connector)


class Net:
    """A reactor, and sockets to talk to it with."""

    def __init__(self, reactor: Reactor) -> None:
        self.reactor = reactor
        self._opened: list[Any] = []

    def until(self, happened: Callable[[], object]) -> None:
        """Turn the reactor until then."""
        deadline = time.monotonic() + PATIENCE
        while not happened():
            assert time.monotonic() < deadline, "this has not happened"
            self.reactor.iterate(0.02)

    def turns(self, count: int = 3) -> None:
        """Turn it some times: what is to happen at once has happened then."""
        for _ in range(count):
            self.reactor.iterate(0)

    def accept(self, *protocols: Any) -> tuple[Any, socket.socket]:
        """A server's protocol, connected, and the peer's socket."""
        protocol = protocols[0] if protocols else Recorder()
        port = self.reactor.listenTCP(0, Makers(protocol), interface="127.0.0.1")
        peer = self.peer(port.getHost().port)
        self.until(lambda: "made" in protocol.told)
        port.stopListening()
        self.turns()
        return protocol, peer

    def connect(self, *protocols: Any) -> tuple[Any, socket.socket]:
        """A client's protocol, connected, and the peer's socket."""
        protocol = protocols[0] if protocols else Recorder()
        listening = self.opened(socket.create_server(("127.0.0.1", 0)))
        self.reactor.connectTCP("127.0.0.1", listening.getsockname()[1], Makers(protocol), timeout=None)
        self.until(lambda: "made" in protocol.told)
        peer, _ = listening.accept()
        listening.close()
        return protocol, self.opened(peer)

    def peer(self, port: int) -> socket.socket:
        return self.opened(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE))

    def opened(self, skt: socket.socket) -> socket.socket:
        skt.settimeout(PATIENCE)
        self._opened.append(skt)
        return skt

    def read(self, peer: socket.socket, size: int) -> bytes:
        """What the peer receives, up to `size` bytes or the end, while the reactor turns."""
        peer.setblocking(False)
        got = bytearray()

        def more() -> bool:
            try:
                data = peer.recv(65536)
            except BlockingIOError:
                return False
            got.extend(data)
            return not data or len(got) >= size

        self.until(more)
        return bytes(got)

    def close(self) -> None:
        for each in self._opened:
            each.close()
        self.reactor.disconnectAll()
        self.reactor.iterate(0)
        self.reactor.removeReader(self.reactor.waker)  # a replaced addReader has it, and with it the reactor
        self.reactor.close()


@contextmanager
def net(kind: type[Reactor]) -> Iterator[Net]:
    made = Net(kind())
    try:
        yield made
    finally:
        made.close()
