"""What a reactor opens: connections, ports, lookups. One method a thing, each made in a room of its own below.

A part of the reactor (contract.py) and nothing by itself. What a program may never use is imported when it is used.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .core.deferred import Deferred
from .error import UnsupportedAddressFamily
from .net import lookup, tcp, tcpclient

if TYPE_CHECKING:
    from .net import unix, unixdatagram
    from .pool.threadpool import ThreadPool

__all__ = ["Openings"]


class Openings:
    """The methods of the contract's reactor that open something."""

    if TYPE_CHECKING:  # what the reactor brings besides

        def getThreadPool(self) -> ThreadPool: ...
        def callFromThread(self, callable: Callable[..., object], /, *args: object, **kwargs: object) -> None: ...

    # Names. Contract: IReactorCore

    def resolve(self, name: str, timeout: Sequence[float] = (1, 3, 11, 45)) -> Deferred:
        """A Deferred of the IPv4 address of the host ``name``, or of a DNSLookupError (semantics 77).

        Asked in the thread pool. The system's lookup has timeouts of its own: ``timeout`` is taken and not used.
        """
        return lookup.resolve(name, self.getThreadPool(), self.callFromThread)

    # Streams. Contract: IReactorTCP

    def listenTCP(self, port: Any, factory: Any, backlog: int = 50, interface: str = "") -> tcp.Port:
        """Accept connections on ``port`` (0: any free one) of ``interface`` ("": all IPv4 ones) for ``factory``.

        A port may be what tcp.makeBinding makes. Raises CannotListenError at once (semantics 73).
        """
        listening = tcp.Port(port, factory, backlog, interface, self)
        listening.startListening()
        return listening

    def connectTCP(
        self, host: str, port: int | str, factory: Any, timeout: float | None = 30, bindAddress: Any = None
    ) -> tcpclient.Connector:
        """Connect ``factory`` to a host, by address or by name (IPv4 then), and a port, by number or service name.

        The attempt begins on a later pass and may take ``timeout`` seconds, the lookup included (semantics 70-72).
        """
        connector = tcpclient.Connector(host, port, factory, timeout, bindAddress, self)
        connector.connect()
        return connector

    def adoptStreamPort(self, fileDescriptor: int, addressFamily: int, factory: Any) -> tcp.Port:
        """Accept connections on a descriptor that listens already; it is duplicated, so close yours (semantics 101).

        Raises UnsupportedAddressFamily.
        """
        listening: tcp.Port
        if addressFamily == socket.AF_UNIX:
            from .net import unix

            listening = unix.Port._fromListeningDescriptor(self, fileDescriptor, factory)
        else:
            _must_be_ip(addressFamily)
            listening = tcp.Port._fromListeningDescriptor(self, fileDescriptor, addressFamily, factory)
        listening.startListening()
        return listening

    def adoptStreamConnection(self, fileDescriptor: int, addressFamily: int, factory: Any) -> Any:
        """Give ``factory`` a connection that is made already; it is duplicated, so close yours (semantics 101).

        Raises UnsupportedAddressFamily.
        """
        if addressFamily == socket.AF_UNIX:
            from .net import unix

            return unix.Server._fromConnectedSocket(fileDescriptor, factory, self)
        _must_be_ip(addressFamily)
        return tcp.Server._fromConnectedSocket(fileDescriptor, addressFamily, factory, self)

    # UNIX sockets. An address is a path, or an abstract name, which begins with a null byte; as str or bytes.
    # Contract: IReactorUNIX, IReactorUNIXDatagram

    def listenUNIX(
        self, address: Any, factory: Any, backlog: int = 50, mode: int = 0o666, wantPID: Any = 0
    ) -> unix.Port:
        """Accept connections on a path, which gets ``mode`` and is removed when the port is closed (semantics 75).

        ``wantPID``: hold a lock beside it, ``address + ".lock"``, and remove what a server that died has left behind.
        Raises CannotListenError at once, also if another process holds the lock.
        """
        from .net import unix

        listening = unix.Port(address, factory, backlog, mode, self, wantPID)
        listening.startListening()
        return listening

    def connectUNIX(self, address: Any, factory: Any, timeout: float | None = 30, checkPID: Any = 0) -> unix.Connector:
        """Connect ``factory`` to a path. The attempt begins on a later pass (semantics 103).

        ``checkPID``: fail with BadFileError unless a server that lives holds the lock beside it.
        """
        from .net import unix

        connector = unix.Connector(address, factory, timeout, self, checkPID)
        connector.connect()
        return connector

    def listenUNIXDatagram(
        self, address: Any, protocol: Any, maxPacketSize: int = 8192, mode: int = 0o666
    ) -> unixdatagram.DatagramPort:
        """Receive datagrams on a path, for ``protocol``; those longer than ``maxPacketSize`` bytes are cut.

        An address of None: only to send. Raises CannotListenError. The path stays when the port is closed.
        """
        from .net import unixdatagram

        listening = unixdatagram.DatagramPort(address, protocol, maxPacketSize, mode, self)
        listening.startListening()
        return listening

    def connectUNIXDatagram(
        self, address: Any, protocol: Any, maxPacketSize: int = 8192, mode: int = 0o666, bindAddress: Any = None
    ) -> unixdatagram.ConnectedDatagramPort:
        """Send datagrams to a path, and receive from there if ``bindAddress`` is given, this end's own path.

        The protocol's connectionFailed is called if it cannot be done.
        """
        from .net import unixdatagram

        connected = unixdatagram.ConnectedDatagramPort(address, protocol, maxPacketSize, mode, bindAddress, self)
        connected.startListening()
        return connected


def _must_be_ip(family: int) -> None:
    if family not in (socket.AF_INET, socket.AF_INET6):
        raise UnsupportedAddressFamily(family)
