"""What programs subclass to bring file descriptors of their own. Contract: twisted.internet.abstract."""

from __future__ import annotations

from . import reactors as _reactors  # noqa: F401 - knows the reactor that is meant when none is given
from .net.filedescriptor import FileDescriptor, isIPAddress, isIPv6Address

__all__ = ["FileDescriptor", "isIPAddress", "isIPv6Address"]
