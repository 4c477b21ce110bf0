"""Endpoints for clients in virtual time: which attempt begins when, what the Deferred says, what cancelling does."""

import sys
from typing import Any

import pytest
from tests.contract.hosts import Hosts
from tests.contract.streams import Makers, Recorder

from torsion.address import HostnameAddress, IPv4Address, IPv6Address
from torsion.endpoints import HostnameEndpoint, TCP4ClientEndpoint, TCP6ClientEndpoint, connectProtocol
from torsion.error import (
    ConnectingCancelledError,
    ConnectionRefusedError,
    DNSLookupError,
    NoProtocol,
    TCPTimedOutError,
)
from torsion.protocol import Factory
from torsion.tcp import makeBinding

ONE = ("10.0.0.1",)
THREE = ("10.0.0.1", "2001:db8::2", "10.0.0.3")


def outcome(deferred: Any) -> list[Any]:
    """Takes the result, or the exception, as soon as there is one."""
    results: list[Any] = []
    deferred.addCallbacks(results.append, lambda failure: results.append(failure.value))
    return results


def connect(hosts: Hosts, factory: Any = None, **options: Any) -> Any:
    return HostnameEndpoint(hosts, "example.org", 80, **options).connect(Makers() if factory is None else factory)


def until_answered(hosts: Hosts, results: list[Any], refuse: bool = False) -> Any:
    """Let time pass, and attempts be refused, until there is a result or two seconds are over; returns the time."""
    while hosts.seconds() < 2:
        for wire in hosts.wires if refuse else ():
            wire.refuse()
        if results:
            break
        hosts.advance(0.01)
    return pytest.approx(hosts.seconds(), abs=0.02)


# Statement 78


def test_s078_attempts_begin_every_300_ms_in_the_order_of_the_addresses() -> None:
    hosts = Hosts(*THREE)
    deferred = connect(hosts)
    for _ in range(4):
        hosts.advance(0.299)
        hosts.advance(0.001)
    assert hosts.attempts == [(0.0, "10.0.0.1"), (0.3, "2001:db8::2"), (0.6, "10.0.0.3")]
    assert hosts.asked == [("example.org", 80, None)]
    deferred.addErrback(lambda failure: None)
    deferred.cancel()
    assert hosts.getDelayedCalls() == []


@pytest.mark.parametrize(("addresses", "when"), [(ONE, 0.3), (THREE, 0.9)])
def test_s078_a_refusal_does_not_advance_and_failure_is_told_at_the_tick_after_the_last_attempt(
    addresses: Any, when: float
) -> None:
    hosts = Hosts(*addresses)
    results = outcome(connect(hosts))
    assert until_answered(hosts, results, refuse=True) == when
    assert [begin for begin, _ in hosts.attempts] == pytest.approx([0.0, 0.3, 0.6][: len(addresses)], abs=0.02)
    assert type(results[0]) is ConnectionRefusedError
    assert hosts.getDelayedCalls() == []


def test_s078_the_last_failure_is_reported() -> None:
    hosts = Hosts("10.0.0.1", "10.0.0.2")
    results = outcome(connect(hosts))
    hosts.advance(0.3)
    hosts.wires[1].refuse()
    hosts.advance(0.3)
    assert results == []  # the first attempt may still succeed
    hosts.wires[0].refuse(TCPTimedOutError())
    assert type(results[0]) is TCPTimedOutError


def test_s078_the_winner_cancels_the_rest() -> None:
    hosts = Hosts(*THREE)
    makers = Makers()
    results = outcome(connect(hosts, makers))
    hosts.advance(0.3)
    hosts.wires[1].accept()
    assert results == makers.built
    assert makers.addresses == [IPv6Address("TCP", "2001:db8::2", 80)]
    assert [wire.over for wire in hosts.wires] == [True, False]
    assert hosts.getDelayedCalls() == []
    hosts.advance(5)
    assert len(hosts.attempts) == 2


def test_s078_a_late_attempt_of_an_early_address_may_win() -> None:
    hosts = Hosts(*THREE)
    results = outcome(connect(hosts))
    for _ in range(50):
        hosts.advance(0.1)
    assert len(hosts.wires) == 3 and results == []
    hosts.wires[0].accept()
    assert len(results) == 1
    assert [wire.over for wire in hosts.wires] == [False, True, True]


