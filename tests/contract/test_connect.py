"""connectTCP: attempts, their failures, names, bindings and connectors (70-72)."""

import errno
import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from tests.contract.parts import Reports
from tests.contract.streams import ByContract, Makers, Net, Recorder, net

from torsion.address import IPv4Address, IPv6Address
from torsion.contract import Reactor
from torsion.core.deferred import Deferred, succeed
from torsion.error import (
    ConnectBindError,
    ConnectError,
    ConnectionDone,
    ConnectionRefusedError,
    DNSLookupError,
    NotConnectingError,
    ServiceNameUnknownError,
    TimeoutError,
    UserError,
)
from torsion.net.binding import makeBinding


@pytest.fixture(params=[Reactor, ByContract], ids=["native", "contract"])
def here(request: pytest.FixtureRequest, reports: Reports) -> Iterator[Net]:
    with net(request.param) as made:
        yield made


def listening(here: Net, family: int = socket.AF_INET) -> tuple[socket.socket, int]:
    host = "127.0.0.1" if family == socket.AF_INET else "::1"
    made = here.opened(socket.create_server((host, 0), family=family))
    return made, made.getsockname()[1]


def refusing_port(here: Net) -> int:
    """A port that is taken by a socket that does not listen."""
    taken = here.opened(socket.socket())
    taken.bind(("127.0.0.1", 0))
    port: int = taken.getsockname()[1]
    return port


def test_s070_the_attempt_begins_on_a_later_pass(here: Net) -> None:
    _, port = listening(here)
    factory = Makers()
    connector = here.reactor.connectTCP("127.0.0.1", port, factory)
    assert factory.told == ["start", "started, connecting"]
    assert connector.transport is not None
    here.until(lambda: factory.built)
    assert connector.state == "connected"
    assert factory.addresses == [IPv4Address("TCP", "127.0.0.1", port)]


def test_s070_a_refusal_is_told_on_a_later_pass_too(here: Net) -> None:
    factory = Makers()
    here.reactor.connectTCP("127.0.0.1", refusing_port(here), factory)
    assert "failed" not in factory.told
    here.until(lambda: "stop" in factory.told)
    assert factory.told == ["start", "started, connecting", "failed", "stop"]
    assert type(factory.reasons[0]) is ConnectionRefusedError
    assert factory.reasons[0].osError == errno.ECONNREFUSED


def test_s070_the_timeout_covers_the_lookup(here: Net) -> None:
    factory = Makers()
    here.reactor.resolve = lambda name: Deferred()  # type: ignore[method-assign]
    connector = here.reactor.connectTCP("a name", 1, factory, timeout=0.001)
    here.until(lambda: "failed" in factory.told)
    assert type(factory.reasons[0]) is TimeoutError
    assert connector.state == "disconnected"


def test_s070_a_bad_bindaddress_is_told_as_a_failure(here: Net) -> None:
    _, port = listening(here)
    factory = Makers()
    here.reactor.connectTCP("127.0.0.1", port, factory, bindAddress=("192.0.2.1", 0))
    assert "failed" not in factory.told
    here.until(lambda: "failed" in factory.told)
    assert type(factory.reasons[0]) is ConnectBindError


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize(("port", "error"), [(99999, OverflowError), (2**70, OverflowError), (1.5, TypeError)])
def test_s070_what_is_no_port_is_told_as_a_failure(here: Net, host: str, port: Any, error: type) -> None:
    factory = Makers()
    here.reactor.connectTCP(host, port, factory)
    here.until(lambda: "failed" in factory.told)
    assert type(factory.reasons[0]) is error


def test_s070_an_unknown_service_raises_at_once(here: Net) -> None:
    factory = Makers()
    with pytest.raises(ServiceNameUnknownError):
        here.reactor.connectTCP("127.0.0.1", "no such service", factory)
    assert factory.told == []


def test_s070_an_error_of_the_socket_is_seen_before_connecting_again(here: Net) -> None:
    factory = Makers()
    connector = here.reactor.connectTCP("127.0.0.1", refusing_port(here), factory)
    real = connector.transport.socket
    attempts: list[Any] = []

    class Socket:
        def __getattr__(self, name: str) -> Any:
            return getattr(real, name)

        def connect_ex(self, address: Any) -> int:
            attempts.append(address)
            return int(real.connect_ex(address))

    connector.transport._socket = Socket()
    here.until(lambda: "failed" in factory.told)
    assert len(attempts) == 1


