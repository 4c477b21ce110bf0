"""The real reactor in virtual time: its poller has no kernel behind it and moves the clock instead of waiting.

Tests of the reactor's life run on both drivers: the native turn, and the loop through the reactor's own methods that
takes over as soon as a program overrides one of them.
"""

import traceback
from collections.abc import Callable, Iterator

import pytest
from tests.contract.parts import REAL_REACTORS, Reports, ThroughMethods, VirtualPoller

from torsion import report
from torsion.contract import Reactor
from torsion.failure import Failure


@pytest.fixture
def reports() -> Iterator[Reports]:
    """Collects reports; what a test does not take from it fails the test."""
    collected = Reports()

    def sink(level: str, text: str, failure: Failure | None, details: dict[str, object]) -> None:
        if level != "info":
            collected.append((text, None if failure is None else failure.value))

    report.set_sink(sink)
    try:
        yield collected
    finally:
        report.set_sink(None)
    assert not collected, [
        f"{text}: {''.join(traceback.format_exception(value)) if value else ''}" for text, value in collected
    ]


@pytest.fixture(params=[Reactor, ThroughMethods], ids=["native", "through-methods"])
def reactor_class(request: pytest.FixtureRequest) -> type[Reactor]:
    return request.param


@pytest.fixture
def poller() -> VirtualPoller:
    return VirtualPoller()


@pytest.fixture
def adopt(poller: VirtualPoller, reports: Reports) -> Iterator[Callable[[Reactor], Reactor]]:
    """Takes care of a reactor on the virtual poller: closes it after the test, which fails if the loop got stuck."""
    adopted: list[Reactor] = []

    def adopt(reactor: Reactor) -> Reactor:
        adopted.append(reactor)
        return reactor

    poller.crash = lambda: [each.crash() for each in adopted]
    yield adopt
    for reactor in adopted:
        reactor.close()
    assert not poller.stuck


@pytest.fixture
def reactor(reactor_class: type[Reactor], poller: VirtualPoller, adopt: Callable[[Reactor], Reactor]) -> Reactor:
    """A reactor that has not run, in virtual time, on each driver."""
    return adopt(reactor_class(clock=poller.clock, poller=poller))


@pytest.fixture(params=REAL_REACTORS)
def real(request: pytest.FixtureRequest, reports: Reports) -> Iterator[Reactor]:
    """A reactor of each class, with the kernel behind it."""
    made = REAL_REACTORS[request.param]()
    yield made
    made.close()
