"""The TLS contexts that strings ask for, made of files by the standard library."""

from __future__ import annotations

import ssl
import tempfile

from ..credentials.contexts import load_chain
from ..net.tls.settings import Settings
from . import lookup
from .folder import CertificateFolder, pem_files

#: Names of `sslmethod` by the version that they stand for; those that stand for more than one version say nothing.
METHODS = {
    "SSLv23_METHOD": None,
    "TLS_METHOD": None,
    "TLSv1_2_METHOD": ssl.TLSVersion.TLSv1_2,
    "TLSv1_3_METHOD": ssl.TLSVersion.TLSv1_3,
}


def for_server(
    privateKey: str, certKey: str | None, sslmethod: str | None, extraCertChain: str | None, dhParameters: str | None
) -> ssl.SSLContext:
    """For `ssl:` servers. All but the method are names of PEM files; the certificate may be in the key's."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if sslmethod is not None:
        if sslmethod not in METHODS:
            raise ValueError(f"sslmethod is one of {', '.join(METHODS)}, not {sslmethod!r}")
        version = METHODS[sslmethod]
        if version is not None:
            context.minimum_version = context.maximum_version = version
    certificate = privateKey if certKey is None else certKey
    if extraCertChain is None:
        load_chain(context, certificate, privateKey)
    else:
        _load_with_chain(context, certificate, privateKey, extraCertChain)
    if dhParameters is not None:
        context.load_dh_params(dhParameters)
    return context


def for_client(privateKey: str | None, certKey: str | None, caCertsDir: str | None) -> ssl.SSLContext:
    """For `ssl:` clients: the server is believed whatever it says, unless there are certificates to trust.

    That is the contract's; `tls:` clients check who answers.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if caCertsDir is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        _trust(context, caCertsDir)
    if certKey is not None:
        load_chain(context, certKey, privateKey or certKey)
    return context


def for_host(hostname: str, trustRoots: str | None, certificate: str | None, privateKey: str | None) -> Settings:
    """For `tls:` clients: the server must prove to be the host, to this system's authorities or those in a folder."""
    name = lookup.host_name(hostname)[0].decode("ascii")
    if trustRoots is None:
        context = ssl.create_default_context()
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        _trust(context, trustRoots)
    if certificate is not None:
        load_chain(context, certificate, privateKey or certificate)
    return Settings(context, name)


def for_directory(path: str) -> ssl.SSLContext:
    """For `tls:` servers: the certificates in a folder."""
    return CertificateFolder(path)


def _load_with_chain(context: ssl.SSLContext, certificate: str, key: str, chain: str) -> None:
    """The library takes a certificate and those that lead to its authority in one file only."""
    with open(certificate, encoding="ascii") as first, open(chain, encoding="ascii") as others:
        text, added = first.read(), others.read()
    if "-----BEGIN CERTIFICATE-----" not in added:
        raise ValueError(f"there is no certificate in the file {chain!r}")
    with tempfile.NamedTemporaryFile("w", encoding="ascii", suffix=".pem") as whole:
        whole.write(f"{text}\n{added}")
        whole.flush()
        load_chain(context, whole.name, key)


def _trust(context: ssl.SSLContext, folder: str) -> None:
    """Trust what the certificates in a folder have signed. A file that cannot be read, or is no certificate, is passed
    over, as the contract has it."""
    for path in pem_files(folder):
        try:
            context.load_verify_locations(path)
        except OSError:
            pass
