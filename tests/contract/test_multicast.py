"""listenMulticast: groups joined and left over the loopback interface, IPv4 and IPv6, on both drivers."""

import errno
import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from tests.contract.datagrams import HOST, Listener, address, peer
from tests.contract.parts import Reports, run
from tests.contract.streams import ByContract, Net, net

from torsion import interfaces
from torsion.address import IPv6Address
from torsion.contract import Reactor
from torsion.core.deferred import Deferred, fail, succeed
from torsion.error import DNSLookupError, MulticastJoinError
from torsion.net.multicast import interface_number

DRIVERS = {"native": Reactor, "contract": ByContract}
# Of this process alone: a system gives a port what comes for any IPv4 group that somebody on it has joined.
GROUP, OTHER = (f"239.{255 - k}.{os.getpid() >> 8 & 255}.{os.getpid() & 255}" for k in range(2))
GROUP6 = "ff01::7676"
LOOPBACK = socket.if_nametoindex("lo") if "lo" in [name for _, name in socket.if_nameindex()] else 1


@pytest.fixture(params=DRIVERS)
def here(request: pytest.FixtureRequest, reports: Reports) -> Iterator[Net]:
    with net(DRIVERS[request.param]) as made:
        yield made


def listen(here: Net, port: int = 0, interface: str = "", **options: Any) -> Any:
    return here.reactor.listenMulticast(port, Listener(), interface, **options)


def result(deferred: Deferred) -> Any:
    """What a Deferred that has fired has fired with; an exception if that was a failure."""
    fired: list[Any] = []
    deferred.addErrback(lambda reason: reason.value).addCallback(fired.append)
    (value,) = fired
    return value


def test_s076_a_group_that_was_joined_is_heard_until_it_is_left(here: Net) -> None:
    port, sender = listen(here), listen(here)
    assert result(sender.setOutgoingInterface(HOST)) == 1
    number = address(port)[1]
    assert result(port.joinGroup(GROUP, HOST)) is None
    sender.write(b"to the group", (GROUP, number))
    here.until(lambda: port.protocol.received)
    assert result(port.leaveGroup(GROUP, HOST)) is None
    sender.write(b"not heard", (GROUP, number))
    sender.write(b"heard", (HOST, number))
    here.until(lambda: b"heard" in port.protocol.received)
    assert port.protocol.received == [b"to the group", b"heard"]


def test_s076_an_ipv6_group_is_heard_and_its_sender_answered(here: Net) -> None:
    port, sender = listen(here, interface="::"), listen(here, interface="::")
    assert result(port.joinGroup(GROUP6)) is None
    port.protocol.on_datagram = lambda data, source: port.write(data.upper(), source)
    try:
        sender.write(b"to the group", (GROUP6, address(port)[1]))
    except OSError as error:  # a machine that has loopback alone cannot send to IPv6 groups
        assert error.errno in (errno.ENETUNREACH, errno.EADDRNOTAVAIL)
    else:
        here.until(lambda: sender.protocol.received)
        assert sender.protocol.received == [b"TO THE GROUP"]
    assert result(port.leaveGroup(GROUP6)) is None
    assert result(port.joinGroup(GROUP6, LOOPBACK)) is None
    assert result(port.leaveGroup(GROUP6, LOOPBACK)) is None


def test_the_sender_itself_hears_what_it_sends(here: Net) -> None:
    port = listen(here)
    result(port.setOutgoingInterface(HOST))
    result(port.joinGroup(GROUP, HOST))
    to = GROUP, address(port)[1]
    assert port.getLoopbackMode() is True
    port.write(b"heard", to)
    here.until(lambda: port.protocol.received)
    assert port.protocol.received == [b"heard"]


@pytest.mark.parametrize("interface", ["", "::"])
def test_how_far_it_sends(here: Net, interface: str) -> None:
    port = listen(here, interface=interface)
    assert port.getTTL() == 1
    for ttl in (0, 255):
        port.setTTL(ttl)
        assert port.getTTL() == ttl
    for wrong in (-1, 256):
        with pytest.raises(ValueError, match=f"from 0 to 255, not {wrong}"):
            port.setTTL(wrong)


@pytest.mark.parametrize("interface", ["", "::"])
def test_whether_it_hears_itself(here: Net, interface: str) -> None:
    port = listen(here, interface=interface)
    assert port.getLoopbackMode() is True
    for mode in (0, 1, False, True):
        port.setLoopbackMode(mode)
        assert port.getLoopbackMode() is bool(mode)


def test_which_interface_it_sends_through(here: Net) -> None:
    port = listen(here)
    assert port.getOutgoingInterface() == "0.0.0.0"
    assert result(port.setOutgoingInterface(HOST)) == 1
    assert port.getOutgoingInterface() == HOST
    assert isinstance(result(port.setOutgoingInterface("192.0.2.1")), OSError)
    assert isinstance(result(port.setOutgoingInterface(1)), AssertionError)
    assert port.getOutgoingInterface() == HOST


