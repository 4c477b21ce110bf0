"""Protocols that note what they are told, and who collects the events of a log. Contract: twisted.internet.testing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, overload

from ..core.deferred import Deferred
from ..protocol import Protocol
from ..protocols.basic import LineReceiver
from ..task import LoopingCall

PAUSE = 0.01
"""How often waitUntilAllDisconnected looks, in seconds."""


class AccumulatingProtocol(Protocol):
    """Keeps what it receives in `data`; `made` and `closed` count, `closedReason` is the Failure at the end.

    A factory may have a Deferred `protocolConnectionMade`, which fires with the protocol when it is connected, and the
    protocol one, `closedDeferred`, which fires when the connection is lost.
    """

    made = closed = 0
    closedReason: Any = None
    closedDeferred: Deferred | None = None
    data = b""
    factory: Any = None

    def connectionMade(self) -> None:
        self.made += 1
        waiting = getattr(self.factory, "protocolConnectionMade", None)
        if waiting is not None:
            self.factory.protocolConnectionMade = None
            waiting.callback(self)

    def dataReceived(self, data: bytes) -> None:
        self.data += data

    def connectionLost(self, reason: Any = None) -> None:
        self.closed += 1
        self.closedReason = reason
        waiting, self.closedDeferred = self.closedDeferred, None
        if waiting is not None:
            waiting.callback(None)


class LineSendingProtocol(LineReceiver):
    """Sends lines when it is connected, or at the first line it receives (not `start`); keeps those in `response`."""

    lostConn = False

    def __init__(self, lines: Iterable[bytes], start: bool = True) -> None:
        self.lines = list(lines)
        self.response: list[bytes] = []
        self.start = start

    def connectionMade(self) -> None:
        if self.start:
            self._send_lines()

    def lineReceived(self, line: bytes) -> None:
        if not self.start:
            self._send_lines()
            self.lines = []
        self.response.append(line)

    def connectionLost(self, reason: Any = None) -> None:
        self.lostConn = True

    def _send_lines(self) -> None:
        for line in self.lines:
            self.sendLine(line)


def waitUntilAllDisconnected(reactor: Any, protocols: Sequence[Any]) -> Deferred:
    """A Deferred that fires when the transport of none of these protocols is `connected` any more.

    `reactor` gives the time: it is looked every hundredth of a second.
    """

    def look() -> None:
        if not any(protocol.transport.connected for protocol in protocols):
            looking.stop()

    looking = LoopingCall(look)
    looking.clock = reactor
    over = looking.start(PAUSE, now=True)
    over.addCallback(lambda result: None)
    return over


class EventLoggingObserver(Sequence[Any]):
    """Collects the events of a log (of twisted.logger): it is a sequence of them. Contract: ILogObserver."""

    def __init__(self) -> None:
        self._events: list[Any] = []

    def __call__(self, event: Any) -> None:
        self._events.append(event)

    def __len__(self) -> int:
        return len(self._events)

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        return self._events[index]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._events)

    @classmethod
    def createWithCleanup(cls, testInstance: Any, publisher: Any) -> EventLoggingObserver:
        """One that observes `publisher` until the test is over: `testInstance` has unittest's addCleanup."""
        observer = cls()
        publisher.addObserver(observer)
        remove: Callable[[], object] = lambda: publisher.removeObserver(observer)  # noqa: E731
        testInstance.addCleanup(remove)
        return observer
