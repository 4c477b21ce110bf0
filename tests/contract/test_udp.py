"""listenUDP: datagrams sent and received, on both drivers, with sockets of the standard library at the other end."""

import gc
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from tests.contract.datagrams import HOST, Listener, address, free_port, listen, peer
from tests.contract.parts import REAL_REACTORS, Reports
from tests.contract.streams import ByContract, Net, net

from torsion.address import IPv4Address, IPv6Address
from torsion.contract import Reactor
from torsion.error import CannotListenError, InvalidAddressError, MessageLengthError, UnsupportedAddressFamily
from torsion.net.binding import makeBinding
from torsion.net.udp import Port

DRIVERS = {"native": Reactor, "contract": ByContract}


@pytest.fixture(params=DRIVERS)
def here(request: pytest.FixtureRequest, reports: Reports) -> Iterator[Net]:
    with net(DRIVERS[request.param]) as made:
        yield made


@pytest.fixture(params=[*REAL_REACTORS, "contract"])
def everywhere(request: pytest.FixtureRequest, reports: Reports) -> Iterator[Net]:
    """On each reactor, with its own mechanism; natively but for the last."""
    made = Net(REAL_REACTORS[request.param]() if request.param in REAL_REACTORS else ByContract())
    yield made
    made.close()


# Sending and receiving


def test_s076_a_datagram_comes_whole_with_its_sender_and_can_be_answered(here: Net) -> None:
    port, client = listen(here), peer(here)
    port.protocol.on_datagram = lambda data, sender: port.write(data.upper(), sender)
    for data in (b"one", b"", b"x" * 8000):
        client.sendto(data, address(port))
        here.until(lambda data=data: data in port.protocol.received)
        assert client.recvfrom(65536) == (data.upper(), address(port))
    assert port.protocol.received == [b"one", b"", b"x" * 8000]
    assert port.protocol.senders == [client.getsockname()] * 3


def test_s076_every_reactor_receives_and_answers(everywhere: Net) -> None:
    port, client = listen(everywhere), peer(everywhere)
    port.protocol.on_datagram = lambda data, sender: port.write(data, sender)
    client.sendto(b"hello", address(port))
    everywhere.until(lambda: port.protocol.received)
    assert client.recv(100) == b"hello"
    assert port in everywhere.reactor.getReaders()


@pytest.mark.parametrize("data", [bytearray(b"data"), memoryview(b"data")])
def test_s076_what_is_like_bytes_is_sent(here: Net, data: Any) -> None:
    port, client = listen(here), peer(here)
    assert port.write(data, client.getsockname()) == 4
    port.writeSequence([b"da", b"ta"], client.getsockname())
    assert [client.recv(100), client.recv(100)] == [b"data", b"data"]


@pytest.mark.parametrize("data", ["text", None, 5])
def test_s076_what_is_not_bytes_is_refused(here: Net, data: Any) -> None:
    port = listen(here)
    with pytest.raises(TypeError, match="bytes-like"):
        port.write(data, (HOST, 1))
    port.connect(HOST, free_port())
    with pytest.raises(TypeError, match="bytes-like"):
        port.write(data)


def test_s076_longer_datagrams_are_cut(here: Net) -> None:
    port, client = listen(here, maxPacketSize=10), peer(here)
    for data in (b"0123456789abc", b"short"):
        client.sendto(data, address(port))
    here.until(lambda: len(port.protocol.received) == 2)
    assert port.protocol.received == [b"0123456789", b"short"]


def test_s076_a_port_may_take_more_than_the_usual_size(here: Net) -> None:
    port, client = listen(here, maxPacketSize=100_000), peer(here)
    client.sendto(b"x" * 65_507, address(port))
    here.until(lambda: port.protocol.received)
    assert port.protocol.received == [b"x" * 65_507]


