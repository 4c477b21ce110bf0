"""A reactor and other threads: calls handed over, the pool, and several reactors at once."""

import gc
import os
import threading
import weakref

import pytest
from tests.contract.parts import run

import torsion
from torsion import error, main, reactors
from torsion.contract import Reactor, running_here
from torsion.defer import Deferred


@pytest.fixture
def real(reactor_class, reports):
    """A reactor on the kernel and the wall clock."""
    made = reactor_class()
    yield made
    made.close()


def in_thread(function, *args):
    thread = threading.Thread(target=function, args=args)
    thread.start()
    return thread


# callFromThread


def test_s046_a_call_is_never_synchronous_and_comes_in_order(reactor):
    happened = []

    def timer():
        for number in range(10):
            reactor.callFromThread(happened.append, number)
        happened.append("timer ends")
        reactor.callFromThread(reactor.stop)

    reactor.callLater(0, timer)
    run(reactor)
    assert happened == ["timer ends", *range(10)]


def test_s046_a_pass_runs_only_the_calls_present_at_its_start_and_the_rest_does_not_wait(reactor, poller):
    happened = []

    def call():
        happened.append("call")
        reactor.callFromThread(happened.append, "next pass")
        reactor.callLater(0, happened.append, "timer")

    reactor.callFromThread(call)
    reactor.callLater(5, reactor.stop)
    run(reactor)
    assert happened == ["call", "timer", "next pass"]
    assert poller.waits[0] == 0


def test_s046_a_call_from_another_thread_ends_the_sleep(real):
    happened = []
    gone_in = threading.Event()

    def other():
        assert gone_in.wait(10)
        real.callFromThread(lambda *args, **kw: happened.append((args, kw, threading.get_ident())), 1, two=2)
        real.callFromThread(real.stop)

    thread = in_thread(other)
    real.callWhenRunning(gone_in.set)
    run(real)
    thread.join(10)
    assert happened == [((1,), {"two": 2}, threading.get_ident())]


def test_s046_many_threads_lose_no_call_and_keep_each_its_order(real):
    got = {number: [] for number in range(8)}

    def other(number):
        for count in range(500):
            real.callFromThread(got[number].append, count)
        real.callFromThread(ended)

    def ended():
        threads.pop()
        if not threads:
            real.stop()

    threads = []
    real.callWhenRunning(lambda: threads.extend([in_thread(other, number) for number in got]))
    run(real)
    assert all(counts == list(range(500)) for counts in got.values())


def test_s046_calls_made_before_run_wait_for_it(reactor):
    happened = []
    reactor.callFromThread(happened.append, 1)
    assert happened == []
    reactor.callFromThread(reactor.stop)
    run(reactor)
    assert happened == [1]


def test_s046_only_what_can_be_called_is_accepted(reactor):
    with pytest.raises(AssertionError):
        reactor.callFromThread(None)


def test_wake_up_ends_the_next_wait_if_none_is_going_on(real):
    real.callLater(0, real.wakeUp)
    real.iterate(None)  # nothing else would end it


# The pool


def test_s048_the_pool_is_made_when_first_needed_with_at_most_ten_threads(real):
    assert real.threadpool is None
    pool = real.getThreadPool()
    assert real.threadpool is pool is real.getThreadPool()
    assert (pool.min, pool.max) == (0, 10)
    real.suggestThreadPoolSize(3)
    assert (pool.min, pool.max) == (0, 3)
    real._stopThreadPool()


def test_s048_work_queued_before_start_runs_at_start_in_a_pool_thread(real):
    ran = []

    def work(*args, **kwargs):
        ran.append((args, kwargs, threading.current_thread()))
        real.callFromThread(real.stop)

    real.callInThread(work, 1, two=2)
    assert not real.getThreadPool().started
    run(real)
    ((args, kwargs, thread),) = ran
    assert (args, kwargs) == ((1,), {"two": 2})
    assert thread.name.startswith("PoolThread-")
    assert not thread.daemon
    assert not thread.is_alive()  # stop() joined it


def test_s048_a_pool_made_while_running_starts_at_once(real):
    started = []

    def work():
        started.append(real.getThreadPool().started)
        real.callInThread(real.callFromThread, real.stop)

    real.callWhenRunning(work)
    run(real)
    assert started == [True]


def test_s048_work_after_stop_is_dropped_without_a_word(real):
    pool = real.getThreadPool()
    real.callWhenRunning(real.stop)
    run(real)
    ran = []
    pool.callInThread(ran.append, True)
    assert ran == []
    assert real.threadpool is None


def test_s048_stop_waits_for_the_work_that_goes_on_and_for_the_backlog(real):
    ran = []
    begun, may_end = threading.Event(), threading.Event()

    def work():
        begun.set()
        assert may_end.wait(10)
        ran.append("first")

    def enough():
        assert begun.wait(10)
        real.callInThread(ran.append, "second")
        real.callInThread(ran.append, "third")
        real.stop()

    real.suggestThreadPoolSize(1)
    real.callInThread(work)
    real.callWhenRunning(enough)
    real.addSystemEventTrigger("before", "shutdown", may_end.set)
    real.addSystemEventTrigger("after", "shutdown", lambda: ran.append("after"))
    run(real)
    assert ran == ["first", "second", "third", "after"]


