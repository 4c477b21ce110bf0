"""Semantics 9 to 11 and 15: who is told when nobody wants the result any more, and what a time limit is."""

import builtins
import weakref

import pytest

from torsion.defer import AlreadyCalledError, CancelledError, Deferred, TimeoutError, succeed, timeout
from torsion.failure import Failure
from torsion.task import Clock


def outcomes(deferred):
    """A list that gets every result of `deferred`, failures as they are, and handles them."""
    got = []
    deferred.addBoth(got.append)
    return got


def kinds(failures):
    return [failure.type for failure in failures]


def test_s009_cancel_without_a_canceller_fails_with_cancelled_error():
    deferred = Deferred()
    deferred.cancel()
    assert deferred.called
    assert kinds(outcomes(deferred)) == [CancelledError]


@pytest.mark.parametrize("late", [lambda d: d.callback(1), lambda d: d.errback(ValueError())])
def test_s009_exactly_one_later_result_is_swallowed(late):
    deferred = Deferred()
    deferred.cancel()
    got = outcomes(deferred)
    late(deferred)
    assert kinds(got) == [CancelledError]
    with pytest.raises(AlreadyCalledError):
        late(deferred)


def test_s009_cancelling_twice_swallows_no_more():
    deferred = Deferred()
    deferred.cancel()
    deferred.cancel()
    assert kinds(outcomes(deferred)) == [CancelledError]
    deferred.callback(1)
    with pytest.raises(AlreadyCalledError):
        deferred.callback(2)


def test_s010_a_canceller_gets_the_deferred_and_cancelled_error_follows():
    asked = []
    deferred = Deferred(asked.append)
    deferred.cancel()
    assert asked == [deferred]
    assert kinds(outcomes(deferred)) == [CancelledError]


def test_s010_with_a_canceller_a_later_result_is_an_error_at_once():
    deferred = Deferred(lambda deferred: None)
    deferred.cancel()
    outcomes(deferred)
    with pytest.raises(AlreadyCalledError):
        deferred.callback(1)


def test_s010_what_the_canceller_fires_stands():
    deferred = Deferred(lambda deferred: deferred.callback("instead"))
    deferred.cancel()
    assert outcomes(deferred) == ["instead"]
    failing = Deferred(lambda deferred: deferred.errback(ValueError()))
    failing.cancel()
    assert kinds(outcomes(failing)) == [ValueError]


def test_s010_an_error_of_the_canceller_leaves_cancel_and_nothing_has_fired():
    def canceller(deferred):
        raise RuntimeError("cannot")

    deferred = Deferred(canceller)
    with pytest.raises(RuntimeError, match="cannot"):
        deferred.cancel()
    assert not deferred.called
    deferred.callback(1)
    assert outcomes(deferred) == [1]


def test_s011_cancel_is_forwarded_to_the_deferred_waited_for():
    inner = Deferred()
    outer = succeed(None).addCallback(lambda value: inner)
    got = outcomes(outer)
    outer.cancel()
    assert kinds(got) == [CancelledError]
    assert inner.called


def test_s011_cancel_is_forwarded_through_every_link():
    asked = []
    innermost = Deferred(asked.append)
    middle = succeed(None).addCallback(lambda value: innermost)
    outer = succeed(None).addCallback(lambda value: middle)
    got = outcomes(outer)
    outer.cancel()
    assert asked == [innermost]
    assert kinds(got) == [CancelledError]


def test_s011_cancel_of_a_finished_deferred_does_nothing():
    asked = []
    deferred = Deferred(asked.append)
    deferred.callback(1)
    deferred.cancel()
    assert (asked, outcomes(deferred)) == ([], [1])


def test_s011_cancel_is_forwarded_whenever_the_current_result_is_a_deferred():
    inner, deferred = Deferred(), Deferred()
    deferred.callback(inner)
    deferred.cancel()
    assert kinds(outcomes(inner)) == [CancelledError]


def test_s011_the_canceller_is_let_go_when_the_deferred_fires():
    class Canceller:
        def __call__(self, deferred):
            raise AssertionError("must not be asked")

    canceller = Canceller()
    alive = weakref.ref(canceller)
    deferred = Deferred(canceller)
    del canceller
    assert alive() is not None
    deferred.callback(None)
    assert alive() is None


