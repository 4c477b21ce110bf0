"""Ending gracefully: ports that drain, streams that say when all is sent, several ports on one number."""

import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from tests.contract.parts import Reports
from tests.contract.streams import ByContract, Makers, Net, Recorder, net
from tests.contract.unixes import peer as unix_peer
from tests.contract.unixes import room

from torsion.contract import Reactor
from torsion.defer import Deferred
from torsion.error import CannotListenError, ConnectionAborted, ConnectionDone, ConnectionLost
from torsion.net import tcp
from torsion.net.binding import makeBinding
from torsion.net.descriptor import CONNECTION_DONE

__all__ = ["room"]


@pytest.fixture(params=[Reactor, ByContract], ids=["native", "contract"])
def here(request: pytest.FixtureRequest, reports: Reports) -> Iterator[Net]:
    with net(request.param) as made:
        yield made


class Service:
    """A port with connections: protocols in `served`, sockets in `peers`; TCP or UNIX."""

    def __init__(self, here: Net, room: Any, family: str, count: int) -> None:
        self.here, self.factory = here, Makers()
        if family == "unix":
            path = room / "port"
            self.port = here.reactor.listenUNIX(str(path), self.factory)
            self.connect = lambda: unix_peer(here, path)
        else:
            self.port = here.reactor.listenTCP(0, self.factory, interface="127.0.0.1")
            number = self.port.getHost().port
            self.connect = lambda: here.peer(number)
        self.peers = [self.connect() for _ in range(count)]
        here.until(lambda: len(self.factory.built) == count)
        self.served = self.factory.built
        self.fired: list[Any] = []

    def drain(self, grace: float) -> list[Any]:
        fired: list[Any] = []
        self.port.drain(grace).addBoth(fired.append)
        return fired


@pytest.fixture(params=["tcp", "unix"])
def family(request: pytest.FixtureRequest) -> Any:
    return request.param


# drain


def test_draining_waits_for_connections_to_end_by_themselves(here: Net, room: Any, family: str) -> None:
    service = Service(here, room, family, 3)
    fired = service.drain(1000)
    with pytest.raises(OSError):
        for _ in range(3):  # refused at once, or when the port is closed
            service.connect()
            here.turns()
    assert fired == []
    service.peers[0].close()
    service.served[1].transport.loseConnection()
    here.until(lambda: "lost" in service.served[0].told and "lost" in service.served[1].told)
    service.peers[2].sendall(b"still served")
    here.until(lambda: service.served[2].received == b"still served")
    assert fired == []
    service.served[2].on_lost = lambda reason: fired.append("lost first")
    service.peers[2].close()
    here.until(lambda: fired)
    here.turns()
    assert fired == ["lost first", 0]
    assert here.reactor.getDelayedCalls() == []
    assert service.factory.told == ["start", "stop"]


def test_draining_cuts_what_is_left(here: Net, room: Any, family: str) -> None:
    service = Service(here, room, family, 3)
    service.peers[0].close()
    for each in service.served[1:]:
        each.transport.write(b"the last words")
    fired = service.drain(0.01)
    here.until(lambda: fired)
    assert fired == [2]
    for each in service.peers[1:]:
        assert here.read(each, 99) == b"the last words"
    assert [type(each.reasons[0]) for each in service.served] == [ConnectionDone] * 3
    assert here.reactor.getDelayedCalls() == []


