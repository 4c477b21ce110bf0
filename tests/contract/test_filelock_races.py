"""Two processes may look at one lock in the same instant: whatever the other does in between, nobody fails."""

import os
from pathlib import Path

import pytest

from torsion.defer import DeferredFilesystemLock
from torsion.task import Clock


@pytest.fixture
def lock(tmp_path: Path) -> DeferredFilesystemLock:
    return DeferredFilesystemLock(str(tmp_path / "lock"), Clock())


def test_a_lock_that_is_given_back_while_it_is_read_is_taken(
    lock: DeferredFilesystemLock, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.symlink(str(os.getpid()), lock.name)
    read = os.readlink

    def read_too_late(path: str) -> str:
        os.unlink(path)
        return read(path)

    monkeypatch.setattr(os, "readlink", read_too_late)
    assert lock.lock()


def test_a_dead_holder_that_somebody_else_removes_first_is_no_error(
    lock: DeferredFilesystemLock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dead(pid: int, number: int) -> None:
        os.unlink(lock.name)  # the other finder was faster
        raise ProcessLookupError

    os.symlink("1", lock.name)
    monkeypatch.setattr(os, "kill", dead)
    assert lock.lock()


def test_a_holder_that_belongs_to_somebody_else_lives(
    lock: DeferredFilesystemLock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(pid: int, number: int) -> None:
        raise PermissionError

    os.symlink("1", lock.name)
    monkeypatch.setattr(os, "kill", refused)
    assert not lock.lock()
