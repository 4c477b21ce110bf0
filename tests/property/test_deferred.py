"""A Deferred against a model that says statements 1 to 4, 7 and 9 to 14 in the plainest way, with recursion and copies.

Both interpret the same random programs: callbacks that fire, pause, cancel, chain and add to any Deferred while they
run, and then pass on, return a value, raise, or return a Deferred that has a higher number (nobody waits in a circle).
"""

import gc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion import report
from torsion.defer import AlreadyCalledError, CancelledError, Deferred
from torsion.failure import Failure

COUNT = 4  # Deferreds in a program


@pytest.fixture(scope="module", autouse=True)
def unhandled_errors_are_expected():
    report.set_sink(lambda *event: None)
    yield
    gc.collect()
    report.set_sink(None)


class Failed:
    """The model's Failure."""

    def __init__(self, value):
        self.value = value


class Model:
    def __init__(self, canceller=None):
        self.canceller = canceller
        self.queue = []
        self.called = self.running = self.swallow = False
        self.paused = 0

    def addCallbacks(self, callback, errback):
        self.queue.append((callback, errback))
        if self.called:
            self.run()

    def callback(self, result):
        if self.called and self.swallow:
            self.swallow = False
            return
        if self.called:
            raise AlreadyCalledError
        self.called = True
        self.result = result
        self.run()

    def errback(self, error):
        self.callback(Failed(error))

    def chainDeferred(self, other):
        self.addCallbacks(other.callback, other.callback)

    def pause(self):
        self.paused += 1

    def unpause(self):
        self.paused -= 1
        if self.called:
            self.run()

    def cancel(self):
        if self.called:
            if isinstance(self.result, Model):
                self.result.cancel()
            return
        if self.canceller is None:
            self.swallow = True
        else:
            self.canceller(self)
        if not self.called:
            self.errback(CancelledError())

    def run(self):
        if self.running or self.paused:
            return
        while self.queue:  # a pass: pause() by one of these callbacks counts for the next
            callback, errback = self.queue.pop(0)
            if isinstance(callback, Model):  # an outer one that waits for us
                callback.result, self.result = self.result, None
                callback.paused -= 1
                callback.run()
                self.run()
                return
            self.running = True
            try:
                self.result = (errback if isinstance(self.result, Failed) else callback)(self.result)
            except Exception as error:
                self.result = Failed(error)
            self.running = False
            if isinstance(self.result, Model) and self.waits_for(self.result):
                return

    def waits_for(self, inner):
        if hasattr(inner, "result") and not inner.paused and not isinstance(inner.result, Model):
            self.result, inner.result = inner.result, None
            return False
        self.paused += 1
        inner.queue.append((self, self))
        return True


class World:
    """COUNT Deferreds of one class, and what was seen while a program ran on them."""

    def __init__(self, make, cancellers):
        self.seen = []
        self.deferreds = [make(getattr(self, f"canceller_that_{kind}", None)) for kind in cancellers]

    def canceller_that_does_nothing(self, deferred):
        self.seen.append(("canceller", self.deferreds.index(deferred)))

    def canceller_that_fires(self, deferred):
        deferred.callback("saved")

    def canceller_that_raises(self, deferred):
        raise RuntimeError("cannot")

    def describe(self, result):
        if isinstance(result, (Failed, Failure)):
            return type(result.value), result.value.args
        if result in self.deferreds:
            return "deferred", self.deferreds.index(result)
        return result

    def state(self):
        return [
            (each.called, each.paused, self.describe(each.result) if hasattr(each, "result") else "no result")
            for each in self.deferreds
        ]

    def interpret(self, program):
        """Run it; whatever an operation raises is seen, and does not end the program."""
        for operation in program:
            try:
                self.do(operation)
            except (AlreadyCalledError, RuntimeError) as error:
                self.seen.append((type(error), operation[0]))
            self.seen.append(self.state())
        return self.seen

    def do(self, operation):
        name, number, *arguments = operation
        deferred = self.deferreds[number]
        if name == "add":
            deferred.addCallbacks(*(self.function(number, *behaviour) for behaviour in arguments))
        elif name == "chain":
            deferred.chainDeferred(self.deferreds[arguments[0]])
        elif name == "callback":
            deferred.callback(self.value(number, arguments[0]))
        elif name == "errback":
            deferred.errback(ValueError(arguments[0]))
        else:
            getattr(deferred, name)()

    def function(self, number, operations, outcome):
        def behaves(result):
            self.seen.append(("called", number, self.describe(result)))
            for operation in operations:
                self.do(operation)
            if outcome == "pass":
                return result
            if outcome == "raise":
                raise KeyError(number)
            return self.value(number, outcome)

        return behaves

    def value(self, number, value):
        """A value for the Deferred of that number: ("deferred", n) becomes one, if it has a higher number."""
        if isinstance(value, tuple):
            return self.deferreds[value[1]] if value[1] > number else "would wait in a circle"
        return value


numbers = st.integers(0, COUNT - 1)
values = st.integers(10, 99)
some_deferred = st.tuples(st.just("deferred"), numbers)


def operations(depth, chaining):
    """Operations whose callbacks do operations, `depth` deep.

    A Deferred as a plain value (7) could come through chainDeferred to a lower number: a program has one or the other.
    """
    fired_with = values if chaining else values | some_deferred
    inside = st.lists(operations(depth - 1, chaining), max_size=2) if depth else st.just([])
    behaviour = st.tuples(inside, st.sampled_from(["pass", "raise"]) | values | some_deferred)
    kinds = [
        st.tuples(st.just("add"), numbers, behaviour, behaviour),
        st.tuples(st.just("callback"), numbers, fired_with),
        st.tuples(st.just("errback"), numbers, values),
        st.tuples(st.sampled_from(["pause", "unpause", "cancel"]), numbers),
    ]
    if chaining:
        kinds.append(st.tuples(st.just("chain"), numbers, numbers))
    return st.one_of(kinds)


programs = st.booleans().flatmap(lambda chaining: st.lists(operations(2, chaining), max_size=15))
cancellers = st.lists(
    st.sampled_from(["is_missing", "does_nothing", "fires", "raises"]), min_size=COUNT, max_size=COUNT
)


@given(programs, cancellers)
def test_any_program_does_the_same_on_a_deferred_and_on_the_model(program, cancellers):
    assert World(Deferred, cancellers).interpret(program) == World(Model, cancellers).interpret(program)
