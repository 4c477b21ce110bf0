"""What tests of networking programs are made of.

Three ways, from the smallest part to the whole program:

- one protocol alone: connect it to a StringTransport, give it bytes, look at what it wrote;
- what a program asks of its reactor: a MemoryReactorClock notes it and does nothing;
- the program whole, with servers, clients, TLS and hours of timers: on a VirtualReactor.

The pytest plugin has the fixtures `reactor` and `virtual_reactor`. Contract: twisted.internet.testing, less
VirtualReactor and what belongs to it, which are ours.
"""

from __future__ import annotations

from .trying.memory import MemoryReactor, MemoryReactorClock, RaisingMemoryReactor
from .trying.protocols import (
    AccumulatingProtocol,
    EventLoggingObserver,
    LineSendingProtocol,
    waitUntilAllDisconnected,
)
from .trying.transports import (
    FakeDatagramTransport,
    NonStreamingProducer,
    StringIOWithoutClosing,
    StringTransport,
    StringTransportWithDisconnection,
)
from .trying.turning import NothingLeft
from .trying.virtual import VirtualReactor

__all__ = [
    "AccumulatingProtocol",
    "EventLoggingObserver",
    "FakeDatagramTransport",
    "LineSendingProtocol",
    "MemoryReactor",
    "MemoryReactorClock",
    "NonStreamingProducer",
    "NothingLeft",
    "RaisingMemoryReactor",
    "StringIOWithoutClosing",
    "StringTransport",
    "StringTransportWithDisconnection",
    "VirtualReactor",
    "waitUntilAllDisconnected",
]
