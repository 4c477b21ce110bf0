"""Semantics 16 and 17: DeferredList, gatherResults and race."""

import gc

import pytest

from torsion import report
from torsion.defer import (
    FAILURE,
    SUCCESS,
    CancelledError,
    Deferred,
    DeferredList,
    FailureGroup,
    FirstError,
    fail,
    gatherResults,
    race,
    succeed,
)
from torsion.failure import Failure


def outcomes(deferred):
    """A list that gets every result of `deferred`, failures as they are, and handles them."""
    got = []
    deferred.addBoth(got.append)
    return got


@pytest.fixture
def reports():
    """Every report of the test, as (text, failure)."""
    gc.collect()
    got = []
    report.set_sink(lambda level, text, failure, details: got.append((text, failure)))
    yield got
    report.set_sink(None)


def test_s016_a_list_fires_with_success_and_result_of_each_in_order():
    first, second, third = Deferred(), Deferred(), Deferred()
    got = outcomes(DeferredList([first, second, third], consumeErrors=True))
    failure = Failure(ValueError())
    third.callback("c")
    second.errback(failure)
    assert got == []
    first.callback("a")
    assert got == [[(SUCCESS, "a"), (FAILURE, failure), (SUCCESS, "c")]]
    assert (SUCCESS, FAILURE) == (True, False)


def test_s016_a_list_takes_any_iterable_and_fired_deferreds():
    assert outcomes(DeferredList(succeed(number) for number in range(3))) == [[(True, 0), (True, 1), (True, 2)]]


def test_s016_the_same_deferred_twice_is_asked_twice():
    deferred = Deferred()
    got = outcomes(DeferredList([deferred, deferred]))
    deferred.callback(5)
    assert got == [[(True, 5), (True, 5)]]


def test_s016_an_empty_list_fires_at_once_unless_it_waits_for_one_callback():
    assert outcomes(DeferredList([])) == [[]]
    assert outcomes(DeferredList([], fireOnOneErrback=True)) == [[]]
    assert outcomes(DeferredList([], fireOnOneCallback=True)) == []


def test_s016_fire_on_one_callback_gives_result_and_index():
    first, second = Deferred(), Deferred()
    got = outcomes(DeferredList([first, second], fireOnOneCallback=True))
    second.callback("b")
    first.callback("a")
    assert got == [("b", 1)]


def test_s016_fire_on_one_callback_with_failures_only_gives_the_list():
    failures = [Failure(ValueError()), Failure(KeyError())]
    deferreds = DeferredList([fail(each) for each in failures], fireOnOneCallback=True, consumeErrors=True)
    assert outcomes(deferreds) == [[(False, failures[0]), (False, failures[1])]]


def test_s016_fire_on_one_errback_gives_a_first_error_and_cancels_nobody():
    asked = []
    first, second = Deferred(asked.append), Deferred()
    got = outcomes(DeferredList([first, second], fireOnOneErrback=True, consumeErrors=True))
    failure = Failure(ValueError())
    second.errback(failure)
    [first_error] = got
    assert first_error.type is FirstError
    assert (first_error.value.subFailure, first_error.value.index) == (failure, 1)
    assert (asked, first.called) == ([], False)
    first.callback("late")
    assert len(got) == 1


def test_s016_an_inner_deferred_keeps_its_result():
    first, second = Deferred(), Deferred()
    DeferredList([first, second])
    failure = Failure(ValueError())
    first.callback("a")
    second.errback(failure)
    assert (outcomes(first), outcomes(second)) == (["a"], [failure])


def test_s016_consume_errors_leaves_none_instead_of_the_failure():
    first, second = Deferred(), Deferred()
    DeferredList([first, second], consumeErrors=True)
    first.callback("a")
    second.errback(ValueError())
    assert (outcomes(first), outcomes(second)) == (["a"], [None])


def test_s016_without_consume_errors_an_inner_failure_stays_unhandled_and_is_reported(reports):
    failure = Failure(ValueError("unheard"))
    got = outcomes(DeferredList([fail(failure)]))
    gc.collect()
    assert got == [[(False, failure)]]
    assert [each for _, each in reports] == [None, failure]


def test_s016_consumed_errors_are_not_reported(reports):
    outcomes(DeferredList([fail(ValueError())], consumeErrors=True))
    gc.collect()
    assert reports == []


def test_s016_cancel_cancels_every_inner_deferred_and_fires_through_their_results():
    first, second = Deferred(), Deferred(lambda deferred: deferred.callback("saved"))
    deferreds = DeferredList([first, second], consumeErrors=True)
    got = outcomes(deferreds)
    deferreds.cancel()
    [[(success, failure), saved]] = got
    assert (success, failure.type, saved) == (False, CancelledError, (True, "saved"))


def test_s016_cancel_reports_a_canceller_that_raises_and_goes_on(reports):
    error = RuntimeError("cannot")

    def canceller(deferred):
        raise error

    stubborn, other = Deferred(canceller), Deferred()
    deferreds = DeferredList([stubborn, other], consumeErrors=True)
    got = outcomes(deferreds)
    deferreds.cancel()
    assert [failure.value for _, failure in reports] == [error]
    assert other.called
    assert got == []
    stubborn.callback("after all")
    assert got[0][0] == (True, "after all")


def test_s016_cancel_after_firing_does_nothing():
    first, second = Deferred(), Deferred()
    deferreds = DeferredList([first, second], fireOnOneCallback=True)
    first.callback("a")
    deferreds.cancel()
    assert not second.called
    assert outcomes(deferreds) == [("a", 0)]


