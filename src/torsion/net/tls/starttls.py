"""TLS on a connection that began without: the application keeps its transport, and TLS comes to lie below that.

The transport becomes one of a class whose writing goes to TLS; what TLS itself writes to is the transport as it was. So
those that never do this pay nothing for it. What was written before is sent first, as it is (82).
"""

from __future__ import annotations

from typing import Any

from ...core.deferred import Deferred, fail
from ..descriptor import CONNECTION_LOST


class OverTLS:
    """What a transport does otherwise after startTLS. Mixed into its class, before that."""

    TLS = True
    _served: Any
    _last_layer: Any = None  # the layer of TLS, while the application is told of the end

    def connectionLost(self, reason: Any) -> None:
        self._last_layer = self._served
        try:
            super().connectionLost(reason)  # type: ignore[misc]
        finally:
            self._last_layer = None

    def _layer(self) -> Any:
        return self._last_layer if self._served is None else self._served

    # Once the connection is lost there is no TLS any more, and nothing to be written to.

    def write(self, data: bytes) -> None:
        if self._served is not None:
            self._served.write(data)

    def writeSequence(self, iovec: Any) -> None:
        if self._served is not None:
            self._served.writeSequence(iovec)

    def loseConnection(self) -> None:
        if self._served is not None:
            self._served.loseConnection()

    def loseWriteConnection(self) -> None:
        if self._served is not None:
            self._served.loseWriteConnection()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        if self._served is None:
            producer.stopProducing()
        else:
            self._served.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        if self._served is not None:
            self._served.unregisterProducer()

    def drained(self) -> Deferred:
        if self._served is None:
            return fail(CONNECTION_LOST)
        waiting: Deferred = self._served.drained()
        return waiting

    def getHandle(self) -> Any:
        """The library's object: an ssl.SSLObject, or an OpenSSL.SSL.Connection."""
        layer = self._layer()
        return None if layer is None else layer.getHandle()

    def getPeerCertificate(self) -> Any:
        layer = self._layer()
        return None if layer is None else layer.getPeerCertificate()

    @property
    def negotiatedProtocol(self) -> bytes | None:
        layer = self._layer()
        return None if layer is None else layer.negotiatedProtocol


class Beneath:
    """The transport as it was before: what TLS writes to, and closes."""

    def __init__(self, transport: Any, plain: Any) -> None:
        self.beneath = transport
        self._plain = plain
        self.write = plain.write.__get__(transport)

    def writeSequence(self, iovec: Any) -> None:
        self._plain.writeSequence(self.beneath, iovec)

    def loseConnection(self) -> None:
        self._plain.loseConnection(self.beneath)

    def loseWriteConnection(self) -> None:
        self._plain.loseWriteConnection(self.beneath)

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        self._plain.registerProducer(self.beneath, producer, streaming)

    def unregisterProducer(self) -> None:
        self._plain.unregisterProducer(self.beneath)

    def drained(self) -> Deferred:
        waiting: Deferred = self._plain.drained(self.beneath)
        return waiting

    def __getattr__(self, name: str) -> Any:
        return getattr(self.beneath, name)


_over_tls: dict[type, type] = {}


def over_tls(plain: type) -> type:
    """The class that transports of this class become."""
    made = _over_tls.get(plain)
    if made is None:
        made = _over_tls[plain] = type(plain.__name__, (OverTLS, plain), {"__module__": plain.__module__})
    return made


def start_tls(transport: Any, source: Any, is_client: bool, handshake_timeout: float | None) -> None:
    """Speak TLS from now on. Raises what a TLSMemoryBIOFactory does; RuntimeError if it does so already."""
    from .factory import TLSMemoryBIOFactory
    from .source import with_host

    if transport.TLS:
        raise RuntimeError(f"{transport!r} speaks TLS already")
    host = getattr(transport, "addr", None)
    if is_client and isinstance(host, tuple):
        source = with_host(source, host[0])
    factory = TLSMemoryBIOFactory(source, is_client, None, transport.reactor, handshake_timeout=handshake_timeout)
    layer = factory.protocol(factory, transport.protocol, False)
    producer, streaming, paused = transport.producer, transport.streamingProducer, transport.producerPaused
    if producer is not None:
        transport.unregisterProducer()
    plain = type(transport)
    transport.protocol = layer
    transport.__class__ = over_tls(plain)
    layer.makeConnection(Beneath(transport, plain))
    if producer is not None:
        layer.registerProducer(producer, streaming)
        if streaming and paused:  # by what is still to be sent; who resumes it now is TLS
            layer._layer._producer._producerPaused = transport.producerPaused = True
