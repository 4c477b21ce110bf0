"""What the parts of a reactor promise to programs, as typing.Protocols: an object provides one by having its methods.

Unless a docstring says otherwise, a method belongs to the reactor's own thread, seconds are floats on the clock of
`IReactorTime.seconds`, and what a callable raises when the reactor calls it later is reported, never raised to anyone.
`isinstance` works with all of them, and looks at names only. Under takeover the classes that provide one also declare
Twisted's zope interface of the same name.

Contract: Twisted's internet.interfaces, of which this holds what our reactors and TCP provide.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeAlias, runtime_checkable

from .failure import Failure

__all__ = [
    "IConnector",
    "IDelayedCall",
    "IFileDescriptor",
    "IFileDescriptorReceiver",
    "IHandshakeListener",
    "IHostResolution",
    "IHostnameResolver",
    "IListeningPort",
    "ILoggingContext",
    "IMulticastTransport",
    "INegotiated",
    "IProcessProtocol",
    "IProcessTransport",
    "IProtocol",
    "IReactorCore",
    "IReactorFDSet",
    "IReactorFromThreads",
    "IReactorInThreads",
    "IReactorMulticast",
    "IReactorPluggableNameResolver",
    "IReactorPluggableResolver",
    "IReactorProcess",
    "IReactorSSL",
    "IReactorTCP",
    "IReactorThreads",
    "IReactorTime",
    "IReactorUDP",
    "IReactorUNIX",
    "IReactorUNIXDatagram",
    "IReadDescriptor",
    "IReadWriteDescriptor",
    "IResolutionReceiver",
    "IResolverSimple",
    "ISSLTransport",
    "IStreamClientEndpoint",
    "IStreamServerEndpoint",
    "ITLSTransport",
    "ITransport",
    "IUDPTransport",
    "IUNIXTransport",
    "IWriteDescriptor",
]

Work: TypeAlias = Callable[..., object]


# Time


@runtime_checkable
class IDelayedCall(Protocol):
    """A call scheduled with callLater (semantics 29-31).

    cancel, delay and reset raise error.AlreadyCancelled after a cancel, and error.AlreadyCalled once the call has
    begun; both are ValueErrors.
    """

    def cancel(self) -> None:
        """Do not make the call. Its function and arguments are let go at once."""

    def delay(self, secondsLater: float, /) -> None:
        """Make the call this many seconds later than planned, or sooner if negative, but not before the next pass."""

    def reset(self, secondsFromNow: float, /) -> None:
        """Make the call this many seconds from now, sooner or later than planned."""

    def active(self) -> bool:
        """Whether the call is still to be made: neither made nor cancelled. True until it begins. Any thread."""

    def getTime(self) -> float:
        """When the call is planned, in seconds on the reactor's clock, not from now. Any thread."""


@runtime_checkable
class IReactorTime(Protocol):
    """A clock, and calls made when it has advanced far enough (semantics 29-34)."""

    def seconds(self) -> float:
        """The time now: seconds since the epoch on a reactor, what it was advanced to on a Clock. Any thread."""

    def callLater(self, delay: float, callable: Work, /, *args: Any, **kwargs: Any) -> IDelayedCall:
        """Call `callable(*args, **kwargs)` in `delay` seconds, never before the current call has returned.

        Calls due at the same time are made in the order in which they were scheduled. From another thread, hand the
        callLater itself over with callFromThread. Raises AssertionError for a negative delay or NaN. Whether the
        callable can be called shows when it is due.
        """

    def getDelayedCalls(self) -> Sequence[IDelayedCall]:
        """The calls still to be made, in no useful order, without the one running and without cancelled ones."""


# Life


