"""TCP connections that this side makes: look the name up, connect, and become a stream; or fail, once.

Every attempt begins on a later pass and ends there too, so that who called connectTCP has what it returns by then (70).
While it connects, a client is an ordinary reader and writer of its reactor, whose doRead and doWrite are doConnect;
then it is given to the driver that it will have as a stream.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from errno import EALREADY, EINPROGRESS, EISCONN, EWOULDBLOCK
from typing import Any

from .. import report
from ..address import IPv4Address, IPv6Address
from ..core.deferred import Deferred
from ..error import ConnectBindError, ConnectError, ServiceNameUnknownError, UserError, getConnectError
from ..failure import Failure
from .binding import for_connecting, resolve_ipv6
from .connector import BaseConnector
from .filedescriptor import isIPAddress, isIPv6Address
from .sockaddr import ip_address
from .stream import Stream
from .tcp import Connection

NUMERIC_ONLY = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
UNDER_WAY = (EWOULDBLOCK, EINPROGRESS, EALREADY)


class Unserved:
    """The protocol of a connection that its factory had none for: it is being closed (72)."""

    def dataReceived(self, data: bytes) -> None:
        """Nobody waits for this."""

    def connectionLost(self, reason: Failure) -> None:
        """It is closed."""


class BaseClient(Connection):
    """A socket that is to be connected to `addr`, for a connector."""

    socketType = socket.SOCK_STREAM
    connector: Any = None
    addr: Any = None
    realAddress: Any = None
    _requiresResolution = False
    _lookup: Deferred | None = None

    def _finishInit(self, whenDone: Callable[[], object] | None, skt: Any, error: Any, reactor: Any) -> None:
        """Call `whenDone` on a later pass, with the socket; or, if there is none, fail with `error` then."""
        Stream.__init__(self, reactor)
        if whenDone is None:
            reactor.callLater(0, self.failIfNotConnected, error)
            return
        self._attach(skt.fileno(), skt, None)
        reactor.callLater(0, whenDone)

    def createInternetSocket(self) -> socket.socket:
        skt = socket.socket(self.addressFamily, self.socketType)
        skt.setblocking(False)
        return skt

    def resolveAddress(self) -> None:
        """Look the name up, unless it is an address."""
        if not self._requiresResolution:
            self._setRealAddress(self.addr)
            return
        self._lookup = found = self.reactor.resolve(self.addr[0])
        found.addCallback(lambda host: self._setRealAddress((host, *self.addr[1:])))
        found.addErrback(self.failIfNotConnected)
        found.addBoth(self._looked_up)

    def _looked_up(self, result: object) -> None:
        self._lookup = None

    def _setRealAddress(self, address: Any) -> None:
        if self.addressFamily == socket.AF_INET6:
            try:
                host, _ = socket.getnameinfo(address, NUMERIC_ONLY)  # with its scope
            except (OSError, OverflowError, TypeError, ValueError) as error:  # the last three: a port that is none
                self.failIfNotConnected(error)
                return
            address = host, *address[1:]
        self.realAddress = address
        self.doConnect()

    def doConnect(self) -> None:
        """Begin to connect, or see what has become of it."""
        if self.connector is None or self._socket is None:
            return  # given up meanwhile
        skt = self.socket
        # The error first: a second connect_ex would begin another attempt after one that failed (70).
        error = skt.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if not error:
            try:
                error = skt.connect_ex(self.realAddress)
            except OSError as raised:
                if raised.errno is None:  # the standard library's own: a path that is too long for a UNIX socket
                    self.failIfNotConnected(ConnectError(string=raised))
                    return
                error = raised.errno
            except (OverflowError, TypeError, ValueError) as raised:  # no address, or none for the network
                raised.add_note(f"on connecting to {self.realAddress!r}")  # its arguments are the contract's
                self.failIfNotConnected(raised)
                return
        if error in UNDER_WAY:
            self._await_connection()
        elif error and error != EISCONN:
            self.failIfNotConnected(getConnectError((error, os.strerror(error))))
        else:
            self._stopReadingAndWriting()
            try:
                self._connectDone()
            except BaseException as raised:
                report.failure(f"Unhandled error while {self!r} was connected", Failure())
                self.connectionLost(Failure(raised))

    def _await_connection(self) -> None:
        """It is under way: look again when the kernel says so."""
        self.doRead = self.doWrite = self.doConnect
        self.startReading()
        self.startWriting()

    def _stopReadingAndWriting(self) -> None:
        self.stopReading()
        self.stopWriting()
        self.__dict__.pop("doRead", None)
        self.__dict__.pop("doWrite", None)

    def _connectDone(self) -> None:
        """Connected: the factory's protocol has it now (72)."""
        self._attach(self.fileno(), self._socket, self._driver(self._socket))
        protocol = self.connector.buildProtocol(self.getPeer())
        if protocol is None:
            self._served = Unserved()
            self.connected = 1
            self.loseConnection()
            return
        self.logstr = self._getLogPrefix(protocol) + ",client"
        self._open(protocol)
        protocol.makeConnection(self)

    def failIfNotConnected(self, err: Any) -> None:
        """The attempt is over, because of this error (an exception or a Failure), unless it is over already."""
        connector, self.connector = self.connector, None
        if connector is None or self.connected or self.disconnected:
            self.connector = connector
            return
        if self._socket is not None:
            self._stopReadingAndWriting()
            self._close_stream(False)
        lookup, self._lookup = self._lookup, None
        if lookup is not None:
            lookup.cancel()  # nobody waits for the address any more
        connector.connectionFailed(Failure(err))

    def stopConnecting(self) -> None:
        """Give the attempt up."""
        self.failIfNotConnected(UserError())

    def connectionLost(self, reason: Failure) -> None:
        if not self.connected:
            self.failIfNotConnected(ConnectError(string=reason))
            return
        connector, self.connector = self.connector, None
        try:
            Connection.connectionLost(self, reason)
        finally:
            if connector is not None:
                connector.connectionLost(reason)


