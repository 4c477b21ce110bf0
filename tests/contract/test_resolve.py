"""The reactor's names: looked up in threads of their own, by whom a program installed, literals by nobody (77)."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from tests.contract.parts import Reports, run
from tests.contract.streams import Makers, Net, net

from torsion import interfaces
from torsion.address import IPv4Address, IPv6Address
from torsion.contract import Reactor
from torsion.core.deferred import CancelledError, Deferred, succeed
from torsion.error import DNSLookupError, TimeoutError, UserError
from torsion.net import lookup, resolver

IPV4 = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
IPV6 = (socket.AF_INET6, socket.SOCK_STREAM, 6, "")


@pytest.fixture
def here(reports: Reports) -> Iterator[Net]:
    with net(Reactor) as made:
        yield made


class Names:
    """The system's lookup, as a test has it: what is known, what is asked, and whether the answers are held back."""

    def __init__(self, **known: Any) -> None:
        self.known = known
        self.asked: list[Any] = []
        self.threads: list[threading.Thread] = []
        self.go_on = threading.Event()
        self.go_on.set()

    def __call__(self, name: Any, port: Any, family: int = 0, type: int = 0, *more: int) -> Any:
        self.asked.append(name)
        self.threads.append(threading.current_thread())
        assert self.go_on.wait(20)
        try:
            found = self.known[name.partition(".")[0]]
        except KeyError:
            raise socket.gaierror(-2, "Name or service not known") from None
        if isinstance(found, Exception):
            raise found
        return [(*IPV4, (found, port))]

    def hold(self) -> None:
        self.go_on.clear()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[Names]:
    names = Names(a="192.0.2.7", slow="192.0.2.8", local="127.0.0.1")
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0) -> Any:
        ask: Any = real if flags else names  # with flags it is an address in figures
        return ask(host, port, family, type, proto, flags)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    yield names
    names.go_on.set()


class Receiver:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.on_address: Callable[[], object] = lambda: None

    def resolutionBegan(self, resolution: Any) -> None:
        self.resolution = resolution
        self.told.append("began")

    def addressResolved(self, address: Any) -> None:
        self.told.append(address)
        self.on_address()

    def resolutionComplete(self) -> None:
        self.told.append("complete")


def resolve(here: Net, name: str) -> Any:
    """What reactor.resolve gives in the end."""
    results: list[Any] = []
    here.reactor.resolve(name).addBoth(results.append)
    here.until(lambda: results)
    return results[0]


def test_a_name_is_looked_up_in_a_thread_and_answered_in_the_loop(here: Net, names: Names) -> None:
    threads: list[Any] = []
    here.reactor.resolve("a.example").addCallback(lambda address: threads.append((address, threading.get_ident())))
    here.until(lambda: threads)
    assert threads == [("192.0.2.7", threading.get_ident())]
    assert names.threads != [threading.current_thread()]


def test_s077_a_name_that_is_not_found_is_a_lookup_error_that_names_it(here: Net, names: Names) -> None:
    failure = resolve(here, "b.example")
    assert failure.check(DNSLookupError)
    assert "'b.example'" in failure.getErrorMessage()
    assert "Name or service not known" in failure.getErrorMessage()


@pytest.mark.parametrize("name", ["a..b", "ü..b", "x" * 64 + ".example", "a\0b", "ü" * 70])
def test_what_cannot_be_a_name_is_not_found(here: Net, name: str) -> None:
    failure = resolve(here, name)
    assert failure.check(DNSLookupError)
    assert repr(name) in failure.getErrorMessage()


def test_a_cancelled_lookup_ends_at_once_and_its_late_answer_is_dropped(here: Net, names: Names) -> None:
    names.hold()
    results: list[Any] = []
    address = here.reactor.resolve("slow.example")
    address.addBoth(results.append)
    here.until(lambda: names.asked)
    address.cancel()
    assert [failure.type for failure in results] == [CancelledError]
    names.go_on.set()
    assert resolve(here, "a.example") == "192.0.2.7"
    assert len(results) == 1


@pytest.mark.parametrize(("name", "address"), [("127.0.0.1", "127.0.0.1"), ("", "0.0.0.0")])
def test_s077_an_address_is_its_own_answer(name: str, address: str, here: Net, names: Names) -> None:
    assert here.reactor.resolve(name).result == address
    assert not names.asked


