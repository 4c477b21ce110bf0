"""UNIX stream sockets: as TCP, but for their names, their lock files, and the file descriptors that they can carry.

A path outlives the process that bound it. Who wants to know whether a server is behind it asks the lock beside it
(`wantPID`, `checkPID`): its holder's process id says whether it lives, and a path without a living holder is removed by
the next who listens there.
"""

from __future__ import annotations

import errno
import os
import socket
from typing import Any

from ..address import UNIXAddress
from ..core.roster import Roster
from ..engine.filelock import FilesystemLock, is_locked
from ..error import BadFileError, CannotListenError, ConnectBindError
from . import tcp, tcpclient
from .binding import adopted
from .connector import BaseConnector
from .filedescriptor import BasePort
from .passing import Passing
from .tcp import Shown
from .unixaddress import as_bytes, bind, in_file_system, remove, to_address

FIRST_PAUSE, LONGEST_PAUSE = 0.001, 0.05
"""How long a client waits before it tries again where the queue of a port is full, in seconds: doubled each time."""


def send_file_descriptor(self: Any, fileno: int) -> None:
    """Send a copy of an open file, which the peer gets as a descriptor of its own. Contract: IUNIXTransport.

    It goes with the next byte: for each there must be one byte written, before or after this call and in the same
    event, or the connection is lost with FileDescriptorOverrun (75). Close yours whenever you like, also at once.
    Ignored once the connection is lost. Raises TypeError for what is no number, OSError if it is not open.
    """
    self.pass_on(fileno)


def get_no_delay(self: Any) -> bool:
    """False: small writes are sent at once here, there is nothing to switch. AttributeError after the end (98)."""
    self.getHandle()
    return False


def set_no_delay(self: Any, enabled: bool) -> None:
    """Nothing happens: see getTcpNoDelay."""
    self.getHandle()


class Server(tcp.Server):
    """The accepting end of a connection. Contract: IUNIXTransport."""

    addressFamily = socket.AF_UNIX

    def __init__(self, sock: Any, protocol: Any, client: Any, server: Any, sessionno: int, reactor: Any) -> None:
        self._accepted(sock, protocol, client, server, sessionno, reactor)
        self._passing = Passing()

    hostname: Any = Shown(lambda self: self._own_place())
    sendFileDescriptor = send_file_descriptor
    getTcpNoDelay = get_no_delay
    setTcpNoDelay = set_no_delay

    @classmethod
    def _fromConnectedSocket(cls, fileDescriptor: int, factory: Any, reactor: Any) -> Any:  # type: ignore[override]
        """A transport for a descriptor that is connected already; None if the factory has no protocol (101)."""
        with adopted(fileDescriptor, socket.AF_UNIX, socket.SOCK_STREAM) as skt:
            peer = skt.getpeername()
            protocol = factory.buildProtocol(to_address(peer))
        if protocol is None:
            skt.close()
            return None
        self = cls(skt, protocol, peer, None, 0, reactor)
        protocol.makeConnection(self)
        return self

    def _own_place(self) -> str:
        if self._owner is not None:
            return os.fsdecode(self._owner.port)
        return os.fsdecode(self.socket.getsockname()) if self.connected else ""

    def getHost(self) -> UNIXAddress:
        """This end's address. AttributeError once the connection is lost (67)."""
        return to_address(self.socket.getsockname())

    def getPeer(self) -> UNIXAddress:
        """The peer's address, also after the end: most have none."""
        return to_address(self._peer)


