"""Semantics 19 and 87: locks, semaphores and queues one can wait for, and the lock between processes."""

import os
import subprocess
import sys

import pytest

from torsion.defer import (
    AlreadyTryingToLockError,
    CancelledError,
    Deferred,
    DeferredFilesystemLock,
    DeferredLock,
    DeferredQueue,
    DeferredSemaphore,
    QueueOverflow,
    QueueUnderflow,
    TimeoutError,
    ensureDeferred,
)
from torsion.task import Clock


def outcomes(deferred):
    """A list that gets every result of `deferred`, failures as they are, and handles them."""
    got = []
    deferred.addBoth(got.append)
    return got


@pytest.fixture(params=["lock", "semaphore"])
def lock(request):
    return DeferredLock() if request.param == "lock" else DeferredSemaphore(1)


def test_s019_who_comes_first_gets_it_and_the_others_follow_in_order(lock):
    first, second, third = (outcomes(lock.acquire()) for _ in range(3))
    assert (first, second, third) == ([lock], [], [])
    lock.release()
    assert (second, third) == ([lock], [])
    lock.release()
    assert third == [lock]


def test_s019_a_semaphore_lets_as_many_in_as_it_has_tokens():
    semaphore = DeferredSemaphore(2)
    assert (semaphore.tokens, semaphore.limit) == (2, 2)
    got = [outcomes(semaphore.acquire()) for _ in range(3)]
    assert got == [[semaphore], [semaphore], []]
    assert semaphore.tokens == 0
    semaphore.release()
    assert (got[2], semaphore.tokens) == ([semaphore], 0)
    semaphore.release()
    assert semaphore.tokens == 1


@pytest.mark.parametrize("tokens", [0, -1])
def test_s019_a_semaphore_needs_a_token(tokens):
    with pytest.raises(ValueError):
        DeferredSemaphore(tokens)


def test_s019_cancel_removes_the_waiter(lock):
    lock.acquire()
    second, third = lock.acquire(), lock.acquire()
    second.cancel()
    assert lock.waiting == [third]
    assert outcomes(second)[0].type is CancelledError
    lock.release()
    assert outcomes(third) == [lock]


def test_s019_locked_says_whether_somebody_holds_the_lock():
    lock = DeferredLock()
    assert not lock.locked
    lock.acquire()
    assert lock.locked
    lock.release()
    assert not lock.locked


def test_s019_run_holds_the_lock_until_the_functions_deferred_fires(lock):
    pending = Deferred()
    got = outcomes(lock.run(lambda *args, **kwargs: pending.addCallback(lambda value: (value, args, kwargs)), 1, key=2))
    following = outcomes(lock.acquire())
    assert (got, following) == ([], [])
    pending.callback("value")
    assert got == [("value", (1,), {"key": 2})]
    assert following == [lock]


