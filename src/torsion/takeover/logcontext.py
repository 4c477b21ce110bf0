"""Twisted's log context, computed when it is asked for: who is served now need not be pushed at each event.

Twisted's loop pushes it: during an event, the context's "system" is what the served object's logPrefix() says. Here it
is put together when something is logged (semantics 44). What was pushed inside the event wins, then comes who is
served, then what was pushed before. Work given to a thread takes along what is seen at that moment (50).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import local
from typing import Any, TypeVar

from torsion.contract import running_event, running_system
from torsion.pool.context import ContextTracker, ThreadedContextTracker

_R = TypeVar("_R")


class Stack(ContextTracker):
    """One thread's, which knows of each entry in which event it was pushed."""

    def __init__(self) -> None:
        super().__init__()
        self._events: list[int | None] = [None]

    def callWithContext(self, newContext: Mapping[Any, Any], func: Callable[..., _R], *args: Any, **kw: Any) -> _R:
        self._events.append(running_event())
        try:
            return super().callWithContext(newContext, func, *args, **kw)
        finally:
            self._events.pop()

    def getContext(self, key: Any, default: Any = None) -> Any:
        event = running_event()
        if event is None or not _is_log_context(key):
            return super().getContext(key, default)
        for entry, pushed_in in zip(reversed(self.contexts), reversed(self._events), strict=True):
            if key in entry:
                return entry[key] if pushed_in == event else {**entry[key], "system": running_system()}
        return default

    def topmost(self) -> Mapping[Any, Any]:
        event = running_event()
        if event is None or self._events[-1] == event:
            return super().topmost()
        key = next((key for key in self.contexts[0] if _is_log_context(key)), None)
        return super().topmost() if key is None else {key: self.getContext(key)}


class _Storage(local):
    def __init__(self) -> None:
        self.tracker = Stack()


class LogContext(ThreadedContextTracker):
    """What `torsion.pool.context.installContextTracker` gets."""

    def __init__(self) -> None:
        self.storage = _Storage()


def _is_log_context(key: Any) -> bool:
    return getattr(key, "__name__", "") == "ILogContext" and str(key.__module__).startswith("twisted.")
