"""What is reported, the real engine, and two ends of a connection to watch, for the tests of parts."""

import socket
from collections.abc import Iterator

import pytest

from torsion import report
from torsion.engine.poll import choose
from torsion.engine.turn import Engine

Reports = list[tuple[str, BaseException | None]]


@pytest.fixture
def reports() -> Iterator[Reports]:
    """What is reported, as (text, exception)."""
    collected: Reports = []
    report.set_sink(lambda level, text, failure, details: collected.append((text, failure and failure.value)))
    yield collected
    report.set_sink(None)


@pytest.fixture(params=["epoll", "poll", "select"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """One over each poller."""
    engine = Engine(poller=choose(request.param))
    yield engine
    engine.close()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    one.setblocking(False)
    other.setblocking(False)
    yield one, other
    one.close()
    other.close()
