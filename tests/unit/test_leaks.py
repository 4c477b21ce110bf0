"""However a Deferred, a coroutine, a list or a lock ends, the reference count frees it, not the collector."""

import weakref

import pytest

from torsion.defer import (
    CancelledError,
    Deferred,
    DeferredList,
    DeferredLock,
    DeferredQueue,
    DeferredSemaphore,
    ensureDeferred,
    fail,
    gatherResults,
    inlineCallbacks,
    maybeDeferred,
    race,
    succeed,
)
from torsion.task import Clock

N = 100


def handle(failure):
    return None


def raises(value):
    raise ValueError(value)


class StandingFuture:
    """As much of an asyncio.Future as fromFuture needs, without a loop, which makes cycles of its own."""

    def __init__(self):
        self.callbacks, self.errors = [], []

    def add_done_callback(self, callback):
        self.callbacks.append(callback)

    def cancel(self):
        self.fail(CancelledError)

    def fail(self, kind):
        self.errors.append(kind())
        while self.callbacks:
            self.callbacks.pop()(self)

    def result(self):
        raise self.errors.pop()


def a_success():
    deferred = Deferred().addCallback(lambda value: value + 1)
    deferred.callback(1)


def a_handled_error():
    deferred = Deferred().addCallback(raises).addErrback(handle)
    deferred.callback(1)


def an_error_on_its_way_through_several():
    deferred = Deferred().addCallback(raises).addErrback(lambda failure: failure).addErrback(lambda failure: raises(2))
    deferred.addErrback(handle)
    deferred.callback(1)


def an_errback_without_a_traceback():
    fail(ValueError()).addErrback(handle)


def a_cancelled_one():
    deferred = Deferred().addErrback(handle)
    deferred.cancel()


def a_cancelled_one_with_a_canceller():
    deferred = Deferred(lambda deferred: deferred.errback(KeyError())).addErrback(handle)
    deferred.cancel()


def a_chain():
    inner = Deferred()
    outer = succeed(None).addCallback(lambda _: inner)
    inner.callback("value")
    assert outer.result == "value"


def a_chain_that_fails():
    inner = Deferred().addCallback(raises)
    succeed(None).addCallback(lambda _: inner).addErrback(handle)
    inner.callback("value")


def a_cancelled_chain():
    inner = Deferred()
    outer = succeed(None).addCallback(lambda _: inner).addErrback(handle)
    outer.cancel()


def a_chain_deferred():
    first, second = Deferred(), Deferred()
    first.chainDeferred(second)
    first.callback(1)


def two_fired_through_each_other():
    first, second = Deferred(), Deferred()
    first.addCallback(second.callback)
    second.addCallback(raises).addErrback(handle)
    first.callback(1)


def a_maybe_deferred_that_raises():
    maybeDeferred(raises, 1).addErrback(handle)


def a_timeout_that_expires():
    clock = Clock()
    Deferred().addTimeout(1, clock).addErrback(handle)
    clock.advance(1)


def a_timeout_that_does_not():
    clock = Clock()
    deferred = Deferred().addTimeout(1, clock)
    deferred.callback(1)
    assert clock.calls == []


def a_deferred_of_a_future_that_fails():
    future = StandingFuture()
    Deferred.fromFuture(future).addErrback(handle)
    future.fail(ValueError)


def a_cancelled_deferred_of_a_future():
    future = StandingFuture()
    deferred = Deferred.fromFuture(future).addErrback(handle)
    deferred.cancel()
    assert (deferred.called, deferred.result, future.errors) == (True, None, [])


def gathered():
    deferreds = [Deferred() for _ in range(3)]
    results = gatherResults(deferreds)
    for deferred in deferreds:
        deferred.callback(1)
    assert results.result == [1, 1, 1]


def gathered_with_an_error():
    gatherResults([succeed(1).addCallback(raises) for _ in range(3)], consumeErrors=True).addErrback(handle)


def gathered_with_an_error_later():
    deferreds = [Deferred() for _ in range(3)]
    gatherResults(deferreds, consumeErrors=True).addErrback(handle)
    for deferred in deferreds:
        deferred.errback(ValueError())


def a_list():
    deferreds = [Deferred() for _ in range(3)]
    DeferredList(deferreds, consumeErrors=True).addCallback(handle)
    deferreds[0].errback(ValueError())
    deferreds[1].callback(1)
    deferreds[2].callback(2)


def a_list_of_errors():
    DeferredList([succeed(1).addCallback(raises) for _ in range(3)], consumeErrors=True).addCallback(handle)


def a_cancelled_list():
    DeferredList([Deferred() for _ in range(3)], consumeErrors=True).addCallback(handle).cancel()


def a_race():
    deferreds = [Deferred() for _ in range(3)]
    racing = race(deferreds)
    deferreds[1].callback(1)
    assert racing.result == (1, 1)


def a_race_that_all_lose():
    race([succeed(1).addCallback(raises) for _ in range(3)]).addErrback(handle)


def a_race_that_all_lose_later():
    deferreds = [Deferred() for _ in range(3)]
    race(deferreds).addErrback(handle)
    for deferred in deferreds:
        deferred.errback(ValueError())


def a_cancelled_race():
    race([Deferred() for _ in range(3)]).addErrback(handle).cancel()


def a_lock():
    lock = DeferredLock()
    first, second = Deferred(), Deferred()
    lock.run(lambda: first).addErrback(handle)
    lock.run(lambda: second).addErrback(handle)
    lock.run(raises, 1).addErrback(handle)
    lock.acquire().addErrback(handle).cancel()
    first.callback(1)
    second.errback(ValueError())
    assert not lock.locked


