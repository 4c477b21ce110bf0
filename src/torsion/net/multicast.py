"""Multicast: a UDP port that joins groups, and says how far and through which interface it sends to them.

The kernel names an interface by its address in IPv4 and by its number in IPv6; so do these methods.
"""

from __future__ import annotations

import errno
import socket
import struct
from typing import Any, NamedTuple

from ..address import IPv6Address
from ..core.deferred import Deferred, fail, succeed
from ..error import DNSLookupError, MulticastJoinError
from ..failure import Failure
from .binding import Binding, makeBinding
from .filedescriptor import isIPAddress, isIPv6Address
from .udp import Port


class Options(NamedTuple):
    """The names of a protocol's socket options."""

    level: int
    join: int
    leave: int
    ttl: int
    loopback: int
    interface: int


OPTIONS = {
    socket.AF_INET: Options(
        socket.IPPROTO_IP,
        socket.IP_ADD_MEMBERSHIP,
        socket.IP_DROP_MEMBERSHIP,
        socket.IP_MULTICAST_TTL,
        socket.IP_MULTICAST_LOOP,
        socket.IP_MULTICAST_IF,
    ),
    socket.AF_INET6: Options(
        socket.IPPROTO_IPV6,
        socket.IPV6_JOIN_GROUP,
        socket.IPV6_LEAVE_GROUP,
        socket.IPV6_MULTICAST_HOPS,
        socket.IPV6_MULTICAST_LOOP,
        socket.IPV6_MULTICAST_IF,
    ),
}


class MulticastPort(Port):
    """A UDP socket for groups. Contract: IMulticastTransport."""

    def __init__(
        self,
        port: Any,
        proto: Any,
        interface: str = "",
        maxPacketSize: int = 8192,
        reactor: Any = None,
        listenMultiple: bool = False,
    ) -> None:
        """With ``listenMultiple``, other sockets on this machine may have the same port."""
        self.listenMultiple = listenMultiple
        super().__init__(port, proto, interface, maxPacketSize, reactor)

    def _binding_of(self, port: Any, interface: str) -> Binding:
        binding = super()._binding_of(port, interface)
        if not self.listenMultiple:
            return binding
        return makeBinding(binding.interface, binding.port, reuseAddress=True, reusePort=True)

    @property
    def _options(self) -> Options:
        return OPTIONS[self.addressFamily]

    def joinGroup(self, addr: str, interface: Any = "") -> Deferred:
        """Receive what is sent to the group ``addr``, an address or a name, through this interface ("": any).

        The Deferred fires with None, or with a MulticastJoinError.
        """
        return self._change_membership(self._options.join, addr, interface)

    def leaveGroup(self, addr: str, interface: Any = "") -> Deferred:
        """Take joinGroup back; the same arguments are to be given."""
        return self._change_membership(self._options.leave, addr, interface)

    def _change_membership(self, option: int, addr: str, interface: Any) -> Deferred:
        def change(group: str) -> Deferred:
            where = self._interface(interface)
            return where.addCallbacks(lambda where: self._set_membership(option, group, where), no_interface)

        def no_interface(reason: Failure) -> Failure:
            if reason.check(DNSLookupError):
                return reason
            raise MulticastJoinError(addr, interface, *reason.value.args)

        return self._figures(addr).addCallback(change)

    def _set_membership(self, option: int, group: str, interface: Any) -> None:
        request = socket.inet_pton(self.addressFamily, group) + _packed(interface)
        try:
            self.socket.setsockopt(self._options.level, option, request)
        except OSError as error:
            raise MulticastJoinError(group, interface, *error.args) from None

    def _figures(self, name: str) -> Deferred:
        """A Deferred of an address of the port's family, by itself or by a name."""
        if isIPAddress(name, self.addressFamily):
            return succeed(name.partition("%")[0])
        if isIPAddress(name) or isIPv6Address(name):
            return fail(Failure(self._of_other_family(name)))
        return resolve(self.reactor, name, self.addressFamily).addCallback(self._resolved)

    def _resolved(self, address: str) -> str:
        if not isIPAddress(address, self.addressFamily):
            raise self._of_other_family(address)
        return address

    def _of_other_family(self, address: str) -> MulticastJoinError:
        name = "AF_INET" if self.addressFamily == socket.AF_INET else "AF_INET6"
        return MulticastJoinError(f"invalid address literal for {name}: {address!r}")

    def _interface(self, interface: Any) -> Deferred:
        """A Deferred of an interface as the kernel names it: an IPv4 address, or a number."""
        if self.addressFamily == socket.AF_INET:
            return self._figures(interface or "0.0.0.0")
        try:
            return succeed(interface_number(interface))
        except OSError:
            return fail(Failure(OSError(errno.ENODEV, f"there is no interface {interface!r}")))

    def setOutgoingInterface(self, addr: Any) -> Deferred:
        """Send to groups through this interface: an IPv4 address or host name; a number (or a name) in IPv6.

        The Deferred fires with 1, or with what is wrong: an OSError as a rule.
        """
        if self.addressFamily == socket.AF_INET and not isinstance(addr, str):
            return fail(Failure(AssertionError(f"IPv4 names an interface by its address, not by {addr!r}")))
        return self._interface(addr).addCallback(self._set_interface)

    def _set_interface(self, interface: Any) -> int:
        self.socket.setsockopt(self._options.level, self._options.interface, _packed(interface))
        return 1

    def getOutgoingInterface(self) -> Any:
        """The interface that it sends to groups through: an IPv4 address ("0.0.0.0": any), or a number (0) in IPv6."""
        packed = self.socket.getsockopt(self._options.level, self._options.interface, 4)
        return socket.inet_ntoa(packed) if self.addressFamily == socket.AF_INET else struct.unpack("=I", packed)[0]

    def getLoopbackMode(self) -> bool:
        """Whether this machine hears what it sends to groups. On at first."""
        return bool(self.socket.getsockopt(self._options.level, self._options.loopback))

    def setLoopbackMode(self, mode: Any) -> None:
        self.socket.setsockopt(self._options.level, self._options.loopback, bool(mode))

    def getTTL(self) -> int:
        """How many routers pass on what it sends to groups. 1 at first: none."""
        return int(self.socket.getsockopt(self._options.level, self._options.ttl))

    def setTTL(self, ttl: int) -> None:
        """Raises ValueError for a number that is not from 0 to 255."""
        if not 0 <= ttl <= 255:
            raise ValueError(f"a TTL is a number from 0 to 255, not {ttl!r}")
        self.socket.setsockopt(self._options.level, self._options.ttl, ttl)


