"""A port for datagrams: how it opens, whom it tells, how it closes. What its addresses are, its subclasses say.

These are classes of Python over the compiled core (datagram.py), as programs subclass them and set attributes.
"""

from __future__ import annotations

import socket
from typing import Any

from .. import report
from ..core.deferred import Deferred
from ..engine.turn import Engine
from ..failure import Failure
from .datagram import Datagrams
from .descriptor import CONNECTION_DONE
from .filedescriptor import BasePort

# A class that replaces one of these opens or reads by itself; `on_ready` would pass it by.
OWN_WAYS = ("_bindSocket", "doRead", "fileno", "startReading", "stopReading")
_native_classes: dict[type, bool] = {}


def engine_of(reactor: Any, kind: type, skt: Any) -> Engine | None:
    """The engine that drives such a port natively; None where the contract's methods must be used."""
    engine = getattr(reactor, "engine", None)
    if not isinstance(engine, Engine) or not engine.carries_streams or skt.__class__ is not socket.socket:
        return None
    native = _native_classes.get(kind)
    if native is None:
        native = _native_classes[kind] = all(getattr(kind, name) is getattr(DatagramPort, name) for name in OWN_WAYS)
    return engine if native else None


class DatagramPort(Datagrams, BasePort):
    """A socket for datagrams, and its protocol. May be opened again when it was closed. Contract: IListeningPort."""

    socketType: Any = socket.SOCK_DGRAM
    _type = "UDP"
    _realPortNumber: Any = None
    _preexistingSocket: Any = None
    logstr: Any = "-"
    deferred: Deferred | None = None

    def __init__(self, protocol: Any, maxPacketSize: int, reactor: Any = None) -> None:
        """Longer datagrams than ``maxPacketSize`` bytes are cut. TypeError, ValueError if that is no size."""
        super().__init__(reactor)
        if maxPacketSize < 0:
            raise ValueError(f"maxPacketSize is a number of bytes, not {maxPacketSize!r}")
        self._protocol, self.maxPacketSize = protocol, maxPacketSize
        self.setLogStr()

    @property
    def socket(self) -> Any:
        """The socket. AttributeError while there is none: before it is open, and after it was closed (98)."""
        return self._socket_object()

    @socket.setter
    def socket(self, skt: Any) -> None:
        """Use this socket, with the driver that fits."""
        engine = engine_of(self.reactor, self.__class__, skt)
        self._family = self.addressFamily
        self._attach(-1 if engine is None else skt.fileno(), skt, engine)

    @socket.deleter
    def socket(self) -> None:
        self._socket = None

    def getHandle(self) -> Any:
        """The socket object. Contract: ISystemHandle."""
        return self.socket

    def bound_socket(self) -> Any:
        """A new socket, bound. Raises CannotListenError, and has closed the socket, if that fails."""
        raise NotImplementedError(f"{type(self).__qualname__} does not say how it is bound")

    def startListening(self) -> None:
        """Bind, have the protocol start, and receive. CannotListenError if it cannot be bound.

        Whatever startProtocol raises comes from here too, and the port is closed then.
        """
        if self.connected:
            raise AssertionError(f"{self!r} is open already")
        self._bindSocket()
        self._connectToProtocol()

    # Steps of it, under the names that the contract's subclasses know.

    def _bindSocket(self) -> None:
        skt, self._preexistingSocket = self._preexistingSocket, None
        if skt is None:
            skt = self.bound_socket()
        self._realPortNumber = self.number_of(skt)
        report.info(f"{self._getLogPrefix(self._protocol)} starting on {self._realPortNumber}")
        self.connected, self.disconnected = 1, 0
        self.socket = skt

    def _connectToProtocol(self) -> None:
        try:
            self._protocol.makeConnection(self)
        except BaseException:
            self.connected, self._realPortNumber = 0, None
            self._close_socket()
            if getattr(self._protocol, "transport", None) is self:
                self._protocol.transport = None
            raise
        if self.connected and not self.disconnecting:
            self.startReading()

    def number_of(self, skt: Any) -> Any:
        """What it is called by in reports and its repr."""
        return skt.getsockname()

    def stopListening(self) -> Deferred | None:
        """Close it. The Deferred fires with None on a later pass, when the protocol has been stopped (76).

        None if it is not open. Nothing more is delivered from now on.
        """
        if not self.connected:
            return None
        deferred = self.deferred
        if deferred is None:
            deferred = self.deferred = Deferred()
            self.disconnecting = 1
            self.stopReading()
            self.reactor.callLater(0, self._stop)
        return deferred

    def loseConnection(self) -> Any:
        """The same. Contract: ITransport."""
        return self.stopListening()

    def _stop(self) -> None:
        if not self.connected:
            return
        try:
            self.connectionLost(CONNECTION_DONE)
        except BaseException:  # an override's
            if not self._tell_who_waits(Failure()):
                raise
        self._tell_who_waits(None)  # an override may not have

    def _tell_who_waits(self, result: Any) -> bool:
        """Fire the Deferred of stopListening; False if there is none."""
        deferred, self.deferred = self.deferred, None
        if deferred is not None:
            deferred.callback(result)  # a Failure too
        return deferred is not None

    def connectionLost(self, reason: Failure | None = None) -> None:
        """It is over: close the socket, stop the protocol, tell who waits. In this order."""
        if not self.connected:
            return
        report.info(f"({self._type} Port {self._realPortNumber} Closed)")
        self._realPortNumber = None
        self.connected, self.disconnected, self.disconnecting = 0, 1, 0
        self.reactor.removeReader(self)
        self._close_socket()
        self._connectedAddr = None
        try:
            self._protocol.doStop()
        except BaseException:
            if not self._tell_who_waits(Failure()):
                raise
        self._tell_who_waits(None)

    def setLogStr(self) -> None:
        """Note under which name its events are logged (44)."""
        self.logstr = f"{self._getLogPrefix(self._protocol)} ({self._type})"

    def logPrefix(self) -> str:
        return str(self.logstr)

    def __repr__(self) -> str:
        where = "not connected" if self._realPortNumber is None else f"on {self._realPortNumber}"
        return f"<{self._protocol.__class__} {where}>"
