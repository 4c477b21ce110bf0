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

    # TLS. Contract: IReactorSSL

    def listenSSL(
        self, port: Any, factory: Any, contextFactory: Any, backlog: int = 50, interface: str = ""
    ) -> tcp.Port:
        """As listenTCP, speaking TLS (semantics 79-83). ``contextFactory`` says how: an ssl.SSLContext, an object of
        torsion.ssl, or a pyOpenSSL context factory. Raises TypeError for anything else.
        """
        from .net.tls.factory import TLSMemoryBIOFactory

        listening = self.listenTCP(port, TLSMemoryBIOFactory(contextFactory, False, factory, self), backlog, interface)
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
    ) -> tcpclient.Connector:
        """As connectTCP, speaking TLS. An ssl.SSLContext asks for ``host``, and checks that name if it checks names.

        Raises TypeError if ``contextFactory`` is none (see listenSSL).
        """
        from .net.tls.factory import TLSMemoryBIOFactory
        from .net.tls.source import with_host

        over = TLSMemoryBIOFactory(with_host(contextFactory, host), True, factory, self)
        return self.connectTCP(host, port, over, timeout, bindAddress)

    def adoptStreamPort(self, fileDescriptor: int, addressFamily: int, factory: Any) -> tcp.Port:
        """Accept connections on a descriptor that listens already; it is duplicated, so close yours (semantics 101).

        Raises UnsupportedAddressFamily.
        """
        _must_be_ip(addressFamily)
        listening = tcp.Port._fromListeningDescriptor(self, fileDescriptor, addressFamily, factory)
        listening.startListening()
        return listening

    def adoptStreamConnection(self, fileDescriptor: int, addressFamily: int, factory: Any) -> Any:
        """Give ``factory`` a connection that is made already; it is duplicated, so close yours (semantics 101).

        Raises UnsupportedAddressFamily.
        """
        _must_be_ip(addressFamily)
        return tcp.Server._fromConnectedSocket(fileDescriptor, addressFamily, factory, self)


def _must_be_ip(family: int) -> None:
    if family not in (socket.AF_INET, socket.AF_INET6):
        raise UnsupportedAddressFamily(family)