class FirstAddress:
    """Takes what a name resolver finds, and fires with the first address. Contract: IResolutionReceiver."""

    def __init__(self, name: str) -> None:
        self.found = Deferred()
        self._name = name

    def resolutionBegan(self, resolution: Any) -> None:
        """Nothing: it is not cancelled."""

    def addressResolved(self, address: Any) -> None:
        if not self.found.called:
            self.found.callback(address.host)

    def resolutionComplete(self) -> None:
        if not self.found.called:
            self.found.errback(Failure(DNSLookupError(f"DNS lookup failed: {self._name}.")))


def resolve(reactor: Any, name: str, family: int) -> Deferred:
    """A Deferred of an address of the host `name`, or of a DNSLookupError."""
    if family == socket.AF_INET:
        address: Deferred = reactor.resolve(name)
        return address
    receiver = FirstAddress(name)
    reactor.nameResolver.resolveHostName(receiver, name, 0, [IPv6Address], "UDP")
    return receiver.found


def _packed(interface: Any) -> bytes:
    return struct.pack("=I", interface) if isinstance(interface, int) else socket.inet_aton(interface)


def interface_number(interface: Any) -> int:
    """The number of an interface: by itself, by its name, or by the scope of an address; 0 for any.

    Raises OSError if there is no such interface.
    """
    if isinstance(interface, int):
        return interface
    if isIPv6Address(interface):
        interface = interface.partition("%")[2]
    if not interface:
        return 0
    return int(interface) if interface.isdecimal() else socket.if_nametoindex(interface)
