"""A reactor's life: what run, stop and crash do, in which order, and what they refuse."""

from unittest import mock

import pytest
from tests.contract.parts import Source, run

from torsion import error
from torsion.defer import Deferred
from torsion.engine.poll import READ

# Which moves are allowed


def test_s037_stop_before_run_is_an_error(reactor):
    with pytest.raises(error.ReactorNotRunning, match="idle"):
        reactor.stop()


def test_s037_run_inside_run_is_an_error(reactor):
    raised = []

    def again():
        for start in (lambda: run(reactor), reactor.startRunning):
            with pytest.raises(error.ReactorAlreadyRunning):
                start()
            raised.append(True)
        reactor.stop()

    reactor.callLater(1, again)
    run(reactor)
    assert raised == [True, True]


def test_s037_a_stopped_reactor_does_not_run_again(reactor):
    reactor.callLater(0, reactor.stop)
    run(reactor)
    for start in (lambda: run(reactor), reactor.startRunning):
        with pytest.raises(error.ReactorNotRestartable):
            start()


def test_s037_a_crashed_reactor_runs_again_and_again(reactor):
    ran = []
    for number in range(5):
        reactor.callLater(1, ran.append, number)
        reactor.callLater(1, reactor.crash)
        run(reactor)
        assert not reactor.running
    assert ran == [0, 1, 2, 3, 4]
    reactor.callLater(1, reactor.stop)
    run(reactor)
    with pytest.raises(error.ReactorNotRestartable):
        run(reactor)


def test_s037_a_second_stop_is_an_error(reactor):
    raised = []

    def twice():
        reactor.stop()
        with pytest.raises(error.ReactorNotRunning, match="stopping"):
            reactor.stop()
        raised.append(True)

    reactor.callLater(0, twice)
    run(reactor)
    assert raised
    with pytest.raises(error.ReactorNotRunning, match="ended"):
        reactor.stop()


def test_s037_stop_before_startup_is_over_works(reactor):
    happened = []
    reactor.addSystemEventTrigger("before", "startup", reactor.stop)
    for phase in ("during", "after"):
        reactor.addSystemEventTrigger(phase, "startup", lambda phase=phase: happened.append((phase, reactor.running)))
    for phase in ("before", "during", "after"):
        reactor.addSystemEventTrigger(phase, "shutdown", lambda phase=phase: happened.append((phase, reactor.running)))
    run(reactor)
    assert happened == [("during", True), ("after", True), ("before", True), ("during", False), ("after", False)]


def test_s037_crash_fires_no_shutdown_triggers(reactor):
    fired = []
    for phase in ("before", "during", "after"):
        reactor.addSystemEventTrigger(phase, "shutdown", fired.append, phase)
    reactor.callLater(1, reactor.crash)
    run(reactor)
    assert fired == []


def test_s037_crash_lets_the_pass_end(reactor):
    ran = []
    reactor.callLater(1, reactor.crash)
    reactor.callLater(1, ran.append, "same pass")
    reactor.callLater(2, ran.append, "later")
    run(reactor)
    assert ran == ["same pass"]


def test_s037_crash_before_startup_is_over_ends_run_and_it_can_run_again(reactor):
    reactor.addSystemEventTrigger("before", "startup", reactor.crash)
    run(reactor)
    assert not reactor.running
    reactor.callLater(1, reactor.stop)
    run(reactor)


def test_s037_timers_run_while_a_startup_trigger_is_waited_for(reactor):
    waiting = Deferred()
    seen = []
    reactor.addSystemEventTrigger("before", "startup", lambda: waiting)
    reactor.callWhenRunning(lambda: seen.append(("up", reactor.seconds())))
    reactor.callLater(1, lambda: seen.append(("timer", reactor.running)))
    reactor.callLater(2, waiting.callback, None)
    reactor.callLater(3, lambda: seen.append(("timer", reactor.running)))
    reactor.callLater(4, reactor.stop)
    run(reactor)
    assert seen == [("timer", False), ("up", 1002.0), ("timer", True)]


def test_s037_a_crashed_reactor_runs_again_inside_its_own_callback(reactor, poller):
    ran = []

    def crash_and_run():
        reactor.crash()
        reactor.callLater(1, ran.append, "inner")
        reactor.callLater(1, reactor.stop)
        run(reactor)

    reactor.callLater(1, crash_and_run)
    run(reactor)
    assert ran == ["inner"]
    assert poller.waits == [1, 1, 0, 0]  # both loops end without a sleep


def test_s037_iterate_after_a_crash_waits_as_long_as_it_is_told_to(reactor, poller):
    reactor.startRunning(installSignalHandlers=False)
    reactor.crash()
    reactor.iterate(3)
    assert poller.waits == [3]


# In which order things end


def note_shutdown(reactor, happened):
    for phase in ("before", "during", "after"):
        reactor.addSystemEventTrigger(phase, "shutdown", lambda phase=phase: happened.append((phase, reactor.running)))


SHUTDOWN = [("before", True), ("during", False), ("after", False)]