@pytest.mark.parametrize(("size", "error"), [(-1, ValueError), ("10", TypeError), (None, TypeError)])
def test_a_size_that_is_none_is_refused_at_once(here: Net, size: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        listen(here, maxPacketSize=size)


def test_s076_one_event_delivers_256_kib_and_empty_datagrams_do_not_count(here: Net) -> None:
    assert Port.maxThroughput == 256 * 1024
    port, client = listen(here), peer(here)
    port.maxThroughput = 1000
    for _ in range(5):
        client.sendto(b"", address(port))
    for _ in range(25):
        client.sendto(b"x" * 100, address(port))
    here.until(lambda: port.protocol.received)
    assert port.protocol.received == [b""] * 5 + [b"x" * 100] * 10
    here.turns(1)
    assert len(port.protocol.received) == 25
    here.turns(1)
    assert len(port.protocol.received) == 30


def test_a_flood_of_empty_datagrams_leaves_others_their_turn(here: Net) -> None:
    """Each one sends the next, so there is always one."""
    port = listen(here)
    port.protocol.on_datagram = port.write
    called: list[int] = []
    here.reactor.callLater(0, called.append, 1)
    port.write(b"", address(port))
    here.until(lambda: called)
    assert 0 < len(port.protocol.received) < 10_000


def test_s076_what_datagramreceived_raises_is_reported_and_the_port_goes_on(here: Net, reports: Reports) -> None:
    port, client = listen(here), peer(here)
    port.protocol.on_datagram = lambda data, sender: 1 // len(data)
    for data in (b"", b"x"):
        client.sendto(data, address(port))
    here.until(lambda: len(port.protocol.received) == 2)
    assert reports.take(ZeroDivisionError) == "Unhandled error in datagramReceived of listener (UDP)"
    assert port.connected


def test_a_protocol_that_replaces_another_is_told(here: Net) -> None:
    port, client, other = listen(here), peer(here), Listener()
    first = port.protocol
    port.protocol = other
    client.sendto(b"for the other", address(port))
    here.until(lambda: other.received)
    assert first.received == []
    port.protocol = first


def test_pausing_in_the_middle_of_an_event_leaves_the_rest_for_later(here: Net) -> None:
    port, client = listen(here), peer(here)
    port.protocol.on_datagram = lambda data, sender: port.pauseProducing()
    for _ in range(3):
        client.sendto(b"x", address(port))
    for count in (1, 2, 3):
        here.until(lambda count=count: len(port.protocol.received) == count)
        here.turns()
        assert len(port.protocol.received) == count
        port.resumeProducing()


def test_a_handler_may_turn_the_reactor(here: Net) -> None:
    port, client = listen(here), peer(here)
    port.protocol.on_datagram = lambda data, sender: here.reactor.iterate(0) if data == b"first" else None
    for data in (b"first", b"second"):
        client.sendto(data, address(port))
    here.until(lambda: len(port.protocol.received) == 2)
    assert sorted(port.protocol.received) == [b"first", b"second"]


# Addresses


@pytest.mark.parametrize("host", ["localhost", "", "example.test", "127.0.0.1\0.x", "1.2.3", "ümlaut", "::1", "::1%lo"])
def test_s076_only_addresses_in_figures_of_the_right_family_are_written_to(here: Net, host: str) -> None:
    with pytest.raises(InvalidAddressError) as raised:
        listen(here).write(b"x", (host, 1))
    assert raised.value.address == host


def test_s076_an_ipv6_port_does_not_write_to_ipv4(here: Net) -> None:
    port = listen(here, interface="::1")
    for host in (HOST, "<broadcast>", "localhost"):
        with pytest.raises(InvalidAddressError):
            port.write(b"x", (host, 1))


@pytest.mark.parametrize(
    ("to", "error"),
    [
        (None, AssertionError),
        ((HOST,), TypeError),
        ((HOST, "80"), TypeError),
        ((HOST, 65536), OverflowError),
        ((HOST, -1), OverflowError),
        ((HOST, 0), OSError),
    ],
)
def test_s076_destinations_that_are_none(here: Net, to: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        listen(here).write(b"x", to)


def test_s076_too_long_a_datagram_is_not_sent_and_the_port_goes_on(here: Net) -> None:
    port, client = listen(here), peer(here)
    for size in (65_508, 70_000):
        with pytest.raises(MessageLengthError, match=r"^Message is too long to send: message too long\.$"):
            port.write(b"x" * size, client.getsockname())
    port.write(b"fits", client.getsockname())
    assert client.recv(100) == b"fits"


def test_s076_ipv6_senders_are_pairs_too(here: Net) -> None:
    port, client = listen(here, interface="::1"), peer(here, socket.AF_INET6, "::1")
    port.protocol.on_datagram = lambda data, sender: port.write(data, sender)
    client.sendto(b"six", address(port))
    here.until(lambda: port.protocol.received)
    assert port.protocol.senders == [client.getsockname()[:2]]
    assert client.recv(100) == b"six"
    assert port.getHost() == IPv6Address("UDP", "::1", address(port)[1])
    assert port.write(b"more", client.getsockname()) == 4  # all four parts of an address


def test_a_sender_that_has_a_scope_shows_it_so_that_it_can_be_answered(here: Net) -> None:
    port = listen(here, interface="::1")
    for scope in (1, 4_000_000_000):
        port.tell(b"x", ("fe80::1", 7, 0, scope))
    assert port.protocol.senders == [(f"fe80::1%{socket.if_indextoname(1)}", 7), ("fe80::1%4000000000", 7)]


def test_its_own_address_and_names(here: Net) -> None:
    port = listen(here)
    number = port.socket.getsockname()[1]
    assert port.getHost() == IPv4Address("UDP", HOST, number)
    assert repr(port) == f"<{Listener} on {number}>"
    assert port.getHandle() is port.socket
    port.stopListening()
    here.turns()
    assert repr(port) == f"<{Listener} not connected>"


def test_s044_its_events_are_logged_under_the_protocols_name(here: Net) -> None:
    class Plain:
        def makeConnection(self, transport: Any) -> None: ...
        def doStop(self) -> None: ...

    assert listen(here).logPrefix() == "listener (UDP)"
    assert listen(here, Plain()).logPrefix() == "Plain (UDP)"


# Connected ports


def test_s076_a_connected_port_has_one_peer(here: Net) -> None:
    port, client, other = listen(here), peer(here), peer(here)
    port.connect(*client.getsockname())
    assert port.write(b"to the peer") == 11
    assert port.write(b"again", client.getsockname()) == 5
    assert [client.recv(100), client.recv(100)] == [b"to the peer", b"again"]
    with pytest.raises(AssertionError, match="cannot write to"):
        port.write(b"x", other.getsockname())
    with pytest.raises(RuntimeError, match="already"):
        port.connect(*other.getsockname())
    other.sendto(b"from a stranger", address(port))
    client.sendto(b"from the peer", address(port))
    here.until(lambda: port.protocol.received)
    assert port.protocol.received == [b"from the peer"]


@pytest.mark.parametrize("host", ["localhost", "<broadcast>", "", "::1"])
def test_s076_a_port_is_connected_to_an_address_in_figures(here: Net, host: str) -> None:
    port = listen(here)
    with pytest.raises(InvalidAddressError):
        port.connect(host, 1)
    port.connect(HOST, 1)  # it was not connected by that


def test_an_ipv6_port_is_connected(here: Net) -> None:
    port, client = listen(here, interface="::1"), peer(here, socket.AF_INET6, "::1")
    port.connect("::1", client.getsockname()[1])
    port.write(b"six")
    assert client.recv(100) == b"six"


def test_a_port_that_cannot_be_connected_is_none_the_less_for_it(here: Net) -> None:
    port, client = listen(here), peer(here)
    with pytest.raises(OverflowError):
        port.connect(HOST, 65536)
    port.write(b"x", client.getsockname())
    assert client.recv(10) == b"x"


# Refusals


def test_s076_a_refusal_is_nothing_to_a_port_without_a_peer(here: Net) -> None:
    port, client = listen(here), peer(here)
    for _ in range(3):
        port.write(b"x", (HOST, free_port()))
        here.turns()
    client.sendto(b"still there", address(port))
    here.until(lambda: port.protocol.received)
    assert port.protocol.told == ["start"]


def test_s076_a_refusal_that_comes_by_itself_is_told_and_the_port_goes_on(everywhere: Net) -> None:
    """Where the kernel reports no more than that there is an error, too."""
    port = listen(everywhere)
    number = free_port()
    port.connect(HOST, number)
    for count in (1, 2):
        port.write(b"x")
        everywhere.until(lambda count=count: port.protocol.told.count("refused") == count)
    client = everywhere.opened(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    client.bind((HOST, number))
    client.sendto(b"now there is one", address(port))
    everywhere.until(lambda: port.protocol.received)
    assert port.connected


def test_s076_a_refusal_that_a_write_meets_is_told_then(here: Net) -> None:
    port = listen(here)
    port.connect(HOST, free_port())
    assert port.write(b"x") == 1
    assert port.write(b"y") is None
    assert port.protocol.told == ["start", "refused"]


def test_s076_what_connectionrefused_raises_is_reported_and_the_port_goes_on(here: Net, reports: Reports) -> None:
    port = listen(here)
    port.connect(HOST, free_port())
    port.protocol.on_refused = lambda: 1 // 0
    port.write(b"x")
    here.until(lambda: "refused" in port.protocol.told)
    assert reports.take(ZeroDivisionError) == "Unhandled error in connectionRefused of listener (UDP)"
    assert port.connected


def test_s076_connectionrefused_may_close_the_port(here: Net) -> None:
    port = listen(here)
    port.connect(HOST, free_port())
    port.protocol.on_refused = port.stopListening
    port.write(b"x")
    here.until(lambda: not port.connected)
    assert port.protocol.told == ["start", "refused", "stop, transport None"]


# Closing


def test_s076_stopping_fires_on_a_later_pass_when_the_protocol_has_been_stopped(here: Net) -> None:
    port = listen(here)
    fired: list[Any] = []
    for _ in range(2):
        stopping = port.stopListening()
        stopping.addCallback(lambda result: fired.append((result, *port.protocol.told, port.protocol.transport)))
    assert fired == []
    here.turns(1)
    assert fired == [(None, "start", "stop, transport None", None)] * 2
    assert port.stopListening() is None
    assert port.loseConnection() is None
    assert (port.connected, port.disconnected, port.disconnecting, port.fileno()) == (0, 1, 0, -1)
    assert port not in here.reactor.getReaders()


def test_s098_a_closed_port_has_no_socket(here: Net) -> None:
    port = listen(here)
    port.loseConnection()
    here.turns()
    for use in (
        port.getHost,
        port.getHandle,
        port.getBroadcastAllowed,
        lambda: port.write(b"x", (HOST, 1)),
        lambda: port.connect(HOST, 1),
    ):
        with pytest.raises(AttributeError):
            use()
    port.stopReading()
    port.pauseProducing()
    port.resumeProducing()


def test_s076_stopping_in_datagramreceived_delivers_no_more(here: Net) -> None:
    port, client = listen(here), peer(here)
    port.protocol.on_datagram = lambda data, sender: port.stopListening()
    for _ in range(3):
        client.sendto(b"x", address(port))
    here.until(lambda: not port.connected)
    assert port.protocol.received == [b"x"]
    assert port.protocol.told == ["start", "stop, transport None"]


def test_connectionlost_in_datagramreceived_closes_it_there_and_then(here: Net) -> None:
    port, client = listen(here), peer(here)
    port.protocol.on_datagram = lambda data, sender: port.connectionLost()
    for _ in range(3):
        client.sendto(b"x", address(port))
    here.until(lambda: not port.connected)
    here.turns()
    assert port.protocol.received == [b"x"]


def test_a_closed_port_opens_again(here: Net) -> None:
    port, client = listen(here), peer(here)
    for data in (b"one", b"two"):
        client.sendto(data, address(port))
        here.until(lambda data=data: data in port.protocol.received)
        port.stopListening().addCallback(lambda _: port.startListening())
        here.turns(1)
        assert port.connected
    with pytest.raises(AssertionError, match="already"):
        port.startListening()


def test_a_stopprotocol_that_raises_is_told_to_who_waits(here: Net) -> None:
    class Bad(Listener):
        def stopProtocol(self) -> None:
            raise ZeroDivisionError

    port = listen(here, Bad())
    failed: list[Any] = []
    port.stopListening().addErrback(lambda reason: failed.append(reason.type))
    here.turns(2)
    assert failed == [ZeroDivisionError]
    assert port.fileno() == -1


@pytest.mark.parametrize("raising", [False, True])
def test_who_waits_is_told_whatever_an_override_of_connectionlost_does(here: Net, raising: bool) -> None:
    class Own(Port):
        def connectionLost(self, reason: Any = None) -> None:
            self.connected = 0
            self.socket.close()
            if raising:
                raise ZeroDivisionError

    port = Own(0, Listener(), HOST, reactor=here.reactor)
    port.startListening()
    fired: list[Any] = []
    port.stopListening().addErrback(lambda reason: reason.type).addCallback(fired.append)
    here.turns(2)
    assert fired == [ZeroDivisionError if raising else None]


def test_the_shutdown_of_the_reactor_stops_the_protocol(here: Net) -> None:
    port = listen(here)
    here.reactor.disconnectAll()
    assert port.protocol.told == ["start", "stop, transport None"]


# Opening


def test_startprotocol_may_use_the_port_and_close_it(here: Net) -> None:
    protocol, client = Listener(), peer(here)

    def start() -> None:
        protocol.transport.write(b"started", client.getsockname())
        protocol.transport.stopListening()

    protocol.on_start = start
    port = listen(here, protocol)
    assert client.recv(100) == b"started"
    assert port not in here.reactor.getReaders()
    here.turns()
    assert protocol.told == ["start", "stop, transport None"]


def test_what_startprotocol_raises_comes_from_listenudp_and_nothing_stays_open(
    here: Net, no_leaks: Callable[[], AbstractContextManager[None]]
) -> None:
    protocol = Listener()
    protocol.on_start = lambda: 1 // 0
    with pytest.raises(ZeroDivisionError):
        listen(here, protocol)
    assert protocol.transport is None
    with no_leaks():
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                listen(here, protocol)
    protocol.on_start = lambda: None
    listen(here, protocol)


def test_a_protocol_is_on_one_transport_at_a_time(here: Net) -> None:
    port = listen(here)
    with pytest.raises(AssertionError):
        listen(here, port.protocol)
    assert port.protocol.transport is port


def test_a_port_that_is_taken(here: Net) -> None:
    number = address(listen(here))[1]
    with pytest.raises(CannotListenError) as raised:
        here.reactor.listenUDP(number, Listener(), HOST)
    assert (raised.value.interface, raised.value.port) == (HOST, number)
    assert "in use" in str(raised.value)


@pytest.mark.parametrize("interface", ["localhost", "<broadcast>", "999.1.1.1", "x"])
def test_s076_an_interface_is_an_address_in_figures(here: Net, interface: str) -> None:
    with pytest.raises(InvalidAddressError):
        listen(here, interface=interface)


@pytest.mark.parametrize(
    ("number", "error"), [(-1, OverflowError), (65536, OverflowError), ("80", TypeError), (1.5, TypeError)]
)
def test_ports_that_are_none(
    here: Net, number: Any, error: type[Exception], no_leaks: Callable[[], AbstractContextManager[None]]
) -> None:
    for _ in range(2):
        with no_leaks(), pytest.raises(error):
            here.reactor.listenUDP(number, Listener(), HOST)


def test_several_ports_share_a_number_if_their_binding_says_so(here: Net) -> None:
    first = here.reactor.listenUDP(makeBinding(HOST, 0, reusePort=True), Listener())
    second = here.reactor.listenUDP(makeBinding(HOST, address(first)[1], reusePort=True), Listener())
    assert address(first) == address(second)
    clients = [peer(here) for _ in range(50)]
    for client in clients:
        client.sendto(b"x", address(first))
    here.until(lambda: len(first.protocol.received) + len(second.protocol.received) == 50)
    assert first.protocol.received and second.protocol.received
    with pytest.raises(ValueError, match="two interfaces"):
        here.reactor.listenUDP(makeBinding(HOST, 0), Listener(), "127.0.0.2")


def test_broadcast_is_allowed_on_demand(here: Net) -> None:
    port = listen(here, interface="")
    assert port.getBroadcastAllowed() is False
    for host in ("255.255.255.255", "<broadcast>"):
        with pytest.raises(PermissionError):
            port.write(b"x", (host, 9))
    port.setBroadcastAllowed(True)
    assert port.getBroadcastAllowed() is True
    assert port.write(b"x", ("127.255.255.255", 9)) == 1
    port.setBroadcastAllowed(False)
    assert port.getBroadcastAllowed() is False


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, HOST), (socket.AF_INET6, "::1")])
def test_s101_a_descriptor_is_adopted_by_a_duplicate(here: Net, family: int, host: str) -> None:
    made, client = peer(here, family, host), peer(here, family, host)
    where = made.getsockname()[:2]
    made.setblocking(True)
    port = here.reactor.adoptDatagramPort(made.fileno(), family, Listener(), maxPacketSize=3)
    made.close()
    assert address(port) == where
    client.sendto(b"adopted", where)
    here.until(lambda: port.protocol.received)
    assert port.protocol.received == [b"ado"]
    assert port.maxPacketSize == 3


