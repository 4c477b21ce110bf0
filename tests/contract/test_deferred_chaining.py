"""Semantics 1 to 8, 12, 14 and 84: in which order callbacks run, what becomes a result, and what waits for what."""

import threading
import traceback
import warnings
import weakref
from itertools import pairwise

import pytest

from torsion.defer import AlreadyCalledError, CancelledError, Deferred, fail, passthru, succeed
from torsion.failure import Failure, NoCurrentExceptionError


def outcomes(deferred):
    """A list that gets every result of `deferred`, failures as they are, and handles them."""
    got = []
    deferred.addBoth(got.append)
    return got


def test_s001_callbacks_run_at_once_and_in_order_when_the_deferred_fires():
    deferred = Deferred()
    got = []
    deferred.addCallback(lambda value: got.append(value) or "second")
    deferred.addCallback(got.append)
    assert got == []
    deferred.callback("first")
    assert got == ["first", "second"]


def test_s001_a_callback_added_after_firing_runs_inside_the_add():
    got = []
    succeed(5).addCallback(got.append)
    assert got == [5]


def test_s001_callbacks_added_inside_a_callback_run_after_it_at_the_end_of_the_queue():
    deferred = Deferred()
    order = []

    def adds(value):
        order.append("enter")
        deferred.addCallback(lambda value: order.append("added"))
        order.append("leave")

    deferred.addCallback(adds)
    deferred.addCallback(lambda value: order.append("queued before"))
    deferred.callback(None)
    assert order == ["enter", "leave", "queued before", "added"]


def test_s001_nothing_runs_while_paused():
    deferred = Deferred()
    deferred.pause()
    deferred.callback(1)
    got = outcomes(deferred)
    assert got == []
    deferred.unpause()
    assert got == [1]


def test_s001_arguments_are_passed_on_to_the_callback_that_runs():
    deferred = Deferred()
    got = []
    deferred.addCallbacks(
        lambda *args, **kwargs: got.append((args, kwargs)), passthru, (1, 2), {"key": 3}, (4,), {"other": 5}
    )
    deferred.callback(0)
    assert got == [((0, 1, 2), {"key": 3})]

    def error(failure, *args, **kwargs):
        got.append((args, kwargs))

    fail(ValueError()).addCallbacks(passthru, error, (1, 2), {"key": 3}, (4,), {"other": 5})
    assert got[1:] == [((4,), {"other": 5})]
    succeed(0).addBoth(lambda *args, **kwargs: got.append((args, kwargs)), 6, key=7)
    assert got[2:] == [((0, 6), {"key": 7})]
    succeed(0).addCallback(lambda *args, **kwargs: got.append((args, kwargs)), 8, key=9)
    assert got[3:] == [((0, 8), {"key": 9})]
    fail(ValueError()).addErrback(lambda _, *args, **kwargs: got.append((args, kwargs)), 8, key=9)
    assert got[4:] == [((8,), {"key": 9})]


@pytest.mark.parametrize("alone", ["callbackArgs", "callbackKeywords", "errbackArgs", "errbackKeywords"])
def test_s001_each_of_the_arguments_may_be_given_alone(alone):
    got = []

    def note(result, *args, **kwargs):
        got.append((args, kwargs))

    deferred = fail(ValueError()) if alone.startswith("errback") else succeed(None)
    deferred.addCallbacks(note, note, **{alone: (1,) if alone.endswith("Args") else {"key": 2}})
    assert got == [((1,), {}) if alone.endswith("Args") else ((), {"key": 2})]


def test_s001_what_has_had_its_turn_is_let_go_while_the_result_is_waited_for():
    class Callable:
        def __call__(self, result, *args):
            return awaited

    awaited = Deferred()
    callback, errback, argument = Callable(), Callable(), Callable()
    held = [weakref.ref(each) for each in (callback, errback, argument)]
    outer = Deferred().addCallbacks(callback, errback, (argument,)).addCallback(passthru)
    del callback, errback, argument
    outer.callback(None)
    assert [each() for each in held] == [None] * 3
    awaited.callback("value")
    assert outer.result == "value"


