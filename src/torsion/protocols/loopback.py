"""Join two protocols, for tests: in memory, through TCP, or through a UNIX socket.

Each function gives a Deferred that fires when the connection is over. In memory, nobody is told anything while it is
still writing: what is written is delivered in turns, by one loop, and by the reactor where that loop came to rest.
Contract: twisted.protocols.loopback.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable
from typing import IO, Any

from .. import reactors
from ..core.deferred import Deferred
from ..error import ConnectionDone
from ..failure import Failure
from ..protocol import ClientFactory, ServerFactory, connectionDone
from .policies import ProtocolWrapper, WrappingFactory

__all__ = [
    "LoopbackClientFactory",
    "LoopbackRelay",
    "collapsingPumpPolicy",
    "identityPumpPolicy",
    "loopbackAsync",
    "loopbackTCP",
    "loopbackUNIX",
]


# In memory


class _LoopbackQueue:
    """What one side has written; None where it closed."""

    #: Called once something has been put into the queue, if it is set.
    on_put: Callable[[], object] | None = None
    #: The side that writes has closed.
    disconnect = False
    #: The end has been taken out.
    ended = False

    def __init__(self) -> None:
        self._queue: list[bytes | None] = []

    def put(self, v: bytes | None) -> None:
        self._queue.append(v)
        if self.on_put is not None:
            self.on_put()

    def __bool__(self) -> bool:
        return bool(self._queue)

    def get(self) -> bytes | None:
        taken = self._queue.pop(0)
        self.ended = self.ended or taken is None
        return taken


class _LoopbackAddress:
    """Where a loopback is. Contract: IAddress."""


class _LoopbackTransport:
    """What a protocol writes to. Contract: ITransport, IConsumer."""

    disconnecting = False
    producer: Any = None
    streamingProducer = False

    def __init__(self, q: _LoopbackQueue) -> None:
        self.q = q

    def write(self, data: bytes) -> None:
        if not isinstance(data, bytes):
            raise TypeError(f"Data must be bytes, not {data!r}")
        self.q.put(data)

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        self.q.put(b"".join(iovec))

    def loseConnection(self) -> None:
        self.q.disconnect = True
        self.q.put(None)

    def abortConnection(self) -> None:
        self.loseConnection()

    def getPeer(self) -> Any:
        return _LoopbackAddress()

    def getHost(self) -> Any:
        return _LoopbackAddress()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        if self.producer is not None:
            raise RuntimeError(f"cannot register {producer!r}: {self.producer!r} was never unregistered")
        self.producer, self.streamingProducer = producer, streaming
        self._ask_producer()

    def unregisterProducer(self) -> None:
        self.producer = None

    def _ask_producer(self) -> None:
        """A pull producer's turn, as all that it wrote has been delivered."""
        if self.producer is not None and not self.streamingProducer:
            self.producer.resumeProducing()


def identityPumpPolicy(queue: Any, target: Any) -> None:
    """Deliver each piece as it was written."""
    while queue:
        data = queue.get()
        if data is None:
            return
        target.dataReceived(data)


def collapsingPumpPolicy(queue: Any, target: Any) -> None:
    """Deliver all that was written in one piece."""
    pieces = []
    while queue:
        data = queue.get()
        if data is None:
            break
        pieces.append(data)
    if pieces:
        target.dataReceived(b"".join(pieces))


class _Loopback:
    """Two protocols, and a queue from each to the other."""

    def __init__(self, server: Any, client: Any, pump: Callable[[Any, Any], object]) -> None:
        self.server, self.client = server, client
        self.pump = pump
        self.finished = Deferred()
        to_client, to_server = _LoopbackQueue(), _LoopbackQueue()
        server_side, client_side = _LoopbackTransport(to_client), _LoopbackTransport(to_server)
        self.ways = ((server_side, to_client, client), (client_side, to_server, server))
        server.makeConnection(server_side)
        client.makeConnection(client_side)

    def run(self) -> None:
        """Deliver what there is, and what that leads to; then wait for more."""
        while any(queue for _, queue, _ in self.ways):
            for transport, queue, target in self.ways:
                if queue:
                    self.pump(queue, target)
                    if not queue and not queue.ended:
                        transport._ask_producer()
            if any(queue.ended for _, queue, _ in self.ways):
                self.end()
                return
        for _, queue, _ in self.ways:
            queue.on_put = self.wake

    def wake(self) -> None:
        """Somebody writes: deliver it when he has returned."""
        for _, queue, _ in self.ways:
            queue.on_put = None
        reactors.current().callLater(0, self.run_later)

    def run_later(self) -> None:
        try:
            self.run()
        except BaseException:
            self.finished.errback(Failure())

    def end(self) -> None:
        for protocol in (self.server, self.client):
            protocol.connectionLost(Failure(ConnectionDone("Connection done.")))
        self.finished.callback(None)


