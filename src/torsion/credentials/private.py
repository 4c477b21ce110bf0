"""Certificates with their private keys: what a server shows, and an authority signs with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..error import VerifyError
from . import der, making
from .certificates import (
    FILETYPE_ASN1,
    FILETYPE_PEM,
    Certificate,
    CertificateRequest,
    PublicKey,
    must_be_format,
)
from .contexts import Context
from .names import DistinguishedName
from .options import CertificateOptions
from .trust import trustRootFromCertificates

A_YEAR = 365 * 24 * 3600


class KeyPair(PublicKey):
    """A private key with its public part. `original` is the private key in DER.

    To load one and to serve with it takes the standard library alone. To make one, to sign with it and to compare it,
    the package `cryptography` is needed (`pip install torsion[certificates]`); an ImportError says so.
    Contract: twisted.internet.ssl.KeyPair.
    """

    def __init__(self, original: bytes, public: bytes | None = None) -> None:
        """``public``: its public part, where that is known already. ValueError if `original` is no private key."""
        super().__init__(original)
        self._label = der.key_label(original)
        self._public = public

    @classmethod
    def load(cls, data: bytes | str, format: int = FILETYPE_ASN1) -> KeyPair:
        """From DER (2) or PEM (1). ValueError for what is no private key, or is encrypted."""
        must_be_format(format)
        if format == FILETYPE_ASN1:
            return cls(data.encode("latin-1") if isinstance(data, str) else data)
        for label, key in der.blocks(data):
            if label.startswith("ENCRYPTED"):
                raise ValueError("this private key is encrypted: decrypt it first (openssl pkey -in … -out …)")
            if label.endswith("PRIVATE KEY"):
                return cls(key)
        raise ValueError("there is no private key in this PEM text")

    def dump(self, format: int = FILETYPE_ASN1) -> bytes:
        """As DER (2) or PEM (1). It is the secret itself: not encrypted."""
        must_be_format(format)
        return self.original if format == FILETYPE_ASN1 else der.to_pem(self._label, self.original)

    def public_part(self) -> bytes:
        """The SubjectPublicKeyInfo in DER. ImportError if that needs `cryptography`, and it is not installed."""
        if self._public is None:
            self._public = making.public_part(self.original)
        return self._public

    def inspect(self) -> str:
        """For people; says nothing secret."""
        return f"Key Pair with Hash: {self.keyHash()}"

    def __repr__(self) -> str:
        return f"<KeyPair{'' if self._public is None else ' ' + self.keyHash()}>"

    @classmethod
    def generate(cls, kind: int = 6, size: int = 2048) -> KeyPair:
        """A new RSA key of `size` bits. ValueError for another kind than 6 (RSA)."""
        if kind != 6:
            raise ValueError(f"kind is to be 6 (RSA), not {kind!r}")
        return cls(making.new_key(size))

    def requestObject(
        self, distinguishedName: DistinguishedName, digestAlgorithm: str = "sha256"
    ) -> CertificateRequest:
        """A request, signed with this key, for a certificate of that name."""
        return CertificateRequest(making.request(self.original, distinguishedName, digestAlgorithm))

    def certificateRequest(
        self, distinguishedName: DistinguishedName, format: int = FILETYPE_ASN1, digestAlgorithm: str = "sha256"
    ) -> bytes:
        """The same, encoded."""
        return self.requestObject(distinguishedName, digestAlgorithm).dump(format)

    def signRequestObject(
        self,
        issuerDistinguishedName: DistinguishedName,
        requestObject: CertificateRequest,
        serialNumber: int,
        secondsToExpiry: float = A_YEAR,
        digestAlgorithm: str = "sha256",
    ) -> Certificate:
        """The certificate that was asked for, signed with this key in the issuer's name.

        A common name that can be a host's is also its subject alternative name: clients look there alone.
        """
        return Certificate(
            making.sign(
                self.original,
                issuerDistinguishedName,
                requestObject.original,
                serialNumber,
                secondsToExpiry,
                digestAlgorithm,
            )
        )

    def signCertificateRequest(
        self,
        issuerDistinguishedName: DistinguishedName,
        requestData: bytes,
        verifyDNCallback: Callable[[DistinguishedName], Any],
        serialNumber: int,
        requestFormat: int = FILETYPE_ASN1,
        certificateFormat: int = FILETYPE_ASN1,
        secondsToExpiry: float = A_YEAR,
        digestAlgorithm: str = "sha256",
    ) -> Any:
        """The certificate, encoded, that is asked for in `requestData`, if `verifyDNCallback(name)` is true or says so
        by a Deferred, which is then what this returns. error.VerifyError if it is not.
        """
        asked = CertificateRequest.load(requestData, requestFormat)

        def signed(allowed: Any) -> bytes:
            if not allowed:
                raise VerifyError(f"{verifyDNCallback!r} does not allow a certificate for {asked.getSubject()!r}")
            made = self.signRequestObject(
                issuerDistinguishedName, asked, serialNumber, secondsToExpiry, digestAlgorithm
            )
            return made.dump(certificateFormat)

        allowed = verifyDNCallback(asked.getSubject())
        return allowed.addCallback(signed) if hasattr(allowed, "addCallback") else signed(allowed)

    def selfSignedCert(self, serialNumber: int, **parts: str | bytes) -> PrivateCertificate:
        """A certificate of this key for the name of these `parts`, signed by itself, good for a year.

        For trials, and as an authority that signs others. Its common name: see signRequestObject.
        """
        name = DistinguishedName(**parts)
        made = Certificate(making.self_signed(self.original, name, serialNumber, A_YEAR, "sha256"))
        return PrivateCertificate.fromCertificateAndKeyPair(made, self)

    def newCertificate(self, newCertData: bytes, format: int = FILETYPE_ASN1) -> PrivateCertificate:
        """This key with a certificate of it. error.VerifyError if the certificate is another key's."""
        return PrivateCertificate.load(newCertData, self, format)


