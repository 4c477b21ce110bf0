"""Private names of `twisted.internet.default`."""

import select
from typing import Any

# By these names, and not by ours: a program may look for the module of an `install` by its name in `sys.modules`.
from twisted.internet import epollreactor, pollreactor, selectreactor

__all__ = ["_getInstallFunction"]


def _getInstallFunction(platform: Any) -> Any:
    """What Twisted would install on a platform, which is a `twisted.python.runtime.Platform`."""
    if platform.isWindows() or platform.isMacOSX():
        return selectreactor.install
    wanted = [("poll", pollreactor.install), ("select", selectreactor.install)]
    if platform.isLinux():
        wanted.insert(0, ("epoll", epollreactor.install))
    return next(install for name, install in wanted if hasattr(select, name))
