"""Making keys and certificates: arithmetic that the standard library does not have. DER in, DER out.

The only place that uses the package `cryptography`; whoever only loads certificates and serves never comes here.
"""

from __future__ import annotations

import datetime
import functools
import ipaddress
from collections.abc import Mapping
from typing import Any

from .names import PARTS, DistinguishedName


def new_key(size: int) -> bytes:
    """A new RSA key of `size` bits."""
    return _private(_cryptography().rsa.generate_private_key(65537, size))


def public_part(key: bytes) -> bytes:
    """The SubjectPublicKeyInfo of this private key."""
    serialization = _cryptography().serialization
    public = _key(key).public_key()
    found: bytes = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return found


def request(key: bytes, subject: DistinguishedName, digest: str) -> bytes:
    """A request for a certificate of that name."""
    builder = _cryptography().x509.CertificateSigningRequestBuilder().subject_name(_name(subject))
    return _der(builder.sign(_key(key), _digest(digest)))


def sign(key: bytes, issuer: DistinguishedName, request: bytes, serial: int, seconds: float, digest: str) -> bytes:
    """The certificate that is asked for, signed in the issuer's name. ValueError if the request is not well signed."""
    asked = _cryptography().x509.load_der_x509_csr(request)
    if not asked.is_signature_valid:
        raise ValueError("the certificate request is not signed by the key that it names")
    return _signed(_key(key), _name(issuer), asked.subject, asked.public_key(), serial, seconds, digest, [])


def self_signed(key: bytes, subject: DistinguishedName, serial: int, seconds: float, digest: str) -> bytes:
    """A certificate of this key, signed with it. A common name that is a host's is its alternative name as well."""
    private, name = _key(key), _name(subject)
    extensions = []
    if "commonName" in subject:
        extensions = [_alternative_name(subject["commonName"].decode("utf-8", "replace"))]
    return _signed(private, name, name, private.public_key(), serial, seconds, digest, list(filter(None, extensions)))


def _signed(
    key: Any, issuer: Any, subject: Any, public: Any, serial: int, seconds: float, digest: str, extensions: list[Any]
) -> bytes:
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        _cryptography()
        .x509.CertificateBuilder()
        .issuer_name(issuer)
        .subject_name(subject)
        .public_key(public)
        .serial_number(serial)
        .not_valid_before(now - datetime.timedelta(minutes=5))  # the other side's clock may be behind
        .not_valid_after(now + datetime.timedelta(seconds=seconds))
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return _der(builder.sign(key, _digest(digest)))


def _alternative_name(common_name: str) -> Any:
    x509 = _cryptography().x509
    try:
        return x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(common_name))])
    except ValueError:
        pass
    try:
        return x509.SubjectAlternativeName([x509.DNSName(common_name)])
    except ValueError:  # a name that no host has
        return None


def _name(name: Mapping[str, bytes]) -> Any:
    x509 = _cryptography().x509
    identifiers = dict(PARTS.values())
    return x509.Name(
        [
            x509.NameAttribute(x509.ObjectIdentifier(identifiers[part]), value.decode("utf-8"))
            for part, value in name.items()
        ]
    )


def _key(key: bytes) -> Any:
    return _cryptography().serialization.load_der_private_key(key, None)


def _private(key: Any) -> bytes:
    serialization = _cryptography().serialization
    made: bytes = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return made


def _der(signed: Any) -> bytes:
    made: bytes = signed.public_bytes(_cryptography().serialization.Encoding.DER)
    return made


def _digest(name: str) -> Any:
    hashes = _cryptography().hashes
    known = {"sha256": hashes.SHA256, "sha384": hashes.SHA384, "sha512": hashes.SHA512}
    if name.lower() not in known:
        raise ValueError(f"digestAlgorithm is to be one of {', '.join(known)}, not {name!r}")
    return known[name.lower()]()


class _Cryptography:
    """The modules of the package that are used here."""

    def __init__(self) -> None:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import rsa

        self.x509, self.hashes, self.serialization, self.rsa = x509, hashes, serialization, rsa


@functools.cache
def _cryptography() -> Any:
    try:
        return _Cryptography()
    except ImportError as error:
        raise ImportError(
            "making keys and certificates needs the package 'cryptography', which is not installed here:"
            " pip install torsion[certificates], or make them with the command openssl and load them"
        ) from error
