"""Damaged TLS: whatever comes from the peer, an engine and the layer above it never hang, and raise what they should.

Two sides talk through a network that damages, loses, doubles and cuts off what they send; or one side hears noise.
Never may an application get bytes that its peer did not write, in the order in which it wrote them.
"""

import random
import ssl
from typing import Any

from _fuzzing import damaged, run, split
from tests.certificates import certificates

from torsion.error import ConnectionClosed, ConnectionDone
from torsion.failure import Failure
from torsion.net.tls.engine import TLSEngine
from torsion.net.tls.standard import StandardEngine
from torsion.protocols.tls import Settings, TLSMemoryBIOFactory
from torsion.task import Clock

try:
    from OpenSSL import SSL

    from torsion.net.tls.openssl import OpenSSLEngine
except ImportError:
    SSL = None

ERRORS: tuple[type[Exception], ...] = (ssl.SSLError, *([SSL.Error] if SSL else []))
TEXT = bytes(range(256)) * 300
ROUNDS = 12

SERVER, CLIENT = certificates().server.server_context(), certificates().client_context()
SERVER_1_2 = certificates().server.server_context()
SERVER_1_2.maximum_version = ssl.TLSVersion.TLSv1_2


class Network:
    """Carries bytes, and damages some."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        # Most conversations get past the handshake, so that what comes after is tried as well.
        self.trouble = chance.choice([0.0, 0.02, 0.1, 0.5])

    def carry(self, data: bytes) -> list[bytes]:
        if data and self.chance.random() < self.trouble:
            data = damaged(data, self.chance)
        return split(data, self.chance)


# Engines


class Side:
    """An engine, and the application above it."""

    def __init__(self, engine: TLSEngine) -> None:
        self.engine = engine
        self.shaken = self.failed = False
        self.written, self.received = b"", b""

    def hear(self, data: bytes) -> None:
        self.engine.feed(data)
        self.go_on(self._hear)

    def _hear(self) -> None:
        if not self.shaken:
            if not self.engine.handshake():
                return
            self.engine.verify()
            self.shaken = True
        while (data := self.engine.read()) is not None:
            assert data, "an engine reads nothing by None"
            self.received += data

    def say(self, data: bytes) -> None:
        if self.shaken:
            self.go_on(lambda: self._say(data))

    def _say(self, data: bytes) -> None:
        taken = self.engine.write(data)
        assert 0 <= taken <= len(data)
        self.written += data[:taken]

    def go_on(self, act: Any) -> None:
        if self.failed:
            return
        try:
            act()
        except ERRORS:
            self.failed = True


def standard(server_side: bool, chance: random.Random) -> TLSEngine:
    if server_side:
        return StandardEngine(Settings(chance.choice([SERVER, SERVER_1_2])), True)
    return StandardEngine(Settings(CLIENT, "localhost"), False)


def of_openssl(server_side: bool, chance: random.Random) -> TLSEngine:
    context = SSL.Context(SSL.TLS_METHOD)
    if server_side:
        context.use_certificate_file(str(certificates().server.certificate))
        context.use_privatekey_file(str(certificates().server.key))
    connection = SSL.Connection(context, None)
    (connection.set_accept_state if server_side else connection.set_connect_state)()
    return OpenSSLEngine(connection, server_side)


def engines(chance: random.Random) -> None:
    make = chance.choice([standard, standard, of_openssl]) if SSL else standard
    client, server = (Side(make(server_side, chance)) for server_side in (False, True))
    network = Network(chance)
    client.go_on(client.engine.handshake)
    for _ in range(ROUNDS):
        for side, other in ((client, server), (server, client)):
            if chance.random() < 0.5:
                side.say(TEXT[: chance.choice([1, 100, 16384, 16385, 50_000])])
            elif chance.random() < 0.05 and side.shaken:
                side.go_on(side.engine.close)
            for piece in network.carry(side.engine.outgoing()):
                other.hear(piece)
    check(client.written, server.received)
    check(server.written, client.received)


def noise(chance: random.Random) -> None:
    """One side hears what is no TLS, or hardly."""
    side = Side(standard(chance.random() < 0.5, chance))
    for _ in range(chance.randrange(1, 8)):
        head = bytes([chance.choice([20, 21, 22, 23, 24, 0x80, 0]), 3, chance.randrange(5)])
        body = chance.randbytes(chance.choice([0, 1, 4, 100, 16384, 20_000]))
        size = len(body) if chance.random() < 0.8 else chance.randrange(65536)
        for piece in split(head + size.to_bytes(2, "big") + body, chance):
            side.hear(piece)
        side.engine.outgoing()
    assert side.received == b""


# The layer between a transport and a protocol


class Wire:
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        self.sent = b""
        self.closed = self.aborted = False
        self.producer: Any = None

    def write(self, data: bytes) -> None:
        assert type(data) is bytes
        self.sent += data

    def loseConnection(self) -> None:
        self.closed = True

    def abortConnection(self) -> None:
        self.closed = self.aborted = True

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        self.producer = producer

    def unregisterProducer(self) -> None:
        self.producer = None

    def take(self) -> bytes:
        sent, self.sent = self.sent, b""
        return b"" if self.aborted else sent


class Application:
    """A protocol that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.received = self.written = b""

    def makeConnection(self, transport: Any) -> None:
        self.transport = transport
        self.told.append("made")

    def dataReceived(self, data: bytes) -> None:
        assert self.told == ["made"] and type(data) is bytes and data
        self.received += data

    def connectionLost(self, reason: Any) -> None:
        self.told.append("lost")
        self.reason = reason

    def say(self, data: bytes) -> None:
        if self.told == ["made"]:
            self.transport.write(data)
            self.written += data


class Applications:
    def __init__(self, application: Application) -> None:
        self.application = application

    def buildProtocol(self, address: object) -> Application:
        return self.application


def layers(chance: random.Random) -> None:
    clock, network = Clock(), Network(chance)
    sides = []
    for is_client in (True, False):
        application = Application()
        how = Settings(CLIENT, "localhost") if is_client else chance.choice([SERVER, SERVER_1_2])
        factory = TLSMemoryBIOFactory(how, is_client, Applications(application), clock, handshake_timeout=60)
        layer, wire = factory.buildProtocol(None), Wire()
        layer.makeConnection(wire)
        sides.append((application, layer, wire))
    for _ in range(ROUNDS):
        for (application, _, wire), (_, other, its_wire) in (sides, sides[::-1]):
            if chance.random() < 0.5:
                application.say(TEXT[: chance.choice([1, 100, 16384, 64001, 70_000])])
            elif chance.random() < 0.1 and application.told == ["made"]:
                chance.choice([application.transport.loseConnection, application.transport.abortConnection])()
            clock.advance(0)
            for piece in network.carry(wire.take()):
                if not its_wire.closed:
                    other.dataReceived(piece)
    for application, layer, wire in sides:
        layer.connectionLost(Failure(ConnectionDone()))
        assert application.told == ["made", "lost"], application.told
        assert application.reason.check(ConnectionClosed, *ERRORS), application.reason
        wire.take()
    assert clock.getDelayedCalls() == [], clock.getDelayedCalls()
    (client, _, _), (server, _, _) = sides
    check(client.written, server.received)
    check(server.written, client.received)


def check(written: bytes, received: bytes) -> None:
    assert written.startswith(received), f"{len(received)} bytes came out, and not those of the {len(written)} put in"


def case(chance: random.Random) -> None:
    chance.choice([engines, engines, layers, noise])(chance)


if __name__ == "__main__":
    run(case)
