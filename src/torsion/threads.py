"""Work in threads and executors, its result in the reactor's thread: the public module.

Every function here carries a result across threads, and only :func:`blockingCallFromThread` waits for one. What is
carried is carried by ``callFromThread``; a Deferred is touched in its reactor's thread only.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError as FutureCancelled
from concurrent.futures import Executor, Future
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Protocol

from . import reactors
from .contract import Reactor, running_here
from .core.deferred import CancelledError, Deferred, fail
from .defer import maybeDeferred
from .failure import Failure
from .pool import threadable
from .pool.deadlock import Place, WouldDeadlock, here, set_reactor_here
from .pool.threadpool import OnResult, current_pool
from .pool.worker import Brief

if TYPE_CHECKING:
    from .interfaces import IReactorFromThreads

__all__ = [
    "BoundedExecutor",
    "WouldDeadlock",
    "blockingCallFromThread",
    "callMultipleInThread",
    "deferToThread",
    "deferToThreadPool",
    "defer_to_executor",
]


class HasThreads(Protocol):
    """The part of a thread pool that is used here."""

    def callInThreadWithCallback(
        self, onResult: OnResult | None, func: Callable[..., Any], *args: Any, **kw: Any
    ) -> object: ...


def deferToThread(f: Callable[..., Any], *args: Any, **kwargs: Any) -> Deferred:
    """Call `f` in the reactor's thread pool; the Deferred gets its result, or a Failure whatever it raises.

    The reactor is the one running in this thread, else the global one; call this in its thread. What `f` returns is
    the result as it is: coroutines and Deferreds are not awaited (semantics 94). Cancelling does not stop `f`; its
    result is swallowed. Contract: Twisted's ``threads.deferToThread``.
    """
    reactor = reactors.current()
    return deferToThreadPool(reactor, reactor.getThreadPool(), f, *args, **kwargs)


def deferToThreadPool(
    reactor: IReactorFromThreads, threadpool: HasThreads, f: Callable[..., Any], *args: Any, **kwargs: Any
) -> Deferred:
    """As :func:`deferToThread`, with a given pool, and the result given in the thread of `reactor`."""
    watch = getattr(threadpool, "watch", None)
    if watch is not None and watch.later is None and isinstance(reactor, Reactor):
        watch.later = reactor.call_unseen  # so that a pool of the program's is looked at too
    deferred = Deferred()
    # Looked up here: what is no reactor is the caller's error, and not one of the thread that has the result.
    threadpool.callInThreadWithCallback(Brief(_hand_over, reactor.callFromThread, deferred), f, *args, **kwargs)
    return deferred


def _hand_over(call_from_thread: Callable[..., object], deferred: Deferred, success: bool, result: Any) -> None:
    call_from_thread(deferred.callback if success else deferred.errback, result)


def callMultipleInThread(tupleList: Iterable[tuple[Callable[..., Any], Iterable[Any], dict[str, Any]]]) -> None:
    """Call several functions, given as (function, args, kwargs), one after the other in one thread of the pool.

    The first that raises is reported and ends the row. Contract: Twisted's ``threads.callMultipleInThread``.
    """
    reactors.current().callInThread(_call_each, tupleList)


def _call_each(calls: Iterable[tuple[Callable[..., Any], Iterable[Any], dict[str, Any]]]) -> None:
    for function, args, kwargs in calls:
        function(*args, **kwargs)


# Waiting for the reactor


def blockingCallFromThread(reactor: IReactorFromThreads, f: Callable[..., Any], *a: Any, **kw: Any) -> Any:
    """Call `f` in the thread of `reactor`, wait for its result and return it, or raise what it raised.

    Deferreds and coroutines that `f` returns are awaited (semantics 94). For threads other than the reactor's. Raises
    :exc:`WouldDeadlock` where the answer could never come: in the reactor's own thread, and in a worker whose pool is
    being stopped from the reactor's thread, as it is while the reactor shuts down, also when that begins during the
    wait; `f` may run then, or not (semantics 51). Contract: Twisted's ``threads.blockingCallFromThread``.
    """
    call = _BlockingCall(reactor)
    if isinstance(reactor, Reactor) and call.waits_for(here()):
        raise WouldDeadlock(IN_ITS_OWN_THREAD)
    pool = current_pool()
    if pool is None:
        return call.make(f, a, kw)
    pool.waiters_for_answers.add(call)
    try:
        return call.make(f, a, kw)
    finally:
        pool.waiters_for_answers.discard(call)


IN_ITS_OWN_THREAD = "blockingCallFromThread in the reactor's own thread: it would wait for itself"


class _BlockingCall:
    """A call in the reactor's thread for which another thread waits. The first answer counts."""

    def __init__(self, reactor: IReactorFromThreads) -> None:
        self._reactor = reactor
        self._answers: SimpleQueue[Any] = SimpleQueue()
        self._over = False

    def make(self, f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if self._answers.empty():
            self._reactor.callFromThread(self._call, f, args, kwargs)
            # A reactor that is not ours, a test's say, may have called at once, also in the thread that passes for its.
            if not isinstance(self._reactor, Reactor) and self._answers.empty() and self.waits_for(here()):
                self._answers.put(Failure(WouldDeadlock(IN_ITS_OWN_THREAD)))
        answer = self._answers.get()
        self._over = True
        if not isinstance(answer, Failure):
            return answer
        try:
            raise answer.value.with_traceback(answer.tb)
        finally:
            del answer  # the traceback holds this frame: no cycle

    def _call(self, f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if not self._over:
            maybeDeferred(f, *args, **kwargs).addBoth(self._answers.put)

    def waits_for(self, place: Place) -> bool:
        reactor = self._reactor
        if isinstance(reactor, Reactor):
            # Not the object but the engine: one reactor's __dict__ may have been assigned to another.
            return isinstance(place.reactor, Reactor) and place.reactor.engine is reactor.engine
        return place.thread == threadable.ioThread

    def give_up(self) -> None:
        self._answers.put(
            Failure(
                WouldDeadlock(
                    "blockingCallFromThread in a worker of a thread pool that is being stopped from the reactor's"
                    " thread: the reactor waits for this worker to end before it answers calls"
                )
            )
        )


set_reactor_here(running_here)


# Executors


def defer_to_executor(executor: Executor, f: Callable[..., Any], *args: Any, **kwargs: Any) -> Deferred:
    """Submit a call to any :class:`concurrent.futures.Executor`; the Deferred gets its result.

    It fires in the thread of the reactor running in this thread, else of the global one; call this in that thread.
    Cancelling gives CancelledError at once and cancels the future, which keeps a call that has not begun from
    beginning; the result of one that has is swallowed. A future that others cancel gives CancelledError too. An
    executor that is shut down, or broken, gives the error its submit() raises. How many calls the executor holds is
    not limited: see :class:`BoundedExecutor`.

    >>> defer_to_executor(ProcessPoolExecutor(), math.factorial, 5000).addCallback(print)  # doctest: +SKIP
    """
    try:
        future = executor.submit(f, *args, **kwargs)
    except Exception:
        return fail(Failure())
    return _result_of(future, reactors.current())


def _result_of(future: Future[Any], reactor: IReactorFromThreads) -> Deferred:
    deferred = Deferred(partial(_cancel, future))
    future.add_done_callback(partial(_done, reactor, deferred))
    return deferred


def _cancel(future: Future[Any], deferred: Deferred) -> None:
    future.cancel()


def _done(reactor: IReactorFromThreads, deferred: Deferred, future: Future[Any]) -> None:
    """Any thread; in the canceller too, where the future calls this on its own cancellation."""
    error: BaseException | None
    try:
        error = future.exception()
    except FutureCancelled:
        error = CancelledError()
    if error is None:
        reactor.callFromThread(_fire, deferred, future.result())
    else:
        reactor.callFromThread(_fire, deferred, Failure(error))


def _fire(deferred: Deferred, result: Any) -> None:
    if not deferred.called:  # with a canceller, a result that comes too late is not swallowed (semantics 10)
        deferred.callback(result)


class BoundedExecutor:
    """Gives an executor a bounded number of calls at a time; what is more waits here, and its source can be told.

    An executor takes whatever it is given: who reads calls from a network faster than a cluster does them fills the
    cluster's memory. Here at most `at_most` calls are *in flight*, which is until the executor is done with them: a
    call that was cancelled while it ran counts as long as it runs. Calls beyond that wait in order. For them not to
    become many, a source asks for room first:

        async def feed(bounded, transport, work):
            transport.pauseProducing()
            await bounded.when_room()
            transport.resumeProducing()
            return await bounded.defer(work)

    All methods belong to the thread of one reactor, which is found as by :func:`defer_to_executor`. Shutting the
    executor down remains its owner's affair.
    """

    def __init__(self, executor: Executor, at_most: int) -> None:
        """ValueError unless `at_most` is a number of calls from 1."""
        if at_most < 1:
            raise ValueError(f"at_most is how many calls may be in flight, 1 or more, not {at_most!r}")
        self._executor = executor
        self._at_most = at_most
        self._in_flight = 0
        self._waiting: deque[Deferred] = deque()  # each fires to be submitted
        self._asking: deque[Deferred] = deque()

    @property
    def in_flight(self) -> int:
        """How many calls the executor has now."""
        return self._in_flight

    @property
    def waiting(self) -> int:
        """How many calls wait here until the executor may have them."""
        return len(self._waiting)

    @property
    def has_room(self) -> bool:
        """Whether the next call would be submitted at once."""
        return self._in_flight < self._at_most and not self._waiting

    def defer(self, f: Callable[..., Any], *args: Any, **kwargs: Any) -> Deferred:
        """As :func:`defer_to_executor`, as soon as there is room. Cancelling a call that waits takes it away."""
        if self.has_room:
            return self._submit(None, f, args, kwargs)
        deferred = Deferred(self._waiting.remove)
        deferred.addCallback(self._submit, f, args, kwargs)
        self._waiting.append(deferred)
        return deferred

    def when_room(self) -> Deferred:
        """A Deferred that fires with None when there is room. Who asked first is told first; cancelling it is fine.

        A call that is made at once then is submitted at once. Where it is not made, the next one is told.
        """
        deferred = Deferred(self._asking.remove)
        self._asking.append(deferred)
        self._tell_of_room()
        return deferred

    def _submit(self, _: object, f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Deferred:
        try:
            future = self._executor.submit(f, *args, **kwargs)
        except Exception:
            return fail(Failure())
        self._in_flight += 1
        reactor = reactors.current()
        # Before the result is told: whoever gets that finds the room.
        future.add_done_callback(lambda future: reactor.callFromThread(self._done))
        return _result_of(future, reactor)

    def _done(self) -> None:
        self._in_flight -= 1
        while self._waiting and self._in_flight < self._at_most:
            self._waiting.popleft().callback(None)
        self._tell_of_room()

    def _tell_of_room(self) -> None:
        while self._asking and self.has_room:
            self._asking.popleft().callback(None)
