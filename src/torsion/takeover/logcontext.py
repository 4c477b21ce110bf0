"""Twisted's log context, of which the log's "system" is a part, made up when somebody asks for it.

Twisted pushes a context for each I/O event, in case something is logged during it. Here nothing is pushed: whoever
looks the context up in an event finds one that says whom the loop serves (semantics 44). What was pushed inside the
event goes before that, and that before what is older than the loop. Work given to a thread takes the answer along (50).
"""

from typing import Any

from torsion.contract import running_event
from torsion.pool import context


class LogContext(context.ThreadedContextTracker):
    """Answers for one key (Twisted's ILogContext) itself, and otherwise as the tracker whose place it takes."""

    def __init__(self, key: object) -> None:
        super().__init__()
        self._key = key
        before = context.theContextTracker
        if isinstance(before, context.ThreadedContextTracker):
            self.storage = before.storage  # somebody may be inside a context right now

    def getContext(self, key: Any, default: Any = None) -> Any:
        event = running_event() if key is self._key else None
        if event is None:
            return super().getContext(key, default)
        system, older = event
        for pushed in reversed(self.storage.tracker.contexts[older:]):
            if key in pushed:
                return pushed[key]
        return {**(super().getContext(key) or {}), "system": system}

    def currentContext(self) -> context.ContextTracker:
        tracker = super().currentContext()
        event = running_event()
        if event is None or len(tracker.contexts) > event[1]:
            return tracker
        view = context.ContextTracker()
        view.contexts = [*tracker.contexts, {self._key: self.getContext(self._key)}]
        return view


def install(log: Any) -> None:
    """Look the log's context up in this way from now on; `log` is the module `twisted.python.log`."""
    context.installContextTracker(LogContext(log.ILogContext))