def test_s078_no_addresses_and_a_failing_resolver_are_lookup_errors() -> None:
    results = outcome(connect(Hosts()))
    assert type(results[0]) is DNSLookupError and results[0].args == ("no results for hostname lookup: example.org",)

    class Failing(Hosts):
        def resolveHostName(self, *args: Any, **kwargs: Any) -> Any:
            raise OSError("no network")

    results = outcome(connect(Failing()))
    assert type(results[0]) is DNSLookupError and "no network" in str(results[0])


def test_s078_a_resolver_of_the_programs_is_given_nothing_but_host_and_port() -> None:
    """It may know no more arguments than that, as those that keep a server from its own network do."""

    class Plain(Hosts):
        def resolveHostName(self, resolutionReceiver: Any, hostName: str, portNumber: int = 0) -> Any:
            return super().resolveHostName(resolutionReceiver, hostName, portNumber)

    hosts = Plain(*ONE)
    results = outcome(connect(hosts))
    hosts.wires[0].accept()
    assert len(results) == 1 and not isinstance(results[0], Exception)


def test_s078_addresses_that_are_no_ip_addresses_are_passed_over() -> None:
    hosts = Hosts(answers=False)
    results = outcome(connect(hosts))
    hosts.receiver.addressResolved(HostnameAddress(b"other.org", 80))
    hosts.receiver.resolutionComplete()
    assert type(results[0]) is DNSLookupError

    hosts = Hosts(answers=False)
    outcome(connect(hosts))
    for found in (HostnameAddress(b"other.org", 80), IPv4Address("TCP", "10.0.0.9", 80)):
        hosts.receiver.addressResolved(found)
    hosts.receiver.resolutionComplete()
    assert hosts.attempts == [(0.0, "10.0.0.9")]


@pytest.mark.parametrize(
    "host", [b"\xff.org", "\u2ff0-garbage", "a..b", "", "x" * 64, ".".join(["x" * 60] * 5), "a b", "-x", "*"]
)
def test_s078_a_bad_host_name_fails_the_deferred(host: Any) -> None:
    endpoint = HostnameEndpoint(Hosts(*ONE), host, 80)
    results = outcome(endpoint.connect(Makers()))
    assert type(results[0]) is ValueError and "invalid hostname" in str(results[0])
    assert repr(endpoint).startswith("<HostnameEndpoint ")


def test_a_host_that_is_no_text_at_all_is_refused_at_once() -> None:
    with pytest.raises(TypeError, match="host is a str or bytes, not 5"):
        HostnameEndpoint(Hosts(), 5, 80)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("host", "asked", "shown"),
    [
        ("example.org", "example.org", "example.org:80"),
        (b"example.org", "example.org", "example.org:80"),
        ("h\u00f6st.example", "h\u00f6st.example", "xn--hst-sna.example:80"),
        ("ho\u0308st.example", "h\u00f6st.example", "xn--hst-sna.example:80"),
        ("example.org.", "example.org.", "example.org.:80"),
        ("my_host-1", "my_host-1", "my_host-1:80"),
        ("::1", "::1", "[::1]:80"),
        ("127.0.0.1", "127.0.0.1", "127.0.0.1:80"),
    ],
)
def test_names_and_addresses_that_a_host_may_have(host: Any, asked: str, shown: str) -> None:
    hosts = Hosts(*ONE)
    endpoint = HostnameEndpoint(hosts, host, 80)
    outcome(endpoint.connect(Makers()))
    assert hosts.asked[0][0] == asked
    assert repr(endpoint) == f"<HostnameEndpoint {shown}>"


def test_international_names_without_the_package_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "idna", None)
    endpoint = HostnameEndpoint(Hosts(), "H\u00d6ST.example", 80)
    assert repr(endpoint) == "<HostnameEndpoint xn--hst-sna.example:80>"
    assert endpoint._hostText == "h\u00f6st.example"


def test_s078_connect_fires_after_connection_made() -> None:
    hosts = Hosts(*ONE)
    recorder = Recorder()
    results: list[Any] = []
    recorder.on_made = lambda: results.append("connectionMade")
    connect(hosts, Makers(recorder)).addCallback(results.append)
    hosts.wires[0].accept()
    assert results == ["connectionMade", recorder]


