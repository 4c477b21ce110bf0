"""The resolver without a reactor: what it asks, what it tells, and what cancelling does (77)."""

import builtins
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.contract.parts import Reports
from tests.contract.test_resolve import IPV4, IPV6, Known, Receiver, Simple

from torsion import report
from torsion.address import IPv4Address, IPv6Address
from torsion.core.deferred import CancelledError, Deferred, fail, succeed
from torsion.error import DNSLookupError
from torsion.failure import Failure
from torsion.net import lookup
from torsion.net.resolver import ComplexResolverSimplifier, GAIResolver, HostResolution, SimpleResolverComplexifier


@pytest.fixture
def reports() -> Iterator[Reports]:
    collected = Reports()
    report.set_sink(lambda level, text, failure, details: collected.append((text, failure and failure.value)))
    yield collected
    report.set_sink(None)
    assert not collected


class World:
    """A reactor, a pool and a system, that do nothing before they are told to."""

    def __init__(self) -> None:
        self.jobs: list[Any] = []
        self.calls: list[Any] = []
        self.asked: list[tuple[Any, ...]] = []
        self.answer: Any = []
        self.resolver = GAIResolver(self, lambda: self, self.getaddrinfo)

    def callInThreadWithCallback(self, on_result: Any, function: Any, *args: Any) -> None:
        self.jobs.append((on_result, function, args))

    def callFromThread(self, function: Any, *args: Any) -> None:
        self.calls.append((function, args))

    def getaddrinfo(self, *args: Any) -> Any:
        self.asked.append(args)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer

    def turn(self) -> None:
        for on_result, function, args in self.jobs:
            told, success, result = lookup.Job(on_result, function, args).perform()
            told(success, result)
        for function, args in self.calls:
            function(*args)
        self.jobs, self.calls = [], []


@pytest.fixture
def world(reports: Reports) -> World:
    return World()


def told(world: World, name: str = "a.example", *args: Any, **named: Any) -> list[Any]:
    receiver = Receiver()
    world.resolver.resolveHostName(receiver, name, *args, **named)
    world.turn()
    return receiver.told[1:]


def test_s077_addresses_come_in_the_systems_order_with_the_port_that_was_asked_for(world: World) -> None:
    world.answer = [(*IPV6, ("::7", 80, 1, 2)), (*IPV4, ("192.0.2.1", 80))]
    assert told(world, "a.example", 80) == [
        IPv6Address("TCP", "::7", 80, 1, 2),
        IPv4Address("TCP", "192.0.2.1", 80),
        "complete",
    ]
    # The system counts modulo 65536: whoever connects is to see what was asked for.
    world.answer = [(*IPV4, ("192.0.2.1", 4464))]
    assert told(world, "a.example", 70000)[0].port == 70000


def test_a_local_address_shows_its_scope(world: World) -> None:
    index = socket.if_nametoindex("lo")
    world.answer = [(*IPV6, ("fe80::1", 0, 0, index))]
    assert told(world)[0] == IPv6Address("TCP", "fe80::1%lo", 0, 0, index)
    assert told(world, "fe80::1%lo", 5)[0] == IPv6Address("TCP", "fe80::1%lo", 5, 0, index)
    assert told(world, f"fe80::1%{index}", 5)[0] == IPv6Address("TCP", "fe80::1%lo", 5, 0, index)
    assert told(world, "fe80::1%nowhere", 5) == ["complete"]


def test_addresses_of_other_kinds_are_left_out(world: World) -> None:
    world.answer = [(socket.AF_UNIX, socket.SOCK_STREAM, 0, "", "/tmp/x"), (*IPV4, ("192.0.2.1", 0))]
    assert told(world) == [IPv4Address("TCP", "192.0.2.1", 0), "complete"]


@pytest.mark.parametrize(
    ("types", "family"),
    [
        (None, socket.AF_UNSPEC),
        ([IPv4Address], socket.AF_INET),
        ((IPv6Address,), socket.AF_INET6),
        ([IPv6Address, IPv4Address, IPv4Address], socket.AF_UNSPEC),
        (iter([IPv6Address, int]), socket.AF_INET6),
    ],
)
def test_the_types_wanted_are_what_the_system_is_asked_for(world: World, types: Any, family: int) -> None:
    told(world, "a.example", 0, types)
    assert {asked[2] for asked in world.asked} == {family}


@pytest.mark.parametrize("types", [[], [int], iter(())])
def test_where_no_type_is_wanted_nothing_is_found_and_nobody_asked(world: World, types: Any) -> None:
    assert told(world, "a.example", 0, types) == ["complete"]
    assert told(world, "127.0.0.1", 0, [IPv6Address]) == ["complete"]
    assert not world.asked


