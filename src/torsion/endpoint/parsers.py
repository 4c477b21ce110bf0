"""Endpoints of strings: a parser for each kind, and the two functions that find the right one.

A parser takes the reactor and the description's arguments, all text. Contract: IStreamServerEndpointStringParser and
IStreamClientEndpointStringParserWithReactor, which others bring too.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from typing import Any

from .adopted import AdoptedStreamServerEndpoint, ListenFDs, family_of
from .hostname import HostnameEndpoint
from .outside import outside
from .processes import StandardIOEndpoint
from .sockets import (
    SSL4ClientEndpoint,
    SSL4ServerEndpoint,
    TCP4ClientEndpoint,
    TCP4ServerEndpoint,
    TCP6ServerEndpoint,
    UNIXClientEndpoint,
    UNIXServerEndpoint,
)
from .strings import call, number, parse, unparse
from .tls import wrapClientTLS, wrapServerTLS


class _ServerParser:
    """One kind of servers."""

    prefix = ""

    def parseStreamServer(self, reactor: Any, /, *args: Any, **kwargs: Any) -> Any:
        """The endpoint of these arguments. ValueError if there is none."""
        return call(self.prefix, self._parseServer, reactor, *args, **kwargs)

    _parseServer: Any


class _TCPServerParser(_ServerParser):
    prefix = "tcp"

    def _parseServer(self, reactor: Any, port: str, interface: str = "", backlog: str = "50") -> TCP4ServerEndpoint:
        return TCP4ServerEndpoint(reactor, number("port", port), number("backlog", backlog), interface)


class _TCP6ServerParser(_ServerParser):
    prefix = "tcp6"

    def _parseServer(self, reactor: Any, port: str, backlog: str = "50", interface: str = "::") -> TCP6ServerEndpoint:
        return TCP6ServerEndpoint(reactor, number("port", port), number("backlog", backlog), interface)


class _UNIXServerParser(_ServerParser):
    prefix = "unix"

    def _parseServer(
        self, reactor: Any, address: str, mode: str = "666", backlog: str = "50", lockfile: str = "1"
    ) -> UNIXServerEndpoint:
        wanted = bool(number("lockfile", lockfile))
        return UNIXServerEndpoint(reactor, address, number("backlog", backlog), number("mode", mode, 8), wanted)


class _SSLServerParser(_ServerParser):
    prefix = "ssl"

    def _parseServer(
        self,
        reactor: Any,
        port: str,
        privateKey: str = "server.pem",
        certKey: str | None = None,
        sslmethod: str | None = None,
        interface: str = "",
        backlog: str = "50",
        extraCertChain: str | None = None,
        dhParameters: str | None = None,
    ) -> SSL4ServerEndpoint:
        context = outside().contexts().for_server(privateKey, certKey, sslmethod, extraCertChain, dhParameters)
        return SSL4ServerEndpoint(reactor, number("port", port), context, number("backlog", backlog), interface)


class _TLSServerEndpointParser(_ServerParser):
    prefix = "tls"

    def _parseServer(
        self, reactor: Any, path: str, port: str = "443", backlog: str = "50", interface: str = "::"
    ) -> Any:
        below = TCP6ServerEndpoint(reactor, number("port", port), number("backlog", backlog), interface)
        return wrapServerTLS(outside().contexts().for_directory(path), below)


class _StandardIOParser(_ServerParser):
    prefix = "stdio"

    def _parseServer(self, reactor: Any, *ignored: str) -> StandardIOEndpoint:
        return StandardIOEndpoint(reactor)


class _FDParser(_ServerParser):
    prefix = "fd"

    def _parseServer(self, reactor: Any, fileno: str, domain: str | None = None) -> AdoptedStreamServerEndpoint:
        descriptor = number("fileno", fileno)
        return AdoptedStreamServerEndpoint(reactor, descriptor, _family(domain, descriptor))


class _SystemdParser(_ServerParser):
    prefix = "systemd"
    #: What was handed over to this process; noted by the public module, when that is imported.
    _sddaemon: Any = ListenFDs([])

    def _parseServer(
        self, reactor: Any, domain: str | None = None, index: str | None = None, name: str | None = None
    ) -> AdoptedStreamServerEndpoint:
        if (index is None) is (name is None):
            raise ValueError(f"a socket of systemd's has either an index or a name, not {index!r} and {name!r}")
        descriptor = self._by_name(name) if index is None else self._by_index(number("index", index))
        return AdoptedStreamServerEndpoint(reactor, descriptor, _family(domain, descriptor))

    def _by_index(self, index: int) -> int:
        descriptors = self._sddaemon.inheritedDescriptors()
        if not 0 <= index < len(descriptors):
            raise ValueError(f"systemd has handed over {len(descriptors)} sockets: there is none of index {index}")
        return int(descriptors[index])

    def _by_name(self, name: str | None) -> int:
        descriptors = self._sddaemon.inheritedNamedDescriptors()
        if name not in descriptors:
            raise ValueError(f"systemd has handed over no socket named {name!r}, only {sorted(descriptors)}")
        return int(descriptors[name])


class _HAProxyServerParser(_ServerParser):
    prefix = "haproxy"

    def parseStreamServer(self, reactor: Any, /, *args: Any, **kwargs: Any) -> Any:
        """The endpoint that the rest of the description is of, behind a proxy."""
        return outside().proxied(serverFromString(reactor, unparse(args, kwargs)))


def _family(domain: str | None, descriptor: int) -> int:
    """The address family of that name, `INET` say; if none is given, that of the socket."""
    if domain is not None:
        family = getattr(socket, f"AF_{domain}", None)
        if family is None:
            raise ValueError(f"domain is the name of an address family, INET, INET6 or UNIX, not {domain!r}")
        return int(family)
    try:
        return family_of(descriptor)
    except (OSError, OverflowError) as error:
        raise ValueError(f"the descriptor {descriptor} is no socket: {error}") from None


class _ClientParser:
    """One kind of clients, the first of whose arguments may be given by name as well."""

    prefix = ""
    #: The arguments that may be given without a name, in this order.
    in_order: tuple[str, ...] = ("host", "port")

    def parseStreamClient(self, reactor: Any, /, *args: Any, **kwargs: Any) -> Any:
        """The endpoint of these arguments. ValueError if there is none."""
        names = self.in_order
        if len(args) < len(names):  # some are given by name: these are the others
            names = tuple(name for name in names if name not in kwargs)
        named = {**kwargs, **dict(zip(names, args, strict=False))}
        return call(self.prefix, self._parseClient, reactor, *args[len(names) :], **named)

    _parseClient: Any


class _TCPClientParser(_ClientParser):
    prefix = "tcp"

    def _parseClient(
        self, reactor: Any, *, host: str, port: str, timeout: str = "30", bindAddress: str | None = None
    ) -> TCP4ClientEndpoint:
        this_side = None if bindAddress is None else (bindAddress, 0)
        return TCP4ClientEndpoint(reactor, host, number("port", port), number("timeout", timeout), this_side)


class _SSLClientParser(_ClientParser):
    prefix = "ssl"

    def _parseClient(
        self,
        reactor: Any,
        *,
        host: str,
        port: str,
        timeout: str = "30",
        bindAddress: str | None = None,
        privateKey: str | None = None,
        certKey: str | None = None,
        caCertsDir: str | None = None,
    ) -> SSL4ClientEndpoint:
        context = outside().contexts().for_client(privateKey, certKey, caCertsDir)
        this_side = None if bindAddress is None else (bindAddress, 0)
        return SSL4ClientEndpoint(reactor, host, number("port", port), context, number("timeout", timeout), this_side)


class _UNIXClientParser(_ClientParser):
    prefix = "unix"
    in_order = ("path",)

    def _parseClient(self, reactor: Any, *, path: str, timeout: str = "30", lockfile: str = "0") -> UNIXClientEndpoint:
        return UNIXClientEndpoint(reactor, path, number("timeout", timeout), bool(number("lockfile", lockfile)))


class _TLSClientEndpointParser(_ClientParser):
    prefix = "tls"
    in_order = (
        *("host", "port", "timeout", "bindAddress"),
        *("certificate", "privateKey", "trustRoots", "endpoint"),
    )

    def _parseClient(
        self,
        reactor: Any,
        *,
        host: str,
        port: str,
        timeout: str = "30",
        bindAddress: str | None = None,
        certificate: str | None = None,
        privateKey: str | None = None,
        trustRoots: str | None = None,
        endpoint: str | None = None,
    ) -> Any:
        context = outside().contexts().for_host(host, trustRoots, certificate, privateKey)
        below: Any
        if endpoint is None:
            below = HostnameEndpoint(reactor, host, number("port", port), number("timeout", timeout), bindAddress)
        else:
            below = clientFromString(reactor, endpoint)
        return wrapClientTLS(context, below)


SERVERS = (
    _TCPServerParser(),
    _TCP6ServerParser(),
    _UNIXServerParser(),
    _SSLServerParser(),
    _TLSServerEndpointParser(),
    _StandardIOParser(),
    _FDParser(),
    _SystemdParser(),
    _HAProxyServerParser(),
)
CLIENTS = (_TCPClientParser(), _SSLClientParser(), _UNIXClientParser(), _TLSClientEndpointParser())


def serverFromString(reactor: Any, description: str | bytes) -> Any:
    """The endpoint that a description is of, for a server: ``"tcp:8080:interface=127.0.0.1"``, say.

    Kinds: tcp, tcp6, ssl, tls, unix, systemd, stdio, fd, haproxy, and what others bring. docs/endpoints.md has their
    arguments. Raises ValueError for what is no description, OSError for a file of keys or certificates that cannot
    be read. Contract: twisted.internet.endpoints.serverFromString.
    """
    (kind, *args), kwargs = _parsed(description)
    try:
        return _parser(kind, SERVERS, outside().server_parsers()).parseStreamServer(reactor, *args, **kwargs)
    except RecursionError:
        raise ValueError(f"there are too many endpoints within one another in {description[:60]!r}...") from None


def clientFromString(reactor: Any, description: str | bytes) -> Any:
    """The endpoint that a description is of, for a client: ``"tcp:example.org:80:timeout=5"``, say.

    Kinds: tcp, ssl, tls, unix, and what others bring. Errors as in serverFromString.
    Contract: twisted.internet.endpoints.clientFromString.
    """
    (kind, *args), kwargs = _parsed(description)
    return _parser(kind, CLIENTS, outside().client_parsers()).parseStreamClient(reactor, *args, **kwargs)


def _parsed(description: str | bytes) -> tuple[list[str], dict[str, str]]:
    args, kwargs = parse(description)
    if not args:
        raise ValueError(f"a description begins with the kind of endpoint, as in 'tcp:80'; {description!r} does not")
    return args, kwargs


def _parser(kind: str, ours: Iterable[Any], others: Iterable[Any]) -> Any:
    """The parser of a kind, whose case does not matter: ours, or another that was brought."""
    wanted = kind.lower()
    for parsers in (ours, others):
        for parser in parsers:
            if parser.prefix.lower() == wanted:
                return parser
    error = ValueError(f"Unknown endpoint type: {kind!r}")  # the sentence that Twisted's own tests compare
    error.add_note(f"Torsion's own are {', '.join(sorted(each.prefix for each in ours))}.")
    raise error
