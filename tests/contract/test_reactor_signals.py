"""Signals that end a reactor, delivered by the kernel."""

import os
import signal
import statistics
import subprocess
import sys
import threading
import time

import pytest

from torsion import error, report, threads
from torsion.contract import Reactor
from torsion.defer import Deferred, passthru

TAKEN = [signal.SIGINT, signal.SIGTERM, signal.SIGCHLD]


@pytest.fixture(autouse=True)
def handlers_are_put_back():
    before = {number: signal.getsignal(number) for number in TAKEN}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
    assert signal.set_wakeup_fd(-1) == -1


@pytest.fixture
def real(reactor_class, reports):
    """A reactor on the kernel and the wall clock."""
    made = reactor_class()
    yield made
    made.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_s052_a_signal_stops_the_reactor_in_good_order_and_is_recorded(real, number):
    happened = []
    real.addSystemEventTrigger("before", "shutdown", happened.append, "before")
    assert real._exitSignal is None
    real.callWhenRunning(os.kill, os.getpid(), number)
    real.run()
    assert happened == ["before"]
    assert real._exitSignal == number


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_s052_a_signal_is_served_within_50_ms_while_the_loop_sleeps_without_a_timer(reactor_class, number):
    took = []
    for _ in range(5):
        reactor = reactor_class()
        running = threading.Event()
        sent = []

        def send(running=running, sent=sent):
            assert running.wait(10)
            sent.append(time.monotonic())
            os.kill(os.getpid(), number)

        thread = threading.Thread(target=send)
        thread.start()
        reactor.callWhenRunning(running.set)
        reactor.addSystemEventTrigger("before", "shutdown", lambda sent=sent: took.append(time.monotonic() - sent[0]))
        reactor.run()
        thread.join(10)
        reactor.close()
    assert sorted(took)[2] < 0.05, took


def test_s052_the_handlers_are_installed_in_the_middle_of_startup(real):
    seen = []

    def look():
        seen.append([callable(signal.getsignal(number)) for number in (signal.SIGTERM, signal.SIGCHLD)])

    for phase in ("before", "during"):
        real.addSystemEventTrigger(phase, "startup", look)
    real.callWhenRunning(real.stop)
    real.run()
    assert seen == [[False, False], [True, True]]


def test_s052_sigint_is_left_to_a_program_that_has_its_own_handler_and_sigterm_is_not(real):
    caught = []
    signal.signal(signal.SIGINT, lambda *args: caught.append("int"))
    signal.signal(signal.SIGTERM, lambda *args: caught.append("term"))
    real.callWhenRunning(os.kill, os.getpid(), signal.SIGINT)
    real.callLater(0, os.kill, os.getpid(), signal.SIGTERM)
    real.run()
    assert caught == ["int"]
    assert real._exitSignal == signal.SIGTERM


def test_s052_after_run_a_signal_is_caught_and_ignored(real, reports):
    real.callWhenRunning(real.stop)
    real.run()
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(os.getpid(), number)  # neither KeyboardInterrupt nor the end of the process


def test_s052_a_second_sigint_during_a_delayed_shutdown_is_reported(real, reports):
    waiting = Deferred()
    real.addSystemEventTrigger("before", "shutdown", lambda: waiting)
    real.callWhenRunning(os.kill, os.getpid(), signal.SIGINT)
    real.addSystemEventTrigger("before", "shutdown", real.callLater, 0, os.kill, os.getpid(), signal.SIGINT)
    real.addSystemEventTrigger("before", "shutdown", real.callLater, 0.01, waiting.callback, None)
    real.run()
    reports.take(error.ReactorNotRunning)


def test_s052_handlers_outside_of_the_main_thread_are_reported_and_the_reactor_runs_on(real, reports):
    ran = []

    def program():
        real.callWhenRunning(ran.append, "running")
        real.callLater(0, real.stop)
        real.run()

    thread = threading.Thread(target=program)
    thread.start()
    thread.join(10)
    assert ran == ["running"]
    assert not real.running
    reports.take(ValueError)


def test_s052_without_install_signal_handlers_all_stay_as_they_are(real):
    before = [signal.getsignal(number) for number in TAKEN]
    real.callWhenRunning(lambda: before.append([signal.getsignal(number) for number in TAKEN]))
    real.callLater(0, real.stop)
    real.run(installSignalHandlers=False)
    *outside, inside = before
    assert outside == inside == [signal.getsignal(number) for number in TAKEN]


def test_s052_the_next_reactor_takes_sigint_from_the_last_one(reports):
    """What an earlier reactor left is not a program's own handler; else Ctrl-C would do nothing."""
    for _ in range(2):
        reactor = Reactor()
        reactor.callWhenRunning(os.kill, os.getpid(), signal.SIGINT)
        reactor.run()
        assert reactor._exitSignal == signal.SIGINT
        reactor.close()


def test_s052_handlers_do_not_keep_a_reactor_alive(no_leaks):
    def program():
        reactor = Reactor()
        reactor.callWhenRunning(reactor.stop)
        reactor.run()

    program()
    with no_leaks():
        program()
    os.kill(os.getpid(), signal.SIGTERM)  # nobody is there


@pytest.mark.parametrize("name", ["sigInt", "sigTerm", "sigBreak"])
def test_s052_the_handlers_hand_over_a_report_and_a_stop_and_record_the_number(real, name):
    handed = []
    real.callFromThread = lambda function, *args: handed.append((function, *args))
    getattr(real, name)(15, None)
    assert handed == [(report.info, f"Received {name.upper()}, shutting down."), (real.stop,)]
    assert real._exitSignal == 15