@pytest.mark.parametrize("family", [socket.AF_UNIX, socket.AF_PACKET, -1])
def test_s101_other_families_are_not_adopted(here: Net, family: int) -> None:
    with pytest.raises(UnsupportedAddressFamily):
        here.reactor.adoptDatagramPort(0, family, Listener())


# Nothing stays


def test_ports_leave_nothing_behind(here: Net, no_leaks: Callable[[], AbstractContextManager[None]]) -> None:
    def use() -> None:
        server, client = listen(here), listen(here)
        client.connect(*address(server))
        server.protocol.on_datagram = server.write
        client.write(b"x")
        here.until(lambda: client.protocol.received)
        refused = listen(here)
        refused.connect(HOST, free_port())
        refused.write(b"x")
        here.until(lambda: "refused" in refused.protocol.told)
        for port in (server, client, refused):
            port.stopListening()
        here.turns()
        server.protocol.on_datagram = None

    use()
    gc.collect()
    with no_leaks():
        for _ in range(20):
            use()


def test_many_datagrams_arrive_and_are_answered(here: Net) -> None:
    server, client = listen(here), listen(here)
    server.protocol.on_datagram = lambda data, sender: server.write(data, sender)
    to, count, burst = address(server), 5000, 50
    for sent in range(0, count, burst):
        for number in range(sent, sent + burst):
            client.write(b"%d" % number, to)
        here.until(lambda sent=sent: len(client.protocol.received) == sent + burst)
    assert server.protocol.received == [b"%d" % number for number in range(count)]
    assert client.protocol.received == server.protocol.received
