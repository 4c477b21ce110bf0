"""listenTCP: ports, what accepting does in trouble, and descriptors made elsewhere (73-75, 101)."""

import errno
import os
import resource
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from tests.contract.parts import Reports
from tests.contract.streams import ByContract, Makers, Net, Recorder, net

from torsion.address import IPv4Address, IPv6Address
from torsion.contract import Reactor
from torsion.error import CannotListenError, UnsupportedAddressFamily
from torsion.net import listener, tcp
from torsion.net.binding import makeBinding


@pytest.fixture(params=[Reactor, ByContract], ids=["native", "contract"])
def here(request: pytest.FixtureRequest, reports: Reports) -> Iterator[Net]:
    with net(request.param) as made:
        yield made


def listen(here: Net, factory: Makers, **options: Any) -> Any:
    return here.reactor.listenTCP(0, factory, interface="127.0.0.1", **options)


def test_s073_listening_starts_the_factory_and_stopping_stops_it(here: Net) -> None:
    factory = Makers()
    first, second = listen(here, factory), listen(here, factory)
    assert factory.told == ["start", "start"]
    fired: list[Any] = []
    first.stopListening().addBoth(fired.append)
    assert fired == []
    here.turns(1)
    assert fired == [None]
    assert factory.told == ["start", "start", "stop"]
    second.stopListening()
    here.turns(1)
    assert factory.told[-1] == "stop"
    assert first.fileno() == -1


def test_s073_a_second_stoplistening_fires_with_the_first(here: Net) -> None:
    port = listen(here, Makers())
    fired: list[Any] = []
    port.stopListening().addBoth(fired.append)
    port.stopListening().addBoth(fired.append)
    here.turns(2)
    assert fired == [None, None]
    assert port.stopListening() is None


def test_s073_if_an_override_of_connectionlost_raises_who_waits_is_told(here: Net) -> None:
    port = listen(here, Makers())
    close = port.connectionLost
    port.connectionLost = lambda reason: 1 // 0
    failed: list[Any] = []
    port.stopListening().addErrback(failed.append)
    here.turns(1)
    assert [type(failure.value) for failure in failed] == [ZeroDivisionError]
    close(failed[0])


