"""What our reactors cannot do by themselves yet, they do with Twisted's own modules, which stand on our contract.

Each method here is given to our classes unless they have it: as soon as one of ours is written, it is not used any
more, and is to be deleted. Nothing of Twisted is imported before it is called.
"""

import importlib
import socket
import sys
from collections.abc import Sequence
from types import FunctionType
from typing import Any

from torsion import base, posixbase
from torsion.child.reap import Reaper
from torsion.core.deferred import Deferred, succeed
from torsion.error import UnsupportedAddressFamily
from torsion.net import lookup

from . import streams
from .private.base import PluggableResolverMixin


def complete() -> None:
    """Give our classes what they lack."""
    streams.complete()
    _give(base.ReactorBase, PluggableResolverMixin)
    _give(base.ReactorBase, Names)
    _give(posixbase.PosixReactorBase, Transports)
    _give(posixbase.PosixReactorBase, Watching)
    if not hasattr(base.ReactorBase, "spawnProcess"):
        _give(posixbase.PosixReactorBase, Processes)
        posixbase.PosixReactorBase.children = TwistedReaper


def _give(to: type, methods: type) -> None:
    replaced = getattr(methods, "REPLACED", ())
    for name, value in vars(methods).items():
        if isinstance(value, FunctionType | property) and (name in replaced or not hasattr(to, name)):
            setattr(to, name, value)


def _twisted(name: str) -> Any:
    return importlib.import_module(f"twisted.internet.{name}")


class Names:
    """Looks names up as a program has it, or else with Twisted's resolver, in the reactor's pool."""

    REPLACED = ("resolve", "_first_resolvers")

    def _first_resolvers(self: Any) -> Any:
        resolver = _twisted("_resolver")
        names = resolver.GAIResolver(self, self.getThreadPool)
        return resolver.ComplexResolverSimplifier(names), names

    def resolve(self: Any, name: str, timeout: Sequence[int] = (1, 3, 11, 45)) -> Deferred:
        """A Deferred of the IPv4 address of a host; see Reactor.resolve."""
        itself = lookup.known(name)
        if itself is not None:
            return succeed(itself)
        result: Deferred = self.resolver.getHostByName(name, timeout)
        return result


class Transports:
    """listenX and connectX, adoptX: made, set going, returned."""

    REPLACED = ("adoptStreamPort", "adoptStreamConnection")

    def adoptStreamPort(self: Any, fileDescriptor: int, addressFamily: int, factory: Any) -> Any:
        if addressFamily == socket.AF_UNIX:
            return _listening(_twisted("unix").Port._fromListeningDescriptor(self, fileDescriptor, factory))
        return base.ReactorBase.adoptStreamPort(self, fileDescriptor, addressFamily, factory)

    def adoptStreamConnection(self: Any, fileDescriptor: int, addressFamily: int, factory: Any) -> Any:
        if addressFamily == socket.AF_UNIX:
            return _twisted("unix").Server._fromConnectedSocket(fileDescriptor, factory, self)
        return base.ReactorBase.adoptStreamConnection(self, fileDescriptor, addressFamily, factory)

    def adoptDatagramPort(
        self: Any, fileDescriptor: int, addressFamily: int, protocol: Any, maxPacketSize: int = 8192
    ) -> Any:
        if addressFamily == socket.AF_UNIX:
            raise UnsupportedAddressFamily(addressFamily)
        _must_be_supported(addressFamily)
        make = _twisted("udp").Port._fromListeningDescriptor
        return _listening(make(self, fileDescriptor, addressFamily, protocol, maxPacketSize=maxPacketSize))

    def listenUDP(self: Any, port: Any, protocol: Any, interface: str = "", maxPacketSize: int = 8192) -> Any:
        return _listening(_twisted("udp").Port(port, protocol, interface, maxPacketSize, self))

    def listenMulticast(
        self: Any,
        port: Any,
        protocol: Any,
        interface: str = "",
        maxPacketSize: int = 8192,
        listenMultiple: bool = False,
    ) -> Any:
        return _listening(_twisted("udp").MulticastPort(port, protocol, interface, maxPacketSize, self, listenMultiple))

    def listenUNIX(
        self: Any, address: Any, factory: Any, backlog: int = 50, mode: int = 0o666, wantPID: Any = 0
    ) -> Any:
        return _listening(_twisted("unix").Port(address, factory, backlog, mode, self, wantPID))

    def connectUNIX(self: Any, address: Any, factory: Any, timeout: float = 30, checkPID: Any = 0) -> Any:
        return _connecting(_twisted("unix").Connector(address, factory, timeout, self, checkPID))

    def listenUNIXDatagram(self: Any, address: Any, protocol: Any, maxPacketSize: int = 8192, mode: int = 0o666) -> Any:
        return _listening(_twisted("unix").DatagramPort(address, protocol, maxPacketSize, mode, self))

    def connectUNIXDatagram(
        self: Any,
        address: Any,
        protocol: Any,
        maxPacketSize: int = 8192,
        mode: int = 0o666,
        bindAddress: Any = None,
    ) -> Any:
        unix = _twisted("unix")
        return _listening(unix.ConnectedDatagramPort(address, protocol, maxPacketSize, mode, bindAddress, self))


class Processes:
    """spawnProcess."""

    def spawnProcess(
        self: Any,
        processProtocol: Any,
        executable: Any,
        args: Any = (),
        env: Any = {},  # noqa: B006 - the contract's default, which is told from None
        path: Any = None,
        uid: Any = None,
        gid: Any = None,
        usePTY: Any = 0,
        childFDs: Any = None,
    ) -> Any:
        process = _twisted("process")
        if not usePTY:
            return process.Process(self, executable, args, env, path, processProtocol, uid, gid, childFDs)
        if childFDs is not None:
            raise ValueError(f"usePTY leaves no choice of file descriptors: childFDs is to be None, not {childFDs!r}")
        return process.PTYProcess(self, executable, args, env, path, processProtocol, uid, gid, usePTY)


class Watching:
    """What Twisted's reactors that watch by themselves call on their base class."""

    def _removeAll(self: Any, readers: Any, writers: Any) -> list[Any]:
        """Remove all that is in these two but the internal readers; returns what that was, each once."""
        removed: dict[Any, None] = {}
        for watched, remove in ((readers, self.removeReader), (writers, self.removeWriter)):
            for each in list(watched):
                if each not in self._internalReaders:
                    removed[each] = None
                    remove(each)
        return list(removed)


class TwistedReaper(Reaper):
    """Also has Twisted's process module look at the children that it waits for."""

    def reap_all(self) -> None:
        super().reap_all()
        process = sys.modules.get("twisted.internet.process")
        if process is not None:
            process.reapAllProcesses()


def _must_be_supported(family: int) -> None:
    if family not in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX):
        raise UnsupportedAddressFamily(family)


def _listening(port: Any) -> Any:
    port.startListening()
    return port


def _connecting(connector: Any) -> Any:
    connector.connect()
    return connector
