"""Workers: something that does, in order, what it is given.

A worker is *exclusive* when it never does two things at once. Three are: a thread with a queue, a lock (the work is
done in the calling thread while the lock is held), and memory (the work is done when a test says so). Contract:
Twisted's ``_threads``, whose names these are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import Any, Protocol

from .. import report
from ..failure import Failure

Work = Callable[[], object]


class AlreadyQuit(Exception):
    """Work was given to, or ``quit`` called on, a worker that has been told to quit."""


class Brief(partial[object]):
    """A call that takes no time and waits for nothing. A team's work may return one: it is made when the worker counts
    as idle already. Whom it wakes, another thread, then finds this one on its way to sleep and need not wait for it.
    """


class IWorker(Protocol):
    """Does work, perhaps elsewhere, perhaps later. Any thread may call; both raise :exc:`AlreadyQuit` after quit."""

    def do(self, task: Work, /) -> None:
        """Have `task` called soon, without arguments."""

    def quit(self) -> None:
        """Accept nothing more, finish what was accepted, free what is held."""


class IExclusiveWorker(IWorker, Protocol):
    """A worker that does one thing at a time, in the order given."""


class SimpleLock(Protocol):
    def acquire(self) -> bool: ...
    def release(self) -> None: ...


class SimpleQueue(Protocol):
    def put(self, item: Any, /) -> None: ...
    def get(self) -> Any: ...


class Stop(Enum):
    """Ends a queue of work: never equal to any work."""

    Thread = 1


StopThread = Stop.Thread


class Quit:
    """A flag that is raised once."""

    def __init__(self) -> None:
        self.isSet = False

    def set(self) -> None:
        self.check()
        self.isSet = True

    def check(self) -> None:
        if self.isSet:
            raise AlreadyQuit()


class ThreadWorker:
    """Does its work in a thread of its own. Contract: Twisted's ``ThreadWorker``.

    `startThread` is called at once with what the thread is to run; `queue` needs only put and get, and is this
    worker's own. The thread holds the queue and not the worker.
    """

    def __init__(self, startThread: Callable[[Work], object], queue: SimpleQueue) -> None:
        self._quit = Quit()
        self._queue = queue
        startThread(partial(_serve, queue))

    def do(self, task: Work) -> None:
        if self._quit.isSet:
            raise AlreadyQuit()
        self._queue.put(task)

    def quit(self) -> None:
        self._quit.set()
        self._queue.put(StopThread)


def _serve(queue: SimpleQueue) -> None:
    get = queue.get
    while (task := get()) is not StopThread:
        try:
            task()
        except BaseException:
            # A thread that ended here would take the work queued behind with it.
            report.failure("Unhandled error in a worker thread", Failure())
        del task  # what the work refers to must not live until the next work comes


class LockWorker:
    """Does the work in the calling thread, holding `lock`. Contract: Twisted's ``LockWorker``.

    Work that gives this worker more work does not deadlock: the inner work waits until the outer is done. `local` is
    a :class:`threading.local` of this worker's own; it knows whether the calling thread is inside.
    """

    def __init__(self, lock: SimpleLock, local: Any) -> None:
        self._quit = Quit()
        self._lock: SimpleLock | None = lock
        self._local = local

    def do(self, work: Work) -> None:
        lock = self._lock
        if lock is None:
            raise AlreadyQuit()
        local = self._local
        inside: deque[Work] | None = getattr(local, "working", None)
        if inside is not None:
            inside.append(work)
            return
        # A signal handler or a finalizer may call do() between any two of these lines. "working" is set for longer
        # than the lock is held, so it never meets a lock its own thread holds; the last loop is for what it leaves.
        local.working = postponed = deque((work,))
        try:
            lock.acquire()
            try:
                while postponed:
                    postponed.popleft()()
            finally:
                lock.release()
        finally:
            local.working = None
            while postponed:
                self.do(postponed.popleft())

    def quit(self) -> None:
        self._quit.set()
        self._lock = None


class NoMore(Enum):
    """Ends a list of work: never equal to any work."""

    Work = 1


NoMoreWork = NoMore.Work


class MemoryWorker:
    """Keeps its work until it is told to perform it: see :func:`createMemoryWorker`."""

    def __init__(self, pending: Callable[[], Any] = deque) -> None:
        self._quit = Quit()
        self._pending = pending()

    def do(self, work: Work) -> None:
        self._quit.check()
        self._pending.append(work)

    def quit(self) -> None:
        self._quit.set()
        self._pending.append(NoMoreWork)


def createMemoryWorker() -> tuple[MemoryWorker, Callable[[], bool]]:
    """A worker for tests, and the function that performs the oldest piece of its work.

    That function returns whether there was any.
    """
    pending: deque[Any] = deque()

    def perform() -> bool:
        if not pending or pending[0] is NoMoreWork:
            return False
        pending.popleft()()
        return True

    return MemoryWorker(lambda: pending), perform
