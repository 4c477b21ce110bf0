"""The TLS contexts that strings ask for, made by Twisted's objects over pyOpenSSL; as `torsion.endpoint.contexts`."""

import re
from pathlib import Path
from typing import Any

from OpenSSL import SSL  # type: ignore[import-not-found, unused-ignore]
from twisted.internet import ssl
from twisted.python.filepath import FilePath

from torsion.endpoint import contexts

CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


def for_server(
    privateKey: str, certKey: str | None, sslmethod: str | None, extraCertChain: str | None, dhParameters: str | None
) -> Any:
    """For `ssl:` servers."""
    options: dict[str, Any] = {}
    if sslmethod is not None:
        if not sslmethod.endswith("_METHOD") or not hasattr(SSL, sslmethod):
            raise ValueError(f"sslmethod is the name of one of pyOpenSSL's methods, not {sslmethod!r}")
        options["method"] = getattr(SSL, sslmethod)
    if extraCertChain is not None:
        chain = [ssl.Certificate.loadPEM(each) for each in CERTIFICATE.findall(Path(extraCertChain).read_bytes())]
        if not chain:
            raise ValueError(
                f"Specified chain file '{extraCertChain}' doesn't contain any valid certificates in PEM format."
            )
        options["extraCertChain"] = [each.original for each in chain]
    if dhParameters is not None:
        options["dhParameters"] = ssl.DiffieHellmanParameters.fromFile(FilePath(dhParameters))
    own = _private(privateKey if certKey is None else certKey, privateKey)
    return ssl.CertificateOptions(privateKey=own.privateKey.original, certificate=own.original, **options)


def for_client(privateKey: str | None, certKey: str | None, caCertsDir: str | None) -> Any:
    """For `ssl:` clients."""
    options: dict[str, Any] = {}
    if certKey is not None:
        own = _private(certKey, privateKey or certKey)
        options.update(privateKey=own.privateKey.original, certificate=own.original)
    if caCertsDir is not None:
        options["trustRoot"] = trusted(FilePath(caCertsDir))
    return ssl.CertificateOptions(**options)


def for_host(hostname: str, trustRoots: str | None, certificate: str | None, privateKey: str | None) -> Any:
    """For `tls:` clients."""
    return ssl.optionsForClientTLS(
        hostname,
        trustRoot=None if trustRoots is None else trusted(FilePath(trustRoots)),
        clientCertificate=None if certificate is None else _private(certificate, privateKey or certificate),
    )


def for_directory(path: str) -> Any:
    """For `tls:` servers. An older Twisted has no such servers; then they are ours, on the standard library."""
    try:
        from twisted.protocols._sni import SNIConnectionCreator, autoReloadingDirectoryOfPEMs
    except ModuleNotFoundError:
        return contexts.for_directory(path)
    return SNIConnectionCreator(autoReloadingDirectoryOfPEMs(FilePath(path)))


def trusted(folder: Any) -> Any:
    """The certificates in a folder (a FilePath), as authorities, each once; what cannot be read is passed over."""
    found = {}
    for path in sorted(folder.children()):
        if path.basename().lower().endswith(".pem"):
            try:
                certificate = ssl.Certificate.loadPEM(path.getContent())
            except (OSError, SSL.Error):
                continue
            found[certificate.digest()] = certificate
    return ssl.trustRootFromCertificates(found.values())


def _private(certificate: str, key: str) -> Any:
    return ssl.PrivateCertificate.fromCertificateAndKeyPair(
        ssl.Certificate.loadPEM(Path(certificate).read_bytes()),
        ssl.KeyPair.load(Path(key).read_bytes(), 1),  # 1: PEM
    )
