"""Certificates, as everybody may see them; what goes with a private key is in `private`.

An object holds DER in `original`, and reads it when asked: nothing here decides whom to trust.
"""

from __future__ import annotations

import hashlib
from typing import Any

from ..error import CertificateError
from . import der
from .names import DistinguishedName

FILETYPE_PEM = 1
"""The `format` of PEM; the numbers are OpenSSL's, as everywhere in the contract."""
FILETYPE_ASN1 = 2
"""The `format` of DER."""


def must_be_format(format: int) -> None:
    if format not in (FILETYPE_PEM, FILETYPE_ASN1):
        raise ValueError(f"format is to be 1 (PEM) or 2 (DER), not {format!r}")


def decoded(data: bytes | str, format: int, label: str) -> bytes:
    """The DER of the first block with this label, if `data` is PEM; else of all of it. ValueError if there is none."""
    must_be_format(format)
    if format == FILETYPE_ASN1:
        return data.encode("latin-1") if isinstance(data, str) else bytes(data)
    for found, content in der.blocks(data):
        if found == label:
            return content
    raise ValueError(f"there is no {label} in this PEM text")


class PublicKey:
    """A public key, as it stands in a certificate. `original` is its SubjectPublicKeyInfo in DER."""

    def __init__(self, original: bytes) -> None:
        self.original = original

    def public_part(self) -> bytes:
        """Its SubjectPublicKeyInfo, in DER."""
        return self.original

    def keyHash(self) -> str:
        """A short name of the key: SHA-256 over its public part, in hexadecimal figures."""
        return hashlib.sha256(self.public_part()).hexdigest()

    def matches(self, otherKey: PublicKey) -> bool:
        """Whether both have the same public part."""
        return self.public_part() == otherKey.public_part()

    def inspect(self) -> str:
        """For people."""
        return f"Public Key with Hash: {self.keyHash()}"

    def __repr__(self) -> str:
        return f"<PublicKey {self.keyHash()}>"


class Certificate:
    """A certificate. `original` is it in DER. Contract: twisted.internet.ssl.Certificate."""

    def __init__(self, original: bytes) -> None:
        """ValueError if `original` is no certificate in DER."""
        self.original = original
        self._says = der.certificate(original)

    @classmethod
    def load(cls, requestData: bytes, format: int = FILETYPE_ASN1, args: tuple[Any, ...] = ()) -> Any:
        """From DER (2) or PEM (1): the first one in it. ValueError for what is none."""
        return cls(decoded(requestData, format, "CERTIFICATE"), *args)

    @classmethod
    def loadPEM(cls, data: bytes | str) -> Any:
        """From PEM: the first one in it. ValueError if there is none."""
        return cls.load(data, FILETYPE_PEM)  # type: ignore[arg-type]  # text is taken as well

    @classmethod
    def peerFromTransport(cls, transport: Any) -> Any:
        """The certificate of the other end of this TLS connection. error.CertificateError if it showed none."""
        return cls(_of(transport.getPeerCertificate(), transport, "the other end"))

    def dump(self, format: int = FILETYPE_ASN1) -> bytes:
        """As DER (2) or PEM (1)."""
        must_be_format(format)
        return self.original if format == FILETYPE_ASN1 else der.to_pem("CERTIFICATE", self.original)

    def dumpPEM(self) -> bytes:
        """As PEM."""
        return self.dump(FILETYPE_PEM)

    def getSubject(self) -> DistinguishedName:
        """Whom it is for."""
        return DistinguishedName.of(self._says.subject)

    def getIssuer(self) -> DistinguishedName:
        """Who signed it."""
        return DistinguishedName.of(self._says.issuer)

    def getPublicKey(self) -> PublicKey:
        """The key that it is about."""
        return PublicKey(self._says.public_key)

    def serialNumber(self) -> int:
        """The number that its issuer gave it."""
        return self._says.serial

    def digest(self, method: str = "md5") -> bytes:
        """Its fingerprint, in pairs of hexadecimal figures with colons. ValueError for a method hashlib has not."""
        return hashlib.new(method, self.original, usedforsecurity=False).digest().hex(":").upper().encode()

    def inspect(self) -> str:
        """For people: several lines."""
        return "\n".join(
            [
                "Certificate For Subject:",
                self.getSubject().inspect(),
                "\nIssuer:",
                self.getIssuer().inspect(),
                f"\nSerial Number: {self.serialNumber()}",
                f"Digest: {self.digest().decode()}",
                self.getPublicKey().inspect(),
            ]
        )

    def options(self, *authorities: Certificate) -> Any:
        """NotImplementedError: to serve, the private key is needed as well (PrivateCertificate.options)."""
        raise NotImplementedError("a certificate without its private key makes no options: load a PrivateCertificate")

    def __eq__(self, other: object) -> bool:
        return self.original == other.original if isinstance(other, Certificate) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.original)

    def __repr__(self) -> str:
        subject, issuer = (name.get("commonName", b"") for name in (self.getSubject(), self.getIssuer()))
        return f"<{type(self).__name__} Subject={subject!r} Issuer={issuer!r}>"


def _of(found: Any, transport: Any, whose: str) -> bytes:
    """DER of what a transport gives: DER, or an object of pyOpenSSL."""
    if found is None:
        raise CertificateError(f"{whose} of {transport!r} has shown no certificate, or the handshake is not over yet")
    if isinstance(found, bytes):
        return found
    encoded: bytes = found.to_cryptography().public_bytes(_der_encoding())
    return encoded


def _der_encoding() -> Any:
    from cryptography.hazmat.primitives.serialization import Encoding  # there, since pyOpenSSL is

    return Encoding.DER


class CertificateRequest:
    """A request for a certificate. `original` is it in DER. Contract: twisted.internet.ssl.CertificateRequest."""

    def __init__(self, original: bytes) -> None:
        """ValueError if `original` is no request in DER. Who signs it checks its signature."""
        self.original = original
        self._subject = der.request_subject(original)

    @classmethod
    def load(cls, requestData: bytes, requestFormat: int = FILETYPE_ASN1) -> CertificateRequest:
        """From DER (2) or PEM (1). ValueError for what is none."""
        return cls(decoded(requestData, requestFormat, "CERTIFICATE REQUEST"))

    def dump(self, format: int = FILETYPE_ASN1) -> bytes:
        """As DER (2) or PEM (1)."""
        must_be_format(format)
        return self.original if format == FILETYPE_ASN1 else der.to_pem("CERTIFICATE REQUEST", self.original)

    def getSubject(self) -> DistinguishedName:
        """Whom it asks a certificate for."""
        return DistinguishedName.of(self._subject)