def test_s015_on_expiry_the_deferred_is_cancelled_and_fails_with_timeout_error():
    clock, asked = Clock(), []
    deferred = Deferred(asked.append)
    assert deferred.addTimeout(10, clock) is deferred
    got = outcomes(deferred)
    clock.advance(9.9)
    assert (asked, got) == ([], [])
    clock.advance(0.2)
    [failure] = got
    assert asked == [deferred]
    assert failure.type is TimeoutError
    assert failure.value.args == (10, "Deferred")
    assert not issubclass(TimeoutError, builtins.TimeoutError)


def test_s015_errbacks_added_before_see_cancelled_error_and_later_ones_timeout_error():
    clock, seen = Clock(), []
    deferred = Deferred()
    deferred.addErrback(lambda failure: seen.append(failure.type) or failure)
    deferred.addTimeout(1, clock)
    deferred.addErrback(lambda failure: seen.append(failure.type))
    clock.advance(1)
    assert seen == [CancelledError, TimeoutError]


@pytest.mark.parametrize("fire", [lambda d: d.callback("value"), lambda d: d.errback(ValueError())])
def test_s015_any_result_stops_the_clock(fire):
    clock = Clock()
    deferred = Deferred()
    deferred.addTimeout(10, clock)
    got = outcomes(deferred)
    fire(deferred)
    assert clock.getDelayedCalls() == []
    clock.advance(20)
    assert len(got) == 1


def test_s015_an_errback_before_the_limit_passes_through_unchanged():
    clock, failure = Clock(), Failure(ValueError())
    deferred = Deferred()
    deferred.addTimeout(10, clock)
    deferred.errback(failure)
    assert outcomes(deferred) == [failure]


def test_s015_a_manual_cancel_stays_cancelled_error():
    clock = Clock()
    deferred = Deferred()
    deferred.addTimeout(10, clock)
    deferred.cancel()
    assert kinds(outcomes(deferred)) == [CancelledError]
    assert clock.getDelayedCalls() == []


def test_s015_only_cancelled_error_becomes_timeout_error():
    clock = Clock()
    deferred = Deferred(lambda deferred: deferred.errback(KeyError("mine")))
    deferred.addTimeout(1, clock)
    clock.advance(1)
    assert kinds(outcomes(deferred)) == [KeyError]


def test_s015_on_timeout_cancel_gets_the_result_and_the_limit_and_its_answer_goes_on():
    clock, seen = Clock(), []

    def on_timeout_cancel(result, timeout):
        seen.append((result.type, timeout))
        return "instead"

    deferred = Deferred()
    deferred.addTimeout(3, clock, onTimeoutCancel=on_timeout_cancel)
    clock.advance(3)
    assert seen == [(CancelledError, 3)]
    assert outcomes(deferred) == ["instead"]


def test_s015_on_timeout_cancel_is_called_with_a_success_too():
    clock, seen = Clock(), []
    deferred = Deferred(lambda deferred: deferred.callback("saved"))
    deferred.addTimeout(3, clock, lambda result, timeout: seen.append((result, timeout)))
    clock.advance(3)
    assert seen == [("saved", 3)]


def test_s015_on_timeout_cancel_is_not_called_when_the_result_came_in_time():
    clock, seen = Clock(), []
    deferred = Deferred()
    deferred.addTimeout(3, clock, lambda *args: seen.append(args))
    deferred.callback("in time")
    clock.advance(3)
    assert (seen, outcomes(deferred)) == ([], ["in time"])


def test_s015_the_limit_reaches_the_deferred_that_is_waited_for():
    clock = Clock()
    inner = Deferred()
    outer = succeed(None).addCallback(lambda value: inner)
    outer.addTimeout(1, clock)
    clock.advance(1)
    assert inner.called
    assert kinds(outcomes(outer)) == [TimeoutError]


def test_s015_the_function_timeout_is_deprecated_and_fails_the_deferred():
    deferred = Deferred()
    with pytest.warns(DeprecationWarning, match="addTimeout") as caught:
        timeout(deferred)
    assert caught[0].filename == __file__
    [failure] = outcomes(deferred)
    assert failure.type is TimeoutError
    assert failure.value.args == ("Callback timed out",)
