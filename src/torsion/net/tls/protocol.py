"""TLS between a transport and a protocol: what TLSMemoryBIOProtocol (transport.py) does, which both know.

Whatever happens, happens in one step: what came from the transport is decrypted and delivered, what the application
wrote meanwhile is joined, encrypted and handed down, all in the transport's own event. Written at other times, it is
joined until the pass of the loop ends, or until it is more than `JOINED` bytes (80). So the stream below still sends
once an event.

How a connection ends is in life.py. Why it ended is `_reason`, where TLS knows better than the transport below: that
one's end is clean only if the peer has said that it is (close_notify), else data may have been cut off (81).
"""

from __future__ import annotations

from typing import Any

from ... import report
from ...core.deferred import Deferred, fail
from ...core.outbox import Outbox
from ...engine.turn import Engine
from ...engine.watch import Unsent
from ...error import ConnectionAborted, ConnectionLost
from ...failure import Failure
from .. import descriptor
from ..descriptor import CONNECTION_DONE, CONNECTION_LOST
from ..stream import Stream
from . import life
from .engine import TLSEngine

# As C numbers in the compiled lane.
HANDSHAKING, LEAVING, OPEN, CLOSING = life.HANDSHAKING, life.LEAVING, life.OPEN, life.CLOSING
SHUT, ENDED, LOST, NEW = life.SHUT, life.ENDED, life.LOST, life.NEW

JOINED = 64000
"""More bytes than this are encrypted at once, in the write that brings them (80)."""
PORTION = 65536
"""Encrypted before it is handed down, in bytes: so that the transport's buffer, and its producer's, is asked often."""


class HandshakeTimeout(ConnectionAborted):
    """The TLS handshake took longer than the program allows: the connection was aborted."""


