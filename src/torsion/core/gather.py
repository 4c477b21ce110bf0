"""Many Deferreds, one answer: each tells its list once, by index; what the list does then is a matter of three flags.

An inner Deferred keeps its result for whoever else listens, unless told to be consumed: what the list returns to the
inner's chain is the whole difference (semantics 16, 17).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .. import report
from ..failure import Failure
from .deferred import FAILURE, SUCCESS, Deferred


class FirstError(Exception):
    """What a list that fires on one errback fails with: ``subFailure``, and the ``index`` of its Deferred."""

    def __init__(self, failure: Failure, index: int) -> None:
        super().__init__(failure, index)
        self.subFailure = failure
        self.index = index

    def __repr__(self) -> str:
        return f"FirstError[#{self.index}, {self.subFailure.value!r}]"

    def __str__(self) -> str:
        return f"FirstError[#{self.index}, {self.subFailure}]"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FirstError):
            return NotImplemented
        return (self.index, self.subFailure) == (other.index, other.subFailure)

    def __hash__(self) -> int:
        return hash((self.subFailure, self.index))


class FailureGroup(Exception):
    """Everybody in a race failed: ``failures`` in the order of the Deferreds."""

    def __init__(self, failures: Sequence[Failure]) -> None:
        super().__init__()
        self.failures = failures


FirstError.__module__ = FailureGroup.__module__ = "torsion.defer"  # where programs find them


class DeferredList(Deferred):
    """Fires when every Deferred of `deferredList` has, with a list of (success, result) in their order.

    `fireOnOneCallback`: fires with (result, index) of the first success instead. `fireOnOneErrback`: fails with
    FirstError(failure, index) at the first failure. `consumeErrors`: a failure goes on in its own chain as None, so
    that it is not reported as unhandled. The others are not cancelled when it fires early; ``cancel`` cancels all of
    them and fires only through what that makes of them.
    Contract: ``twisted.internet.defer.DeferredList``; semantics 16.
    """

    def __init__(
        self,
        deferredList: Iterable[Deferred],
        fireOnOneCallback: bool = False,
        fireOnOneErrback: bool = False,
        consumeErrors: bool = False,
    ) -> None:
        inners = list(deferredList)
        self._deferredList = inners
        self.resultList: list[Any] = [None] * len(inners)
        Deferred.__init__(self)
        if not inners and not fireOnOneCallback:
            self.callback(self.resultList)
        # All of it stands before the first inner is asked: one that has fired answers at once.
        self.fireOnOneCallback = fireOnOneCallback
        self.fireOnOneErrback = fireOnOneErrback
        self.consumeErrors = consumeErrors
        self.finishedCount = 0
        self._listen(inners)

    def _listen(self, inners: list[Deferred]) -> None:
        for index, inner in enumerate(inners):
            slot = _Slot(self, index)
            if type(inner) is Deferred:
                plain = inner
                plain._add(slot, slot, None)
            else:  # a subclass may have its own way
                inner.addCallbacks(slot, slot)

    def cancel(self) -> None:
        if not self.called:
            # Empty meanwhile: an inner that waits for this list hands the cancelling back to it, and so on for ever.
            inners, self._deferredList = self._deferredList, []
            _cancel_each(inners)
            self._deferredList = inners


class _Slot:
    """The place of one inner Deferred in a list, and what that calls, with a result or with a failure."""

    def __init__(self, owner: DeferredList, index: int) -> None:
        self.owner = owner
        self.index = index

    def __call__(self, result: Any) -> Any:
        owner = self.owner
        failed = isinstance(result, BaseException) and isinstance(result, Failure)  # see Deferred._advance
        owner.resultList[self.index] = (FAILURE, result) if failed else (SUCCESS, result)
        owner.finishedCount += 1
        if not owner.called:
            if owner.fireOnOneCallback and not failed:
                owner.callback((result, self.index))
            elif owner.fireOnOneErrback and failed:
                owner.errback(Failure(FirstError(result, self.index)))
            elif owner.finishedCount == len(owner.resultList):
                owner.callback(owner.resultList)
        if failed and owner.consumeErrors:
            return None
        return result


def _cancel_each(deferreds: Iterable[Deferred]) -> None:
    """Cancel all, the rest too when a canceller raises: nobody could receive that error."""
    for deferred in deferreds:
        try:
            deferred.cancel()
        except BaseException:
            report.failure("Exception raised from user supplied canceller", Failure())


def gatherResults(deferredList: Iterable[Deferred], consumeErrors: bool = False) -> Deferred:
    """A Deferred of all results in order; it fails with FirstError as soon as one of `deferredList` fails.

    Contract: ``twisted.internet.defer.gatherResults``; semantics 17.
    """
    gathered = DeferredList(deferredList, fireOnOneErrback=True, consumeErrors=consumeErrors)
    gathered.addCallback(_values)
    return gathered


def _values(results: list[tuple[bool, Any]]) -> list[Any]:
    return [value for _, value in results]


class _Race:
    """The first success wins: the losers are cancelled, and only then is the winner told (semantics 17)."""

    def __init__(self, runners: list[Deferred]) -> None:
        self.runners = runners
        self.failures: dict[int, Failure] = {}
        self.decided = False
        self.cancelling = False
        self.outcome: Deferred = Deferred(self.cancel)

    def start(self) -> Deferred:
        for index, runner in enumerate(self.runners):
            runner.addCallbacks(self.won, self.lost, (index,), None, (index,), None)
        return self.outcome

    def won(self, value: Any, index: int) -> None:
        if not self.decided:
            self.decided = True
            winner = self.runners[index]  # which may run in several places
            _cancel_each(runner for runner in self.runners if runner is not winner)
            self.outcome.callback((index, value))

    def lost(self, failure: Failure, index: int) -> None:
        if not self.decided:
            self.failures[index] = failure
            if len(self.failures) == len(self.runners):
                self.decided = True
                self.outcome.errback(FailureGroup([self.failures[i] for i in range(len(self.runners))]))

    def cancel(self, _: Deferred) -> None:
        if not self.cancelling:  # a runner may wait for the outcome
            self.cancelling = True
            _cancel_each(self.runners)
            self.cancelling = False


def race(ds: Sequence[Deferred]) -> Deferred:
    """A Deferred of (index, value) of the first of `ds` to succeed; the others are cancelled, and all are consumed.

    If all fail, it fails with a FailureGroup. Cancelling it cancels all of `ds`. An empty race never ends. What a
    canceller raises is reported (in Twisted it takes the place of the winner's result, and the race never ends).
    Contract: ``twisted.internet.defer.race``; semantics 17.
    """
    return _Race(list(ds)).start()