@runtime_checkable
class IReactorCore(Protocol):
    """The life of a reactor: it starts, turns, and stops after telling those who asked (semantics 37-45).

    A system event ("startup", "shutdown") has three phases. "before" triggers run first and may return Deferreds; the
    event goes on when all of those have fired. Then "during" and "after" triggers run. Each trigger runs once.
    """

    @property
    def running(self) -> bool:
        """Whether the reactor has started and was not yet told to end: true from "during startup". Any thread."""

    def run(self, installSignalHandlers: bool = True, /) -> None:
        """Start, and turn until stop() or crash(). In the main thread SIGINT, SIGTERM and SIGBREAK then stop it.

        Raises error.ReactorAlreadyRunning inside a run, and error.ReactorNotRestartable after stop().
        """

    def stop(self) -> None:
        """Begin the shutdown event when the current round of calls is over; run() returns after it.

        Raises error.ReactorNotRunning if the reactor does not run, or was stopped already.
        """

    def crash(self) -> None:
        """End run() after the current round, with no shutdown event. Running again is allowed after this."""

    def iterate(self, delay: float = 0, /) -> None:
        """One turn: calls handed over, due timers, then events, waiting for the first at most `delay` seconds."""

    def fireSystemEvent(self, eventType: str, /) -> None:
        """Run the triggers of an event. "shutdown" is fired by stop(): programs rarely have to."""

    def addSystemEventTrigger(self, phase: str, eventType: str, callable: Work, /, *args: Any, **kwargs: Any) -> Any:
        """Call `callable` in `phase` ("before", "during", "after") of the event. Returns a handle for removal.

        What it raises is reported and stops nothing. Raises KeyError for another phase, AssertionError if it cannot be
        called.
        """

    def removeSystemEventTrigger(self, triggerID: Any, /) -> None:
        """Take back a trigger. Raises ValueError if it is gone, TypeError or KeyError for what is no handle."""

    def callWhenRunning(self, callable: Work, /, *args: Any, **kwargs: Any) -> Any:
        """Call at once, and let it raise, if the reactor runs (returns None); else after startup (returns a handle)."""

    def resolve(self, name: str, timeout: Sequence[int] = (1, 3, 11, 45), /) -> Any:
        """A Deferred of the IPv4 address of a host, as text, or of error.DNSLookupError (semantics 77).

        An address is its own answer. The lookup runs in a thread that is not one of the thread pool's.
        """


# Threads


@runtime_checkable
class IReactorFromThreads(Protocol):
    """The way back into the reactor's thread (semantics 46)."""

    def callFromThread(self, callable: Work, /, *args: Any, **kwargs: Any) -> None:
        """Call `callable` in the reactor's thread, soon, in the order of the calls. Any thread, and signal handlers.

        It never runs before this returns, even when called in the reactor's thread. Nothing is returned: use
        threads.blockingCallFromThread for the result.
        """


@runtime_checkable
class IReactorInThreads(Protocol):
    """The way out into a worker thread (semantics 48)."""

    def callInThread(self, callable: Work, /, *args: Any, **kwargs: Any) -> None:
        """Call `callable` in a thread of the pool, with a copy of the caller's context. Any thread.

        Before the reactor starts the work waits for that; after it stopped it is dropped. What it raises is reported.
        """


@runtime_checkable
class IReactorThreads(IReactorFromThreads, IReactorInThreads, Protocol):
    """The reactor's thread pool (semantics 46-51)."""

    def getThreadPool(self) -> Any:
        """The pool that callInThread uses: made on first use, started and stopped with the reactor."""

    def suggestThreadPoolSize(self, size: int, /) -> None:
        """Let the pool grow to at most `size` threads; surplus ones end when their work is done."""


# Names


@runtime_checkable
class IHostResolution(Protocol):
    """A name that is being looked up."""

    @property
    def name(self) -> str:
        """The name."""

    def cancel(self) -> None:
        """Look no further: the receiver is told resolutionComplete now, and nothing after that."""


@runtime_checkable
class IResolutionReceiver(Protocol):
    """What gets the addresses of a name (semantics 77)."""

    def resolutionBegan(self, resolutionInProgress: IHostResolution, /) -> None:
        """The first it is told, before resolveHostName returns."""

    def addressResolved(self, address: Any, /) -> None:
        """An IPv4Address or IPv6Address. Any number of times."""

    def resolutionComplete(self) -> None:
        """These were all addresses, perhaps none. Told once, also if the resolution was cancelled."""


