"""Whatever an exception holds that can be pickled, its Failure says the same after a journey."""

import copy
import pickle

from hypothesis import given
from hypothesis import strategies as st

from torsion import error
from torsion.failure import Failure

scalars = st.none() | st.booleans() | st.integers() | st.text() | st.binary()
arguments = st.lists(scalars | st.lists(scalars), max_size=4)
kinds = st.sampled_from(
    [ValueError, KeyError, RuntimeError, KeyboardInterrupt, error.ConnectionLost, error.ConnectionDone]
)
journeys = st.sampled_from([*range(pickle.HIGHEST_PROTOCOL + 1), "copy", "deepcopy"])
MATCHES = [ValueError, LookupError, Exception, KeyboardInterrupt, error.ConnectionClosed, "builtins.BaseException"]


def caught(kind: type[BaseException], args: list[object], depth: int, variables: bool) -> Failure:
    def descend(left: int) -> None:
        if left:
            descend(left - 1)
        raise kind(*args)

    try:
        descend(depth)
    except BaseException:
        return Failure(captureVars=variables)
    raise AssertionError


def travel(f: Failure, journey: object) -> Failure:
    if journey == "copy":
        return copy.copy(f)
    return copy.deepcopy(f) if journey == "deepcopy" else pickle.loads(pickle.dumps(f, journey))


@given(kinds, arguments, st.integers(0, 5), st.booleans(), st.lists(journeys, min_size=1, max_size=3))
def test_a_failure_says_the_same_after_any_journey(kind, args, depth, variables, route):
    f = caught(kind, args, depth, variables)
    said = [f.getTraceback(), str(f), repr(f), [f.check(each) for each in MATCHES], f.parents, f.count]
    for journey in route:
        f = travel(f, journey)
        assert f.type is kind
        assert f.value.args == tuple(args)
        assert (f.tb, f.pickled, f.captureVars) == (None, 1, variables)
        assert [f.getTraceback(), str(f), repr(f), [f.check(each) for each in MATCHES], f.parents, f.count] == said
