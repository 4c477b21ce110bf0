"""The PROXY protocol's headers, of both versions: bytes in, whose connection it is out.

A proxy says in the first bytes of a connection where it comes from. Version 1 is a line of text, version 2 is binary;
the first bytes tell which. Whoever is to be believed must be the proxy, so a header is taken exactly as the
specification writes it, or not at all, and none may be longer than a limit.

Specification: proxy-protocol.txt of HAProxy.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from typing import Any, Literal

from ..address import IPv4Address, IPv6Address, UNIXAddress

V1_PREFIX = b"PROXY"
V2_PREFIX = b"\r\n\r\n\x00\r\nQUIT\n"
NEWLINE = b"\r\n"
#: The longest line of version 1 that the specification allows, in bytes, its newline included.
V1_LONGEST = 107
#: Bytes of a header of version 2 before its addresses: the prefix, version and command, kind of addresses, length.
V2_FIXED = 16
#: What is usual fits many times; what follows the addresses (certificates, say) may be long.
LIMIT = 16384


class InvalidProxyHeader(Exception):
    """What came first on a connection is no header of the PROXY protocol."""


class InvalidNetworkProtocol(InvalidProxyHeader):
    """A header of version 1 for neither TCP4, TCP6 nor UNKNOWN."""


class MissingAddressData(InvalidProxyHeader):
    """A header that ends before its addresses do."""


@dataclass(frozen=True, slots=True)
class ProxyInfo:
    """What a header says. The addresses are None where it says nothing of them: UNKNOWN, UNSPEC, LOCAL."""

    #: The header as it came; of version 1, without the newline.
    header: bytes
    source: Any
    destination: Any


Fed = tuple[ProxyInfo, bytes] | tuple[None, None]


class HeaderParser:
    """Takes the bytes of a connection, in whatever pieces, until there is a header."""

    def __init__(self, limit: int = LIMIT) -> None:
        """`limit`: no header of version 2 may be longer, in bytes."""
        self._limit = limit
        self._seen = bytearray()

    def feed(self, data: bytes) -> Fed:
        """The header and what came behind it, or (None, None) if it is not complete yet.

        Raises InvalidProxyHeader as soon as it cannot become one; nothing may be fed after that, or after a header.
        """
        self._seen += data
        seen = self._seen
        if seen.startswith(V1_PREFIX):
            return self._split(_v1_end(seen), len(NEWLINE))
        if seen.startswith(V2_PREFIX):
            return self._split(_v2_end(seen, self._limit), 0)
        if not (V1_PREFIX.startswith(seen[: len(V1_PREFIX)]) or V2_PREFIX.startswith(seen[: len(V2_PREFIX)])):
            raise InvalidProxyHeader(f"a connection begins with {bytes(seen[:16])!r}, and not with a PROXY header")
        return None, None

    def _split(self, end: int, newline: int) -> Fed:
        if end < 0:
            return None, None
        header, rest = bytes(self._seen[:end]), bytes(self._seen[end + newline :])
        self._seen.clear()
        return (parse_v1 if newline else parse_v2)(header), rest


def _v1_end(seen: bytearray) -> int:
    """Where the line ends, before its newline; -1 if that is still to come."""
    end = seen.find(NEWLINE, 0, V1_LONGEST)
    if end < 0 and len(seen) >= V1_LONGEST:
        raise InvalidProxyHeader(f"a PROXY header of version 1 has at most {V1_LONGEST} bytes: {bytes(seen[:120])!r}")
    return end


def _v2_end(seen: bytearray, limit: int) -> int:
    """Where the header ends; -1 if that is still to come."""
    if len(seen) < V2_FIXED:
        return -1
    end = V2_FIXED + int.from_bytes(seen[14:16], "big")
    if end > limit:
        raise InvalidProxyHeader(f"a PROXY header of {end} bytes is longer than the {limit} that are allowed")
    return end if len(seen) >= end else -1


# Version 1


def parse_v1(line: bytes) -> ProxyInfo:
    """The meaning of a line of version 1, without its newline."""
    word, *fields = line.split(b" ")
    if word != V1_PREFIX:
        raise InvalidProxyHeader(f"a PROXY header of version 1 begins with 'PROXY ': {line!r}")
    protocol = fields.pop(0) if fields else b""
    if protocol == b"UNKNOWN":  # and whatever follows it
        return ProxyInfo(line, None, None)
    if protocol not in (b"TCP4", b"TCP6"):
        raise InvalidNetworkProtocol(f"a PROXY header is for TCP4, TCP6 or UNKNOWN, not {protocol!r}")
    if len(fields) < 4:
        raise MissingAddressData(f"a PROXY header has two addresses and two ports: {line!r}")
    if len(fields) > 4:
        raise InvalidProxyHeader(f"a PROXY header has two addresses, two ports and nothing else: {line!r}")
    source, destination, source_port, destination_port = fields
    kind: type[IPv4Address | IPv6Address] = IPv4Address if protocol == b"TCP4" else IPv6Address
    return ProxyInfo(
        line,
        kind("TCP", _host(kind, source), _port(source_port)),
        kind("TCP", _host(kind, destination), _port(destination_port)),
    )


def _host(kind: type, text: bytes) -> str:
    family = socket.AF_INET if kind is IPv4Address else socket.AF_INET6
    try:
        host = text.decode("ascii")
        socket.inet_pton(family, host)
    except (OSError, ValueError):
        raise InvalidProxyHeader(f"not an address as a PROXY header has them: {text!r}") from None
    return host


def _port(text: bytes) -> int:
    # int() would take a sign, spaces and underscores too.
    port = int(text) if text.isdigit() and len(text) <= 5 else -1
    if not 0 <= port <= 65535:
        raise InvalidProxyHeader(f"not a port from 0 to 65535: {text!r}")
    return port


# Version 2

_STREAM, _DATAGRAM = 1, 2
_UNSPECIFIED, _IPV4, _IPV6, _UNIX = 0, 1, 2, 3
_LAYOUTS = {_IPV4: struct.Struct("!4s4sHH"), _IPV6: struct.Struct("!16s16sHH"), _UNIX: struct.Struct("!108s108s")}


def parse_v2(header: bytes) -> ProxyInfo:
    """The meaning of a header of version 2. What follows its addresses is not looked at."""
    if not header.startswith(V2_PREFIX):
        raise InvalidProxyHeader(f"a PROXY header of version 2 begins with {V2_PREFIX!r}: {header[:16]!r}")
    if len(header) < V2_FIXED or len(header) < V2_FIXED + int.from_bytes(header[14:16], "big"):
        raise MissingAddressData(f"a PROXY header that ends after {len(header)} bytes")
    version, command = divmod(header[12], 16)
    family, transport = divmod(header[13], 16)
    if version != 2 or command > 1:
        raise InvalidProxyHeader(f"not version 2 with the command LOCAL or PROXY: {header[12]:#04x}")
    if family > _UNIX or transport > _DATAGRAM:
        raise InvalidProxyHeader(f"not a kind of address that there is: {header[13]:#04x}")
    if command == 0 or family == _UNSPECIFIED or transport == 0:  # the proxy's own connection, or none that it knows of
        return ProxyInfo(header, None, None)
    layout = _LAYOUTS[family]
    if len(header) < V2_FIXED + layout.size:
        raise MissingAddressData(f"a PROXY header whose addresses are cut off after {len(header) - V2_FIXED} bytes")
    fields = layout.unpack_from(header, V2_FIXED)
    if family == _UNIX:
        return ProxyInfo(header, *map(_unix, fields))
    return ProxyInfo(header, *(_ip(family, transport, *fields[side::2]) for side in (0, 1)))


def _ip(family: int, transport: int, packed: bytes, port: int) -> IPv4Address | IPv6Address:
    kind: Literal["TCP", "UDP"] = "TCP" if transport == _STREAM else "UDP"
    if family == _IPV4:
        return IPv4Address(kind, socket.inet_ntoa(packed), port)
    # In full, as the contract has it: eight numbers, and no "::".
    return IPv6Address(kind, ":".join(f"{number:x}" for number in struct.unpack("!8H", packed)), port)


def _unix(padded: bytes) -> UNIXAddress:
    """A path ends at the first null byte; a name that begins with one, outside the file system, at the last."""
    name = padded.rstrip(b"\0") if padded.startswith(b"\0") else padded.partition(b"\0")[0]
    return UNIXAddress(name or None)
