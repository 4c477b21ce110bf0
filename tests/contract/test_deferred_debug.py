"""Semantics 8 (debug half), 13 and 85: what a Deferred tells about itself, alive and dying unheard."""

import copy
import gc
import pickle

import pytest

from torsion import report
from torsion.defer import (
    AlreadyCalledError,
    DebugInfo,
    Deferred,
    fail,
    getDebugging,
    logError,
    passthru,
    setDebugging,
    succeed,
)
from torsion.failure import Failure


@pytest.fixture
def reports():
    """Every report of the test, as (text, failure)."""
    gc.collect()
    got = []
    report.set_sink(lambda level, text, failure, details: got.append((text, failure)))
    yield got
    report.set_sink(None)


@pytest.fixture
def debugging():
    setDebugging(True)
    yield
    setDebugging(False)


def test_s008_debugging_is_off_until_it_is_set():
    assert getDebugging() is False
    setDebugging(True)
    assert getDebugging() is True
    assert Deferred().debug is True
    setDebugging(False)
    assert getDebugging() is False


def create_here():
    return Deferred()


def invoke_here(deferred):
    deferred.callback(1)


def test_s008_in_debug_mode_the_error_tells_who_created_and_who_fired(debugging):
    deferred = create_here()
    invoke_here(deferred)
    with pytest.raises(AlreadyCalledError) as raised:
        deferred.callback(2)
    created, invoked = str(raised.value).split("First Invoker was:")
    assert "Deferred was created:" in created
    assert "in create_here" in created
    assert "in invoke_here" in invoked
    assert __file__ in created
    assert __file__ in invoked


def test_s008_without_debugging_the_error_says_nothing_of_it():
    deferred = succeed(1)
    with pytest.raises(AlreadyCalledError) as raised:
        deferred.callback(2)
    assert "created" not in str(raised.value)


def test_s008_one_deferred_can_be_debugged_alone():
    deferred = Deferred()
    deferred.debug = True
    invoke_here(deferred)
    with pytest.raises(AlreadyCalledError, match="in invoke_here"):
        deferred.callback(2)


def assert_unhandled(reports, failure):
    [(first, none), (_, reported)] = reports
    assert first == "Unhandled error in Deferred:"
    assert none is None
    assert reported is failure


def test_s013_an_unhandled_error_is_reported_when_the_deferred_dies(reports):
    failure = Failure(ValueError("unheard"))
    deferred = fail(failure)
    assert reports == []
    del deferred
    gc.collect()
    assert_unhandled(reports, failure)


def test_s013_an_error_raised_by_a_callback_is_reported_too(reports):
    succeed(None).addCallback(lambda value: 1 // 0)
    gc.collect()  # the traceback holds the frames that hold the Deferred
    [_, (_, failure)] = reports
    assert failure.type is ZeroDivisionError


def test_s013_only_the_last_result_counts(reports):
    fail(ValueError()).addErrback(lambda failure: "handled")
    fail(ValueError()).addErrback(lambda failure: None).addCallback(lambda value: "more")
    gc.collect()
    assert reports == []


def test_s013_an_error_handled_later_is_not_reported(reports):
    deferred = fail(ValueError())
    deferred.addErrback(lambda failure: None)
    del deferred
    gc.collect()
    assert reports == []


def test_s013_an_error_that_goes_through_callbacks_only_is_reported(reports):
    failure = Failure(ValueError("unheard"))
    deferred = fail(failure)
    for _ in range(3):
        deferred.addCallback(passthru)
    del deferred
    gc.collect()
    assert_unhandled(reports, failure)


def test_s013_an_error_taken_over_by_an_outer_deferred_is_reported_once(reports):
    failure = Failure(ValueError("unheard"))
    inner = [Deferred()]
    outer = succeed(None).addCallback(lambda value: inner[0])
    inner.pop().errback(failure)
    gc.collect()
    assert reports == []
    del outer
    gc.collect()
    assert_unhandled(reports, failure)


def test_s013_a_deferred_in_a_cycle_reports_when_the_cycle_is_collected(reports):
    failure = Failure(ValueError("unheard"))
    deferred = fail(failure)
    deferred.myself = deferred
    gc.collect()
    assert reports == []
    del deferred
    gc.collect()
    assert_unhandled(reports, failure)


def test_s013_the_report_carries_the_debug_text(reports, debugging):
    deferred = create_here()
    deferred.addCallback(lambda value: Failure(ValueError()))
    invoke_here(deferred)
    del deferred
    gc.collect()
    [_, (text, _)] = reports
    assert "in create_here" in text
    assert "in invoke_here" in text


def test_s013_the_holder_reports_when_it_dies(reports):
    holder = DebugInfo()
    holder.failResult = failure = Failure(ValueError("unheard"))
    del holder
    assert_unhandled(reports, failure)


def test_s013_log_error_reports_and_hands_on(reports):
    failure = Failure(ValueError("told"))
    assert logError(failure) is failure
    [(_, reported)] = reports
    assert reported is failure


def at(deferred):
    return f"at 0x{id(deferred):x}"


def test_s085_repr_of_an_unfired_deferred_names_its_place():
    deferred = Deferred()
    assert repr(deferred) == f"<Deferred {at(deferred)}>"


def test_s085_repr_of_a_fired_deferred_shows_the_result():
    deferred = succeed("orange")
    assert repr(deferred) == f"<Deferred {at(deferred)} current result: 'orange'>"
    assert str(deferred) == repr(deferred)


def test_s085_repr_of_a_waiting_deferred_names_what_it_waits_for():
    inner = Deferred()
    outer = succeed(None).addCallback(lambda value: inner)
    assert repr(outer) == f"<Deferred {at(outer)} waiting on Deferred {at(inner)}>"


def test_s085_repr_names_the_class():
    class Promise(Deferred):
        pass

    assert repr(Promise()).startswith("<Promise at 0x")


def test_s085_a_deferred_is_a_generic_class_that_can_be_subclassed_and_given_attributes():
    class Promise(Deferred):
        extra = "class attribute"

    promise = Promise()
    promise.anything = 3
    promise.callback(promise.anything)
    got = []
    promise.addCallback(got.append)
    assert (got, promise.extra) == ([3], "class attribute")
    assert Deferred[int] is not None


@pytest.mark.parametrize(
    "again",
    [copy.copy, copy.deepcopy, lambda deferred: pickle.loads(pickle.dumps(deferred))],
    ids=["copy", "deepcopy", "pickle"],
)
def test_a_copy_of_an_unfired_deferred_is_unfired(again):
    deferred = Deferred().addCallback(str)
    other = again(deferred)
    assert not hasattr(other, "result")
    other.callback(1)
    assert (other.result, deferred.called) == ("1", False)
    assert again(other).result == "1"
