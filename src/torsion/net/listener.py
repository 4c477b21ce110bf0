"""Accepting connections: how many at once, and what to do when there is no descriptor left for another one.

A connection that cannot be accepted stays in the queue and keeps the listening socket readable: the loop would turn
idly, and the peer wait. So one descriptor is kept in reserve. When descriptors run out it is given up, those who wait
are accepted with it and closed at once, so that they know, and it is taken again (74). If it cannot be taken again, the
loop does turn idly, and says so once.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from typing import Any

from .. import report
from ..failure import Failure
from ..twin.kernel import Sys
from .descriptor import CONNECTION_LOST
from .stream import Stream

MORE = 20
"""If a batch took all it was allowed to, the next one may take this many more."""
SHORT = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
"""What is no fault of the connection that waits, and comes again at the next try."""
AGAIN, REFUSED, NO_MORE = errno.EAGAIN, errno.EPERM, errno.EMFILE


def close(connection: Any) -> None:
    """Close what `Batch.take` gave."""
    if isinstance(connection, int):
        os.close(connection)
    else:
        connection.close()


class Reserve:
    """A descriptor that is held so that it can be given up."""

    def __init__(self, open_one: Callable[[], Any]) -> None:
        self._open_one = open_one
        self._held: Any = None
        self._missed = False  # whether it has been reported that there is none

    def available(self) -> bool:
        return self._held is not None

    def reserve(self) -> None:
        """Hold one; that there is none left is reported, once until there is. Raises what else may happen."""
        if self._held is None:
            try:
                self._held = self._open_one()
                self._missed = False
            except OSError as error:
                if error.errno != errno.EMFILE:
                    raise
                if not self._missed:
                    self._missed = True
                    report.failure("Could not take a descriptor in reserve", Failure())

    def __enter__(self) -> None:
        """Give it up for the time of the block. RuntimeError if none is held."""
        if self._held is None:
            raise RuntimeError("there is no descriptor in reserve")
        held, self._held = self._held, None
        held.close()

    def __exit__(self, *exception: object) -> None:
        try:
            self.reserve()
        except Exception:
            report.failure("Could not take a descriptor in reserve again", Failure())


class Held:
    """A bare descriptor: unlike a file, it is no warning if the process ends with it."""

    def __init__(self) -> None:
        self._fd = os.open(os.devnull, os.O_RDONLY)

    def close(self) -> None:
        os.close(self._fd)


RESERVE = Reserve(Held)


class Batch:
    """What one readiness of a listening socket brings. Iterate it: (connection, address) at most `most` times."""

    def _begin(self, listening: Any, most: int, name: object, lacking: int) -> None:
        self._listening = listening
        self._fd = listening.fileno() if listening.__class__ is socket.socket else -1
        self._most = most
        self._name = name
        self.lacking = lacking
        """The one of SHORT that was reported last, while it lasts; 0 for none."""
        self.count = 0

    def next_most(self) -> int:
        """How many the next batch may take: as many as there were this time, and more if that was the limit."""
        return self._most + MORE if self.count >= self._most else max(self.count, 1)

    def take(self) -> Any:
        """The next connection; None at the end of the batch."""
        tries = 0
        while self.count < self._most and tries < self._most:
            tries += 1
            accepted = self._accept()
            if not isinstance(accepted, int):
                self.count += 1
                return accepted
            error = -accepted
            if error == REFUSED:
                continue  # by a firewall; another may wait behind this one
            if error == NO_MORE and RESERVE.available():
                self._turn_away()
            elif error != AGAIN:
                self._report(error)
            return None
        return None

    def _accept(self) -> Any:
        """A connection and its peer's address, or -errno. The connection of a real socket is a bare descriptor."""
        if self._fd >= 0:
            return Sys.accept(self._fd, self._listening)
        try:
            connection, address = self._listening.accept()
        except OSError as error:
            return -(error.errno or 0)
        connection.setblocking(False)
        if hasattr(connection, "set_inheritable"):
            connection.set_inheritable(False)
        else:
            os.set_inheritable(connection.fileno(), False)
        return connection, address

    def _report(self, error: int) -> None:
        name = errno.errorcode.get(error, error)
        text = f"Could not accept a connection to {self._name}: {os.strerror(error)} ({name})"
        if error in SHORT:
            if error != self.lacking:
                self.lacking = error
                report.error(f"{text}; this is not said again while it lasts")
        elif error == errno.ECONNABORTED:
            report.error(text)
        else:
            report.failure(text, Failure(OSError(error, os.strerror(error))))

    def _turn_away(self) -> None:
        """There is no descriptor left: close those who wait."""
        turned_away = []
        with RESERVE:
            accepted = self._accept()
            while not isinstance(accepted, int):
                close(accepted[0])
                turned_away.append(accepted[1])
                accepted = self._accept()
        if not turned_away:  # what was given up was too little, or somebody else was faster
            self._report(errno.EMFILE)
            return
        report.error(
            f"Too many open files: could not accept a connection to {self._name}; "
            f"closed {len(turned_away)} that waited, first {turned_away[:3]}"
        )


def accept_for(port: Any) -> None:
    """Accept those who wait at `port`, and give each to a protocol of its factory (73, 74, 75).

    How many at most the port says, and it learns from what came. It may be closed by any of these protocols.
    """
    most, lacking, listening = port.numberAccepts, port._lacking, port.socket
    transport_of, address_of, connections = port.transport, port._buildAddr, port._connections
    batch = Batch.__new__(Batch)
    batch._begin(listening, most, port, lacking)
    accepted = batch.take()
    while accepted is not None:
        connection, peer = accepted
        protocol = _build(port, connection, address_of, peer)
        if protocol is not None:
            number = port._session_number
            port._session_number = number + 1
            transport = None
            try:
                transport = transport_of(connection, protocol, peer, port, number, port.reactor)
                if isinstance(transport, Stream):  # the port knows it until its end (draining.py)
                    stream = transport
                    stream._enlist(connections)
                protocol.makeConnection(transport)
            except BaseException:
                report.failure("Unhandled error in connectionMade", Failure())
            if transport is None:
                _abandon(port, connection)
        if port.disconnecting or getattr(port, "socket", None) is not listening:
            return
        accepted = batch.take()
    learned = batch.next_most()
    if learned != most:
        port.numberAccepts = learned
    if batch.count:
        if RESERVE._held is None:
            RESERVE.reserve()  # it was lost when descriptors ran out; there are some again
        if batch.lacking and RESERVE.available():
            batch.lacking = 0
    if batch.lacking != lacking:
        port._lacking = batch.lacking


def _abandon(port: Any, connection: Any) -> None:
    """No transport could be made of this connection: it is closed, by whoever of the reactor's readers has it."""
    fd = connection if isinstance(connection, int) else connection.fileno()
    for reader in port.reactor.getReaders():
        if isinstance(reader, Stream) and reader.fileno() == fd:
            reader.protocol = None  # it was told nothing
            reader.connectionLost(CONNECTION_LOST)
            return
    try:
        close(connection)
    except OSError:
        pass  # a socket object was made of it, which has gone with the transport


def _build(port: Any, connection: Any, address_of: Any, peer: Any) -> Any:
    """The protocol for a connection that was accepted; None, and the connection is closed, if there is none (73)."""
    try:
        protocol = port.factory.buildProtocol(address_of(peer))
    except BaseException:
        close(connection)
        report.failure("Unhandled error in buildProtocol", Failure())
        return None
    if protocol is None:
        close(connection)
    return protocol
