"""The pytest plugin, on tests that are made up here: what it runs, what it fails, and which line it names."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from torsion import lane

pytest_plugins = ["pytester"]

Run = Callable[..., pytest.RunResult]
BEGIN = """
import pytest
from torsion import defer, protocol, reactors, task, threads
"""


@pytest.fixture
def run(pytester: pytest.Pytester) -> Run:
    """Run a test module of this text with the plugin. Its lines are counted from 1 as they stand there."""

    def run(text: str, *options: str) -> pytest.RunResult:
        pytester.makepyfile(test_it=text.lstrip("\n"))
        # By its name where Torsion's metadata have it, it is not to be there twice.
        return pytester.runpytest("-p", "no:torsion", "-p", "torsion.pytest_plugin", "-p", "no:cacheprovider", *options)

    return run


def test_coroutines_and_deferreds_run_on_the_reactor(run: Run) -> None:
    result = run(
        BEGIN
        + """
async def test_real(reactor):
    assert await task.deferLater(reactor, 0.01, lambda: 5) == 5
    assert await threads.deferToThread(lambda: 6) == 6
    assert reactors.current() is reactor

async def test_virtual(virtual_reactor):
    begun = virtual_reactor.seconds()
    await task.deferLater(virtual_reactor, 50, lambda: None)
    assert virtual_reactor.seconds() == begun + 50

def test_deferred(virtual_reactor):
    return task.deferLater(virtual_reactor, 10, lambda: None)

def test_plain(virtual_reactor):
    assert reactors.current() is virtual_reactor
    virtual_reactor.advance(5)

@pytest.mark.parametrize("number", [1, 2])
async def test_arguments(number, reactor, tmp_path):
    assert number in (1, 2) and tmp_path.is_dir()

def test_without():
    pass
"""
    )
    result.assert_outcomes(passed=7)


def test_what_fails_in_a_coroutine_fails_the_test(run: Run) -> None:
    result = run(
        BEGIN
        + """
async def test_fails(virtual_reactor):
    await task.deferLater(virtual_reactor, 50, lambda: None)
    assert 1 == 2

def test_errs(reactor):
    return defer.fail(KeyError("own"))

def test_never(virtual_reactor):
    return defer.Deferred()

@pytest.mark.torsion_timeout(0.01)
def test_late(reactor):
    return defer.Deferred()

@pytest.mark.torsion_timeout(99)
def test_too_late(virtual_reactor):
    return task.deferLater(virtual_reactor, 100, lambda: None)

def test_wrong(reactor):
    return 3
"""
    )
    result.assert_outcomes(failed=6)
    result.stdout.fnmatch_lines(
        [
            "*assert 1 == 2",
            "*KeyError: 'own'",
            "*NothingLeft: this cannot happen*",
            "*TimeoutError: no result after 0.01 seconds",
            "*TimeoutError: no result after 99 seconds",
            "*a test returns nothing, a Deferred or a coroutine, not 3",
        ]
    )


def test_what_the_documents_show_passes(run: Run) -> None:
    text = (Path(__file__).parents[2] / "docs" / "testing.md").read_text(encoding="utf-8")
    (shown,) = [block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "def test_" in block]
    run(shown).assert_outcomes(passed=4)


def left(result: pytest.RunResult, *lines: str, passed: int = 1) -> None:
    """One test passed, and was failed for what it left."""
    result.assert_outcomes(passed=passed, errors=1)
    result.stdout.fnmatch_lines(["this test has left behind:", *lines])


@pytest.mark.parametrize("fixture", ["reactor", "virtual_reactor"])
def test_timers_ports_and_connections_are_found_with_their_line(run: Run, fixture: str) -> None:
    text = """
from torsion import protocol

def open_all(reactor):
    reactor.callLater(50, print)
    port = reactor.listenTCP(0, protocol.Factory.forProtocol(protocol.Protocol))
    client = protocol.ClientFactory.forProtocol(protocol.Protocol)
    reactor.connectTCP("127.0.0.1", port.getHost().port, client)
    for _ in range(50):
        reactor.iterate(0)

def test_it(FIXTURE):
    open_all(FIXTURE)
"""
    left(
        run(text.replace("FIXTURE", fixture)),
        "  a delayed call, <DelayedCall * print()>, made at *test_it.py:4",
        "  a listening port, <*Port* of *Factory* on *>, made at *test_it.py:5",
        "  a connection, <Protocol #0 on *>, accepted by the port made at *test_it.py:5",
        "  a connection to IPv4Address(*), connected, made at *test_it.py:7",
    )


def test_what_is_closed_in_time_is_not_left(run: Run) -> None:
    result = run(
        BEGIN
        + """
from torsion.endpoints import connectProtocol, TCP4ClientEndpoint

