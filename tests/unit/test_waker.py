"""The waker, with an eventfd and with a pipe."""

import fcntl
import os
import select
import threading

import pytest

from torsion.engine.poll import READ, choose
from torsion.engine.waker import Waker

KINDS = [
    pytest.param(True, id="eventfd", marks=pytest.mark.skipif(not hasattr(os, "eventfd"), reason="no eventfd here")),
    pytest.param(False, id="pipe"),
]


@pytest.fixture(params=KINDS)
def waker(request: pytest.FixtureRequest):
    waker = Waker(eventfd=request.param)
    yield waker
    waker.close()


def is_readable(waker: Waker) -> bool:
    return bool(select.select([waker.fileno()], [], [], 0)[0])


def test_an_eventfd_is_used_where_there_is_one() -> None:
    waker = Waker()
    kind = os.readlink(f"/proc/self/fd/{waker.fileno()}")
    waker.close()
    assert ("eventfd" in kind) == hasattr(os, "eventfd")


def test_a_wake_makes_it_readable_until_it_is_drained(waker: Waker) -> None:
    assert not is_readable(waker)
    waker.wake()
    assert is_readable(waker)
    waker.on_ready(READ)
    assert not is_readable(waker)


def test_s047_many_wakes_are_drained_at_once(waker: Waker) -> None:
    for _ in range(1000):
        waker.wake()
    waker.on_ready(READ)
    assert not is_readable(waker)


def test_s047_it_is_non_blocking_and_close_on_exec(waker: Waker) -> None:
    for fd in {waker._reader, waker._writer}:
        assert not os.get_blocking(fd)
        assert fcntl.fcntl(fd, fcntl.F_GETFD) & fcntl.FD_CLOEXEC


def test_s047_a_full_waker_is_awake_and_wakes_on_without_an_error(waker: Waker) -> None:
    if waker._reader == waker._writer:
        os.write(waker._writer, (2**64 - 2).to_bytes(8, "little"))  # the most that an eventfd holds
    else:
        with pytest.raises(BlockingIOError):
            while True:
                os.write(waker._writer, bytes(65536))
    waker.wake()
    assert is_readable(waker)


def test_draining_what_is_empty_does_nothing(waker: Waker) -> None:
    waker.on_ready(READ)


def test_a_closed_waker_wakes_nobody_and_closes_again(waker: Waker) -> None:
    waker.close()
    assert waker.fileno() == -1
    waker.wake()
    waker.close()


@pytest.mark.parametrize("name", ["epoll", "poll", "select"])
def test_a_wake_from_another_thread_ends_a_wait(waker: Waker, name: str) -> None:
    poller = choose(name)
    poller.register(waker.fileno(), READ)
    thread = threading.Thread(target=waker.wake)
    thread.start()
    assert poller.wait(None) == [(waker.fileno(), READ)]
    thread.join(10)
    poller.close()