def test_s073_a_port_that_is_taken(here: Net) -> None:
    taken = here.opened(socket.create_server(("127.0.0.1", 0)))
    factory = Makers()
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(CannotListenError) as caught:
        here.reactor.listenTCP(taken.getsockname()[1], factory, interface="127.0.0.1")
    assert caught.value.socketError.errno == errno.EADDRINUSE
    assert factory.told == []
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize(("port", "error"), [(99999, OverflowError), ("80", AssertionError)])
def test_s073_ports_that_are_none(here: Net, port: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        here.reactor.listenTCP(port, Makers())


def test_s073_addresses_are_reused_by_default_and_as_the_binding_says(here: Net) -> None:
    def reuse(port: Any) -> tuple[bool, bool]:
        get = port.socket.getsockopt
        return bool(get(socket.SOL_SOCKET, socket.SO_REUSEADDR)), bool(get(socket.SOL_SOCKET, socket.SO_REUSEPORT))

    assert reuse(listen(here, Makers())) == (True, False)
    for asked in ((False, True), (True, True), (False, False)):
        assert reuse(here.reactor.listenTCP(makeBinding("127.0.0.1", 0, *asked), Makers())) == asked
    with pytest.raises(ValueError):
        here.reactor.listenTCP(makeBinding("127.0.0.1"), Makers(), interface="127.0.0.2")


def test_s073_established_connections_survive(here: Net) -> None:
    protocol, peer = here.accept()  # which has stopped listening
    peer.sendall(b"data")
    here.until(lambda: protocol.received == b"data")


def test_s073_a_buildprotocol_that_raises_is_reported_and_the_connection_closed(here: Net, reports: Reports) -> None:
    factory = Makers(ValueError("no protocol"))
    port = listen(here, factory)
    peer = here.peer(port.getHost().port)
    assert here.read(peer, 1) == b""
    reports.take(ValueError)
    second = here.peer(port.getHost().port)
    here.until(lambda: factory.built)
    assert second.getpeername()[1] == port.getHost().port


def test_s073_no_protocol_closes_the_connection(here: Net) -> None:
    factory = Makers()
    factory.buildProtocol = lambda address: None  # type: ignore[method-assign]
    peer = here.peer(listen(here, factory).getHost().port)
    assert here.read(peer, 1) == b""


def test_s073_a_connectionmade_that_raises_is_reported_and_the_connection_stays(here: Net, reports: Reports) -> None:
    protocol = Recorder()

    def fail() -> None:
        raise ValueError

    protocol.on_made = fail
    peer = here.peer(listen(here, Makers(protocol)).getHost().port)
    peer.sendall(b"data")
    here.until(lambda: protocol.received == b"data")
    reports.take(ValueError)
    assert protocol.told == ["made"]


def test_s075_a_server_reads_before_the_protocol_is_connected(here: Net) -> None:
    protocol = Recorder()
    reading: list[bool] = []
    protocol.on_made = lambda: reading.append(protocol.transport in here.reactor.getReaders())
    here.accept(protocol)
    assert reading == [True]


def test_ipv6(here: Net) -> None:
    factory = Makers()
    port = here.reactor.listenTCP(0, factory, interface="::1")
    assert port.getHost() == IPv6Address("TCP", "::1", port.getHost().port)
    peer = here.opened(socket.create_connection(("::1", port.getHost().port)))
    here.until(lambda: factory.built)
    transport = factory.built[0].transport
    assert factory.addresses == [IPv6Address("TCP", "::1", peer.getsockname()[1])]
    assert transport.getPeer() == factory.addresses[0]
    assert transport.getHost() == port.getHost()


# Accepting


class Listening:
    """A listening socket that is scripted: connections or errnos, then EAGAIN."""

    def __init__(self, *script: int) -> None:
        self.script = list(script)
        self.ends: list[socket.socket] = []

    def accept(self) -> Any:
        what = self.script.pop(0) if self.script else errno.EAGAIN
        if what:
            raise OSError(what, os.strerror(what))
        mine, other = socket.socketpair()
        self.ends.append(other)
        return mine, ("127.0.0.1", 5)

    def fileno(self) -> int:
        return -1

    def close(self) -> None:
        for end in self.ends:
            end.close()


@pytest.fixture
def scripted(here: Net) -> Iterator[Any]:
    made: list[Any] = []

    def with_script(*script: int) -> Any:
        port = listen(here, Makers())
        port.stopReading()
        real, port.socket = port.socket, Listening(*script)
        made.append((port, real))
        return port

    yield with_script
    for port, real in made:
        for protocol in port.factory.built:
            protocol.transport.abortConnection()
        real.close()
        port.socket.close()
    here.turns()


def test_s074_the_batch_grows_and_shrinks_with_what_waits(scripted: Any) -> None:
    port = scripted(*[0] * 130)
    assert port.numberAccepts == 100
    port.doRead()
    assert (len(port.factory.built), port.numberAccepts) == (100, 120)
    port.doRead()
    assert (len(port.factory.built), port.numberAccepts) == (130, 30)
    port.doRead()
    assert port.numberAccepts == 1


def test_s074_eperm_is_passed_over(scripted: Any) -> None:
    port = scripted(errno.EPERM, 0, errno.EPERM, 0)
    port.doRead()
    assert len(port.factory.built) == 2


@pytest.mark.parametrize("error", [errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.ECONNABORTED])
def test_s074_trouble_is_reported_and_ends_the_batch(scripted: Any, reports: Reports, error: int) -> None:
    port = scripted(0, error, 0)
    port.doRead()
    assert len(port.factory.built) == 1
    ((text, _),) = reports
    assert errno.errorcode[error] in text
    reports.clear()
    port.doRead()
    assert len(port.factory.built) == 2


def test_s074_a_factory_may_stop_listening_in_the_middle_of_a_batch(here: Net) -> None:
    factory = Makers()
    port = listen(here, factory)
    build = factory.buildProtocol

    def stop(address: Any) -> Any:
        port.stopListening()
        return build(address)

    factory.buildProtocol = stop  # type: ignore[method-assign]
    for _ in range(3):
        here.peer(port.getHost().port)
    here.until(lambda: factory.built)
    here.turns()
    assert len(factory.built) == 1


def test_s074_out_of_descriptors_those_who_wait_are_closed_and_the_loop_goes_on(here: Net, reports: Reports) -> None:
    factory = Makers()
    port = listen(here, factory)
    peers = [here.peer(port.getHost().port) for _ in range(3)]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(map(int, os.listdir("/proc/self/fd")))
    fillers = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1, hard))
    try:
        try:
            while True:
                fillers.append(os.open(os.devnull, os.O_RDONLY))
        except OSError:
            pass
        here.turns()
    finally:
        for fd in fillers:
            os.close(fd)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    ((text, _),) = reports
    assert "3 that waited" in text
    reports.clear()
    assert [peer.recv(1) for peer in peers] == [b""] * 3
    assert factory.built == []
    later = here.peer(port.getHost().port)
    here.until(lambda: factory.built)
    assert later.fileno() >= 0