class PrivateCertificate(Certificate):
    """A certificate and its private key, `privateKey`. Contract: twisted.internet.ssl.PrivateCertificate."""

    privateKey: KeyPair

    @classmethod
    def fromCertificateAndKeyPair(cls, certificateInstance: Certificate, privateKey: KeyPair) -> PrivateCertificate:
        """Of both. error.VerifyError if the key is another certificate's."""
        made = cls(certificateInstance.original)
        Context.of_side(server_side=True).load_chain(privateKey.original, [made.original])  # OpenSSL compares them
        made.privateKey = KeyPair(privateKey.original, made.getPublicKey().public_part())
        return made

    @classmethod
    def load(cls, data: bytes, privateKey: KeyPair, format: int = FILETYPE_ASN1) -> PrivateCertificate:  # type: ignore[override]
        """A certificate from DER (2) or PEM (1), and its key. Errors: see fromCertificateAndKeyPair."""
        return cls.fromCertificateAndKeyPair(Certificate.load(data, format), privateKey)

    @classmethod
    def loadPEM(cls, data: bytes | str) -> PrivateCertificate:
        """Both from one PEM text, in any order. ValueError if one is missing, error.VerifyError for another's key."""
        return cls.fromCertificateAndKeyPair(Certificate.loadPEM(data), KeyPair.load(data, FILETYPE_PEM))

    def dumpPEM(self) -> bytes:
        """Both as PEM, the key first. It holds the secret, not encrypted."""
        return self.privateKey.dump(FILETYPE_PEM) + self.dump(FILETYPE_PEM)

    def options(self, *authorities: Certificate) -> CertificateOptions:
        """Options that show this certificate; and that verify the other side by `authorities`, if there are any."""
        trusted = trustRootFromCertificates(authorities) if authorities else None
        return CertificateOptions(privateKey=self.privateKey, certificate=self, trustRoot=trusted)

    def inspect(self) -> str:
        """For people; says nothing secret."""
        return f"{super().inspect()}\n{self.privateKey.inspect()}"

    def __repr__(self) -> str:
        return f"{super().__repr__()} with {self.privateKey!r}"

    # As an authority

    def certificateRequest(self, format: int = FILETYPE_ASN1, digestAlgorithm: str = "sha256") -> bytes:
        """A request for another certificate of the same name and key."""
        return self.privateKey.certificateRequest(self.getSubject(), format, digestAlgorithm)

    def signCertificateRequest(
        self,
        requestData: bytes,
        verifyDNCallback: Callable[[DistinguishedName], Any],
        serialNumber: int,
        requestFormat: int = FILETYPE_ASN1,
        certificateFormat: int = FILETYPE_ASN1,
    ) -> Any:
        """See KeyPair.signCertificateRequest; this certificate is the issuer."""
        return self.privateKey.signCertificateRequest(
            self.getSubject(), requestData, verifyDNCallback, serialNumber, requestFormat, certificateFormat
        )

    def signRequestObject(
        self,
        certificateRequest: CertificateRequest,
        serialNumber: int,
        secondsToExpiry: float = A_YEAR,
        digestAlgorithm: str = "sha256",
    ) -> Certificate:
        """See KeyPair.signRequestObject; this certificate is the issuer."""
        return self.privateKey.signRequestObject(
            self.getSubject(), certificateRequest, serialNumber, secondsToExpiry, digestAlgorithm
        )

    def newCertificate(self, newCertData: bytes, format: int = FILETYPE_ASN1) -> PrivateCertificate:
        """The same key with another certificate."""
        return PrivateCertificate.load(newCertData, self.privateKey, format)
