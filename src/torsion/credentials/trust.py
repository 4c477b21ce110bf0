"""Whom to believe: the certificates with which a chain may end."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from typing import Any

from .certificates import Certificate


class TrustRoot:
    """What may be given as a trustRoot, besides a Certificate."""

    def add_to(self, context: ssl.SSLContext) -> None:
        """Let this context believe in it."""
        raise NotImplementedError


class OpenSSLDefaultPaths(TrustRoot):
    """What the system trusts: OpenSSL's own places, which SSL_CERT_FILE and SSL_CERT_DIR in the environment change."""

    def add_to(self, context: ssl.SSLContext) -> None:
        context.load_default_certs()


class OpenSSLCertificateAuthorities(TrustRoot):
    """These certificates, and no others."""

    def __init__(self, caCerts: Iterable[bytes]) -> None:
        """Of DER."""
        self._trusted = b"".join(dict.fromkeys(caCerts))

    def add_to(self, context: ssl.SSLContext) -> None:
        if self._trusted:
            context.load_verify_locations(cadata=self._trusted)


def platformTrust() -> TrustRoot:
    """What the system trusts. Contract: twisted.internet.ssl.platformTrust."""
    return OpenSSLDefaultPaths()


def trustRootFromCertificates(certificates: Iterable[Certificate]) -> TrustRoot:
    """Trust these alone. TypeError if one is no Certificate (nor a PrivateCertificate).

    Contract: twisted.internet.ssl.trustRootFromCertificates.
    """
    trusted = []
    for certificate in certificates:
        if not isinstance(certificate, Certificate):
            raise TypeError(f"certificates are to be Certificate objects, and one is {certificate!r}")
        trusted.append(certificate.original)
    return OpenSSLCertificateAuthorities(trusted)


def trust_root(given: Any, argument: str = "trustRoot") -> TrustRoot:
    """What a program gave as a trustRoot. TypeError if it can be none."""
    if isinstance(given, Certificate):
        return trustRootFromCertificates([given])
    if not isinstance(given, TrustRoot):
        raise TypeError(
            f"{argument} is to be a Certificate, or what platformTrust() or trustRootFromCertificates(...) give,"
            f" not {given!r}"
        )
    return given
