"""Semantics 20, 22 to 24 and 86: what drives generators and coroutines, and how they are cancelled."""

import gc
import traceback

import pytest

from torsion.defer import CancelledError, Deferred, ensureDeferred, fail, inlineCallbacks, succeed
from torsion.failure import Failure


def outcomes(deferred):
    """A list that gets every result of `deferred`, failures as they are, and handles them."""
    got = []
    deferred.addBoth(got.append)
    return got


@inlineCallbacks
def yields(*deferreds):
    """The list of what yielding each of `deferreds` gives."""
    results = []
    for deferred in deferreds:
        results += [(yield deferred)]
    return results


async def awaits(*deferreds):
    return [await deferred for deferred in deferreds]


both = pytest.mark.parametrize(
    "start", [yields, lambda *deferreds: ensureDeferred(awaits(*deferreds))], ids=["generator", "coroutine"]
)


@both
def test_s020_it_runs_synchronously_to_the_first_unfired_deferred(start):
    pending = Deferred()
    touched = []
    first = succeed(None).addCallback(lambda value: "first")
    pending.addCallback(touched.append)
    deferred = start(first, pending, succeed("third"))
    assert not deferred.called
    pending.callback("second")
    assert touched == ["second"]
    assert outcomes(deferred) == [["first", None, "third"]]


@both
def test_s020_it_does_not_start_anything_it_need_not_wait_for(start):
    assert outcomes(start()) == [[]]
    assert outcomes(start(succeed(1), succeed(2))) == [[1, 2]]


@both
def test_s020_fired_deferreds_are_looped_over_without_recursion(start):
    many = range(5000)
    assert outcomes(start(*map(succeed, many))) == [list(many)]


def test_s020_deferreds_that_fire_one_after_the_other_do_not_nest():
    depths = []

    @inlineCallbacks
    def waits_for(deferreds):
        for deferred in deferreds:
            yield deferred
            depths.append(len(traceback.extract_stack()))

    pending = [Deferred() for _ in range(100)]
    waits_for(pending)
    for deferred in pending:
        deferred.callback(None)
    assert len(set(depths)) == 1


@both
def test_s020_a_failure_is_thrown_in_where_it_waits(start):
    error = ValueError("reason")
    pending = Deferred()
    got = outcomes(start(pending))
    pending.errback(error)
    assert got[0].value is error


def test_s020_a_failure_can_be_caught_and_what_follows_is_the_result():
    @inlineCallbacks
    def catches(deferred):
        try:
            yield deferred
        except ValueError as error:
            return f"caught {error}"

    assert outcomes(catches(fail(ValueError("now")))) == ["caught now"]
    pending = Deferred()
    got = outcomes(catches(pending))
    pending.errback(ValueError("later"))
    assert got == ["caught later"]


def test_s020_an_exception_of_the_generator_is_the_failure():
    @inlineCallbacks
    def raises():
        yield
        raise SystemExit(3)

    assert outcomes(raises())[0].type is SystemExit


def test_s022_yielding_consumes_the_result():
    fired = succeed(5)
    assert outcomes(yields(fired, fired)) == [[5, None]]
    assert fired.result is None


def test_s022_awaiting_a_fired_deferred_leaves_its_result():
    fired = succeed(5)
    assert outcomes(ensureDeferred(awaits(fired, fired))) == [[5, 5]]
    assert fired.result == 5


def test_s022_awaiting_a_pending_deferred_consumes_its_result_once_the_step_ends():
    pending = Deferred()
    first = outcomes(ensureDeferred(awaits(pending, pending)))
    second = outcomes(ensureDeferred(awaits(pending)))
    pending.callback(5)
    assert (first, second) == ([[5, 5]], [[None]])
    assert pending.result is None


def test_s022_awaiting_a_pending_deferred_consumes_its_result_once_the_coroutine_suspends():
    pending, other = Deferred(), Deferred()
    got = outcomes(ensureDeferred(awaits(pending, pending, other, pending)))
    pending.callback(5)
    assert pending.result is None
    other.callback(6)
    assert got == [[5, 5, 6, None]]


def test_s022_yielding_what_is_not_a_deferred_returns_it_at_once():
    values = [5, None, "text", [1]]
    assert outcomes(yields(*values)) == [values]


