"""Certificates for tests: made once a process, as PEM files in a folder that goes with it.

made = certificates()
server_context = made.server.server_context()
client_context = made.client_context()  # trusts made.ca
"""

import atexit
import datetime
import ipaddress
import shutil
import ssl
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Identity:
    """A certificate and its private key."""

    name: str
    certificate: Path
    key: Path
    #: Both in one file, the key first.
    both: Path

    def server_context(self) -> ssl.SSLContext:
        """The standard library's context of a server that shows this certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context


@dataclass(frozen=True)
class Certificates:
    """All signed by `ca`, but for `self_signed`. Those of servers are for localhost, 127.0.0.1 and ::1."""

    folder: Path
    ca: Identity
    server: Identity
    expired: Identity
    #: For the name wrong.example.
    wrong_name: Identity
    client: Identity
    self_signed: Identity

    def client_context(self, identity: Identity | None = None) -> ssl.SSLContext:
        """The standard library's context of a client that trusts `ca`, and shows a certificate if it is given one."""
        context = ssl.create_default_context(cafile=str(self.ca.certificate))
        if identity is not None:
            context.load_cert_chain(identity.certificate, identity.key)
        return context


class Maker:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca_key = ec.generate_private_key(ec.SECP256R1())
        self.ca_name = _name("Torsion test CA")

    def ca(self) -> Identity:
        builder = self._builder(self.ca_name, self.ca_name, self.ca_key, expired=False)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
        usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
        return self._write("ca", builder.add_extension(usage, critical=True).sign(self.ca_key, hashes.SHA256()))

    def leaf(self, name: str, hosts: list[str], expired: bool = False, self_signed: bool = False) -> Identity:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(hosts[0] if hosts else name)
        builder = self._builder(subject, subject if self_signed else self.ca_name, key, expired)
        if hosts:
            names = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
            builder = builder.add_extension(names, critical=False)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        purposes = [ExtendedKeyUsageOID.SERVER_AUTH if hosts else ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        return self._write(name, builder.sign(key if self_signed else self.ca_key, hashes.SHA256()), key)

    def _builder(self, subject: x509.Name, issuer: x509.Name, key: Any, expired: bool) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        begin, end = (now - 30 * DAY, now - DAY) if expired else (now - DAY, now + 30 * DAY)
        public, authority = key.public_key(), self.ca_key.public_key() if issuer != subject else key.public_key()
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(end)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority), critical=False)
        )

    def _write(self, name: str, certificate: x509.Certificate, key: Any = None) -> Identity:
        shown = certificate.public_bytes(serialization.Encoding.PEM)
        secret = (key or self.ca_key).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        made = Identity(name, *(self.folder / f"{name}{kind}.pem" for kind in ("", "-key", "-both")))
        made.certificate.write_bytes(shown)
        made.key.write_bytes(secret)
        made.both.write_bytes(secret + shown)
        return made


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


@cache
def certificates() -> Certificates:
    """The same ones at each call."""
    folder = Path(tempfile.mkdtemp(prefix="torsion-certificates-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    make = Maker(folder)
    hosts = ["localhost", "127.0.0.1", "::1"]
    return Certificates(
        folder,
        ca=make.ca(),
        server=make.leaf("server", hosts),
        expired=make.leaf("expired", hosts, expired=True),
        wrong_name=make.leaf("wrong-name", ["wrong.example"]),
        client=make.leaf("client", []),
        self_signed=make.leaf("self-signed", hosts, self_signed=True),
    )
