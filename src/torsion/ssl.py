"""TLS: certificates, trust, and the options that listenSSL, connectSSL, startTLS and the endpoints take.

Contract: twisted.internet.ssl, here on the standard library's ssl. An ssl.SSLContext does wherever options do. What a
handshake refuses is the connection's reason: a wrong name is a VerificationError, any other flaw of a certificate an
ssl.SSLCertVerificationError that says which. Making keys and certificates needs `cryptography`; nothing else does.
"""

from __future__ import annotations

from .credentials.certificates import Certificate, CertificateRequest
from .credentials.contexts import VerificationError
from .credentials.factories import ClientContextFactory, ContextFactory, DefaultOpenSSLContextFactory
from .credentials.names import DN, DistinguishedName
from .credentials.options import (
    AcceptableCiphers,
    CertificateOptions,
    DiffieHellmanParameters,
    TLSVersion,
    optionsForClientTLS,
)
from .credentials.private import KeyPair, PrivateCertificate
from .credentials.trust import OpenSSLDefaultPaths, platformTrust, trustRootFromCertificates
from .error import CertificateError
from .net.tls.protocol import HandshakeTimeout
from .net.tls.settings import Settings
from .net.tls.standard import NotTLS
from .tcp import Client, Connector, Port, Server

__all__ = [
    "DN",
    "AcceptableCiphers",
    "Certificate",
    "CertificateError",
    "CertificateOptions",
    "CertificateRequest",
    "Client",
    "ClientContextFactory",
    "Connector",
    "ContextFactory",
    "DefaultOpenSSLContextFactory",
    "DiffieHellmanParameters",
    "DistinguishedName",
    "HandshakeTimeout",
    "KeyPair",
    "NotTLS",
    "OpenSSLDefaultPaths",
    "Port",
    "PrivateCertificate",
    "Server",
    "Settings",
    "TLSVersion",
    "VerificationError",
    "optionsForClientTLS",
    "platformTrust",
    "supported",
    "trustRootFromCertificates",
]

#: TLS can be used: always so, here.
supported = True