@pytest.mark.parametrize("when", [0.3, 0.6])
def test_s078_no_protocol(when: float) -> None:
    class Nothing(Makers):
        def buildProtocol(self, address: Any) -> Any:
            return None

    hosts = Hosts(*["10.0.0.1", "10.0.0.2"][: round(when / 0.3)])
    hosts.on_connect = lambda wire: hosts.callLater(0, wire.accept)  # type: ignore[attr-defined]
    results = outcome(connect(hosts, Nothing()))
    assert until_answered(hosts, results) == when
    assert type(results[0]) is NoProtocol


def test_s078_cancelling_while_it_connects() -> None:
    hosts = Hosts(*THREE)
    deferred = connect(hosts)
    results = outcome(deferred)
    hosts.advance(0.3)
    deferred.cancel()
    assert type(results[0]) is ConnectingCancelledError
    assert results[0].address == HostnameAddress(b"example.org", 80)
    assert all(wire.over for wire in hosts.wires) and hosts.getDelayedCalls() == []


def test_s078_cancelling_while_it_resolves() -> None:
    hosts = Hosts(*ONE, answers=False)
    deferred = connect(hosts)
    results = outcome(deferred)
    deferred.cancel()
    assert type(results[0]) is DNSLookupError
    assert hosts.resolution.cancelled
    hosts.answer(80)  # a resolver that cannot be stopped
    assert hosts.attempts == []


def test_s078_cancelling_when_it_is_connected_does_nothing() -> None:
    hosts = Hosts(*ONE)
    deferred = connect(hosts)
    hosts.wires[0].accept()
    deferred.cancel()
    assert not hosts.wires[0].over


def test_s078_cancelling_inside_connection_made_ends_the_connection() -> None:
    hosts = Hosts(*ONE)
    recorder = Recorder()
    deferred = connect(hosts, Makers(recorder))
    recorder.on_made = deferred.cancel
    results = outcome(deferred)
    hosts.wires[0].accept()
    assert [type(result) for result in results] == [ConnectingCancelledError]
    assert recorder.told == ["made", "lost"]


@pytest.mark.parametrize("kind", ["hostname", "tcp4"])
def test_s078_what_connection_made_raises_is_the_answer_and_ends_the_connection(kind: str) -> None:
    hosts = Hosts("10.0.0.1", "10.0.0.2")
    recorder = Recorder()
    wrong = RuntimeError("wrong")

    def raises() -> None:
        raise wrong

    recorder.on_made = raises
    endpoint: Any = HostnameEndpoint(hosts, "example.org", 80)
    if kind == "tcp4":
        endpoint = TCP4ClientEndpoint(hosts, "10.0.0.1", 80)
    deferred = endpoint.connect(Makers(recorder))
    results = outcome(deferred)
    hosts.wires[0].accept()
    assert results == [wrong]
    assert recorder.told == ["made", "lost"] and recorder.reasons == [wrong]
    hosts.advance(5)
    assert len(hosts.attempts) == 1  # the program's own error is not tried again
    deferred.cancel()


def test_s078_what_build_protocol_raises_is_the_answer() -> None:
    wrong = RuntimeError("wrong")
    hosts = Hosts("10.0.0.1", "10.0.0.2")
    results = outcome(connect(hosts, Makers(wrong)))
    hosts.wires[0].accept()
    assert results == [wrong] and hosts.getDelayedCalls() == []


# RFC 8305, if asked for


def test_a_refusal_advances_at_once_if_that_is_asked_for() -> None:
    hosts = Hosts(*THREE)
    results = outcome(connect(hosts, refusal_advances=True))
    hosts.advance(0.1)
    hosts.wires[0].refuse()
    assert hosts.attempts == [(0.0, "10.0.0.1"), (0.1, "2001:db8::2")]
    hosts.advance(0.2)  # the delay is counted from the second attempt on
    assert len(hosts.attempts) == 2
    hosts.advance(0.1)
    assert hosts.attempts[2] == (0.4, "10.0.0.3")
    hosts.wires[1].refuse()
    assert results == []
    hosts.wires[2].refuse()
    assert type(results[0]) is ConnectionRefusedError  # and not at another tick
    assert hosts.getDelayedCalls() == []


