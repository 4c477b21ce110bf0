"""The reactor inside an asyncio loop: coroutines of asyncio and Deferreds, timers and files, in one thread."""

import asyncio
import contextvars
import os
import socket
import threading

import pytest
from tests.contract.parts import Source

from torsion import reactors
from torsion.asyncioreactor import AsyncioSelectorReactor, install
from torsion.defer import Deferred, ensureDeferred
from torsion.error import ReactorAlreadyInstalledError
from torsion.threads import deferToThreadPool

LONG = 30  # seconds: what takes this long has failed


@pytest.fixture
def loop():
    made = asyncio.new_event_loop()
    yield made
    made.close()


@pytest.fixture
def reactor(loop, reports):
    made = AsyncioSelectorReactor(loop)
    made.callLater(LONG, made.crash)
    yield made
    made.close()


def run(reactor):
    reactor.run(installSignalHandlers=False)
    assert reactor._startedBefore, "it took too long and was crashed"


def test_the_loop_is_the_one_given(reactor, loop):
    assert reactor._asyncioEventloop is loop
    seen = []
    reactor.callLater(0, lambda: (seen.append(asyncio.get_running_loop()), reactor.stop()))
    run(reactor)
    assert seen == [loop]


def test_the_loop_sees_one_descriptor_and_one_timer_whatever_is_watched(reactor, loop):
    pairs = [socket.socketpair() for _ in range(5)]
    readers = [Source(ours.fileno(), lambda: None) for ours, _ in pairs]
    for each in readers:
        reactor.addReader(each)
    for _ in range(50):
        reactor.callLater(10, lambda: None)
    reactor.iterate()
    assert len(loop._selector.get_map()) == 2  # ours, and the loop's own
    assert len([handle for handle in loop._scheduled if not handle.cancelled()]) == 1
    for ours, theirs in pairs:
        ours.close()
        theirs.close()


def test_timers_of_both_run_in_the_order_of_their_time(reactor, loop):
    order = []
    loop.call_later(0.02, order.append, "asyncio 2")
    reactor.callLater(0.01, order.append, "ours 1")
    reactor.callLater(0.03, order.append, "ours 3")
    loop.call_later(0.04, order.append, "asyncio 4")
    reactor.callLater(0.05, reactor.stop)
    run(reactor)
    assert order == ["ours 1", "asyncio 2", "ours 3", "asyncio 4"]


def test_a_coroutine_of_asyncio_may_use_the_reactor_at_any_moment(reactor, loop):
    """Nothing of this happens in a turn of ours: the loop is told that it has to wait less, or for more."""
    ours, theirs = socket.socketpair()
    reader = Source(ours.fileno(), lambda: read.set_result(ours.recv(10)))
    read = loop.create_future()

    async def program():
        await asyncio.sleep(0)
        fired = loop.create_future()
        reactor.callLater(0.01, fired.set_result, "timer")
        assert await fired == "timer"
        reactor.addReader(reader)
        loop.call_soon(theirs.send, b"hello")
        assert await read == b"hello"
        reactor.removeReader(reader)
        called = loop.create_future()
        reactor.callFromThread(called.set_result, "call")
        assert await called == "call"
        moved = loop.create_future()
        reactor.callLater(LONG * 2, moved.set_result, "moved").reset(0.01)
        assert await moved == "moved"
        reactor.stop()

    task = loop.create_task(program())
    run(reactor)
    task.result()
    ours.close()
    theirs.close()


def test_deferreds_and_futures_await_each_other(reactor, loop):
    results = []

    async def theirs():
        later = Deferred()
        reactor.callLater(0.01, later.callback, "from a Deferred")
        results.append(await later.asFuture(loop))

    async def ours():
        results.append(await Deferred.fromFuture(asyncio.ensure_future(asyncio.sleep(0.02, "from asyncio"))))
        reactor.stop()

    loop.create_task(theirs())
    reactor.callLater(0, lambda: ensureDeferred(ours()))
    run(reactor)
    assert results == ["from a Deferred", "from asyncio"]


