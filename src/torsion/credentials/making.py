"""Making keys and certificates: arithmetic that the standard library does not have. DER in, DER out.

The only place that uses the package `cryptography`; whoever only loads certificates and serves never comes here.
"""

from __future__ import annotations

import datetime
import functools
import ipaddress
from collections.abc import Iterator, Mapping
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
    return _signed(_key(key), _name(issuer), asked.subject, asked.public_key(), serial, seconds, digest)


def self_signed(key: bytes, subject: DistinguishedName, serial: int, seconds: float, digest: str) -> bytes:
    """A certificate of this key, signed with it: it may also sign others."""
    private, name = _key(key), _name(subject)
    return _signed(private, name, name, private.public_key(), serial, seconds, digest)


def _signed(key: Any, issuer: Any, subject: Any, public: Any, serial: int, seconds: float, digest: str) -> bytes:
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
    for extension, critical in _extensions(key, subject, public, authority=issuer == subject):
        builder = builder.add_extension(extension, critical=critical)
    return _der(builder.sign(key, _digest(digest)))


def _extensions(key: Any, subject: Any, public: Any, authority: bool) -> Iterator[tuple[Any, bool]]:
    """What strict readers want to see (RFC 5280), each with whether it is critical."""
    x509 = _cryptography().x509
    yield x509.BasicConstraints(ca=authority, path_length=None), True
    if authority:
        yield x509.KeyUsage(True, False, True, False, False, True, True, False, False), True  # also to sign others
    yield x509.SubjectKeyIdentifier.from_public_key(public), False
    yield x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), False
    for common_name in subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME):
        host = _host(common_name.value)
        if host is not None:
            yield x509.SubjectAlternativeName([host]), False


def _host(name: str) -> Any:
    """This name as that of a host, which clients look for among the alternative names alone; None if it can be none."""
    x509 = _cryptography().x509
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        pass
    try:
        return None if " " in name else x509.DNSName(name)
    except ValueError:
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
