"""What the tests of TLS connections are made of: a transport in memory, and the standard library at the other end."""

import ssl
from collections.abc import Callable
from typing import Any

from tests.certificates import certificates
from tests.contract.streams import HalfRecorder, Recorder

from torsion.error import ConnectionAborted, ConnectionDone
from torsion.failure import Failure
from torsion.protocols.tls import TLSMemoryBIOFactory
from torsion.task import Clock


class TLSRecorder(Recorder):
    """One that wants to know of the handshake."""

    def __init__(self) -> None:
        super().__init__()
        self.on_shaken: Callable[[], object] = lambda: None

    def handshakeCompleted(self) -> None:
        self.told.append("shaken")
        self.on_shaken()


class HalfTLSRecorder(TLSRecorder, HalfRecorder):
    """One that could live half closed."""


class Wire:
    """A transport that keeps what is written to it, one piece a write."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.ending: list[str] = []
        self.paused = 0
        self.producer: Any = None

    def write(self, data: bytes) -> None:
        assert data
        assert not self.ending
        self.pieces.append(data)

    def take(self) -> bytes:
        data, self.pieces = b"".join(self.pieces), []
        return data

    def loseConnection(self) -> None:
        self.ending.append("close")

    def abortConnection(self) -> None:
        self.ending.append("abort")

    def loseWriteConnection(self) -> None:
        self.ending.append("half")

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        assert streaming
        self.producer = producer

    def unregisterProducer(self) -> None:
        self.producer = None

    def pauseProducing(self) -> None:
        self.paused += 1

    def resumeProducing(self) -> None:
        self.paused -= 1

    def getPeer(self) -> str:
        return "the peer"

    def getHost(self) -> str:
        return "the host"


class Full(Wire):
    """One whose buffer is always full."""

    def write(self, data: bytes) -> None:
        super().write(data)
        if self.producer is not None:
            self.producer.pauseProducing()


class Passes:
    """A clock of passes: what is called later without delay is called in the next one."""

    def __init__(self) -> None:
        self.waiting: list[Any] = []

    def callLater(self, delay: float, function: Any) -> Any:
        self.waiting.append(function)
        passes = self

        class Call:
            def cancel(self) -> None:
                passes.waiting.remove(function)

        return Call()

    def turn(self) -> None:
        waiting, self.waiting = self.waiting, []
        for function in waiting:
            function()


class Wrapped:
    """The factory below a TLSMemoryBIOFactory: for one protocol."""

    def __init__(self, protocol: Any) -> None:
        self.protocol = protocol

    def buildProtocol(self, address: Any) -> Any:
        protocol, self.protocol = self.protocol, None
        return protocol


class Peer:
    """The other end: the standard library's object, in memory."""

    def __init__(self, context: ssl.SSLContext, server_side: bool, name: str | None = "localhost") -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.object = context.wrap_bio(self._incoming, self._outgoing, server_side, None if server_side else name)
        self.shaken = self.ended = False
        self.received = b""
        self.error: ssl.SSLError | None = None

    def take(self) -> bytes:
        return self._outgoing.read()

    def step(self, data: bytes = b"") -> None:
        """Do what can be done with this."""
        self._incoming.write(data)
        if self.error or self.ended:
            return
        try:
            if not self.shaken:
                self.object.do_handshake()
                self.shaken = True
            while True:
                data = self.object.read(65536)
                if not data:
                    self.ended = True
                    return
                self.received += data
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.ended = True
        except ssl.SSLError as error:
            self.error = error.with_traceback(None)

    def write(self, data: bytes) -> None:
        self.object.write(data)

    def close(self) -> None:
        try:
            self.object.unwrap()
        except ssl.SSLWantReadError:
            pass


class Session:
    """A TLS connection over a wire, with its application and its peer."""

    def __init__(
        self,
        server_side: bool = True,
        protocol: Any = None,
        context: Any = None,
        peer: Peer | None = None,
        clock: Any = None,
        wire: Any = None,
        shake: bool = True,
        **options: Any,
    ) -> None:
        made = certificates()
        if context is None:
            context = made.server.server_context() if server_side else made.client_context()
            if not server_side:
                context.check_hostname = False
        if peer is None:
            peer = Peer(made.client_context() if server_side else made.server.server_context(), not server_side)
        self.peer, self.wire = peer, Wire() if wire is None else wire
        self.clock = Clock() if clock is None else clock
        self.app = TLSRecorder() if protocol is None else protocol
        self.factory = TLSMemoryBIOFactory(context, not server_side, Wrapped(self.app), self.clock, **options)
        self.layer: Any = self.factory.buildProtocol("an address")
        self.layer.makeConnection(self.wire)
        if shake:
            self.pump()

    def pump(self) -> None:
        """Carry everything across until there is nothing more."""
        self.peer.step()
        while True:
            data = self.wire.take()
            answer = self.peer.take()
            if not data and not answer:
                return
            self.peer.step(data)
            if answer and "abort" not in self.wire.ending:
                self.layer.dataReceived(answer)

    def peer_says(self, data: bytes) -> None:
        self.peer.write(data)
        self.layer.dataReceived(self.peer.take())

    def lose(self, reason: BaseException | None = None) -> None:
        """The transport is lost; as it asked for, if no reason is given."""
        if reason is None:
            reason = ConnectionAborted() if "abort" in self.wire.ending else ConnectionDone()
        self.layer.connectionLost(Failure(reason))


class Pushing:
    """A push producer that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def pauseProducing(self) -> None:
        self.told.append("pause")

    def resumeProducing(self) -> None:
        self.told.append("resume")

    def stopProducing(self) -> None:
        self.told.append("stop")


class Pulling(Pushing):
    """One that writes a piece each time it is asked, and then unregisters."""

    def __init__(self, consumer: Any, pieces: list[bytes]) -> None:
        super().__init__()
        self.consumer, self.pieces = consumer, pieces

    def resumeProducing(self) -> None:
        self.told.append("resume")
        self.consumer.write(self.pieces.pop(0))
        if not self.pieces:
            self.consumer.unregisterProducer()