@runtime_checkable
class IHostnameResolver(Protocol):
    """Finds the addresses of a name (semantics 77)."""

    def resolveHostName(
        self,
        resolutionReceiver: IResolutionReceiver,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Iterable[type] | None = None,
        transportSemantics: str = "TCP",
    ) -> IHostResolution:
        """Tell the receiver the addresses of a host, each with the port, of the types wanted (None: of all).

        A name of other than ASCII letters is asked for by IDNA. `transportSemantics` ("TCP" or "UDP") is what the
        addresses are for. A name that is not found has no addresses.
        """


@runtime_checkable
class IResolverSimple(Protocol):
    """Finds one IPv4 address of a name (semantics 77)."""

    def getHostByName(self, name: str, timeout: Sequence[float] = ()) -> Any:
        """A Deferred of the address as text, or of error.DNSLookupError. `timeout`: seconds for each attempt."""


@runtime_checkable
class IReactorPluggableResolver(Protocol):
    """A reactor that asks a resolver which a program brings."""

    def installResolver(self, resolver: IResolverSimple, /) -> IResolverSimple:
        """Ask this one from now on, for all kinds of lookups. Returns the one before."""


@runtime_checkable
class IReactorPluggableNameResolver(Protocol):
    """The same, with resolvers that find all addresses."""

    @property
    def nameResolver(self) -> IHostnameResolver:
        """The resolver that is asked, whichever way it was installed."""

    def installNameResolver(self, resolver: IHostnameResolver, /) -> IHostnameResolver:
        """Ask this one from now on, for all kinds of lookups. Returns the one before."""


# Readiness


@runtime_checkable
class ILoggingContext(Protocol):
    """Something that has a name in logs (semantics 44)."""

    def logPrefix(self) -> str:
        """The name that what happens in its events is logged under. Must not raise."""


@runtime_checkable
class IFileDescriptor(ILoggingContext, Protocol):
    """Something that the reactor can watch (semantics 43, 60, 61)."""

    def fileno(self) -> int:
        """The descriptor, the same one for as long as it is watched; -1 once it is closed."""

    def connectionLost(self, reason: Failure, /) -> None:
        """Watching has ended because of `reason`: the reactor has removed it already; close it now."""


@runtime_checkable
class IReadDescriptor(IFileDescriptor, Protocol):
    """Something to read from."""

    def doRead(self) -> Any:
        """There is something to read. An exception raised or returned ends it, and is the reason of connectionLost."""


@runtime_checkable
class IWriteDescriptor(IFileDescriptor, Protocol):
    """Something to write to."""

    def doWrite(self) -> Any:
        """It can be written to. An exception raised or returned ends it, and is the reason of connectionLost."""


@runtime_checkable
class IReadWriteDescriptor(IReadDescriptor, IWriteDescriptor, Protocol):
    """Both. In one event, reading comes first."""


@runtime_checkable
class IReactorFDSet(Protocol):
    """The descriptors that a reactor watches (semantics 61). Adding twice, and removing what is not there, do nothing.

    A removed descriptor gets no more events, not even those of the batch that is being served.
    """

    def addReader(self, reader: IReadDescriptor, /) -> None:
        """Call reader.doRead() whenever there is something to read. Regular files are always ready."""

    def addWriter(self, writer: IWriteDescriptor, /) -> None:
        """Call writer.doWrite() whenever it can be written to."""

    def removeReader(self, reader: IReadDescriptor, /) -> None:
        """No more doRead(). Its fileno() is not asked for: it may be closed."""

    def removeWriter(self, writer: IWriteDescriptor, /) -> None:
        """No more doWrite(). Its fileno() is not asked for: it may be closed."""

    def removeAll(self) -> list[Any]:
        """Remove all readers and writers but the reactor's own (its waker), and return them."""

    def getReaders(self) -> list[Any]:
        """The readers watched now."""

    def getWriters(self) -> list[Any]:
        """The writers watched now."""


# Streams


@runtime_checkable
class ITransport(Protocol):
    """One end of a connection, as its protocol has it (semantics 62, 63)."""

    def write(self, data: bytes, /) -> None:
        """Send, as soon as the caller has returned. Never blocks; ignored once the connection is closing or lost."""

    def writeSequence(self, data: Iterable[bytes], /) -> None:
        """Write each of them."""

    def loseConnection(self) -> None:
        """Send what was written, then close; nothing more is read."""

    def getPeer(self) -> Any:
        """The other end's address."""

    def getHost(self) -> Any:
        """This end's address."""


