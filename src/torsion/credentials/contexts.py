"""The contexts that torsion.ssl makes: the standard library's, with the bounds that hold for all of them.

TLS 1.2 at least, no renegotiation, no compression, and an end without close_notify is told from a proper one. A wrong
name is an error of its own class, and a client can resume the session that it had with the same server before.
"""

from __future__ import annotations

import os
import ssl
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager

from ..error import VerifyError
from . import der

#: OpenSSL's numbers for a certificate that is good, and another's: by host name, e-mail address, IP address.
WRONG_NAME = (62, 63, 64)


#: What OpenSSL says of a key that is another certificate's: of the same kind, or of another.
OF_ANOTHER = ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED")


class VerificationError(ssl.SSLCertVerificationError):
    """The other side's certificate is in order, but not for the name that was asked for.

    Any other flaw of a certificate is the base class: an ssl.SSLCertVerificationError, whose `verify_message` says what
    is wrong. Contract: twisted.internet.ssl.VerificationError.
    """

    __slots__ = ()  # the same in memory as its base class: the error that OpenSSL's module made becomes one of these


class Sessions:
    """The session that a client had last with one server, to begin the next connection with.

    With TLS 1.3 a session comes after the handshake, whenever the server likes: so it is taken from the connection when
    the next one begins, or when it goes.
    """

    def __init__(self) -> None:
        self._begun = 0
        self._latest: weakref.ref[Connection] | None = None
        self._kept: ssl.SSLSession | None = None
        self._kept_of = 0

    def begin(self, connection: Connection) -> None:
        """Offer what there is to the server."""
        latest = None if self._latest is None else self._latest()
        if latest is not None:
            self.keep(latest)
        self._begun += 1
        self._latest, connection.number = weakref.ref(connection), self._begun
        if self._kept is not None:
            connection.session = self._kept

    def keep(self, connection: Connection) -> None:
        """Keep this connection's session, if it can be resumed and there is none of a later connection.

        What an earlier one had may have been used up by the later.
        """
        session = connection.session
        if connection.number >= self._kept_of and session is not None and (session.has_ticket or session.id):
            self._kept, self._kept_of = session, connection.number


class Connection(ssl.SSLObject):
    """One side of a connection: see `VerificationError` and `Sessions`."""

    _sessions: Sessions | None = None
    number = 0

    def do_handshake(self) -> None:
        context = self.context
        if self._sessions is None and isinstance(context, Context):
            self._sessions = context.sessions()
            if self._sessions is not None:
                self._sessions.begin(self)
        try:
            super().do_handshake()
        except ssl.SSLCertVerificationError as error:
            if error.verify_code in WRONG_NAME:
                error.__class__ = VerificationError
            raise

    def __del__(self) -> None:
        if self._sessions is not None:
            self._sessions.keep(self)


class Context(ssl.SSLContext):
    """A context for either side, with our bounds."""

    sslobject_class = Connection

    def sessions(self) -> Sessions | None:
        """What a client is to resume."""
        return None

    def resume(self, sessions: Sessions) -> None:
        """Resume these, while whoever calls this holds them: a session holds its context, so it must not be us."""
        self.sessions = weakref.ref(sessions)  # type: ignore[method-assign]

    @classmethod
    def of_side(cls, server_side: bool) -> Context:
        """A context that verifies nothing yet, and that shows no certificate."""
        made = cls(ssl.PROTOCOL_TLS_SERVER if server_side else ssl.PROTOCOL_TLS_CLIENT)
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
        made.hostname_checks_common_name = False  # a name is looked for among the alternative names alone (83)
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        made.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
        made.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)  # of OpenSSL 3
        return made

    def load_chain(self, key: bytes, chain: list[bytes]) -> None:
        """Show these certificates (DER, the own one first), with this private key (DER).

        error.VerifyError if the key is another certificate's; ssl.SSLError if OpenSSL cannot use them.
        """
        pem = [der.to_pem(der.key_label(key), key), *(der.to_pem("CERTIFICATE", each) for each in chain)]
        with readable(b"".join(pem)) as path:
            load_chain(self, path, path)


def load_chain(context: ssl.SSLContext, certificate: str, key: str) -> None:
    """`context.load_cert_chain`, with errors that say more, and which never asks for a password.

    OSError if a file cannot be read, ValueError if the key is encrypted, error.VerifyError if it is another
    certificate's, ssl.SSLError for anything else that OpenSSL finds wrong.
    """
    for path in (certificate, key):
        with open(path, "rb"):  # OpenSSL would say that a file is missing, but not which
            pass

    def no_password() -> str:
        raise ValueError(f"the private key in {key} is encrypted: decrypt it first (openssl pkey -in … -out …)")

    try:
        context.load_cert_chain(certificate, key, no_password)
    except ssl.SSLError as error:
        if error.reason in OF_ANOTHER:
            raise VerifyError("Certificate public and private keys do not match.") from error
        raise


@contextmanager
def readable(secret: bytes) -> Iterator[str]:
    """A path at which OpenSSL can read this, for as long as the block lasts: it takes keys from files alone.

    A file in memory where the system has that (Linux): nothing ever reaches a disk. Elsewhere a temporary file that
    only this user may read (mode 0600), removed when the block ends.
    """
    if hasattr(os, "memfd_create") and os.path.isdir("/proc/self/fd"):
        descriptor = os.memfd_create("key")
        try:
            with open(descriptor, "wb", closefd=False) as file:
                file.write(secret)
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)
        return
    descriptor, path = tempfile.mkstemp()
    try:
        with open(descriptor, "wb") as file:
            file.write(secret)
        yield path
    finally:
        os.unlink(path)