def loopbackAsync(server: Any, client: Any, pumpPolicy: Callable[[Any, Any], object] = identityPumpPolicy) -> Deferred:
    """Join two protocols in memory. `pumpPolicy(queue, target)` says in which pieces the data is delivered.

    What a protocol raises comes out of this function, or of the Deferred if it happens later.
    """
    loop = _Loopback(server, client, pumpPolicy)
    loop.run()
    return loop.finished


class LoopbackRelay:
    """A transport that keeps what is written until clearBuffer, for a target. Contract: ITransport, IConsumer."""

    buffer = b""
    #: 1: close when the buffer has been delivered; -1: closed.
    shouldLose = 0
    disconnecting = 0
    producer: Any = None

    def __init__(self, target: Any, logFile: IO[str] | None = None) -> None:
        self.target = target
        self.logFile = logFile

    def write(self, data: bytes) -> None:
        self._log("writing", data)
        self.buffer += data

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        self.write(b"".join(iovec))

    def clearBuffer(self) -> None:
        """Deliver what was written, then the end, if it was asked for."""
        if self.shouldLose == -1:
            return
        if self.producer is not None:
            self.producer.resumeProducing()
        if self.buffer:
            self._log("receiving", self.buffer)
            data, self.buffer = self.buffer, b""
            self.target.dataReceived(data)
        if self.shouldLose == 1:
            self.shouldLose = -1
            self.target.connectionLost(Failure(ConnectionDone("Connection done.")))

    def loseConnection(self) -> None:
        if self.shouldLose != -1:
            self.shouldLose = 1

    def getHost(self) -> str:
        return "loopback"

    def getPeer(self) -> str:
        return "loopback"

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        self.producer = producer

    def unregisterProducer(self) -> None:
        self.producer = None

    def logPrefix(self) -> str:
        return f"Loopback({type(self.target).__name__!r})"

    def _log(self, what: str, data: bytes) -> None:
        if self.logFile is not None:
            self.logFile.write(f"loopback {what} {data!r}\n")


# Through sockets


class _FireOnClose(ProtocolWrapper):
    """The server's side, and a Deferred of its end."""

    def __init__(self, protocol: Any, factory: Any) -> None:
        ProtocolWrapper.__init__(self, protocol, factory)
        self.deferred = Deferred()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        ProtocolWrapper.connectionLost(self, reason)
        self.deferred.callback(None)


class LoopbackClientFactory(ClientFactory[Any]):
    """Gives the client's protocol, and a Deferred of the end of its connection."""

    def __init__(self, protocol: Any) -> None:
        self.deferred = Deferred()
        self._client = protocol

    def buildProtocol(self, addr: Any) -> Any:
        return self._client

    def clientConnectionLost(self, connector: Any, reason: Failure) -> None:
        self.deferred.callback(None)

    def clientConnectionFailed(self, connector: Any, reason: Failure) -> None:
        self.deferred.errback(reason)


class _Accepting(ServerFactory[Any]):
    """Gives the server's protocol, wrapped."""

    def __init__(self, server: Any, noisy: bool) -> None:
        self.noisy = noisy
        self.wrapper = _FireOnClose(WrappingFactory(self), server)

    def buildProtocol(self, addr: Any) -> Any:
        return self.wrapper


def loopbackTCP(server: Any, client: Any, port: int = 0, noisy: bool = True) -> Deferred:
    """Join two protocols through TCP, by the reactor that runs, and a port of 127.0.0.1 (0: any)."""
    reactor = reactors.current()
    accepting, connecting = _Accepting(server, noisy), LoopbackClientFactory(client)
    connecting.noisy = noisy
    listening = reactor.listenTCP(port, accepting, interface="127.0.0.1")
    reactor.connectTCP("127.0.0.1", listening.getHost().port, connecting)
    return _both_over(connecting, accepting, listening)


def loopbackUNIX(server: Any, client: Any, noisy: bool = True) -> Deferred:
    """Join two protocols through a UNIX socket, by the reactor that runs."""
    reactor: Any = reactors.current()
    folder = tempfile.mkdtemp()
    path = os.path.join(folder, "loopback")
    accepting, connecting = _Accepting(server, noisy), LoopbackClientFactory(client)
    connecting.noisy = noisy
    listening = reactor.listenUNIX(path, accepting)
    reactor.connectUNIX(path, connecting)

    def remove_folder(result: Any) -> Any:
        os.rmdir(folder)
        return result

    return _both_over(connecting, accepting, listening).addBoth(remove_folder)


def _both_over(connecting: LoopbackClientFactory, accepting: _Accepting, listening: Any) -> Deferred:
    """A Deferred of the end of both connections and of the port."""
    over = connecting.deferred
    over.addCallback(lambda _: accepting.wrapper.deferred)
    over.addBoth(lambda result: listening.stopListening().addCallback(lambda _: result))
    return over