def test_s062_what_asyncio_code_writes_to_a_transport_of_ours_leaves_before_the_loop_sleeps(reactor, loop, reports):
    """It is written between two of our turns: nothing else would have the loop look at our side again."""
    transports = []

    class Quiet:
        makeConnection = transports.append
        dataReceived = connectionLost = lambda self, what: None

    class Factory:
        doStart = doStop = lambda self: None

        def buildProtocol(self, address):
            return Quiet()

    port = reactor.listenTCP(0, Factory(), interface="127.0.0.1")

    async def program():
        reader, writer = await asyncio.open_connection("127.0.0.1", port.getHost().port)
        while not transports:
            await asyncio.sleep(0)
        for _ in range(3):
            for _ in range(3):
                await asyncio.sleep(0)
            transports[0].write(b"hello")
            assert await reader.readexactly(5) == b"hello"
        writer.close()
        await writer.wait_closed()
        reactor.stop()

    task = loop.create_task(program())
    run(reactor)
    task.result()
    reports.clear()  # that the port was opened and closed


def test_results_of_threads_arrive_while_the_loop_sleeps(reactor):
    results = []
    here = threading.get_ident()

    def got(result):
        results.append((result == here, threading.get_ident() == here))
        reactor.stop()

    reactor.callWhenRunning(
        lambda: deferToThreadPool(reactor, reactor.getThreadPool(), threading.get_ident).addCallback(got)
    )
    run(reactor)
    assert results == [(False, True)]


def test_s038_stop_fires_shutdown_and_ends_run(reactor, loop):
    events = []
    for phase in ("before", "during", "after"):
        reactor.addSystemEventTrigger(phase, "shutdown", lambda phase=phase: events.append((phase, reactor.running)))
    loop.call_soon(lambda: reactor.callWhenRunning(reactor.stop))
    run(reactor)
    assert events == [("before", True), ("during", False), ("after", False)]


def test_s037_after_crash_it_runs_again(reactor):
    for _ in range(3):
        reactor.callLater(0.001, reactor.crash)
        reactor.run(installSignalHandlers=False)
        assert not reactor.running
    reactor.callLater(0, reactor.stop)
    run(reactor)


def test_crashed_during_startup_it_does_not_run(reactor):
    reactor.callWhenRunning(reactor.crash)
    reactor.run(installSignalHandlers=False)
    assert not reactor.running


def test_s043_what_leaves_a_turn_is_reported_and_the_loop_goes_on(reactor, reports):
    ours, theirs = socket.socketpair()

    class Bad(Source):
        def connectionLost(self, reason):
            reactor.callLater(0, reactor.stop)
            raise KeyboardInterrupt

    bad = Bad(ours.fileno(), lambda: True)
    reactor.addReader(bad)
    theirs.send(b"x")
    run(reactor)
    assert reports.take(KeyboardInterrupt) == "Unexpected error in main loop."
    ours.close()
    theirs.close()


def test_when_somebody_stops_the_loop_run_ends_as_after_a_crash(reactor, loop):
    shutdown = []
    reactor.addSystemEventTrigger("during", "shutdown", shutdown.append, True)
    loop.call_later(0.01, loop.stop)
    reactor.run(installSignalHandlers=False)
    assert (reactor.running, shutdown) == (False, [])


def test_in_a_loop_that_others_run_start_running_is_enough(reactor, loop):
    started = []
    reactor.callWhenRunning(started.append, True)

    async def program():
        reactor.startRunning(installSignalHandlers=False)
        later = Deferred()
        reactor.callLater(0.01, later.callback, "done")
        return await later.asFuture(loop)

    assert loop.run_until_complete(program()) == "done"
    assert started == [True]
    assert reactor.running


def test_run_in_a_loop_that_runs_already_raises_and_leaves_nothing_running(reactor, loop):
    async def program():
        with pytest.raises(RuntimeError, match="running"):
            reactor.run(installSignalHandlers=False)

    loop.run_until_complete(program())
    assert not reactor.running