def test_what_is_no_name_is_refused_at_the_call(here: Net) -> None:
    with pytest.raises(TypeError, match="a host name is a str, not 7"):
        here.reactor.resolve(7)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="a host name is a str, not 7"):
        here.reactor.nameResolver.resolveHostName(Receiver(), 7)


# Threads of their own


def test_names_that_nobody_answers_do_not_stop_the_jobs_of_a_program(here: Net, names: Names) -> None:
    names.hold()
    for number in range(30):
        here.reactor.resolve(f"slow.example{number}")
    pool = here.reactor.getThreadPool()
    pool.start()
    done = threading.Event()
    here.reactor.callInThread(done.set)
    assert done.wait(20)
    assert len(names.asked) <= lookup.AT_ONCE
    names.go_on.set()
    pool.stop()


def test_as_many_names_are_asked_for_at_once_as_the_pool_may_have_threads(here: Net, names: Names) -> None:
    here.reactor.suggestThreadPoolSize(15)
    names.hold()
    for number in range(30):
        here.reactor.resolve(f"slow.example{number}")
    here.until(lambda: len(names.asked) == 15)
    here.turns()
    assert len(names.asked) == 15


def test_shutdown_does_not_wait_for_a_name_and_leaves_no_thread(
    names: Names, reports: Reports, no_leaks: Callable[[], AbstractContextManager[None]]
) -> None:
    def one() -> None:
        reactor = Reactor()
        reactor.callWhenRunning(lambda: reactor.resolve("a.example").addCallback(lambda _: reactor.stop()))
        run(reactor)
        reactor.close()

    one()
    with no_leaks():
        for _ in range(5):
            one()

    names.hold()
    reactor = Reactor()
    answers: list[Any] = []

    def ask() -> None:
        for number in range(lookup.AT_ONCE + 5):  # some wait for a thread
            reactor.resolve(f"slow.example{number}").addBoth(answers.append)
        reactor.callLater(0.01, reactor.stop)

    reactor.callWhenRunning(ask)
    run(reactor)  # the names are still held back
    asking = [thread for thread in names.threads if thread.is_alive()]
    assert asking
    assert all(thread.daemon for thread in asking)  # nor does the end of the process wait
    asked = len(names.asked)
    names.go_on.set()
    for thread in asking:
        thread.join(20)
    reactor.close()
    assert not answers
    assert len(names.asked) == asked


def test_after_shutdown_names_can_be_looked_up_again(here: Net, names: Names) -> None:
    assert resolve(here, "a.example") == "192.0.2.7"
    here.reactor.fireSystemEvent("shutdown")
    assert resolve(here, "a.example") == "192.0.2.7"


def test_a_lookup_that_ends_after_its_reactor_was_closed_says_nothing(names: Names, reports: Reports) -> None:
    names.hold()
    reactor = Reactor()
    reactor.resolve("slow.example")
    while not names.threads:
        pass
    reactor.close()
    names.go_on.set()
    names.threads[0].join(20)


# Whom a program installs


