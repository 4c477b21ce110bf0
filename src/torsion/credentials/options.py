"""What a program chooses for its TLS, on either side, and the context that comes of it.

An object of options is made once and serves many connections: contexts are made when first needed, and kept.
"""

from __future__ import annotations

import enum
import ssl
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from .. import report
from ..failure import Failure
from ..net.filedescriptor import isIPAddress, isIPv6Address
from ..net.tls.settings import Settings, certified
from . import der
from .contexts import Context, Sessions
from .trust import OpenSSLCertificateAuthorities, platformTrust, trust_root


class TLSVersion(enum.Enum):
    """Versions of the protocol. Contract: twisted.internet.ssl.TLSVersion."""

    SSLv3 = "SSLv3"
    TLSv1_0 = "TLSv1"
    TLSv1_1 = "TLSv1_1"
    TLSv1_2 = "TLSv1_2"
    TLSv1_3 = "TLSv1_3"

    def __lt__(self, other: TLSVersion) -> bool:
        return self.number < other.number

    @property
    def number(self) -> ssl.TLSVersion:
        """The standard library's."""
        return ssl.TLSVersion[self.value]


DEFAULT_MINIMUM = TLSVersion.TLSv1_2


class AcceptableCiphers:
    """Which cipher suites TLS 1.2 may use; those of TLS 1.3 are all good, and the standard library offers no choice.

    Contract: twisted.internet.ssl.AcceptableCiphers.
    """

    def __init__(self, ciphers: Iterable[str]) -> None:
        """Of OpenSSL's names, best first."""
        self.ciphers = tuple(ciphers)

    @classmethod
    def fromOpenSSLCipherString(cls, cipherString: str) -> AcceptableCiphers:
        """From a cipher list in OpenSSL's format. ssl.SSLError if none is known."""
        scratch = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        scratch.set_ciphers(cipherString)
        return cls(each["name"] for each in scratch.get_ciphers() if each["protocol"] != "TLSv1.3")


class DiffieHellmanParameters:
    """Parameters for ciphers with DHE keys, from a PEM file. Contract: twisted.internet.ssl.DiffieHellmanParameters."""

    def __init__(self, parameters: str) -> None:
        self.path = parameters

    @classmethod
    def fromFile(cls, filePath: Any) -> DiffieHellmanParameters:
        """From the file at this path (text, or an object with a `path`). OSError if it cannot be read."""
        path = str(getattr(filePath, "path", filePath))
        with open(path, "rb"):
            return cls(path)


