"""Names of `twisted.internet.udp`: two lists that Twisted's tests add errors to, and a class by its older name."""

from torsion.net.datagram import NOTHING_NOW as _sockErrReadIgnore
from torsion.net.datagram import REFUSED as _sockErrReadRefuse
from torsion.net.multicast import MulticastPort

__all__ = ["MulticastMixin", "_sockErrReadIgnore", "_sockErrReadRefuse"]

#: What makes a port one of multicast; with us that is the port itself.
MulticastMixin = MulticastPort
