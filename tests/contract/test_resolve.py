"""The reactor looks a name up in its thread pool; what needs no lookup is answered at once."""

import socket
from typing import Any

import pytest
from tests.contract.parts import Reports, run

from torsion.contract import Reactor
from torsion.error import DNSLookupError


def looked_up(monkeypatch: pytest.MonkeyPatch, reports: Reports, lookup: Any, **when: Any) -> list[Any]:
    """What the Deferred of a name fires with, if the system answers with `lookup`."""
    monkeypatch.setattr(socket, "gethostbyname", lookup)
    reactor = Reactor()
    results: list[Any] = []

    def ask() -> None:
        address = reactor.resolve("a.example")
        address.addBoth(results.append).addBoth(lambda _: reactor.stop())
        if when.get("cancel"):
            address.cancel()

    reactor.callWhenRunning(ask)
    run(reactor)
    reactor.close()
    return results


def test_a_name_is_looked_up_in_a_thread_and_answered_in_the_loop(
    monkeypatch: pytest.MonkeyPatch, reports: Reports
) -> None:
    assert looked_up(monkeypatch, reports, {"a.example": "192.0.2.7"}.__getitem__) == ["192.0.2.7"]


def test_a_name_that_is_not_found_is_a_lookup_error_that_names_it(
    monkeypatch: pytest.MonkeyPatch, reports: Reports
) -> None:
    def unknown(name: str) -> str:
        raise socket.gaierror(-2, "Name or service not known")

    [failure] = looked_up(monkeypatch, reports, unknown)
    assert failure.check(DNSLookupError)
    assert "'a.example'" in failure.getErrorMessage()
    assert "Name or service not known" in failure.getErrorMessage()


def test_a_cancelled_lookup_ends_at_once_and_its_late_answer_is_dropped(
    monkeypatch: pytest.MonkeyPatch, reports: Reports
) -> None:
    [failure] = looked_up(monkeypatch, reports, lambda name: "192.0.2.7", cancel=True)
    assert failure.type.__name__ == "CancelledError"


@pytest.mark.parametrize(("name", "address"), [("127.0.0.1", "127.0.0.1"), ("", "0.0.0.0")])
def test_an_address_is_its_own_answer(name: str, address: str, reports: Reports) -> None:
    reactor = Reactor()
    assert reactor.resolve(name).result == address
    reactor.close()


def test_what_is_no_name_is_refused_at_the_call(reports: Reports) -> None:
    reactor = Reactor()
    with pytest.raises(TypeError, match="a host name is a str, not 7"):
        reactor.resolve(7)  # type: ignore[arg-type]
    reactor.close()
