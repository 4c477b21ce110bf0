"""Behind a proxy: what is refused, and what transports say of themselves (the PROXY protocol)."""

import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from tests.contract.parts import Reports
from tests.contract.streams import ByContract, Makers, Net, Recorder, net

from torsion import report
from torsion.address import IPv4Address
from torsion.contract import Reactor
from torsion.core.deferred import Deferred, succeed
from torsion.core.proxyheader import V2_PREFIX, HeaderParser, parse_v1, parse_v2
from torsion.protocols.haproxy import (
    HAProxyWrappingFactory,
    InvalidNetworkProtocol,
    InvalidProxyHeader,
    IProxyInfo,
    MissingAddressData,
    proxyEndpoint,
)

HEADER = b"PROXY TCP4 192.0.2.1 192.0.2.2 5000 80\r\n"
CLIENT, SERVER = IPv4Address("TCP", "192.0.2.1", 5000), IPv4Address("TCP", "192.0.2.2", 80)


@pytest.fixture(params=[Reactor, ByContract], ids=["native", "contract"])
def here(request: pytest.FixtureRequest, reports: Reports) -> Iterator[Net]:
    with net(request.param) as made:
        yield made


class Behind:
    """A server behind a proxy, and the proxy's side of its one connection."""

    def __init__(self, here: Net, **attributes: Any) -> None:
        self.here = here
        self.protocol = Recorder()
        self.factory = Makers(self.protocol)
        self.wrapping = HAProxyWrappingFactory(self.factory)
        vars(self.wrapping).update(attributes)
        self.wrapping.noisy = False
        self.port = here.reactor.listenTCP(0, self.wrapping, interface="127.0.0.1")
        self.proxy = here.peer(self.port.getHost().port)
        here.until(lambda: "made" in self.protocol.told)

    def receives(self, sent: bytes, received: bytes) -> None:
        self.proxy.sendall(sent)
        self.here.until(lambda: self.protocol.received == received)


def test_after_the_header_the_transport_gives_the_addresses_that_are_in_it(here: Net) -> None:
    behind = Behind(here)
    transport = behind.protocol.transport
    assert transport.getPeer().port == behind.proxy.getsockname()[1]
    assert transport.getHost() == behind.port.getHost()
    behind.receives(HEADER + b"hello", b"hello")
    assert (transport.getPeer(), transport.getHost()) == (CLIENT, SERVER)
    assert isinstance(transport.proxy_info, IProxyInfo)
    assert transport.proxy_info.header == HEADER[:-2]
    behind.receives(b" again", b"hello again")


@pytest.mark.parametrize("header", [b"PROXY UNKNOWN\r\n", V2_PREFIX + b"\x20\x11\x00\x02xx"], ids=["v1", "v2"])
def test_where_the_header_names_nobody_it_is_the_connections_own_addresses(here: Net, header: bytes) -> None:
    behind = Behind(here)
    behind.receives(header + b"hello", b"hello")
    assert behind.protocol.transport.getPeer().port == behind.proxy.getsockname()[1]
    assert behind.protocol.transport.getHost() == behind.port.getHost()


def test_a_header_may_come_byte_by_byte(here: Net) -> None:
    behind = Behind(here)
    for place in range(len(HEADER)):
        behind.proxy.sendall(HEADER[place : place + 1])
        here.turns(1)
    behind.receives(b"hello", b"hello")
    assert behind.protocol.transport.getPeer() == CLIENT


def test_the_transport_writes_and_closes(here: Net) -> None:
    behind = Behind(here)
    behind.receives(HEADER + b"x", b"x")
    transport = behind.protocol.transport
    transport.write(b"one ")
    transport.writeSequence(iter([b"two ", b"three"]))
    transport.setTcpNoDelay(True)  # what it does not have itself is the connection's
    assert not transport.disconnecting
    transport.loseConnection()
    assert transport.disconnecting
    assert here.read(behind.proxy, 100) == b"one two three"
    here.until(lambda: "lost" in behind.protocol.told)