class Simple:
    """An older resolver."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[Any] = []

    def getHostByName(self, name: str, timeout: Any = ()) -> Any:
        self.asked.append(name)
        return self.answer


class Known:
    """A newer one, that knows one address."""

    def __init__(self, address: Any) -> None:
        self.address = address

    def resolveHostName(self, receiver: Any, hostName: str, *more: Any, **named: Any) -> Any:
        resolution = resolver.HostResolution(hostName, receiver)
        receiver.resolutionBegan(resolution)
        resolution.end([self.address] if self.address else [])
        return resolution


def test_s077_an_installed_resolver_is_asked_in_both_views(here: Net, names: Names) -> None:
    reactor, simple = here.reactor, Simple(succeed("192.0.2.1"))
    before = reactor.resolver
    assert reactor.installResolver(simple) is before
    assert reactor.resolver is simple
    assert reactor.resolve("x.example").result == "192.0.2.1"
    receiver = Receiver()
    reactor.nameResolver.resolveHostName(receiver, "x.example", 80)
    assert receiver.told == ["began", IPv4Address("TCP", "192.0.2.1", 80), "complete"]
    assert reactor.installResolver(before) is simple
    assert resolve(here, "a.example") == "192.0.2.7"


def test_s077_an_installed_name_resolver_is_asked_in_both_views(here: Net) -> None:
    reactor, known = here.reactor, Known(IPv4Address("TCP", "192.0.2.2", 0))
    before = reactor.nameResolver
    assert reactor.installNameResolver(known) is before
    assert reactor.nameResolver is known
    assert reactor.resolve("x.example").result == "192.0.2.2"
    assert reactor.installNameResolver(Known(None)) is known
    assert reactor.resolve("x.example").addErrback(lambda failure: failure.type).result is DNSLookupError


def test_the_resolvers_provide_what_the_interfaces_say(here: Net) -> None:
    reactor = here.reactor
    assert isinstance(reactor, interfaces.IReactorPluggableResolver)
    assert isinstance(reactor, interfaces.IReactorPluggableNameResolver)
    assert isinstance(reactor.resolver, interfaces.IResolverSimple)
    assert isinstance(reactor.nameResolver, interfaces.IHostnameResolver)
    assert isinstance(resolver.FirstOneWins(), interfaces.IResolutionReceiver)
    assert isinstance(resolver.HostResolution("x"), interfaces.IHostResolution)


def test_the_timeouts_of_a_lookup_reach_the_resolver_that_takes_some(here: Net) -> None:
    class Patient(Simple):
        def getHostByName(self, name: str, timeout: Any = ()) -> Any:
            return succeed(timeout)

    here.reactor.installResolver(Patient(None))
    assert here.reactor.resolve("x.example", (1, 2)).result == (1, 2)


# Connecting to a name


@pytest.mark.parametrize("end", ["timeout", "stop"])
def test_s070_a_connection_that_is_given_up_gives_the_lookup_up(here: Net, end: str) -> None:
    lookups: list[Deferred] = []
    cancelled: list[Any] = []

    def resolve(name: str, timeout: Any = ()) -> Deferred:
        lookups.append(Deferred(cancelled.append))
        return lookups[0]

    here.reactor.resolve = resolve  # type: ignore[method-assign]
    factory = Makers()
    connector = here.reactor.connectTCP("a name", 1, factory, timeout=0.001 if end == "timeout" else None)
    here.until(lambda: lookups)
    if end == "stop":
        connector.stopConnecting()
    here.until(lambda: "failed" in factory.told)
    assert cancelled == lookups
    assert [type(reason) for reason in factory.reasons] == [TimeoutError if end == "timeout" else UserError]


def test_s071_a_connection_to_a_name_goes_to_its_ipv4_address(here: Net, names: Names) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        factory = Makers()
        here.reactor.connectTCP("local.example", listening.getsockname()[1], factory)
        here.until(lambda: factory.built)
        assert factory.addresses[0].host == "127.0.0.1"


def test_a_connection_to_a_name_leaves_no_cycle(
    names: Names, reports: Reports, no_leaks: Callable[[], AbstractContextManager[None]]
) -> None:
    def one() -> None:
        with net(Reactor) as here, socket.create_server(("127.0.0.1", 0)) as listening:
            factory = Makers()
            here.reactor.connectTCP("local.example", listening.getsockname()[1], factory, timeout=None)
            here.until(lambda: factory.built)
            factory.built[0].transport.loseConnection()
            here.until(lambda: "lost" in factory.told)
            assert isinstance(here.reactor.nameResolver, resolver.GAIResolver)
            here.reactor.fireSystemEvent("shutdown")

    one()
    with no_leaks():
        one()


def test_addresses_are_given_with_their_port_and_kind(here: Net) -> None:
    told: dict[str, list[Any]] = {}
    for name in ("127.0.0.1", "::1"):
        receiver = Receiver()
        told[name] = receiver.told
        here.reactor.nameResolver.resolveHostName(receiver, name, 7, transportSemantics="UDP")
        assert receiver.told == ["began"]  # the rest on a later pass
    here.until(lambda: told["::1"][-1] == "complete")
    assert told["127.0.0.1"] == ["began", IPv4Address("UDP", "127.0.0.1", 7), "complete"]
    assert told["::1"] == ["began", IPv6Address("UDP", "::1", 7), "complete"]
