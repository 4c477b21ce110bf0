"""Just enough of DER and PEM to look into a certificate: the standard library loads them, but does not show them.

Nothing is judged here: whom to trust is decided by OpenSSL. A reader of tag, length and value is all it takes.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import NamedTuple

SEQUENCE, INTEGER, OCTETS, BMP_STRING, VERSION = 0x30, 0x02, 0x04, 0x1E, 0xA0


class Node(NamedTuple):
    """One value: its tag, its content, and the whole of it as it was encoded."""

    tag: int
    content: bytes
    encoded: bytes


def nodes(data: bytes) -> Iterator[Node]:
    """The values that follow each other in `data`. ValueError where they do not."""
    at = 0
    while at < len(data):
        start, tag = at, data[at]
        length = data[at + 1] if at + 1 < len(data) else 0
        at += 2
        if length & 0x80:
            count = length & 0x7F
            length = int.from_bytes(data[at : at + count], "big")
            at += count
        if tag & 0x1F == 0x1F or at + length > len(data) or at - start > 6:
            raise ValueError(
                "this is no DER: a value is longer than what is there, or of no kind that certificates have"
            )
        yield Node(tag, data[at : at + length], data[start : at + length])
        at += length


def one(data: bytes, tag: int = SEQUENCE) -> Node:
    """The one value that `data` is, of this kind. ValueError if it is something else."""
    found = list(nodes(data))
    if len(found) != 1 or found[0].tag != tag:
        raise ValueError("this is no DER of the kind that is expected here")
    return found[0]


def number(node: Node) -> int:
    """The value of an INTEGER."""
    return int.from_bytes(node.content, "big", signed=True)


def identifier(content: bytes) -> str:
    """An object identifier, in dotted figures."""
    parts, value = [], 0
    for byte in content:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            parts.append(value)
            value = 0
    first = min(parts[0] // 40, 2) if parts else 0
    return ".".join(map(str, [first, parts[0] - 40 * first, *parts[1:]])) if parts else ""


def text(node: Node) -> bytes:
    """A string, as UTF-8."""
    if node.tag == BMP_STRING:
        return node.content.decode("utf-16-be", "replace").encode()
    return node.content


class Fields(NamedTuple):
    """What a certificate says. Names are (identifier, UTF-8 text) in their order."""

    serial: int
    issuer: list[tuple[str, bytes]]
    subject: list[tuple[str, bytes]]
    public_key: bytes
    """The SubjectPublicKeyInfo, encoded."""


def certificate(data: bytes) -> Fields:
    """What this certificate (DER) says. ValueError if it is none."""
    to_be_signed, _, _ = nodes(one(data).content)
    parts = list(nodes(to_be_signed.content))
    if parts and parts[0].tag == VERSION:
        del parts[0]
    if len(parts) < 6 or parts[0].tag != INTEGER:
        raise ValueError("this is no certificate")
    serial, _, issuer, _, subject, public_key = parts[:6]
    return Fields(number(serial), name(issuer), name(subject), public_key.encoded)


def name(node: Node) -> list[tuple[str, bytes]]:
    """The parts of a distinguished name."""
    found = []
    for each in nodes(node.content):
        for pair in nodes(each.content):
            kind, value = nodes(pair.content)
            found.append((identifier(kind.content), text(value)))
    return found


def request_subject(data: bytes) -> list[tuple[str, bytes]]:
    """Whom this certificate request (DER) is for. ValueError if it is none."""
    to_be_signed, _, _ = nodes(one(data).content)
    _, subject, *_ = nodes(to_be_signed.content)
    return name(subject)


# PEM

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----\s(.*?)-----END \1-----", re.DOTALL)


def blocks(data: bytes | str) -> list[tuple[str, bytes]]:
    """What a PEM text holds: (label, DER), in its order."""
    found = []
    for label, body in _BLOCK.findall(data.encode() if isinstance(data, str) else data):
        if b":" in body:  # headers, of a key that is encrypted in the old way
            label = b"ENCRYPTED " + label
            body = b""
        try:
            found.append((label.decode(), base64.b64decode(b"".join(body.split()), validate=True)))
        except binascii.Error as error:
            raise ValueError(f"the {label.decode()} in this PEM text is damaged: {error}") from None
    return found


def to_pem(label: str, data: bytes) -> bytes:
    """This DER as a block of PEM."""
    encoded = base64.b64encode(data)
    lines = [encoded[at : at + 64] for at in range(0, len(encoded), 64)]
    return b"\n".join([f"-----BEGIN {label}-----".encode(), *lines, f"-----END {label}-----".encode(), b""])


def key_label(data: bytes) -> str:
    """The PEM label of this private key (DER): which of the three forms it is in. ValueError if it is none."""
    parts = list(nodes(one(data).content))
    if len(parts) >= 3 and parts[0].tag == INTEGER and parts[1].tag == SEQUENCE and parts[2].tag == OCTETS:
        return "PRIVATE KEY"
    if len(parts) >= 9 and all(part.tag == INTEGER for part in parts[:9]):
        return "RSA PRIVATE KEY"
    if len(parts) >= 2 and parts[0].tag == INTEGER and parts[1].tag == OCTETS:
        return "EC PRIVATE KEY"
    raise ValueError("this is no private key")
