"""Real signals, sent to this very process: who takes them, and that none waits for the end of a wait."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from itertools import repeat

import pytest
from tests.unit.scripted import Recorder, call_later, signals_arriving

from torsion.engine.poll import READ, choose
from torsion.engine.signals import Signals, set_child_handler
from torsion.engine.turn import Engine

TAKEN = (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD, signal.SIGUSR1)


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in TAKEN}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.set_wakeup_fd(-1)
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def signals(engine: Engine) -> Iterator[Signals]:
    signals = Signals(engine, int)
    yield signals
    signals.uninstall()


class Sleeping:
    """A poller that says when it is about to wait."""

    def __init__(self, name: str, about_to_wait: Callable[[], object]) -> None:
        self.inner = choose(name)
        self.name = name
        self.register = self.inner.register
        self.modify = self.inner.modify
        self.unregister = self.inner.unregister
        self.fileno = self.inner.fileno
        self.close = self.inner.close
        self.about_to_wait = about_to_wait

    def wait(self, timeout: float | None) -> list[tuple[int, int]]:
        self.about_to_wait()
        return self.inner.wait(timeout)


def wakeup_fd() -> int:
    fd = signal.set_wakeup_fd(-1)
    if fd != -1:
        signal.set_wakeup_fd(fd, warn_on_full_buffer=False)
    return fd


class TestWhoTakesThem:
    def test_s052_sigterm_is_always_taken(self, signals: Signals) -> None:
        signal.signal(signal.SIGTERM, lambda number, frame: None)
        handler = lambda number, frame: None  # noqa: E731
        signals.install({signal.SIGTERM: handler})
        assert signal.getsignal(signal.SIGTERM) is handler

    def test_s052_sigint_is_taken_from_the_default_handler_only(self, signals: Signals) -> None:
        def ours(number: int, frame: object) -> None: ...

        def theirs(number: int, frame: object) -> None: ...

        signals.install({signal.SIGINT: ours})
        assert signal.getsignal(signal.SIGINT) is ours
        for other in (theirs, signal.SIG_IGN, signal.SIG_DFL):
            signal.signal(signal.SIGINT, other)
            signals.install({signal.SIGINT: ours})
            assert signal.getsignal(signal.SIGINT) is other

    def test_s052_handlers_stay_after_uninstall(self, signals: Signals) -> None:
        def ours(number: int, frame: object) -> None: ...

        signals.install({signal.SIGINT: ours, signal.SIGTERM: ours})
        signals.uninstall()
        assert signal.getsignal(signal.SIGINT) is signal.getsignal(signal.SIGTERM) is ours

    def test_s053_sigchld_has_a_handler_and_the_wakeup_descriptor_until_uninstall(self, signals: Signals) -> None:
        signals.install({})
        assert callable(signal.getsignal(signal.SIGCHLD))
        assert wakeup_fd() != -1
        signals.uninstall()
        assert signal.getsignal(signal.SIGCHLD) is signal.SIG_DFL
        assert wakeup_fd() == -1
        signals.uninstall()

    def test_s053_sigchld_does_not_interrupt_system_calls(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[tuple[int, bool]] = []
        monkeypatch.setattr(signal, "siginterrupt", lambda *arguments: asked.append(arguments))
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        assert set_child_handler(writer) == -1
        assert asked == [(signal.SIGCHLD, False)]
        assert set_child_handler(-1) == writer
        os.close(reader)
        os.close(writer)

    def test_s052_outside_of_the_main_thread_nothing_is_changed(self, engine: Engine, signals: Signals) -> None:
        before = {number: signal.getsignal(number) for number in TAKEN}
        raised: list[BaseException] = []

        def install() -> None:
            for handlers in ({signal.SIGINT: print, signal.SIGTERM: print}, {}):
                try:
                    signals.install(handlers)
                except ValueError as error:
                    raised.append(error)

        thread = threading.Thread(target=install)
        thread.start()
        thread.join(10)
        assert len(raised) == 2
        assert {number: signal.getsignal(number) for number in TAKEN} == before
        assert wakeup_fd() == -1
        signals.uninstall()
        engine.turn(0)

    def test_the_inner_of_two_gives_them_back_to_the_outer_one_and_only_then(self, engine: Engine) -> None:
        def theirs(number: int, frame: object) -> None: ...

        def mine(number: int, frame: object) -> None: ...

        outer, inner = Signals(engine, int), Signals(engine, int)
        outer.install({signal.SIGTERM: theirs})
        fd = wakeup_fd()
        inner.install({signal.SIGTERM: mine})
        assert wakeup_fd() != fd
        inner.uninstall()
        assert (wakeup_fd(), signal.getsignal(signal.SIGTERM)) == (fd, theirs)
        assert callable(signal.getsignal(signal.SIGCHLD))
        outer.uninstall()
        assert (wakeup_fd(), signal.getsignal(signal.SIGTERM)) == (-1, theirs)
        assert signal.getsignal(signal.SIGCHLD) is signal.SIG_DFL

    def test_the_outer_of_two_that_ends_first_takes_nothing_from_the_inner(self, engine: Engine, no_leaks) -> None:
        def use() -> None:
            outer, inner = Signals(engine, int), Signals(engine, int)
            outer.install({})
            inner.install({})
            fd = wakeup_fd()
            outer.uninstall()
            assert wakeup_fd() == fd
            inner.uninstall()
            assert wakeup_fd() == -1
            engine.turn(0)

        use()
        with no_leaks():
            use()

    def test_what_the_program_set_meanwhile_stays(self, engine: Engine) -> None:
        outer, inner = Signals(engine, int), Signals(engine, int)
        outer.install({signal.SIGTERM: lambda number, frame: None})
        inner.install({signal.SIGTERM: lambda number, frame: None})
        handler = lambda number, frame: None  # noqa: E731
        signal.signal(signal.SIGTERM, handler)
        inner.uninstall()
        outer.uninstall()
        assert signal.getsignal(signal.SIGTERM) is handler

    def test_installing_again_replaces_the_descriptor(self, engine: Engine, signals: Signals, no_leaks) -> None:
        signals.install({})
        signals.uninstall()
        engine.turn(0)
        with no_leaks():
            for _ in range(3):
                signals.install({})
                engine.turn(0)
            signals.uninstall()

    def test_nothing_is_left_of_an_engine_that_had_them(self, no_leaks) -> None:
        def use() -> None:
            engine = Engine()
            signals = Signals(engine, int)
            signals.install({})
            signals.uninstall()
            engine.close()

        use()
        with no_leaks():
            use()


class TestServedAtOnce:
    def test_a_signal_that_came_before_the_wait_ends_it(self, engine: Engine, signals: Signals) -> None:
        taken: list[int] = []
        signals.install({signal.SIGTERM: lambda number, frame: taken.append(number)})
        os.kill(os.getpid(), signal.SIGTERM)
        engine.turn(None)
        assert taken == [signal.SIGTERM]

    def test_a_signal_that_another_thread_gets_ends_the_wait_of_the_loop(self) -> None:
        """Neither EINTR nor the interpreter tells the main thread; only the wake-up descriptor does. Within 50 ms:
        the best of some, because machines are shared; were it only by chance, each would take the 20 s.
        """
        delays: list[float] = []
        for name in ("epoll", "poll", "select"):
            for _ in range(3):
                asleep = threading.Event()
                engine = Engine(poller=Sleeping(name, asleep.set))
                signals = Signals(engine, int)
                times: list[float] = []

                def send(asleep: threading.Event = asleep, times: list[float] = times) -> None:
                    asleep.wait(10)
                    times.append(time.monotonic())
                    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

                signals.install({signal.SIGTERM: lambda number, frame, times=times: times.append(time.monotonic())})
                thread = threading.Thread(target=send)
                thread.start()
                while len(times) < 2:
                    engine.turn(20)
                thread.join(10)
                delays.append(times[1] - times[0])
                signals.uninstall()
                engine.close()
        assert min(delays) < 0.05
        assert max(delays) < 10

    def test_a_call_that_the_handler_puts_runs_next(self, engine: Engine, signals: Signals) -> None:
        def handler(number: int, frame: object) -> None:
            engine.calls.put(setattr, (engine, "stopping", True), {})
            engine.wake()

        signals.install({signal.SIGUSR1: handler})
        thread = threading.Thread(target=os.kill, args=(os.getpid(), signal.SIGUSR1))
        thread.start()
        while not engine.stopping:
            engine.turn(None)
        thread.join(10)
        assert engine.meter.calls == 1

    def test_a_loop_that_never_sleeps_serves_signals_though_nothing_interpreted_runs(self, engine: Engine) -> None:
        """The turns are driven from C, and no wake-up descriptor helps: the loop itself has to look."""
        taken: list[int] = []
        before = signal.signal(signal.SIGVTALRM, lambda number, frame: taken.append(engine.meter.turns))
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.002)
        try:
            for _ in range(50):
                deque(map(engine.turn, repeat(0, 50_000)), maxlen=0)
                if taken:
                    break
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            signal.signal(signal.SIGVTALRM, before)
        assert taken[0] % 50_000, "it was served only when the turns had ended"

    @pytest.mark.parametrize("where", ["call", "timer", "event"])
    def test_a_handler_runs_though_a_callback_is_running(self, engine: Engine, signals: Signals, where: str) -> None:
        """In the middle of the callback, as the interpreter does it; the turn goes on."""
        ran: list[str] = []
        signals.install({signal.SIGTERM: lambda number, frame: ran.append("signal")})

        def callback() -> None:
            signal.raise_signal(signal.SIGTERM)
            ran.append("rest of the callback")

        if where == "call":
            engine.calls.put(callback, (), {})
        elif where == "timer":
            call_later(engine, 0, callback)
        else:
            engine.overridden = True
            engine.watch(engine.waker.fileno(), Recorder(callback), READ)
            engine.wake()
        call_later(engine, 0, ran.append, "timer")
        engine.turn(0)
        ran.remove("timer")
        assert ran == ["signal", "rest of the callback"]

    def test_what_a_handler_raises_leaves_the_turn_and_the_loop_can_go_on(self, engine: Engine) -> None:
        """As Python's own handler of SIGINT does, when no others were installed."""

        def interrupt() -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt), signals_arriving(interrupt):
            while True:
                engine.turn(None)
        ran: list[str] = []
        engine.calls.put(ran.append, ("call",), {})
        engine.turn(0)
        assert ran == ["call"]

    def test_many_signals_fill_nothing(self, engine: Engine, signals: Signals) -> None:
        taken: list[int] = []
        signals.install({signal.SIGTERM: lambda number, frame: taken.append(number)})
        for _ in range(5000):
            signal.raise_signal(signal.SIGTERM)
        assert len(taken) == 5000
        for _ in range(100):
            engine.turn(0)
        assert engine.poller.wait(0) == []

    def test_s053_the_end_of_a_child_ends_the_wait(self, engine: Engine, signals: Signals) -> None:
        signals.install({})
        child = subprocess.Popen([sys.executable, "-S", "-c", ""])
        engine.turn(None)
        assert child.wait(10) == 0