def test_one_refused_address_fails_at_once_if_that_is_asked_for() -> None:
    hosts = Hosts(*ONE)
    results = outcome(connect(hosts, refusal_advances=True))
    hosts.wires[0].refuse()
    assert type(results[0]) is ConnectionRefusedError


def test_a_failure_starts_one_attempt_whatever_else_goes_on() -> None:
    hosts = Hosts("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4")
    results = outcome(connect(hosts, refusal_advances=True))
    hosts.advance(0.3)
    hosts.wires[1].refuse()  # the first is still under way
    assert len(hosts.attempts) == 3
    hosts.wires[0].accept()
    assert len(results) == 1 and hosts.wires[2].over


def test_a_thousand_addresses_that_refuse_at_once() -> None:
    hosts = Hosts(*[f"10.0.{n // 250}.{n % 250 + 1}" for n in range(1000)])
    hosts.on_connect = lambda wire: wire.refuse()  # type: ignore[attr-defined]
    results = outcome(connect(hosts, refusal_advances=True))
    assert type(results[0]) is ConnectionRefusedError and len(hosts.attempts) == 1000


def test_families_take_turns_if_that_is_asked_for() -> None:
    hosts = Hosts("2001:db8::1", "2001:db8::2", "2001:db8::3", "10.0.0.1")
    outcome(connect(hosts, interleave_families=True))
    for _ in range(20):
        hosts.advance(0.1)
    assert [host for _, host in hosts.attempts] == ["2001:db8::1", "10.0.0.1", "2001:db8::2", "2001:db8::3"]


def test_the_delay_between_attempts_can_be_set() -> None:
    hosts = Hosts(*THREE)
    outcome(connect(hosts, attemptDelay=0.25))
    for _ in range(8):
        hosts.advance(0.125)
    assert [begin for begin, _ in hosts.attempts] == [0.0, 0.25, 0.5]


# What is handed on to the reactor


@pytest.mark.parametrize(
    ("given", "used"),
    [
        (None, None),
        ("10.0.0.9", ("10.0.0.9", 0)),
        (b"10.0.0.9", ("10.0.0.9", 0)),
        ((b"10.0.0.9", 7), ("10.0.0.9", 7)),
        (("10.0.0.9", 7), ("10.0.0.9", 7)),
        (makeBinding("10.0.0.9"), makeBinding("10.0.0.9")),
    ],
)
def test_a_host_is_connected_from_the_address_given(given: Any, used: Any) -> None:
    hosts = Hosts(*ONE)
    outcome(connect(hosts, timeout=7, bindAddress=given))
    assert hosts.arguments == [{"port": 80, "timeout": 7, "bindAddress": used}]


def test_an_ipv6_address_is_connected_with_its_scope() -> None:
    hosts = Hosts(answers=False)
    outcome(connect(hosts))
    hosts.receiver.addressResolved(IPv6Address("TCP", "fe80::1", 80, 0, 4))
    hosts.receiver.resolutionComplete()
    assert hosts.attempts == [(0.0, "fe80::1%4")]


def test_tcp6_asks_for_ipv6_addresses_of_a_name_and_takes_the_first() -> None:
    hosts = Hosts(*THREE)
    endpoint = TCP6ClientEndpoint(hosts, "example.org", 80, timeout=5, bindAddress=("::1", 0))
    makers = Makers()
    results = outcome(endpoint.connect(makers))
    assert hosts.asked == [("example.org", 80, [IPv6Address])]
    assert hosts.attempts == [(0.0, "2001:db8::2")]
    assert hosts.arguments == [{"port": 80, "timeout": 5, "bindAddress": ("::1", 0)}]
    hosts.wires[0].accept()
    assert results == makers.built


def test_tcp6_looks_no_address_up_and_fails_where_there_is_none() -> None:
    hosts = Hosts(*ONE)
    TCP6ClientEndpoint(hosts, "::1", 80).connect(Makers())
    assert hosts.asked == [] and hosts.attempts == [(0.0, "::1")]
    results = outcome(TCP6ClientEndpoint(hosts, "example.org", 80).connect(Makers()))
    assert type(results[0]) is DNSLookupError


# One attempt, as all endpoints make it


