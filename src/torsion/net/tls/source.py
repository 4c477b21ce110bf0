"""Whatever says how TLS is spoken, and the engine that is made of it.

Three kinds: the standard library's own context, what makes Settings, and pyOpenSSL's factories. The libraries are
imported when there is something to make with them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..filedescriptor import isIPAddress, isIPv6Address
from .engine import TLSEngine
from .settings import Settings, certified

EngineMaker = Callable[[Any], TLSEngine]

CREATORS = ("getContext", "clientConnectionForTLS", "serverConnectionForTLS")


def creator_of(source: Any, is_client: bool) -> Callable[[Any], Any]:
    """What makes a Connection of pyOpenSSL for a protocol. Raises TypeError if `source` does not say.

    The takeover puts another one here, that knows Twisted's interfaces.
    """
    if not any(hasattr(source, name) for name in CREATORS):
        raise TypeError(
            f"{source!r} says nothing about TLS: pass an ssl.SSLContext, an object of torsion.ssl, or a context factory"
            " or connection creator of pyOpenSSL"
        )
    from . import openssl

    return openssl.creator_of(source, is_client)


def engine_maker(source: Any, is_client: bool, offered: list[bytes]) -> EngineMaker:
    """What makes the engine for a protocol. ``offered``: what a server's factory can negotiate (ALPN).

    Raises TypeError for what nothing can be made of; ValueError for a context of the other side, and for a client's
    that is to check a name it is not given.
    """
    import ssl

    if isinstance(source, ssl.SSLContext):
        source = Settings(source)
    if isinstance(source, Settings):
        return _of_settings(lambda: source, is_client, offered)
    make = getattr(source, "tls_settings", None)
    if make is not None:
        return _of_settings(lambda: make(not is_client), is_client, offered)
    return _of_openssl(creator_of(source, is_client), is_client)  # ALPN is its own business


def with_host(source: Any, host: str) -> Any:
    """The same for a client that connects to `host`: whose name a bare context is to ask for and to check.

    An address is named only where it is to be checked: there is no SNI for addresses.
    """
    import ssl

    if not isinstance(source, ssl.SSLContext):
        return source
    named = source.check_hostname or not (isIPAddress(host) or isIPv6Address(host))
    return Settings(source, server_hostname=certified(host) if named else None)


def _of_settings(settings: Callable[[], Settings], is_client: bool, offered: list[bytes]) -> EngineMaker:
    import ssl

    from .standard import StandardEngine

    first = settings()  # now, where whoever passed it can be told
    context = first.context
    if context.protocol is (ssl.PROTOCOL_TLS_SERVER if is_client else ssl.PROTOCOL_TLS_CLIENT):
        this, other = ("client", "server") if is_client else ("server", "client")
        raise ValueError(
            f"this SSLContext is a {other}'s, and a {this}'s is needed: make it with"
            f" ssl.SSLContext(ssl.PROTOCOL_TLS_{this.upper()})"
        )
    if is_client and context.check_hostname and not first.server_hostname:
        raise ValueError(
            "this SSLContext checks the name of the host, and there is none to check: pass"
            " Settings(context, server_hostname=...), or clear context.check_hostname"
        )
    names = [name.decode("ascii") for name in offered]
    prepared: ssl.SSLContext | None = None

    def prepare(context: ssl.SSLContext) -> None:
        """A context is mostly the same for all connections; but it may be a new one each time."""
        nonlocal prepared
        if context is not prepared:
            context.options |= ssl.OP_NO_RENEGOTIATION
            if names:
                context.set_alpn_protocols(names)
            prepared = context

    def make(protocol: Any) -> TLSEngine:
        found = settings()
        prepare(found.context)
        return StandardEngine(found, not is_client)

    prepare(context)
    return make


def _of_openssl(create: Callable[[Any], Any], is_client: bool) -> EngineMaker:
    from . import openssl

    def make(protocol: Any) -> TLSEngine:
        connection = create(protocol)
        connection.set_app_data(protocol)  # where callbacks of the context find whom to tell
        return openssl.OpenSSLEngine(connection, not is_client)

    return make
