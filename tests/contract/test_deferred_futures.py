"""Semantics 18 and 86: functions, coroutines and asyncio's futures become Deferreds, and Deferreds become futures."""

import asyncio
from types import CoroutineType

import pytest

from torsion.defer import (
    CancelledError,
    Deferred,
    NotACoroutineError,
    ensureDeferred,
    execute,
    fail,
    maybeDeferred,
    succeed,
)
from torsion.failure import Failure


def outcomes(deferred):
    """A list that gets every result of `deferred`, failures as they are, and handles them."""
    got = []
    deferred.addBoth(got.append)
    return got


async def answers(value):
    return value


async def raises(error):
    raise error


def generator(value):
    return value
    yield


def test_s018_maybe_deferred_makes_a_value_a_fired_deferred():
    deferred = maybeDeferred(lambda *args, **kwargs: (args, kwargs), 1, key=2)
    assert outcomes(deferred) == [((1,), {"key": 2})]


def test_s018_maybe_deferred_makes_an_exception_a_failure():
    error = SystemExit(3)

    def function():
        raise error

    [failure] = outcomes(maybeDeferred(function))
    assert failure.value is error


def test_s018_maybe_deferred_hands_on_a_deferred():
    deferred = Deferred()
    assert maybeDeferred(lambda: deferred) is deferred


def test_s018_maybe_deferred_makes_a_returned_failure_an_errback():
    failure = Failure(ValueError())
    assert outcomes(maybeDeferred(lambda: failure)) == [failure]


def test_s018_maybe_deferred_drives_a_coroutine_and_leaves_a_generator():
    assert outcomes(maybeDeferred(answers, 5)) == [5]
    made = generator(5)
    assert outcomes(maybeDeferred(lambda: made)) == [made]


def test_s018_ensure_deferred_takes_a_deferred_a_coroutine_and_a_generator():
    deferred = Deferred()
    assert ensureDeferred(deferred) is deferred
    assert outcomes(ensureDeferred(answers(5))) == [5]
    assert outcomes(ensureDeferred(generator(6))) == [6]
    assert outcomes(Deferred.fromCoroutine(answers(7))) == [7]
    assert outcomes(Deferred.fromCoroutine(generator(8))) == [8]


@pytest.mark.parametrize("convert", [ensureDeferred, Deferred.fromCoroutine])
def test_s018_what_is_none_of_these_is_refused(convert):
    with pytest.raises(NotACoroutineError, match="3"):
        convert(3)
    assert issubclass(NotACoroutineError, TypeError)


def test_s018_a_coroutine_waits_for_the_deferreds_it_awaits():
    pending = Deferred()

    async def adds():
        return 1 + await pending

    got = outcomes(ensureDeferred(adds()))
    assert got == []
    pending.callback(2)
    assert got == [3]


def test_s018_execute_makes_whatever_happens_a_result():
    assert outcomes(execute(lambda value: value + 1, 2)) == [3]
    [failure] = outcomes(execute(lambda: 1 // 0))
    assert failure.type is ZeroDivisionError


def test_s018_as_future_passes_the_value_and_consumes_it():
    async def main():
        deferred = Deferred()
        future = deferred.asFuture(asyncio.get_running_loop())
        deferred.callback(3)
        assert await future == 3
        return outcomes(deferred)

    assert asyncio.run(main()) == [None]


def test_s018_as_future_passes_the_exception_itself():
    async def main():
        error = ValueError("reason")
        deferred = fail(error)
        future = deferred.asFuture(asyncio.get_running_loop())
        with pytest.raises(ValueError) as raised:
            await future
        assert raised.value is error
        return outcomes(deferred)

    assert asyncio.run(main()) == [None]


def test_s018_a_cancelled_future_cancels_the_deferred():
    async def main():
        asked = []
        deferred = Deferred(asked.append)
        future = deferred.asFuture(asyncio.get_running_loop())
        future.cancel()
        await asyncio.sleep(0)
        assert asked == [deferred]
        assert deferred.called

    asyncio.run(main())


def test_s018_from_future_passes_the_value_or_the_exception():
    async def main():
        loop = asyncio.get_running_loop()
        good, bad = loop.create_future(), loop.create_future()
        values, failures = outcomes(Deferred.fromFuture(good)), outcomes(Deferred.fromFuture(bad))
        error = ValueError()
        good.set_result(3)
        bad.set_exception(error)
        await asyncio.sleep(0)
        assert values == [3]
        assert failures[0].value is error

    asyncio.run(main())


def test_s018_cancelling_a_from_future_deferred_cancels_the_future_and_the_error_comes_a_turn_later():
    async def main():
        future = asyncio.get_running_loop().create_future()
        deferred = Deferred.fromFuture(future)
        got = outcomes(deferred)
        deferred.cancel()
        assert future.cancelled()
        assert got == []
        await asyncio.sleep(0)
        [failure] = got
        assert failure.type is asyncio.CancelledError
        assert failure.type is not CancelledError

    asyncio.run(main())


def test_s086_a_callback_that_returns_a_coroutine_passes_it_on_unawaited():
    [result] = outcomes(succeed(None).addCallback(answers))
    assert isinstance(result, CoroutineType)
    result.close()