@pytest.mark.parametrize(("transport", "kind"), [("TCP", socket.SOCK_STREAM), ("UDP", socket.SOCK_DGRAM)])
def test_the_transport_is_what_the_addresses_are_for(world: World, transport: str, kind: int) -> None:
    world.answer = [(socket.AF_INET, kind, 0, "", ("192.0.2.1", 0))]
    assert told(world, transportSemantics=transport)[0].type == transport
    assert world.asked[0][3] == kind


def test_another_transport_is_refused_before_it_begins(world: World) -> None:
    for resolver in (world.resolver, SimpleResolverComplexifier(Simple(None))):
        receiver = Receiver()
        with pytest.raises(ValueError, match="'TCP' or 'UDP', not 'SCTP'"):
            resolver.resolveHostName(receiver, "a.example", 0, None, "SCTP")
        with pytest.raises(TypeError, match="a host name is a str, not b'a'"):
            resolver.resolveHostName(receiver, b"a", 0)  # type: ignore[arg-type]
        assert not receiver.told


def test_s077_what_the_system_does_not_find_are_no_addresses(world: World) -> None:
    world.answer = socket.gaierror(-2, "unknown")
    receiver = Receiver()
    resolution = world.resolver.resolveHostName(receiver, "a.example")
    assert receiver.resolution is resolution
    assert resolution.name == "a.example"
    world.turn()
    assert receiver.told == ["began", "complete"]
    assert "unknown" in resolution.reason


def test_what_else_goes_wrong_is_reported_and_completes_too(world: World, reports: Reports) -> None:
    world.answer = ZeroDivisionError("in somebody's getaddrinfo")
    assert told(world) == ["complete"]
    assert "'a.example'" in reports.take(ZeroDivisionError)


@pytest.mark.parametrize("name", ["a.example", "127.0.0.1", "::1"])
def test_a_port_that_the_system_does_not_take_completes_too(world: World, name: str) -> None:
    world.answer = OverflowError("Python int too large to convert to C long")  # what the system says of it
    receiver = Receiver()
    resolution = world.resolver.resolveHostName(receiver, name, 2**70)
    world.turn()
    assert receiver.told == ["began", "complete"]
    assert resolution.reason  # in the system's words: from 3.13 on, Python leaves the number to it


def test_where_there_is_no_thread_nothing_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_thread(*args: Any) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(world, "callInThreadWithCallback", no_thread)
    assert told(world) == ["complete"]


def test_a_receiver_that_raises_is_told_the_rest(world: World, reports: Reports) -> None:
    world.answer = [(*IPV4, ("192.0.2.1", 0)), (*IPV4, ("192.0.2.2", 0))]
    receiver = Receiver()
    receiver.on_address = lambda: 1 // 0
    world.resolver.resolveHostName(receiver, "a.example")
    world.turn()
    assert len(receiver.told) == 4
    assert [type(error) for _, error in reports] == [ZeroDivisionError] * 2
    reports.clear()


# Cancelling


def test_s077_a_cancelled_resolution_completes_at_once_and_tells_nothing_more(world: World) -> None:
    world.answer = [(*IPV4, ("192.0.2.1", 0))]
    receiver = Receiver()
    resolution = world.resolver.resolveHostName(receiver, "a.example")
    resolution.cancel()
    assert receiver.told == ["began", "complete"]
    resolution.cancel()
    world.turn()
    assert receiver.told == ["began", "complete"]
    assert not world.asked  # it had not got a thread yet


def test_a_receiver_may_cancel_as_soon_as_it_has_an_address_that_it_likes(world: World) -> None:
    world.answer = [(*IPV4, ("192.0.2.1", 0)), (*IPV4, ("192.0.2.2", 0))]
    receiver = Receiver()
    receiver.on_address = lambda: receiver.resolution.cancel()
    world.resolver.resolveHostName(receiver, "a.example")
    world.turn()
    assert receiver.told == ["began", IPv4Address("TCP", "192.0.2.1", 0), "complete"]


def test_cancelling_what_is_complete_or_nobodys_does_nothing(world: World) -> None:
    world.answer = [(*IPV4, ("192.0.2.1", 0))]
    receiver = Receiver()
    resolution = world.resolver.resolveHostName(receiver, "a.example")
    world.turn()
    resolution.cancel()
    assert receiver.told.count("complete") == 1
    HostResolution("nobody's").cancel()


@pytest.mark.parametrize("began", [True, False])
def test_a_lookup_of_the_older_view_is_cancelled_both_ways(began: bool, reports: Reports) -> None:
    cancelled: list[Any] = []
    answer = Deferred(cancelled.append)
    receiver = Receiver()
    if began:
        SimpleResolverComplexifier(Simple(answer)).resolveHostName(receiver, "a.example").cancel()
        assert cancelled == [answer]
    else:
        receiver.resolutionBegan = lambda resolution: resolution.cancel()  # type: ignore[method-assign]
        SimpleResolverComplexifier(Simple(answer)).resolveHostName(receiver, "a.example")
    assert receiver.told[-1] == "complete"


