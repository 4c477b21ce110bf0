"""What our streams are given where Twisted is installed: TLS by Twisted's own protocol, and its interfaces.

Nothing of Twisted is imported before it is used.
"""

from typing import Any

from torsion.net import passing, stream, tcp

_half_closeable: Any = None  # Twisted's interface, once it was asked for


def half_closeable(protocol: Any) -> Any:
    """A protocol that says so of itself by Twisted's interface, or None."""
    global _half_closeable
    if _half_closeable is None:
        from twisted.internet.interfaces import IHalfCloseableProtocol

        _half_closeable = IHalfCloseableProtocol
    return _half_closeable(protocol, None)


def descriptor_receiver(protocol: Any) -> Any:
    """A protocol that says so of itself by Twisted's interface, or None: wrappers have the method in any case."""
    from twisted.internet.interfaces import IFileDescriptorReceiver

    return protocol if IFileDescriptorReceiver.providedBy(protocol) else None


def unwanted(stream: Any) -> None:
    """A descriptor was closed: said with the event that observers of Twisted's log know."""
    from twisted.python import log

    log.msg(
        format=(
            "%(protocolName)s (on %(hostAddress)r) does not provide IFileDescriptorReceiver; "
            "closing file descriptor received (from %(peerAddress)r)."
        ),
        protocolName=stream._getLogPrefix(stream.protocol),
        hostAddress=stream.getHost(),
        peerAddress=stream.getPeer(),
    )


def startTLS(self: Any, ctx: Any, normal: bool = True) -> None:
    """Speak TLS from now on: Twisted's own protocol does, over this transport.

    A transport that does becomes one of a class whose write goes to that protocol; the others do not pay for it.
    """
    from twisted.internet import _newtls

    plain = type(self)
    if plain not in _over_tls:
        bases = (_newtls.ConnectionMixin, plain)
        _over_tls[plain] = type(plain.__name__, bases, {"__module__": plain.__module__})
    self.__class__ = _over_tls[plain]
    _newtls.startTLS(self, ctx, normal, plain)


_over_tls: dict[type, type] = {}


def complete() -> None:
    """Give our transports what they lack, and let them ask a protocol by Twisted's interface."""
    stream.half_closeable = half_closeable
    passing.descriptor_receiver = descriptor_receiver
    passing.unwanted = unwanted
    tcp.Connection.startTLS = startTLS  # type: ignore[attr-defined]
    tcp.Connection._tlsClientDefault = True  # type: ignore[attr-defined]
    tcp.Server._tlsClientDefault = False  # type: ignore[attr-defined]