class CertificateOptions:
    """How to speak TLS, as a server or as a client.

    `privateKey`, `certificate`, `extraCertChain`: what to show; keys and certificates are objects of torsion.ssl, their
        `original`, or PEM. `extraCertChain` is what stands between the certificate and the root.
    `trustRoot`: verify the other side by it: a Certificate, or what platformTrust() or trustRootFromCertificates(…)
        give. `verify=True` with `caCerts`, a list of certificates, is the older way to say so.
    `requireCertificate`: whether a server refuses clients that show none, where it verifies.
    `acceptableProtocols`: for ALPN, a list of bytes, best first. Where none is common, it goes on without.
    `raiseMinimumTo`, `lowerMaximumSecurityTo`, `insecurelyLowerMinimumTo`: TLSVersion. Without, TLS 1.2 and newer.
    `enableSessions`, `enableSessionTickets`: let a server's clients resume sessions, which the server keeps, or which
        they keep themselves (tickets: no memory of the server's). Without either it sends no tickets.
    `acceptableCiphers`, `dhParameters`: see their classes.
    `contextForServerName`: a server's `f(name)`, called with the name that a client asks for (bytes, or None), which
        returns another CertificateOptions or ssl.SSLContext for it, or None to go on with this one. The other must
        verify clients if this one does.

    As a client it verifies the chain alone and knows no name to check: `optionsForClientTLS` is for clients.
    Errors: ValueError and TypeError for what does not go together, error.VerifyError for a key that is another
    certificate's. `method` and `verifyDepth` are not to be had from the standard library: TypeError.
    Contract: twisted.internet.ssl.CertificateOptions.
    """

    def __init__(
        self,
        privateKey: Any = None,
        certificate: Any = None,
        method: None = None,
        verify: bool = False,
        caCerts: Iterable[Any] | None = None,
        verifyDepth: int = 9,
        requireCertificate: bool = True,
        verifyOnce: bool = True,
        enableSingleUseKeys: bool = True,
        enableSessions: bool = False,
        fixBrokenPeers: bool = False,
        enableSessionTickets: bool = False,
        extraCertChain: Iterable[Any] | None = None,
        acceptableCiphers: AcceptableCiphers | None = None,
        dhParameters: DiffieHellmanParameters | None = None,
        trustRoot: Any = None,
        acceptableProtocols: Sequence[bytes] | None = None,
        raiseMinimumTo: TLSVersion | None = None,
        insecurelyLowerMinimumTo: TLSVersion | None = None,
        lowerMaximumSecurityTo: TLSVersion | None = None,
        contextForServerName: Callable[[bytes | None], Any] | None = None,
    ) -> None:
        # verifyOnce, enableSingleUseKeys and fixBrokenPeers name what OpenSSL does today in any case.
        if method is not None:
            raise TypeError("method cannot be chosen: say which versions to use with raiseMinimumTo and its kin")
        if verifyDepth != 9:
            raise TypeError("verifyDepth cannot be set with the standard library's ssl: chains may have its 100")
        self._minimum, self._maximum = _versions(raiseMinimumTo, insecurelyLowerMinimumTo, lowerMaximumSecurityTo)
        self._key, self._chain = _own(privateKey, certificate, extraCertChain)
        self._trust = _trust(trustRoot, verify, caCerts)
        self._require = requireCertificate
        self.resumes, self._tickets = enableSessions or enableSessionTickets, enableSessionTickets
        self._ciphers, self._dh_parameters = acceptableCiphers, dhParameters
        self._protocols = _protocols(acceptableProtocols)
        self._for_name = contextForServerName
        self._contexts: dict[bool, Context] = {}
        if self._key is not None:
            Context.of_side(server_side=True).load_chain(self._key, self._chain)  # so that errors come now

    def getContext(self) -> ssl.SSLContext:
        """The context of its servers. To be changed, if at all, before the first connection."""
        return self._context(server_side=True)

    def tls_settings(self, server_side: bool) -> Settings:
        """What a connection takes from it."""
        return Settings(self._context(server_side))

    def _context(self, server_side: bool) -> Context:
        if server_side not in self._contexts:
            self._contexts[server_side] = self.new_context(server_side)
        return self._contexts[server_side]

    def new_context(self, server_side: bool) -> Context:
        """A new context, of a server or a client, with all that was chosen."""
        made = Context.of_side(server_side)
        _bound(made, self._minimum, self._maximum)
        if self._ciphers is not None:
            made.set_ciphers(":".join(self._ciphers.ciphers))
        if self._dh_parameters is not None:
            made.load_dh_params(self._dh_parameters.path)
        if self._key is not None:
            made.load_chain(self._key, self._chain)
        if self._trust is not None:
            self._trust.add_to(made)
            made.verify_mode = ssl.CERT_REQUIRED if self._require or not server_side else ssl.CERT_OPTIONAL
        if self._protocols:
            made.set_alpn_protocols(self._protocols)
        if server_side:
            if not self._tickets:
                made.options |= ssl.OP_NO_TICKET
            if not self.resumes:
                made.num_tickets = 0  # of TLS 1.3
            if self._for_name is not None:
                made.sni_callback = _chooser(self._for_name)
        return made


class ClientOptions:
    """What optionsForClientTLS returns: for connections to one server."""

    def __init__(self, hostname: str, options: CertificateOptions) -> None:
        self.hostname = hostname
        self._options = options
        self._context: Context | None = None
        self._sessions = Sessions()

    def tls_settings(self, server_side: bool) -> Settings:
        """What a connection takes from it. RuntimeError on a server's side."""
        if server_side:
            raise RuntimeError(f"{self!r} is for clients: a server needs CertificateOptions with its certificate")
        context = self._context
        if context is None:
            self._context = context = self._options.new_context(server_side=False)
            context.check_hostname = True
            if self._options.resumes:
                context.resume(self._sessions)
        return Settings(context, certified(self.hostname))

    def __repr__(self) -> str:
        return f"<TLS options for connections to {self.hostname}>"


