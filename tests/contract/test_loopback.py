"""Loopbacks: two protocols joined in memory, through TCP and through UNIX sockets; and the port forwarder."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.contract.parts import Reports
from tests.contract.streams import Makers, Net, net

from torsion import reactors
from torsion.contract import Reactor
from torsion.error import ConnectionClosed, ConnectionDone
from torsion.protocol import Protocol
from torsion.protocols import loopback, portforward
from torsion.protocols.basic import LineReceiver


@pytest.fixture
def here(reports: Reports, monkeypatch: pytest.MonkeyPatch) -> Iterator[Net]:
    with net(Reactor) as made:
        monkeypatch.setattr(reactors, "current", lambda: made.reactor)
        yield made


class Side(Protocol):
    """Says its words when it is connected, and closes when it has heard enough."""

    def __init__(self, *words: bytes, enough: bytes = b"") -> None:
        self.words, self.enough = words, enough
        self.pieces: list[bytes] = []
        self.lost: list[Any] = []
        self.writing = False

    def connectionMade(self) -> None:
        self.writing = True
        for word in self.words:
            self.transport.write(word)
        self.writing = False

    def dataReceived(self, data: bytes) -> None:
        assert not self.writing
        self.pieces.append(data)
        if self.enough and b"".join(self.pieces).endswith(self.enough):
            self.transport.loseConnection()

    def connectionLost(self, reason: Any = None) -> None:
        self.lost.append(reason.value)


JOINED: dict[str, Callable[..., Any]] = {
    "async": loopback.loopbackAsync,
    "TCP": lambda server, client: loopback.loopbackTCP(server, client, noisy=False),
    "UNIX": lambda server, client: loopback.loopbackUNIX(server, client, noisy=False),
}


@pytest.fixture(params=JOINED)
def join(request: pytest.FixtureRequest, here: Net) -> Callable[..., Any]:
    return JOINED[request.param]


def test_both_hear_each_other_and_the_end(here: Net, join: Callable[..., Any]) -> None:
    server, client = Side(b"hello ", b"client"), Side(b"hello ", b"server", enough=b"client")
    results: list[Any] = []
    join(server, client).addBoth(results.append)
    here.until(lambda: results)
    assert results == [None]
    assert b"".join(client.pieces) == b"hello client"
    for side in (server, client):
        (reason,) = side.lost
        assert isinstance(reason, ConnectionClosed)


def test_lines_through_a_loopback(here: Net, join: Callable[..., Any]) -> None:
    class Counter(LineReceiver):
        first = False

        def connectionMade(self) -> None:
            if self.first:
                self.sendLine(b"0")

        def lineReceived(self, line: bytes) -> None:
            seen.append(int(line))
            if len(seen) == 100:
                self.transport.loseConnection()
            else:
                self.sendLine(b"%d" % len(seen))

    seen: list[int] = []
    server, client = Counter(), Counter()
    client.first = True
    results: list[Any] = []
    join(server, client).addBoth(results.append)
    here.until(lambda: results)
    assert (seen, results) == (list(range(100)), [None])


def test_pieces_come_as_written_or_together(here: Net) -> None:
    for policy, pieces in (
        (loopback.identityPumpPolicy, [b"a", b"bc", b"d"]),
        (loopback.collapsingPumpPolicy, [b"abcd"]),
    ):
        server, client = Side(b"a", b"bc", b"d"), Side(enough=b"d")
        loopback.loopbackAsync(server, client, policy)
        assert client.pieces == pieces
        assert [type(reason) for reason in (*server.lost, *client.lost)] == [ConnectionDone] * 2


def test_what_is_written_later_is_delivered_on_a_later_turn(here: Net) -> None:
    server, client = Side(), Side()
    done: list[Any] = []
    loopback.loopbackAsync(server, client).addBoth(done.append)
    client.transport.writeSequence([b"a", b"b"])
    server.transport.write(b"c")
    assert server.pieces == client.pieces == []
    here.turns()
    assert (server.pieces, client.pieces) == ([b"ab"], [b"c"])
    server.transport.write(b"last")
    server.transport.abortConnection()
    here.turns()
    assert client.pieces == [b"c", b"last"]
    assert done == [None]


def test_an_error_of_a_protocol_is_the_callers(here: Net) -> None:
    class Failing(Side):
        def dataReceived(self, data: bytes) -> None:
            raise LookupError

    with pytest.raises(LookupError):
        loopback.loopbackAsync(Side(b"x"), Failing())
    server, failures = Side(), []
    loopback.loopbackAsync(server, Failing()).addErrback(failures.append)
    server.transport.write(b"x")
    here.turns()
    assert failures[0].type is LookupError


def test_a_pull_producer_is_asked_when_all_has_been_delivered(here: Net) -> None:
    class Pull:
        left = 5

        def __init__(self, transport: Any) -> None:
            self.transport = transport

        def resumeProducing(self) -> None:
            if self.left:
                self.left -= 1
                self.transport.write(b"%d" % self.left)
            else:
                self.transport.unregisterProducer()
                self.transport.loseConnection()

    class Producing(Side):
        def connectionMade(self) -> None:
            self.transport.registerProducer(Pull(self.transport), False)
            with pytest.raises(RuntimeError, match="never unregistered"):
                self.transport.registerProducer(None, True)

    server, client, done = Producing(), Side(), []
    loopback.loopbackAsync(server, client).addBoth(done.append)
    here.until(lambda: done)
    assert client.pieces == [b"4", b"3", b"2", b"1", b"0"]


def test_only_bytes_can_be_written(here: Net) -> None:
    server = Side()
    loopback.loopbackAsync(server, Side())
    with pytest.raises(TypeError, match="must be bytes"):
        server.transport.write("text")
    assert server.transport.getHost() is not None
    assert server.transport.getPeer() is not None


def test_a_client_that_cannot_connect_fails_the_loopback(here: Net) -> None:
    factory = loopback.LoopbackClientFactory(Side())
    failures: list[Any] = []
    factory.deferred.addErrback(failures.append)
    factory.noisy = False
    here.reactor.connectTCP("127.0.0.1", 1, factory)
    here.until(lambda: failures)


def test_a_relay_keeps_what_is_written_until_it_is_cleared() -> None:
    target, log = Side(), io.StringIO()
    relay = loopback.LoopbackRelay(target, log)
    relay.write(b"a")
    relay.writeSequence([b"b", b"c"])
    assert (target.pieces, relay.buffer) == ([], b"abc")
    relay.clearBuffer()
    relay.loseConnection()
    relay.clearBuffer()
    relay.write(b"late")
    relay.clearBuffer()
    assert target.pieces == [b"abc"]
    assert [type(reason) for reason in target.lost] == [ConnectionDone]
    assert log.getvalue().splitlines()[:3] == [
        "loopback writing b'a'",
        "loopback writing b'bc'",
        "loopback receiving b'abc'",
    ]
    assert relay.logPrefix() == "Loopback('Side')"


def test_a_port_forwarder_joins_two_connections(here: Net) -> None:
    echo = Side()
    target = here.reactor.listenTCP(0, Makers(echo), interface="127.0.0.1")
    factory = portforward.ProxyFactory("127.0.0.1", target.getHost().port)
    factory.noisy = False
    forwarding = here.reactor.listenTCP(0, factory, interface="127.0.0.1")
    peer = here.peer(forwarding.getHost().port)
    peer.sendall(b"x" * 100_000)
    here.until(lambda: sum(map(len, echo.pieces)) == 100_000)
    echo.transport.write(b"y" * 500_000)
    assert here.read(peer, 500_000) == b"y" * 500_000
    peer.close()
    here.until(lambda: echo.lost)
    forwarding.stopListening()
    target.stopListening()
    here.turns()


def test_a_forwarded_connection_is_not_held_by_an_end_that_does_not_read(here: Net) -> None:
    target_side = Side()
    target = here.reactor.listenTCP(0, Makers(target_side), interface="127.0.0.1")
    factory = portforward.ProxyFactory("127.0.0.1", target.getHost().port)
    factory.noisy = False
    forwarding = here.reactor.listenTCP(0, factory, interface="127.0.0.1")
    peer = here.peer(forwarding.getHost().port)
    here.until(lambda: target_side.transport is not None)
    target_side.transport.write(b"y" * 20_000_000)  # more than the buffers on the way hold
    here.turns(300)
    target_side.transport.abortConnection()
    here.turns(50)
    got = here.read(peer, 20_000_001)  # what was on its way, then the end
    assert 0 < len(got) < 20_000_000
    forwarding.stopListening()
    target.stopListening()
    here.turns()


def test_a_port_forwarder_without_a_target(here: Net) -> None:
    factory = portforward.ProxyFactory("127.0.0.1", 1)
    factory.noisy = False
    forwarding = here.reactor.listenTCP(0, factory, interface="127.0.0.1")
    peer = here.peer(forwarding.getHost().port)
    assert here.read(peer, 1) == b""
    forwarding.stopListening()
    here.turns()