async def talk(reactor):
    port = reactor.listenTCP(0, protocol.Factory.forProtocol(protocol.Protocol), interface="127.0.0.1")
    endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port)
    client = await connectProtocol(endpoint, protocol.Protocol())
    client.transport.loseConnection()
    port.stopListening()
    reactor.callLater(5, print).cancel()

@pytest.fixture
def port(reactor):
    port = reactor.listenTCP(0, protocol.Factory())
    yield port
    port.stopListening()

async def test_real(reactor):
    await talk(reactor)

async def test_virtual(virtual_reactor):
    await talk(virtual_reactor)

def test_fixture(port):
    assert port.connected
"""
    )
    result.assert_outcomes(passed=3)


def test_readers_datagrams_and_adopted_ones_are_found(run: Run) -> None:
    result = run(
        """
import os
from torsion.protocol import DatagramProtocol

class Reader:
    def __init__(self):
        self.ends = os.pipe()
    def fileno(self):
        return self.ends[0]
    def connectionLost(self, reason):
        for each in self.ends:
            os.close(each)

def test_it(reactor):
    reactor.addReader(Reader())
    reactor.listenUDP(0, DatagramProtocol())
"""
    )
    left(
        result,
        "  a listening port, *DatagramProtocol*, made at *test_it.py:15",
        "  a reader or writer, <test_it.Reader *>, made at *test_it.py:14",
    )


def test_children_are_found_and_ended(run: Run) -> None:
    result = run(
        """
import os, pytest
from torsion.protocol import ProcessProtocol
children = []

def test_it(reactor):
    child = reactor.spawnProcess(ProcessProtocol(), "sleep", ["sleep", "1000"], env=None)
    children.append(child.pid)

def test_gone():
    with pytest.raises(ProcessLookupError):
        os.kill(children[0], 0)
"""
    )
    left(result, "  a child process, <Process pid=*>, started at *test_it.py:6", passed=2)


def test_threads_are_found(run: Run) -> None:
    result = run(
        """
import threading
go = threading.Event()

def test_it(reactor):
    threading.Thread(target=go.wait, args=(30,), name="lazy").start()

def test_end():
    go.set()
"""
    )
    left(result, "  a thread, lazy, started at *test_it.py:5", passed=2)


def test_errors_that_nobody_handled_are_found(run: Run) -> None:
    result = run(
        """
from torsion import defer

def test_it(virtual_reactor):
    virtual_reactor.callLater(1, lambda: 1 / 0)
    virtual_reactor.advance(2)
    failing = defer.succeed(None)
    failing.addCallback(lambda result: {}["missing"])
    defer.fail(OSError("no traceback"))
"""
    )
    left(
        result,
        "  a reported error, Unhandled error in delayed call *division by zero, raised at *test_it.py:4",
        "  a reported error, Unhandled error in Deferred: *no traceback",
        "  a reported error, Unhandled error in Deferred: *missing*, raised at *test_it.py:7",
    )


def test_errors_that_were_meant_are_flushed(run: Run) -> None:
    result = run(
        """
from torsion import defer

def test_it(reactor, flush_reports):
    defer.fail(ZeroDivisionError("one"))
    assert [failure.getErrorMessage() for failure in flush_reports(ZeroDivisionError)] == ["one"]
    defer.fail(KeyError("two"))
    assert flush_reports(ZeroDivisionError) == []
    assert len(flush_reports()) == 1
"""
    )
    result.assert_outcomes(passed=1)


def test_a_test_that_failed_is_told_nothing_more(run: Run) -> None:
    result = run(
        """
def test_it(reactor):
    reactor.callLater(5, print)
    assert False
"""
    )
    result.assert_outcomes(failed=1)
    result.stdout.no_fnmatch_line("*left behind*")


def test_one_reactor_a_test(run: Run) -> None:
    result = run(
        """
def test_two(reactor, virtual_reactor):
    pass

def test_early(flush_reports):
    pass
"""
    )
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["*a test has one reactor*", "*flush_reports goes with*"])


def test_a_loop_without_an_end_is_told(run: Run) -> None:
    result = run(
        """
import torsion.trying.virtual as virtual
virtual.ENDLESS = 100

def test_it(virtual_reactor):
    def again():
        virtual_reactor.callLater(0, again)
    again()

def test_end():
    virtual.ENDLESS = 100_000
"""
    )
    left(result, "  *on and on*", "  a delayed call, *again()>, made at *test_it.py:6", passed=2)


def test_nothing_is_imported_before_a_test_asks(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(lane.ROOT).parent))
    pytester.makepyfile(
        """
        import sys

        def test_it():
            assert "torsion.pytest_plugin" in sys.modules
            heavy = ("torsion.contract", "torsion.core", "torsion.net", "torsion.trying")
            assert [name for name in heavy if name in sys.modules] == []
        """
    )
    result = pytester.runpytest_subprocess(
        "-p", "no:torsion", "-p", "torsion.pytest_plugin", "-p", "no:timeout", "-p", "no:hypothesispytest"
    )
    result.assert_outcomes(passed=1)