def optionsForClientTLS(
    hostname: str,
    trustRoot: Any = None,
    clientCertificate: Any = None,
    acceptableProtocols: Sequence[bytes] | None = None,
    *,
    extraCertificateOptions: Mapping[str, Any] | None = None,
    sendServerName: bool | None = None,
) -> Any:
    """How to speak TLS with the server `hostname`, and make sure that it is the one.

    `hostname`: text, a name or an address in figures. A name is sent to the server (SNI), an address is not.
    `trustRoot`: whom to believe; without, what the system trusts.
    `clientCertificate`: a PrivateCertificate to show if the server asks.
    `acceptableProtocols`: for ALPN, a list of bytes, best first.
    `extraCertificateOptions`: more arguments for CertificateOptions. `{"enableSessions": True}`: connections made with
        the same object resume the session of the one before, which spares most of a handshake.
    `sendServerName`: None. The standard library's ssl checks a name only if it sends it: ValueError for other wishes.

    Raises TypeError if `hostname` is no text, ValueError if it can be no name.
    Contract: twisted.internet.ssl.optionsForClientTLS.
    """
    if not isinstance(hostname, str):
        raise TypeError(
            f"optionsForClientTLS requires text for host names, not {type(hostname).__name__}: {hostname!r}"
        )
    _must_be_name(hostname)
    if sendServerName is not None and sendServerName is _is_address(hostname):
        raise ValueError(
            f"sendServerName={sendServerName} is not to be had for {hostname!r}: the standard library's ssl sends the"
            " name that it checks, and never an address"
        )
    more = dict(extraCertificateOptions or {})
    if clientCertificate is not None:
        more.update(privateKey=clientCertificate.privateKey, certificate=clientCertificate)
    trusted = platformTrust() if trustRoot is None else trust_root(trustRoot)
    options = CertificateOptions(trustRoot=trusted, acceptableProtocols=acceptableProtocols, **more)
    return ClientOptions(hostname, options)


def _must_be_name(hostname: str) -> None:
    try:
        encoded = hostname.encode("idna")
    except UnicodeError:
        encoded = b""
    stray = any(character in encoded for character in b"\0 /") or (b":" in encoded and not _is_address(hostname))
    if not encoded or encoded.startswith(b".") or stray:
        raise ValueError(f"hostname is to be the name or the address of a host, not {hostname!r}")


def _is_address(hostname: str) -> bool:
    return isIPAddress(hostname) or isIPv6Address(hostname)


# What the arguments come to


def _versions(
    raised: TLSVersion | None, lowered: TLSVersion | None, maximum: TLSVersion | None
) -> tuple[TLSVersion, TLSVersion | None]:
    given = {"raiseMinimumTo": raised, "insecurelyLowerMinimumTo": lowered, "lowerMaximumSecurityTo": maximum}
    for argument, version in given.items():
        if version is not None and not isinstance(version, TLSVersion):
            raise TypeError(f"{argument} is to be a TLSVersion, not {version!r}")
        if version is not None and version is not maximum and maximum is not None and maximum < version:
            raise ValueError(f"{argument} needs to be lower than lowerMaximumSecurityTo")
    if raised is not None and lowered is not None:
        raise TypeError("raiseMinimumTo and insecurelyLowerMinimumTo are mutually exclusive")
    if lowered is not None:
        return lowered, maximum
    minimum = DEFAULT_MINIMUM if raised is None or raised < DEFAULT_MINIMUM else raised
    if maximum is not None and maximum < minimum:
        raise ValueError(
            f"lowerMaximumSecurityTo {maximum.name} leaves no version: the minimum is {minimum.name}, unless"
            " insecurelyLowerMinimumTo says otherwise"
        )
    return minimum, maximum


