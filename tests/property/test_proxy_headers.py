"""PROXY headers: any split of the input means the same, and what is written by the specification is read back."""

import ipaddress
import socket
import struct
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from torsion.address import IPv4Address, IPv6Address, UNIXAddress
from torsion.core.proxyheader import HeaderParser, InvalidProxyHeader, ProxyInfo, parse_v2

PORTS = st.integers(0, 65535)
SIGNATURE = bytes.fromhex("0D0A0D0A000D0A515549540A")


def text_header(version: int, hosts: list[str], ports: list[int]) -> bytes:
    """Version 1, as the specification's grammar has it."""
    return f"PROXY TCP{version} {hosts[0]} {hosts[1]} {ports[0]} {ports[1]}\r\n".encode()


def binary_header(command: int, kind: int, body: bytes) -> bytes:
    """Version 2, as the specification's struct has it."""
    return SIGNATURE + struct.pack(">BBH", 0x20 | command, kind, len(body)) + body


def tlvs(draw: Any) -> bytes:
    """What may follow the addresses: a type, a length, and so many bytes."""
    made = draw(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=40)), max_size=3))
    return b"".join(struct.pack(">BH", kind, len(value)) + value for kind, value in made)


def in_full(packed: bytes) -> str:
    return ":".join(f"{int.from_bytes(packed[i : i + 2], 'big'):x}" for i in range(0, 16, 2))


@st.composite
def headers(draw: Any) -> tuple[bytes, Any, Any]:
    """A header, and the two addresses that are in it."""
    form = draw(st.sampled_from(["4", "6", "unknown", "ip4", "ip6", "unix", "none", "local"]))
    ports = [draw(PORTS), draw(PORTS)]
    if form == "unknown":
        rest = draw(st.binary(max_size=80)).replace(b"\n", b" ")
        return b"PROXY UNKNOWN" + (b" " + rest if rest else b"") + b"\r\n", None, None
    if form in ("4", "6"):
        pick = st.ip_addresses(v=int(form))
        hosts = [str(draw(pick)), str(draw(pick))]
        kind: Any = IPv4Address if form == "4" else IPv6Address
        ends = [kind("TCP", host, port) for host, port in zip(hosts, ports, strict=True)]
        return text_header(int(form), hosts, ports), *ends
    if form == "local":
        return binary_header(0, draw(st.sampled_from([0x00, 0x11, 0x32])), draw(st.binary(max_size=300))), None, None
    if form == "none":
        return binary_header(1, draw(st.sampled_from([0x00, 0x01, 0x10, 0x30])), tlvs(draw)), None, None
    transport = draw(st.sampled_from([1, 2]))
    name: Any = "TCP" if transport == 1 else "UDP"
    if form == "unix":
        path = st.binary(max_size=108).filter(lambda path: b"\0" not in path)
        abstract = st.binary(min_size=1, max_size=107).filter(lambda path: not path.endswith(b"\0"))
        paths = [draw(st.one_of(path, abstract.map(lambda rest: b"\0" + rest))) for _ in range(2)]
        body = b"".join(path.ljust(108, b"\0") for path in paths) + tlvs(draw)
        return binary_header(1, 0x30 | transport, body), *(UNIXAddress(path or None) for path in paths)
    if form == "ip4":
        fours = [draw(st.binary(min_size=4, max_size=4)) for _ in range(2)]
        body = fours[0] + fours[1] + struct.pack(">HH", *ports) + tlvs(draw)
        ends = [IPv4Address(name, str(ipaddress.ip_address(p)), port) for p, port in zip(fours, ports, strict=True)]
        return binary_header(1, 0x10 | transport, body), *ends
    sixes = [draw(st.binary(min_size=16, max_size=16)) for _ in range(2)]
    body = sixes[0] + sixes[1] + struct.pack(">HH", *ports) + tlvs(draw)
    ends = [IPv6Address(name, in_full(p), port) for p, port in zip(sixes, ports, strict=True)]
    return binary_header(1, 0x20 | transport, body), *ends


def outcome(pieces: list[bytes]) -> tuple[Any, bytes]:
    """What a parser makes of these: what the header says, or an error; and what it gave back."""
    parser, info, rest = HeaderParser(), None, b""
    for piece in pieces:
        if info is not None:
            rest += piece
            continue
        try:
            info, behind = parser.feed(piece)
        except InvalidProxyHeader as error:
            return type(error), b""
        rest += behind or b""
    return info, rest


def cut(data: bytes, places: list[int]) -> list[bytes]:
    at = sorted({place % (len(data) + 1) for place in places})
    return [data[start:end] for start, end in zip([0, *at], [*at, len(data)], strict=True)]


@given(headers(), st.binary(max_size=50), st.lists(st.integers(0, 500), max_size=8))
def test_a_header_is_read_back_however_it_is_split(
    header: tuple[bytes, Any, Any], behind: bytes, places: list[int]
) -> None:
    data, source, destination = header
    info, rest = outcome(cut(data + behind, places))
    assert isinstance(info, ProxyInfo)
    assert (info.source, info.destination) == (source, destination)
    assert rest == behind
    assert info.header == data.removesuffix(b"\r\n") if data.startswith(b"PROXY") else info.header == data
    assert outcome([bytes([byte]) for byte in data + behind]) == (info, rest)


@given(headers(), st.data())
def test_a_header_that_is_damaged_is_read_or_refused_the_same_however_it_is_split(
    header: tuple[bytes, Any, Any], data: st.DataObject
) -> None:
    damaged = bytearray(header[0])
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    whole = outcome([bytes(damaged)])
    assert outcome(cut(bytes(damaged), data.draw(st.lists(st.integers(0, 500), max_size=8)))) == whole
    assert outcome([bytes([byte]) for byte in damaged]) == whole


@given(st.binary(max_size=300))
def test_anything_is_a_header_or_an_error_that_says_so(junk: bytes) -> None:
    for start in (b"", b"PROXY ", SIGNATURE):
        outcome([start + junk])
        try:
            parse_v2(start + junk)
        except InvalidProxyHeader:
            pass


@given(st.ip_addresses(v=6))
def test_the_long_form_of_an_address_is_the_same_address(address: ipaddress.IPv6Address) -> None:
    body = address.packed * 2 + bytes(4)
    info = parse_v2(binary_header(1, 0x21, body))
    assert socket.inet_pton(socket.AF_INET6, info.source.host) == address.packed
