"""One client, connection after connection: where its attempt stands, and what its factory is told (semantics 70-72).

A connector is disconnected, connecting or connected. Its transport reports how the attempt ended, and later that the
connection is lost; the factory may call connect() again inside of either, and only if it has not is it stopped.
"""

from __future__ import annotations

from typing import Any

from .. import report
from ..core.delayed import DelayedCall, describe
from ..error import NotConnectingError, TimeoutError, UserError
from ..failure import Failure

DISCONNECTED, CONNECTING, CONNECTED = "disconnected", "connecting", "connected"


class BaseConnector:
    """What the connectors of all kinds of sockets have in common; a subclass makes transports.

    Contract: IConnector. The reactor's thread only.
    """

    transport: Any = None
    factoryStarted = 0
    timeoutID: DelayedCall | None = None

    def __init__(self, factory: Any, timeout: float | None, reactor: Any) -> None:
        """``timeout`` in seconds for each attempt; None lets the system decide. TypeError, ValueError if it is neither:
        once an attempt has begun it would be too late."""
        try:
            if timeout is not None and not timeout >= 0:
                raise ValueError(f"timeout must be 0 seconds or more, not {timeout!r}")
        except TypeError:
            raise TypeError(f"timeout is a number of seconds or None, not {timeout!r}") from None
        self.state = DISCONNECTED
        self.reactor = reactor
        self.factory = factory
        self.timeout = timeout

    def __repr__(self) -> str:
        cls = type(self)
        where = self.getDestination()
        return f"<{cls.__module__}.{cls.__qualname__} instance at {id(self):#x} {self.state} {where}>"

    def _makeTransport(self) -> Any:
        """A new transport that has begun to connect, and has failIfNotConnected(error) and loseConnection()."""
        raise NotImplementedError(f"{type(self).__qualname__} does not say how to make a transport")

    def getDestination(self) -> Any:
        """The address that it connects to."""
        raise NotImplementedError(f"{type(self).__qualname__} does not know where it connects to")

    def connect(self) -> None:
        """Begin an attempt. RuntimeError unless disconnected."""
        if self.state != DISCONNECTED:
            raise RuntimeError(f"cannot connect now: this connector is {self.state}")
        self.state = CONNECTING
        try:
            if not self.factoryStarted:
                self.factory.doStart()
                self.factoryStarted = 1
            self.transport = transport = self._makeTransport()
        except BaseException:  # nothing has begun
            self.state = DISCONNECTED
            if self.factoryStarted:
                self.factoryStarted = 0
                self.factory.doStop()
            raise
        if self.timeout is not None:
            self.timeoutID = self.reactor.callLater(self.timeout, transport.failIfNotConnected, TimeoutError())
        self.factory.startedConnecting(self)

    def disconnect(self) -> None:
        """End the attempt, or close the connection. Nothing happens when disconnected."""
        if self.state == CONNECTING:
            self.stopConnecting()
        elif self.state == CONNECTED:
            self.transport.loseConnection()

    def stopConnecting(self) -> None:
        """End the attempt: it fails with UserError before this returns. NotConnectingError if there is none."""
        if self.state != CONNECTING:
            raise NotConnectingError(f"nothing to stop: this connector is {self.state}")
        self.state = DISCONNECTED
        transport, self.transport = self.transport, None
        transport.failIfNotConnected(UserError())

    def cancelTimeout(self) -> None:
        """Let the attempt take as long as it takes."""
        timeout, self.timeoutID = self.timeoutID, None
        if timeout is not None and timeout.active():
            timeout.cancel()

    def buildProtocol(self, addr: Any) -> Any:
        """The transport is connected to ``addr``: the protocol for it, or None. Raises what the factory does."""
        self.state = CONNECTED
        self.cancelTimeout()
        return self.factory.buildProtocol(addr)

    def connectionFailed(self, reason: Failure) -> None:
        """The transport did not connect."""
        self.cancelTimeout()
        self.transport = None
        self._ended(self.factory.clientConnectionFailed, reason)

    def connectionLost(self, reason: Failure) -> None:
        """The transport was connected and is no longer."""
        self._ended(self.factory.clientConnectionLost, reason)

    def _ended(self, tell: Any, reason: Failure) -> None:
        self.state = DISCONNECTED
        try:
            tell(self, reason)
        except BaseException:  # the factory is to be stopped all the same (67)
            report.failure(f"Unhandled error in {describe(tell)}", Failure())
        if self.state == DISCONNECTED and self.factoryStarted:
            self.factoryStarted = 0
            self.factory.doStop()
