"""The table of a reactor's life: whole, and in agreement with the contract's flags."""

import itertools

import pytest

from torsion.core import states
from torsion.error import ReactorAlreadyRunning, ReactorNotRestartable, ReactorNotRunning

EVENTS = (states.START, states.UP, states.STOP, states.CLOSE, states.CRASH)


def outcome(stage, event):
    try:
        return states.after(stage, event)
    except Exception as exception:
        return type(exception)


def test_every_stage_is_in_the_table_and_can_be_reached():
    assert set(states.MOVES) == set(states.STAGES)
    reached, todo = {states.IDLE}, [states.IDLE]
    while todo:
        stage = todo.pop()
        for event in EVENTS:
            following = outcome(stage, event)
            if isinstance(following, states.Stage) and following not in reached:
                reached.add(following)
                todo.append(following)
    assert reached == set(states.STAGES)


def test_names_and_flags_tell_stages_apart():
    for one, other in itertools.combinations(states.STAGES, 2):
        assert one.name != other.name
        assert one.flags() != other.flags()


@pytest.mark.parametrize("stage", states.STAGES)
def test_s037_start_is_refused_while_started_and_once_stopped(stage):
    result = outcome(stage, states.START)
    if stage.started:
        assert result is ReactorAlreadyRunning
    elif stage.spent:
        assert result is ReactorNotRestartable
    else:
        assert result is states.STARTING


@pytest.mark.parametrize("stage", states.STAGES)
def test_s037_stop_is_refused_before_the_first_start_and_once_stopped(stage):
    result = outcome(stage, states.STOP)
    if stage.stopped:
        assert result is ReactorNotRunning
    else:
        assert (result.started, result.running) == (stage.started, stage.running)
        assert result.spent and result.ending and result.stopped


@pytest.mark.parametrize("stage", states.STAGES)
def test_s037_crash_ends_the_loop_and_does_not_forbid_a_restart(stage):
    result = outcome(stage, states.CRASH)
    assert not result.started and not result.running
    assert result.spent == stage.spent
    assert result.ending == stage.ending


@pytest.mark.parametrize("stage", states.STAGES)
def test_s042_only_a_started_reactor_comes_up(stage):
    assert outcome(stage, states.UP).running == stage.started


@pytest.mark.parametrize("stage", states.STAGES)
def test_s038_shutdown_fires_once(stage):
    closed = outcome(stage, states.CLOSE)
    assert not closed.ending
    assert closed.running == stage.running
    assert outcome(closed, states.CLOSE) is closed


def test_errors_say_which_stage_it_was():
    with pytest.raises(ReactorNotRunning, match="idle"):
        states.after(states.IDLE, states.STOP)
    with pytest.raises(ReactorAlreadyRunning, match="running"):
        states.after(states.RUNNING, states.START)
    with pytest.raises(ReactorNotRestartable, match="ended"):
        states.after(states.ENDED, states.START)


@pytest.mark.parametrize("stage", states.STAGES)
@pytest.mark.parametrize("flag", ["started", "running", "stopped", "spent", "ending"])
def test_setting_a_flag_gives_a_stage_that_has_it(stage, flag):
    for value in (True, False):
        assert getattr(states.with_flag(stage, flag, value), flag) is value
    assert states.with_flag(stage, flag, getattr(stage, flag)) is stage


def test_a_program_that_clears_the_flags_of_an_ended_reactor_has_an_idle_one():
    stage = states.ENDED
    for flag in ("spent", "started", "ending", "running"):
        stage = states.with_flag(stage, flag, False)
    assert stage is states.IDLE
