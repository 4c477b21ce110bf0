"""Dynamic context: values seen by everything called below a point, in this thread.

A thread has a stack of dicts. A call pushes one, a lookup searches from the top down, and the bottom is one dict shared
by all threads: the defaults. Only the topmost dict travels with work given to another thread (semantics 50).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import local
from typing import Any, Protocol, TypeVar

_R = TypeVar("_R")

#: The bottom of every stack: what :func:`setDefault` has set, for all threads.
defaultContextDict: dict[Any, Any] = {}

setDefault = defaultContextDict.__setitem__


class ContextTracker:
    """The stack of one thread. `contexts` is the list of dicts, topmost last."""

    def __init__(self) -> None:
        self.contexts: list[Mapping[Any, Any]] = [defaultContextDict]

    def callWithContext(self, newContext: Mapping[Any, Any], func: Callable[..., _R], *args: Any, **kw: Any) -> _R:
        """Call `func` with `newContext` on top of the stack, and return its result."""
        self.contexts.append(newContext)
        try:
            return func(*args, **kw)
        finally:
            self.contexts.pop()

    def topmost(self) -> Mapping[Any, Any]:
        """The dict that goes along with work handed to another thread."""
        return self.contexts[-1]

    def getContext(self, key: Any, default: Any = None) -> Any:
        """The value of `key` in the topmost dict that has it."""
        for context in reversed(self.contexts):
            if key in context:
                return context[key]
        return default


class _Storage(local):
    """Gives each thread its own tracker, when the thread first asks."""

    def __init__(self) -> None:
        self.tracker = ContextTracker()


class ThreadedContextTracker:
    """The calling thread's tracker. Any thread."""

    def __init__(self) -> None:
        self.storage: Any = _Storage()

    def currentContext(self) -> ContextTracker:
        tracker: ContextTracker = self.storage.tracker
        return tracker

    def callWithContext(self, ctx: Mapping[Any, Any], func: Callable[..., _R], *args: Any, **kw: Any) -> _R:
        tracker: ContextTracker = self.storage.tracker
        return tracker.callWithContext(ctx, func, *args, **kw)

    def getContext(self, key: Any, default: Any = None) -> Any:
        return self.storage.tracker.getContext(key, default)


class Tracker(Protocol):
    """What :func:`installContextTracker` takes."""

    def currentContext(self) -> Any: ...
    def callWithContext(self, ctx: Mapping[Any, Any], func: Callable[..., _R], *args: Any, **kw: Any) -> _R: ...
    def getContext(self, key: Any, default: Any = None) -> Any: ...


theContextTracker: Tracker = ThreadedContextTracker()


def call(ctx: Mapping[Any, Any], func: Callable[..., _R], *args: Any, **kw: Any) -> _R:
    """Call `func` with the values of `ctx` visible to :func:`get` in everything it calls, in this thread.

    Contract: Twisted's ``context.call``.
    """
    return theContextTracker.callWithContext(ctx, func, *args, **kw)


def get(key: Any, default: Any = None) -> Any:
    """The innermost value of `key` in this thread's context. Contract: Twisted's ``context.get``."""
    return theContextTracker.getContext(key, default)


def travelling() -> Mapping[Any, Any]:
    """The dict that goes along with work handed to another thread: the topmost one, not a copy (semantics 50).

    The seam for a context that is computed rather than pushed (semantics 44): a tracker may answer here with a dict
    made up for the occasion.
    """
    current = theContextTracker.currentContext()
    top: Mapping[Any, Any] = current.topmost() if isinstance(current, ContextTracker) else current.contexts[-1]
    return top


def depth() -> int:
    """How many dicts there are in the calling thread's stack; 0 if a tracker of another kind keeps it."""
    tracker = theContextTracker
    return len(tracker.storage.tracker.contexts) if isinstance(tracker, ThreadedContextTracker) else 0


def installContextTracker(ctr: Tracker) -> None:
    """Let `ctr` answer :func:`call` and :func:`get` from now on, in all threads."""
    global theContextTracker
    theContextTracker = ctr
