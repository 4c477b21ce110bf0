"""What a program replaces on a reactor, on its class or on itself and at any moment, is what runs."""

import pytest
from tests.contract.parts import run

from torsion import reactors
from torsion.contract import OVERRIDABLE, Reactor
from torsion.defer import Deferred


@pytest.fixture
def plain(poller, adopt):
    return adopt(Reactor(clock=poller.clock, poller=poller))


def forwarding(name, calls):
    """Does what the reactor's own method does, and counts."""

    def method(self, *args, **kwargs):
        calls.append((name, args))
        return getattr(Reactor, name)(self, *args, **kwargs)

    return method


def test_without_overrides_the_turn_is_native(plain):
    assert not plain.engine.overridden


@pytest.mark.parametrize("name", sorted(OVERRIDABLE))
def test_an_override_is_noted_on_the_class_and_on_the_instance(plain, poller, name, adopt):
    subclass = type("Subclass", (Reactor,), {name: forwarding(name, [])})
    made = adopt(subclass(poller=poller))
    assert made.engine.overridden

    found = getattr(plain, name)
    setattr(plain, name, lambda *args: found(*args))
    assert plain.engine.overridden
    delattr(plain, name)
    assert not plain.engine.overridden


@pytest.mark.parametrize("name", sorted(OVERRIDABLE))
def test_putting_back_what_was_found_is_no_override(plain, poller, name, adopt):
    """As mock.patch and trial's patch do, which know nothing of classes and instances."""
    found = getattr(plain, name)
    setattr(plain, name, lambda *args: found(*args))
    setattr(plain, name, found)
    assert not plain.engine.overridden
    assert plain.seconds() == poller.clock()
    other = adopt(Reactor(clock=poller.clock, poller=poller))
    setattr(plain, name, getattr(other, name))
    assert plain.engine.overridden


@pytest.mark.parametrize("name", ["stop", "crash", "callFromThread", "run", "anything", "_life"])
def test_other_attributes_leave_the_turn_native(plain, name):
    setattr(plain, name, plain.__dict__.get(name, getattr(plain, name, None)))
    assert not plain.engine.overridden


@pytest.mark.parametrize("name", ["runUntilCurrent", "timeout", "doIteration"])
def test_the_loop_calls_what_was_put_on_the_instance_while_it_runs(plain, name):
    calls = []

    def patch():
        setattr(plain, name, lambda *args: forwarding(name, calls)(plain, *args))

    plain.callLater(1, patch)
    plain.callLater(2, lambda: None)
    plain.callLater(3, lambda: delattr(plain, name))
    plain.callLater(4, calls.append, "four")
    plain.callLater(4, plain.stop)
    run(plain)
    assert 1 <= len([call for call in calls if call[0] == name]) <= 2
    assert calls[-1] == "four"


def test_a_callback_that_replaces_the_wait_is_not_followed_by_a_native_sleep(adopt):
    made = adopt(Reactor())
    made.callLater(0, lambda: setattr(made, "doIteration", lambda delay: made.crash()))
    run(made)  # without the wake-up that the replacement gives it would never end


def test_do_iteration_gets_the_exact_time_to_the_next_call_or_none(poller, adopt):
    class Barely(Reactor):
        """The least that runs, as programs of the contract write it: attributes first, no readiness at all."""

        def __init__(self):
            self.now = 100
            self.told = []
            super().__init__(poller=poller)

        def seconds(self):
            return self.now

        def addReader(self, reader):
            pass

        def removeReader(self, reader):
            pass

        def removeAll(self):
            return []

        def doIteration(self, delay):
            self.told.append(delay)
            if delay is None:
                self.callLater(5, self.stop)
            else:
                self.now += delay

    made = adopt(Barely())
    made.callWhenRunning(lambda: made.callLater(7.5, lambda: None))
    run(made)
    assert made.told == [7.5, None, 5, 0]
    assert poller.waits == []


