"""Operations on Deferreds, coroutines, locks and queues."""

from collections.abc import Coroutine, Generator
from typing import Any

from twisted.internet import defer
from twisted.python.failure import Failure
from world import ERRORS, MISUSE, Missing, World, in_a_circle, operation, plain

# One Deferred.


@operation
def new(world: World, canceller: list[Any] | None) -> None:
    d: defer.Deferred[Any]
    if canceller is None:
        d = defer.Deferred()
    else:
        d = defer.Deferred(world.callback("canceller", canceller))
    world.own(d)


@operation
def succeed(world: World, value: Any) -> None:
    result = world.value(value)
    if not isinstance(result, Failure):  # Twisted never reports it
        world.keep("deferred", defer.succeed(result))


@operation
def fail(world: World, error: str) -> None:
    world.keep("deferred", defer.fail(ERRORS[error]()))


@operation
def add(world: World, number: int, kind: str, body: list[Any], other: list[Any]) -> None:
    d = world.pick("deferred", number)
    first = world.callback("callback", body)
    second = world.callback("errback", other)
    if kind == "callback":
        d.addCallback(first)
    elif kind == "errback":
        d.addErrback(second)
    elif kind == "both":
        d.addBoth(first)
    else:
        d.addCallbacks(first, second)


@operation
def fire(world: World, number: int, value: Any) -> None:
    world.pick_own(number).callback(world.value(value))


@operation
def err(world: World, number: int, error: str | None) -> None:
    world.pick_own(number).errback(ERRORS[error]() if error else None)


@operation
def cancel(world: World, number: int) -> None:
    d = world.pick("deferred", number)
    if not in_a_circle(d):
        d.cancel()


@operation
def pause(world: World, number: int) -> None:
    world.pick_own(number).pause()


@operation
def unpause(world: World, number: int) -> None:
    world.pick_own(number).unpause()


@operation
def chain(world: World, number: int, other: int) -> None:
    world.pick("deferred", number).chainDeferred(world.pick_own(other))


@operation
def drop(world: World, number: int) -> None:
    things = world.things.get("deferred")
    if things:
        things[number % len(things)] = None


@operation
def look(world: World, number: int) -> Any:
    d = world.pick("deferred", number)
    return [plain(repr(d)).partition(" current")[0], bool(d.called), d.paused, getattr(d, "result", "no result")]


@operation
def trap(world: World, number: int, names: list[str], text: bool) -> None:
    """An errback that traps."""
    types: list[Any] = [type(ERRORS[name]()) for name in names]
    wanted = [f"{each.__module__}.{each.__qualname__}" if text else each for each in types]

    def errback(failure: Any) -> Any:
        world.log("check", getattr(failure.check(*wanted), "__name__", None) if not text else failure.check(*wanted))
        if not failure.check(*MISUSE):
            world.log("texts", plain(failure.getErrorMessage()), plain(failure), plain(repr(failure)))
            world.log("brief", plain(failure.getBriefTraceback()).splitlines()[-1])
        return failure.trap(*wanted) and "trapped"

    world.pick("deferred", number).addErrback(errback)


# Several.


def _several(world: World, numbers: list[int]) -> list[Any]:
    found = []
    for number in numbers:
        d = world.pick("deferred", number)
        if d not in found:
            found.append(d)
    return found


@operation
def deferred_list(world: World, numbers: list[int], on_one: bool, on_error: bool, consume: bool) -> None:
    several = _several(world, numbers)
    world.keep("deferred", defer.DeferredList(several, on_one, on_error, consume))


@operation
def gather(world: World, numbers: list[int], consume: bool) -> None:
    world.keep("deferred", defer.gatherResults(_several(world, numbers), consumeErrors=consume))


@operation
def race(world: World, numbers: list[int]) -> None:
    several = _several(world, numbers)
    if any(map(in_a_circle, several)):
        raise Missing("deferred")
    world.cancels = True
    world.keep("deferred", defer.race(several))


