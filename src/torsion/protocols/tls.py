"""TLS over any transport. Contract: twisted.protocols.tls.

factory = TLSMemoryBIOFactory(context, False, factory)  # a server's; `context` is an ssl.SSLContext
reactor.listenUNIX(path, factory)
"""

from __future__ import annotations

from .. import reactors as _reactors  # noqa: F401 - knows the reactor that is meant when none is given
from ..net.tls.factory import TLSMemoryBIOFactory
from ..net.tls.protocol import HandshakeTimeout
from ..net.tls.settings import Settings
from ..net.tls.transport import TLSMemoryBIOProtocol

__all__ = ["HandshakeTimeout", "Settings", "TLSMemoryBIOFactory", "TLSMemoryBIOProtocol"]