@runtime_checkable
class IProtocol(Protocol):
    """What a connection is told to: makeConnection, dataReceived any number of times, connectionLost (semantics 66)."""

    def dataReceived(self, data: bytes, /) -> Any:
        """Some bytes have come, in whatever pieces. What it raises ends the connection."""

    def connectionLost(self, reason: Failure, /) -> Any:
        """The connection is over; called once, and nothing after it."""

    def makeConnection(self, transport: Any, /) -> Any:
        """The connection is there: keep the transport, and call connectionMade."""

    def connectionMade(self) -> Any:
        """The transport can be used."""


@runtime_checkable
class IListeningPort(Protocol):
    """What listenTCP returns (semantics 73)."""

    def startListening(self) -> None:
        """Listen again. Raises error.CannotListenError."""

    def stopListening(self) -> Any:
        """Accept no more; connections stay. Returns a Deferred that fires when the port is closed, or None."""

    def getHost(self) -> Any:
        """The address that it listens on: the real number, where 0 was asked for."""


@runtime_checkable
class IConnector(Protocol):
    """What connectTCP returns (semantics 70-72)."""

    def stopConnecting(self) -> None:
        """Give up an attempt. Raises error.NotConnectingError if there is none."""

    def disconnect(self) -> None:
        """Lose the connection, or give up the attempt."""

    def connect(self) -> None:
        """Try again, once the connection was lost or could not be made."""

    def getDestination(self) -> Any:
        """The address that it connects to."""


@runtime_checkable
class IReactorTCP(Protocol):
    """TCP (semantics 70-74)."""

    def listenTCP(self, port: int, factory: Any, backlog: int = 50, interface: str = "") -> IListeningPort:
        """Accept connections on `port` (0: any free one) of `interface` ("": all IPv4 ones) for `factory`.

        Raises error.CannotListenError at once.
        """

    def connectTCP(
        self,
        host: str,
        port: int,
        factory: Any,
        timeout: float = 30,
        bindAddress: Any = None,
    ) -> IConnector:
        """Connect `factory` to a host and port, in `timeout` seconds at most, the lookup of the name included."""


# TLS


@runtime_checkable
class ISSLTransport(ITransport, Protocol):
    """A transport over TLS (semantics 79-83). What is written is sent once the handshake is done."""

    def getPeerCertificate(self) -> Any:
        """The peer's certificate, or None: DER bytes, or an X509 object where pyOpenSSL makes the TLS."""


@runtime_checkable
class INegotiated(ISSLTransport, Protocol):
    """One that knows what both sides agreed to speak (ALPN)."""

    @property
    def negotiatedProtocol(self) -> bytes | None:
        """The protocol; None before the handshake is done, and if there is none."""


@runtime_checkable
class ITLSTransport(ITransport, Protocol):
    """A transport on which TLS can begin later."""

    def startTLS(self, ctx: Any, normal: bool = True) -> None:
        """Speak TLS from the next byte on; `ctx` is what listenSSL takes. As the usual side, or the other one."""


@runtime_checkable
class IHandshakeListener(Protocol):
    """A protocol that is told of the handshake."""

    def handshakeCompleted(self) -> Any:
        """It is done, and the peer is who it says it is."""


@runtime_checkable
class IReactorSSL(Protocol):
    """TLS over TCP. `contextFactory` is an ssl.SSLContext, an object of torsion.ssl, or one for pyOpenSSL."""

    def listenSSL(
        self, port: int, factory: Any, contextFactory: Any, backlog: int = 50, interface: str = ""
    ) -> IListeningPort:
        """As listenTCP; each connection begins with a handshake."""

    def connectSSL(
        self,
        host: str,
        port: int,
        factory: Any,
        contextFactory: Any,
        timeout: float = 30,
        bindAddress: Any = None,
    ) -> IConnector:
        """As connectTCP, followed by a handshake: `timeout` is TCP's."""


