"""Single reads and writes of a descriptor, on a pipe."""

import errno
import os
from collections.abc import Iterator

import pytest

from torsion import fdesc, main


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    out, into = os.pipe()
    yield out, into
    for fd in (out, into):
        try:
            os.close(fd)
        except OSError:
            pass


def test_what_is_written_is_read(pipe: tuple[int, int]) -> None:
    out, into = pipe
    read: list[bytes] = []
    assert fdesc.writeToFD(into, b"hello") == 5
    assert fdesc.readFromFD(out, read.append) is None
    assert read == [b"hello"]


def test_nothing_to_read_and_no_room_are_no_errors(pipe: tuple[int, int]) -> None:
    out, into = pipe
    for fd in pipe:
        fdesc.setNonBlocking(fd)
        assert not os.get_blocking(fd)
    assert fdesc.readFromFD(out, pytest.fail) is None
    written = 0
    while count := fdesc.writeToFD(into, memoryview(b"x" * 1_000_000)):
        assert isinstance(count, int)
        written += count
    assert count == 0
    assert written > 4096
    fdesc.setBlocking(out)
    assert os.get_blocking(out)


def test_an_interrupted_call_is_no_error(pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: object) -> int:
        raise InterruptedError(errno.EINTR, "a signal")

    monkeypatch.setattr(os, "read", interrupted)
    monkeypatch.setattr(os, "write", interrupted)
    assert fdesc.readFromFD(pipe[0], pytest.fail) is None
    assert fdesc.writeToFD(pipe[1], b"x") == 0


def test_the_end_and_an_error_are_reasons(pipe: tuple[int, int]) -> None:
    out, into = pipe
    os.close(into)
    assert fdesc.readFromFD(out, pytest.fail) is main.CONNECTION_DONE is fdesc.CONNECTION_DONE
    os.close(out)
    assert fdesc.readFromFD(out, pytest.fail) is main.CONNECTION_LOST is fdesc.CONNECTION_LOST
    out, into = os.pipe()
    os.close(out)
    assert fdesc.writeToFD(into, b"x") is main.CONNECTION_LOST
    os.close(into)


def test_what_the_callback_raises_is_the_callers(pipe: tuple[int, int]) -> None:
    out, into = pipe
    os.write(into, b"x")
    with pytest.raises(LookupError):
        fdesc.readFromFD(out, {}.__getitem__)


def test_who_inherits(pipe: tuple[int, int]) -> None:
    fdesc._unsetCloseOnExec(pipe[0])
    assert os.get_inheritable(pipe[0])
    fdesc._setCloseOnExec(pipe[0])
    assert not os.get_inheritable(pipe[0])
