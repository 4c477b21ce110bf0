"""The contract of torsion.engine.poll, asserted of each mechanism in the same words."""

import os
import resource
import select
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.scripted import signals_arriving

from torsion.engine.poll import GONE, READ, WRITE, Poller, choose

NAMES = ["epoll", "poll", "select"]


@pytest.fixture(params=NAMES)
def poller(request: pytest.FixtureRequest) -> Iterator[Poller]:
    poller = choose(request.param)
    yield poller
    poller.close()


Pair = tuple[socket.socket, socket.socket]


def test_what_becomes_readable_is_told_for_as_long_as_it_is(poller: Poller, pair: Pair) -> None:
    one, other = pair
    poller.register(one.fileno(), READ)
    assert poller.wait(0) == []
    other.send(b"x")
    assert poller.wait(None) == [(one.fileno(), READ)]
    assert poller.wait(0) == [(one.fileno(), READ)]
    one.recv(10)
    assert poller.wait(0) == []


def test_what_can_be_written_is_told_while_there_is_room(poller: Poller, pair: Pair) -> None:
    one, other = pair
    poller.register(one.fileno(), WRITE)
    assert poller.wait(None) == [(one.fileno(), WRITE)]
    with pytest.raises(BlockingIOError):
        while True:
            one.send(bytes(65536))
    assert poller.wait(0) == []
    with pytest.raises(BlockingIOError):
        while True:
            other.recv(1 << 20)
    assert poller.wait(0) == [(one.fileno(), WRITE)]


def test_both_come_as_one_event(poller: Poller, pair: Pair) -> None:
    one, other = pair
    other.send(b"x")
    poller.register(one.fileno(), READ | WRITE)
    assert poller.wait(None) == [(one.fileno(), READ | WRITE)]


def test_only_what_was_asked_for_is_told(poller: Poller, pair: Pair) -> None:
    one, other = pair
    other.send(b"x")
    poller.register(one.fileno(), WRITE)
    assert poller.wait(0) == [(one.fileno(), WRITE)]
    poller.modify(one.fileno(), READ)
    assert poller.wait(0) == [(one.fileno(), READ)]
    poller.modify(one.fileno(), READ | WRITE)
    assert poller.wait(0) == [(one.fileno(), READ | WRITE)]


def test_registering_again_changes_what_is_told(poller: Poller, pair: Pair) -> None:
    one, other = pair
    other.send(b"x")
    poller.register(one.fileno(), READ)
    poller.register(one.fileno(), WRITE)
    assert poller.wait(0) == [(one.fileno(), WRITE)]


def test_what_is_unregistered_is_told_no_more(poller: Poller, pair: Pair) -> None:
    one, other = pair
    other.send(b"x")
    poller.register(one.fileno(), READ | WRITE)
    poller.unregister(one.fileno())
    assert poller.wait(0) == []
    poller.register(one.fileno(), READ)
    assert poller.wait(0) == [(one.fileno(), READ)]


def test_an_end_of_file_is_readable(poller: Poller, pair: Pair) -> None:
    one, other = pair
    poller.register(one.fileno(), READ)
    other.close()
    [(fd, ready)] = poller.wait(None)
    assert fd == one.fileno()
    assert ready & READ


def test_s059_a_hang_up_is_told_though_nothing_was_read(pair: Pair) -> None:
    """As GONE where the mechanism knows; select calls a broken pipe writable."""
    for name in NAMES:
        reader, writer = os.pipe()
        poller = choose(name)
        poller.register(writer, WRITE)
        os.close(reader)
        [(fd, ready)] = poller.wait(None)
        assert fd == writer
        assert ready & (WRITE if name == "select" else GONE)
        os.close(writer)
        poller.close()


def test_unregistering_the_unknown_or_closed_does_nothing(poller: Poller, pair: Pair) -> None:
    one, _ = pair
    poller.unregister(one.fileno())
    poller.register(one.fileno(), READ)
    fd = one.detach()
    os.close(fd)
    poller.unregister(fd)
    poller.unregister(fd)
    assert poller.wait(0) == []


def test_s061_a_descriptor_closed_while_registered_does_not_disturb_the_others(poller: Poller, pair: Pair) -> None:
    one, other = pair
    reader, writer = os.pipe()
    poller.register(reader, READ)
    poller.register(one.fileno(), READ)
    os.close(reader)
    other.send(b"x")
    told: dict[int, int] = {}
    for _ in range(3):
        for fd, ready in poller.wait(0):
            told[fd] = ready
            if ready & GONE:
                poller.unregister(fd)
    assert told.pop(reader, GONE) & GONE
    assert told == {one.fileno(): READ}
    os.close(writer)


def test_the_number_of_a_closed_descriptor_can_be_registered_anew(poller: Poller, pair: Pair) -> None:
    """Whether or not it was unregistered first."""
    one, other = pair
    other.send(b"x")
    for unregister in (True, False):
        reader, writer = os.pipe()
        poller.register(reader, READ)
        if unregister:
            poller.unregister(reader)
        os.close(reader)
        again = os.dup2(one.fileno(), reader)
        poller.register(again, READ)
        assert poller.wait(0) == [(again, READ)]
        poller.modify(again, READ | WRITE)
        assert poller.wait(0) == [(again, READ | WRITE)]
        poller.unregister(again)
        assert poller.wait(0) == []
        os.close(again)
        os.close(writer)


def test_changing_what_the_kernel_has_forgotten_watches_it(poller: Poller, pair: Pair) -> None:
    """A number closed and used again behind the poller's back."""
    one, other = pair
    other.send(b"x")
    reader, writer = os.pipe()
    poller.register(reader, READ)
    os.close(reader)
    again = os.dup2(one.fileno(), reader)
    poller.modify(again, READ)
    assert poller.wait(0) == [(again, READ)]
    poller.unregister(again)
    os.close(again)
    os.close(writer)