def test_interfaces_of_ipv6(here: Net) -> None:
    port = listen(here, interface="::")
    assert port.getOutgoingInterface() == 0
    name = socket.if_indextoname(LOOPBACK)
    for interface in (name, f"fe80::1%{name}", f"fe80::1%{LOOPBACK}"):
        result(port.setOutgoingInterface(0))
        assert result(port.setOutgoingInterface(interface)) == 1
        assert port.getOutgoingInterface() == LOOPBACK
    assert [interface_number(each) for each in ("", "::", "::1", 7)] == [0, 0, 0, 7]
    assert result(port.setOutgoingInterface("no such")).errno == errno.ENODEV
    assert isinstance(result(port.joinGroup(GROUP6, "no such")), MulticastJoinError)


def test_s076_a_group_that_cannot_be_joined(here: Net) -> None:
    port, six = listen(here), listen(here, interface="::")
    assert result(port.joinGroup("127.0.0.1", HOST)).args == ("127.0.0.1", HOST, errno.EINVAL, "Invalid argument")
    for failing in (
        port.leaveGroup(GROUP, HOST),  # not joined
        port.joinGroup(GROUP6),
        six.joinGroup(GROUP),
        six.joinGroup("::1"),
        port.joinGroup(GROUP, "192.0.2.1"),
    ):
        assert isinstance(result(failing), MulticastJoinError)
    result(port.joinGroup(GROUP, HOST))
    assert isinstance(result(port.joinGroup(GROUP, HOST)), MulticastJoinError)
    with pytest.raises(TypeError):
        port.joinGroup(5)


class Names:
    """A resolver that knows some names. Contract: IHostnameResolver."""

    def __init__(self, **known: list[str]) -> None:
        self.known = known
        self.asked: list[Any] = []

    def resolveHostName(
        self, receiver: Any, name: str, port: int = 0, types: Any = None, semantics: str = "TCP"
    ) -> None:
        self.asked.append((name, types, semantics))
        receiver.resolutionBegan(None)
        for host in self.known.get(name, []):
            receiver.addressResolved(IPv6Address("UDP", host, port))
        receiver.resolutionComplete()


def test_s076_groups_and_interfaces_may_be_names(here: Net) -> None:
    known = {"the-group": GROUP, "the-interface": HOST}
    here.reactor.resolve = lambda name, timeout=(): (  # type: ignore[method-assign]
        succeed(known[name]) if name in known else fail(DNSLookupError(name))
    )
    port = listen(here)
    assert result(port.joinGroup("the-group", "the-interface")) is None
    assert result(port.leaveGroup(GROUP, HOST)) is None
    assert result(port.setOutgoingInterface("the-interface")) == 1
    for failing in (port.joinGroup("unknown"), port.joinGroup(GROUP, "unknown"), port.setOutgoingInterface("unknown")):
        assert isinstance(result(failing), DNSLookupError)


def test_names_of_ipv6_groups_are_asked_of_the_name_resolver(here: Net) -> None:
    names = Names(six=[GROUP6, "ff01::1"], four=[GROUP])
    here.reactor.installNameResolver(names)
    port = listen(here, interface="::")
    assert result(port.joinGroup("six", LOOPBACK)) is None
    assert result(port.leaveGroup(GROUP6, LOOPBACK)) is None
    assert isinstance(result(port.joinGroup("four")), MulticastJoinError)
    assert isinstance(result(port.joinGroup("unknown")), DNSLookupError)
    assert names.asked == [(name, [IPv6Address], "UDP") for name in ("six", "four", "unknown")]


def test_a_name_is_looked_up_while_the_reactor_runs(here: Net) -> None:
    port = listen(here)
    fired: list[Any] = []

    def begin() -> None:
        port.setOutgoingInterface("localhost").addBoth(fired.append).addBoth(lambda _: here.reactor.crash())

    here.reactor.callWhenRunning(begin)
    run(here.reactor)
    assert (fired, port.getOutgoingInterface()) == ([1], HOST)
    here.reactor.getThreadPool().stop()


def test_what_the_interfaces_promise_is_there(here: Net) -> None:
    port = listen(here)
    assert isinstance(port, interfaces.IMulticastTransport)
    assert isinstance(port, interfaces.IListeningPort)
    assert isinstance(here.reactor, interfaces.IReactorUDP)
    assert isinstance(here.reactor, interfaces.IReactorMulticast)


def test_several_listen_on_one_port_if_all_want_it(here: Net) -> None:
    first = listen(here, listenMultiple=True)
    number = address(first)[1]
    second = listen(here, number, listenMultiple=True)
    sender = peer(here)
    sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(HOST))
    for port in (first, second):
        assert result(port.joinGroup(OTHER, HOST)) is None
    sender.sendto(b"to both", (OTHER, number))
    here.until(lambda: first.protocol.received and second.protocol.received)
    assert (first.listenMultiple, listen(here).listenMultiple) == (True, False)
