"""The real engine, and two ends of a connection to watch, for the tests of its parts."""

import socket
from collections.abc import Iterator

import pytest

from torsion.engine.poll import choose
from torsion.engine.turn import Engine


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
