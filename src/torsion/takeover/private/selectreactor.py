"""Private names of `twisted.internet.selectreactor` that Twisted's reactor with a selecting thread stands on."""

from collections.abc import Callable
from select import select as _select
from typing import Any

__all__ = ["_preenDescriptors", "_select"]


def _preenDescriptors(readers: set[Any], writers: set[Any], disconnect: Callable[[Any, Any, bool], object]) -> None:
    """Take out of both sets what cannot be waited for, and have it disconnected."""
    unusable = []
    for watched in (readers, writers):
        for each in list(watched):
            try:
                _select([each], [each], [each], 0)
            except Exception as error:
                watched.discard(each)
                unusable.append((each, error))
    for each, why in unusable:
        disconnect(each, why, False)
