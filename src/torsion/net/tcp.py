"""TCP: connections accepted and made, ports, connectors. The rules are in stream.py and listener.py; here are sockets.

These are thin classes of Python over the compiled stream, because programs subclass them, set attributes on them and
their instances, and replace their methods. Who replaces one that a native stream never calls gets the contract driver;
on a connection that is there already this is noticed for those that receive and send.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from .. import report
from ..core.deferred import Deferred
from ..core.roster import Roster
from ..error import CannotListenError
from ..failure import Failure
from .binding import adopted, for_listening
from .descriptor import CONNECTION_DONE, prefix_of
from .draining import Drain
from .filedescriptor import BasePort, FileDescriptor, isIPv6Address
from .listener import RESERVE, accept_for
from .sockaddr import ip_address
from .stream import Stream

# A class that replaces one of these reads and writes by itself; `on_ready` would pass it by.
OWN_WAYS = (
    "doRead", "doWrite", "writeSomeData", "_dataReceived", "fileno", "bufferSize", "_isSendBufferFull",
    "_maybePauseProducer", "_postLoseConnection", "startReading", "startWriting", "stopReading", "stopWriting",
)  # fmt: skip


class OwnWay:
    """A method that receives or sends. Whoever replaces it on one connection has that one driven by the contract.

    It costs nothing natively, as there it is never looked up.
    """

    def __init__(self, method: Any) -> None:
        self._method = method

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None:
            return self._method
        replaced = instance.__dict__.get(self._name)
        if replaced is not None and getattr(owner, self._name) is self._method:  # else a subclass's that asks for ours
            return replaced
        return self._method.__get__(instance, owner)

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self._name] = value
        instance._leave_engine()

    def __delete__(self, instance: Any) -> None:
        if instance.__dict__.pop(self._name, None) is None:
            raise AttributeError(self._name)


class Connection(FileDescriptor):
    """A connected TCP socket. Contract: ITCPTransport, ISystemHandle, IConsumer."""

    addressFamily: Any = socket.AF_INET
    #: What a subclass's writeSomeData may cut a long piece to, in bytes.
    SEND_LIMIT = 2**17
    TLS = False
    logstr: Any = "Uninitialized"
    _tlsClientDefault = True
    _host: Any = None  # once asked for

    doRead: Any = OwnWay(Stream.doRead)
    doWrite: Any = OwnWay(Stream.doWrite)
    writeSomeData: Any = OwnWay(Stream.writeSomeData)
    _dataReceived: Any = OwnWay(Stream._dataReceived)
    # What a FileDescriptor does otherwise, because its descriptor is its subclass's: here it is the stream's again.
    fileno: Any = Stream.fileno
    loseWriteConnection: Any = Stream.loseWriteConnection
    bufferSize: Any = Stream.bufferSize
    protocol: Any = Stream.protocol
    _writeDisconnected: Any = Stream._writeDisconnected
    _closeWriteConnection: Any = Stream._closeWriteConnection
    _close_stream: Any = Stream._close_stream

    def __init__(self, skt: socket.socket | int, protocol: Any, reactor: Any = None) -> None:
        Stream.__init__(self, reactor)
        self._take(skt)
        self._served = protocol

    @classmethod
    def _goes_natively(cls) -> bool:
        """Whether the engine may drive it, asked once a class."""
        return all(getattr(cls, name) is getattr(Connection, name) for name in OWN_WAYS)

    @property
    def socket(self) -> Any:
        """The socket. AttributeError once the connection is lost (98)."""
        return self._socket_object()

    @socket.setter
    def socket(self, skt: Any) -> None:
        self._take(skt)
        self._host = None

    @socket.deleter
    def socket(self) -> None:
        self._socket = None

    def getHost(self) -> Any:
        """This end's address. AttributeError once the connection is lost (67)."""
        if not self.connected:
            return ip_address(self.socket.getsockname())
        if self._host is None:
            self._host = ip_address(self.socket.getsockname())  # from now on it stays the same
        return self._host

    def getHandle(self) -> Any:
        """The socket object."""
        return self.socket

    def getTcpNoDelay(self) -> bool:
        return bool(self._option(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    setTcpNoDelay: Any = Stream._set_no_delay

    def getTcpKeepAlive(self) -> bool:
        return bool(self._option(socket.SOL_SOCKET, socket.SO_KEEPALIVE))

    def setTcpKeepAlive(self, enabled: bool) -> None:
        """Have the kernel ask a silent peer from time to time whether it is still there."""
        self._set_option(socket.SOL_SOCKET, socket.SO_KEEPALIVE, enabled)

    def writeConnectionLost(self, reason: Failure) -> None:
        """Nothing more can be written, which is the end. Contract: IHalfCloseableDescriptor."""
        self.connectionLost(reason)

    def startTLS(self, ctx: Any, normal: bool = True, *, handshake_timeout: float | None = None) -> None:
        """Speak TLS from the next byte on; what was written before goes first, as it is. Contract: ITLSTransport (82).

        ``ctx`` says how, as for listenSSL and connectSSL. The side that accepted the connection is the server, and the
        other the client, or the other way round if not ``normal``. ``handshake_timeout`` in seconds; None: any time.
        """
        from .tls.starttls import start_tls

        start_tls(self, ctx, self._tlsClientDefault is bool(normal), handshake_timeout)

    def logPrefix(self) -> str:
        return str(self.logstr)

    def _getLogPrefix(self, obj: Any) -> str:
        """The name under which what `obj` does is logged: what its logPrefix says, or its class (44)."""
        return prefix_of(obj)


class Shown:
    """An attribute that is worked out when it is looked at, until somebody sets it: a connection at rest has none."""

    def __init__(self, compute: Callable[[Any], Any]) -> None:
        self._compute = compute

    def __get__(self, instance: Any, owner: type) -> Any:
        return self if instance is None else self._compute(instance)


class Server(Connection):
    """The accepting end of a connection. `client` is the peer's address as the socket gave it, `server` the port."""

    _tlsClientDefault = False

    __init__: Any = Stream._accepted  # no function of Python around it: each connection would pay for that

    client: Any = Shown(lambda self: self._raw_peer())
    hostname: Any = Shown(lambda self: self.getPeer().host)
    server: Any = Shown(lambda self: self._owner)
    sessionno: Any = Shown(lambda self: self._session_number)
    logstr: Any = Shown(lambda self: f"{self._getLogPrefix(self._served)},{self.sessionno},{self.hostname}")

    @classmethod
    def _fromConnectedSocket(cls, fileDescriptor: int, addressFamily: int, factory: Any, reactor: Any) -> Any:
        """A transport for a descriptor that is connected already; None if the factory has no protocol (101)."""
        with adopted(fileDescriptor, addressFamily, socket.SOCK_STREAM) as skt:
            peer = skt.getpeername()
            protocol = factory.buildProtocol(ip_address(peer))
        if protocol is None:
            skt.close()
            return None
        self = cls(skt, protocol, peer, None, peer[1], reactor)
        protocol.makeConnection(self)
        return self

    def __repr__(self) -> str:
        return str(self.repstr)

    def _describe(self) -> str:
        name = "a lost connection" if self._served is None else self._served.__class__.__name__
        return f"<{name} #{self.sessionno} on {self._own_place()}>"

    def _own_place(self) -> Any:
        """Where it was accepted, for logs."""
        if self._owner is not None:
            return self._owner._realPortNumber
        return self.socket.getsockname()[1] if self.connected else None

    repstr: Any = Shown(_describe)

    def getPeer(self) -> Any:
        """The peer's address, also after the end."""
        return ip_address(self._raw_peer())


class Port(BasePort):
    """A listening socket. Contract: IListeningPort."""

    socketType = socket.SOCK_STREAM
    addressFamily = socket.AF_INET
    transport = Server
    numberAccepts = 100
    _lacking = 0  # see listener.py
    _type = "TCP"
    _realPortNumber: Any = None
    _preexistingSocket: Any = None
    _draining: Drain | None = None
    deferred: Deferred | None = None

    def __init__(self, port: Any, factory: Any, backlog: int = 50, interface: str = "", reactor: Any = None) -> None:
        """A port may be a Binding. ValueError if that has another interface; AssertionError if it is no number."""
        BasePort.__init__(self, reactor)
        self._binding = for_listening(port, interface)
        self.port, self.interface = self._binding.port, self._binding.interface
        assert isinstance(self.port, int), f"a port is a number, not {port!r}"
        self.factory, self.backlog = factory, backlog
        self._connections = Roster()  # that it has accepted and that are not over
        if isIPv6Address(self.interface):
            self.addressFamily = socket.AF_INET6

    @classmethod
    def _fromListeningDescriptor(cls, reactor: Any, fd: int, addressFamily: int, factory: Any) -> Port:
        """A port for a descriptor that listens already. The descriptor is duplicated; close yours (101)."""
        with adopted(fd, addressFamily, cls.socketType) as skt:
            self = cls(skt.getsockname()[1], factory, interface=skt.getsockname()[0], reactor=reactor)
        self._preexistingSocket = skt
        return self

    def startListening(self) -> None:
        """Bind and listen. CannotListenError if that fails; OverflowError for a port beyond 65535 (73)."""
        RESERVE.reserve()
        skt, self._preexistingSocket = self._preexistingSocket, None
        if skt is None:
            skt = self._bind()
        try:
            self._realPortNumber = self._place(skt)
            report.info(f"{self.logPrefix()} starting on {self._realPortNumber!r}")
            self.factory.doStart()
        except BaseException:  # there is no port, so nothing of it is to be left
            skt.close()
            self._realPortNumber = None
            self._unbind()
            raise
        self.socket = skt
        self.connected = True
        self.startReading()

    def _bind(self) -> socket.socket:
        """A new socket that listens; or an error, and nothing is left."""
        skt = None
        try:
            skt = self.createInternetSocket()
            self._binding.apply(skt)
            skt.listen(self.backlog)
        except BaseException as error:
            if skt is not None:
                skt.close()
            if not isinstance(error, OSError):
                raise
            raise CannotListenError(self.interface, self.port, error) from None
        return skt

    def _place(self, skt: socket.socket) -> Any:
        """Where this socket listens, for logs."""
        return skt.getsockname()[1]

    def _unbind(self) -> None:
        """The socket is closed: remove what else there was of it."""

    @property
    def sessionno(self) -> int:
        """How many connections there were: the number of the next one."""
        return self._session_number

    @sessionno.setter
    def sessionno(self, number: int) -> None:
        self._session_number = number

    def fileno(self) -> int:
        try:
            fd: int = self.socket.fileno()
        except AttributeError:  # it does not listen
            fd = -1
        return fd

    _buildAddr: Any = staticmethod(ip_address)

    doRead: Any = accept_for

    def loseConnection(self, connDone: Failure = CONNECTION_DONE) -> Any:
        """Stop listening. The Deferred fires on a later pass, when the port is closed (73)."""
        self.disconnecting = True
        self.stopReading()
        if not self.connected:
            return None
        if self.deferred is None:
            self.deferred = Deferred()
            self.reactor.callLater(0, self._stop, connDone)
        return self.deferred

    stopListening = loseConnection

    def drain(self, grace: float) -> Deferred:
        """Stop listening, and let the connections that this port has accepted come to their end by themselves.

        Those that are left after `grace` seconds are lost as by loseConnection, and aborted if that takes longer than a
        second more. The Deferred fires when the port is closed and all are over, with the number of those that did not
        end by themselves. It may be called again, with less patience. ValueError for a grace that is negative. Ours;
        Twisted has none.
        """
        if not grace >= 0:
            raise ValueError(f"grace is a number of seconds, not {grace!r}")
        if self._draining is None or self._draining.over:
            closed = self.stopListening()
            self._draining = Drain(self.reactor, self._connections, closed)
            if closed is None:  # else whoever is being accepted just now is drained too
                self._connections = Roster()
        return self._draining.within(grace)

    def _stop(self, reason: Failure) -> None:
        try:
            self.connectionLost(reason)
        except BaseException:  # an override's: whoever waits is told
            deferred, self.deferred = self.deferred, None
            if deferred is None:
                raise
            deferred.errback(Failure())

    def _logConnectionLostMsg(self) -> None:
        report.info(f"({self._type} Port {self._realPortNumber} Closed)")

    def connectionLost(self, reason: Failure) -> None:
        self._logConnectionLostMsg()
        if self._draining is not None and not self._draining.over:
            self._connections = Roster()  # for when it listens again
        self._realPortNumber = None
        self.disconnected, self.connected = True, False
        self.reactor.removeReader(self)
        deferred, self.deferred = self.deferred, None
        try:
            self.socket.close()
            del self.socket
            self._unbind()
            self.factory.doStop()
        except BaseException:
            if deferred is None:
                raise
            deferred.errback(Failure())
        else:
            self.disconnecting = False
            if deferred is not None:
                deferred.callback(None)

    def logPrefix(self) -> str:
        return self._getLogPrefix(self.factory)

    def getHost(self) -> Any:
        """The address that it listens on."""
        return self._buildAddr(self.socket.getsockname())

    def __repr__(self) -> str:
        where = "(not listening)" if self._realPortNumber is None else f"on {self._realPortNumber}"
        return f"<{self.__class__} of {self.factory.__class__} {where}>"
