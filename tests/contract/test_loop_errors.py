"""What the loop survives: whatever a callback raises is reported, and the loop goes on."""

import pytest
from tests.contract.parts import Source, run

from torsion.engine.poll import READ

ESCAPES = [ValueError, SystemExit, KeyboardInterrupt, GeneratorExit]


def raiser(exception):
    def call():
        raise exception("from a callback")

    return call


@pytest.mark.parametrize("exception", ESCAPES)
def test_s043_whatever_timers_thread_calls_and_triggers_raise_is_reported_and_swallowed(reactor, reports, exception):
    happened = []
    for phase in ("before", "during", "after"):
        reactor.addSystemEventTrigger(phase, "startup", raiser(exception))
        reactor.addSystemEventTrigger(phase, "shutdown", raiser(exception))
    reactor.callLater(1, raiser(exception))
    reactor.callFromThread(raiser(exception))
    reactor.callLater(2, happened.append, "still here")
    reactor.callLater(3, reactor.stop)
    run(reactor)
    assert happened == ["still here"]
    assert reports.exceptions() == [exception] * 8
    reports.clear()


@pytest.mark.parametrize("exception", ESCAPES)
def test_s043_an_exception_in_do_read_is_reported_and_the_reason_of_the_loss(reactor, poller, reports, exception):
    source = Source(50, raiser(exception))
    reactor.addReader(source)
    poller.becomes_ready(50, READ)
    reactor.callLater(1, reactor.stop)
    run(reactor)
    assert [type(why) for why in source.lost] == [exception]
    assert reactor.getReaders() == []
    assert "source" in reports.take(exception)


def test_s043_a_keyboard_interrupt_of_connection_lost_reaches_the_main_loop_which_goes_on(reactor, poller, reports):
    def lost(reason):
        raise KeyboardInterrupt

    source = Source(50, lambda: True)
    source.connectionLost = lost
    reactor.addReader(source)
    poller.becomes_ready(50, READ)
    reactor.callLater(1, reactor.stop)
    run(reactor)
    assert reports.take(KeyboardInterrupt) == "Unexpected error in main loop."


@pytest.mark.parametrize("exception", [ValueError, SystemExit])
def test_s043_other_exceptions_of_connection_lost_stay_inside_the_event(reactor, poller, reports, exception):
    def lost(reason):
        raise exception

    source = Source(50, lambda: True)
    source.connectionLost = lost
    reactor.addReader(source)
    poller.becomes_ready(50, READ)
    reactor.iterate()
    assert "connectionLost" in reports.take(exception)


def test_s043_a_keyboard_interrupt_during_the_wait_is_reported_and_the_loop_goes_on(reactor, poller, reports):
    poller.meanwhile(raiser(KeyboardInterrupt))
    reactor.callLater(1, reactor.stop)
    run(reactor)
    assert reports.take(KeyboardInterrupt) == "Unexpected error in main loop."
