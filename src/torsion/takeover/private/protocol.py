"""Private names of `twisted.internet.protocol` that packages use."""

from torsion.protocol import _OneConnection as _InstanceFactory

__all__ = ["_InstanceFactory"]
