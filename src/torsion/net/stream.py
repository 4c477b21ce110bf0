"""The rules of a byte stream, once for every transport: when it sends, what closing waits for, who is told and when.

Two drivers bring readiness to it, chosen when it gets its descriptor. The *native* one is our engine: `on_ready`
receives, calls the protocol and at once sends what that wrote, so an echo is two system calls and one call of Python.
The *contract* one is any reactor's: `reactor.addReader(stream)`, `doRead` and `doWrite`, through methods that a program
may have replaced. The rules are below both: what a send leads to is in `_send_waiting` and `_all_sent`, how it ends in
`_end`.

A write only notes what is to be sent (flow.py). It is sent once: when the event that wrote it ends, or before the loop
sleeps. What the kernel does not take then waits for room.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from typing import Any

from .. import report
from ..core import streamlife as life
from ..core.roster import Roster
from ..core.streamlife import after
from ..engine.turn import Engine
from ..error import ConnectionAborted, ConnectionDone, ConnectionLost
from ..failure import Failure
from ..twin.kernel import GONE, READ, WRITE, Sys
from .descriptor import CONNECTION_DONE, CONNECTION_LOST
from .flow import ALL, BUFFER, Flow, WriteLimitExceeded
from .passing import MANY, Passing

__all__ = ["BUFFER", "Stream", "WriteLimitExceeded", "half_closeable"]

# As C numbers in the compiled lane.
OPEN, HALF_CLOSING, CLOSING, HALF_CLOSED = life.OPEN, life.HALF_CLOSING, life.CLOSING, life.HALF_CLOSED
ABORTED, LOST, NEW = life.ABORTED, life.LOST, life.NEW
LOSS = life.LOSS
DONE: BaseException = CONNECTION_DONE.value
BROKEN: BaseException = CONNECTION_LOST.value
AGAIN = -errno.EAGAIN
TCP, NO_DELAY = socket.IPPROTO_TCP, socket.TCP_NODELAY

SEND_LIMIT = 131072
"""The most that writeSomeData is given: about what a kernel takes at once."""
FILE_LIMIT = 1 << 18
"""The most that is sent of a file at once: others want to be served, too, and the disk may be slow."""
SHORT = 2048
"""An event's answer of at most so many bytes waits for those of a few events more, which the engine has already."""
NOTHING_NOW = (-errno.EAGAIN, -errno.EWOULDBLOCK, -errno.ENOBUFS, -errno.EINTR)

_forks = 0
"""Twice as often as this process has been forked: a connection that is made while it is, is made in between."""


def _note_fork() -> None:
    global _forks
    _forks += 1


os.register_at_fork(before=_note_fork, after_in_parent=_note_fork)