class TLSLayer(Unsent):
    """The core of a TLSMemoryBIOProtocol (compiled; that is Python's). Belongs to its reactor's thread."""

    def __init__(self, factory: Any, wrappedProtocol: Any, _connectWrapped: bool = True) -> None:
        """`_connectWrapped`: whether `wrappedProtocol` is still to be told that it is connected."""
        self.factory = factory
        self.wrappedProtocol = wrappedProtocol
        self.transport: Any = None
        self._face: Any = None  # the TLSMemoryBIOProtocol, while it is connected
        self._producer: Any = None
        self._reason: Failure | None = None
        self._connect_wrapped = bool(_connectWrapped)
        self._state = NEW
        # What the contract shows, and programs may set: it can be told to close; it was, which stays.
        self.connected = False
        self.disconnecting = False
        self._busy = False  # inside its own event, at whose end it sends
        self._queued = False  # it will be flushed before the loop sleeps
        self._tls: TLSEngine | None = None
        self._outbox = Outbox()
        self._stream: Stream | None = None  # the native stream at the bottom, which sends when we say so
        self._loop: Engine | None = None  # what flushes, if it is ours; else the clock is asked
        self._send_down: Any = None
        self._timer: Any = None
        self._drains: list[Deferred] | None = None
        self._below_asked = False  # the transport below will say when it has sent everything

    # From below: what the transport tells its protocol

    def makeConnection(self, face: Any, transport: Any) -> None:
        """Tell the protocol that it is connected, with `face` as its transport, then begin the handshake (79)."""
        self._face = face
        self.transport = transport
        self._send_down = transport.write
        self._state = life.after(self._state, life.MADE)
        self.connected = True
        reactor = self.clock()
        engine = getattr(reactor, "engine", None)
        if isinstance(engine, Engine) and engine.carries_streams:
            self._loop = engine
        bottom = getattr(transport, "beneath", transport)  # see starttls.py
        if isinstance(bottom, Stream) and bottom.watched_by is not None:
            self._stream = bottom
        try:
            self._tls = self.factory.make_engine(face)
            self.factory.registerProtocol(face)
            limit = self.factory.handshake_timeout
            if limit is not None:
                self._timer = reactor.callLater(limit, self._too_slow)
        except BaseException:  # to whoever made the connection, which is no use without
            if self._connect_wrapped:
                self.wrappedProtocol = None  # never told of the connection, so not of its end
            self.abortConnection()
            raise
        outer, self._busy = self._busy, True
        try:
            if self._connect_wrapped:
                self.wrappedProtocol.makeConnection(face)
            if self._state <= LEAVING:
                self._shake()
        finally:
            self._busy = outer

    def dataReceived(self, data: bytes) -> None:
        """Bytes from the peer. Raises what the application's dataReceived does."""
        tls = self._tls
        if self._state >= ENDED or tls is None:
            return
        outer, self._busy = self._busy, True
        try:
            tls.feed(data)
            if self._state <= LEAVING:
                self._shake()
            if self._state > LEAVING:
                self._deliver()
                self._settle()
        finally:
            self._busy = outer

    def connectionLost(self, face: Any, reason: Failure) -> None:
        """The transport is closed: so is this (81). `face`: by whom it is told, which need not be the one it had."""
        if self._state == LOST:
            return
        ended = self._state == ENDED
        self._state = life.after(self._state, life.LOSS)
        self.connected = False
        if self._reason is not None:
            reason = self._reason
        elif self._tls is not None and self._tls.ended:
            reason = CONNECTION_DONE
        elif reason.value.__class__ is ConnectionAborted or not isinstance(reason.value, ConnectionLost):
            reason = CONNECTION_LOST  # cut off, or by an exception that was reported already (60)
        self._reason = None
        self._stop_timer()
        self._outbox = Outbox()
        producer, self._producer = self._producer, None
        if producer is not None and ended:  # else the transport has told it
            try:
                producer.stopProducing()
            except Exception:
                report.failure(f"Unhandled error in stopProducing of {self.log_prefix()}", Failure())
        if self._drains is not None:
            self._tell_drained(reason)
        self.factory.unregisterProtocol(face)
        protocol, self.wrappedProtocol = self.wrappedProtocol, None
        self._send_down = self._stream = self._loop = None
        try:
            if protocol is not None:
                protocol.connectionLost(reason)  # which may still ask whose certificate it was
        finally:
            self._tls = self._face = None  # the library's objects are large

    # The handshake

    def _shake(self) -> None:
        """Go on with the handshake, and with what waited for its end."""
        assert self._tls is not None
        face = self._face  # which is gone if the connection is lost meanwhile
        try:
            done = self._tls.handshake()
        except Exception:
            self._fail(Failure())
            return
        if self._state > LEAVING:
            return  # a callback of the library's has refused the peer
        if not done:
            self._pass_down()
            return
        try:
            self._tls.verify()
        except Exception:
            face.failVerification(Failure())
            return
        self._pass_down()
        if self._state > LEAVING:
            return  # a producer that this paused has aborted
        self._state = life.after(self._state, life.SHAKEN)
        self._stop_timer()
        if wants_handshake(self.wrappedProtocol):
            self.wrappedProtocol.handshakeCompleted()
        # A closing that waited for this goes on when what has come with it is read: the library refuses to read data
        # that was there before it closed.
        self._push()
        if self._state < ENDED and self._producer is not None and not self._outbox.size:
            self._producer.resumeProducing()

    def _too_slow(self) -> None:
        self._timer = None
        self._reason = Failure(
            HandshakeTimeout(f"the TLS handshake took longer than {self.factory.handshake_timeout} s")
        )
        self.abortConnection()

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    # Reading

    def _deliver(self) -> None:
        """Give the application what has been received."""
        tls = self._tls
        assert tls is not None
        while True:
            try:
                data = tls.read()
            except Exception:
                self._fail(Failure())
                return
            if data is None:
                break
            self.wrappedProtocol.dataReceived(data)
            if self._state >= ENDED:
                return
        if tls.ended:
            self._end_with_peer()

    def _end_with_peer(self) -> None:
        """The peer will send nothing more: send what is written, say the same, and close (81)."""
        self._push()
        if self._state < ENDED:
            self._face._shutdownTLS()

    # Writing

    def write(self, data: bytes) -> None:
        """Encrypt and send. TypeError for what is not bytes or like them; ignored once it is closing, unless a producer
        is registered, and after the end (62).
        """
        state = self._state
        if state > SHUT:
            return
        if data.__class__ is not bytes:
            data = _as_bytes(data)
        if (state > OPEN or state == LEAVING) and (state == SHUT or self._producer is None):
            return
        if not data:
            return
        self._outbox.append(data)
        if state <= LEAVING:
            self._hold_producer()
        elif self._outbox.size > JOINED:
            self._push()
        elif not self._busy and not self._queued:
            self._flush_later()

    def _flush_later(self) -> None:
        self._queued = True
        if self._loop is not None:
            self._loop.send_later(self)
        else:
            self.clock().callLater(0, self.flush)

    def flush(self) -> None:
        """Hand down what was written outside of this connection's own events. Raises KeyboardInterrupt at most (43)."""
        self._queued = False
        if self._state >= ENDED:
            return
        stream = self._stream
        try:
            if stream is None:
                self._settle()
                return
            outer = stream.hold()
            try:
                self._settle()
            finally:
                stream.release(outer)
        except KeyboardInterrupt:
            raise
        except BaseException:
            report.failure(f"Unhandled error in a write of {self.log_prefix()}", Failure())
            self.abortConnection()

    def _settle(self) -> None:
        """Hand down all there is, then go on with a closing that waited for that."""
        if self._state <= LEAVING or self._state >= ENDED:
            return
        if self._outbox.size:
            self._push()
        else:
            self._pass_down()  # what TLS says by itself: answers, tickets
        if self._state == CLOSING and self._producer is None and not self._outbox.size:
            self._face._shutdownTLS()

    def _push(self) -> None:
        """Encrypt what is written and hand it down."""
        tls, outbox = self._tls, self._outbox
        while outbox.size and self._state < ENDED and tls is not None:
            portion = 0
            try:
                while outbox.size and portion < PORTION:
                    taken = tls.write(outbox.view(PORTION))
                    if not taken:
                        break
                    outbox.take(taken)
                    portion += taken
            except Exception:
                self._fail(Failure())
                return
            self._pass_down()
            if not portion:
                self._hold_producer()  # it waits for the peer
                return
        if self._drains is not None and not self._below_asked:
            self._drain()

    def _pass_down(self) -> None:
        assert self._tls is not None
        data = self._tls.outgoing()
        if data:
            self._send_down(data)

    # Waiting for it to be gone

    def drained(self) -> Deferred:
        """A Deferred that fires with None when all that was written has been handed to the kernel, encrypted.

        What waits for the handshake, or for the end of the pass, is waited for too. It fails with the reason of the end
        if the connection is lost before, and with ConnectionLost if it is over already. Ours; Twisted has none.
        """
        if self._state >= ENDED:
            return fail(CONNECTION_LOST)
        waiting = Deferred()
        if self._drains is None:
            self._drains = [waiting]
            self._drain()
        else:
            self._drains.append(waiting)
        return waiting

    def _drain(self) -> None:
        """Somebody waits: hand down what there is, then ask the transport below. `_push` comes back if not all goes."""
        if self._outbox.size and LEAVING < self._state < ENDED:
            self._push()
        if not self._outbox.size and not self._below_asked and self._drains is not None:
            self._below_asked = True
            # If that fails, connectionLost comes, which knows better why.
            self.transport.drained().addCallbacks(self._below_drained, lambda failure: None)

    def _below_drained(self, _: None) -> None:
        self._below_asked = False
        if self._outbox.size:  # written since
            self._drain()
        else:
            self._tell_drained(None)

    def _tell_drained(self, result: Failure | None) -> None:
        waiting, self._drains = self._drains, None
        for each in waiting or ():
            if not each.called:  # it may have been cancelled
                each.callback(result)  # a Failure makes it fail

    # Closing

    def loseConnection(self) -> None:
        """Send what was written and close_notify, then wait for the peer's; data is delivered meanwhile (80).

        Before the handshake is done, with nothing written, the connection is aborted.
        """
        state = self._state
        if not self.connected:
            return
        if state == HANDSHAKING and not self._outbox.size and self._producer is None:
            self._face.abortConnection()
            return
        self.disconnecting = True
        self._state = life.after(state, life.LOSE)
        if self._state != state and not self._busy:
            self._settle()

    def mark_closing(self, closing: bool) -> None:
        """A program sets `disconnecting`: take no more, and close when what was written is gone; or go on."""
        self.disconnecting = closing
        self._state = life.after(self._state, life.LOSE if closing else life.KEEP)

    def shut(self) -> None:
        """Send close_notify; close, if the peer has sent its own."""
        tls = self._tls
        assert tls is not None
        self._state = life.after(self._state, life.NOTIFIED)
        try:
            tls.close()
        except Exception:
            self._fail(Failure())
            return
        self._pass_down()
        if tls.ended:
            self._reason = CONNECTION_DONE
            self._end()

    def _fail(self, reason: Failure) -> None:
        """TLS says that something is wrong. An alert may be on its way: send that, and close."""
        if self._state >= ENDED:
            return
        self._reason = reason
        self._pass_down()
        self._end()

    def _end(self) -> None:
        """There is nothing more to do here: close the transport."""
        self._enter_end()
        self.transport.loseConnection()

    def _enter_end(self) -> None:
        self._state = life.after(self._state, life.END)
        self._stop_timer()
        if self._producer is not None:
            self.transport.unregisterProducer()  # which would wait for it

    def loseWriteConnection(self) -> None:
        """Send what was written, then a bare end of file: the peer's TLS takes that for a lost connection (108)."""
        self._settle()
        self.transport.loseWriteConnection()

    def abortConnection(self) -> None:
        """Drop the connection at once. Nothing happens if it is lost (108)."""
        if self._state >= LOST:
            return
        self.disconnecting = True
        if self._state < ENDED:
            self._enter_end()
        if self._reason is None:
            self._reason = CONNECTION_LOST
        abort = getattr(self.transport, "abortConnection", None)
        if abort is None:
            self.transport.loseConnection()
        else:
            abort()

    # Producers (68)

    def unregisterProducer(self) -> None:
        """The producer has ended: a closing that waited for it goes on."""
        membrane, self._producer = self._producer, None
        if membrane is None:
            return
        if hasattr(membrane._producer, "stopStreaming"):
            membrane._producer.stopStreaming()
        if self._state < ENDED:
            self.transport.unregisterProducer()
            if not self._busy:
                self._settle()

    def _hold_producer(self) -> None:
        """What is written cannot go yet."""
        if self._producer is not None:
            self._producer.pauseProducing()

    def logPrefix(self) -> str:
        """As the protocol above says."""
        return descriptor.prefix_of(self.wrappedProtocol)

    def log_prefix(self) -> str:
        """Whom this serves, for whoever logs meanwhile."""
        try:
            return str(self.logPrefix())
        except Exception:
            return "-"

    def clock(self) -> Any:
        """Whose callLater is used."""
        clock = self.factory._clock
        return descriptor.current_reactor() if clock is None else clock


def wants_handshake(protocol: Any) -> bool:
    """Whether it is to be told that the handshake is done: it has the method of IHandshakeListener."""
    # Asked of what is its own, or its class's: wrappers hand unknown attributes on to what they wrap.
    return hasattr(type(protocol), "handshakeCompleted") or "handshakeCompleted" in getattr(protocol, "__dict__", ())


def _as_bytes(data: Any) -> bytes:
    if isinstance(data, str):
        raise TypeError("Must write bytes to a TLS transport, not str.")
    return bytes(memoryview(data))