def test_s071_a_name_is_looked_up_for_ipv4(here: Net) -> None:
    _, port = listening(here)
    names: list[str] = []

    def resolve(name: str) -> Deferred:
        names.append(name)
        return succeed("127.0.0.1")

    here.reactor.resolve = resolve  # type: ignore[method-assign, assignment]
    factory = Makers()
    connector = here.reactor.connectTCP("some.name", port, factory)
    assert connector.getDestination() == IPv4Address("TCP", "some.name", port)
    here.until(lambda: factory.built)
    assert names == ["some.name"]
    assert factory.built[0].transport.getPeer() == IPv4Address("TCP", "127.0.0.1", port)


def test_s071_a_name_that_is_not_found(here: Net) -> None:
    factory = Makers()

    def resolve(name: str) -> Deferred:
        failed = Deferred()
        failed.errback(DNSLookupError("none"))
        return failed

    here.reactor.resolve = resolve  # type: ignore[method-assign, assignment]
    here.reactor.connectTCP("some.name", 1, factory)
    assert "failed" not in factory.told
    here.until(lambda: "failed" in factory.told)
    assert type(factory.reasons[0]) is DNSLookupError


def test_s071_an_ipv6_literal_needs_no_lookup(here: Net) -> None:
    server, port = listening(here, socket.AF_INET6)
    here.reactor.resolve = lambda name: pytest.fail("looked up")  # type: ignore[method-assign]
    factory = Makers()
    connector = here.reactor.connectTCP("::1", port, factory)
    assert connector.getDestination() == IPv6Address("TCP", "::1", port)
    here.until(lambda: factory.built)
    transport = factory.built[0].transport
    peer, name = server.accept()
    here.opened(peer)
    assert transport.getPeer() == IPv6Address("TCP", "::1", port)
    assert transport.getHost() == IPv6Address("TCP", "::1", name[1])


def test_s071_a_port_may_be_the_name_of_a_service(here: Net) -> None:
    assert here.reactor.connectTCP("127.0.0.1", "http", Makers()).getDestination().port == 80


def test_s072_stopconnecting_fails_the_attempt_at_once(here: Net) -> None:
    _, port = listening(here)
    factory = Makers()
    connector = here.reactor.connectTCP("127.0.0.1", port, factory)
    connector.stopConnecting()
    assert factory.told == ["start", "started, connecting", "failed", "stop"]
    assert type(factory.reasons[0]) is UserError
    with pytest.raises(NotConnectingError):
        connector.stopConnecting()
    here.turns(5)
    assert factory.built == []


def test_s072_stopconnecting_while_the_kernel_connects(here: Net) -> None:
    server, port = listening(here)
    server.listen(0)
    fillers = []
    for _ in range(3):  # a full queue leaves the next one waiting
        filler = here.opened(socket.socket())
        filler.setblocking(False)
        filler.connect_ex(("127.0.0.1", port))
        fillers.append(filler)
    factory = Makers()
    connector = here.reactor.connectTCP("127.0.0.1", port, factory)
    here.turns(3)
    if connector.state == "connecting":
        connector.disconnect()
        assert type(factory.reasons[0]) is UserError
    before = len(os.listdir("/proc/self/fd"))
    here.turns(3)
    assert len(os.listdir("/proc/self/fd")) == before


def test_s072_a_factory_may_connect_again_when_told_of_a_failure(here: Net) -> None:
    factory = Makers()
    tries: list[int] = []

    def again(connector: Any) -> None:
        tries.append(1)
        if len(tries) < 3:
            connector.connect()

    factory.on_failed = again
    here.reactor.connectTCP("127.0.0.1", refusing_port(here), factory)
    here.until(lambda: "stop" in factory.told)
    assert factory.told == ["start", *["started, connecting", "failed"] * 3, "stop"]


def test_s072_a_factory_may_connect_again_when_told_of_a_loss(here: Net) -> None:
    server, port = listening(here)
    factory = Makers()
    factory.on_failed = lambda connector: connector.connect() if len(factory.built) < 2 else None
    here.reactor.connectTCP("127.0.0.1", port, factory)
    for number in (1, 2):
        here.until(lambda number=number: len(factory.built) == number)
        server.accept()[0].close()
    here.until(lambda: "stop" in factory.told)
    assert factory.told == ["start", *["started, connecting", "lost"] * 2, "stop"]