class Stream(Flow):
    """The core of every byte-stream transport (compiled; subclasses are Python's). Belongs to its reactor's thread."""

    def __init__(self, reactor: Any) -> None:
        self._begin_stream(reactor)

    def _begin_stream(self, reactor: Any) -> None:
        Flow._begin_flow(self, reactor)
        self._socket: Any = None
        self._served: Any = None
        self._passing: Passing | None = None  # set: file descriptors travel with the bytes
        self._peer: Any = None  # as the system says it; of two parts the first
        self._peer_port = -1  # and the second: a number, which needs no pair that the collector would look at
        self._owner: Any = None
        self._roster: Roster | None = None  # among whose connections it is until the end
        self._seat = 0
        self._session_number = 0
        self._forks = _forks  # at that time; -1 once a program has seen the descriptor

    def _accepted(self, sock: Any, protocol: Any, client: Any, server: Any, sessionno: Any, reactor: Any) -> None:
        """Begin as the accepting end of a connection, for `protocol`."""
        self._begin_stream(reactor)
        Stream._take(self, sock)
        self._peer, self._owner = client, server
        if type(client) is tuple:
            if len(client) == 4:
                self.addressFamily = socket.AF_INET6
            elif len(client) == 2 and type(client[1]) is int:
                self._peer, self._peer_port = client
        if isinstance(sessionno, int):
            self._session_number = sessionno
        else:
            self.sessionno = sessionno  # a program's own
        Stream._open(self, protocol)

    def _raw_peer(self) -> Any:
        """The peer's address as the system says it."""
        return self._peer if self._peer_port < 0 else (self._peer, self._peer_port)

    # Whom it watches with

    def _attach(self, fd: int, sock: Any, engine: Engine | None) -> None:
        """Take a descriptor, its socket object if there is one, and the driver: an engine, or None for the contract.

        What an engine watched of another one before is watched of this.
        """
        interest = self._interest
        if interest and self._engine is not None:
            self._engine.forget(self._fd)
        self._fd, self._socket, self._engine = fd, sock, engine
        if interest & READ:
            self.startReading()
        if interest & WRITE:
            self.startWriting()

    @classmethod
    def _goes_natively(cls) -> bool:
        return False

    def _take(self, skt: Any) -> None:
        """Use this socket: an object, or a bare descriptor."""
        if isinstance(skt, int):
            engine = self._find_engine()
            if engine is not None:
                Stream._attach(self, skt, None, engine)
                return
            skt = socket.socket(fileno=skt)
            skt.setblocking(False)
        self._attach(skt.fileno(), skt, self._driver(skt))

    def _driver(self, skt: Any) -> Engine | None:
        """What watches this socket: our engine, or None for the reactor and the methods of the contract."""
        real = skt.__class__ is socket.socket  # else only its own methods know what it does
        return self._find_engine() if real else None

    def _leave_engine(self) -> None:
        """From now on it is driven by the contract: a method was replaced that the native driver would pass by."""
        if self._engine is None or self._fd < 0:
            return
        skt = self._socket_object()
        skt.setblocking(False)
        self._attach(self._fd, skt, None)
        if self._wanted:
            self.startWriting()

    def _open(self, protocol: Any) -> None:
        """The connection is made: receive, for `protocol`. It is told by whoever made the connection."""
        self._served = protocol
        self._life = OPEN
        self._disconnecting = False
        if self._engine is None:
            self.startReading()
        else:
            Stream.startReading(self)  # natively nobody has replaced it

    @property
    def watched_by(self) -> Engine | None:
        """The engine that drives this natively, or None."""
        return self._engine

    def fileno(self) -> int:
        """The descriptor; -1 once the connection is lost."""
        self._forks = -1  # the caller may duplicate it
        return self._socket.fileno() if self._engine is None and self._socket is not None else self._fd

    def startReading(self) -> None:
        """Receive. ValueError after the connection was lost (98)."""
        if self._engine is None:
            self.reactor.addReader(self)
        else:
            self._watch(self._interest | READ)

    def stopReading(self) -> None:
        if self._engine is None:
            self.reactor.removeReader(self)
        else:
            self._watch(self._interest & ~READ)

    def startWriting(self) -> None:
        """Be told of room to write. ValueError after the connection was lost (98)."""
        if self._engine is None:
            self.reactor.addWriter(self)
        else:
            self._watch(self._interest | WRITE)

    def stopWriting(self) -> None:
        if self._engine is None:
            self.reactor.removeWriter(self)
        else:
            self._watch(self._interest & ~WRITE)

    def _watch(self, interest: int) -> None:
        if interest == self._interest:
            return
        if self._fd < 0:
            raise ValueError("the connection is lost: there is nothing to watch")
        assert self._engine is not None
        self._engine.tell(self, interest)

    # Events of the native driver

    def on_ready(self, ready: int) -> None:
        """The engine says: there is something to read, room to write, or the other side has gone."""
        outer, self._busy = self._busy, True
        why: BaseException | None = None
        reading = False
        engine = self._engine  # none later, perhaps: what is called may change the driver
        assert engine is not None
        try:
            if ready & READ:
                reading = True
                data = Sys.recv(self._fd, BUFFER) if self._passing is None else self._receive_passed()
                if type(data) is bytes:
                    received = data  # bytes to the compiler, too
                    if received:
                        engine.meter.received += len(received)
                        self._served.dataReceived(received)
                        reading = False
                    else:
                        why = DONE
                elif data != AGAIN:
                    why = BROKEN
            elif ready & GONE:  # reported unasked: what there was to read has been read by now (59)
                reading = self._interest & READ != 0
                why = DONE if reading else BROKEN
            if why is None:
                if self._interest & WRITE:
                    if ready & WRITE:
                        why = self._send_waiting()
                elif self._wanted:
                    if self._outbox.size > SHORT or outer or self._engine is None or self._engine.alone:
                        why = self._send_waiting()
                    elif not self._queued:
                        self._queued = True
                        self._engine.send_later(self)
        except BaseException as error:
            why = error
            self._report("dataReceived" if reading else "a write")
        finally:
            self._busy = outer
        if why is not None:
            self._end(why, reading)
            why = None  # the traceback of an exception has this frame

    def flush(self) -> None:
        """The engine is about to sleep: send what was written outside of this stream's own events.

        Or within one, if that event turns the loop itself.
        """
        self._queued = False
        if not self._wanted or self._fd < 0 or self._interest & WRITE:
            return
        outer, self._busy = self._busy, True
        try:
            why = self._send_waiting()
        except BaseException as error:
            why = error
            self._report("a write")
        finally:
            self._busy = outer
        if why is not None:
            self._end(why, False)
            why = None  # as in on_ready

    def hold(self) -> bool:
        """From now on, what is written waits for `release`: a layer above has more to write. For native streams."""
        outer, self._busy = self._busy, True
        return outer

    def release(self, outer: bool) -> None:
        """Send what was written since `hold`, which gave `outer`; unless that is an event's, which sends at its end."""
        self._busy = outer
        if not outer and self._wanted and not self._queued:
            self.flush()

    # Events of the contract driver

    def doRead(self) -> Any:
        """Receive once and tell the protocol. Returns a reason to disconnect, or None. Contract: IReadDescriptor."""
        if self._life >= ABORTED:
            return None
        if self._passing is not None:
            data = self._receive_passed()
            if type(data) is int:
                return None if data in NOTHING_NOW else BROKEN
            return self._dataReceived(data)
        try:
            data = self._socket_object().recv(min(self.bufferSize, BUFFER) or BUFFER)
        except OSError as error:
            if error.errno is not None and -error.errno in NOTHING_NOW:
                return None
            return BROKEN
        return self._dataReceived(data)

    def _dataReceived(self, data: bytes) -> Any:
        if not data:
            return DONE
        self._count_bytes(len(data), 0)
        self._served.dataReceived(data)  # what it returns means nothing (99)
        return None

    def _receive_passed(self) -> Any:
        """As Sys.recv; file descriptors that came along are told first. Raises what the protocol does."""
        assert self._passing is not None
        data = Sys.recvmsg(self._fd, BUFFER, self._passing.received)
        if self._passing.received:
            self._passing.deliver(self)
            if self._life >= ABORTED:
                return AGAIN  # the protocol has dropped the connection: it is told nothing more
        return data

    def doWrite(self) -> Any:
        """Send once what waits. Returns a reason to disconnect, or None. Contract: IWriteDescriptor."""
        return self._send_waiting()

    def writeSomeData(self, data: bytes) -> Any:
        """Send some of it: how many bytes were taken, or the reason to disconnect."""
        try:
            return self._socket_object().send(data)
        except OSError as error:
            if error.errno is not None and -error.errno in NOTHING_NOW:
                return 0
            return BROKEN

    def _socket_object(self) -> Any:
        """The socket object, made now if the connection was accepted without one. AttributeError after the end (98)."""
        if self._socket is None:
            if self._fd < 0:
                raise AttributeError("the connection is lost: there is no socket")
            self._socket = socket.socket(fileno=self._fd)
            self._forks = -1  # whoever asks may keep or duplicate it
        return self._socket

    def _option(self, level: int, name: int) -> int:
        """A socket option. Asked of the bare descriptor if there is no socket object: this is no reason to make one."""
        if self._socket is not None or self._fd < 0:
            return int(self._socket_object().getsockopt(level, name))
        return Sys.option(self._fd, level, name)

    def _set_option(self, level: int, name: int, value: int) -> None:
        if self._socket is not None or self._fd < 0:
            self._socket_object().setsockopt(level, name, value)
        else:
            Sys.set_option(self._fd, level, name, value)

    def _set_no_delay(self, enabled: bool) -> None:
        """Send small segments at once. Off by default (75). For TCP, whose servers do this on each connection."""
        Stream._set_option(self, TCP, NO_DELAY, enabled)

    # Sending

    def pass_on(self, descriptor: int) -> None:
        """Send a file descriptor with the next byte; for transports that can. TypeError, OSError: see Passing.add."""
        if self._life > CLOSING:
            return
        assert self._passing is not None
        self._passing.add(descriptor)
        if self._engine is None:
            self._maybePauseProducer()
        elif len(self._passing.waiting) > MANY:
            self._pause_producer()
        self._send_soon()

    def _isSendBufferFull(self) -> bool:
        return Flow._isSendBufferFull(self) or (self._passing is not None and len(self._passing.waiting) > MANY)

    def send_from_file(self, file: int, start: int) -> int:
        """Have the kernel send of a file, by its descriptor, what there is room for; gives how many bytes that were.

        For a pull producer that is asked for more: it will be asked again when there is room. 0 if nothing was sent, as
        the file is at its end or the kernel cannot do this: then read and write.
        """
        if self._engine is None or self._outbox.size or self._life > CLOSING:
            return 0
        if self._passing is not None and self._passing.waiting:
            return 0  # a descriptor goes with the next byte
        try:
            sent = os.sendfile(self._fd, file, start, FILE_LIMIT)
        except OSError:  # if the connection is broken, a write will tell
            return 0
        if sent:
            self._count_bytes(0, sent)
            self.startWriting()
        return sent

    def _send_soon(self) -> None:
        self._wanted = True
        if self._engine is None:
            self.startWriting()
        elif not self._busy and not self._queued and not self._interest & WRITE:
            self._queued = True
            self._engine.send_later(self)

    def _send_waiting(self) -> Any:
        """One send of what waits, and what follows when nothing is left. A reason to disconnect, or None."""
        self._wanted = False
        if self._life >= ABORTED:
            return None
        if self._engine is not None:
            why = self._send_by_engine()
            if why is not None:
                return why
        else:
            sent = self._send_by_contract()
            if type(sent) is not int:
                return sent
            if sent:
                self._count_bytes(0, sent)
                self._outbox.take(sent)
        if self._outbox.size:
            if self._engine is not None:
                self._watch(self._interest | WRITE)
            return None
        return self._all_sent()

    def _send_by_engine(self) -> Any:
        """A reason to disconnect, or None."""
        engine, outbox = self._engine, self._outbox
        assert engine is not None
        if self._passing is not None and self._passing.waiting:
            why = self._send_passed()
            if why is not None or self._passing.waiting:
                return why
        if not outbox.size:
            # The writing side is shut: asked once more, the kernel would say EPIPE (65).
            return BROKEN if self._life == HALF_CLOSED else None
        whole = outbox.whole()
        sent = Sys.send(self._fd, whole) if whole is not None else Sys.sendmsg(self._fd, outbox.pieces(ALL))
        if sent < 0:
            return None if sent in NOTHING_NOW else BROKEN
        engine.meter.sent += sent
        outbox.take(sent)
        return None

    def _send_passed(self) -> Any:
        """Send file descriptors, each with a byte."""
        assert self._passing is not None
        before = self._outbox.size
        why = self._passing.send(self._fd, self._outbox)
        self._count_bytes(0, before - self._outbox.size)
        return why

    def _send_by_contract(self) -> Any:
        if self._passing is not None and self._passing.waiting:
            why = self._send_passed()
            if why is not None or self._passing.waiting:
                return why or 0
        outbox = self._outbox
        data = outbox.view(SEND_LIMIT)
        if len(data) < SEND_LIMIT and len(data) < outbox.size:  # what waits is not to wait for another event
            data = b"".join(outbox.pieces(SEND_LIMIT))
        sent = self.writeSomeData(bytes(data))
        return BROKEN if type(sent) is int and sent < 0 else sent

    def _all_sent(self) -> Any:
        """All is sent: the turn of who waits for that, a producer, a closing. A reason to disconnect, or None."""
        if self._engine is None:
            self.stopWriting()
        elif self._interest & WRITE:
            self._watch(self._interest & ~WRITE)
        if self._drains is not None:
            self._tell_drained(None)
            if self._life >= ABORTED:
                return None
            if self._outbox.size:  # who waited has more to send: not now, as below
                if self._engine is not None:
                    self._watch(self._interest | WRITE)
                return None
        if self.producer is not None and (not self.streamingProducer or self.producerPaused):
            self.producerPaused = False
            self.producer.resumeProducing()
            if self._wanted and self._engine is not None and self._life < ABORTED:
                self._watch(self._interest | WRITE)  # not now: a source without end would keep the loop here
        elif self._life == CLOSING:
            return self._postLoseConnection()
        elif self._life == HALF_CLOSING:
            self._life = after(self._life, life.FLUSHED)
            self._closeWriteConnection()
        return None

    # Closing

    @property
    def protocol(self) -> Any:
        """Whom data and the end of the connection are told to. Replacing it redirects both (99); gone after the end."""
        if self._served is None and self._life == LOST:
            raise AttributeError("the connection is lost: there is no protocol any more")
        return self._served

    @protocol.setter
    def protocol(self, protocol: Any) -> None:
        self._served = protocol

    def _postLoseConnection(self) -> Any:
        return DONE

    def _closeWriteConnection(self) -> None:
        """Everything was sent before loseWriteConnection took effect: shut the writing side, and tell the protocol."""
        try:
            self._socket_object().shutdown(socket.SHUT_WR)
        except OSError:
            pass
        tell_half(self, self._served, "writeConnectionLost")

    def readConnectionLost(self, reason: Failure) -> None:
        """The peer has ended its side: a protocol that can live half closed is told, any other loses the connection."""
        if not tell_half(self, self._served, "readConnectionLost"):
            self.connectionLost(reason)

    def loseConnection(self) -> None:
        """Send what was written, then close; nothing more is read. Contract: ITransport (63)."""
        state = self._life
        self._life = after(state, life.LOSE)
        if self._life == state:
            return
        if self._life == LOST:
            self._life = state  # the writing side is shut, so there is nothing to wait for
            self.stopReading()
            self.stopWriting()
            self.connectionLost(CONNECTION_DONE)
            return
        self._disconnecting = True
        self.stopReading()
        self._send_soon()

    def loseWriteConnection(self) -> None:
        """Send what was written, then shut the writing side. ValueError after the connection was lost (65, 98)."""
        if self._fd < 0:
            raise ValueError("the connection is lost: there is no writing side to shut")
        self._life = after(self._life, life.LOSE_WRITE)
        self._send_soon()

    def abortConnection(self) -> None:
        """Drop the connection at once, with a reset; the protocol is told on a later pass. Contract: ITCPTransport."""
        self._abort(ConnectionAborted())

    def _abort(self, error: ConnectionAborted) -> None:
        state = self._life
        self._life = after(state, life.ABORT)
        if self._life == state:
            return
        self.stopReading()
        self.stopWriting()
        self.reactor.callLater(0, self.connectionLost, Failure(error))

    def _end(self, why: Any, reading: bool) -> None:
        """The connection is over, or its reading side is. Raises KeyboardInterrupt at most (43)."""
        if self._life == LOST:
            return
        if type(why) is ConnectionDone:
            if reading:
                self._ended = True
                self._interest &= ~READ  # the poller is told when it is known that there is anything left to watch
                try:
                    self.readConnectionLost(CONNECTION_DONE)
                finally:
                    if self._engine is not None and self._fd >= 0:
                        self._engine.tell(self, self._interest)
            else:
                self.connectionLost(CONNECTION_DONE)
        elif type(why) is ConnectionLost:
            self.connectionLost(CONNECTION_LOST)
        else:
            self.connectionLost(Failure(why))

    def connectionLost(self, reason: Any) -> None:
        """The connection is over. Flags, producer, socket, protocol, in this order (67).

        `reason` is a Failure, or None if a program that has made its own descriptor of this has none to give.
        """
        if self._life == LOST:
            return
        self._life = after(self._life, LOSS)
        self._forget_written()
        if self._passing is not None:
            self._passing.close()
        producer, self.producer = self.producer, None
        if producer is not None:
            try:
                producer.stopProducing()
            except BaseException:
                self._report("stopProducing")
        regular = reason is CONNECTION_DONE or reason is None
        self._close_stream(not regular and isinstance(reason.value, ConnectionAborted))
        if self._drains is not None:
            self._tell_drained(reason or CONNECTION_LOST)
        protocol, self._served = self._served, None
        try:
            if protocol is not None:
                protocol.connectionLost(reason)
        except KeyboardInterrupt:
            raise
        except BaseException:
            self._report("connectionLost")
        finally:
            if self._roster is not None:
                self._delist()

    def _enlist(self, roster: Roster) -> None:
        """Be among these connections until the end, unless that has been or it is among some already."""
        if self._roster is None and self._life != LOST:
            self._roster, self._seat = roster, roster.add(self)

    def _delist(self) -> None:
        roster, self._roster = self._roster, None
        assert roster is not None
        moved = roster.remove(self._seat)
        if moved is not None:
            moved._seat = self._seat

    def _close_stream(self, abort: bool) -> None:
        fd, self._fd = self._fd, -1
        sock, self._socket = self._socket, None
        if self._engine is not None:
            if fd >= 0:
                self._engine.forget(fd)
                if sock is not None:
                    sock.detach()
                # If nobody else has the descriptor, to close it is all that is to be done. But not if there may be
                # something unread: the system would answer that with a reset, and drop what is not sent yet.
                alone = self._ended and sock is None and self._forks == _forks
                Sys.hang_up(fd, abort, not alone)
        else:
            self.reactor.removeReader(self)
            self.reactor.removeWriter(self)
            if sock is not None:
                _close_socket(sock, abort)

    # A transport is a push producer too. Contract: IPushProducer (69)

    def pauseProducing(self) -> None:
        """Receive nothing until resumeProducing; not even the end is noticed meanwhile (59)."""
        self.stopReading()

    def resumeProducing(self) -> None:
        """Receive again, unless the connection is lost or being closed."""
        if OPEN <= self._life < ABORTED and self._life != CLOSING:
            self.startReading()

    def stopProducing(self) -> None:
        """The consumer wants no more: lose the connection."""
        self.loseConnection()

    # Names

    def getHost(self) -> Any:
        """This end's address."""
        raise NotImplementedError(f"{type(self).__qualname__} does not know its address")

    def getPeer(self) -> Any:
        """The other end's address."""
        raise NotImplementedError(f"{type(self).__qualname__} does not know its peer's address")

    def logPrefix(self) -> str:
        return "-"

    def log_prefix(self) -> str:
        """Whom this serves, for whoever logs meanwhile."""
        try:
            return str(self.logPrefix())
        except Exception:
            return "-"

    def _report(self, where: str) -> None:
        report.failure(f"Unhandled error in {where} of {self.log_prefix()}", Failure())


def half_closeable(protocol: Any) -> Any:
    """`protocol` if it has the methods of IHalfCloseableProtocol, or None."""
    # Asked of the class: wrappers hand unknown attributes on to a transport, and that has methods of these names too.
    kind = type(protocol)
    return protocol if hasattr(kind, "readConnectionLost") and hasattr(kind, "writeConnectionLost") else None


def tell_half(transport: Any, protocol: Any, hook: str) -> bool:
    """Call a hook of IHalfCloseableProtocol, if the protocol is one; if it raises, the connection ends (65)."""
    protocol = half_closeable(protocol)
    if protocol is None:
        return False
    try:
        getattr(protocol, hook)()
    except BaseException:
        failure = Failure()
        report.failure(f"Unhandled error in {hook} of {transport.log_prefix()}", failure)
        transport.connectionLost(failure)
    return True


def _close_socket(sock: Any, abort: bool) -> None:
    try:
        if abort:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # the peer was first
    try:
        sock.close()
    except OSError:
        pass