def _bound(context: ssl.SSLContext, minimum: TLSVersion, maximum: TLSVersion | None) -> None:
    with warnings.catch_warnings():  # what is deprecated was asked for by the name "insecurely"
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = minimum.number
        if maximum is not None:
            context.maximum_version = maximum.number
        if minimum < DEFAULT_MINIMUM:
            context.set_ciphers("DEFAULT:@SECLEVEL=0")  # OpenSSL 3 has no older version above that level


def _own(key: Any, certificate: Any, extra: Iterable[Any] | None) -> tuple[bytes | None, list[bytes]]:
    chain = [encoded(each, "CERTIFICATE", "extraCertChain") for each in extra or ()]
    if (key is None) is not (certificate is None):
        raise ValueError("Specify neither or both of privateKey and certificate")
    if key is None:
        if chain:
            raise ValueError(
                "A private key and a certificate are required when adding a supplemental certificate chain."
            )
        return None, []
    own = encoded(key, "PRIVATE KEY", "privateKey")
    return own, [encoded(certificate, "CERTIFICATE", "certificate"), *chain]


def encoded(given: Any, label: str, argument: str) -> bytes:
    """DER of what a program gave as a key or a certificate: one of our objects, DER or PEM. TypeError for others."""
    given = getattr(given, "original", given)
    if isinstance(given, str) or (isinstance(given, bytes) and given.lstrip().startswith(b"-----BEGIN ")):
        found = [
            content for name, content in der.blocks(given) if name.endswith(label) and not name.startswith("ENCRYPTED")
        ]
        if not found:
            raise ValueError(f"{argument}: there is no {label.lower()} in this PEM text, or it is encrypted")
        return found[0]
    if not isinstance(given, bytes):
        raise TypeError(
            f"{argument} is to be an object of torsion.ssl, or PEM, not {given!r}. Objects of pyOpenSSL are for"
            " Twisted's own ssl"
        )
    return given


def _trust(root: Any, verify: bool, authorities: Iterable[Any] | None) -> Any:
    if root is not None:
        if verify or authorities is not None:
            raise TypeError("trustRoot and verify or caCerts are mutually exclusive: trustRoot says all")
        return trust_root(root)
    if verify is not bool(authorities):
        raise ValueError("Specify client CA certificate information if and only if enabling certificate verification")
    if not verify:
        return None
    return OpenSSLCertificateAuthorities(encoded(each, "CERTIFICATE", "caCerts") for each in authorities or ())


def _protocols(given: Sequence[Any] | None) -> list[str]:
    names = []
    for each in given or ():
        if not isinstance(each, bytes) or not 1 <= len(each) <= 255:
            raise TypeError(f"acceptableProtocols are to be bytes, 1 to 255 of them each, and one is {each!r}")
        if not each.isascii():
            raise ValueError(f"acceptableProtocols are to be ASCII, as the standard library's ssl has it, not {each!r}")
        names.append(each.decode("ascii"))
    return names


def _chooser(choose: Callable[[bytes | None], Any]) -> Callable[[Any, str | None, Any], int | None]:
    """The sni_callback that asks `choose`. What that raises is reported, and ends the handshake with an alert."""

    def chosen(connection: Any, name: str | None, context: ssl.SSLContext) -> int | None:
        try:
            found = choose(None if name is None else name.encode("ascii"))
            if found is not None:
                other = found if isinstance(found, ssl.SSLContext) else found.tls_settings(True).context
                _must_verify_alike(context, other)
                connection.context = other
        except Exception:
            report.failure(f"Unhandled error in {choose!r}, a contextForServerName", Failure())
            return ssl.ALERT_DESCRIPTION_INTERNAL_ERROR
        return None

    return chosen


def _must_verify_alike(first: ssl.SSLContext, other: ssl.SSLContext) -> None:
    if first.verify_mode is not other.verify_mode:  # OpenSSL goes on with the first: nobody would be verified
        raise ValueError(
            f"options chosen by name must verify clients as those of the port do: {first.verify_mode.name}, not"
            f" {other.verify_mode.name}"
        )
