"""Private names of `twisted.protocols.tls` that Twisted's own modules and tests use."""

from collections.abc import Callable
from typing import Any

from twisted.internet._producer_helpers import _PullToPush

from torsion import reactors
from torsion.failure import Failure
from torsion.net.tls import life
from torsion.net.tls.factory import TLSMemoryBIOFactory
from torsion.net.tls.producers import Membrane as _ProducerMembrane
from torsion.net.tls.transport import TLSMemoryBIOProtocol

__all__ = [
    "BufferingTLSTransport",
    "SomeConnectionCreator",
    "_AggregateSmallWrites",
    "_ProducerMembrane",
    "_PullToPush",
    "_get_default_clock",
]

#: A type: whatever makes connections.
SomeConnectionCreator = Any

#: Ours joins small writes, always.
BufferingTLSTransport = TLSMemoryBIOProtocol

_get_default_clock = reactors.current


class _AggregateSmallWrites:
    """Joins what is written until time passes, or until it is more than 64,000 bytes."""

    MAX_BUFFER_SIZE = 64_000

    def __init__(self, write: Callable[[bytes], object], clock: Any) -> None:
        self._write, self._clock = write, clock
        self._waiting: list[bytes] = []
        self._call: Any = None

    def write(self, data: bytes) -> None:
        self._waiting.append(data)
        if sum(map(len, self._waiting)) > self.MAX_BUFFER_SIZE:
            self.flush()
        elif self._call is None:
            self._call = self._clock.callLater(0, self._due)

    def _due(self) -> None:
        self._call = None
        self.flush()

    def flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._write(b"".join(waiting))


def _connection(self: Any) -> Any:
    return self.getHandle()


def _replace_connection(self: Any, connection: Any) -> None:
    self._layer._tls.use(connection)


def _tlsShutdownFinished(self: Any, reason: Failure | None) -> None:
    self._layer._reason = reason
    self._layer._state = life.ENDED
    self.transport.loseConnection()


_factory: Any = TLSMemoryBIOFactory
_factory._creatorCallable = property(lambda self: lambda protocol: self.make_engine(protocol).handle())
_ours: Any = TLSMemoryBIOProtocol
_ours._producer = property(lambda self: self._layer._producer)
_ours._tlsConnection = property(_connection, _replace_connection)
_ours._tlsShutdownFinished = _tlsShutdownFinished
_ours._pump = staticmethod(lambda producer, consumer, call_later: _PullToPush(producer, consumer))
