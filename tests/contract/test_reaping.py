"""Children are reaped one by one, by number (semantics 54)."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from torsion import report
from torsion.child.reap import Reaper
from torsion.contract import Reactor


@pytest.fixture
def reports() -> Iterator[list[str]]:
    seen: list[str] = []
    report.set_sink(lambda level, text, failure, details: seen.append(text))
    yield seen
    report.set_sink(None)


def start_child(code: str = "") -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-S", "-c", code], stdin=subprocess.PIPE)


def wait_until_ended(child: subprocess.Popen[bytes]) -> None:
    """Until it can be reaped, without reaping it."""
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)


def reaped_elsewhere(child: subprocess.Popen[bytes]) -> None:
    """Popen is not to wait for a child whose status we took."""
    child.returncode = 0
    assert child.stdin is not None
    child.stdin.close()


def test_s054_a_registered_child_is_reaped_when_it_has_ended_and_told_its_status() -> None:
    child = start_child("import sys; sys.stdin.read(); sys.exit(3)")
    told: list[int] = []
    reaper = Reaper()
    reaper.register(child.pid, told.append)
    reaper.reap_all()
    assert told == []  # it runs: nobody is made to wait
    reaped_elsewhere(child)
    wait_until_ended(child)
    reaper.reap_all()
    reaper.reap_all()
    assert [os.waitstatus_to_exitcode(status) for status in told] == [3]
    with pytest.raises(ChildProcessError):
        os.waitpid(child.pid, os.WNOHANG)


def test_s054_a_child_that_has_ended_already_is_reaped_by_registering_it() -> None:
    child = start_child()
    wait_until_ended(child)
    told: list[int] = []
    Reaper().register(child.pid, told.append)
    reaped_elsewhere(child)
    assert told == [0]


def test_s054_the_signal_that_ended_a_child_is_in_its_status() -> None:
    child = start_child("import sys; sys.stdin.read()")
    child.send_signal(signal.SIGKILL)
    wait_until_ended(child)
    told: list[int] = []
    Reaper().register(child.pid, told.append)
    reaped_elsewhere(child)
    assert [os.waitstatus_to_exitcode(status) for status in told] == [-signal.SIGKILL]


def test_s054_children_that_nobody_registered_keep_their_status() -> None:
    others = start_child("import sys; sys.exit(5)")
    wait_until_ended(others)
    Reaper().reap_all()
    assert others.wait() == 5
    assert others.stdin is not None
    others.stdin.close()


def test_s054_a_child_whose_status_somebody_else_took_is_ignored() -> None:
    child = start_child("import sys; sys.stdin.read()")
    told: list[int] = []
    reaper = Reaper()
    reaper.register(child.pid, told.append)
    child.communicate()
    reaper.reap_all()
    assert told == []
    reaper.unregister(child.pid)


def test_s054_an_error_at_the_end_of_one_child_does_not_keep_the_others_from_being_reaped(reports: list[str]) -> None:
    children = [start_child("import sys; sys.stdin.read()") for _ in range(3)]
    reaper = Reaper()
    told: list[int] = []

    def fail(status: int) -> None:
        raise SystemExit("not a way to end the loop")

    for child, ended in zip(children, (fail, told.append, told.append), strict=True):
        reaper.register(child.pid, ended)
    for child in children:
        reaped_elsewhere(child)
        wait_until_ended(child)
    reaper.reap_all()
    assert told == [0, 0]
    assert reports == [f"Unhandled error at the end of child {children[0].pid}"]


def test_s054_a_child_is_registered_once() -> None:
    child = start_child("import sys; sys.stdin.read()")
    reaper = Reaper()
    reaper.register(child.pid, print)
    with pytest.raises(ValueError, match=f"somebody waits for child {child.pid}"):
        reaper.register(child.pid, print)
    reaper.unregister(child.pid)
    with pytest.raises(ValueError, match=f"nobody waits for child {child.pid}"):
        reaper.unregister(child.pid)
    child.communicate()


def test_s053_a_running_reactor_reaps_when_sigchld_comes_and_when_it_starts() -> None:
    early, late = start_child("import sys; sys.stdin.read()"), start_child("import sys; sys.stdin.read()")
    reactor = Reactor()
    told: list[str] = []

    def early_ended(status: int) -> None:
        told.append("early")
        reactor.callWhenRunning(reaped_elsewhere, late)

    def late_ended(status: int) -> None:
        told.append("late")
        reactor.stop()

    reactor._children.register(early.pid, early_ended)
    reactor._children.register(late.pid, late_ended)
    reaped_elsewhere(early)
    wait_until_ended(early)  # its SIGCHLD came before anybody listened
    reactor.run()
    assert told == ["early", "late"]
    reactor.close()


needs_pidfd = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="neither SIGCHLD nor a descriptor")


@needs_pidfd
def test_s054_a_child_is_seen_without_a_signal_where_the_kernel_has_descriptors_of_processes() -> None:
    child = start_child("import sys; sys.stdin.read()")
    reactor = Reactor()
    told: list[int] = []
    reactor._children.register(child.pid, told.append)
    reactor.iterate(0)
    assert told == []
    reaped_elsewhere(child)
    while not told:
        reactor.iterate(1)
    assert told == [0]
    reactor.close()


@needs_pidfd
def test_s054_a_watched_child_whose_status_somebody_else_took_is_looked_at_once() -> None:
    child = start_child("import sys; sys.stdin.read()")
    reactor = Reactor()
    told: list[int] = []
    reactor._children.register(child.pid, told.append)
    child.communicate()
    reactor.iterate(1)
    before = reactor.engine.meter.events
    reactor.iterate(0)
    assert reactor.engine.meter.events == before
    assert told == []
    reactor._children.unregister(child.pid)
    reactor.close()


@needs_pidfd
def test_s053_the_signal_has_only_those_looked_at_that_are_not_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    watched, unwatched = (start_child("import sys; sys.stdin.read()") for _ in range(2))
    reactor = Reactor()
    children = reactor._children
    children.register(watched.pid, print)

    def none_left(pid: int) -> int:
        raise OSError("no descriptor is left")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pidfd_open", none_left)
        children.register(unwatched.pid, print)
    looked: list[int] = []
    monkeypatch.setattr(children, "look", looked.append)
    children.child_signal()
    assert looked == [unwatched.pid]
    looked.clear()
    children.reap_all()
    assert looked == [watched.pid, unwatched.pid]
    reactor.addReader = lambda reader: None  # type: ignore[method-assign]  # somebody else may be waiting now
    looked.clear()
    children.child_signal()
    assert looked == [watched.pid, unwatched.pid]
    for child in (watched, unwatched):
        children.unregister(child.pid)
        child.communicate()
    reactor.close()


@needs_pidfd
def test_s054_the_descriptors_of_children_are_given_back() -> None:
    def opened() -> int:
        return len(os.listdir("/proc/self/fd"))

    reactor = Reactor()
    before = opened()
    first, second = (start_child("import sys; sys.stdin.read()") for _ in range(2))
    reactor._children.register(first.pid, print)
    reactor._children.register(second.pid, print)
    assert opened() == before + 4  # with our ends of their pipes
    reactor._children.unregister(first.pid)
    reactor._children.close()
    for child in (first, second):
        child.communicate()
    assert opened() == before
    reactor.close()


def test_the_number_of_a_child_whose_status_somebody_else_took_may_come_again() -> None:
    child = start_child("import sys; sys.stdin.read()")
    told: list[int] = []
    reaper = Reaper()
    reaper.register(child.pid, told.append)
    with pytest.raises(ValueError, match="already"):
        reaper.register(child.pid, print)
    child.communicate()
    reaper.reap_all()
    reaper.register(child.pid, print)  # as the kernel gives numbers out again
    assert reaper.registered() == {child.pid: print}
    assert told == []
