"""What trial is shown of a traceback: its own frames where ours are, so that it leaves them out."""

from types import SimpleNamespace

from torsion.takeover import trialframes

TEST = ["test_it", "/home/me/test_mine.py", 7, [], []]
RUN = ["_deferSetUpAndRun", "/lib/twisted/trial/_asynctest.py", 1, [], []]
MAYBE = ["maybeDeferred", "/lib/torsion/core/maybe.py", 24, [], []]
RAISED = ["raiseException", "/lib/torsion/failure.py", 3, [], []]
WARNED = ["runWithWarningsSuppressed", "/lib/torsion/utils.py", 191, [], []]


def named(frames):
    """Function and file of each, as trial tells them."""
    return [(frame[0], frame[1].rpartition("/")[2]) for frame in frames]


def test_ours_behind_trials_are_shown_as_the_five_that_it_leaves_out():
    shown = trialframes.as_left_out([RUN, RAISED, MAYBE, WARNED, TEST])
    assert named(shown[:3]) == [
        ("_deferSetUpAndRun", "_asynctest.py"),
        ("__iter__", "defer.py"),
        ("raiseException", "failure.py"),
    ]
    assert shown[6:] == [TEST]


def test_before_25_5_they_come_first_and_are_shown_as_the_three_that_it_leaves_out():
    shown = trialframes.as_left_out([MAYBE, WARNED, TEST])
    assert named(shown[:2]) == [("maybeDeferred", "defer.py"), ("runWithWarningsSuppressed", "utils.py")]
    assert shown[3:] == [TEST]
    assert all(len(frame) == len(TEST) for frame in shown)  # each can be printed


def test_others_are_shown_as_they_are():
    for frames in ([], [TEST], [MAYBE, TEST], [RUN, TEST], [TEST, MAYBE, WARNED]):
        assert trialframes.as_left_out(frames) == frames


def test_a_reporter_trims_what_it_is_shown():
    class Reporter:
        def _trimFrames(self, frames):
            return frames[3:]

    trialframes.install(SimpleNamespace(Reporter=Reporter))
    assert Reporter()._trimFrames([MAYBE, WARNED, TEST]) == [TEST]