# UNIX sockets


@runtime_checkable
class IUNIXTransport(ITransport, Protocol):
    """One end of a connection between two programs of this machine (semantics 75)."""

    def sendFileDescriptor(self, descriptor: int, /) -> None:
        """Send a copy of an open file with the next byte that is written; there must be one byte for each.

        A connection that has more descriptors to send than bytes is lost with error.FileDescriptorOverrun.
        """


@runtime_checkable
class IFileDescriptorReceiver(Protocol):
    """A protocol that can be sent open files (semantics 75). A protocol that is not one is spared them."""

    def fileDescriptorReceived(self, descriptor: int, /) -> Any:
        """A descriptor has come, before the byte that carried it. It is the protocol's now: close it some time."""


@runtime_checkable
class IReactorUNIX(Protocol):
    """UNIX stream sockets (semantics 72, 73, 75, 103)."""

    def connectUNIX(self, address: str | bytes, factory: Any, timeout: float = 30, checkPID: Any = 0) -> IConnector:
        """Connect `factory` to a path. With `checkPID`, error.BadFileError if no living server holds its lock."""

    def listenUNIX(
        self, address: str | bytes, factory: Any, backlog: int = 50, mode: int = 0o666, wantPID: Any = 0
    ) -> IListeningPort:
        """Accept connections on a path of this `mode`, with a lock file beside it if `wantPID`.

        Raises error.CannotListenError at once.
        """


@runtime_checkable
class IReactorUNIXDatagram(Protocol):
    """UNIX datagram sockets."""

    def listenUNIXDatagram(
        self, address: str | bytes, protocol: Any, maxPacketSize: int = 8192, mode: int = 0o666
    ) -> IListeningPort:
        """Receive datagrams on a path. Raises error.CannotListenError at once."""

    def connectUNIXDatagram(
        self,
        address: str | bytes,
        protocol: Any,
        maxPacketSize: int = 8192,
        mode: int = 0o666,
        bindAddress: str | bytes | None = None,
    ) -> Any:
        """Send datagrams to a path, and receive its answers on `bindAddress`."""


# Datagrams


@runtime_checkable
class IUDPTransport(Protocol):
    """A UDP port, as its protocol has it (semantics 76). Addresses are pairs of a host in figures and a port."""

    def write(self, packet: bytes, addr: Any = None, /) -> Any:
        """Send a datagram, now; without `addr`, to the peer of a connected port.

        Raises error.InvalidAddressError for a host name, error.MessageLengthError if it is too long, OSError for what
        else the kernel says.
        """

    def connect(self, host: str, port: int, /) -> None:
        """Have one peer: send to it, and hear of nobody else. Raises error.InvalidAddressError, RuntimeError."""

    def getHost(self) -> Any:
        """The address that it is bound to."""

    def stopListening(self) -> Any:
        """Close it. Returns a Deferred that fires when it is closed and the protocol has been stopped, or None."""

    def setBroadcastAllowed(self, enabled: bool, /) -> None:
        """Whether it may send to broadcast addresses; at first it may not."""

    def getBroadcastAllowed(self) -> bool:
        """Whether it may."""


@runtime_checkable
class IMulticastTransport(IUDPTransport, Protocol):
    """A UDP port that can join groups. Its Deferreds fail with error.MulticastJoinError."""

    def joinGroup(self, addr: str, interface: str = "") -> Any:
        """Hear what is sent to a group, an address or a host name. Returns a Deferred."""

    def leaveGroup(self, addr: str, interface: str = "") -> Any:
        """Take this back. Returns a Deferred."""

    def getOutgoingInterface(self) -> Any:
        """The interface that it sends to groups through: an IPv4 address, or a number in IPv6."""

    def setOutgoingInterface(self, addr: Any, /) -> Any:
        """Send to groups through this interface. Returns a Deferred."""

    def getLoopbackMode(self) -> bool:
        """Whether this machine hears what it sends to groups."""

    def setLoopbackMode(self, mode: bool, /) -> None:
        """Whether it is to."""

    def getTTL(self) -> int:
        """How many routers pass on what it sends to groups; 1 is none."""

    def setTTL(self, ttl: int, /) -> None:
        """Set this: 0 to 255."""


