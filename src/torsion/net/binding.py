"""Where a TCP socket is on this side: an interface, a port, and whether others may have the same one."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

NUMERIC_ONLY = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


class Binding(NamedTuple):
    """What makeBinding makes."""

    interface: str
    port: int
    reuse_address: bool
    reuse_port: bool

    def apply(self, skt: socket.socket) -> None:
        """Bind the socket. Raises OSError; OverflowError or TypeError for a port that is none."""
        skt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, self.reuse_address)
        if self.reuse_port:
            skt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, True)
        if ":" in self.interface:
            address = resolve_ipv6(self.interface, self.port)
        else:
            address = self.interface, self.port
        try:
            skt.bind(address)
        except (OverflowError, TypeError) as error:
            raise type(error)(f"cannot bind to port {self.port!r} of {self.interface!r}: {error}") from None


def makeBinding(interface: str = "", port: int = 0, reuseAddress: bool = False, reusePort: bool = False) -> Binding:
    """What listenTCP takes as a port and connectTCP as a bindAddress.

    ``interface`` is an address in figures, "" for any. ``reuseAddress`` allows a port whose last connections are not
    quite over yet, ``reusePort`` several sockets on one port. Contract: twisted.internet.tcp.makeBinding.
    """
    return Binding(interface, port, bool(reuseAddress), bool(reusePort))


def for_connecting(where: Any) -> Binding | None:
    """A Binding of a bindAddress: None, a Binding, a host, or a host and a port."""
    if where is None or isinstance(where, Binding):
        return where
    return makeBinding(where) if isinstance(where, str) else makeBinding(*where)


def for_listening(port: Any, interface: str) -> Binding:
    """A Binding of a port, which may be one already. ValueError if it contradicts ``interface``."""
    if not isinstance(port, Binding):
        return makeBinding(interface, port, reuseAddress=True)
    if interface not in ("", port.interface):
        raise ValueError(f"two interfaces are given to listen on: {interface!r} and that of {port}")
    return port


@contextmanager
def adopted(fd: int, family: int, kind: int) -> Iterator[socket.socket]:
    """A socket on a duplicate of a descriptor, which stays its owner's; closed again if the block raises (101).

    OSError if the descriptor is none, or no socket.
    """
    copy = os.dup(fd)
    try:
        skt = socket.socket(family, kind, 0, copy)
    except BaseException:
        os.close(copy)
        raise
    try:
        skt.setblocking(False)
        yield skt
    except BaseException:
        skt.close()
        raise


def resolve_ipv6(host: str, port: Any) -> tuple[Any, ...]:
    """The socket address of an IPv6 address in figures, its scope included. Raises socket.gaierror for a name (71).

    A port that is none is kept, for whoever uses the address to refuse.
    """
    address = socket.getaddrinfo(host, port if isinstance(port, str) else 0, 0, 0, 0, NUMERIC_ONLY)[0][4]
    return address[0], port, *address[2:]
