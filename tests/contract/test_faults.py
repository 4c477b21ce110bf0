"""Everything that can go wrong from outside, at once and often: the loop goes on, and nothing is left behind."""

import errno
import gc
import os
import random
import resource
import signal
import socket
import threading
import time

import pytest

from torsion import defer, error, threads
from torsion.contract import Reactor, running_here

PATIENCE = 20  # seconds; only a failing test waits so long


def recursion(*ignored):
    endless()  # which takes no *arguments: CPython 3.13.0 does not count the calls of a function that does


def endless():
    endless()


def raiser(kind):
    def raises(*ignored):
        raise kind("from a callback")

    return raises


class Silent(BaseException):
    """One that cannot even be printed."""

    def __str__(self):
        raise ValueError

    __repr__ = __str__


KINDS = [
    ValueError, SystemExit, KeyboardInterrupt, GeneratorExit, StopIteration, RecursionError, MemoryError, Silent,
]  # fmt: skip


class Selectable:
    """One side of a socket pair, of which each method may be replaced."""

    def __init__(self, **methods):
        self.ours, self.theirs = socket.socketpair()
        self.theirs.send(b"x")
        self.lost = []
        self.fileno = self.ours.fileno
        self.__dict__.update(methods)

    def doRead(self):
        return True

    def doWrite(self):
        return True

    def logPrefix(self):
        return "selectable"

    def connectionLost(self, reason):
        self.lost.append(reason.value)

    def close(self):
        self.ours.close()
        self.theirs.close()


@pytest.mark.parametrize("kind", [*KINDS, None], ids=lambda kind: "real recursion" if kind is None else kind.__name__)
def test_s043_whatever_is_raised_wherever_a_callback_is_called_is_reported_once_and_the_loop_goes_on(
    reactor_class, reports, kind
):
    raises = recursion if kind is None else raiser(kind)
    expected = RecursionError if kind is None else kind
    reactor = reactor_class()
    for phase in ("before", "during", "after"):
        for event in ("startup", "shutdown"):
            reactor.addSystemEventTrigger(phase, event, raises)
    reactor.callWhenRunning(raises)
    reactor.callLater(0, raises)
    reactor.callFromThread(raises)
    reactor.callInThread(raises)
    reactor.getThreadPool().callInThreadWithCallback(raises, int)
    reads, writes, ends = Selectable(doRead=raises), Selectable(doWrite=raises), Selectable(connectionLost=raises)
    numberless = Selectable()
    for reader in (reads, ends, numberless):
        reactor.addReader(reader)
    reactor.addWriter(writes)
    numberless.fileno = raises
    went_on = []
    reactor.callLater(0.02, went_on.append, True)
    reactor.callLater(0.03, reactor.stop)
    reactor.run(installSignalHandlers=False)
    assert went_on == [True]
    assert [[type(why) for why in each.lost] for each in (reads, writes, numberless)] == [[expected]] * 3
    places = ["trigger"] * 7 + ["delayed call", "call from a thread", "given to a thread pool", "thread of a pool"]
    places += ["doRead of selectable", "doWrite of selectable", "fileno of selectable", "connectionLost of"]
    if kind is KeyboardInterrupt:
        places[-1] = "main loop"  # the only one that may leave the event
    texts = reports.texts()
    for place in places:
        found = [text for text in texts if place in text]
        assert found, f"nothing names {place!r}: {texts}"
        texts.remove(found[0])
    assert texts == []
    assert reports.exceptions() == [expected] * len(places)
    reports.clear()
    for each in (reads, writes, ends, numberless):
        each.close()
    reactor.close()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_s010_an_exception_of_a_canceller_in_a_timer_is_the_timers(reactor, reports, kind):
    waiting = defer.Deferred(raiser(kind))
    reactor.callLater(0, waiting.cancel)
    reactor.callLater(1, reactor.stop)
    reactor.run(installSignalHandlers=False)
    assert "delayed call" in reports.take(kind)
    assert not waiting.called