def test_s001_adding_returns_the_deferred_itself():
    deferred = Deferred()
    assert deferred.addCallbacks(passthru, passthru) is deferred
    assert deferred.addCallback(passthru) is deferred
    assert deferred.addErrback(passthru) is deferred
    assert deferred.addBoth(passthru) is deferred


@pytest.mark.parametrize("kind", [ValueError, SystemExit, KeyboardInterrupt, GeneratorExit])
def test_s002_any_exception_of_a_callback_becomes_a_failure(kind):
    error = kind("reason")

    def raises(value):
        raise error

    [failure] = outcomes(succeed(None).addCallback(raises))
    assert isinstance(failure, Failure)
    assert failure.value is error
    assert failure.type is kind


def test_s002_an_exception_of_an_errback_replaces_the_failure():
    def raises(failure):
        raise KeyError("later")

    [failure] = outcomes(fail(ValueError("first")).addErrback(raises))
    assert failure.type is KeyError


def test_s002_an_errback_that_returns_goes_on_with_the_callbacks():
    assert outcomes(fail(ValueError()).addErrback(lambda failure: "mended")) == ["mended"]


def test_s002_a_returned_failure_goes_on_with_the_errbacks():
    passed = []
    failure = Failure(ValueError())
    deferred = succeed(None).addCallback(lambda value: failure)
    deferred.addCallback(passed.append)
    assert outcomes(deferred) == [failure]
    assert passed == []


def test_s003_a_returned_deferred_pauses_the_outer_one_until_it_fires():
    inner, outer = Deferred(), Deferred()
    outer.addCallback(lambda value: inner)
    got = outcomes(outer)
    outer.callback("lost")
    assert got == []
    assert outer.paused
    assert outer.result is inner
    assert outer._chainedTo is inner
    inner.callback("value")
    assert got == ["value"]
    assert not outer.paused
    assert outer._chainedTo is None


def test_s003_the_value_moves_out_of_the_inner_deferred():
    inner = Deferred()
    outer = succeed(None).addCallback(lambda value: inner)
    inner.callback("value")
    assert inner.result is None
    assert outer.result == "value"
    assert outcomes(inner) == [None]


def test_s003_the_failure_of_the_inner_deferred_counts_as_handled():
    inner = Deferred()
    outer = succeed(None).addCallback(lambda value: inner)
    failure = Failure(ValueError())
    inner.errback(failure)
    assert inner.result is None
    assert outcomes(outer) == [failure]


def test_s003_callbacks_of_the_inner_deferred_added_before_run_first_and_their_value_moves():
    inner = Deferred()
    inner.addCallback(lambda value: value * 2)
    outer = succeed(None).addCallback(lambda value: inner)
    inner.addCallback(lambda value: f"behind the continuation: {value}")
    inner.callback(21)
    assert outer.result == 42
    assert inner.result == "behind the continuation: None"


def test_s003_two_outer_deferreds_on_one_inner_get_the_value_and_none():
    inner = Deferred()
    first = succeed(None).addCallback(lambda value: inner)
    second = succeed(None).addCallback(lambda value: inner)
    inner.callback("value")
    assert (first.result, second.result) == ("value", None)


def test_s004_a_fired_inner_deferred_is_taken_at_once():
    inner = succeed("value")
    order = []
    outer = Deferred()
    outer.addCallback(lambda value: inner)
    outer.addCallback(lambda value: order.append((value, outer.paused)))
    outer.callback(None)
    assert order == [("value", 0)]
    assert inner.result is None


def test_s004_a_fired_but_paused_inner_deferred_is_waited_for():
    inner = succeed("value")
    inner.pause()
    got = outcomes(succeed(None).addCallback(lambda value: inner))
    assert got == []
    inner.unpause()
    assert got == ["value"]


