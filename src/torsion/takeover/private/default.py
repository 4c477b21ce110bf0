"""What a program gets for `twisted.internet.default`.

Its `install` is the function of the very module whose reactor is the default one: programs look where it comes from, to
learn which reactor that is. So that module is there under Twisted's name, too.
"""

import importlib
import select
from collections.abc import Callable
from typing import Any

from torsion import epollreactor, pollreactor, selectreactor
from torsion.engine.poll import best

__all__ = ["_getInstallFunction", "install"]

install: Callable[[], None] = importlib.import_module(f"twisted.internet.{best()}reactor").install


def _getInstallFunction(platform: Any) -> Callable[[], None]:
    """What Twisted would install on a platform, which is a `twisted.python.runtime.Platform`."""
    if platform.isWindows() or platform.isMacOSX():
        return selectreactor.install
    wanted = [("poll", pollreactor.install), ("select", selectreactor.install)]
    if platform.isLinux():
        wanted.insert(0, ("epoll", epollreactor.install))
    return next(install for name, install in wanted if hasattr(select, name))