def test_s043_what_a_signal_handler_raises_in_a_callback_is_that_callbacks(reactor, reports):
    def handler(number, frame):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGUSR1, handler)
    try:
        reactor.callLater(0, signal.raise_signal, signal.SIGUSR1)
        reactor.callLater(1, reactor.stop)
        reactor.run(installSignalHandlers=False)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert "raise_signal" in reports.take(KeyboardInterrupt)


@pytest.mark.parametrize("name", ["epoll", "poll", "select"])
@pytest.mark.parametrize("install", [True, False], ids=["with handlers", "without"])
def test_a_storm_of_signals_loses_no_timer_no_call_and_no_answer_of_a_thread(monkeypatch, reports, name, install):
    monkeypatch.setenv("TORSION_POLLER", name)
    came = []
    over = threading.Event()
    before = {
        number: signal.signal(number, lambda number, frame: came.append(number))
        for number in (signal.SIGUSR1, signal.SIGVTALRM, signal.SIGTERM)
    }
    reactor = Reactor()
    done = {"timer": 0, "call": 0, "thread": 0}
    handed_over = []

    def storm():
        while not over.wait(0.0002):
            os.kill(os.getpid(), signal.SIGUSR1)

    def hand_over():
        while not over.wait(0.0002):
            handed_over.append(True)
            reactor.callFromThread(count, "call")

    def count(what, ignored=None):
        done[what] += 1
        if what == "timer":
            if min(done.values()) >= 200:
                over.set()
                reactor.callLater(0.02, reactor.stop)
                return
            reactor.callLater(0.0005, count, what)
        elif what == "thread" and not over.is_set():
            threads.deferToThreadPool(reactor, reactor.getThreadPool(), int).addCallback(lambda _: count(what))

    others = [threading.Thread(target=storm), threading.Thread(target=hand_over)]
    reactor.callWhenRunning(count, "timer")
    reactor.callWhenRunning(count, "thread")
    reactor.callWhenRunning(lambda: [other.start() for other in others])
    guard = reactor.callLater(PATIENCE, reactor.stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, 0.001, 0.001)
    try:
        reactor.run(installSignalHandlers=install)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        over.set()
        for other in others:
            other.join(PATIENCE)
        for number, handler in before.items():
            signal.signal(number, handler)
    assert guard.active(), done
    assert done["call"] == len(handed_over)
    assert len(came) > 50
    reactor.close()


