"""A reactor's clock, its timers, and the passes that run them: by run() and by hand."""

import pytest
from tests.contract.parts import Source, run

from torsion import error
from torsion.engine.poll import READ


def test_s032_iterate_runs_what_is_due_and_what_that_schedules_next_time(reactor):
    happened = []

    def due():
        happened.append("due")
        reactor.callLater(0, happened.append, "scheduled")

    reactor.callLater(0, due)
    reactor.iterate()
    assert happened == ["due"]
    reactor.iterate()
    assert happened == ["due", "scheduled"]


def test_s032_an_io_poll_lies_between_a_timer_and_what_it_schedules(reactor, poller):
    happened = []
    reactor.addReader(Source(50, lambda: happened.append("read")))
    poller.becomes_ready(50, READ)
    reactor.callLater(0, lambda: reactor.callLater(0, happened.append, "scheduled"))
    reactor.callLater(1, reactor.stop)
    run(reactor)
    assert happened == ["read", "scheduled"]


def test_s034_a_pass_runs_thread_calls_then_timers_then_the_pending_shutdown(reactor):
    happened = []
    reactor.startRunning(installSignalHandlers=False)
    reactor.addSystemEventTrigger("before", "shutdown", happened.append, "shutdown")
    reactor.callLater(0, happened.append, "timer")
    reactor.stop()
    reactor.callFromThread(happened.append, "thread call")
    reactor.runUntilCurrent()
    assert happened == ["thread call", "timer", "shutdown"]


def test_s034_timeout_is_the_time_to_the_first_timer_none_without_and_never_too_long(reactor, poller):
    assert reactor.timeout() is None
    late = reactor.callLater(5_000_000, print)
    assert reactor.timeout() == 2147483
    soon = reactor.callLater(3, print)
    assert reactor.timeout() == 3
    soon.cancel()
    late.cancel()
    assert reactor.timeout() == 3  # what was cancelled still bounds the sleep
    poller.clock.advance(4)
    assert reactor.timeout() == 0


def test_s029_seconds_is_the_clock_and_what_call_later_counts_from(reactor, poller):
    call = reactor.callLater(5, print)
    assert reactor.seconds() == poller.clock() == 1000
    assert call.getTime() == 1005
    reactor.seconds = lambda: 2000.0
    assert reactor.callLater(5, print).getTime() == 2005
    del reactor.seconds
    assert reactor.callLater(5, print).getTime() == 1005


@pytest.mark.parametrize("delay", [-1, -0.001, float("nan")])
def test_s029_a_negative_delay_and_nan_are_refused(reactor, delay):
    with pytest.raises(AssertionError, match="delay"):
        reactor.callLater(delay, print)
    assert reactor.getDelayedCalls() == []


def test_s029_whether_it_can_be_called_shows_when_it_is_due(reactor, reports):
    reactor.callLater(0, None)
    reactor.iterate()
    reports.take(TypeError)


def test_s031_get_delayed_calls_has_new_ones_and_not_cancelled_ones(reactor):
    first, second = reactor.callLater(1, print), reactor.callLater(2, print)
    assert set(reactor.getDelayedCalls()) == {first, second}
    first.cancel()
    assert reactor.getDelayedCalls() == [second]
    with pytest.raises(error.AlreadyCancelled):
        first.cancel()


def test_s033_equal_times_run_first_in_first_out(reactor):
    ran = []
    for number in range(100):
        reactor.callLater(1, ran.append, number)
    reactor.callLater(1, reactor.stop)
    run(reactor)
    assert ran == list(range(100))


def test_s092_the_running_call_is_not_listed_and_those_pending_at_stop_stay(reactor):
    listed = []
    pending = reactor.callLater(10, print)

    def stop():
        listed.extend(reactor.getDelayedCalls())
        reactor.stop()

    reactor.callLater(1, stop)
    run(reactor)
    assert listed == [pending]
    assert reactor.getDelayedCalls() == [pending]


def test_iterate_inside_an_event_delivers_the_rest_once(reactor, poller):
    happened = []

    def first():
        happened.append("first")
        poller.becomes_ready(51, READ)  # still ready: readiness is a level
        reactor.iterate()
        happened.append("first ends")

    reactor.addReader(Source(50, first))
    reactor.addReader(Source(51, lambda: happened.append("second")))
    poller.becomes_ready(50, READ)
    poller.becomes_ready(51, READ)
    reactor.iterate()
    assert happened == ["first", "second", "first ends"]


def test_iterate_waits_as_long_as_it_is_told_to(reactor, poller):
    reactor.iterate()
    reactor.iterate(2.5)
    assert poller.waits == [0, 2.5]
