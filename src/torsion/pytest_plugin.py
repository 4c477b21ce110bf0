"""For pytest: a reactor of its own for each test, which fails a test that leaves something behind in it.

A test that asks for the fixture `reactor` or `virtual_reactor` may be a coroutine function, or return a Deferred: then
that reactor turns until it has its result.

    async def test_echo(reactor):
        ...

pytest finds this by itself where Torsion is installed, and nothing of Torsion is imported before a test asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .trying.leftovers import NotingReactor, NotingVirtualReactor, Watched

TIMEOUT = 60.0
"""How long a test may take on its reactor, in seconds of that reactor's clock."""

_watched: pytest.StashKey[Watched] = pytest.StashKey()
_failed: pytest.StashKey[bool] = pytest.StashKey()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "torsion_timeout(seconds): how long the test may take on its reactor, by that reactor's clock",
    )


@pytest.fixture
def reactor(request: pytest.FixtureRequest) -> Iterator[NotingReactor]:
    """A reactor of the system's sockets and time, for this test alone. `reactor.run_until(deferred)` turns it."""
    yield from _reactor(request, False)


@pytest.fixture
def virtual_reactor(request: pytest.FixtureRequest) -> Iterator[NotingVirtualReactor]:
    """A torsion.testing.VirtualReactor for this test alone."""
    yield from _reactor(request, True)


@pytest.fixture
def flush_reports(request: pytest.FixtureRequest) -> Callable[..., list[Any]]:
    """`flush_reports(ZeroDivisionError)`: errors of these kinds (or all) were meant to be reported. Their Failures.

    Ask for the reactor first.
    """
    watched = request.node.stash.get(_watched, None)
    if watched is None:
        raise pytest.UsageError(
            "flush_reports goes with the fixture `reactor` or `virtual_reactor`: name that one first"
        )
    flush: Callable[..., list[Any]] = watched.reports.flush
    return flush


def _reactor(request: pytest.FixtureRequest, virtual: bool) -> Iterator[Any]:
    from .trying.leftovers import Watched

    item = request.node
    if _watched in item.stash:
        raise pytest.UsageError("a test has one reactor: `reactor` or `virtual_reactor`")
    watched = item.stash[_watched] = Watched(virtual, str(item.path))
    yield watched.reactor
    del item.stash[_watched]
    left = watched.end()
    if left and not item.stash.get(_failed, False):
        pytest.fail("this test has left behind:\n" + "\n".join(f"  {each}" for each in left), pytrace=False)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run the test, and its reactor until the test's result is there."""
    watched = pyfuncitem.stash.get(_watched, None)
    if watched is None:
        return None
    from .trying.turning import is_awaited

    reactor = watched.reactor
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    with reactor.here():
        result = pyfuncitem.obj(**arguments)
        if is_awaited(result):
            marker = pyfuncitem.get_closest_marker("torsion_timeout")
            reactor.run_until(result, marker.args[0] if marker else TIMEOUT)
            return True
    if result is not None:
        pytest.fail(f"a test returns nothing, a Deferred or a coroutine, not {result!r}", pytrace=False)
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Generator[None, Any, Any]:
    """Note that a test failed: what it then leaves behind is no news."""
    made = yield
    if call.when == "call" and made.failed:
        item.stash[_failed] = True
    return made
