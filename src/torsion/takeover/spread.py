"""What a Failure tells a peer of `twisted.spread`: the names of its classes, which the peer's check() compares with.

Until 24.3 Twisted sent its `__dict__`, where ours need not have them. What ours keeps there for itself does not travel.
"""

from types import ModuleType
from typing import Any


def install(pb: ModuleType) -> None:
    """Let the copyable failures of this module, `twisted.spread.pb`, send the names."""
    kind: Any = pb.CopyableFailure
    collect = kind.getStateToCopy

    def getStateToCopy(self: Any) -> dict[str, Any]:
        state: dict[str, Any] = {**collect(self), "parents": self.parents}
        for name in ("_parents", "_frames"):
            state.pop(name, None)
        return state

    kind.getStateToCopy = getStateToCopy