def test_a_class_that_watches_for_itself_gets_the_waker_as_a_reader(poller, adopt):
    class Watching(Reactor):
        def __init__(self):
            self._readers = {}
            super().__init__(poller=poller)

        def addReader(self, reader):
            self._readers[reader] = True

        def removeReader(self, reader):
            del self._readers[reader]

    made = adopt(Watching())
    (waker,) = made._readers
    assert waker is made.waker
    assert made._internalReaders == {waker}
    assert waker.fileno() >= 0
    made.callFromThread(print)
    assert waker.fileno() == made.engine.waker.fileno()
    waker.doRead()
    assert waker.logPrefix() == "-"


def test_install_waker_can_be_left_out(poller, adopt):
    class Without(Reactor):
        def installWaker(self):
            pass

    made = adopt(Without(poller=poller))
    assert made._internalReaders == set()


def test_s029_seconds_of_the_class_is_the_clock_of_timers_and_loop(poller, adopt):
    class Slow(Reactor):
        def seconds(self):
            return poller.clock() / 2

    made = adopt(Slow(poller=poller))
    ran = []
    made.callLater(10, lambda: ran.append(made.seconds()))
    made.callLater(10, made.stop)
    run(made)
    assert ran == [510]
    assert sum(poller.waits) == pytest.approx(20)


def test_s046_wake_up_is_called_for_each_call_from_a_thread(plain):
    woken = []
    plain.wakeUp = lambda: woken.append(True)
    plain.callFromThread(print)
    plain.callFromThread(print)
    assert woken == [True, True]


def test_an_overridden_loop_is_always_woken_in_earnest(plain):
    """Somebody else may be asleep on the waker's descriptor, of which the engine knows nothing."""
    import select

    plain.doIteration = lambda delay: None
    plain.waker.doRead()
    assert not select.select([plain.waker.fileno()], [], [], 0)[0]
    plain.wakeUp()
    assert select.select([plain.waker.fileno()], [], [], 0)[0]


def test_move_call_later_sooner_is_called_where_it_is_overridden(plain, poller, adopt):
    class Moving(Reactor):
        moved = ()

        def _moveCallLaterSooner(self, call):
            self.moved += (call,)
            super()._moveCallLaterSooner(call)

    made = adopt(Moving(clock=poller.clock, poller=poller))
    call = made.callLater(10, made.stop)
    call.reset(1)
    assert made.moved == (call,)
    run(made)
    assert poller.waits == [1, 0]


def test_move_call_later_sooner_may_be_replaced_for_a_while(plain):
    moved = []
    plain._moveCallLaterSooner = moved.append
    call = plain.callLater(10, plain.stop)
    del plain._moveCallLaterSooner
    other = plain.callLater(10, plain.stop)
    call.reset(1)
    other.reset(2)
    assert moved == [call]


@pytest.mark.parametrize("way", ["a timer", "the shutdown event"])
def test_stop_and_crash_go_through_the_instance(plain, way):
    """trial puts its own stop and crash on the reactor for a test, and takes them off again."""
    called = []
    own_crash = plain.crash

    def crash():
        called.append("crash")
        own_crash()

    plain.crash = crash
    if way == "a timer":
        plain.stop = plain.crash
        plain.callLater(1, lambda: plain.stop())
        run(plain)
        del plain.stop
    else:
        plain.callLater(1, plain.stop)
        run(plain)
    del plain.crash
    assert called == ["crash"]


def test_main_loop_and_iterate_of_a_subclass_are_used(poller, adopt):
    calls = []

    class Own(Reactor):
        def mainLoop(self):
            calls.append("mainLoop")
            self.iterate(0)
            self.crash()

        def iterate(self, delay=0):
            calls.append("iterate")
            super().iterate(delay)

    made = adopt(Own(poller=poller))
    made.callLater(0, calls.append, "timer")
    run(made)
    assert calls == ["mainLoop", "iterate", "timer"]


# One reactor made into another


class Other(Reactor):
    def doIteration(self, delay):
        self.turned = True
        Reactor.doIteration(self, delay)


