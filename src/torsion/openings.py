"""What a reactor opens: connections, ports, lookups. One method a thing, each made in a room of its own below.

A part of the reactor (contract.py) and nothing by itself. What a program may never use is imported when it is used.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .core.deferred import Deferred, succeed
from .error import UnsupportedAddressFamily
from .net import lookup, resolver, tcp, tcpclient

if TYPE_CHECKING:
    from .net import unix, unixdatagram
    from .pool.threadpool import ThreadPool

__all__ = ["Openings"]


class Openings(resolver.Pluggable):
    """The methods of the contract's reactor that open something."""

    if TYPE_CHECKING:  # what the reactor brings besides

        def getThreadPool(self) -> ThreadPool: ...
        def addSystemEventTrigger(
            self, phase: str, eventType: str, callable: Callable[..., object], *args: object, **kwargs: object
        ) -> Any: ...

        threadpool: ThreadPool | None

    # Names. Contract: IReactorCore, IReactorPluggableResolver, IReactorPluggableNameResolver

    _lookups: lookup.Threads | None = None

    def resolve(self, name: str, timeout: Sequence[float] = (1, 3, 11, 45)) -> Deferred:
        """A Deferred of the IPv4 address of the host ``name``, or of a DNSLookupError (semantics 77).

        An address is its own answer, and "" means any address; for a name the installed resolver is asked. The system's
        lookup has timeouts of its own: ``timeout`` is for resolvers that programs install.
        """
        if not isinstance(name, str):
            raise TypeError(f"a host name is a str, not {name!r}")
        itself = lookup.known(name)
        if itself is not None:
            return succeed(itself)
        address: Deferred = self.resolver.getHostByName(name, timeout)
        return address

    def _first_resolvers(self) -> tuple[Any, Any]:
        names = resolver.GAIResolver(self, self._lookup_threads, socket.getaddrinfo)
        return resolver.ComplexResolverSimplifier(names), names

    def _lookup_threads(self) -> lookup.Threads:
        """The threads that ask the system, made now if need be; they end with the reactor."""
        if self._lookups is None or self._lookups.stopped:
            self._lookups = lookup.Threads()
            self.addSystemEventTrigger("during", "shutdown", self._lookups.stop)
        if self.threadpool is not None:
            self._lookups.most = max(lookup.AT_ONCE, self.threadpool.max)
        return self._lookups

    def _end_lookups(self) -> None:
        """The reactor is closed."""
        if self._lookups is not None:
            self._lookups.stop()
        self._installed = None  # what refers to the reactor

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

    # TLS. Contract: IReactorSSL

    def listenSSL(
        self,
        port: Any,
        factory: Any,
        contextFactory: Any,
        backlog: int = 50,
        interface: str = "",
        *,
        handshake_timeout: float | None = None,
    ) -> tcp.Port:
        """As listenTCP, speaking TLS (semantics 79-83). ``contextFactory`` says how: an ssl.SSLContext, an object of
        torsion.ssl, or a pyOpenSSL context factory. Raises TypeError for anything else.

        A handshake that takes longer than ``handshake_timeout`` seconds (None: any time) ends in HandshakeTimeout.
        """
        from .net.tls.factory import TLSMemoryBIOFactory

        over = TLSMemoryBIOFactory(contextFactory, False, factory, self, handshake_timeout=handshake_timeout)
        listening = self.listenTCP(port, over, backlog, interface)
        listening._type = "TLS"
        return listening

    def connectSSL(
        self,
        host: str,
        port: int | str,
        factory: Any,
        contextFactory: Any,
        timeout: float | None = 30,
        bindAddress: Any = None,
        *,
        handshake_timeout: float | None = None,
    ) -> tcpclient.Connector:
        """As connectTCP, speaking TLS. An ssl.SSLContext asks for ``host``, and checks that name if it checks names.

        ``timeout`` is for the connection, ``handshake_timeout`` (None: any time) for the handshake after it, in
        seconds. Raises TypeError if ``contextFactory`` is none (see listenSSL).
        """
        from .net.tls.factory import TLSMemoryBIOFactory
        from .net.tls.source import with_host

        source = with_host(contextFactory, host)
        over = TLSMemoryBIOFactory(source, True, factory, self, handshake_timeout=handshake_timeout)
        return self.connectTCP(host, port, over, timeout, bindAddress)

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

    # Datagrams. Contract: IReactorUDP, IReactorMulticast, IReactorSocket

    def listenUDP(self, port: Any, protocol: Any, interface: str = "", maxPacketSize: int = 8192) -> Any:
        """Have ``protocol`` send and receive on ``port`` (0: any free one) of ``interface`` ("": all IPv4 ones).

        Longer datagrams than ``maxPacketSize`` bytes are cut. A port may be what tcp.makeBinding makes. Raises
        CannotListenError at once, and InvalidAddressError if the interface is no address in figures (semantics 76).
        """
        from .net import udp

        return _listening(udp.Port(port, protocol, interface, maxPacketSize, self))

    def listenMulticast(
        self,
        port: Any,
        protocol: Any,
        interface: str = "",
        maxPacketSize: int = 8192,
        listenMultiple: bool = False,
    ) -> Any:
        """The same, on a port whose transport can join groups. ``listenMultiple``: others may have the port, too."""
        from .net import multicast

        made = multicast.MulticastPort(port, protocol, interface, maxPacketSize, self, listenMultiple)
        return _listening(made)

    def adoptDatagramPort(
        self, fileDescriptor: int, addressFamily: int, protocol: Any, maxPacketSize: int = 8192
    ) -> Any:
        """Have ``protocol`` use a UDP descriptor that is bound already; it is duplicated, so close yours (101).

        Raises UnsupportedAddressFamily.
        """
        from .net import udp

        _must_be_ip(addressFamily)
        made = udp.Port._fromListeningDescriptor(self, fileDescriptor, addressFamily, protocol, maxPacketSize)
        return _listening(made)

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

    # Child processes. Contract: IReactorProcess

    def spawnProcess(
        self,
        processProtocol: Any,
        executable: Any,
        args: Any = (),
        env: Any = {},  # noqa: B006 - the contract's default, which None is not
        path: Any = None,
        uid: int | None = None,
        gid: int | None = None,
        usePTY: Any = 0,
        childFDs: Any = None,
    ) -> Any:
        """Start a program; ``processProtocol`` is told what it writes, and of its end. Returns its transport (52-57).

        ``args`` has the program's name first. ``env`` is its whole environment, none by default; None: this process's.
        ``path`` is its directory, ``uid`` and ``gid`` are whom it runs as. ``childFDs`` says for each of its
        descriptors which of ours it is, or that it is a pipe which we read ("r") or write ("w"); by default
        {0: "w", 1: "r", 2: "r"}. With ``usePTY`` it has a terminal instead: a new one, or (master, slave, name).

        Raises TypeError or ValueError for what cannot be, OSError if it cannot be started: FileNotFoundError or
        PermissionError for the program itself, but with ``path``, ``uid``, ``gid`` or a terminal the child says that on
        its standard error, and exits with 1 (56).
        """
        if not usePTY:
            from .child.process import Process

            return Process(self, executable, args, env, path, processProtocol, uid, gid, childFDs)
        if childFDs is not None:
            raise ValueError(f"usePTY leaves no choice of file descriptors: childFDs is to be None, not {childFDs!r}")
        from .child.pty import PTYProcess

        return PTYProcess(self, executable, args, env, path, processProtocol, uid, gid, usePTY)


def _listening(port: Any) -> Any:
    port.startListening()
    return port


def _must_be_ip(family: int) -> None:
    if family not in (socket.AF_INET, socket.AF_INET6):
        raise UnsupportedAddressFamily(family)
