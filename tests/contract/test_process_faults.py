"""Child processes when things go wrong, and many at once: nothing is left behind, no zombie, no descriptor."""

import contextlib
import errno
import itertools
import os
import resource
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from tests.contract.children import SH, Home, Told, home, zombies
from tests.contract.parts import Reports
from tests.contract.streams import ByContract

from torsion.child.pipes import ProcessReader, ProcessWriter
from torsion.child.process import Process
from torsion.child.pty import PTYProcess
from torsion.contract import Reactor


@pytest.fixture(params=[Reactor, ByContract], ids=["native", "by-contract"])
def family(request: pytest.FixtureRequest, reports: Reports) -> Iterator[Home]:
    with home(request.param) as made:
        yield made


@contextlib.contextmanager
def descriptors_left(count: int) -> Iterator[None]:
    """Only so many more descriptors can be opened."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    opened = [os.open(os.devnull, os.O_RDONLY)]
    # The lowest free numbers are taken first: a limit just above those that are left.
    free = (fd for fd in itertools.count() if not _is_open(fd))
    limit = list(itertools.islice(free, count + 1))[-1]
    holes = [fd for fd in range(limit) if not _is_open(fd)]
    assert len(holes) == count
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
        for fd in opened:
            os.close(fd)


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def open_now() -> set[int]:
    return {fd for fd in range(1024) if _is_open(fd)}


@pytest.mark.parametrize("options", [{}, {"path": "/"}, {"usePTY": True}], ids=["spawn", "fork", "terminal"])
def test_without_descriptors_left_spawning_raises_at_each_step_and_leaks_none(family: Home, options: Any) -> None:
    family.end(family.sh("exit 0", **options))
    before = open_now()
    failed = 0
    for count in range(12):
        protocol = Told()
        try:
            with descriptors_left(count):
                family.sh("exit 0", protocol, **options)
        except OSError as error:
            assert error.errno == errno.EMFILE
            assert open_now() == before
            assert protocol.told == []
            failed += 1
        else:
            family.end(protocol)  # even where none was left to watch the child with
            assert open_now() == before
    assert 1 < failed < 12
    assert zombies() == []


def test_a_fork_that_fails_raises_and_leaks_nothing(
    family: Home, monkeypatch: pytest.MonkeyPatch, no_leaks: Any
) -> None:
    def no_fork() -> int:
        raise BlockingIOError(errno.EAGAIN, "too many processes")

    monkeypatch.setattr(os, "fork", no_fork)
    for options in ({"path": "/"}, {"usePTY": True}):
        with no_leaks(), pytest.raises(BlockingIOError, match="too many"):
            family.sh("exit 0", **options)


@pytest.mark.parametrize("order", list(itertools.permutations((0, 1, 2))))
def test_a_child_may_close_its_ends_in_any_order(family: Home, order: tuple[int, ...]) -> None:
    close = {0: "exec 0<&-", 1: "exec 1>&-", 2: "exec 2>&-"}
    steps = "; ".join(f"{close[fd]}; read line <&3" for fd in order)
    protocol = family.sh(f"{steps}; exit 9", childFDs={0: "w", 1: "r", 2: "r", 3: "w"})
    for fd in order:
        family.until(lambda fd=fd: f"lost {fd}" in protocol.told)
        protocol.transport.writeToChild(3, b"\n")
    family.end(protocol)
    assert protocol.told[1:4] == [f"lost {fd}" for fd in order]
    assert protocol.reasons[0].exitCode == 9


@pytest.mark.parametrize("order", list(itertools.permutations((0, 1, 2))))
def test_the_parent_may_close_its_ends_in_any_order(family: Home, order: tuple[int, ...]) -> None:
    protocol = family.sh("read line <&3", childFDs={0: "w", 1: "r", 2: "r", 3: "w"})
    for fd in order:
        protocol.transport.closeChildFD(fd)
        family.until(lambda fd=fd: f"lost {fd}" in protocol.told)
    protocol.transport.closeChildFD(3)
    family.end(protocol)


def test_closing_inside_every_callback_is_fine(family: Home) -> None:
    for event in ("made", "data", "lost 1", "exited"):
        protocol = Told()
        protocol.on[event] = lambda protocol=protocol: protocol.transport.loseConnection()
        family.sh("echo x; exec 1>&-; read line", protocol)
        if event == "exited":
            protocol.transport.closeStdin()
        family.end(protocol)


def test_a_child_that_is_killed_while_it_is_written_to(family: Home) -> None:
    protocol = family.sh("read line; while :; do sleep 1; done")
    protocol.transport.write(b"x" * 1_000_000)
    family.passes()
    protocol.transport.signalProcess("KILL")
    family.until(lambda: "exited" in protocol.told)
    assert protocol.reasons[0].signal == signal.SIGKILL
    family.end(protocol)


def test_200_children_at_once_leave_no_zombie_and_no_descriptor(family: Home) -> None:
    family.end(family.sh("exit 0"))
    before = open_now()
    children = [family.sh(f"read line; echo $line {number}; exit {number % 7}") for number in range(200)]
    for each in children:
        each.transport.write(b"number\n")
    family.end(*children)
    assert [each.data[1] for each in children] == [b"number %d\n" % number for number in range(200)]
    assert [each.reasons[0].exitCode or 0 for each in children] == [number % 7 for number in range(200)]
    assert open_now() == before
    assert zombies() == []
    assert family.reactor._children.registered() == {}


def test_children_that_end_all_at_once_without_pipes(family: Home) -> None:
    gate, opener = os.pipe()
    children = [family.sh("read line", childFDs={0: gate}) for _ in range(50)]
    os.close(gate)
    os.close(opener)
    family.end(*children)
    assert zombies() == []


def test_much_output_arrives_whole_and_in_order(family: Home) -> None:
    protocol = family.sh("i=0; while [ $i -lt 3000 ]; do echo $i; i=$((i+1)); done; head -c 3000000 /dev/zero")
    family.end(protocol)
    numbers = b"".join(b"%d\n" % number for number in range(3000))
    assert protocol.data[1] == numbers + bytes(3_000_000)


def test_a_reactor_that_is_closed_gives_the_childrens_descriptors_back(reports: Reports) -> None:
    before = open_now()
    with home(Reactor) as family:
        pid = family.sh("sleep 100", childFDs={}).transport.pid
    assert open_now() == before
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def test_a_child_is_started_from_inside_every_callback_of_another(family: Home) -> None:
    started: list[Told] = []

    def another() -> None:
        if len(started) < 12:
            protocol = Told()
            protocol.on = dict.fromkeys(("made", "lost 1", "exited", "ended"), another)
            started.append(protocol)
            family.sh("echo x", protocol)

    another()
    family.until(lambda: len(started) == 12 and all(each.ended for each in started))


@pytest.mark.parametrize("step", ["reader", "writer", "watched writer"])
def test_a_factory_of_pipes_that_raises_leaves_no_child_and_no_descriptor(family: Home, step: str) -> None:
    class Reader(ProcessReader):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            if step == "reader":
                raise ZeroDivisionError

    class Writer(ProcessWriter):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            if step == "writer":
                raise ZeroDivisionError
            super().__init__(*arguments, **options)
            if step == "watched writer":
                raise ZeroDivisionError

    class Mine(Process):
        processReaderFactory = Reader
        processWriterFactory = Writer

    family.end(family.sh("exit 0"))
    before, watched = open_now(), family.reactor.getReaders()
    protocol = Told()
    with pytest.raises(ZeroDivisionError):
        Mine(family.reactor, SH, ["sh", "-c", "exec sleep 1000"], {"PATH": os.defpath}, None, protocol)
    family.until(lambda: not family.reactor._children.registered())
    assert protocol.told == []
    assert open_now() == before
    assert family.reactor.getReaders() == watched
    assert zombies() == []


def test_a_terminal_that_cannot_be_watched_leaves_no_child_and_no_descriptor(
    family: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    family.end(family.sh("exit 0", usePTY=True))
    before = open_now()
    monkeypatch.setattr(PTYProcess, "startReading", lambda self: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        family.sh("exec sleep 1000", usePTY=True)
    family.until(lambda: not family.reactor._children.registered())
    assert open_now() == before
    assert zombies() == []


def test_a_pipe_that_somebody_else_has_closed_does_not_hold_up_the_end(
    family: Home, reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    protocol = family.sh("read line")
    gone, close = protocol.transport.pipes[1].fileno(), os.close

    def closed_before(fd: int) -> None:
        close(fd)
        if fd == gone:
            raise OSError(errno.EBADF, "closed before")

    monkeypatch.setattr(os, "close", closed_before)
    protocol.transport.closeStdin()
    family.end(protocol)
    monkeypatch.undo()
    assert sorted(protocol.told) == ["ended", "exited", "lost 0", "lost 1", "lost 2", "made"]
    assert OSError in reports.exceptions()
    reports.clear()