def test_assigning_dict_and_class_makes_one_reactor_the_other(plain, poller, adopt):
    """Twisted's ReactorBuilder does so to the global reactor, and undoes it after the test."""
    other = adopt(Other(clock=poller.clock, poller=poller))
    own_dict, own_class = plain.__dict__, plain.__class__
    plain.__dict__ = other.__dict__
    assert plain.engine is other.engine
    plain.__class__ = other.__class__
    assert plain.engine.overridden

    plain.callLater(1, other.stop)
    run(other)
    assert plain.turned
    assert not plain.running
    with pytest.raises(Exception, match="ended"):
        plain.run()

    plain.__dict__ = own_dict
    plain.__class__ = own_class
    assert not plain.engine.overridden
    assert type(plain) is Reactor
    ran = []
    plain.callLater(1, ran.append, True)
    plain.callLater(1, plain.stop)
    run(plain)
    assert ran == [True]


def test_assigning_the_class_alone_notes_what_it_overrides(plain):
    plain.__class__ = Other
    assert plain.engine.overridden
    plain.__class__ = Reactor
    assert not plain.engine.overridden


def test_a_clock_on_the_instance_travels_with_its_dict(plain, poller, adopt):
    other = adopt(Reactor(clock=poller.clock, poller=poller))
    other.seconds = lambda: 5.0
    own_dict = plain.__dict__
    plain.__dict__ = other.__dict__
    assert plain.seconds() == 5.0
    assert plain.engine.clock() == 5.0
    plain.__dict__ = own_dict
    assert plain.seconds() == 1000.0


def test_the_descriptors_of_a_dict_that_was_taken_over_stay_open_until_it_goes(poller):
    one, other = Reactor(), Reactor()
    one.__dict__ = other.__dict__
    del other
    one.callFromThread(one.stop)
    run(one)
    assert one.engine.waker.fileno() >= 0
    one.close()


# What the contract's test helpers do


def test_internal_testing_can_make_a_stopped_reactor_run_again(plain):
    """As twisted.internet.testing does: stop, iterate for the shutdown triggers, then clear the flags."""
    ran = []

    def restartable_stop():
        plain.stop()
        plain.iterate()
        plain._startedBefore = False
        plain._started = False
        plain._justStopped = False
        plain.running = False
        plain.addSystemEventTrigger("during", "startup", plain._reallyStartRunning)

    for number in range(3):
        plain.callWhenRunning(ran.append, number)
        plain.callLater(1, restartable_stop)
        run(plain)
    assert ran == [0, 1, 2]


def test_a_loop_of_somebody_elses_can_fire_the_shutdown_itself(plain):
    """As asyncio-hosted reactors of the contract do, with the flag of a pending shutdown in their own hands."""
    happened = []
    plain.addSystemEventTrigger("before", "shutdown", happened.append, "before")
    plain.startRunning(installSignalHandlers=False)
    plain.stop()
    assert plain._justStopped
    plain._justStopped = False
    plain.runUntilCurrent()
    assert happened == []
    plain.fireSystemEvent("shutdown")
    assert happened == ["before"]
    assert not plain._started


def test_unbuilding_a_reactor_cleans_it_up(plain):
    """The steps of Twisted's ReactorBuilder after a test."""
    call = plain.callLater(10, print)
    plain._uninstallHandler()
    for reader in plain._internalReaders:
        plain.removeReader(reader)
        reader.connectionLost(None)
    plain._internalReaders.clear()
    plain.disconnectAll()
    for pending in plain.getDelayedCalls():
        pending.cancel()
    assert not call.active()


def test_trial_runs_and_crashes_once_per_test(plain):
    results = []
    for number in range(10):
        deferred = Deferred()
        plain.callLater(1, deferred.callback, number)
        deferred.addCallback(results.append)
        deferred.addBoth(lambda _: plain.crash())
        plain.stop = plain.crash
        run(plain)
        del plain.stop
    assert results == list(range(10))


def test_reactors_module_knows_the_innermost_running_one(plain, poller, adopt):
    seen = []
    inner = adopt(Reactor(clock=poller.clock, poller=poller))
    inner.callLater(1, lambda: seen.append(reactors.current()))
    inner.callLater(1, inner.stop)
    plain.callLater(1, lambda: run(inner))
    plain.callLater(1, lambda: seen.append(reactors.current()))
    plain.callLater(2, plain.stop)
    run(plain)
    assert seen == [inner, plain]