@pytest.mark.parametrize("phase", ["during", "after"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_s052_a_signal_in_the_middle_of_shutdown_changes_nothing(reactor_class, reports, phase, number):
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        reactor = reactor_class()
        happened = []
        reactor.addSystemEventTrigger(phase, "shutdown", os.kill, os.getpid(), number)
        reactor.addSystemEventTrigger("after", "shutdown", happened.append, "after")
        reactor.callLater(0, reactor.stop)
        reactor.run()
        reactor.close()
        assert happened == ["after"]
        assert reactor._exitSignal == number
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


# Descriptors


def open_descriptors():
    return len(os.listdir("/proc/self/fd"))


@pytest.fixture
def few_descriptors():
    """Called with a number, leaves so many descriptors to be had."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    held = []

    def leave(number):
        resource.setrlimit(resource.RLIMIT_NOFILE, (open_descriptors() + 50, limits[1]))
        with pytest.raises(OSError):
            while True:
                held.append(os.open("/dev/null", os.O_RDONLY))
        for _ in range(number):
            os.close(held.pop())

    def enough():
        while held:
            os.close(held.pop())
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)

    leave.enough = enough
    yield leave
    enough()


@pytest.mark.parametrize(("name", "left"), [("epoll", 0), ("epoll", 1), ("poll", 0), ("select", 0)])
def test_a_reactor_that_finds_no_descriptor_says_so_and_keeps_none(monkeypatch, few_descriptors, name, left):
    monkeypatch.setenv("TORSION_POLLER", name)
    before = open_descriptors()
    few_descriptors(left)
    try:
        with pytest.raises(OSError, match="Too many open files") as raised:
            Reactor()
        assert raised.value.errno == errno.EMFILE
    finally:
        few_descriptors.enough()
    del raised
    gc.collect()
    assert open_descriptors() == before
    Reactor().close()


def test_a_reactor_without_a_descriptor_for_signals_reports_that_and_runs(reports, few_descriptors):
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    reactor = Reactor()
    few_descriptors(0)
    reactor.callWhenRunning(reactor.stop)
    try:
        reactor.run()
    finally:
        few_descriptors.enough()
        for number, handler in handlers.items():
            signal.signal(number, handler)
    reports.take(OSError)
    reactor.close()


def test_a_thousand_reactors_made_and_dropped_leave_nothing_behind(no_leaks):
    def one(number):
        reactor = Reactor()
        reactor.callFromThread(int)
        if number % 10 == 0:
            reactor.callWhenRunning(reactor.stop)
            reactor.run(installSignalHandlers=False)
        elif number % 10 == 1:
            reactor.startRunning(installSignalHandlers=False)
            reactor.iterate()

    for number in range(10):
        one(number)
    with no_leaks():
        for number in range(1000):
            one(number)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # from 3.12 on: the timeout's thread counts
def test_a_child_forked_in_a_callback_does_not_disturb_the_loop(reports):
    reactor = Reactor()
    statuses = []

    def fork():
        pid = os.fork()
        if not pid:
            os._exit(7)
        statuses.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        reactor.callFromThread(reactor.stop)

    reactor.callLater(0, fork)
    reactor.callLater(PATIENCE, reactor.stop)
    reactor.run(installSignalHandlers=False)
    assert statuses == [7]
    reactor.close()


def test_a_closed_reactor_does_not_run_and_a_running_one_is_not_closed(reactor_class, reports):
    reactor = reactor_class()
    reactor.callLater(0, reactor.close)
    reactor.callLater(0, reactor.stop)
    reactor.run(installSignalHandlers=False)
    assert "close" in reports.take(RuntimeError)
    reactor = reactor_class()
    reactor.close()
    for start in (reactor.run, reactor.startRunning):
        with pytest.raises(error.ReactorNotRestartable, match="closed"):
            start()


# Threads


def test_ten_reactors_in_ten_threads_with_traffic_between_them(reports):
    count, rounds = 10, 100
    reactors = [Reactor() for _ in range(count)]
    got = [0] * count
    astray = []
    at_work = set(range(count))
    together = threading.Barrier(count, timeout=PATIENCE)

    def arrived(number):
        got[number] += 1
        if running_here() is not reactors[number]:
            astray.append("a call")

    async def work(number):
        here = reactors[number]
        for each in range(rounds):
            other = random.randrange(count)
            reactors[other].callFromThread(arrived, other)
            if each % 10 == 0:
                await threads.deferToThread(int)  # in the pool of the reactor that runs here
                if running_here() is not here:
                    astray.append("an answer")
            if each % 50 == 0:
                found = await threads.deferToThread(threads.blockingCallFromThread, reactors[other], running_here)
                if found is not reactors[other]:
                    astray.append("a blocking call")

    def ended(result, number):
        at_work.discard(number)
        if not at_work:
            for reactor in reactors:
                reactor.callFromThread(reactor.stop)
        return result

    def begin(number):
        together.wait()
        defer.ensureDeferred(work(number)).addBoth(ended, number)

    def program(number):
        reactors[number].callWhenRunning(begin, number)
        reactors[number].callLater(PATIENCE, reactors[number].stop)
        reactors[number].run(installSignalHandlers=False)

    started = time.monotonic()
    running = [threading.Thread(target=program, args=(number,)) for number in range(count)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(2 * PATIENCE)
    assert time.monotonic() - started < PATIENCE
    assert astray == []
    assert sum(got) == count * rounds
    for reactor in reactors:
        reactor.close()
