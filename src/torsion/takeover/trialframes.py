"""trial's reports begin with the test: what ran it is left out of a traceback.

trial knows those frames by the names of Twisted's functions: six, told by the first three; before Twisted 25.5 three,
told by the first two. Here others stand there, and trial is shown its own in their place.
"""

from collections.abc import Sequence
from typing import Any

START = "_deferSetUpAndRun"
_PARTS = (
    "core/coroutine.py",
    "core/deferred.py",
    "core/maybe.py",
    "failure.py",
    "twin/steps.py",
    "twin/steps.pyx",
    "utils.py",
)
OURS = tuple(f"torsion/{part}" for part in _PARTS)
#: How they begin here before Twisted 25.5.
OLDER = [("maybeDeferred", "torsion/core/maybe.py"), ("runWithWarningsSuppressed", "torsion/utils.py")]
LEFT_OUT = [("__iter__", "defer.py"), ("raiseException", "failure.py"), ("", ""), ("", ""), ("", "")]


def install(reporter: Any) -> None:
    """Have the reporters of trial leave out what is ours; `reporter` is the module `twisted.trial.reporter`."""
    trim = getattr(reporter.Reporter, "_trimFrames", None)
    if trim is None:  # a name that Twisted keeps private
        return

    def trimmed(self: Any, frames: Sequence[Sequence[Any]]) -> Any:
        return trim(self, as_left_out(frames))

    reporter.Reporter._trimFrames = trimmed


def as_left_out(frames: Sequence[Sequence[Any]]) -> Sequence[Sequence[Any]]:
    """These frames, in which what stands between trial and the test is what trial leaves out."""
    if len(frames) < 2:
        return frames
    if all(frame[0] == name and frame[1].endswith(file) for frame, (name, file) in zip(frames, OLDER, strict=False)):
        return [(OLDER[0][0], "defer.py", *frames[0][2:]), frames[1], *frames[1:]]  # the second is there twice
    if frames[0][0] != START or not frames[1][1].endswith(OURS):
        return frames
    end = 1
    while end < len(frames) and frames[end][1].endswith(OURS):
        end += 1
    return [frames[0], *LEFT_OUT, *frames[end:]]