def test_s004_a_fired_inner_deferred_that_itself_waits_is_waited_for():
    innermost = Deferred()
    inner = succeed(None).addCallback(lambda value: innermost)
    got = outcomes(succeed(None).addCallback(lambda value: inner))
    assert got == []
    innermost.callback("value")
    assert got == ["value"]


def chain_depth(links):
    """The stack's depth in the last callback of a chain of `links` Deferreds, each waiting for the next."""
    depths = []
    innermost = Deferred()
    waiting = innermost
    for _ in range(links):
        waiting = succeed(None).addCallback(lambda value, inner=waiting: inner)
    waiting.addCallback(lambda value: depths.append(len(traceback.extract_stack())))
    innermost.callback("value")
    [depth] = depths
    return depth


def test_s005_the_stack_does_not_grow_with_the_chain():
    assert chain_depth(2) == chain_depth(2000)


def test_s006_returning_the_deferred_itself_warns_at_the_callback_and_stalls():
    deferred = Deferred()

    def returns_its_own(value):
        return deferred

    deferred.addCallback(returns_its_own)
    later = outcomes(deferred)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        deferred.callback(None)
    [warning] = caught
    assert warning.category is DeprecationWarning
    assert warning.filename == __file__
    first_line = returns_its_own.__code__.co_firstlineno
    assert first_line <= warning.lineno <= first_line + 1
    assert later == []


def test_s007_a_deferred_given_to_callback_is_a_value():
    value, deferred = Deferred(), Deferred()
    deferred.callback(value)
    got = []
    deferred.addCallback(lambda result: got.append(result))
    assert got == [value]


def test_s007_a_deferred_given_to_callback_chains_when_a_pass_through_hands_it_on():
    inner, deferred = Deferred(), Deferred()
    deferred.addErrback(lambda failure: "not called")
    got = outcomes(deferred)
    deferred.callback(inner)
    assert got == []
    inner.callback("value")
    assert got == ["value"]


def test_s007_a_failure_given_to_callback_is_an_errback():
    failure, deferred = Failure(ValueError()), Deferred()
    passed = []
    deferred.addCallback(passed.append)
    got = outcomes(deferred)
    deferred.callback(failure)
    assert (passed, got) == ([], [failure])


def test_s007_cancel_on_a_deferred_fired_with_a_deferred_cancels_that():
    inner, deferred = Deferred(), Deferred()
    deferred.callback(inner)
    deferred.cancel()
    [failure] = outcomes(inner)
    assert failure.type is CancelledError


@pytest.mark.parametrize("second", ["callback", "errback"])
def test_s008_firing_twice_is_an_error(second):
    deferred = Deferred()
    deferred.callback(1)
    with pytest.raises(AlreadyCalledError):
        getattr(deferred, second)(ValueError())
    assert deferred.result == 1


def test_s012_pause_is_a_counter():
    deferred = succeed(1)
    deferred.pause()
    deferred.pause()
    got = outcomes(deferred)
    deferred.unpause()
    assert (got, deferred.paused) == ([], 1)
    deferred.unpause()
    assert (got, deferred.paused) == ([1], 0)


def test_s012_pause_in_a_callback_counts_from_the_next_pass_on():
    deferred = Deferred()
    got = []
    deferred.addCallback(lambda value: deferred.pause())
    deferred.addCallback(lambda value: got.append("already waiting"))
    deferred.callback(1)
    assert got == ["already waiting"]
    deferred.addCallback(lambda value: got.append("added while paused"))
    assert got == ["already waiting"]
    deferred.unpause()
    assert got == ["already waiting", "added while paused"]


def test_s012_unpause_below_zero_stops_callbacks_too():
    deferred = succeed(1)
    deferred.unpause()
    assert deferred.paused == -1
    got = outcomes(deferred)
    assert got == []
    deferred.pause()
    assert (deferred.paused, got) == (0, [])
    deferred.addCallback(lambda value: None)
    assert got == [1]