def test_cancelling_one_attempt() -> None:
    hosts = Hosts()
    deferred = TCP4ClientEndpoint(hosts, "10.0.0.1", 80).connect(Makers())
    results = outcome(deferred)
    deferred.cancel()
    assert type(results[0]) is ConnectingCancelledError
    assert results[0].address == IPv4Address("TCP", "10.0.0.1", 80)
    assert hosts.wires[0].over


def test_what_the_reactor_raises_is_the_answer() -> None:
    class Wrong(Hosts):
        def connectTCP(self, *args: Any, **kwargs: Any) -> Any:
            raise ValueError("no such port")

    results = outcome(TCP4ClientEndpoint(Wrong(), "10.0.0.1", 80).connect(Makers()))
    assert type(results[0]) is ValueError


def test_the_factory_is_started_and_stopped() -> None:
    hosts = Hosts()
    makers = Makers()
    TCP4ClientEndpoint(hosts, "10.0.0.1", 80).connect(makers)
    hosts.wires[0].accept()
    assert makers.told == ["start"]
    hosts.wires[0].loseConnection()
    assert makers.told == ["start", "stop"]


def test_data_and_the_end_are_handed_on() -> None:
    hosts = Hosts()
    recorder = Recorder()
    TCP4ClientEndpoint(hosts, "10.0.0.1", 80).connect(Makers(recorder))
    hosts.wires[0].accept()
    wrapping = hosts.wires[0].protocol
    assert wrapping.logPrefix() == "recorder"
    wrapping.dataReceived(b"data")
    hosts.wires[0].loseConnection()
    assert recorder.received == b"data" and recorder.told == ["made", "lost"]


def test_hooks_are_there_if_the_protocol_has_them() -> None:
    class Hooked(Recorder):
        def readConnectionLost(self) -> None:
            self.told.append("read")

        def handshakeCompleted(self) -> None:
            self.told.append("handshake")

    hosts = Hosts()
    hooked, plain = Hooked(), Recorder()
    for recorder in (hooked, plain):
        TCP4ClientEndpoint(hosts, "10.0.0.1", 80).connect(Makers(recorder))
    for wire in hosts.wires:
        wire.accept()
    hosts.wires[0].protocol.readConnectionLost()
    hosts.wires[0].protocol.handshakeCompleted()
    assert hooked.told == ["made", "read", "handshake"]
    assert not hasattr(hosts.wires[1].protocol, "readConnectionLost")
    assert not hasattr(hosts.wires[1].protocol, "fileDescriptorReceived")


def test_a_protocol_without_a_log_prefix_is_called_by_its_class() -> None:
    class Plain:
        def makeConnection(self, transport: Any) -> None:
            """Nothing to do."""

    hosts = Hosts()
    TCP4ClientEndpoint(hosts, "10.0.0.1", 80).connect(Makers(Plain()))
    hosts.wires[0].accept()
    assert hosts.wires[0].protocol.logPrefix() == "Plain"


def test_connect_protocol_needs_no_factory() -> None:
    hosts = Hosts()
    recorder = Recorder()
    results = outcome(connectProtocol(TCP4ClientEndpoint(hosts, "10.0.0.1", 80), recorder))
    hosts.wires[0].accept()
    assert results == [recorder]


def test_connect_protocol_gives_the_endpoint_a_quiet_factory() -> None:
    class Endpoint:
        def connect(self, factory: Any) -> Any:
            self.factory = factory
            return "answer"

    endpoint = Endpoint()
    assert connectProtocol(endpoint, "protocol") == "answer"
    assert isinstance(endpoint.factory, Factory) and not endpoint.factory.noisy
    assert endpoint.factory.buildProtocol(None) == "protocol"


def test_an_attempt_leaves_nothing_behind(no_leaks: Any) -> None:
    def attempts(verdict: str) -> None:
        hosts = Hosts(*THREE)
        deferred = connect(hosts)
        results = outcome(deferred)
        hosts.advance(0.3)
        if verdict == "cancel":
            deferred.cancel()
        elif verdict == "accept":
            hosts.wires[1].accept()
            hosts.wires[1].loseConnection()
        else:
            until_answered(hosts, results, refuse=True)
        assert len(results) == 1 and hosts.getDelayedCalls() == []
        hosts.forget()

    for verdict in ("cancel", "accept", "refuse"):
        attempts(verdict)
        with no_leaks():
            attempts(verdict)