class Port(tcp.Port):
    """A listening UNIX socket. Contract: IListeningPort."""

    addressFamily = socket.AF_UNIX
    transport = Server
    _type = "UNIX"

    #: Whether the path is removed when the port is closed. Not if the port was adopted, as others may use it too; set
    #: it to False on a port whose socket another process goes on with.
    removes_path = True

    def __init__(
        self, fileName: Any, factory: Any, backlog: int = 50, mode: int = 0o666, reactor: Any = None, wantPID: Any = 0
    ) -> None:
        """TypeError for an address that is no path, ValueError for a lock on an abstract name."""
        BasePort.__init__(self, reactor)
        self.port: Any = as_bytes(fileName)
        if wantPID and self.port and not in_file_system(self.port):
            raise ValueError(f"an abstract name has no lock file, and wantPID asks for one: {fileName!r}")
        self.interface: Any = None
        self.factory, self.backlog, self.mode = factory, backlog, mode
        self.wantPID = wantPID
        self._connections = Roster()
        self.lockFile: FilesystemLock | None = None
        self._identity: tuple[int, int] | None = None

    @classmethod
    def _fromListeningDescriptor(cls, reactor: Any, fd: int, factory: Any) -> Port:  # type: ignore[override]
        """A port for a descriptor that listens already. The descriptor is duplicated; close yours (101)."""
        with adopted(fd, socket.AF_UNIX, cls.socketType) as skt:
            self = cls(skt.getsockname(), factory, reactor=reactor)
        self.removes_path = False
        self._preexistingSocket = skt
        return self

    def _bind(self) -> socket.socket:
        skt = None
        try:
            if not self.port:  # the kernel would choose a name, which nobody has asked for
                raise FileNotFoundError(errno.ENOENT, "the path is empty")
            if self.wantPID:
                self._lock()
            skt = self.createInternetSocket()
            self._identity = bind(skt, self.port, self.mode)
            skt.listen(self.backlog)
        except OSError as error:
            if skt is not None:
                skt.close()
            self._unbind()
            raise CannotListenError(None, self.port, error) from None
        return skt

    def _lock(self) -> None:
        """Take the lock beside the path, and remove what a holder that died has left behind."""
        lock = FilesystemLock(os.fsdecode(self.port) + ".lock")
        if not lock.lock():
            raise CannotListenError(None, self.port, "Cannot acquire lock")
        self.lockFile = lock
        if not lock.clean and os.path.lexists(self.port):
            os.unlink(self.port)

    def _unbind(self) -> None:
        identity, self._identity = self._identity, None
        lock, self.lockFile = self.lockFile, None
        if identity is not None and self.removes_path:
            remove(self.port, identity)
        if lock is not None:
            try:
                lock.unlock()
            except (OSError, ValueError):
                pass  # somebody has removed it, or has it by now

    def _place(self, skt: socket.socket) -> str:
        return os.fsdecode(self.port)

    def _buildAddr(self, address: Any) -> UNIXAddress:
        return to_address(address)

    def __repr__(self) -> str:
        kind = type(self.factory)
        where = "(not listening)" if self._realPortNumber is None else f"on {self._realPortNumber!r}"
        return f"<{kind.__module__}.{kind.__name__} {where}>"


class Client(tcpclient.BaseClient):
    """The connecting end of a connection. Contract: IUNIXTransport."""

    addressFamily = socket.AF_UNIX
    sendFileDescriptor = send_file_descriptor
    getTcpNoDelay = get_no_delay
    setTcpNoDelay = set_no_delay
    _pause = FIRST_PAUSE

    def __init__(self, filename: Any, connector: Any, reactor: Any = None, checkPID: Any = 0) -> None:
        self.connector = connector
        self.addr = self.realAddress = as_bytes(filename)
        if checkPID and not is_locked(os.fsdecode(self.addr) + ".lock"):
            self._finishInit(None, None, BadFileError(string=os.fsdecode(self.addr)), reactor)
            return
        try:
            skt = self.createInternetSocket()
        except OSError as error:
            self._finishInit(None, None, ConnectBindError(error.errno, error.strerror), reactor)
            return
        self._finishInit(self.doConnect, skt, None, reactor)
        self._passing = Passing()

    def _await_connection(self) -> None:
        """The queue of the port is full. The kernel does not say when there is room: try again in a while."""
        self.reactor.callLater(self._pause, self.doConnect)
        self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def getHost(self) -> UNIXAddress:
        """This end's address, mostly none. AttributeError once the connection is lost (67)."""
        return to_address(self.socket.getsockname())

    def getPeer(self) -> UNIXAddress:
        """The address that it connected to, also after the end."""
        return to_address(self.addr)


class Connector(BaseConnector):
    """Makes a client's connection, and makes it again if asked. Contract: IConnector."""

    def __init__(self, address: Any, factory: Any, timeout: float | None, reactor: Any, checkPID: Any = 0) -> None:
        """TypeError for an address that is no path, ValueError for a lock on an abstract name."""
        name = as_bytes(address)
        if checkPID and not in_file_system(name):
            raise ValueError(f"an abstract name has no lock file, and checkPID asks for one: {address!r}")
        self.address, self.checkPID = address, checkPID
        super().__init__(factory, timeout, reactor)

    def _makeTransport(self) -> Client:
        return Client(self.address, self, self.reactor, self.checkPID)

    def getDestination(self) -> UNIXAddress:
        """Where it connects to."""
        return to_address(as_bytes(self.address))