def test_s074_that_nothing_can_be_accepted_is_said_once_until_it_can_be_again(here: Net, reports: Reports) -> None:
    factory = Makers()
    port = listen(here, factory)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for time in (1, 2):
        first, second = (here.opened(socket.socket()) for _ in range(2))
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))  # less than are open: the reserve is of no use
        try:
            for peer in (first, second):
                peer.connect(("127.0.0.1", port.getHost().port))
                here.turns(20)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        here.until(lambda time=time: len(factory.built) == 2 * time)
        assert listener.RESERVE.available()
        texts = [text for text, _ in reports]
        reports.clear()
        assert [text.partition(":")[0].partition(" to ")[0] for text in texts] == [
            "Could not take a descriptor in reserve",
            "Could not accept a connection",
        ]


@pytest.mark.parametrize("error", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM])
def test_s074_trouble_that_stays_is_reported_again_when_it_comes_back(
    scripted: Any, reports: Reports, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    if error == errno.EMFILE:
        monkeypatch.setattr(listener, "RESERVE", listener.Reserve(listener.Held))
    port = scripted(error, error, 0, error)
    for reported in (1, 1, 1, 2):
        port.doRead()
        assert len(reports) == reported
    assert len(port.factory.built) == 1
    reports.clear()


def test_a_thousand_connections_at_once(here: Net) -> None:
    factory = Makers()
    port = listen(here, factory, backlog=1000)
    peers = [here.peer(port.getHost().port) for _ in range(300)]
    here.until(lambda: len(factory.built) == 300)
    for peer in peers:
        peer.close()
    here.until(lambda: all("lost" in protocol.told for protocol in factory.built))


# Descriptors made elsewhere


def test_s101_an_adopted_port_duplicates_and_leaves_the_original_alone(here: Net) -> None:
    mine = here.opened(socket.create_server(("127.0.0.1", 0)))
    factory = Makers()
    port = here.reactor.adoptStreamPort(mine.fileno(), socket.AF_INET, factory)
    assert port.fileno() != mine.fileno()
    assert port.getHost() == IPv4Address("TCP", *mine.getsockname())
    here.peer(port.getHost().port)
    here.until(lambda: factory.built)
    port.stopListening()
    here.turns()
    here.peer(mine.getsockname()[1])
    mine.accept()[0].close()


def test_s101_an_adopted_connection_duplicates(here: Net) -> None:
    mine, other = socket.socketpair(socket.AF_UNIX)
    mine.close()
    other.close()
    server = here.opened(socket.create_server(("127.0.0.1", 0)))
    peer = here.peer(server.getsockname()[1])
    accepted = here.opened(server.accept()[0])
    factory = Makers()
    transport = here.reactor.adoptStreamConnection(accepted.fileno(), socket.AF_INET, factory)
    accepted.close()
    protocol = factory.built[0]
    assert protocol.transport is transport
    assert factory.addresses == [IPv4Address("TCP", *peer.getsockname())]
    peer.sendall(b"data")
    here.until(lambda: protocol.received == b"data")
    transport.write(b"answer")
    assert here.read(peer, 6) == b"answer"


def test_s101_an_unknown_family(here: Net) -> None:
    with pytest.raises(UnsupportedAddressFamily):
        here.reactor.adoptStreamPort(0, 12345, Makers())
    with pytest.raises(UnsupportedAddressFamily):
        here.reactor.adoptStreamConnection(0, 12345, Makers())


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_UNIX])
@pytest.mark.parametrize("what", ["adoptStreamPort", "adoptStreamConnection"])
def test_s101_what_cannot_be_adopted_leaves_nothing_open(here: Net, no_leaks: Any, family: int, what: str) -> None:
    # No socket at all, and one that is neither connected nor of that family: for a UNIX port, an IPv4 socket.
    with open(os.devnull) as file, socket.socket() as unconnected:
        useless = [file.fileno()]
        if what == "adoptStreamConnection" or family == socket.AF_UNIX:
            useless.append(unconnected.fileno())

        def use() -> None:
            for descriptor in useless:
                with pytest.raises((OSError, TypeError)):
                    getattr(here.reactor, what)(descriptor, family, Makers())

        use()
        with no_leaks():
            use()