# Functions, generators and coroutines.


@operation
def maybe(world: World, body: list[Any]) -> None:
    world.keep("deferred", defer.maybeDeferred(world.callback("maybe", body)))


@operation
def execute(world: World, body: list[Any]) -> None:
    function = world.callback("execute", body)

    def executed() -> Any:
        result = function()
        return None if isinstance(result, Failure) else result  # as in succeed

    world.keep("deferred", defer.execute(executed))


def _steps(world: World, steps: list[Any]) -> Generator[Any, Any, Any]:
    for how, what, caught in steps:
        if how == "do":
            world.run(what)
            continue
        try:
            awaited = _awaited(world, how, what)
        except Missing:
            continue
        try:
            got = yield awaited
            world.log("got", got)
        except BaseException as error:
            if isinstance(error, GeneratorExit) and world.left < 0:
                raise
            world.log("thrown", error)
            if not caught:
                raise
        del awaited


def _awaited(world: World, how: str, what: Any) -> Any:
    if how == "inline":
        return _inline(world, what)
    if how == "ensured":
        return defer.ensureDeferred(_coroutine(world, what))
    if how == "coroutine":
        return _coroutine(world, what)
    return world.value(what)


def _ended(world: World, ending: list[Any]) -> Any:
    try:
        return world.body([[], ending])
    except Missing:
        return None


@defer.inlineCallbacks
def _inline(world: World, body: list[Any]) -> Generator[Any, Any, Any]:
    yield from _steps(world, body[0])
    return _ended(world, body[1])


async def _coroutine(world: World, body: list[Any]) -> Any:
    for how, what, caught in body[0]:
        if how == "do":
            world.run(what)
            continue
        try:
            awaited = _awaited(world, how, what)
        except Missing:
            continue
        if not isinstance(awaited, defer.Deferred | Coroutine):
            continue
        try:
            world.log("got", await awaited)
        except BaseException as error:
            if isinstance(error, GeneratorExit) and world.left < 0:
                raise
            world.log("thrown", error)
            if not caught:
                raise
        del awaited
    return _ended(world, body[1])


@operation
def inline(world: World, body: list[Any]) -> None:
    world.keep("deferred", _inline(world, body))


@operation
def coroutine(world: World, body: list[Any], how: str) -> None:
    made = _coroutine(world, body)
    if how == "ensure":
        d = defer.ensureDeferred(made)
    elif how == "from":
        d = defer.Deferred.fromCoroutine(made)
    else:
        d = defer.maybeDeferred(lambda: made)
    world.keep("deferred", d)


# Locks, semaphores, queues.


@operation
def lock(world: World, tokens: int) -> None:
    world.keep("lock", defer.DeferredSemaphore(tokens) if tokens > 1 else defer.DeferredLock())


@operation
def acquire(world: World, number: int) -> None:
    world.keep("deferred", world.pick("lock", number).acquire())


@operation
def release(world: World, number: int) -> None:
    world.pick("lock", number).release()


@operation
def locked(world: World, number: int, body: list[Any]) -> None:
    world.keep("deferred", world.pick("lock", number).run(world.callback("locked", body)))


@operation
def lock_state(world: World, number: int) -> Any:
    it = world.pick("lock", number)
    return [getattr(it, "locked", None), getattr(it, "tokens", None), len(it.waiting)]


@operation
def queue(world: World, size: int | None, backlog: int | None) -> None:
    world.keep("queue", defer.DeferredQueue(size, backlog))


@operation
def put(world: World, number: int, value: Any) -> None:
    world.pick("queue", number).put(world.value(value))


@operation
def get(world: World, number: int) -> None:
    world.keep("deferred", world.pick("queue", number).get())


@operation
def queue_state(world: World, number: int) -> Any:
    it = world.pick("queue", number)
    return [len(it.pending), len(it.waiting)]
