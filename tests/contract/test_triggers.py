"""System events of a reactor: its own triggers among a program's."""

import pytest
from tests.contract.parts import run

from torsion.defer import Deferred
from torsion.net.descriptor import CONNECTION_LOST

PHASES = ("before", "during", "after")


class Watched:
    def __init__(self, fd, on_lost):
        self.fd, self.on_lost = fd, on_lost

    def fileno(self):
        return self.fd

    def connectionLost(self, reason):
        self.on_lost(reason)


def test_s039_a_deferred_that_never_fires_blocks_shutdown_while_the_loop_runs(reactor):
    happened = []
    reactor.addSystemEventTrigger("before", "shutdown", Deferred)
    reactor.addSystemEventTrigger("during", "shutdown", happened.append, "during")
    for delay in (1, 2, 3):
        reactor.callLater(delay, happened.append, delay)
    reactor.callLater(0, reactor.stop)
    reactor.callLater(4, reactor.crash)
    run(reactor)
    assert happened == [1, 2, 3]


def test_s039_shutdown_waits_for_the_deferreds_of_before(reactor):
    happened = []
    waiting = Deferred()
    reactor.addSystemEventTrigger("before", "shutdown", lambda: waiting)
    reactor.addSystemEventTrigger("during", "shutdown", lambda: happened.append(("during", reactor.seconds())))
    reactor.callLater(1, reactor.stop)
    reactor.callLater(5, waiting.callback, None)
    run(reactor)
    assert happened == [("during", 1005.0)]


@pytest.mark.parametrize("kind", ["startup", "shutdown", "persist", "my own"])
def test_s039_any_event_can_be_fired_by_hand_with_its_triggers_in_order(reactor, kind):
    happened = []
    for phase in reversed(PHASES):
        reactor.addSystemEventTrigger(phase, kind, happened.append, phase)
    reactor.fireSystemEvent(kind)
    reactor.fireSystemEvent(kind)
    assert happened == ["before", "during", "after"]


def test_s039_an_event_without_triggers_can_be_fired(reactor):
    reactor.fireSystemEvent("nobody listens")


def test_s040_shutdown_crashes_then_disconnects_then_runs_the_programs_triggers(reactor):
    happened = []
    reactor.addReader(Watched(50, lambda reason: happened.append(("lost", reactor.running, reason is CONNECTION_LOST))))
    reactor.addWriter(Watched(51, lambda reason: happened.append(("lost", reactor.running, reason is CONNECTION_LOST))))
    reactor.addSystemEventTrigger("during", "shutdown", happened.append, "during")
    reactor.callLater(1, reactor.stop)
    run(reactor)
    assert happened == [("lost", False, True), ("lost", False, True), "during"]
    assert reactor.getReaders() == reactor.getWriters() == []


def test_s040_the_pool_stops_where_it_was_made_among_the_triggers(reactor):
    happened = []

    def note(name):
        happened.append((name, reactor.threadpool is not None))

    reactor.addSystemEventTrigger("during", "shutdown", note, "added before")
    reactor.getThreadPool()
    reactor.addSystemEventTrigger("during", "shutdown", note, "added after")
    reactor.callLater(1, reactor.stop)
    run(reactor)
    assert happened == [("added before", True), ("added after", False)]


@pytest.mark.parametrize("exception", [ValueError, KeyboardInterrupt, SystemExit])
def test_s040_one_that_raises_in_connection_lost_does_not_stop_the_rest(reactor, reports, exception):
    lost = []

    def fail(reason):
        lost.append(1)
        raise exception

    for fd in (50, 51, 52):
        reactor.addReader(Watched(fd, fail if fd == 51 else lost.append))
    reactor.disconnectAll()
    assert len(lost) == 3
    assert "connectionLost" in reports.take(exception)


def test_s040_internal_readers_are_left_alone(reactor):
    lost = []
    internal = Watched(50, lost.append)
    reactor._internalReaders.add(internal)
    reactor.addReader(internal)
    reactor.disconnectAll()
    assert lost == []
    assert reactor.getReaders() == [internal]
    reactor._internalReaders.discard(internal)
    reactor.disconnectAll()
    assert len(lost) == 1


def test_s040_shutdown_on_a_reactor_that_never_ran_disconnects_and_stops_the_pool(reactor):
    lost = []
    reactor.addReader(Watched(50, lost.append))
    pool = reactor.getThreadPool()
    reactor.fireSystemEvent("shutdown")
    assert lost == [CONNECTION_LOST]
    assert pool.joined
    assert reactor.threadpool is None


def test_s041_a_removed_trigger_does_not_run(reactor):
    happened = []
    for phase in PHASES:
        reactor.removeSystemEventTrigger(reactor.addSystemEventTrigger(phase, "shutdown", happened.append, phase))
    reactor.callLater(1, reactor.stop)
    run(reactor)
    assert happened == []


def test_s041_wrong_handles_each_have_their_error(reactor):
    kind, handle = reactor.addSystemEventTrigger("during", "event", print)
    reactor.removeSystemEventTrigger((kind, handle))
    for error, wrong in [
        (ValueError, (kind, handle)),  # gone
        (ValueError, ()),
        (ValueError, ("event",)),
        (ValueError, ("event", 1)),
        (ValueError, ("event", ("during",))),
        (TypeError, None),
        (TypeError, 5),
        (KeyError, ("never heard of", handle)),
        (KeyError, ("event", ("soon", *handle[1:]))),
    ]:
        with pytest.raises(error):
            reactor.removeSystemEventTrigger(wrong)


def test_s041_adding_refuses_other_phases_and_what_cannot_be_called(reactor):
    with pytest.raises(KeyError, match="soon"):
        reactor.addSystemEventTrigger("soon", "shutdown", print)
    with pytest.raises(AssertionError, match="42"):
        reactor.addSystemEventTrigger("during", "shutdown", 42)


def test_s041_the_deprecation_warning_names_the_line_that_removes(reactor):
    waiting = Deferred()
    trigger = reactor.addSystemEventTrigger("before", "event", lambda: waiting)
    reactor.fireSystemEvent("event")
    with pytest.warns(DeprecationWarning) as warnings:
        reactor.removeSystemEventTrigger(trigger)
    assert [warning.filename for warning in warnings] == [__file__]
    waiting.callback(None)
    with pytest.raises(ValueError):
        reactor.removeSystemEventTrigger(trigger)