def test_s016_the_state_of_a_list_is_public():
    first = Deferred()
    deferreds = DeferredList([first, Deferred()], False, True, True)
    flags = (deferreds.fireOnOneCallback, deferreds.fireOnOneErrback, deferreds.consumeErrors)
    assert flags == (False, True, True)
    assert (deferreds.resultList, deferreds.finishedCount) == ([None, None], 0)
    first.callback("a")
    assert (deferreds.resultList, deferreds.finishedCount) == ([(True, "a"), None], 1)


def test_s016_a_list_can_be_subclassed():
    class Named(DeferredList):
        def __init__(self, name, deferreds):
            super().__init__(deferreds)
            self.name = name

    named = Named("together", [succeed(1)])
    assert named.name == "together"
    assert outcomes(named) == [[(True, 1)]]


def test_s016_a_first_error_shows_and_compares_failure_and_index():
    failure = Failure(ValueError("reason"))
    error = FirstError(failure, 3)
    assert repr(error) == f"FirstError[#3, {failure.value!r}]"
    assert str(error) == f"FirstError[#3, {failure}]"
    assert error == FirstError(failure, 3)
    assert error != FirstError(failure, 4)
    assert error != 3


def test_s017_gather_results_gives_the_values_in_order():
    first, second = Deferred(), Deferred()
    got = outcomes(gatherResults([first, second]))
    second.callback("b")
    first.callback("a")
    assert got == [["a", "b"]]
    assert outcomes(gatherResults([])) == [[]]


def test_s017_gather_results_fails_with_the_first_error():
    first, second = Deferred(), Deferred()
    got = outcomes(gatherResults([first, second], consumeErrors=True))
    failure = Failure(ValueError())
    second.errback(failure)
    assert got[0].type is FirstError
    assert (got[0].value.subFailure, got[0].value.index) == (failure, 1)
    assert outcomes(second) == [None]


def test_s017_gather_results_keeps_inner_failures_unless_told():
    failure = Failure(ValueError())
    inner = fail(failure)
    gatherResults([inner]).addErrback(lambda failure: None)
    assert outcomes(inner) == [failure]


def test_s017_cancelling_gathered_results_cancels_all_of_them():
    first, second = Deferred(), Deferred()
    gathered = gatherResults([first, second], consumeErrors=True)
    got = outcomes(gathered)
    gathered.cancel()
    assert first.called
    assert second.called
    assert got[0].value.subFailure.type is CancelledError


def test_s017_the_winner_of_a_race_is_told_after_the_losers_are_cancelled():
    order = []
    first, second, third = (Deferred(lambda deferred, name=name: order.append(name)) for name in "abc")
    race([first, second, third]).addCallback(order.append)
    second.callback("value")
    assert order == ["a", "c", (1, "value")]


def test_s017_a_race_consumes_all_of_its_deferreds():
    first, second = Deferred(), Deferred()
    outcomes(race([first, second]))
    second.callback("value")
    assert (outcomes(first), outcomes(second)) == ([None], [None])


def test_s017_one_that_runs_twice_is_not_its_own_loser():
    asked = []
    runner = Deferred(asked.append)
    got = outcomes(race([runner, runner]))
    runner.callback(succeed("a value, which cancel() would reach"))
    assert (asked, got[0][0]) == ([], 0)


def test_s017_a_canceller_that_raises_is_reported_and_the_winner_is_told(reports):
    def raises(deferred):
        raise RuntimeError("cannot")

    stubborn, winner = Deferred(raises), Deferred()
    got = outcomes(race([stubborn, winner]))
    winner.callback("value")
    assert got == [(1, "value")]
    assert [failure.type for _, failure in reports] == [RuntimeError]


def test_s017_a_late_result_of_a_loser_changes_nothing():
    first, second = Deferred(lambda deferred: deferred.callback("too late")), Deferred()
    got = outcomes(race([first, second]))
    second.callback("value")
    assert got == [(1, "value")]


def test_s017_a_failure_does_not_end_a_race():
    first, second = Deferred(), Deferred()
    got = outcomes(race([first, second]))
    first.errback(ValueError())
    assert (got, second.called) == ([], False)
    second.callback("value")
    assert got == [(1, "value")]


def test_s017_when_all_fail_the_failures_come_in_index_order():
    first, second = Deferred(), Deferred()
    got = outcomes(race([first, second]))
    failures = [Failure(ValueError()), Failure(KeyError())]
    second.errback(failures[1])
    first.errback(failures[0])
    assert got[0].type is FailureGroup
    assert got[0].value.failures == failures


def test_s017_an_empty_race_never_fires():
    assert outcomes(race([])) == []


def test_s017_cancelling_a_race_cancels_all_and_fails_with_their_failures():
    first, second = Deferred(), Deferred()
    racing = race([first, second])
    got = outcomes(racing)
    racing.cancel()
    assert got[0].type is FailureGroup
    assert [failure.type for failure in got[0].value.failures] == [CancelledError, CancelledError]


def test_s017_when_a_race_is_cancelled_a_canceller_that_yields_a_value_wins():
    first, second = Deferred(), Deferred(lambda deferred: deferred.callback("saved"))
    racing = race([first, second])
    got = outcomes(racing)
    racing.cancel()
    assert got == [(1, "saved")]


@pytest.mark.parametrize(
    "join", [lambda inner: DeferredList([inner]), lambda inner: race([inner])], ids=["list", "race"]
)
def test_s016_cancelling_a_circle_of_a_list_and_its_member_ends(join):
    """An errback of the member returns the list; cancel the list, then the member, then the list."""
    inner = Deferred()
    inner.addErrback(lambda failure: joined)
    joined = join(inner)
    joined.cancel()
    inner.cancel()
    joined.cancel()
    assert inner.called
    for each in (inner, joined):  # a race ends with CancelledError, as nobody won or lost
        each.addErrback(lambda failure: None)