@pytest.mark.parametrize("taken", [False, True])
def test_a_transport_that_cannot_be_made_closes_its_connection(here: Net, reports: Reports, taken: bool) -> None:
    class Broken(tcp.Server):
        def __init__(self, *arguments: Any) -> None:
            if taken:
                super().__init__(*arguments)
            raise ZeroDivisionError

    class Port(tcp.Port):
        transport = Broken

    factory = Makers()
    port = Port(0, factory, interface="127.0.0.1", reactor=here.reactor)
    port.startListening()
    here.turns()
    before = set(os.listdir("/proc/self/fd"))
    watched = here.reactor.getReaders()
    peer = here.peer(port.getHost().port)
    assert here.read(peer, 1) == b""
    peer.close()
    assert reports.take(ZeroDivisionError)
    assert factory.built[0].told == []
    assert here.reactor.getReaders() == watched
    assert set(os.listdir("/proc/self/fd")) == before


def test_a_factory_that_cannot_be_started_leaves_no_port(here: Net) -> None:
    class Broken(Makers):
        def doStart(self) -> None:
            raise ZeroDivisionError

    listening: list[Any] = []
    place = tcp.Port._place

    class Port(tcp.Port):
        def _place(self, skt: Any) -> Any:
            listening.append(skt)
            return place(self, skt)

    port = Port(0, Broken(), interface="127.0.0.1", reactor=here.reactor)
    with pytest.raises(ZeroDivisionError):
        port.startListening()
    assert [skt.fileno() for skt in listening] == [-1]
    assert repr(port) == f"<{Port} of {Broken} (not listening)>"


def test_s101_an_adopted_connection_for_which_no_protocol_can_be_built_is_closed(here: Net) -> None:
    listening = here.opened(socket.create_server(("127.0.0.1", 0)))
    peer = here.peer(listening.getsockname()[1])
    accepted, _ = listening.accept()
    with pytest.raises(ZeroDivisionError):
        here.reactor.adoptStreamConnection(accepted.fileno(), socket.AF_INET, Makers(ZeroDivisionError()))
    accepted.close()
    assert peer.recv(1) == b""


def test_a_reserve_that_was_lost_is_taken_again_when_a_connection_could_be_accepted(here: Net) -> None:
    factory = Makers()
    port = listen(here, factory)
    listener.RESERVE._held.close()
    listener.RESERVE._held = None  # as if there had been none left when it was to be taken back
    here.peer(port.getHost().port)
    here.until(lambda: factory.built)
    assert listener.RESERVE.available()


def test_each_connection_has_its_own_peer(here: Net) -> None:
    """Also those of other hosts in between: what was known of the last one is not the next one's."""
    factory = Makers()
    port = listen(here, factory)
    hosts = ["127.0.0.1", "127.0.0.2", "127.0.0.2", "127.0.0.1", "127.1.2.3"]
    peers = [here.opened(socket.socket()) for _ in hosts]
    for host, peer in zip(hosts, peers, strict=True):
        peer.bind((host, 0))
        peer.connect(("127.0.0.1", port.getHost().port))
    here.until(lambda: len(factory.built) == len(peers))
    named = [peer.getsockname() for peer in peers]
    assert factory.addresses == [IPv4Address("TCP", *each) for each in named]
    assert [protocol.transport.client for protocol in factory.built] == named
    for protocol in factory.built:
        protocol.transport.abortConnection()
    here.turns()
    assert [protocol.transport.getPeer() for protocol in factory.built] == factory.addresses
    assert [protocol.transport.hostname for protocol in factory.built] == hosts


def test_a_port_that_is_opened_anew_by_whom_it_accepts_accepts_at_its_new_socket(here: Net, reports: Reports) -> None:
    first = Recorder()
    factory = Makers(first)
    port = listen(here, factory)

    def again() -> None:
        port.connectionLost(None)
        port.startListening()

    first.on_made = again
    here.peer(port.getHost().port)
    here.until(lambda: first.told)
    here.peer(port.getHost().port)
    here.until(lambda: len(factory.built) == 2)
    assert [protocol.transport.sessionno for protocol in factory.built] == [0, 1]
    assert port.sessionno == 2


def test_connections_are_numbered_on_from_the_number_that_is_set(here: Net) -> None:
    factory = Makers()
    port = listen(here, factory)
    assert port.sessionno == 0
    port.sessionno = 7
    for _ in range(2):
        here.peer(port.getHost().port)
    here.until(lambda: len(factory.built) == 2)
    assert [protocol.transport.sessionno for protocol in factory.built] == [7, 8]
