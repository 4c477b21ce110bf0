"""Contexts of TLS, both sides pyOpenSSL's. The certificates are those of the other tests."""

import sys
from functools import cache
from pathlib import Path
from typing import Any

from twisted.internet import ssl

sys.path.append(str(Path(__file__).resolve().parents[2]))

from certificates import certificates


@cache
def server_context(identity: str) -> Any:
    """A server's that shows one of the tests' certificates."""
    return ssl.PrivateCertificate.loadPEM(getattr(certificates(), identity).both.read_bytes()).options()


@cache
def client_context(careful: bool) -> Any:
    """A client's: a careful one wants a certificate of the tests' authority, for localhost."""
    if not careful:
        return ssl.CertificateOptions()
    authority = ssl.Certificate.loadPEM(certificates().ca.certificate.read_bytes())
    return ssl.optionsForClientTLS("localhost", trustRoot=authority)