def test_iterate_lets_asyncio_run_too_and_does_not_wait_longer_than_told(reactor, loop):
    seen = []
    loop.call_soon(seen.append, "asyncio")
    reactor.callLater(0, seen.append, "ours")
    reactor.iterate()
    assert sorted(seen) == ["asyncio", "ours"]
    before = reactor.seconds()
    reactor.iterate(0.01)
    assert reactor.seconds() - before < LONG / 2


def test_iterate_inside_a_callback_serves_our_side(reactor, loop):
    seen = []
    reading, writing = os.pipe()
    reader = Source(reading, lambda: seen.append(os.read(reading, 1)))

    def inside():
        reactor.addReader(reader)
        os.write(writing, b"x")
        reactor.iterate(LONG)
        reactor.removeReader(reader)
        reactor.callLater(0.001, reactor.stop)

    loop.call_soon(inside)
    run(reactor)
    assert seen == [b"x"]
    os.close(reading)
    os.close(writing)


def test_every_turn_sees_the_same_context_variables(reactor, loop):
    variable = contextvars.ContextVar("variable", default=0)
    seen = []

    def step():
        seen.append(variable.get())
        variable.set(len(seen))
        if len(seen) == 4:
            reactor.stop()
        elif len(seen) == 2:
            reactor.callFromThread(step)  # caused by the waker, and not by a timer
        else:
            reactor.callLater(0.001, step)

    loop.call_soon(reactor.callLater, 0.001, step)
    run(reactor)
    assert seen == [0, 1, 2, 3]


def test_overrides_are_honoured(loop, reports):
    class Counting(AsyncioSelectorReactor):
        turns = 0

        def runUntilCurrent(self):
            self.turns += 1
            super().runUntilCurrent()

    reactor = Counting(loop)
    reactor.callLater(0.01, reactor.stop)
    run(reactor)
    assert reactor.turns >= 2
    reactor.close()


def test_the_reactor_that_runs_here_is_current_in_asyncio_code_too(reactor, loop):
    seen = []
    loop.call_soon(lambda: (seen.append(reactors.current()), reactor.callLater(0, reactor.stop)))
    run(reactor)
    assert seen == [reactor]


def test_without_a_loop_it_takes_this_threads_or_makes_one(reports):
    made = []

    def in_thread():
        first = AsyncioSelectorReactor()
        made.append(first._asyncioEventloop is asyncio.get_event_loop())
        second = AsyncioSelectorReactor()
        made.append(second._asyncioEventloop is first._asyncioEventloop)
        for each in (first, second):
            each.close()
        first._asyncioEventloop.close()
        third = AsyncioSelectorReactor()  # that one is closed
        made.append(third._asyncioEventloop is not first._asyncioEventloop)
        third.close()
        third._asyncioEventloop.close()

    thread = threading.Thread(target=in_thread)
    thread.start()
    thread.join(LONG)
    assert made == [True, True, True]


def test_a_loop_that_cannot_watch_descriptors_is_refused(no_leaks):
    class Loop(asyncio.SelectorEventLoop):
        def add_reader(self, fd, callback, *args):
            raise NotImplementedError

    with no_leaks():
        other = Loop()
        with pytest.raises(TypeError, match="file descriptors"):
            AsyncioSelectorReactor(other)
        other.close()


def test_closed_it_leaves_the_loop_as_it_found_it(loop, reports):
    watched = len(loop._selector.get_map())
    reactor = AsyncioSelectorReactor(loop)
    reactor.callLater(10, lambda: None)
    reactor.iterate()
    reactor.close()
    assert len(loop._selector.get_map()) == watched
    loop.run_until_complete(asyncio.sleep(0))  # nothing of ours is called any more


def test_s045_install_takes_a_loop(loop, reports):
    before = reactors._place
    reactors._place = reactors.Place()
    try:
        install(loop)
        installed = reactors.installed()
        assert installed._asyncioEventloop is loop
        with pytest.raises(ReactorAlreadyInstalledError):
            install(loop)
        installed.close()
    finally:
        reactors._place = before