def test_s022_an_awaited_failure_counts_as_handled_but_stays():
    failure = Failure(ValueError())
    fired = fail(failure)

    async def catches():
        try:
            await fired
        except ValueError as error:
            return error

    assert outcomes(ensureDeferred(catches())) == [failure.value]
    assert fired.result is failure
    assert outcomes(fired) == [failure]


def awaits_again(first, second):
    async def coroutine():
        try:
            await first
        except CancelledError:
            return "caught" if second is None else await second

    return ensureDeferred(coroutine())


@inlineCallbacks
def yields_again(first, second):
    try:
        yield first
    except CancelledError:
        return "caught" if second is None else (yield second)


again = pytest.mark.parametrize("start", [yields_again, awaits_again], ids=["generator", "coroutine"])


@both
def test_s023_cancel_cancels_what_is_waited_for(start):
    asked = []
    pending = Deferred(asked.append)
    deferred = start(pending)
    deferred.cancel()
    assert asked == [pending]
    assert outcomes(deferred)[0].type is CancelledError


@again
def test_s023_catching_the_cancellation_and_returning_is_a_success(start):
    deferred = start(Deferred(), None)
    deferred.cancel()
    assert outcomes(deferred) == ["caught"]


@both
def test_s023_a_canceller_that_yields_a_value_lets_it_go_on(start):
    deferred = start(Deferred(lambda deferred: deferred.callback("saved")))
    deferred.cancel()
    assert outcomes(deferred) == [["saved"]]


@again
def test_s023_waiting_for_something_new_leaves_a_deferred_that_forwards_later_cancels(start):
    second = Deferred()
    deferred = start(Deferred(), second)
    deferred.cancel()
    assert deferred.called
    assert isinstance(deferred.result, Deferred)
    assert not second.called
    deferred.cancel()
    assert second.called
    assert outcomes(deferred)[0].type is CancelledError


@again
def test_s024_callbacks_added_before_cancelling_see_the_final_result(start):
    second = Deferred()
    deferred = start(Deferred(), second)
    got = outcomes(deferred)
    deferred.cancel()
    assert got == []
    second.callback("final")
    assert got == ["final"]


@again
def test_s024_without_a_new_wait_they_see_it_at_once(start):
    deferred = start(Deferred(), None)
    got = outcomes(deferred)
    deferred.cancel()
    assert got == ["caught"]


def test_s086_returning_a_failure_is_an_errback():
    failure = Failure(ValueError())

    @inlineCallbacks
    def returns(value):
        yield
        return value

    async def coroutine(value):
        return value

    assert outcomes(returns(failure)) == [failure]
    assert outcomes(ensureDeferred(coroutine(failure))) == [failure]


def test_s086_returning_a_deferred_delivers_it_unchained():
    inner = Deferred()

    @inlineCallbacks
    def returns(value):
        yield
        return value

    async def coroutine(value):
        return value

    for deferred in (returns(inner), ensureDeferred(coroutine(inner))):
        got = []
        deferred.addCallback(got.append)
        assert got == [inner]


@pytest.mark.parametrize("kind", ["generator", "coroutine"])
def test_s086_an_abandoned_one_gets_its_finally_run_when_collected(kind):
    seen = []

    @inlineCallbacks
    def generator():
        try:
            yield Deferred()
        finally:
            seen.append("finally")

    async def coroutine():
        try:
            await Deferred()
        finally:
            seen.append("finally")

    if kind == "generator":
        generator()
    else:
        ensureDeferred(coroutine())
    gc.collect()
    assert seen == ["finally"]


@pytest.mark.parametrize("fired", [True, False])
def test_s022_a_yielded_deferred_is_listened_to_through_its_own_add_both(fired):
    added = []

    class Listened(Deferred):
        def addBoth(self, *args, **kwargs):
            added.append(self)
            return super().addBoth(*args, **kwargs)

    @inlineCallbacks
    def waits(deferred):
        return (yield deferred)

    listened = Listened()
    if fired:
        listened.callback(5)
    got = outcomes(waits(listened))
    if not fired:
        listened.callback(5)
    assert (added, got) == ([listened], [5])
