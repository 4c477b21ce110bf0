"""Private names of `twisted.protocols.basic` that packages use."""

from torsion.protocols.basic import _Pauseable

__all__ = ["_PauseableMixin"]


class _PauseableMixin:
    """What a receiver of lines has to be paused, for a class that is a protocol by another base."""

    paused = False
    pauseProducing = _Pauseable.pauseProducing
    resumeProducing = _Pauseable.resumeProducing
    stopProducing = _Pauseable.stopProducing
