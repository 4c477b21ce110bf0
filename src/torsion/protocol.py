"""What a program writes: protocols, which are told what happens to one connection, and factories, which make them.

These classes are meant to be subclassed, and everything in them may be overridden: a transport or a reactor calls
nothing here but the methods that the contract names. Each belongs to the reactor's thread.
Contract: twisted.internet.protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from . import reactors, report
from .core.deferred import Deferred
from .core.delayed import describe
from .error import NotConnectingError
from .failure import Failure
from .net.protocols import BaseProtocol, ClientFactory, Factory, P, Protocol, ServerFactory, connectionDone

__all__ = [
    "AbstractDatagramProtocol",
    "BaseProtocol",
    "ClientCreator",
    "ClientFactory",
    "ConnectedDatagramProtocol",
    "ConsumerToProtocolAdapter",
    "DatagramProtocol",
    "Factory",
    "FileWrapper",
    "P",
    "ProcessProtocol",
    "Protocol",
    "ProtocolToConsumerAdapter",
    "ReconnectingClientFactory",
    "ServerFactory",
    "connectionDone",
]


# Protocols


class ProcessProtocol(BaseProtocol):
    """The parent's side of a child process: its pipes, by the child's descriptor, and its end."""

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        """The child wrote to `childFD`: outReceived for 1, errReceived for 2."""
        if childFD == 1:
            self.outReceived(data)
        elif childFD == 2:
            self.errReceived(data)

    def outReceived(self, data: bytes) -> None:
        """The child wrote to its standard output."""

    def errReceived(self, data: bytes) -> None:
        """The child wrote to its standard error."""

    def childConnectionLost(self, childFD: int) -> None:
        """The pipe to the child's `childFD` was closed: inConnectionLost for 0, then out and err."""
        if childFD == 0:
            self.inConnectionLost()
        elif childFD == 1:
            self.outConnectionLost()
        elif childFD == 2:
            self.errConnectionLost()

    def inConnectionLost(self) -> None:
        """The child's standard input was closed."""

    def outConnectionLost(self) -> None:
        """The child's standard output was closed."""

    def errConnectionLost(self) -> None:
        """The child's standard error was closed."""

    def processExited(self, reason: Failure) -> None:
        """The child has exited; its pipes may hold more. `reason` holds error.ProcessDone or ProcessTerminated."""

    def processEnded(self, reason: Failure) -> None:
        """The child has exited and its pipes are closed: nothing comes any more. `reason` as in processExited."""


class AbstractDatagramProtocol:
    """What every protocol for datagrams has: it starts with the first transport and stops with the last."""

    transport: Any = None
    #: How many transports it is on.
    numPorts: int = 0
    #: Whether starting and stopping is reported.
    noisy: bool = True

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "transport": None}

    def doStart(self) -> None:
        """A transport has it now: the first calls startProtocol."""
        if self.numPorts == 0:
            if self.noisy:
                report.info(f"Starting protocol {self}")
            self.startProtocol()
        self.numPorts += 1

    def doStop(self) -> None:
        """A transport is done with it: the last calls stopProtocol. Raises AssertionError if none has it."""
        if self.numPorts <= 0:
            raise AssertionError(f"{describe(self)} is on no transport")
        self.numPorts -= 1
        self.transport = None
        if self.numPorts == 0:
            if self.noisy:
                report.info(f"Stopping protocol {self}")
            self.stopProtocol()

    def startProtocol(self) -> None:
        """It can send and receive from now on; `transport` is set."""

    def stopProtocol(self) -> None:
        """Its transport is closed; `transport` is None."""

    def makeConnection(self, transport: Any) -> None:
        """Take the transport and start: what a transport does that listens. Raises AssertionError if it has one."""
        if self.transport is not None:
            raise AssertionError(f"{describe(self)} is on {describe(self.transport)} already")
        self.transport = transport
        self.doStart()

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        """A datagram has come, whole, from `addr` (host, port; for UNIX a path)."""


class DatagramProtocol(AbstractDatagramProtocol):
    """Datagrams from and to anybody."""

    def logPrefix(self) -> str:
        """What this is called in logs."""
        return self.__class__.__name__

    def connectionRefused(self) -> None:
        """On a transport connected to one peer: nobody listens there. Comes at some time after writing, or never."""


