"""Semantics 21: which context variables each step of a generator or coroutine sees."""

from contextvars import ContextVar, copy_context

import pytest

from torsion.defer import Deferred, ensureDeferred, inlineCallbacks, succeed

variable = ContextVar("variable", default="unset")


def outcomes(deferred):
    """A list that gets every result of `deferred`, failures as they are, and handles them."""
    got = []
    deferred.addBoth(got.append)
    return got


@pytest.fixture(autouse=True)
def unset():
    variable.set("unset")


def test_s021_the_context_is_copied_once_per_call_and_every_step_runs_in_the_copy():
    seen = []

    @inlineCallbacks
    def steps(deferred):
        seen.append(variable.get())
        variable.set("of the generator")
        yield deferred
        seen.append(variable.get())

    pending = Deferred()
    variable.set("of the caller")
    steps(pending)
    assert variable.get() == "of the caller"
    variable.set("of whoever fires")
    pending.callback(None)
    assert seen == ["of the caller", "of the generator"]
    assert variable.get() == "of whoever fires"


def test_s021_a_coroutine_runs_in_a_copy_too():
    seen = []

    async def steps(deferred):
        variable.set("of the coroutine")
        await deferred
        seen.append(variable.get())

    pending = Deferred()
    ensureDeferred(steps(pending))
    assert variable.get() == "unset"
    copy_context().run(pending.callback, None)
    assert seen == ["of the coroutine"]


def test_s021_a_callback_runs_in_the_context_of_whoever_fires():
    seen = []
    deferred = Deferred()
    variable.set("of whoever adds")
    deferred.addCallback(lambda value: seen.append(variable.get()))
    variable.set("of whoever fires")
    deferred.callback(None)
    assert seen == ["of whoever fires"]


def test_s021_a_decorated_function_called_inside_a_generator_copies_the_generators_context():
    seen = []

    @inlineCallbacks
    def inner():
        seen.append(variable.get())
        variable.set("of the inner one")
        yield

    @inlineCallbacks
    def outer():
        variable.set("of the outer one")
        yield inner()
        seen.append(variable.get())

    outer()
    assert seen == ["of the outer one", "of the outer one"]


def test_s021_a_bare_generator_or_coroutine_that_is_yielded_gets_the_context_around_the_driver():
    seen = []

    def bare():
        seen.append(variable.get())
        variable.set("of the bare one")
        yield succeed(None)
        return "generator"

    async def coroutine():
        seen.append(variable.get())
        variable.set("of the coroutine")
        return "coroutine"

    @inlineCallbacks
    def outer(pending):
        variable.set("of the outer one")
        results = [(yield bare()), (yield coroutine())]
        yield pending
        results += [(yield bare()), (yield coroutine())]
        seen.append(variable.get())
        return results

    pending = Deferred()
    variable.set("of the caller")
    got = outcomes(outer(pending))
    assert seen == ["of the caller", "of the caller"]
    variable.set("of whoever fires")
    pending.callback(None)
    assert seen[2:] == ["of whoever fires", "of whoever fires", "of the outer one"]
    assert got == [["generator", "coroutine"] * 2]
    assert variable.get() == "of whoever fires"


def test_s021_a_directly_awaited_coroutine_shares_the_context():
    async def inner():
        variable.set("of the inner one")

    async def outer():
        variable.set("of the outer one")
        await inner()
        return variable.get()

    assert outcomes(ensureDeferred(outer())) == ["of the inner one"]
    assert variable.get() == "unset"
