"""Locks around methods, and which thread is the reactor's."""

import pickle
import threading

import pytest

from torsion.pool import threadable
from torsion.pool.threadable import XLock, synchronize, unpickle_lock

PATIENCE = 20  # seconds; only a failing test waits so long


def test_synchronized_methods_exclude_one_another_per_instance() -> None:
    class Account:
        synchronized = ["add", "twice"]

        def __init__(self) -> None:
            self.inside = self.most = 0

        def add(self) -> None:
            self.inside += 1
            self.most = max(self.most, self.inside)
            self.inside -= 1

        def twice(self) -> str:
            """Calls another: the lock is reentrant."""
            self.add()
            self.add()
            return "done"

    synchronize(Account)
    account = Account()
    together = threading.Barrier(4, timeout=PATIENCE)

    def run() -> None:
        together.wait()
        for _ in range(300):
            account.twice()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert account.most == 1
    assert account.twice() == "done"
    assert Account.twice.__name__ == "twice"


def test_a_lock_pickles_as_a_new_lock() -> None:
    lock = XLock()
    with lock:
        copy = pickle.loads(pickle.dumps(lock))
    assert isinstance(copy, XLock)
    assert copy is not lock
    assert copy.acquire(False)
    copy.release()
    assert isinstance(unpickle_lock(), XLock)


def test_a_subclass_may_know_when_a_lock_is_taken() -> None:
    class Noting(XLock):
        told: list[str]

        def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
            self.told.append("acquire")
            return super().acquire(blocking, timeout)

    lock = Noting()
    lock.told = []
    with lock, lock:  # reentrant
        pass
    assert lock.told == ["acquire", "acquire"]


def test_the_io_thread_is_the_one_that_registered_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threadable, "ioThread", None)
    assert not threadable.isInIOThread()
    threadable.registerAsIOThread()
    assert threadable.isInIOThread()
    assert threadable.ioThread == threadable.getThreadID() == threading.get_ident()
    seen: list[bool] = []
    thread = threading.Thread(target=lambda: seen.append(threadable.isInIOThread()))
    thread.start()
    thread.join(PATIENCE)
    assert seen == [False]


def test_threads_are_always_there() -> None:
    threadable.init()
    assert threadable.threaded
    with pytest.raises(RuntimeError):
        threadable.init(0)
