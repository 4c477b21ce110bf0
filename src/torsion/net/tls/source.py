"""Whatever says how TLS is spoken, and the engine that is made of it.

Three kinds: the standard library's own context, what makes Settings, and pyOpenSSL's factories.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any

from .engine import TLSEngine
from .settings import Settings
from .standard import StandardEngine

EngineMaker = Callable[[Any], TLSEngine]


def engine_maker(source: Any, is_client: bool, offered: list[bytes]) -> EngineMaker:
    """What makes the engine for a protocol. ``offered``: what a server's factory can negotiate (ALPN).

    Raises TypeError for what nothing can be made of; ValueError for a client's context that is to check a name it is
    not given.
    """
    if isinstance(source, ssl.SSLContext):
        source = Settings(source)
    if isinstance(source, Settings):
        settings = source
        _prepare(settings, is_client, offered)
        return lambda protocol: StandardEngine(settings, not is_client)
    make = getattr(source, "tls_settings", None)
    if make is not None:
        _prepare(make(not is_client), is_client, offered)
        return lambda protocol: StandardEngine(make(not is_client), not is_client)
    return _of_openssl(source, is_client, offered)


def with_host(source: Any, host: str) -> Any:
    """The same for a client that connects to `host`: whose name a bare context is to ask for and to check.

    An address is named only where it is to be checked: there is no SNI for addresses.
    """
    if not isinstance(source, ssl.SSLContext):
        return source
    named = source.check_hostname or not _is_address(host)
    return Settings(source, server_hostname=host if named else None)


def _is_address(host: str) -> bool:
    from ..filedescriptor import isIPAddress, isIPv6Address

    return isIPAddress(host) or isIPv6Address(host)


def _prepare(settings: Settings, is_client: bool, offered: list[bytes]) -> None:
    context = settings.context
    if is_client and context.check_hostname and not settings.server_hostname:
        raise ValueError(
            "this SSLContext checks the name of the host, and there is none to check: pass"
            " Settings(context, server_hostname=...), or clear context.check_hostname"
        )
    context.options |= ssl.OP_NO_RENEGOTIATION
    if offered:
        context.set_alpn_protocols([name.decode("ascii") for name in offered])


def _of_openssl(source: Any, is_client: bool, offered: list[bytes]) -> EngineMaker:
    if not any(hasattr(source, name) for name in CREATORS):
        raise TypeError(
            f"{source!r} says nothing about TLS: pass an ssl.SSLContext, an object of torsion.ssl, or a context factory"
            " or connection creator of pyOpenSSL"
        )
    from . import openssl

    create = openssl.creator_of(source, is_client)

    def make(protocol: Any) -> TLSEngine:
        connection = create(protocol)
        if offered:
            openssl.offer(connection, offered)
        return openssl.OpenSSLEngine(connection, not is_client)

    return make


CREATORS = ("getContext", "clientConnectionForTLS", "serverConnectionForTLS")