def test_s038_stop_in_a_timer_ends_with_that_pass(reactor):
    happened = []
    note_shutdown(reactor, happened)

    def stop():
        reactor.stop()
        reactor.callLater(0, happened.append, "timer")
        reactor.callFromThread(happened.append, "thread call")
        happened.append("stop returned")

    reactor.callLater(1, stop)
    reactor.callLater(1, happened.append, "same pass")
    run(reactor)
    assert happened == ["stop returned", "same pass", *SHUTDOWN]


def test_s038_what_is_scheduled_after_stop_runs_if_shutdown_is_delayed(reactor):
    waiting = Deferred()
    happened = []
    note_shutdown(reactor, happened)
    reactor.addSystemEventTrigger("before", "shutdown", lambda: waiting)

    def stop():
        reactor.stop()
        reactor.callLater(0, happened.append, "timer")
        reactor.callLater(5, waiting.callback, None)

    reactor.callLater(1, stop)
    run(reactor)
    assert happened == [SHUTDOWN[0], "timer", *SHUTDOWN[1:]]


def test_s038_stop_in_a_call_from_a_thread_lets_due_timers_run(reactor):
    happened = []
    note_shutdown(reactor, happened)

    def stop():
        reactor.stop()
        reactor.callLater(0, happened.append, "timer")
        reactor.callFromThread(happened.append, "another batch")
        happened.append("stop returned")

    reactor.callFromThread(stop)
    reactor.callFromThread(happened.append, "same batch")
    run(reactor)
    assert happened == ["stop returned", "same batch", "timer", *SHUTDOWN]


def test_s038_stop_in_an_io_event_lets_calls_and_due_timers_run(reactor, poller):
    happened = []
    note_shutdown(reactor, happened)

    def stop():
        reactor.stop()
        reactor.callLater(0, happened.append, "timer")
        reactor.callFromThread(happened.append, "thread call")
        happened.append("stop returned")

    source = Source(50, stop)
    reactor.addReader(source)
    poller.becomes_ready(50, READ)
    run(reactor)
    assert happened == ["stop returned", "thread call", "timer", *SHUTDOWN]
    assert len(source.lost) == 1


def test_s038_io_is_looked_at_once_more_after_shutdown_without_a_wait(reactor, poller):
    happened = []
    source = Source(50, lambda: happened.append("read"))

    def add_reader():
        reactor.addReader(source)
        poller.becomes_ready(50, READ)
        happened.append(len(poller.waits))

    reactor.addSystemEventTrigger("after", "shutdown", add_reader)
    reactor.callLater(1, reactor.stop)
    reactor.callLater(100, happened.append, "never")
    run(reactor)
    waits_before, *rest = happened
    assert rest == ["read"]
    assert poller.waits[waits_before:] == [0]


def test_s038_a_delayed_shutdown_sleeps_and_does_not_spin(reactor, poller):
    waiting = Deferred()
    reactor.addSystemEventTrigger("before", "shutdown", lambda: waiting)
    reactor.callLater(1, reactor.stop)
    reactor.callLater(10, waiting.callback, None)
    run(reactor)
    assert poller.waits == [1, 9, 0]


# When running becomes true


def test_s042_call_when_running_calls_at_once_when_running(reactor):
    happened = []

    def timer():
        assert reactor.callWhenRunning(happened.append, "at once") is None
        happened.append("returned")
        with pytest.raises(ZeroDivisionError):
            reactor.callWhenRunning(lambda: 1 / 0)
        reactor.stop()

    reactor.callLater(0, timer)
    run(reactor)
    assert happened == ["at once", "returned"]


def test_s042_call_when_running_waits_for_the_end_of_startup_in_order(reactor, reports):
    happened = []
    assert reactor.callWhenRunning(happened.append, 1) is not None
    reactor.callWhenRunning(lambda: 1 / 0)
    reactor.callWhenRunning(lambda *, two: happened.append(two), two=2)
    reactor.addSystemEventTrigger("after", "startup", happened.append, 3)
    reactor.addSystemEventTrigger("during", "startup", lambda: happened.append(("during", reactor.running)))
    reactor.addSystemEventTrigger("before", "startup", lambda: happened.append(("before", reactor.running)))
    reactor.callLater(0, reactor.stop)
    run(reactor)
    assert happened == [("before", False), ("during", True), 1, 2, 3]
    reports.take(ZeroDivisionError)


def test_s042_what_call_when_running_returns_takes_it_back(reactor):
    happened = []
    reactor.removeSystemEventTrigger(reactor.callWhenRunning(happened.append, 1))
    reactor.callWhenRunning(reactor.stop)
    run(reactor)
    assert happened == []


def test_s042_only_what_can_be_called_is_accepted(reactor):
    with pytest.raises(AssertionError):
        reactor.callWhenRunning(None)


def test_mock_replaces_running_and_puts_it_back(reactor):
    with mock.patch.object(reactor, "running", True):
        assert reactor.running
    assert not reactor.running and vars(reactor)["running"] is False
    seen = []

    def look():
        with mock.patch.object(reactor, "running", False):
            seen.append(reactor.running)
        seen.append(reactor.running)
        reactor.stop()

    reactor.callLater(0, look)
    reactor.run(installSignalHandlers=False)
    assert seen == [False, True] and not reactor.running