@runtime_checkable
class IReactorUDP(Protocol):
    """UDP (semantics 76)."""

    def listenUDP(self, port: int, protocol: Any, interface: str = "", maxPacketSize: int = 8192) -> Any:
        """Have `protocol` send and receive on `port` (0: any free one) of `interface`; returns its transport.

        Raises error.CannotListenError at once.
        """


@runtime_checkable
class IReactorMulticast(Protocol):
    """Multicast over UDP."""

    def listenMulticast(
        self, port: int, protocol: Any, interface: str = "", maxPacketSize: int = 8192, listenMultiple: bool = False
    ) -> Any:
        """As listenUDP; the transport is an IMulticastTransport. `listenMultiple`: others may have the same port."""


# Child processes


@runtime_checkable
class IProcessTransport(Protocol):
    """A child process, as its protocol has it (semantics 55-57, 95)."""

    @property
    def pid(self) -> int | None:
        """The child's number; None once it has ended and was reaped."""

    def write(self, data: bytes, /) -> None:
        """Write to the child's standard input. Never blocks; ignored once that is closed."""

    def writeSequence(self, seq: Iterable[bytes], /) -> None:
        """Write each of them."""

    def writeToChild(self, childFD: int, data: bytes, /) -> None:
        """Write to another descriptor that the child reads. Raises KeyError if it is closed or was never declared."""

    def closeStdin(self) -> None:
        """Close the child's standard input, once what was written is sent."""

    def closeStdout(self) -> None:
        """Read no more of the child's standard output."""

    def closeStderr(self) -> None:
        """Read no more of the child's standard error."""

    def closeChildFD(self, descriptor: int, /) -> None:
        """Close this end of one of the child's pipes."""

    def loseConnection(self) -> None:
        """Close standard input, output and error. A child that is on a terminal gets SIGHUP."""

    def signalProcess(self, signalID: str | int, /) -> None:
        """Send a number, or "HUP", "STOP", "INT", "KILL", "TERM". Raises error.ProcessExitedAlready, TypeError."""


@runtime_checkable
class IProcessProtocol(Protocol):
    """What a child process is told to (semantics 55). What it raises is reported, and stops nothing but a pipe (96)."""

    def makeConnection(self, process: Any, /) -> Any:
        """The child is started: keep the transport."""

    def childDataReceived(self, childFD: int, data: bytes, /) -> Any:
        """The child wrote something to a descriptor that we read."""

    def childConnectionLost(self, childFD: int, /) -> Any:
        """A pipe was closed, by either side."""

    def processExited(self, reason: Failure, /) -> Any:
        """The child has ended; there may be more to read. `reason`: of error.ProcessDone or ProcessTerminated."""

    def processEnded(self, reason: Failure, /) -> Any:
        """The child has ended and its pipes are closed: the last that is told."""


@runtime_checkable
class IReactorProcess(Protocol):
    """Child processes (semantics 52-57)."""

    def spawnProcess(
        self,
        processProtocol: Any,
        executable: Any,
        args: Sequence[Any] = (),
        env: Any = {},  # noqa: B006 - the contract's default, which None is not
        path: Any = None,
        uid: int | None = None,
        gid: int | None = None,
        usePTY: Any = 0,
        childFDs: Any = None,
    ) -> IProcessTransport:
        """Start a program. Raises TypeError, ValueError, or OSError if it cannot be started.

        `env` is its whole environment, None stands for this process's. `childFDs` says for each of its descriptors "r",
        "w", or which of ours it is.
        """


@runtime_checkable
class IStreamClientEndpoint(Protocol):
    """Where a connection leads to (semantics 78)."""

    def connect(self, protocolFactory: Any, /) -> Any:
        """Connect a protocol of the factory: a Deferred of it. Cancelling that gives the attempt up."""


@runtime_checkable
class IStreamServerEndpoint(Protocol):
    """Where a service listens."""

    def listen(self, protocolFactory: Any, /) -> Any:
        """Listen for the factory: a Deferred of the IListeningPort, or of an error.CannotListenError."""
