"""What is at the end of a stream: the protocol that is told what happens to it, and the factory that made it.

Contract: twisted.internet.protocol.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from .. import report
from ..core.delayed import describe
from ..error import ConnectionDone
from ..failure import Failure

#: What a factory makes.
P = TypeVar("P")
_F = TypeVar("_F", bound="Factory[Any]")

#: A regular end, for who tells a protocol of one and has no reason at hand.
connectionDone = Failure(ConnectionDone())


class BaseProtocol:
    """What every protocol on a transport has."""

    #: 1 once there has been a connection; it stays so after the connection is lost (semantics 98).
    connected: int = 0
    #: What to write to; None before the connection is made. It stays set, too.
    transport: Any = None

    def makeConnection(self, transport: Any) -> None:
        """Take the transport and call connectionMade: what a transport does when it is connected."""
        self.connected = 1
        self.transport = transport
        self.connectionMade()

    def connectionMade(self) -> None:
        """The connection is there: override this to say the first word."""


class Protocol(BaseProtocol):
    """One side of a stream of bytes."""

    #: The factory that made this; set by buildProtocol.
    factory: Any = None

    def logPrefix(self) -> str:
        """What this is called in logs."""
        return self.__class__.__name__

    def dataReceived(self, data: bytes) -> None:
        """Some bytes have come, as many as one read gave: a message may come in parts, or many at once."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is over and nothing can be written any more. `reason` holds an error.ConnectionDone, or why
        else it ended; let go of what refers to this protocol."""


class Factory(Generic[P]):
    """Makes a protocol for each connection. Set `protocol` to a class, or override buildProtocol."""

    #: What buildProtocol calls.
    protocol: Callable[..., P] | None = None
    #: How many ports and connectors use it.
    numPorts: int = 0
    #: Whether starting and stopping is reported.
    noisy: bool = True

    @classmethod
    def forProtocol(cls: type[_F], protocol: Callable[..., Any], *args: Any, **kwargs: Any) -> _F:
        """A factory for `protocol`, made with the other arguments."""
        factory = cls(*args, **kwargs)
        factory.protocol = protocol
        return factory

    def logPrefix(self) -> str:
        """What this is called in logs."""
        return self.__class__.__name__

    def doStart(self) -> None:
        """A port or connector uses it now: the first calls startFactory."""
        if self.numPorts == 0:
            if self.noisy:
                report.info("Starting factory {factory!r}", factory=self)
            self.startFactory()
        self.numPorts += 1

    def doStop(self) -> None:
        """A port or connector is done with it: the last calls stopFactory. Nothing happens if none uses it."""
        if self.numPorts == 0:
            return
        self.numPorts -= 1
        if self.numPorts == 0:
            if self.noisy:
                report.info("Stopping factory {factory!r}", factory=self)
            self.stopFactory()

    def startFactory(self) -> None:
        """There will be connections: override this to open what they need."""

    def stopFactory(self) -> None:
        """There will be no new connections: override this to close it."""

    def buildProtocol(self, addr: Any) -> P | None:
        """A protocol for a connection with the peer at `addr`; None closes it. Its `factory` is set to this one.

        Raises AssertionError if `protocol` is not set.
        """
        if self.protocol is None:
            raise AssertionError(f"{describe(self)} has no protocol: set it, or override buildProtocol")
        made: Any = self.protocol()
        made.factory = self
        return made  # type: ignore[no-any-return]


class ServerFactory(Factory[P]):
    """A factory for connections that others begin."""


class ClientFactory(Factory[P]):
    """A factory for connections that we begin. A connector tells it what becomes of each attempt.

    The connector may be used again at once: `connector.connect()` in clientConnectionFailed or Lost (semantics 72).
    """

    def startedConnecting(self, connector: Any) -> None:
        """An attempt begins; `connector.stopConnecting()` ends it."""

    def clientConnectionFailed(self, connector: Any, reason: Failure) -> None:
        """The attempt failed; `reason` holds an error.ConnectError as a rule."""

    def clientConnectionLost(self, connector: Any, reason: Failure) -> None:
        """The connection is over; its protocol has been told already."""