def test_draining_aborts_who_does_not_take_what_was_written(
    here: Net, room: Any, family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torsion.net.draining.PATIENCE", 0.01)
    service = Service(here, room, family, 2)
    service.served[0].transport.write(b"x" * 50_000_000)
    fired = service.drain(0)
    here.until(lambda: fired)
    assert fired == [2]
    assert [type(each.reasons[0]) for each in service.served] == [ConnectionAborted, ConnectionDone]


def test_draining_again_with_less_patience(here: Net, room: Any, family: str) -> None:
    service = Service(here, room, family, 1)
    first, second = service.drain(1000), service.drain(0)
    here.until(lambda: first and second)
    assert first == second == [1]


def test_draining_a_port_without_connections_or_that_is_closed(here: Net, room: Any, family: str) -> None:
    service = Service(here, room, family, 0)
    fired = service.drain(1000)
    assert fired == []
    here.turns()
    assert fired == [0]
    assert service.drain(1000) == [0]
    service.port.startListening()
    if family == "tcp":
        number = service.port.getHost().port
        service.connect = lambda: here.peer(number)
    other = service.connect()
    here.until(lambda: service.served)
    service.port.stopListening()
    here.turns()
    fired = service.drain(1000)  # closed already; its connection is not over
    assert fired == []
    other.close()
    here.until(lambda: fired == [0])


def test_draining_tells_a_protocol_that_is_a_transport_itself(here: Net) -> None:
    class Wrapper(Recorder):
        def loseConnection(self) -> None:
            self.told.append("asked to end")
            self.transport.write(b"bye")
            self.transport.loseConnection()

        def write(self, data: bytes) -> None: ...
        def writeSequence(self, data: Any) -> None: ...

    service = Service(here, None, "tcp", 0)
    service.factory.protocols.append(Wrapper())
    other = service.connect()
    here.until(lambda: service.served)
    fired = service.drain(0)
    here.until(lambda: fired)
    assert service.served[0].told == ["made", "asked to end", "lost"]
    assert here.read(other, 3) == b"bye"


def test_draining_goes_on_if_a_wrapper_raises(here: Net, reports: Reports, monkeypatch: pytest.MonkeyPatch) -> None:
    class Wrapper(Recorder):
        def loseConnection(self) -> None:
            raise ValueError("never")

        def writeSequence(self, data: Any) -> None: ...

    monkeypatch.setattr("torsion.net.draining.PATIENCE", 0.01)
    service = Service(here, None, "tcp", 0)
    service.factory.protocols.extend([Wrapper(), Recorder()])
    service.peers = [service.connect(), service.connect()]
    here.until(lambda: len(service.served) == 2)
    fired = service.drain(0)
    here.until(lambda: fired)
    reports.take(ValueError)
    assert fired == [2]
    assert [type(each.reasons[0]) for each in service.served] == [ConnectionAborted, ConnectionDone]


def test_a_port_that_cannot_be_closed_says_so(here: Net) -> None:
    service = Service(here, None, "tcp", 0)
    close = service.port.connectionLost
    service.port.connectionLost = lambda reason: 1 // 0
    fired = service.drain(1000)
    here.until(lambda: fired)
    fired[0].trap(ZeroDivisionError)
    del service.port.connectionLost
    close(fired[0])


@pytest.mark.parametrize("grace", [-1, float("nan")])
def test_grace_is_a_number_of_seconds(here: Net, grace: float) -> None:
    service = Service(here, None, "tcp", 0)
    with pytest.raises(ValueError, match=str(grace)):
        service.port.drain(grace)


def test_a_shutdown_waits_for_draining(here: Net) -> None:
    service = Service(here, None, "tcp", 1)
    here.reactor.addSystemEventTrigger("before", "shutdown", service.port.drain, 1000)
    here.reactor.callWhenRunning(here.reactor.stop)
    here.reactor.callLater(0.01, service.peers[0].sendall, b"last question")
    service.served[0].on_data = lambda data: (
        service.served[0].transport.write(b"answer"),
        service.served[0].transport.loseConnection(),
    )
    here.reactor.run(installSignalHandlers=False)
    assert service.peers[0].recv(99) == b"answer"
    assert service.served[0].told == ["made", "lost"]


def test_draining_leaves_nothing(here: Net, room: Any, no_leaks: Any) -> None:
    def work() -> None:
        for family in ("tcp", "unix"):
            service = Service(here, room, family, 20)
            fired = service.drain(0)
            here.until(lambda fired=fired: fired)
            assert fired == [20]
            for each in service.served:
                each.__dict__.clear()
            service.__dict__.clear()
            for skt in here._opened:
                skt.close()
            here._opened.clear()

    work()
    with no_leaks():
        work()


# drained


def test_drained_fires_at_once_if_nothing_waits(here: Net) -> None:
    server, _ = here.accept()
    fired: list[Any] = []
    server.transport.drained().addBoth(fired.append)
    assert fired == [None]


def test_drained_fires_when_all_is_handed_to_the_kernel(here: Net) -> None:
    server, other = here.accept()
    fired: list[Any] = []
    server.transport.write(b"x" * 20_000_000)
    server.transport.drained().addBoth(fired.append)
    here.turns()
    server.transport.write(b"y" * 1_000_000)  # waited for too
    assert fired == []
    read = 0
    while not fired:
        read += len(here.read(other, 1))
        here.turns(1)
    assert fired == [None]
    assert len(here.read(other, 21_000_000 - read)) == 21_000_000 - read


def test_drained_in_a_coroutine_paces_a_sender(here: Net) -> None:
    server, other = here.accept()
    most = 0

    async def send() -> str:
        nonlocal most
        for _ in range(30):
            server.transport.write(b"z" * 100_000)
            most = max(most, server.transport._tempDataBuffer and sum(map(len, server.transport._tempDataBuffer)))
            await server.transport.drained()
        server.transport.loseConnection()
        return "done"

    fired: list[Any] = []
    Deferred.fromCoroutine(send()).addBoth(fired.append)
    assert len(here.read(other, 3_000_000)) == 3_000_000
    here.until(lambda: "lost" in server.told)
    assert fired == ["done"]
    assert most == 100_000


def test_drained_comes_before_a_closing_that_waits(here: Net) -> None:
    server, other = here.accept()
    server.transport.write(b"first ")
    server.transport.drained().addBoth(lambda _: (server.told.append("drained"), server.transport.write(b"second")))
    server.transport.loseConnection()
    assert here.read(other, 99) == b"first second"
    here.until(lambda: "lost" in server.told)
    assert server.told == ["made", "drained", "lost"]


@pytest.mark.parametrize("end", ["abort", "peer", "limit"])
def test_drained_fails_with_the_reason_of_the_end(here: Net, end: str) -> None:
    server, other = here.accept()
    reasons: list[Any] = []
    server.transport.write(b"x" * 20_000_000)
    here.turns()
    server.transport.drained().addErrback(lambda failure: reasons.append(failure.value))
    if end == "abort":
        server.transport.abortConnection()
    elif end == "limit":
        server.transport.set_write_limit(100, abort=True)
        server.transport.write(b"x")
    else:
        other.close()
    here.until(lambda: "lost" in server.told)
    assert reasons == server.reasons
    late: list[Any] = []
    server.transport.drained().addErrback(lambda failure: late.append(failure.value))
    assert [type(each) for each in late] == [ConnectionLost]


def test_drained_can_be_cancelled_and_abort(here: Net) -> None:
    server, other = here.accept()
    told: list[str] = []
    server.transport.write(b"words")
    cancelled = server.transport.drained()
    cancelled.addErrback(lambda failure: told.append(failure.type.__name__))
    cancelled.cancel()
    server.transport.drained().addBoth(lambda _: server.transport.abortConnection())
    server.transport.drained().addBoth(lambda _: told.append("second"))
    here.until(lambda: "lost" in server.told)
    assert told == ["CancelledError", "second"]
    assert isinstance(server.reasons[0], ConnectionAborted)
    other.close()


def test_drained_comes_before_a_producers_turn(here: Net) -> None:
    server, other = here.accept()
    told: list[str] = []

    class Pull:
        def resumeProducing(self) -> None:
            told.append("produce")
            if len(told) < 5:
                server.transport.write(b"x")

        def stopProducing(self) -> None: ...

    server.transport.registerProducer(Pull(), False)
    server.transport.drained().addBoth(lambda _: told.append("drained"))
    here.until(lambda: len(told) >= 5)
    assert told[:3] == ["produce", "drained", "produce"]
    server.transport.unregisterProducer()
    other.close()
    here.until(lambda: "lost" in server.told)


# Several ports on one number


def test_reuse_port_shares_a_number(here: Net) -> None:
    factories = [Makers(), Makers()]
    first = here.reactor.listenTCP(makeBinding("127.0.0.1", 0, reusePort=True), factories[0])
    number = first.getHost().port
    second = here.reactor.listenTCP(makeBinding("127.0.0.1", number, reusePort=True), factories[1])
    assert second.getHost() == first.getHost()
    for _ in range(64):
        here.peer(number)
    here.until(lambda: sum(len(each.built) for each in factories) == 64)
    assert all(each.built for each in factories)
    drained: list[Any] = []
    first.drain(0).addBoth(drained.append)
    here.until(lambda: drained)
    assert drained == [len(factories[0].built)]
    other = here.peer(number)  # the second goes on alone
    here.until(lambda: sum(len(each.built) for each in factories) == 65)
    other.close()
    second.stopListening()
    here.turns()


def test_without_reuse_port_a_number_is_ones_own(here: Net) -> None:
    first = here.reactor.listenTCP(0, Makers(), interface="127.0.0.1")
    with pytest.raises(CannotListenError):
        here.reactor.listenTCP(makeBinding("127.0.0.1", first.getHost().port, reusePort=True), Makers())
    first.stopListening()
    here.turns()


def test_a_port_whose_socket_another_goes_on_with_keeps_its_path(here: Net, room: Any) -> None:
    factories = [Makers(), Makers()]
    old = here.reactor.listenUNIX(str(room / "port"), factories[0])
    new = here.reactor.adoptStreamPort(os.dup(old.fileno()), socket.AF_UNIX, factories[1])
    old.removes_path = False
    fired: list[Any] = []
    old.drain(0).addBoth(fired.append)
    here.until(lambda: fired)
    unix_peer(here, room / "port")
    here.until(lambda: factories[1].built)
    assert factories[0].built == []
    new.stopListening()
    here.turns()


def test_draining_waits_for_the_connection_that_is_being_accepted(here: Net) -> None:
    class Last(Makers):
        def buildProtocol(self, address: Any) -> Any:
            port.drain(60).addBoth(fired.append)
            return super().buildProtocol(address)

    fired: list[Any] = []
    factory = Last()
    port = here.reactor.listenTCP(0, factory, interface="127.0.0.1")
    peer = here.peer(port.getHost().port)
    here.until(lambda: factory.built)
    here.turns()
    assert fired == []
    peer.close()
    here.until(lambda: fired)
    assert fired == [0]
    port.startListening()
    here.peer(port.getHost().port)
    here.until(lambda: fired[1:] or len(factory.built) == 2)
    port.drain(0).addBoth(fired.append)
    here.until(lambda: len(fired) == 3)
    assert fired == [0, 1, 1]


def test_draining_does_not_wait_for_a_connection_that_was_lost_in_its_making(here: Net) -> None:
    class Refused(tcp.Server):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            self.connectionLost(CONNECTION_DONE)

    port = here.reactor.listenTCP(0, Makers(), interface="127.0.0.1")
    port.transport = Refused
    peer = here.peer(port.getHost().port)
    assert here.read(peer, 1) == b""
    fired: list[Any] = []
    port.drain(60).addBoth(fired.append)
    here.until(lambda: fired)
    assert fired == [0]


def test_draining_aborts_the_others_if_one_cannot_be_aborted(here: Net, reports: Reports) -> None:
    class Deaf(tcp.Server):
        def loseConnection(self) -> None: ...

        def abortConnection(self) -> None:
            if self.sessionno == 0:
                raise ZeroDivisionError
            super().abortConnection()

    class Port(tcp.Port):
        transport = Deaf

    factory = Makers()
    port = Port(0, factory, interface="127.0.0.1", reactor=here.reactor)
    port.startListening()
    for _ in range(3):
        here.peer(port.getHost().port)
    here.until(lambda: len(factory.built) == 3)
    port.drain(0)
    here.until(lambda: "lost" in factory.built[1].told and "lost" in factory.built[2].told)
    assert reports.take(ZeroDivisionError)
    assert factory.built[0].told == ["made"]
