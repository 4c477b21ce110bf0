"""Streams under load: what is slow to read costs no memory, and what comes and goes leaves nothing behind."""

import os
import random
import socket
import struct
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import Any

import pytest
from tests.contract.parts import Reports
from tests.contract.streams import PATIENCE, ByContract, Makers, Net, Recorder, net

from torsion.contract import Reactor

SIZE = 1 << 30
PIECE = b"x" * 65_536
KERNEL = 1 << 20  # what the kernel may hold at either end; it doubles this
HELD = 4 * KERNEL + 4 * len(PIECE)
CONNECTIONS = 10_000
AT_ONCE = 300  # open together, with two descriptors each: within every usual limit


@pytest.fixture(params=[Reactor, ByContract], ids=["native", "contract"])
def kind(request: pytest.FixtureRequest) -> type[Reactor]:
    return request.param


class Pull:
    """Writes one piece whenever it is asked to."""

    streaming = False

    def __init__(self, transport: Any) -> None:
        self.transport, self.written = transport, 0

    def produce(self) -> None:
        self.transport.write(PIECE)
        self.written += len(PIECE)
        if self.written == SIZE:
            self.transport.unregisterProducer()
            self.transport.loseConnection()

    def resumeProducing(self) -> None:
        self.produce()

    def stopProducing(self) -> None:
        raise AssertionError("nobody ended the connection")


class Push(Pull):
    """Writes until it is told to pause."""

    streaming = True
    paused = False

    def pauseProducing(self) -> None:
        self.paused = True

    def resumeProducing(self) -> None:
        self.paused = False
        while not self.paused and self.written < SIZE:
            self.produce()


@pytest.mark.parametrize("make", [Pull, Push])
def test_a_reader_of_a_gibibyte_that_is_slow_costs_no_memory(kind: type[Reactor], reports: Reports, make: Any) -> None:
    """It reads a little, and only when the writer has come to a stop."""
    with net(kind) as here:
        protocol, peer = here.accept()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, KERNEL)
        protocol.transport.getHandle().setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL)
        producer = make(protocol.transport)
        protocol.transport.registerProducer(producer, producer.streaming)
        if producer.streaming:
            producer.resumeProducing()
        peer.setblocking(False)
        room = bytearray(512 * 1024)
        received = most = 0
        while received < SIZE or "lost" not in protocol.told:
            written = -1
            while written != producer.written:
                written = producer.written
                here.reactor.iterate(0)
            most = max(most, written - received)
            with suppress(BlockingIOError):
                count = peer.recv_into(room)
                assert count or received == SIZE, "the connection ended early"
                received += count
        assert producer.written == received == SIZE
        assert most <= HELD
        assert peer.recv(1) == b""


class Guest(Recorder):
    """Is known to the house while it is there."""

    def __init__(self, house: "House") -> None:
        super().__init__()
        self.house = house

    def makeConnection(self, transport: Any) -> None:
        super().makeConnection(transport)
        self.house.here.append(self)

    def connectionLost(self, reason: Any) -> None:
        assert self.told == ["made"]
        super().connectionLost(reason)
        self.house.here.remove(self)
        self.house.left += 1


class House(Makers):
    def __init__(self) -> None:
        super().__init__()
        self.here: list[Guest] = []
        self.left = 0

    def buildProtocol(self, address: Any) -> Guest:
        return Guest(self)


def drop(peer: socket.socket, act: float) -> None:
    """In one of the ways in which peers go away."""
    if act < 0.2:
        with suppress(OSError):  # the house may have shown it out
            peer.send(b"x" * 1000)
    if act < 0.6:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def come_and_go(here: Net, connections: int, at_once: int) -> None:
    chance = random.Random(connections)
    house = House()
    port = here.reactor.listenTCP(0, house, backlog=at_once, interface="127.0.0.1")
    address = ("127.0.0.1", port.getHost().port)
    peers: list[socket.socket] = []
    before = len(os.listdir("/proc/self/fd"))
    for number in range(connections):
        peers.append(socket.create_connection(address, timeout=PATIENCE))
        if len(peers) == at_once:
            chance.shuffle(peers)
            for _ in range(chance.randrange(at_once // 2, at_once)):
                drop(peers.pop(), chance.random())
            assert len(os.listdir("/proc/self/fd")) <= before + 2 * at_once
        if house.here and chance.random() < 0.2:
            transport = chance.choice(house.here).transport
            transport.write(b"y" * 1000)
            chance.choice([transport.loseConnection, transport.abortConnection])()
        if number % 4 == 0:
            here.reactor.iterate(0)
    for peer in peers:
        drop(peer, chance.random())
    here.until(lambda: house.left == connections)
    here.turns()
    assert house.here == []
    assert len(os.listdir("/proc/self/fd")) == before
    port.stopListening()
    here.turns()


def test_ten_thousand_connections_opened_and_dropped_at_random_leave_nothing_behind(
    kind: type[Reactor], reports: Reports, no_leaks: Callable[[], AbstractContextManager[None]]
) -> None:
    def work(connections: int, at_once: int) -> None:
        with net(kind) as here:
            come_and_go(here, connections, at_once)

    work(100, 20)  # what fills caches
    with no_leaks():
        work(CONNECTIONS, AT_ONCE)
