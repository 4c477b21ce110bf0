"""Distinguished names: who a certificate is for, and who signed it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

#: The short and the long name of each part, and its identifier.
PARTS = {
    "CN": ("commonName", "2.5.4.3"),
    "O": ("organizationName", "2.5.4.10"),
    "OU": ("organizationalUnitName", "2.5.4.11"),
    "L": ("localityName", "2.5.4.7"),
    "ST": ("stateOrProvinceName", "2.5.4.8"),
    "C": ("countryName", "2.5.4.6"),
    "emailAddress": ("emailAddress", "1.2.840.113549.1.9.1"),
}
LONG = {spelling: long for short, (long, _) in PARTS.items() for spelling in (short, long)}
BY_IDENTIFIER = {identifier: long for long, identifier in PARTS.values()}
TITLES = {
    "commonName": "Common Name",
    "organizationName": "Organization Name",
    "organizationalUnitName": "Organizational Unit Name",
    "localityName": "Locality Name",
    "stateOrProvinceName": "State Or Province Name",
    "countryName": "Country Name",
    "emailAddress": "Email Address",
}


class DistinguishedName(dict[str, bytes]):
    """A name in parts: CN (commonName), O, OU, L, ST, C and emailAddress, by short or long name; values are bytes.

    Parts are items (by long name) and attributes (by either). Text is taken as UTF-8. AttributeError for other parts.
    Contract: twisted.internet.ssl.DistinguishedName.
    """

    __slots__ = ()

    def __init__(self, **parts: str | bytes) -> None:
        for part, value in parts.items():
            setattr(self, part, value)

    @classmethod
    def of(cls, parts: Iterable[tuple[str, bytes]]) -> DistinguishedName:
        """Of (identifier, value), as a certificate has it. What is not one of our parts is left out."""
        made = cls()
        made.update((BY_IDENTIFIER[identifier], value) for identifier, value in parts if identifier in BY_IDENTIFIER)
        return made

    def __getattr__(self, part: str) -> bytes:
        try:
            return self[LONG[part]]
        except KeyError:
            raise AttributeError(part) from None

    def __setattr__(self, part: str, value: Any) -> None:
        if part not in LONG:
            raise AttributeError(f"a distinguished name has no part {part!r}: it has {', '.join(LONG)}")
        self[LONG[part]] = value.encode() if isinstance(value, str) else value

    def __repr__(self) -> str:
        return f"<DN {dict.__repr__(self)[1:-1]}>"

    def inspect(self) -> str:
        """For people: a line a part."""
        lines = [(TITLES[part], self[part].decode("utf-8", "replace")) for part in TITLES if part in self]
        return "\n".join(f"{title:>26}: {value}" for title, value in lines)


DN = DistinguishedName