def test_s019_run_releases_after_an_exception_and_after_a_failure(lock):
    [failure] = outcomes(lock.run(lambda: 1 // 0))
    assert failure.type is ZeroDivisionError
    pending = Deferred()
    got = outcomes(lock.run(lambda: pending))
    pending.errback(ValueError())
    assert got[0].type is ValueError
    assert outcomes(lock.acquire()) == [lock]


def test_s019_run_drives_a_coroutine():
    async def answers(value):
        return value

    assert outcomes(DeferredLock().run(answers, 5)) == [5]


def test_s019_run_does_not_call_the_function_when_cancelled_before_its_turn(lock):
    called = []
    lock.acquire()
    running = lock.run(called.append, 1)
    running.cancel()
    lock.release()
    assert outcomes(running)[0].type is CancelledError
    assert called == []


def test_s019_a_lock_is_an_asynchronous_context_manager(lock):
    pending = Deferred()
    error = ValueError()

    async def uses(what):
        async with lock as held:
            assert held is lock
            return await what

    first, second = outcomes(ensureDeferred(uses(pending))), outcomes(ensureDeferred(uses(pending)))
    assert len(lock.waiting) == 1
    pending.errback(error)
    assert first[0].value is error
    assert lock.waiting == []
    assert len(second) == 1
    assert outcomes(lock.acquire()) == [lock]


def test_s087_cancelling_run_while_the_function_waits_cancels_that_and_releases(lock):
    asked = []
    pending = Deferred(asked.append)
    running = lock.run(lambda: pending)
    running.cancel()
    assert asked == [pending]
    assert outcomes(running)[0].type is CancelledError
    assert outcomes(lock.acquire()) == [lock]


def test_s087_releasing_what_nobody_holds_is_an_assertion_error(lock):
    with pytest.raises(AssertionError):
        lock.release()


def test_s019_a_queue_hands_over_in_order_whoever_comes_first():
    queue = DeferredQueue()
    queue.put("a")
    queue.put("b")
    assert queue.pending == ["a", "b"]
    assert [outcomes(queue.get()) for _ in range(2)] == [["a"], ["b"]]
    first, second = outcomes(queue.get()), outcomes(queue.get())
    queue.put("c")
    assert (first, second) == (["c"], [])
    queue.put("d")
    assert second == ["d"]


def test_s019_cancelling_a_get_removes_the_waiter():
    queue = DeferredQueue()
    first, second = queue.get(), queue.get()
    first.cancel()
    assert queue.waiting == [second]
    assert outcomes(first)[0].type is CancelledError
    queue.put("a")
    assert outcomes(second) == ["a"]


def test_s087_a_full_queue_refuses_to_put():
    queue = DeferredQueue(size=1)
    queue.put("a")
    with pytest.raises(QueueOverflow):
        queue.put("b")
    nothing = DeferredQueue(size=0)
    with pytest.raises(QueueOverflow):
        nothing.put("a")
    got = outcomes(nothing.get())
    nothing.put("a")
    assert got == ["a"]


def test_s087_a_queue_with_enough_waiters_refuses_to_get():
    queue = DeferredQueue(backlog=1)
    waiting = queue.get()
    with pytest.raises(QueueUnderflow):
        queue.get()
    waiting.cancel()
    outcomes(waiting)
    assert not queue.get().called
    with pytest.raises(QueueUnderflow):
        DeferredQueue(backlog=0).get()


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "lock")


def test_s019_a_filesystem_lock_is_taken_at_once_when_free(path):
    clock = Clock()
    lock = DeferredFilesystemLock(path, scheduler=clock)
    assert outcomes(lock.deferUntilLocked(timeout=1)) == [None]
    assert (lock.locked, lock.clean, clock.getDelayedCalls()) == (True, True, [])
    lock.unlock()
    assert not lock.locked
    assert not os.path.lexists(path)


def test_s019_a_filesystem_lock_is_tried_again_every_second(path):
    clock = Clock()
    holder, lock = (DeferredFilesystemLock(path, scheduler=clock) for _ in range(2))
    assert holder.lock()
    assert not lock.lock()
    got = outcomes(lock.deferUntilLocked())
    clock.callLater(1.5, holder.unlock)
    clock.pump([1, 0.9])
    assert got == []
    clock.advance(0.1)
    assert (got, lock.locked) == ([None], True)
    assert clock.getDelayedCalls() == []


def test_s019_waiting_for_a_filesystem_lock_ends_with_the_timeout(path):
    clock = Clock()
    holder, lock = (DeferredFilesystemLock(path, scheduler=clock) for _ in range(2))
    holder.lock()
    got = outcomes(lock.deferUntilLocked(timeout=5.5))
    clock.pump([1] * 5)
    assert got == []
    clock.advance(0.5)
    assert got[0].type is TimeoutError
    assert clock.getDelayedCalls() == []
    holder.unlock()
    assert outcomes(lock.deferUntilLocked()) == [None]


def test_s019_only_one_wait_at_a_time_for_a_filesystem_lock(path):
    clock = Clock()
    holder, lock = (DeferredFilesystemLock(path, scheduler=clock) for _ in range(2))
    holder.lock()
    first = outcomes(lock.deferUntilLocked())
    assert outcomes(lock.deferUntilLocked())[0].type is AlreadyTryingToLockError
    holder.unlock()
    clock.advance(1)
    assert first == [None]


def test_s019_cancelling_the_wait_for_a_filesystem_lock_stops_its_calls(path):
    clock = Clock()
    holder, lock = (DeferredFilesystemLock(path, scheduler=clock) for _ in range(2))
    holder.lock()
    waiting = lock.deferUntilLocked(timeout=5)
    waiting.cancel()
    assert outcomes(waiting)[0].type is CancelledError
    assert clock.getDelayedCalls() == []


def test_s019_a_filesystem_lock_of_a_dead_process_is_taken_over(path):
    code = "import os, sys; os.symlink(str(os.getpid()), sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, path], check=True)
    lock = DeferredFilesystemLock(path, scheduler=Clock())
    assert outcomes(lock.deferUntilLocked()) == [None]
    assert lock.clean is False


def test_s019_unlocking_anothers_filesystem_lock_is_refused(path):
    os.symlink(str(os.getppid()), path)
    lock = DeferredFilesystemLock(path, scheduler=Clock())
    assert not lock.lock()
    with pytest.raises(ValueError):
        lock.unlock()