@pytest.mark.parametrize("sent", [b"GET / HTTP/1.1\r\n", b"PROXY TCP4 1.1.1.1\r\nhello", b"PROXY " + b"x" * 200])
def test_a_connection_without_a_header_is_closed(here: Net, sent: bytes) -> None:
    said: list[str] = []
    report.set_sink(lambda level, text, failure, details: said.append(text))
    behind = Behind(here)
    behind.proxy.sendall(sent)
    here.until(lambda: "lost" in behind.protocol.told)
    assert behind.protocol.received == b""
    assert any("is closed" in text for text in said)


def test_a_header_longer_than_the_factory_allows_is_refused(here: Net) -> None:
    behind = Behind(here, header_limit=30)
    behind.proxy.sendall(V2_PREFIX + b"\x21\x11\x00\x0f")  # as soon as it says how long it is
    here.until(lambda: "lost" in behind.protocol.told)


def test_what_comes_after_a_refused_header_is_not_looked_at() -> None:
    class Closing:
        closed = 0

        def getPeer(self) -> str:
            return "a peer"

        def loseConnection(self) -> None:
            self.closed += 1

    factory = HAProxyWrappingFactory(Makers(Recorder()))
    transport, wrapper = Closing(), factory.buildProtocol(None)
    assert wrapper is not None
    wrapper.makeConnection(transport)
    wrapper.dataReceived(b"GET / HTTP/1.1\r\n")
    wrapper.dataReceived(HEADER)
    assert transport.closed == 1
    assert wrapper.proxy_info is None


def test_the_factory_starts_and_stops_the_one_that_it_wraps_and_may_have_no_protocol(here: Net) -> None:
    class None_(Makers):
        def buildProtocol(self, address: Any) -> None:
            return None

    factory = None_()
    wrapping = HAProxyWrappingFactory(factory)
    wrapping.noisy = False
    assert wrapping.buildProtocol(None) is None
    port = here.reactor.listenTCP(0, wrapping, interface="127.0.0.1")
    port.stopListening()
    here.turns()
    assert factory.told == ["start", "stop"]


def test_logs_show_whose_connection_it_is() -> None:
    wrapping = HAProxyWrappingFactory(Makers(Recorder()))
    assert wrapping.logPrefix() == "Makers (PROXY)"
    wrapper = wrapping.buildProtocol(None)
    assert wrapper is not None
    assert wrapper.logPrefix() == "recorder (PROXY)"


def test_an_endpoint_behind_a_proxy_listens_with_the_wrapped_one() -> None:
    class Endpoint:
        def listen(self, factory: Any) -> Deferred:
            return succeed(factory)

    factory = Makers()
    wrapping = proxyEndpoint(Endpoint()).listen(factory).result
    assert isinstance(wrapping, HAProxyWrappingFactory)
    assert wrapping.wrappedFactory is factory


def test_a_connection_through_a_proxy_leaves_no_cycle(
    reports: Reports, no_leaks: Callable[[], AbstractContextManager[None]]
) -> None:
    def one() -> None:
        with net(Reactor) as here:
            behind = Behind(here)
            behind.receives(HEADER + b"x", b"x")
            behind.proxy.close()
            here.until(lambda: "lost" in behind.protocol.told)
            behind.port.stopListening()
            here.turns()
            behind.factory.built.clear()  # a cycle of the test's

    one()
    with no_leaks():
        one()


