"""What programs see of TLS on a connection: a protocol to the transport below, a transport to the protocol above.

What it does is in protocol.py, in a compiled object; this is a class of Python's with nothing but its `__dict__`, as
Twisted's is. So programs may make an object of theirs one of these in the middle of a connection, by giving it this
class and the `__dict__` of one: a server that speaks two protocols on one port does so once it knows that it is TLS.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...core.deferred import Deferred
from ...failure import Failure
from ..protocols import connectionDone
from ..wrapping import ProtocolWrapper
from . import life
from .producers import Membrane, Pump
from .protocol import TLSLayer


def _kept(name: str) -> Any:
    """An attribute that the layer keeps."""

    def get(self: TLSMemoryBIOProtocol) -> Any:
        return getattr(self._layer, name)

    def set(self: TLSMemoryBIOProtocol, value: Any) -> None:
        setattr(self._layer, name, value)

    return property(get, set)


class TLSMemoryBIOProtocol(ProtocolWrapper):
    """Speaks TLS over its transport, whatever that is, for `wrappedProtocol`. Made by a TLSMemoryBIOFactory.

    Contract: twisted.protocols.tls.
    """

    TLS = True
    #: What makes a push producer of one that pulls.
    _pump: Any = Pump

    factory = _kept("factory")
    transport = _kept("transport")
    wrappedProtocol = _kept("wrappedProtocol")

    def __init__(self, factory: Any, wrappedProtocol: Any, _connectWrapped: bool = True) -> None:
        """`_connectWrapped`: whether `wrappedProtocol` is still to be told that it is connected."""
        self._layer = layer = TLSLayer(factory, wrappedProtocol, _connectWrapped)
        # What every message goes through is the layer's own, unless it is replaced: a call less.
        kind = type(self)
        if kind.dataReceived is _dataReceived:
            self.dataReceived = layer.dataReceived  # type: ignore[method-assign]
        if kind.write is _write:
            self.write = layer.write  # type: ignore[method-assign]

    # From below

    def makeConnection(self, transport: Any) -> None:
        """Tell the protocol that it is connected, then begin the handshake (79)."""
        self._layer.makeConnection(self, transport)

    def connectionMade(self) -> None:
        """Nothing: makeConnection tells of it. Contract: IProtocol."""

    def dataReceived(self, data: bytes) -> None:
        """Bytes from the peer. Raises what the application's dataReceived does."""
        self._layer.dataReceived(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The transport is closed: so is this (81)."""
        self._layer.connectionLost(self, reason)

    def failVerification(self, reason: Failure) -> None:
        """Refuse the peer, for this reason: abort. Called by who checks certificates, within the handshake (83)."""
        self._layer._reason = reason
        self.abortConnection()

    # From above

    def startTLS(self, ctx: Any, normal: bool = True, *, handshake_timeout: float | None = None) -> None:
        """RuntimeError: else the transport below would begin again, in the middle of what it sends encrypted."""
        raise RuntimeError(f"{self!r} speaks TLS already")

    def write(self, data: bytes) -> None:
        """Encrypt and send. TypeError for what is not bytes or like them; ignored once it is closing, unless a producer
        is registered, and after the end (62).
        """
        self._layer.write(data)

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        """Write each of them, as one."""
        self.write(b"".join(iovec))

    def drained(self) -> Deferred:
        """A Deferred that fires with None when all that was written has been handed to the kernel, encrypted.

        What waits for the handshake, or for the end of the pass, is waited for too. It fails with the reason of the end
        if the connection is lost before, and with ConnectionLost if it is over already. Ours; Twisted has none.
        """
        waiting: Deferred = self._layer.drained()
        return waiting

    def loseConnection(self) -> None:
        """Send what was written and close_notify, then wait for the peer's; data is delivered meanwhile (80).

        Before the handshake is done, with nothing written, the connection is aborted.
        """
        self._layer.loseConnection()

    def loseWriteConnection(self) -> None:
        """Send what was written, then a bare end of file: the peer's TLS takes that for a lost connection (108)."""
        self._layer.loseWriteConnection()

    def abortConnection(self) -> None:
        """Drop the connection at once. Nothing happens if it is lost (108)."""
        self._layer.abortConnection()

    def _shutdownTLS(self) -> None:
        self._layer.shut()

    # Producers (68)

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Let the transport's buffer pause `producer`. RuntimeError if there is one already.

        Closing waits until it is unregistered. One that pulls is asked for more from the next pass on.
        """
        layer = self._layer
        if layer._state >= life.ENDED:
            producer.stopProducing()
            return
        if layer._producer is not None:
            raise RuntimeError(
                f"Cannot register producer {producer!r}, because producer {layer._producer._producer!r} was never"
                " unregistered."
            )
        if not streaming:
            producer = self._pump(producer, self, layer.clock().callLater)
        membrane = Membrane(producer)
        self.transport.registerProducer(membrane, True)
        layer._producer = membrane
        if not streaming:
            producer.startStreaming()

    def unregisterProducer(self) -> None:
        """The producer has ended: a closing that waited for it goes on."""
        self._layer.unregisterProducer()

    def stopConsuming(self) -> None:
        """Take no more from the producer: lose the connection."""
        self.unregisterProducer()
        self.loseConnection()

    def pauseProducing(self) -> None:
        """Receive nothing until resumeProducing; what has been received is still delivered (108)."""
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        self.transport.resumeProducing()

    def stopProducing(self) -> None:
        self.loseConnection()

    # What can be asked

    @property
    def connected(self) -> int:
        """Whether it can be told to close. Set false, it makes loseConnection do nothing."""
        return int(self._layer.connected)

    @connected.setter
    def connected(self, value: object) -> None:
        self._layer.connected = bool(value)

    @property
    def disconnecting(self) -> int:
        """Whether it was told to close, which stays so after the end.

        Set true, it makes the connection take no more, and close with what happens next on it, or when its producer
        has ended; set false, it takes a closing back for which close_notify is not sent yet.
        """
        return int(self._layer.disconnecting)

    @disconnecting.setter
    def disconnecting(self, value: object) -> None:
        self._layer.mark_closing(bool(value))

    @property
    def negotiatedProtocol(self) -> bytes | None:
        """What both sides agreed to speak (ALPN); None before the handshake is done, and if they did not agree."""
        tls = self._layer._tls
        return None if tls is None or self._layer._state <= life.LEAVING else tls.negotiated()

    def getPeerCertificate(self) -> Any:
        """The peer's certificate, or None: as DER bytes from the standard library, as an X509 from pyOpenSSL."""
        tls = self._layer._tls
        return None if tls is None else tls.certificate()

    def getHandle(self) -> Any:
        """The library's object for this connection: an ssl.SSLObject, or an OpenSSL.SSL.Connection."""
        tls = self._layer._tls
        return None if tls is None else tls.handle()

    def getHost(self) -> Any:
        return self.transport.getHost()

    def getPeer(self) -> Any:
        return self.transport.getPeer()

    def logPrefix(self) -> str:
        """As the protocol above says."""
        return self._layer.logPrefix()

    def __getattr__(self, name: str) -> Any:
        # What else its kind of transport can do: setTcpNoDelay, say.
        if name.startswith("__") or name == "_layer":
            raise AttributeError(name)
        return getattr(self.transport, name)


_dataReceived, _write = TLSMemoryBIOProtocol.dataReceived, TLSMemoryBIOProtocol.write