def test_s061_a_regular_file_is_refused_by_epoll_and_always_ready_elsewhere(poller: Poller, tmp_path: Path) -> None:
    fd = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    if poller.name == "epoll":
        with pytest.raises(PermissionError):
            poller.register(fd, READ)
    else:
        poller.register(fd, READ | WRITE)
        assert poller.wait(None) == [(fd, READ | WRITE)]
    os.close(fd)


def test_a_wait_lasts_as_long_as_it_was_told_and_no_shorter(poller: Poller) -> None:
    for seconds in (0.0101, 0.0015):
        before = time.monotonic()
        assert poller.wait(seconds) == []
        assert time.monotonic() - before >= seconds


def test_the_longest_wait_of_the_contract_is_accepted(poller: Poller, pair: Pair) -> None:
    poller.register(pair[0].fileno(), WRITE)
    assert poller.wait(2147483.0) == [(pair[0].fileno(), WRITE)]


def test_a_wait_for_ever_is_ended_by_another_thread(poller: Poller, pair: Pair) -> None:
    one, other = pair
    poller.register(one.fileno(), READ)
    thread = threading.Thread(target=other.send, args=(b"x",))
    thread.start()
    assert poller.wait(None) == [(one.fileno(), READ)]
    thread.join(10)


def test_other_threads_run_during_a_wait(poller: Poller, pair: Pair) -> None:
    """The thread that ends the wait needs the interpreter to do so."""
    one, other = pair
    poller.register(one.fileno(), READ)
    asked = threading.Event()

    def count_and_send() -> None:
        asked.wait(10)
        other.send(str(sum(range(10000))).encode())

    thread = threading.Thread(target=count_and_send)
    thread.start()
    asked.set()
    assert poller.wait(None) == [(one.fileno(), READ)]
    thread.join(10)
    assert one.recv(100) == b"49995000"


@pytest.mark.parametrize("timeout", [None, 30.0])
def test_a_signal_during_a_wait_is_handled_and_may_end_it(poller: Poller, pair: Pair, timeout: float | None) -> None:
    """EINTR never comes out of a wait."""
    one, other = pair
    poller.register(one.fileno(), READ)
    told: list[tuple[int, int]] = []
    with signals_arriving(lambda: other.send(b"x")):
        while not told:
            told = poller.wait(timeout)
    assert told == [(one.fileno(), READ)]


def test_what_a_signal_handler_raises_leaves_the_wait(poller: Poller) -> None:
    def handler() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), signals_arriving(handler):
        while True:
            poller.wait(None)


def test_more_than_one_wait_can_tell_comes_with_the_next(poller: Poller, pair: Pair) -> None:
    one, other = pair
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    other.send(b"x")
    copies = [os.dup(one.fileno()) for _ in range(min(600, soft - 300))]
    try:
        for fd in copies:
            poller.register(fd, READ)
        told: set[int] = set()
        for _ in range(3):
            told.update(fd for fd, _ in poller.wait(0))
        assert told == set(copies)
    finally:
        for fd in copies:
            poller.unregister(fd)
            os.close(fd)


def test_a_number_too_large_for_select_is_told_as_gone(pair: Pair) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2000:
        pytest.skip("the system allows too few descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2000), hard))
    one, other = pair
    other.send(b"x")
    large = 1500
    os.dup2(one.fileno(), large)
    try:
        for name, ready in (("epoll", READ), ("poll", READ), ("select", GONE)):
            poller = choose(name)
            poller.register(large, READ)
            assert poller.wait(0) == [(large, ready)], name
            poller.close()
    finally:
        os.close(large)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_another_loop_can_wait_for_an_epoll(pair: Pair) -> None:
    one, other = pair
    poller = choose("epoll")
    poller.register(one.fileno(), READ)
    assert select.select([poller.fileno()], [], [], 0)[0] == []
    other.send(b"x")
    assert select.select([poller.fileno()], [], [], 0)[0] == [poller.fileno()]
    poller.close()
    assert choose("poll").fileno() == -1
    assert choose("select").fileno() == -1


def test_a_poller_can_be_closed_twice_and_leaves_nothing_open(poller: Poller, no_leaks) -> None:
    with no_leaks():
        other = choose(poller.name)
        other.close()
        other.close()


def test_the_epoll_is_not_inherited() -> None:
    poller = choose("epoll")
    assert not os.get_inheritable(poller.fileno())
    poller.close()


def test_a_wait_on_a_closed_epoll_says_so() -> None:
    poller = choose("epoll")
    poller.close()
    for use in (lambda: poller.wait(0), lambda: poller.register(0, READ), poller.fileno):
        with pytest.raises(ValueError, match="closed"):
            use()


class TestChoice:
    @pytest.mark.parametrize("name", NAMES)
    def test_the_environment_forces_a_poller(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TORSION_POLLER", name)
        poller = choose()
        assert poller.name == name
        poller.close()

    def test_s045_the_best_one_is_taken_otherwise(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("TORSION_POLLER", raising=False)
        poller = choose()
        assert poller.name == next(name for name in NAMES if hasattr(select, name))
        poller.close()

    def test_a_name_in_the_call_wins_over_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TORSION_POLLER", "poll")
        assert choose("select").name == "select"

    def test_an_unknown_name_is_refused_with_the_choices(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TORSION_POLLER", "kqueue2")
        with pytest.raises(ValueError, match=r"'kqueue2'.*epoll, poll, select"):
            choose()