def test_s048_call_in_thread_after_shutdown_queues_into_a_pool_that_never_starts(real):
    real.callWhenRunning(real.stop)
    run(real)
    ran = []
    real.callInThread(ran.append, True)
    assert not real.getThreadPool().started
    assert ran == []
    real._stopThreadPool()


def test_s048_a_stopped_pool_is_dropped_and_its_triggers_are_removed(real):
    pool = weakref.ref(real.getThreadPool())
    real._stopThreadPool()
    gc.collect()
    assert pool() is None
    real._stopThreadPool()  # there is none: nothing happens
    real.callWhenRunning(real.stop)
    run(real)  # starts no pool that was stopped


def test_s048_the_pool_goes_on_over_a_crash(real):
    for _ in range(2):
        real.callInThread(real.callFromThread, real.crash)
        run(real)
    assert real.threadpool.started
    real._stopThreadPool()


# Which reactor


@pytest.fixture
def no_default(monkeypatch):
    monkeypatch.setattr(reactors, "_place", reactors.Place())


def test_s045_the_default_is_made_on_first_use_and_only_once(no_default):
    assert reactors.installed() is None
    made = torsion.reactor
    assert type(made) is Reactor
    assert reactors.installed() is made is reactors.default() is reactors.current() is torsion.reactor
    made.close()


def test_s045_a_second_install_is_an_error(no_default):
    first, second = object(), object()
    main.installReactor(first)
    assert reactors.default() is first
    with pytest.raises(error.ReactorAlreadyInstalledError):
        main.installReactor(second)
    with pytest.raises(AssertionError):
        reactors.install(first)
    assert reactors.default() is first


def test_s045_after_the_default_was_used_nothing_can_be_installed(no_default):
    made = reactors.default()
    with pytest.raises(error.ReactorAlreadyInstalledError):
        reactors.install(object())
    made.close()


def test_s045_where_the_default_is_kept_can_be_changed(no_default):
    class Elsewhere(reactors.Place):
        pass

    first, second = Elsewhere(), Elsewhere()
    reactors.keep_in(first)
    assert first.reactor is None  # nothing is made by it
    made = reactors.default()
    assert first.reactor is made
    reactors.keep_in(second)
    assert second.reactor is made is reactors.default()
    second.reactor = None  # taken away by those who look there
    reactors.install("another")
    assert second.reactor == "another"
    made.close()


def test_several_reactors_run_one_a_thread_and_each_is_the_current_one_there(no_default, reports):
    found = {}

    def program(number, reactor):
        def check():
            found[number] = (torsion.reactor is reactor, running_here() is reactor, reactor.running)
            barrier.wait(10)  # all run at once
            reactor.stop()

        reactor.callLater(0, check)
        run(reactor)
        assert running_here() is None

    barrier = threading.Barrier(4)
    made = [Reactor() for _ in range(4)]
    threads = [in_thread(program, number, reactor) for number, reactor in enumerate(made)]
    for thread in threads:
        thread.join(10)
    assert found == dict.fromkeys(range(4), (True, True, True))
    assert reactors.installed() is None  # nobody needed the process's own
    for reactor in made:
        reactor.close()


def test_a_reactor_is_the_current_one_from_startup_to_the_last_trigger(reactor):
    seen = []
    for kind in ("startup", "shutdown"):
        for phase in ("before", "during", "after"):
            reactor.addSystemEventTrigger(phase, kind, lambda: seen.append(running_here()))
    reactor.callLater(0, reactor.stop)
    run(reactor)
    assert seen == [reactor] * 6
    assert running_here() is None


def test_a_reactor_that_is_iterated_is_the_current_one_meanwhile(reactor):
    seen = []
    reactor.callLater(0, lambda: seen.append(running_here()))
    reactor.iterate()
    assert seen == [reactor]
    assert running_here() is None


# What stays behind


def use(reactor_class):
    reactor = reactor_class()
    waiting = Deferred()
    reactor.addSystemEventTrigger("before", "shutdown", lambda: waiting)
    reactor.callWhenRunning(reactor.callLater, 0, reactor.callFromThread, reactor.stop)
    reactor.callInThread(reactor.callFromThread, waiting.callback, None)
    run(reactor)


def test_a_reactor_that_ran_and_is_dropped_leaves_nothing_behind(reactor_class, no_leaks):
    use(reactor_class)
    with no_leaks():
        for _ in range(5):
            use(reactor_class)


def test_a_reactor_that_never_ran_leaves_nothing_behind(no_leaks):
    Reactor()
    with no_leaks():
        for _ in range(5):
            Reactor()


def test_close_gives_the_descriptors_back_at_once():
    before = len(os.listdir("/proc/self/fd"))
    reactor = Reactor()
    assert len(os.listdir("/proc/self/fd")) > before
    reactor.close()
    reactor.close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_timers_and_calls_leave_no_cycle(reactor_class, no_leaks):
    reactor = reactor_class()

    def turn():
        for _ in range(100):
            reactor.callLater(0, int)
            reactor.callLater(1000, int).cancel()
            reactor.callFromThread(int)
        reactor.iterate()

    turn()
    with no_leaks():
        turn()
    reactor.close()
