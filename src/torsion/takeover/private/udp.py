"""Names of `twisted.internet.udp` that Twisted's tests use: they add errors of their own to these lists."""

from torsion.net.datagram import NOTHING_NOW as _sockErrReadIgnore
from torsion.net.datagram import REFUSED as _sockErrReadRefuse

__all__ = ["_sockErrReadIgnore", "_sockErrReadRefuse"]