def a_semaphore_in_coroutines():
    semaphore = DeferredSemaphore(2)

    async def holds(pending):
        async with semaphore:
            await pending.pop()

    pending = [Deferred() for _ in range(3)]
    for each in pending:
        ensureDeferred(holds([each]))
    for each in pending:
        each.callback(1)
    assert semaphore.tokens == 2


def a_queue():
    queue = DeferredQueue()
    queue.get().addErrback(handle).cancel()
    queue.get()
    queue.put(1)
    queue.put(2)
    queue.get()


DEFERREDS = [
    a_success,
    a_handled_error,
    an_error_on_its_way_through_several,
    an_errback_without_a_traceback,
    a_cancelled_one,
    a_cancelled_one_with_a_canceller,
    a_chain,
    a_chain_that_fails,
    a_cancelled_chain,
    a_chain_deferred,
    two_fired_through_each_other,
    a_maybe_deferred_that_raises,
    a_timeout_that_expires,
    a_timeout_that_does_not,
    a_deferred_of_a_future_that_fails,
    a_cancelled_deferred_of_a_future,
]
TOGETHER = [
    gathered,
    gathered_with_an_error,
    gathered_with_an_error_later,
    a_list,
    a_list_of_errors,
    a_cancelled_list,
    a_race,
    a_race_that_all_lose,
    a_race_that_all_lose_later,
    a_cancelled_race,
    a_lock,
    a_semaphore_in_coroutines,
    a_queue,
]


# What is waited for is in a box, not in a variable: a frame that ends in a traceback keeps its variables.


@inlineCallbacks
def generator(box, ending):
    try:
        yield box.pop()
    except (ValueError, CancelledError):
        if ending == "caught":
            return "caught"
        raise
    if ending == "raises":
        raise KeyError("mine")
    return "value"


async def coroutine(box, ending):
    try:
        await box.pop()
    except (ValueError, CancelledError):
        if ending == "caught":
            return "caught"
        raise
    if ending == "raises":
        raise KeyError("mine")
    return "value"


async def awaits_a_coroutine(box, ending):
    return await coroutine(box, ending)


@inlineCallbacks
def yields_a_generator(box, ending):
    return (yield generator(box, ending))


STARTS = {
    "generator": generator,
    "coroutine": lambda box, ending: ensureDeferred(coroutine(box, ending)),
    "coroutine in a coroutine": lambda box, ending: ensureDeferred(awaits_a_coroutine(box, ending)),
    "generator in a generator": yields_a_generator,
}
FINISHES = {
    "value": lambda deferred, box: box.pop().callback(None),
    "failure": lambda deferred, box: box.pop().errback(ValueError()),
    "cancelled": lambda deferred, box: deferred.cancel(),
}


def collects_nothing(no_leaks, function):
    function()  # once before, to fill the caches
    with no_leaks():
        for _ in range(N):
            function()


@pytest.mark.parametrize("function", DEFERREDS, ids=lambda function: function.__name__)
def test_a_finished_deferred_leaves_no_cycle(no_leaks, function):
    collects_nothing(no_leaks, function)


@pytest.mark.parametrize("function", TOGETHER, ids=lambda function: function.__name__)
def test_lists_races_and_locks_leave_no_cycle(no_leaks, function):
    collects_nothing(no_leaks, function)


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
@pytest.mark.parametrize("finish", FINISHES.values(), ids=FINISHES)
@pytest.mark.parametrize("ending", ["returns", "raises", "caught"])
def test_s025_a_coroutine_that_waited_leaves_no_cycle_in_any_ending(no_leaks, start, finish, ending):
    def one():
        pending = Deferred()
        deferred = start([pending], ending).addErrback(handle)
        box = [pending]
        del pending
        finish(deferred, box)

    collects_nothing(no_leaks, one)


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
@pytest.mark.parametrize("fired", [lambda: succeed(1), lambda: fail(ValueError())], ids=["success", "failure"])
@pytest.mark.parametrize("ending", ["returns", "raises", "caught"])
def test_s025_a_coroutine_that_need_not_wait_leaves_no_cycle_in_any_ending(no_leaks, start, fired, ending):
    collects_nothing(no_leaks, lambda: start([fired()], ending).addErrback(handle))


async def numbers(box):
    yield 1
    await box.pop()
    yield 2


async def loops_over_numbers(box, lock):
    async with lock:
        async for _ in numbers(box):
            pass


@pytest.mark.parametrize("finish", FINISHES.values(), ids=FINISHES)
def test_s025_async_for_and_async_with_leave_no_cycle_in_any_ending(no_leaks, finish):
    def one():
        pending = Deferred()
        lock = DeferredLock()
        deferred = ensureDeferred(loops_over_numbers([pending], lock)).addErrback(handle)
        box = [pending]
        del pending
        finish(deferred, box)
        assert not lock.locked

    collects_nothing(no_leaks, one)


def test_a_callback_and_its_arguments_are_let_go_as_soon_as_it_has_run():
    class Held:
        pass

    held = Held()
    alive = weakref.ref(held)
    seen = []
    deferred = Deferred()
    deferred.addCallback(lambda value, unused: value, held)
    deferred.addCallbacks(lambda value, unused=held: value, lambda failure, unused: None, errbackArgs=(held,))
    deferred.addCallback(lambda value: seen.append(alive()))
    del held
    assert alive() is not None
    deferred.callback(1)
    assert seen == [None]