class ConnectedDatagramProtocol(DatagramProtocol):
    """Datagrams from and to one peer. connectionFailed tells why there is no connection to it."""

    def datagramReceived(self, datagram: bytes) -> None:  # type: ignore[override]  # the contract's: there is one peer
        """A datagram has come from the peer."""

    def connectionFailed(self, failure: Failure) -> None:
        """The address could not be resolved or connected to."""


# Factories


class ReconnectingClientFactory(ClientFactory[P]):
    """Connects again when a connection fails or is lost, each time after a longer delay (semantics 107).

    Call resetDelay when a connection has proved good, else the next loss waits as if it had failed.
    """

    #: Seconds that no delay may exceed before jitter.
    maxDelay: float = 3600
    #: Seconds before the first retry.
    initialDelay: float = 1.0
    #: Each delay is so many times the one before it (e).
    factor: float = 2.718281828459045
    #: Standard deviation of a delay, as a share of it: clients that were cut off together do not come back together.
    #: None for none.
    jitter: float | None = 0.119626565582
    #: Seconds before the next retry.
    delay: float = initialDelay
    #: How many there were since the last resetDelay.
    retries: int = 0
    #: How many there may be. None for no limit.
    maxRetries: int | None = None
    #: Whose callLater is used; None for the reactor running in this thread, else the global one.
    clock: Any = None
    connector: Any = None
    continueTrying: int = 1
    _callID: Any = None

    def clientConnectionFailed(self, connector: Any, reason: Failure) -> None:
        self._try_again(connector)

    def clientConnectionLost(self, connector: Any, reason: Failure) -> None:
        self._try_again(connector)

    def _try_again(self, connector: Any) -> None:
        if self.continueTrying:
            self.connector = connector
            self.retry()

    def retry(self, connector: Any = None) -> None:
        """Connect again after the delay, unless told to stop or tried too often; by default with the last connector.

        Raises ValueError if there was none yet.
        """
        if connector is None:
            connector = self.connector
        if not self.continueTrying:
            self._say("Abandoning {connector!r} on explicit request", connector)
            return
        if connector is None:
            raise ValueError("no connector to retry: pass one, as there was no connection yet")
        self.retries += 1
        if self.maxRetries is not None and self.retries > self.maxRetries:
            self._say("Abandoning {connector!r} after {retries} retries.", connector, retries=self.retries)
            return
        delay = self.delay
        if self.jitter:
            import random  # for who reconnects

            delay = random.normalvariate(delay, delay * self.jitter)
        self.delay = min(delay * self.factor, self.maxDelay)
        self._say("{connector!r} will retry in {delay:.0f} seconds", connector, delay=delay)
        clock = reactors.current() if self.clock is None else self.clock
        self._callID = clock.callLater(delay, self._connect, connector)

    def _connect(self, connector: Any) -> None:
        self._callID = None
        connector.connect()

    def stopTrying(self) -> None:
        """Make no more attempts; a pending one, and one that is going on, are given up."""
        if self._callID is not None:
            self._callID.cancel()
            self._callID = None
        self.continueTrying = 0
        if self.connector is not None:
            try:
                self.connector.stopConnecting()
            except NotConnectingError:
                pass

    def resetDelay(self) -> None:
        """Begin again with the first delay and no retries made, also after stopTrying."""
        self.delay = self.initialDelay
        self._callID = None
        self.retries = 0
        self.continueTrying = 1

    def __getstate__(self) -> dict[str, Any]:
        """Without what belongs to this process and this series of attempts."""
        passing = ("connector", "retries", "delay", "_callID", "continueTrying", "clock")
        return {name: value for name, value in self.__dict__.items() if name not in passing}

    def _say(self, text: str, connector: Any, **details: object) -> None:
        if self.noisy:
            report.info(text, connector=connector, factory=self, **details)


class _OneConnection(ClientFactory[Any]):
    """What ClientCreator connects with: it fires a Deferred with the one protocol, or with what went wrong.

    It fires in a pass of its own: by then the protocol has been told that it is connected.
    """

    noisy = False

    def __init__(self, reactor: Any, instance: Any, deferred: Deferred) -> None:
        self.reactor = reactor
        self.instance = instance
        self.deferred: Deferred | None = deferred
        self.pending: Any = None

    def __repr__(self) -> str:
        return f"<ClientCreator factory: {self.instance!r}>"

    def buildProtocol(self, addr: Any) -> Any:
        if self.deferred is not None:
            self._fire(self.deferred.callback, self.instance)
        return self.instance

    def clientConnectionFailed(self, connector: Any, reason: Failure) -> None:
        if self.deferred is not None:
            self._fire(self.deferred.errback, reason)

    def _fire(self, fire: Callable[[Any], object], value: Any) -> None:
        self.deferred = None
        self.pending = self.reactor.callLater(0, fire, value)

    def cancel(self) -> None:
        self.deferred = None
        if self.pending is not None and self.pending.active():
            self.pending.cancel()


