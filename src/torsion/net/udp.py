"""UDP: ports for datagrams over IPv4 and IPv6.

A port is one or the other, by the interface that it is bound to. Addresses are given in figures, as a pair of host and
port: a write happens at once, and a name would have to be looked up first (76).
"""

from __future__ import annotations

import socket
from typing import Any

from ..address import IPv4Address, IPv6Address
from ..error import CannotListenError, InvalidAddressError
from .binding import Binding, adopted, makeBinding, resolve_ipv6
from .datagramport import DatagramPort
from .filedescriptor import isIPAddress, isIPv6Address


class Port(DatagramPort):
    """A UDP socket. Contract: IUDPTransport, IListeningPort, ISystemHandle."""

    addressFamily: Any = socket.AF_INET

    def __init__(
        self, port: Any, proto: Any, interface: str = "", maxPacketSize: int = 8192, reactor: Any = None
    ) -> None:
        """A port may be a Binding. Raises InvalidAddressError for an interface that is no address in figures."""
        super().__init__(proto, maxPacketSize, reactor)
        self._binding = self._binding_of(port, interface)
        self.port, self.interface = self._binding.port, self._binding.interface
        self._setAddressFamily()

    def _binding_of(self, port: Any, interface: str) -> Binding:
        if not isinstance(port, Binding):
            return makeBinding(interface, port)
        if interface not in ("", port.interface):
            raise ValueError(f"two interfaces are given to listen on: {interface!r} and that of {port}")
        return port

    def _setAddressFamily(self) -> None:
        if isIPv6Address(self.interface):
            self.addressFamily = socket.AF_INET6
        elif self.interface and not isIPAddress(self.interface):
            raise InvalidAddressError(self.interface, "not an IPv4 or IPv6 address.")

    @classmethod
    def _fromListeningDescriptor(
        cls, reactor: Any, fd: int, addressFamily: int, protocol: Any, maxPacketSize: int
    ) -> Port:
        """A port for a descriptor that is bound already. It is duplicated; close yours (101)."""
        with adopted(fd, addressFamily, cls.socketType) as skt:
            interface, port = skt.getsockname()[:2]
            self = cls(port, protocol, interface=interface, maxPacketSize=maxPacketSize, reactor=reactor)
        self._preexistingSocket = skt
        return self

    def bound_socket(self) -> Any:
        skt = None
        try:
            skt = self.createInternetSocket()
            self._binding.apply(skt)
        except BaseException as error:
            if skt is not None:
                skt.close()
            if isinstance(error, OSError):
                raise CannotListenError(self.interface, self.port, error) from None
            raise
        return skt

    def number_of(self, skt: Any) -> Any:
        return skt.getsockname()[1]

    def connect(self, host: str, port: int) -> None:
        """Send to this address and hear of this one alone, from now on. It is to be in figures.

        Raises InvalidAddressError for a name, or an address of the other family; RuntimeError if it is connected.
        """
        if self._connectedAddr is not None:
            raise RuntimeError(f"the port is connected to {self._connectedAddr!r} already, and cannot be to {host!r}")
        if not isIPAddress(host) and not isIPv6Address(host):
            raise InvalidAddressError(host, "not an IPv4 or IPv6 address.")
        if not isIPAddress(host, self.addressFamily):
            raise InvalidAddressError(host, f"not an address for {self!r}, which is of another family")
        self.socket.connect((host, port) if self.addressFamily == socket.AF_INET else resolve_ipv6(host, port))
        self._connectedAddr = (host, port)

    def check_destination(self, addr: Any) -> None:
        super().check_destination(addr)
        if addr is None or self._connectedAddr is not None:
            return
        host = addr[0]
        if isIPAddress(host, self.addressFamily) or (host == "<broadcast>" and self.addressFamily == socket.AF_INET):
            return
        if isIPAddress(host):
            raise InvalidAddressError(host, "IPv6 port write() called with IPv4 or broadcast address")
        if isIPv6Address(host):
            raise InvalidAddressError(host, "IPv4 port write() called with IPv6 address")
        raise InvalidAddressError(host, "write() only accepts IP addresses, not hostnames")

    def tell(self, data: bytes, address: Any) -> None:
        """An IPv6 address becomes a pair, to which an answer can be written: its scope goes with the host."""
        if address.__class__ is tuple and len(address) == 4:
            address = pair(address)
        super().tell(data, address)

    def getHost(self) -> Any:
        """The address that it is bound to. AttributeError while it is not open."""
        name = self.socket.getsockname()
        if self.addressFamily == socket.AF_INET6:
            return IPv6Address("UDP", *pair(name))
        return IPv4Address("UDP", *name)

    def setBroadcastAllowed(self, enabled: bool) -> None:
        """Whether it may send to a network's broadcast address. Off at first."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, bool(enabled))

    def getBroadcastAllowed(self) -> bool:
        return bool(self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST))


def pair(address: tuple[str, int, int, int]) -> tuple[str, int]:
    """Host and port of an IPv6 address, with the scope as figures show it: an interface's name, or its number."""
    host, port, _, scope = address
    if not scope or "%" in host:
        return host, port
    try:
        return f"{host}%{socket.if_indextoname(scope)}", port
    except OSError:  # there is no such interface any more
        return f"{host}%{scope}", port