def test_s053_sigchld_and_the_wake_up_descriptor_are_given_back(real):
    real.callWhenRunning(real.stop)
    real.run()
    assert signal.getsignal(signal.SIGCHLD) is signal.SIG_DFL
    real._uninstallHandler()  # any number of times


def test_s052_a_program_that_overrides_stop_is_stopped_by_that(real):
    stopped = []

    def stop():
        stopped.append(True)
        real.crash()

    real.stop = stop
    real.callWhenRunning(os.kill, os.getpid(), signal.SIGINT)
    real.run()
    assert stopped == [True]


def test_a_signal_handler_of_the_program_may_hand_over_a_call(real):
    got = []

    def handler(number, frame):
        real.callFromThread(got.append, number)
        real.callFromThread(real.stop)

    before = signal.signal(signal.SIGUSR1, handler)
    running = threading.Event()

    def send():
        assert running.wait(10)
        os.kill(os.getpid(), signal.SIGUSR1)

    thread = threading.Thread(target=send)
    thread.start()
    real.callWhenRunning(running.set)
    real.run()  # without the wake-up descriptor that this installs, the kernel may choose a thread that does not care
    thread.join(10)
    signal.signal(signal.SIGUSR1, before)
    assert got == [signal.SIGUSR1]


# One reactor inside another


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_reactor_that_ran_inside_another_gives_the_signals_back_to_it(reactor_class, reports, number):
    """Sent by a thread: with neither the wake-up descriptor nor the handler back, the outer loop would sleep on."""
    outer, inner = reactor_class(), reactor_class()
    threads_ = []

    def nest():
        inner.callLater(0, inner.stop)
        inner.run()
        thread = threading.Thread(target=signal.pthread_kill, args=(threading.main_thread().ident, number))
        threads_.append(thread)
        outer.callLater(0, thread.start)

    outer.callLater(0, nest)
    guard = outer.callLater(20, outer.stop)
    outer.run()
    assert guard.active()
    assert (outer._exitSignal, inner._exitSignal) == (number, None)
    for thread in threads_:
        thread.join(10)
    assert signal.getsignal(signal.SIGCHLD) is signal.SIG_DFL
    outer.close()
    inner.close()


def test_a_signal_while_one_reactor_runs_inside_another_stops_the_inner_one(reactor_class, reports):
    outer, inner = reactor_class(), reactor_class()
    inner.callWhenRunning(os.kill, os.getpid(), signal.SIGTERM)
    outer.callLater(0, inner.run)
    outer.callLater(0, outer.stop)
    outer.run()
    assert (outer._exitSignal, inner._exitSignal) == (None, signal.SIGTERM)
    outer.close()
    inner.close()


# Served within 50 ms, whatever the loop does

SENDER = """
import os, signal, sys, time
process = int(sys.argv[1])
while sys.stdin.read(1):  # once more
    time.sleep(0.01)
    print(time.clock_gettime(~process << 3 | 2), flush=True)  # the CPU time that the process has used
    os.kill(process, signal.SIGUSR1)
"""


def idle(reactor):
    """Nothing at all."""


def timers(reactor):
    for _ in range(1000):
        reactor.callLater(0, Deferred().callback, None)
    reactor.callLater(0, timers, reactor)


def calls(reactor):
    for _ in range(1000):
        reactor.callFromThread(Deferred().callback, None)
    reactor.callFromThread(calls, reactor)


def a_long_batch(reactor):
    for _ in range(200_000):
        reactor.callFromThread(int)
    reactor.callLater(0, a_long_batch, reactor)


def chains(reactor):
    first = last = Deferred()
    for _ in range(10_000):
        outer = Deferred().addCallback(passthru)
        outer.callback(None)
        outer.addCallback(lambda _, inner=last: inner).addCallback(passthru)
        last = outer
    first.callback(None)
    reactor.callLater(0, chains, reactor)


def pool(reactor):
    for _ in range(2):
        threads.deferToThreadPool(reactor, reactor.getThreadPool(), sorted, range(10_000), key=lambda each: -each)
    reactor.callLater(0.001, pool, reactor)


@pytest.mark.skipif(sys.platform != "linux", reason="the CPU clock of another process")
@pytest.mark.parametrize("work", [idle, timers, calls, a_long_batch, chains, pool], ids=lambda work: work.__name__)
def test_s052_a_signal_is_served_within_50_ms_of_cpu_time_whatever_the_loop_does(real, work):
    """Of CPU time: how long others had the machine meanwhile says nothing about the loop."""
    served = []

    def handler(number, frame):
        served.append(time.process_time())
        if len(served) == 9:
            real.callFromThread(real.stop)
        else:
            once_more()

    def once_more():
        sender.stdin.write("x")
        sender.stdin.flush()

    sender = subprocess.Popen(
        [sys.executable, "-S", "-c", SENDER, str(os.getpid())], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    before = signal.signal(signal.SIGUSR1, handler)
    try:
        real.callWhenRunning(work, real)
        real.callWhenRunning(once_more)
        guard = real.callLater(20, real.stop)
        real.run()
        assert guard.active()
    finally:
        sent, _ = sender.communicate(timeout=20)
        signal.signal(signal.SIGUSR1, before)
    took = [after - float(at) for at, after in zip(sent.split(), served, strict=True)]
    assert statistics.median(took) < 0.05, took
