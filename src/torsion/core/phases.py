"""Before, during, after: an event in three phases, of which the first may take its time.

Triggers of the first phase may return Deferreds; the others run only when all of these have fired, whatever they fired
with. A trigger runs once. Triggers may add triggers, to their own phase or a later one, and remove them (semantics
39-41).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from .. import report
from ..failure import Failure
from .deferred import Deferred
from .delayed import describe

Trigger = tuple[Callable[..., object], tuple[Any, ...], dict[str, Any]]
Handle = tuple[str, Callable[..., object], tuple[Any, ...], dict[str, Any]]

PHASES = ("before", "during", "after")
BASE, BEFORE = "BASE", "BEFORE"


class ThreePhaseEvent:
    """An event and its triggers. The attribute names are those that the contract's own tests read.

    ``state`` is ``"BEFORE"`` while the event runs "before" triggers or waits for their Deferreds, else ``"BASE"``;
    ``finishedBefore`` holds the triggers of that phase which have run meanwhile.
    """

    def __init__(self) -> None:
        self.before: list[Trigger] = []
        self.during: list[Trigger] = []
        self.after: list[Trigger] = []
        self.finishedBefore: list[Trigger] = []
        self.state = BASE

    def addTrigger(self, phase: str, callable: Callable[..., object], *args: object, **kwargs: object) -> Handle:
        """Adds a call; returns what removeTrigger takes. Raises KeyError if there is no such phase."""
        self._phase(phase).append((callable, args, kwargs))
        return phase, callable, args, kwargs

    def removeTrigger(self, handle: Handle, *, stacklevel: int = 2) -> None:
        """Takes back what addTrigger added.

        Raises ValueError if it has run, was removed, or is no handle; KeyError if it names no phase. One that has run
        while the event still waits for its "before" triggers gives a DeprecationWarning instead.
        """
        try:
            phase, callable, args, kwargs = handle
        except (TypeError, ValueError):
            raise ValueError(f"not a trigger's handle: {handle!r}") from None
        triggers = self._phase(phase)
        trigger = (callable, args, kwargs)
        if phase == "before" and self.state == BEFORE and trigger not in triggers and trigger in self.finishedBefore:
            # The contract's tests compare this sentence.
            warnings.warn(
                "Removing already-fired system event triggers will raise an exception in a future version of Twisted.",
                category=DeprecationWarning,
                stacklevel=stacklevel,
            )
            return
        try:
            triggers.remove(trigger)
        except ValueError:
            raise ValueError(f"this {phase!r} trigger has run or was removed: {callable!r}") from None

    def fireEvent(self) -> None:
        """Runs the triggers; returns when all have run or "before" triggers are waited for. Raises nothing."""
        self.state = BEFORE
        self.finishedBefore = []
        waiting: list[Deferred] = []
        while self.before:
            trigger = self.before.pop(0)
            self.finishedBefore.append(trigger)
            result = self._call("before", trigger)
            if isinstance(result, Deferred):
                waiting.append(result)
        _when_all_fired(waiting, self._finish)

    def _finish(self) -> None:
        self.state = BASE
        self.finishedBefore = []
        for phase in ("during", "after"):
            triggers = self._phase(phase)
            while triggers:
                self._call(phase, triggers.pop(0))

    def _phase(self, phase: str) -> list[Trigger]:
        if phase not in PHASES:
            raise KeyError(f"invalid phase {phase!r}: not one of before, during, after")
        triggers: list[Trigger] = getattr(self, phase)
        return triggers

    def _call(self, phase: str, trigger: Trigger) -> object:
        callable, args, kwargs = trigger
        try:
            return callable(*args, **kwargs)
        except BaseException:
            report.failure(f"Unhandled error in the {phase!r} trigger {describe(callable)}", Failure())
            return None


def _when_all_fired(deferreds: list[Deferred], then: Callable[[], None]) -> None:
    """Results pass unchanged: an error that nobody handles is reported when its Deferred goes (semantics 39)."""
    remaining = len(deferreds) + 1

    def one_less(result: object = None) -> object:
        nonlocal remaining
        remaining -= 1
        if not remaining:
            then()
        return result

    for deferred in deferreds:
        deferred.addBoth(one_less)
    one_less()
