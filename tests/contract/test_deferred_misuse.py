"""A Deferred that is used in the wrong way says so at the call; and what few programs do with one still works."""

import warnings

import pytest

from torsion import defer
from torsion.defer import Deferred


@pytest.mark.parametrize("method", ["addCallback", "addErrback", "addBoth", "addCallbacks"])
def test_what_cannot_be_called_is_refused_by_name_and_changes_nothing(method: str) -> None:
    d: Deferred = Deferred()
    with pytest.raises(TypeError, match="must be callable, not 'text'"):
        getattr(d, method)("text")
    seen: list[object] = []
    d.addCallback(seen.append)
    d.callback("result")
    assert seen == ["result"]


def test_an_errback_that_cannot_be_called_is_refused_but_none_is_not() -> None:
    d: Deferred = Deferred()
    with pytest.raises(TypeError, match="errback must be callable or None, not 3"):
        d.addCallbacks(print, 3)  # type: ignore[arg-type]
    seen: list[object] = []
    d.addCallbacks(seen.append, None)
    d.callback("result")
    assert seen == ["result"]


def test_a_canceller_that_cannot_be_called_is_an_error_only_when_it_is_called() -> None:
    """A mock that makes a Deferred passes whatever it was called with."""
    unused = Deferred("text")  # type: ignore[arg-type]
    unused.callback("result")
    assert unused.result == "result"
    used = Deferred("text")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="'str' object is not callable"):
        used.cancel()
    assert not used.called


def test_an_empty_canceller_is_none() -> None:
    d = Deferred([])  # type: ignore[arg-type]
    failed: list[object] = []
    d.addErrback(failed.append)
    d.cancel()
    assert len(failed) == 1
    d.callback("swallowed")


def test_the_result_is_absent_until_there_is_one_and_can_be_taken_away() -> None:
    d: Deferred = Deferred()
    with pytest.raises(AttributeError):
        _ = d.result
    with pytest.raises(AttributeError):
        del d.result
    d.callback(1)
    assert d.result == 1
    del d.result
    assert not hasattr(d, "result")


def test_the_list_of_callbacks_is_deprecated_and_shows_what_waits() -> None:
    d: Deferred = Deferred()
    d.addCallback(print, 1, sep=",")
    d.addErrback(repr)
    with pytest.warns(DeprecationWarning, match="callbacks was deprecated") as caught:
        first, second = d.callbacks
    assert caught[0].filename == __file__
    assert first == ((print, (1,), {"sep": ","}), (defer.passthru, (), {}))
    assert second == ((defer.passthru, (), {}), (repr, (), {}))


def test_s006_where_warnings_are_errors_returning_the_deferred_itself_is_the_callbacks_failure() -> None:
    d: Deferred = Deferred()
    errors: list[object] = []
    d.addCallback(lambda _: d)
    d.addErrback(lambda failure: errors.append(failure.type))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        d.callback(None)
    assert errors == [DeprecationWarning]


def test_s011_cancelling_asks_a_subclass_that_is_waited_for() -> None:
    class Mine(Deferred):
        def cancel(self) -> None:
            asked.append("mine")
            super().cancel()

    asked: list[str] = []
    inner = Mine()
    outer = defer.succeed(None)
    outer.addCallback(lambda _: inner)
    kinds: list[object] = []
    outer.addErrback(lambda failure: kinds.append(failure.type))
    outer.cancel()
    assert (asked, kinds) == (["mine"], [defer.CancelledError])
