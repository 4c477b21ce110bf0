"""A folder of PEM files as the identity of a TLS service: each client is shown the certificate of the host it asks for.

The folder is looked at when a client comes, and read again if it has changed, so a certificate that is added or renewed
is used from the next connection on. A certificate and its key may be in one file or in two; which belong together is
found out by trying.
"""

from __future__ import annotations

import base64
import os
import re
import ssl
from collections.abc import Iterable, Iterator
from typing import Any

from .. import report
from ..failure import Failure

CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)
KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----")
#: The extension that holds a certificate's names (2.5.29.17, with its tag), and the tag of one that is a DNS name.
ALTERNATIVE_NAMES = bytes.fromhex("0603551d11")
DNS_NAME = 0x82
#: That the extension must be understood; it stands before its content.
CRITICAL = bytes.fromhex("0101ff")


class CertificateFolder(ssl.SSLContext):
    """A server's context that becomes another one as soon as it is known which host is asked for."""

    _path: str
    _seen: object = None
    _by_name: dict[str, ssl.SSLContext] = {}
    _offered: list[str] | None = None

    def __new__(cls, path: str) -> CertificateFolder:
        """Raises OSError if there is no such folder. That it holds nothing yet is no error."""
        made = super().__new__(cls, ssl.PROTOCOL_TLS_SERVER)
        made._path = path
        made.sni_callback = _choose
        made._read_if_changed()
        return made

    def context_for(self, name: str | None) -> ssl.SSLContext | None:
        """For a client that asks for this host, or for none: then it is the first. None if there is no certificate."""
        try:
            self._read_if_changed()
        except OSError:
            report.failure(f"The folder of certificates {self._path!r} cannot be read", Failure())
        if name is None:
            found = next(iter(self._by_name.values()), None)
        else:
            wildcard = "*." + name.lower().partition(".")[2]
            found = self._by_name.get(name.lower()) or self._by_name.get(wildcard)
        if found is not None and self._offered is not None:
            found.set_alpn_protocols(self._offered)
        return found

    def set_alpn_protocols(self, alpn_protocols: Iterable[str]) -> None:
        """Offer these, whichever certificate is shown."""
        self._offered = list(alpn_protocols)
        super().set_alpn_protocols(self._offered)

    def _read_if_changed(self) -> None:
        files = {path: os.stat(path) for path in pem_files(self._path)}
        seen = [(path, stat.st_mtime_ns, stat.st_size, stat.st_ino) for path, stat in files.items()]
        if seen != self._seen:
            self._by_name = _contexts({path: _content(path) for path in files})
            self._seen = seen


def _choose(connection: Any, name: str | None, folder: Any) -> int | None:
    """Python's callback for the host that is asked for: give the connection its context, or say how it ends."""
    try:
        context = folder.context_for(name)
        if context is None:
            report.warning(f"no server certificate for name {name!r}")
            return int(ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME)
        connection.context = context
    except Exception:
        report.failure(f"The certificate for {name!r} could not be found", Failure())
        return int(ssl.ALERT_DESCRIPTION_INTERNAL_ERROR)
    return None


def pem_files(folder: str) -> Iterator[str]:
    """The files in a folder that are called `….pem`, by name. Raises OSError if there is no such folder."""
    return (os.path.join(folder, name) for name in sorted(os.listdir(folder)) if name.lower().endswith(".pem"))


def _content(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        report.failure(f"The file {path!r} is passed over: it cannot be read", Failure())
        return b""


def _contexts(files: dict[str, bytes]) -> dict[str, ssl.SSLContext]:
    """A context for each name that one of these files has a certificate for, whose key is here as well."""
    keys = [path for path, content in files.items() if KEY.search(content)]
    unused = set(keys)
    found: dict[str, ssl.SSLContext] = {}
    for path, content in files.items():
        certificate = CERTIFICATE.search(content)
        if certificate is None:
            continue
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        for key in sorted(keys, key=lambda key: key != path):  # its own file's first
            if _fits(context, path, key):
                unused.discard(key)
                for name in dns_names(base64.b64decode(certificate[1])):
                    found.setdefault(name, context)
                break
    for key in sorted(unused):
        report.warning(f"The private key in {key!r} belongs to none of the certificates beside it")
    return found


def _fits(context: ssl.SSLContext, certificate: str, key: str) -> bool:
    try:
        context.load_cert_chain(certificate, key, lambda: "")  # without a password, rather than to ask for one
    except OSError:  # of which ssl.SSLError is one
        return False
    return True


def dns_names(certificate: bytes) -> list[str]:
    """The hosts that a certificate (DER) is for, in lower case, in its order."""
    _, _, rest = certificate.partition(ALTERNATIVE_NAMES)
    try:
        _, octets = next(_elements(rest.removeprefix(CRITICAL)))
        _, names = next(_elements(octets))
        return [name.decode("ascii").lower() for tag, name in _elements(names) if tag == DNS_NAME]
    except (IndexError, StopIteration, UnicodeDecodeError):
        return []


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The elements of DER one after the other, as (tag, content)."""
    while data:
        length, at = data[1], 2
        if length & 0x80:
            at += length & 0x7F
            length = int.from_bytes(data[2:at], "big")
        yield data[0], data[at : at + length]
        data = data[at + length :]
