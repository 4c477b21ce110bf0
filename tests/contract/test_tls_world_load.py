"""TLS in quantity: many idle connections, many at once, and a peer that reads slowly."""

import hashlib
import resource
import socket
import ssl
import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.certificates import certificates
from tests.contract.parts import Reports
from tests.contract.streams import Makers, Net, Recorder, net
from tests.contract.tls_world import HOST, Peer, Server, accept_tls, client_options, connected, over_tls, server_options

from torsion.contract import Reactor
from torsion.error import ConnectionDone, ConnectionLost
from torsion.protocols.tls import HandshakeTimeout

SILENT = 10_000
SHAKEN = 1_000
MEBIBYTE = 1 << 20


@pytest.fixture
def here(reports: Reports) -> Iterator[Net]:
    with net(Reactor) as made:
        yield made


def descriptors_for(connections: int) -> int:
    """How many connections this process may hold, both ends of each; `connections` if it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * connections + 200
    if soft < wanted:
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
        )
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return min(connections, (soft - 200) // 2)


def test_connections_that_say_nothing_are_held_and_all_dropped_when_their_time_is_over(here: Net) -> None:
    count = descriptors_for(SILENT)
    assert count >= 1000
    server = Server(here, options=server_options(), timeout=3600)
    peers = []
    try:
        for _ in range(count):
            peers.append(socket.create_connection((HOST, server.port)))
            if len(peers) % 50 == 0:
                here.reactor.iterate(0)
        here.until(lambda: len(server.factory.built) == count)
        # Each has one timer; a busy one among them is served.
        assert len(here.reactor.getDelayedCalls()) == count
        talk = Peer(over_tls, server.port, lambda skt: skt.version(), certificates().client_context())
        here.until(talk.done)
        assert talk.result == "TLSv1.3"
        for call in here.reactor.getDelayedCalls():
            call.reset(0)
        here.until(lambda: all(each.reasons for each in server.factory.built))
        assert {type(each.reasons[0]) for each in server.factory.built[:count]} == {HandshakeTimeout}
    finally:
        for peer in peers:
            peer.close()
    server.close()


def test_a_thousand_idle_connections_are_held_and_each_still_answers(here: Net) -> None:
    count = descriptors_for(SHAKEN)
    assert count == SHAKEN
    server = Server(here)
    options = client_options()
    clients = Makers()
    for _ in range(count):
        here.reactor.connectSSL(HOST, server.port, clients, options, timeout=None)
    here.until(lambda: len(clients.built) == count)
    here.until(lambda: len(server.factory.built) == count)
    for each in clients.built:
        each.transport.write(b"still there?")
    here.until(lambda: all(each.received == b"still there?" for each in server.factory.built))
    for each in server.factory.built:
        each.transport.write(b"yes")
        each.transport.loseConnection()
    here.until(lambda: all(each.reasons for each in clients.built + server.factory.built))
    assert all(each.received == b"yes" for each in clients.built)
    assert {type(each.reasons[0]) for each in clients.built + server.factory.built} == {ConnectionDone}
    server.close()


def resident() -> int:
    """How much memory this process has, in bytes."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


class Source:
    """A push producer of `size` bytes that notes how far it was ahead of the peer."""

    def __init__(self, transport: Any, size: int) -> None:
        self.transport, self.left = transport, size
        self.piece = bytes(range(256)) * 256
        self.digest = hashlib.sha256()
        self.paused = False
        self.pauses = 0

    def pauseProducing(self) -> None:
        self.paused = True
        self.pauses += 1

    def resumeProducing(self) -> None:
        self.paused = False
        while self.left and not self.paused:
            self.digest.update(self.piece)
            self.left -= len(self.piece)
            self.transport.write(self.piece)
        if not self.left:
            self.transport.unregisterProducer()
            self.transport.loseConnection()

    def stopProducing(self) -> None:
        self.left = 0


def slow_reading(skt: ssl.SSLSocket) -> str:
    """The digest of all that comes; the first reads wait for each other, so that everything before is full."""
    digest, reads = hashlib.sha256(), 0
    skt.sendall(b"go")
    while data := skt.recv(65536):
        digest.update(data)
        reads += 1
        if reads < 40:
            time.sleep(0.005)
    skt.unwrap()
    return digest.hexdigest()


@pytest.mark.parametrize("side", ["server", "client"])
def test_a_slow_reader_of_100_mebibytes_gets_them_all_and_costs_no_memory(here: Net, side: str) -> None:
    protocol = Recorder()
    sources: list[Source] = []

    def go(data: bytes) -> None:
        source = Source(protocol.transport, 100 * MEBIBYTE)
        sources.append(source)
        protocol.transport.registerProducer(source, True)
        source.resumeProducing()

    protocol.on_data = go
    before = most = resident()
    if side == "server":
        server = Server(here, protocol)
        peer = Peer(over_tls, server.port, slow_reading, certificates().client_context())
    else:
        listener = here.opened(socket.create_server((HOST, 0)))
        peer = Peer(accept_tls, listener, slow_reading, certificates().server.server_context())
        connected(here, listener.getsockname()[1], client_options(), protocol)
    deadline = time.monotonic() + 60
    while not peer.done():
        assert time.monotonic() < deadline
        here.reactor.iterate(0.02)
        most = max(most, resident())
    (source,) = sources
    assert peer.result == source.digest.hexdigest() and not source.left
    assert source.pauses > 50
    assert most - before < 20 * MEBIBYTE
    here.until(lambda: protocol.reasons)
    assert type(protocol.reasons[0]) is ConnectionDone


def test_a_peer_that_never_reads_can_be_given_up(here: Net) -> None:
    protocol = Recorder()
    server = Server(here, protocol)
    peer = Peer(over_tls, server.port, lambda skt: (skt.sendall(b"go"), stop.recv(1)), certificates().client_context())
    stop, end = socket.socketpair()

    def flood(data: bytes) -> None:
        protocol.transport.write(b"x" * (8 * MEBIBYTE))
        protocol.transport.loseConnection()

    protocol.on_data = flood
    here.until(lambda: protocol.received)
    for _ in range(20):
        here.reactor.iterate(0.005)
    assert protocol.reasons == []
    protocol.transport.abortConnection()
    here.until(lambda: protocol.reasons)
    assert type(protocol.reasons[0]) is ConnectionLost
    end.close()
    here.until(peer.done)
    stop.close()
    server.close()