def test_a_cancelled_deferred_cancels_the_resolution_and_says_cancelled(world: World) -> None:
    results: list[Any] = []
    address = ComplexResolverSimplifier(world.resolver).getHostByName("a.example", (1, 2))
    address.addErrback(lambda failure: results.append(failure.type))
    address.cancel()
    assert results == [CancelledError]
    world.turn()
    assert not world.asked


def test_a_resolver_that_cannot_cancel_is_let_run() -> None:
    class Stubborn(HostResolution):
        def cancel(self) -> None:
            raise NotImplementedError

    class Old:
        def resolveHostName(self, receiver: Any, name: str, *more: Any) -> None:
            receiver.resolutionBegan(Stubborn(name))
            self.receiver = receiver

    old, results = Old(), []
    address = ComplexResolverSimplifier(old).getHostByName("a.example")
    address.addErrback(lambda failure: results.append(failure.type))
    address.cancel()
    old.receiver.addressResolved(IPv4Address("TCP", "192.0.2.1", 0))
    old.receiver.resolutionComplete()
    assert results == [CancelledError]


# From view to view


def test_the_first_address_is_the_answer_of_the_older_view(world: World) -> None:
    world.answer = [(*IPV4, ("192.0.2.1", 0)), (*IPV4, ("192.0.2.2", 0))]
    address = ComplexResolverSimplifier(world.resolver).getHostByName("a.example")
    world.turn()
    assert address.result == "192.0.2.1"
    assert world.asked[0][2] == socket.AF_INET


def test_no_address_is_a_lookup_error_that_says_why(world: World) -> None:
    world.answer = socket.gaierror(-3, "try again")
    address = ComplexResolverSimplifier(world.resolver).getHostByName("a.example")
    world.turn()
    assert address.addErrback(lambda failure: str(failure.value)).result.endswith("[Errno -3] try again.")
    nothing = ComplexResolverSimplifier(Known(None)).getHostByName("a.example")
    assert nothing.addErrback(lambda failure: failure.type).result is DNSLookupError


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (lambda: succeed("192.0.2.1"), [IPv4Address("UDP", "192.0.2.1", 9)]),
        (lambda: succeed("::7"), [IPv6Address("UDP", "::7", 9)]),
        (lambda: "192.0.2.1", [IPv4Address("UDP", "192.0.2.1", 9)]),
        (lambda: fail(Failure(DNSLookupError("no"))), []),
    ],
)
def test_the_answer_of_an_older_resolver_is_an_address(
    answer: Callable[[], Any], expected: Any, reports: Reports
) -> None:
    receiver = Receiver()
    SimpleResolverComplexifier(Simple(answer())).resolveHostName(receiver, "a.example", 9, None, "UDP")
    assert receiver.told == ["began", *expected, "complete"]


def test_an_address_that_is_not_wanted_is_left_out() -> None:
    receiver = Receiver()
    SimpleResolverComplexifier(Simple(succeed("192.0.2.1"))).resolveHostName(receiver, "a.example", 9, [IPv6Address])
    assert receiver.told == ["began", "complete"]


def test_another_error_of_an_older_resolver_is_reported(reports: Reports) -> None:
    receiver = Receiver()
    SimpleResolverComplexifier(Simple(fail(ZeroDivisionError()))).resolveHostName(receiver, "a.example")
    assert receiver.told == ["began", "complete"]
    assert "'a.example'" in reports.take(ZeroDivisionError)


# Names that are not ASCII


def test_names_are_asked_for_in_ascii(world: World) -> None:
    told(world, "bücher.example")
    told(world, "xn--bcher-kva.example")
    assert {asked[0] for asked in world.asked} == {"xn--bcher-kva.example"}
    simple = Simple(succeed("192.0.2.1"))
    SimpleResolverComplexifier(simple).resolveHostName(Receiver(), "bücher.example")
    assert simple.asked == ["xn--bcher-kva.example"]


def test_a_name_that_has_no_ascii_form_is_not_found(reports: Reports) -> None:
    simple, receiver = Simple(succeed("192.0.2.1")), Receiver()
    SimpleResolverComplexifier(simple).resolveHostName(receiver, "ü..example")
    assert receiver.told == ["began", "complete"]
    assert not simple.asked


def test_without_the_idna_package_the_standard_librarys_codec_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    original = builtins.__import__

    def without_idna(name: str, *args: Any) -> Any:
        if name == "idna":
            raise ImportError(name)
        return original(name, *args)

    monkeypatch.setattr(builtins, "__import__", without_idna)
    assert lookup.as_ascii("bücher.example") == "xn--bcher-kva.example"
    with pytest.raises(UnicodeError):
        lookup.as_ascii("ü..example")


def test_with_the_idna_package_a_name_is_not_taken_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("idna")
    assert lookup.as_ascii("Straße.example") == "xn--strae-oqa.example"


def test_a_name_that_the_idna_package_refuses_goes_by_the_older_rules() -> None:
    assert lookup.as_ascii("i\u2764.example") == "xn--i-7iq.example"