class ClientCreator:
    """Makes one connection for one protocol, with no factory of the program's own. Endpoints are the newer way.

    Each method takes the arguments of the reactor's, without the factory, and returns a Deferred that fires with the
    connected protocol. Cancelling it ends the attempt.
    """

    def __init__(self, reactor: Any, protocolClass: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        self.reactor = reactor
        self.protocolClass = protocolClass
        self.args = args
        self.kwargs = kwargs

    def connectTCP(self, host: str, port: int, timeout: float = 30, bindAddress: Any = None) -> Deferred:
        """Connect to a host and port."""
        return self._connect(lambda f: self.reactor.connectTCP(host, port, f, timeout=timeout, bindAddress=bindAddress))

    def connectUNIX(self, address: Any, timeout: float = 30, checkPID: bool = False) -> Deferred:
        """Connect to a path."""
        return self._connect(lambda f: self.reactor.connectUNIX(address, f, timeout=timeout, checkPID=checkPID))

    def connectSSL(
        self, host: str, port: int, contextFactory: Any, timeout: float = 30, bindAddress: Any = None
    ) -> Deferred:
        """Connect to a host and port, and encrypt."""
        return self._connect(
            lambda f: self.reactor.connectSSL(host, port, f, contextFactory, timeout=timeout, bindAddress=bindAddress)
        )

    def _connect(self, connect: Callable[[_OneConnection], Any]) -> Deferred:
        def cancel(_: Deferred) -> None:
            factory.cancel()
            connector.disconnect()

        deferred = Deferred(cancel)
        factory = _OneConnection(self.reactor, self.protocolClass(*self.args, **self.kwargs), deferred)
        connector = connect(factory)
        return deferred


# Between interfaces


class ProtocolToConsumerAdapter:
    """A protocol, as something that a producer writes to."""

    def __init__(self, original: Any) -> None:
        self.original = original

    def write(self, data: bytes) -> None:
        self.original.dataReceived(data)

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Nothing: a protocol takes whatever comes."""

    def unregisterProducer(self) -> None:
        """Nothing."""


class ConsumerToProtocolAdapter:
    """Something that a producer writes to, as a protocol."""

    def __init__(self, original: Any) -> None:
        self.original = original

    def dataReceived(self, data: bytes) -> None:
        self.original.write(data)

    def connectionLost(self, reason: Failure) -> None:
        """Nothing: a consumer is not told."""

    def makeConnection(self, transport: Any) -> None:
        """Nothing."""

    def connectionMade(self) -> None:
        """Nothing."""


class FileWrapper:
    """A file, as a transport: what is written goes into it at once, and losing the connection closes it."""

    closed: int = 0
    disconnecting: int = 0
    producer: Any = None
    streamingProducer: Any = 0

    def __init__(self, file: Any) -> None:
        self.file = file

    def write(self, data: bytes) -> None:
        try:
            self.file.write(data)
        except Exception:
            self.handleException()

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        self.write(b"".join(iovec))

    def handleException(self) -> None:
        """The file raised, and does so in this moment (sys.exception()). Override this: a write tells nobody else."""

    def loseConnection(self) -> None:
        self.closed = 1
        try:
            self.file.close()
        except OSError:
            self.handleException()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        self.producer = producer
        self.streamingProducer = streaming
        self._checkProducer()

    def _checkProducer(self) -> None:
        """Ask a pull producer for more. Nothing else does after the first time: a file is never full, and never idle.

        Twisted's tests pump their connections with this.
        """
        if self.producer is not None and not self.streamingProducer:
            self.producer.resumeProducing()

    def unregisterProducer(self) -> None:
        self.producer = None

    def stopConsuming(self) -> None:
        self.unregisterProducer()
        self.loseConnection()

    def getPeer(self) -> Any:
        return "file", "file"

    def getHost(self) -> Any:
        return "file"

    def pauseProducing(self) -> None:
        """Nothing: a file is only written to."""

    def resumeProducing(self) -> None:
        """Nothing."""

    def stopProducing(self) -> None:
        self.loseConnection()