class Client(BaseClient):
    """The connecting end of a TCP connection."""

    def __init__(self, host: str, port: int, bindAddress: Any, connector: Any, reactor: Any = None) -> None:
        self.connector = connector
        self.addr = host, port
        if isIPv6Address(host):
            self.addressFamily = socket.AF_INET6
            self.addr = resolve_ipv6(host, port)
        else:
            self._requiresResolution = not isIPAddress(host)
        skt = None
        try:
            skt = self.createInternetSocket()
            binding = for_connecting(bindAddress)
            if binding is not None:
                binding.apply(skt)
        except BaseException as error:
            if skt is not None:
                skt.close()
            if not isinstance(error, OSError):
                raise  # no address at all
            self._finishInit(None, None, ConnectBindError(error.errno, error.strerror), reactor)
        else:
            self._finishInit(self.resolveAddress, skt, None, reactor)

    def getPeer(self) -> Any:
        """The address that it connected to, also after the end."""
        return ip_address(self.realAddress)

    def __repr__(self) -> str:
        name = f"{self.__class__.__module__}.{self.__class__.__qualname__}"
        return f"<<class {name!r}> to {self.addr} at {id(self):x}>"


class Connector(BaseConnector):
    """Makes a client's connection, and makes it again if asked. Contract: IConnector."""

    def __init__(
        self, host: str, port: int | str, factory: Any, timeout: float | None, bindAddress: Any, reactor: Any = None
    ) -> None:
        """A port may be the name of a service. ServiceNameUnknownError if the system does not know it (70, 71)."""
        if isinstance(port, str):
            try:
                port = socket.getservbyname(port, "tcp")
            except OSError as error:
                raise ServiceNameUnknownError(string=f"{error} ({port!r})") from None
        self.host, self.port, self.bindAddress = host, port, bindAddress
        super().__init__(factory, timeout, reactor)

    def _makeTransport(self) -> Client:
        return Client(self.host, self.port, self.bindAddress, self, self.reactor)

    def getDestination(self) -> IPv4Address | IPv6Address:
        """Where it connects to, as it was asked to: the host may be a name."""
        kind = IPv6Address if isIPv6Address(self.host) else IPv4Address
        return kind("TCP", self.host, self.port)