# What is refused, and with which error


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"PROXY", InvalidNetworkProtocol),
        (b"NOTPROXY TCP4 1.1.1.1 2.2.2.2 1 2", InvalidProxyHeader),
        (b"PROXY UDP4 1.1.1.1 2.2.2.2 1 2", InvalidNetworkProtocol),
        (b"PROXY TCP4", MissingAddressData),
        (b"PROXY TCP4 1.1.1.1 2.2.2.2 1", MissingAddressData),
        (b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2 3", InvalidProxyHeader),
        (b"PROXY TCP4  1.1.1.1 2.2.2.2 1 2", InvalidProxyHeader),
        (b"PROXY TCP4 somewhere 2.2.2.2 1 2", InvalidProxyHeader),
        (b"PROXY TCP4 1.1.1 2.2.2.2 1 2", InvalidProxyHeader),
        (b"PROXY TCP4 ::1 ::2 1 2", InvalidProxyHeader),
        (b"PROXY TCP6 1.1.1.1 2.2.2.2 1 2", InvalidProxyHeader),
        (b"PROXY TCP6 ::1 fe80::1%lo 1 2", InvalidProxyHeader),
        (b"PROXY TCP4 1.1.1.1 2.2.2.2 1 65536", InvalidProxyHeader),
        (b"PROXY TCP4 1.1.1.1 2.2.2.2 -1 2", InvalidProxyHeader),
        (b"PROXY TCP4 1.1.1.1 2.2.2.2 +1 2", InvalidProxyHeader),
        (b"PROXY TCP4 1.1.1.1 2.2.2.2 1_0 2", InvalidProxyHeader),
        ("PROXY TCP4 1.1.1.1 2.2.2.2 1 ٣".encode(), InvalidProxyHeader),
    ],
)
def test_a_line_that_the_specification_does_not_have_is_refused(line: bytes, error: type[Exception]) -> None:
    with pytest.raises(InvalidProxyHeader) as caught:
        parse_v1(line)
    assert caught.type is error


@pytest.mark.parametrize(
    ("header", "error"),
    [
        (V2_PREFIX[:-1] + b"\r\x21\x11\x00\x00", InvalidProxyHeader),
        (V2_PREFIX, MissingAddressData),
        (V2_PREFIX + b"\x21\x11\x00\x0c" + bytes(11), MissingAddressData),
        (V2_PREFIX + b"\x21\x11\x00\x0b" + bytes(11), MissingAddressData),
        (V2_PREFIX + b"\x21\x21\x00\x23" + bytes(35), MissingAddressData),
        (V2_PREFIX + b"\x21\x31\x00\x0c" + bytes(12), MissingAddressData),
        (V2_PREFIX + b"\x11\x11\x00\x0c" + bytes(12), InvalidProxyHeader),
        (V2_PREFIX + b"\x22\x11\x00\x0c" + bytes(12), InvalidProxyHeader),
        (V2_PREFIX + b"\x21\x41\x00\x0c" + bytes(12), InvalidProxyHeader),
        (V2_PREFIX + b"\x21\x13\x00\x0c" + bytes(12), InvalidProxyHeader),
    ],
)
def test_a_binary_header_that_the_specification_does_not_have_is_refused(header: bytes, error: type[Exception]) -> None:
    with pytest.raises(InvalidProxyHeader) as caught:
        parse_v2(header)
    assert caught.type is error


def test_a_line_without_an_end_is_refused_at_its_107th_byte() -> None:
    longest = b"PROXY UNKNOWN ".ljust(105, b"x") + b"\r\n"
    info, rest = HeaderParser().feed(longest)
    assert info is not None
    assert rest == b""
    parser = HeaderParser()
    assert parser.feed(longest[:-1]) == (None, None)
    with pytest.raises(InvalidProxyHeader, match="107"):
        parser.feed(b"x")
    with pytest.raises(InvalidProxyHeader, match="107"):
        HeaderParser().feed(b"PROXY UNKNOWN ".ljust(106, b"x") + b"\r\n")


def test_the_first_byte_that_is_wrong_is_enough() -> None:
    for sent in (b"G", b"PROXX", b"\r\n\r\n\x00\r\nQUIT\r"):
        with pytest.raises(InvalidProxyHeader, match="begins with"):
            HeaderParser().feed(sent)


def test_a_real_socket_of_the_standard_library_gets_an_answer(here: Net) -> None:
    behind = Behind(here)
    behind.protocol.on_data = behind.protocol.transport.write
    behind.proxy.sendall(HEADER + b"ping")
    assert here.read(behind.proxy, 4) == b"ping"
    assert behind.proxy.family == socket.AF_INET
