"""Semantics 25: what inlineCallbacks refuses and warns about, and that no ending leaves a reference cycle."""

import gc
import inspect
import warnings
import weakref

import pytest

from torsion.defer import CancelledError, Deferred, ensureDeferred, fail, inlineCallbacks, returnValue, succeed


def outcomes(deferred):
    """A list that gets every result of `deferred`, failures as they are, and handles them."""
    got = []
    deferred.addBoth(got.append)
    return got


def test_s025_a_decorated_function_keeps_its_name_and_documentation():
    @inlineCallbacks
    def named():
        """Says something."""
        yield

    assert (named.__name__, named.__doc__) == ("named", "Says something.")


def test_s025_a_function_that_is_no_generator_is_refused_when_called():
    @inlineCallbacks
    def plain():
        return 3

    with pytest.raises(TypeError, match=r"plain.*generator.*3"):
        plain()


def test_s025_a_coroutine_function_is_no_generator():
    made = []

    async def coroutine():
        return 3

    @inlineCallbacks
    def returns_one():
        made.append(coroutine())
        return made[0]

    with pytest.raises(TypeError):
        returns_one()
    made[0].close()


def test_s025_return_value_gives_the_result_and_is_deprecated():
    @inlineCallbacks
    def old():
        yield
        returnValue(5)

    with pytest.warns(DeprecationWarning, match="returnValue") as caught:
        assert outcomes(old()) == [5]
    assert [warning.filename for warning in caught] == [__file__]


def test_s025_return_value_in_a_function_called_by_the_generator_warns_at_that_line():
    def helper():
        returnValue("of the helper")

    @inlineCallbacks
    def calls():
        yield
        helper()

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert outcomes(calls()) == ["of the helper"]
    [non_local] = [warning for warning in caught if "helper" in str(warning.message)]
    assert non_local.category is DeprecationWarning
    assert "calls" in str(non_local.message)
    assert (non_local.filename, non_local.lineno) == (__file__, helper.__code__.co_firstlineno + 1)


# A frame that ends in a traceback keeps its variables: what a generator of the tests waits for is in none of them.


class Token:
    """Something that a frame holds: it must die with the frame, not when the collector comes."""


@inlineCallbacks
def generator(box, ending, token):
    try:
        yield box.pop()
    except (ValueError, CancelledError):
        if ending == "caught":
            return "caught"
        raise
    if ending == "raises":
        raise KeyError("mine")
    return "value"


async def coroutine(box, ending, token):
    try:
        await box.pop()
    except (ValueError, CancelledError):
        if ending == "caught":
            return "caught"
        raise
    if ending == "raises":
        raise KeyError("mine")
    return "value"


kinds = pytest.mark.parametrize(
    "kind", [generator, lambda *args: ensureDeferred(coroutine(*args))], ids=["generator", "coroutine"]
)


def value(deferred, pending):
    pending.callback(None)


def failure(deferred, pending):
    pending.errback(ValueError())


def cancel(deferred, pending):
    deferred.cancel()


@kinds
@pytest.mark.parametrize(
    ("finish", "ending"),
    [
        (value, "value"),
        (value, "raises"),
        (failure, "caught"),
        (failure, "thrown through"),
        (cancel, "caught"),
        (cancel, "thrown through"),
    ],
)
def test_s025_after_it_ended_while_waiting_everything_it_held_dies_at_once(kind, finish, ending):
    token, pending = Token(), Deferred()
    alive = weakref.ref(token)
    gc.collect()
    gc.disable()
    try:
        deferred = kind([pending], ending, token)
        alive_deferred = weakref.ref(deferred)
        del token
        assert alive() is not None
        finish(deferred, pending)
        deferred.addErrback(lambda failure: None)
        del deferred, pending
        assert alive() is None
        assert alive_deferred() is None
        assert gc.collect() == 0
    finally:
        gc.enable()


@kinds
@pytest.mark.parametrize(
    ("fired", "ending"),
    [
        (lambda: succeed(None), "value"),
        (lambda: succeed(None), "raises"),
        (lambda: fail(ValueError()), "caught"),
        (lambda: fail(ValueError()), "thrown through"),
    ],
)
def test_s025_after_it_ended_without_waiting_everything_it_held_dies_at_once(kind, fired, ending):
    token = Token()
    alive = weakref.ref(token)
    gc.collect()
    gc.disable()
    try:
        deferred = kind([fired()], ending, token)
        del token
        deferred.addErrback(lambda failure: None)
        del deferred
        assert alive() is None
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_a_decorated_function_is_an_ordinary_function_and_looks_like_its_own():
    def waits(first, *, second):
        """Waits."""
        yield

    decorated = inlineCallbacks(waits)
    assert type(decorated) is type(waits)  # trial finds test methods by this
    assert (decorated.__name__, decorated.__doc__) == ("waits", "Waits.")
    assert inspect.signature(decorated) == inspect.signature(waits)