def test_s072_connect_when_not_disconnected(here: Net) -> None:
    _, port = listening(here)
    factory = Makers()
    connector = here.reactor.connectTCP("127.0.0.1", port, factory)
    with pytest.raises(RuntimeError):
        connector.connect()
    here.until(lambda: factory.built)
    with pytest.raises(RuntimeError):
        connector.connect()


def test_s072_no_protocol_closes_the_connection(here: Net) -> None:
    server, port = listening(here)
    factory = Makers()
    factory.buildProtocol = lambda address: None  # type: ignore[method-assign]
    here.reactor.connectTCP("127.0.0.1", port, factory)
    here.until(lambda: "stop" in factory.told)
    assert type(factory.reasons[0]) is ConnectionDone
    peer = here.opened(server.accept()[0])
    assert peer.recv(1) == b""


def test_s072_a_buildprotocol_that_raises(here: Net, reports: Reports) -> None:
    _, port = listening(here)
    factory = Makers(ValueError("no protocol"))
    connector = here.reactor.connectTCP("127.0.0.1", port, factory)
    here.until(lambda: "stop" in factory.told)
    reports.take(ValueError)
    assert factory.told[-2:] == ["failed", "stop"]
    assert type(factory.reasons[0]) is ConnectError
    assert connector.state == "disconnected"


def test_s072_a_connectionmade_that_raises_is_the_end(here: Net, reports: Reports) -> None:
    _, port = listening(here)
    protocol = Recorder()

    def fail() -> None:
        raise ValueError

    protocol.on_made = fail
    factory = Makers(protocol)
    here.reactor.connectTCP("127.0.0.1", port, factory)
    here.until(lambda: "stop" in factory.told)
    reports.take(ValueError)
    assert protocol.told == ["made", "lost"]
    assert [type(reason) for reason in protocol.reasons + factory.reasons] == [ValueError, ValueError]


def test_s067_the_connector_is_told_after_the_protocol(here: Net) -> None:
    server, port = listening(here)
    factory = Makers()
    connector = here.reactor.connectTCP("127.0.0.1", port, factory)
    here.until(lambda: factory.built)
    states: list[str] = []
    factory.built[0].on_lost = lambda reason: states.append(connector.state)
    factory.on_failed = lambda connector: states.append(connector.state)
    server.accept()[0].close()
    here.until(lambda: "stop" in factory.told)
    assert states == ["connected", "disconnected"]
    assert factory.told[-2:] == ["lost", "stop"]


def test_s067_a_connectionlost_that_raises_does_not_keep_it_from_the_factory(here: Net, reports: Reports) -> None:
    server, port = listening(here)
    factory = Makers()
    here.reactor.connectTCP("127.0.0.1", port, factory)
    here.until(lambda: factory.built)

    def fail(reason: Any) -> None:
        raise ValueError

    factory.built[0].on_lost = fail
    server.accept()[0].close()
    here.until(lambda: "stop" in factory.told)
    reports.take(ValueError)


def test_disconnect_closes_a_connection_that_is_made(here: Net) -> None:
    _, port = listening(here)
    factory = Makers()
    connector = here.reactor.connectTCP("127.0.0.1", port, factory)
    here.until(lambda: factory.built)
    connector.disconnect()
    here.until(lambda: "stop" in factory.told)
    assert type(factory.reasons[0]) is ConnectionDone


@pytest.mark.parametrize("form", ["tuple", "binding"])
def test_a_client_is_bound_where_it_is_told(here: Net, form: str) -> None:
    _, port = listening(here)
    own = socket.socket()
    own.bind(("127.0.0.1", 0))
    mine = own.getsockname()[1]
    own.close()
    where = ("127.0.0.1", mine) if form == "tuple" else makeBinding("127.0.0.1", mine, reuseAddress=True)
    factory = Makers()
    here.reactor.connectTCP("127.0.0.1", port, factory, bindAddress=where)
    here.until(lambda: factory.built)
    assert factory.built[0].transport.getHost() == IPv4Address("TCP", "127.0.0.1", mine)
    reuse = factory.built[0].transport.getHandle().getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)
    assert bool(reuse) is (form == "binding")
