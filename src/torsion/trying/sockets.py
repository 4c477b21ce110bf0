"""Stream sockets in memory: what a kernel does for the two ends of a connection, without a kernel.

They answer the calls that net/ makes of a socket object as Linux does, errors included, so that the real ports,
connectors and transports stand on them; net/stream.py drives a socket that is not the standard library's through the
contract's methods. Nothing happens by itself here: what one end does, the other finds when it is looked at, and the
order in which readiness is told is that in which the sockets were made.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections import deque
from typing import Any

from ..engine.poll import GONE, READ, WRITE

FIRST_NUMBER = 1 << 16
"""Descriptors begin here: a process under test has none of the system's as large. (An engine's list is as long.)"""
FIRST_PORT = 49152
"""The first of the ports that are given to who asks for any."""
WINDOW = 65536
"""How many bytes wait for a reader before who writes has to wait, too."""
LINGER_NOT = struct.pack("ii", 1, 0)
ANY = ("", "0.0.0.0", "::")


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number))


class Network:
    """The sockets of one virtual reactor.

    A host in `silent` answers nothing: who connects to it waits for the timeout. Every other host is this one: a port
    that listens on all interfaces is reached at any address, and one on an interface at that address.
    """

    def __init__(self) -> None:
        self.window = WINDOW
        self.silent: set[str] = set()
        self.open: dict[int, MemorySocket] = {}
        self.bound: list[MemorySocket] = []
        self._next_number = FIRST_NUMBER
        self._next_port = FIRST_PORT

    def socket(self, family: int) -> MemorySocket:
        """A new one."""
        return MemorySocket(self, family)

    def number(self) -> int:
        self._next_number += 1
        return self._next_number - 1

    def ready(self, watched: dict[int, int]) -> list[tuple[int, int]]:
        """What there is to tell those who watch: {number: interest}."""
        found = []
        for number in sorted(watched):
            skt = self.open.get(number)
            if skt is not None:
                ready = skt.readiness() & (watched[number] | GONE)
                if ready:
                    found.append((number, ready))
        return found

    def free_port(self, family: int, host: str) -> int:
        port = self._next_port
        self._next_port = port + 1 if port < 65535 else FIRST_PORT
        return port if self.who_has(family, (host, port)) is None else self.free_port(family, host)

    def who_has(self, family: int, address: Any) -> MemorySocket | None:
        """The socket that is bound so that this address cannot be bound again."""
        for skt in self.bound:
            if skt.family == family and _same_place(family, skt.name, address):
                return skt
        return None

    def listening(self, family: int, address: Any) -> MemorySocket | None:
        """Who listens at this address: the one that has it, before one that has all."""
        ports = [skt for skt in self.bound if skt.family == family and skt.queue is not None]
        if family == socket.AF_UNIX:
            return next((skt for skt in ports if skt.name == address), None)
        ports = [skt for skt in ports if skt.name[1] == address[1]]
        exact = [skt for skt in ports if skt.name[0] == address[0]]
        return next(iter(exact + [skt for skt in ports if skt.name[0] in ANY]), None)


def _same_place(family: int, one: Any, other: Any) -> bool:
    if family == socket.AF_UNIX:
        return bool(one == other)
    return one[1] == other[1] and (one[0] == other[0] or one[0] in ANY or other[0] in ANY)


class MemorySocket:
    """A socket of a Network. It has what net/ asks of one; raises OSError as the system's does."""

    type = socket.SOCK_STREAM
    proto = 0

    def __init__(self, network: Network, family: int) -> None:
        self.network, self.family = network, family
        self.name: Any = b"" if family == socket.AF_UNIX else (ANY[1 if family == socket.AF_INET else 2], 0)
        self.peer_name: Any = None
        self.peer: MemorySocket | None = None
        self.queue: deque[MemorySocket] | None = None  # of a port: who waits to be accepted
        self.backlog = 0
        self.destination: Any = None  # of an attempt that is under way
        self.received = bytearray()
        self.read_shut = self.write_shut = False  # by this end
        self.reset = False
        self._told_of_reset = False
        self._options: dict[tuple[int, int], Any] = {}
        self._number = network.number()
        network.open[self._number] = self

    def __repr__(self) -> str:
        return f"<MemorySocket {self._number} at {self.name} to {self.peer_name}>"

    def fileno(self) -> int:
        return self._number

    def setblocking(self, flag: bool) -> None:
        """It never blocks."""

    def set_inheritable(self, flag: bool) -> None:
        """There is nothing to inherit."""

    def getsockopt(self, level: int, name: int) -> Any:
        return self._options.get((level, name), 0)

    def setsockopt(self, level: int, name: int, value: Any) -> None:
        self._options[level, name] = value

    def getsockname(self) -> Any:
        return self._padded(self.name)

    def getpeername(self) -> Any:
        if self.peer_name is None:
            raise _error(errno.ENOTCONN)
        return self._padded(self.peer_name)

    def _padded(self, address: Any) -> Any:
        return (*address, 0, 0) if self.family == socket.AF_INET6 else address

    # Ports

    def bind(self, address: Any) -> None:
        """EADDRINUSE if another has it; OverflowError for a port beyond 65535."""
        if self.family != socket.AF_UNIX:
            host, port = address[0] or ANY[1], address[1]
            if not 0 <= port <= 65535:
                raise OverflowError(f"bind(): port must be 0-65535, not {port}")
            address = host, port or self.network.free_port(self.family, host)
        other = self.network.who_has(self.family, address)
        if other is not None and not (self._shares() and other._shares()):
            raise _error(errno.EADDRINUSE)
        self.name = address
        self.network.bound.append(self)

    def _shares(self) -> bool:
        return bool(self._options.get((socket.SOL_SOCKET, socket.SO_REUSEPORT)))

    def listen(self, backlog: int) -> None:
        self.queue, self.backlog = deque(), max(backlog, 0)

    def accept(self) -> tuple[MemorySocket, Any]:
        if not self.queue:
            raise _error(errno.EAGAIN)
        accepted = self.queue.popleft()
        return accepted, accepted.getpeername()

    # Connections

    def connect_ex(self, address: Any) -> int:
        """Begin to connect, or see what has become of it: 0, or an error's number.

        EINPROGRESS as long as the host is silent or the queue of the port is full.
        """
        if self.peer is not None or self.reset:
            return errno.EISCONN
        if self.family != socket.AF_UNIX:
            host, port = address[0], address[1]
            if not 0 <= port <= 65535:
                raise OverflowError(f"connect_ex(): port must be 0-65535, not {port}")
            address = ("127.0.0.1" if host == "0.0.0.0" else "::1" if host == "::" else host), port
        self.destination = address
        state = self._attempt()
        if state == errno.EINPROGRESS:
            return errno.EAGAIN if self.family == socket.AF_UNIX else state
        if not state:
            self._meet(self.network.listening(self.family, address))
        self.destination = None
        return state

    def _attempt(self) -> int:
        """What would come of connecting now."""
        if self.family != socket.AF_UNIX and self.destination[0] in self.network.silent:
            return errno.EINPROGRESS
        port = self.network.listening(self.family, self.destination)
        if port is None:
            return errno.ENOENT if self.family == socket.AF_UNIX else errno.ECONNREFUSED
        assert port.queue is not None
        return errno.EINPROGRESS if len(port.queue) > port.backlog else 0

    def _meet(self, port: Any) -> None:
        other = MemorySocket(self.network, self.family)
        if self.family == socket.AF_UNIX:
            other.name, self.peer_name = port.name, port.name
        else:
            host, number = self.name
            if host in ANY:  # a host that connects to an address of its own comes from there
                host = self.destination[0]
            self.name = host, number or self.network.free_port(self.family, host)
            other.name = self.peer_name = self.destination
        other.peer_name = self.name
        self.peer, other.peer = other, self
        port.queue.append(other)

    def recv(self, size: int) -> bytes:
        """Up to `size` bytes; b"" at the end. EAGAIN if there is nothing now, ECONNRESET once after a reset."""
        if self.received:
            data = bytes(self.received[:size])
            del self.received[:size]
            return data
        if self.reset and not self._told_of_reset:
            self._told_of_reset = True
            raise _error(errno.ECONNRESET)
        if self._ended():
            return b""
        raise _error(errno.EAGAIN)

    def send(self, data: Any) -> int:
        """How many bytes were taken. EAGAIN if the other end has to read first, EPIPE if nobody will."""
        if self.write_shut or self.reset or self.peer is None:
            raise _error(errno.EPIPE)
        room = self._room()
        if room <= 0:
            raise _error(errno.EAGAIN)
        taken = bytes(memoryview(data)[:room])
        if self.peer._closed():
            self.reset = True  # there is nobody to receive it: the answer is a reset
        else:
            self.peer.received += taken
        return len(taken)

    def shutdown(self, how: int) -> None:
        """ENOTCONN if there is no connection."""
        if self.peer is None:
            raise _error(errno.ENOTCONN)
        if how in (socket.SHUT_WR, socket.SHUT_RDWR):
            self.write_shut = True
        if how in (socket.SHUT_RD, socket.SHUT_RDWR):
            self.read_shut = True

    def close(self) -> None:
        """With a reset if that was asked for, or if there is something that was not read."""
        if self._closed():
            return
        del self.network.open[self._number]
        self._number = -1
        if self in self.network.bound:
            self.network.bound.remove(self)
        waiting, self.queue = self.queue, None
        for each in waiting or ():
            each._drop(True)
        if self.peer is not None:
            abort = self._options.get((socket.SOL_SOCKET, socket.SO_LINGER)) == LINGER_NOT
            self._drop(bool(self.received) or (abort and self.family != socket.AF_UNIX))

    def _drop(self, reset: bool) -> None:
        """The end of this end."""
        self.network.open.pop(self._number, None)
        self._number = -1
        self.write_shut = self.read_shut = True
        peer = self.peer
        if peer is None:
            return
        if reset and not peer._closed():
            peer.reset = True
        if peer._closed():
            self.peer = peer.peer = None  # both are gone: no cycle is left

    def _closed(self) -> bool:
        return self._number < 0

    def _room(self) -> int:
        return self.network.window - len(self.peer.received) if self.peer is not None else 0

    def _ended(self) -> bool:
        """Whether nothing can be received any more but what is there."""
        return self.reset or self.read_shut or self.peer is None or self.peer.write_shut

    def readiness(self) -> int:
        """READ, WRITE, GONE, as the system's poll would say."""
        if self.queue is not None:
            return READ if self.queue else 0
        if self.destination is not None:
            return 0 if self._attempt() == errno.EINPROGRESS else READ | WRITE
        if self.peer is None and not self.reset:
            return 0  # neither connected nor connecting
        ready = READ if self.received or self._ended() else 0
        if self.reset or self.write_shut or self._room() > 0:
            ready |= WRITE
        if self.reset or (self._ended() and self.write_shut):
            ready |= GONE
        return ready
