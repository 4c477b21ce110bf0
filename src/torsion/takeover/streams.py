"""What our streams are given where Twisted is installed: TLS by Twisted's own protocol, and its interfaces.

Nothing of Twisted is imported before it is used.
"""

from typing import Any

from torsion.net import stream, tcp

_half_closeable: Any = None  # Twisted's interface, once it was asked for


def half_closeable(protocol: Any) -> Any:
    """A protocol that says so of itself by Twisted's interface, or None."""
    global _half_closeable
    if _half_closeable is None:
        from twisted.internet.interfaces import IHalfCloseableProtocol

        _half_closeable = IHalfCloseableProtocol
    return _half_closeable(protocol, None)


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
    tcp.Connection.startTLS = startTLS  # type: ignore[attr-defined]
    tcp.Connection._tlsClientDefault = True  # type: ignore[attr-defined]
    tcp.Server._tlsClientDefault = False  # type: ignore[attr-defined]