def test_s012_errback_without_an_argument_takes_the_current_exception():
    deferred = Deferred()
    try:
        raise ValueError("current")
    except ValueError as error:
        deferred.errback()
        [failure] = outcomes(deferred)
        assert failure.value is error


def test_s012_errback_without_a_current_exception_raises():
    with pytest.raises(NoCurrentExceptionError):
        Deferred().errback()
    with pytest.raises(NoCurrentExceptionError):
        fail()


def test_s012_errback_takes_an_exception_or_a_failure():
    error = ValueError()
    assert outcomes(fail(error))[0].value is error
    failure = Failure(error)
    assert outcomes(fail(failure)) == [failure]


def test_s012_errback_with_something_else_makes_a_failure_of_its_class():
    [failure] = outcomes(fail("text"))
    assert failure.type is str
    assert failure.value == "text"
    with pytest.raises(AttributeError):
        failure.raiseException()


def test_s014_chain_deferred_fires_the_other_and_goes_on_with_none():
    deferred, other = Deferred(), Deferred()
    assert deferred.chainDeferred(other) is deferred
    deferred.callback("value")
    assert (outcomes(other), outcomes(deferred)) == (["value"], [None])


def test_s014_chain_deferred_passes_a_failure_and_goes_on_with_none():
    deferred, other = Deferred(), Deferred()
    deferred.chainDeferred(other)
    failure = Failure(ValueError())
    deferred.errback(failure)
    assert (outcomes(other), outcomes(deferred)) == ([failure], [None])


def test_s014_chain_deferred_shows_the_other_as_waiting():
    deferred, other = Deferred(), Deferred()
    deferred.chainDeferred(other)
    assert other._chainedTo is deferred
    assert f"waiting on Deferred at 0x{id(deferred):x}" in repr(other)


def test_s014_cancelling_the_other_stays_there_and_the_late_result_is_swallowed():
    deferred, other = Deferred(), Deferred()
    deferred.chainDeferred(other)
    other.cancel()
    assert not deferred.called
    [failure] = outcomes(other)
    assert failure.type is CancelledError
    deferred.callback("late")
    assert outcomes(deferred) == [None]


def fire_nested(levels):
    """Fire a Deferred whose callback fires another, `levels` deep; was the last one reached?"""
    last = first = Deferred()
    for _ in range(levels):
        following = Deferred()
        last.addCallback(following.callback)
        last = following
    first.callback(None)
    return last.called


def test_s084_firing_from_a_callback_nests_and_a_hundred_levels_are_fine():
    assert fire_nested(100)


def test_s084_a_nest_too_deep_for_the_stack_ends_as_a_failure_in_the_chain():
    deferreds = [Deferred() for _ in range(2_000)]
    failures = []
    for deferred, following in pairwise(deferreds):
        deferred.addCallback(following.callback)
        deferred.addErrback(failures.append)
    deferreds[0].callback(None)
    assert failures
    assert {failure.type for failure in failures} == {RecursionError}


def test_s084_a_nest_of_any_depth_ends_so_in_a_thread_too():
    def nest():
        deferreds = [Deferred() for _ in range(50_000)]
        failures = []
        for deferred, following in pairwise(deferreds):
            deferred.addCallback(following.callback)
            deferred.addErrback(lambda failure: failures.append(failure.type))
        deferreds[0].callback(None)
        ended.append(failures)

    ended = []
    thread = threading.Thread(target=nest)
    thread.start()
    thread.join()
    assert ended == [[RecursionError]]


def test_s001_one_that_is_paused_does_not_hold_up_the_others_that_wait():
    inner, paused, free = Deferred(), succeed(None), succeed(None)
    for outer in (paused, free):
        outer.addCallback(lambda _: inner)
    paused.pause()
    got = outcomes(free)
    inner.callback("value")
    paused.unpause()
    assert (paused.result, free.result, got) == ("value", None, [None])
