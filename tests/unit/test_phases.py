"""An event in three phases, by itself."""

import gc

import pytest

from torsion.core.phases import ThreePhaseEvent
from torsion.defer import Deferred

PHASES = ("before", "during", "after")


@pytest.fixture
def event():
    return ThreePhaseEvent()


@pytest.fixture
def happened():
    return []


def fail(exception=ValueError):
    raise exception("in a trigger")


def test_phases_run_in_order_and_triggers_in_the_order_they_were_added(event, happened):
    for phase in reversed(PHASES):
        for number in (1, 2):
            event.addTrigger(phase, happened.append, f"{phase} {number}")
    event.fireEvent()
    assert happened == ["before 1", "before 2", "during 1", "during 2", "after 1", "after 2"]


def test_triggers_get_their_arguments(event, happened):
    event.addTrigger("during", lambda *args, **kwargs: happened.append((args, kwargs)), 1, 2, phase_="x", name="y")
    event.fireEvent()
    assert happened == [((1, 2), {"phase_": "x", "name": "y"})]


def test_s039_triggers_run_once(event, happened):
    for phase in PHASES:
        event.addTrigger(phase, happened.append, phase)
    event.fireEvent()
    event.fireEvent()
    assert happened == ["before", "during", "after"]


def test_s039_the_event_waits_for_all_deferreds_of_before_whatever_they_fire_with(event, happened):
    first, second = Deferred(), Deferred()
    event.addTrigger("before", lambda: first)
    event.addTrigger("before", lambda: second)
    event.addTrigger("before", happened.append, "before")
    event.addTrigger("during", happened.append, "during")
    event.fireEvent()
    assert event.state == "BEFORE"
    assert len(event.finishedBefore) == 3
    second.callback("ignored")
    assert happened == ["before"]
    first.errback(ValueError("ignored too"))
    assert happened == ["before", "during"]
    assert event.state == "BASE"
    assert event.finishedBefore == []
    assert second.result == "ignored"  # results pass unchanged
    first.addErrback(lambda failure: failure.trap(ValueError) and None)


def test_s039_deferreds_that_have_fired_delay_nothing(event, happened):
    fired = Deferred()
    fired.callback(None)
    event.addTrigger("before", lambda: fired)
    event.addTrigger("after", happened.append, "after")
    event.fireEvent()
    assert happened == ["after"]


def test_s039_a_failing_deferred_of_before_is_reported_as_unhandled(event, reports):
    deferred = Deferred()
    deferreds = [deferred]
    event.addTrigger("before", deferreds.pop)
    event.fireEvent()
    deferred.errback(ValueError("nobody handles it"))
    del deferred
    gc.collect()
    assert ValueError in [type(exception) for _, exception in reports]


def test_s039_deferreds_of_during_and_after_are_ignored(event, happened):
    for phase in ("during", "after"):
        event.addTrigger(phase, Deferred)
        event.addTrigger(phase, happened.append, phase)
    event.fireEvent()
    assert happened == ["during", "after"]


def test_s039_a_coroutine_function_is_not_awaited(event, happened):
    coroutines = []

    async def coroutine():
        happened.append("awaited")

    def trigger():
        coroutines.append(coroutine())
        return coroutines[0]

    event.addTrigger("before", trigger)
    event.addTrigger("during", happened.append, "during")
    event.fireEvent()
    assert happened == ["during"]
    coroutines[0].close()


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("exception", [ValueError, KeyboardInterrupt, SystemExit])
def test_s039_exceptions_are_reported_and_the_event_goes_on(event, happened, reports, phase, exception):
    event.addTrigger(phase, fail, exception)
    event.addTrigger(phase, happened.append, "next")
    event.addTrigger("after", happened.append, "end")
    event.fireEvent()
    assert happened == ["next", "end"]
    ((text, reported),) = reports
    assert type(reported) is exception
    assert phase in text and "fail" in text


def test_s039_triggers_added_during_a_phase_to_it_or_a_later_one_run(event, happened):
    def add(at, to):
        happened.append(at)
        event.addTrigger(to, happened.append, f"{at} > {to}")

    for at in PHASES:
        for to in PHASES:
            event.addTrigger(at, add, at, to)
    event.fireEvent()
    assert happened == (
        ["before"] * 3 + ["before > before"]
        + ["during"] * 3 + ["before > during", "during > during"]
        + ["after"] * 3 + ["before > after", "during > after", "after > after"]
    )  # fmt: skip
    happened.clear()
    event.fireEvent()  # those for an earlier phase wait for the next time
    assert happened == ["during > before", "after > before", "after > during"]


@pytest.mark.parametrize("phase", PHASES)
def test_s041_a_removed_trigger_does_not_run_and_its_twin_does(event, happened, phase):
    event.addTrigger(phase, happened.append, 1)
    handle = event.addTrigger(phase, happened.append, 2)
    event.addTrigger(phase, happened.append, 3)
    event.removeTrigger(handle)
    event.fireEvent()
    assert happened == [1, 3]


@pytest.mark.parametrize("phase", PHASES)
def test_s041_a_trigger_may_remove_a_later_one_of_its_phase(event, happened, phase):
    event.addTrigger(phase, lambda: event.removeTrigger(handle))
    handle = event.addTrigger(phase, happened.append, "removed")
    event.fireEvent()
    assert happened == []


def test_s041_removing_what_is_gone_is_a_value_error(event):
    handle = event.addTrigger("during", print)
    event.removeTrigger(handle)
    with pytest.raises(ValueError, match="print"):
        event.removeTrigger(handle)
    handle = event.addTrigger("before", fail)
    event.removeTrigger(handle)
    event.fireEvent()
    with pytest.raises(ValueError, match="fail"):
        event.removeTrigger(handle)


@pytest.mark.parametrize("handle", [None, (), object(), ("during",), ("during", print, ()), "during"])
def test_s041_removing_by_what_is_no_handle_is_a_value_error(event, handle):
    with pytest.raises(ValueError, match="handle"):
        event.removeTrigger(handle)


def test_s041_a_phase_that_does_not_exist_is_a_key_error(event):
    with pytest.raises(KeyError, match="soon"):
        event.addTrigger("soon", print)
    with pytest.raises(KeyError, match="soon"):
        event.removeTrigger(("soon", print, (), {}))


def test_s041_removing_a_before_trigger_that_has_run_is_deprecated_while_the_event_waits(event):
    waiting = Deferred()
    handle = event.addTrigger("before", lambda: waiting)
    event.fireEvent()
    with pytest.warns(DeprecationWarning) as warnings:
        event.removeTrigger(handle)
    assert [warning.filename for warning in warnings] == [__file__]
    waiting.callback(None)
    with pytest.raises(ValueError):
        event.removeTrigger(handle)


def test_s041_removing_a_before_trigger_inside_itself_is_deprecated(event):
    def remove_itself():
        with pytest.warns(DeprecationWarning):
            event.removeTrigger(handle)

    handle = event.addTrigger("before", remove_itself)
    event.fireEvent()


def test_an_event_that_has_fired_leaves_no_cycle(no_leaks):
    def fire_some():
        for _ in range(20):
            event, waiting = ThreePhaseEvent(), Deferred()
            event.addTrigger("before", lambda: waiting)  # noqa: B023
            event.fireEvent()
            waiting.callback(None)

    fire_some()
    with no_leaks():
        fire_some()
