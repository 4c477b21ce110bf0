"""What our streams are given where Twisted is installed: its interfaces, by which it asks and is asked.

Nothing of Twisted is imported before it is used.
"""

import warnings
from collections.abc import Callable
from typing import Any

from torsion.net import passing, stream

def half_closeable(protocol: Any) -> Any:
    """A protocol that says so of itself by Twisted's interface, or None."""
    from twisted.internet.interfaces import IHalfCloseableProtocol

    from .adapting import Adapting

    stream.half_closeable = Adapting(IHalfCloseableProtocol).adapt  # from now on
    return stream.half_closeable(protocol)


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


def wants_handshake(protocol: Any) -> bool:
    """Whether it says by Twisted's interface that it is to be told of the handshake."""
    from twisted.internet.interfaces import IHandshakeListener

    return bool(IHandshakeListener.providedBy(protocol))


def creator_of(source: Any, is_client: bool) -> Any:
    """What makes a Connection of pyOpenSSL for a protocol, as Twisted finds it, with its warnings and its errors."""
    try:
        from twisted.protocols._tls_legacy import _convertToAppropriateFactory
    except ModuleNotFoundError:  # an older Twisted, which has neither
        return _creator_by_interface(source, is_client)
    made, error = None, None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            made = _convertToAppropriateFactory(is_client, source)
        except TypeError as raised:
            error = raised
    for each in caught:
        warnings.warn(each.message, stacklevel=4)  # who made the TLSMemoryBIOFactory
    if error is not None:
        raise error
    return made


def _creator_by_interface(source: Any, is_client: bool) -> Any:
    from twisted.internet.interfaces import IOpenSSLClientConnectionCreator, IOpenSSLServerConnectionCreator

    from torsion.net.tls import openssl

    wanted = IOpenSSLClientConnectionCreator if is_client else IOpenSSLServerConnectionCreator
    return openssl.creator_of(wanted(source, source), is_client)


class Provided:
    """What a TLS connection provides (zope's `__providedBy__`): what its class does, and what its transport does.

    Worked out when it is asked for, so that connections of which nobody asks pay nothing.
    """

    def __get__(self, instance: Any, owner: type) -> Any:
        from zope.interface import implementedBy, providedBy
        from zope.interface.declarations import Provides

        if instance is None:
            return implementedBy(owner)
        declared = vars(instance).get("__provides__")
        below = [] if instance.transport is None else [providedBy(instance.transport)]
        return Provides(owner, *([] if declared is None else [declared]), *below)


def _complete_source(source: Any) -> None:
    source.creator_of = creator_of


def _complete_protocol(protocol: Any) -> None:
    protocol.wants_handshake = wants_handshake


def _complete_transport(transport: Any) -> None:
    transport.TLSMemoryBIOProtocol.__providedBy__ = Provided()


def complete(when: Callable[[str, Callable[[Any], None]], None]) -> None:
    """Let our transports ask a protocol by Twisted's interfaces, and be asked by them.

    `when(name, act)` calls `act(module)` once a module of ours has been loaded: not every program speaks TLS.
    """
    stream.half_closeable = half_closeable
    passing.descriptor_receiver = descriptor_receiver
    passing.unwanted = unwanted
    when("torsion.net.tls.source", _complete_source)
    when("torsion.net.tls.protocol", _complete_protocol)
    when("torsion.net.tls.transport", _complete_transport)
