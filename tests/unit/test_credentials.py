"""Certificates, keys and names: read, written, compared, and made where `cryptography` is there."""

import hashlib
import ssl as standard
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.certificates import certificates
from tests.interpreters import Python

from torsion import ssl
from torsion.credentials import contexts, der
from torsion.error import CertificateError, VerifyError

FORMS = {
    "PRIVATE KEY": ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "EC PRIVATE KEY": ["ecparam", "-genkey", "-noout", "-name", "prime256v1"],
    "RSA PRIVATE KEY": ["genrsa", "-traditional", "2048"],
}


def openssl(*arguments: str, given: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *arguments], input=given, capture_output=True, check=True, timeout=60).stdout


@pytest.fixture(scope="module")
def pem() -> bytes:
    """A certificate with a name of many parts and its key, made by openssl."""
    name = "/C=NL/ST=Holland/L=Delft/O=Ropes & Co/OU=Strands/CN=rope.example/emailAddress=rope@rope.example"
    command = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "-", "-set_serial", "4711", "-days", "2"]
    return openssl(*command, "-subj", name)


# Names


def test_a_name_has_its_parts_as_items_and_as_attributes_short_and_long() -> None:
    name = ssl.DN(commonName="rope", O=b"Ropes")
    assert dict(name) == {"commonName": b"rope", "organizationName": b"Ropes"}
    assert name.CN == name.commonName == b"rope" and name.O == b"Ropes"
    name.CN = "other"
    assert name == ssl.DistinguishedName(CN="other", O="Ropes") != ssl.DN(CN="other")
    assert repr(ssl.DN(CN="rope")) == "<DN 'commonName': b'rope'>"
    assert name.inspect().splitlines() == ["               Common Name: other", "         Organization Name: Ropes"]


def test_a_part_that_names_have_not_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no part 'nickname': it has CN, commonName"):
        ssl.DN(nickname="x")
    with pytest.raises(AttributeError, match=r"^L$"):
        ssl.DN(CN="x").L


# Certificates


def test_a_certificate_says_whom_it_is_for_who_signed_it_and_its_number(pem: bytes) -> None:
    certificate = ssl.Certificate.loadPEM(pem)
    assert dict(certificate.getSubject()) == {
        "countryName": b"NL",
        "stateOrProvinceName": b"Holland",
        "localityName": b"Delft",
        "organizationName": b"Ropes & Co",
        "organizationalUnitName": b"Strands",
        "commonName": b"rope.example",
        "emailAddress": b"rope@rope.example",
    }
    assert certificate.getIssuer() == certificate.getSubject()
    assert certificate.serialNumber() == 4711
    assert repr(certificate) == "<Certificate Subject=b'rope.example' Issuer=b'rope.example'>"
    assert "Organization Name: Ropes & Co" in certificate.inspect() and "Serial Number: 4711" in certificate.inspect()


def test_it_agrees_with_openssl_about_fingerprint_and_key(pem: bytes) -> None:
    certificate = ssl.Certificate.loadPEM(pem.decode())
    for method in ("sha256", "md5"):
        printed = openssl("x509", "-noout", "-fingerprint", f"-{method}", given=pem)
        assert printed.strip().endswith(b"=" + certificate.digest(method))
    assert certificate.digest() == certificate.digest("md5")
    public = openssl("pkey", "-pubout", "-outform", "DER", given=pem)
    assert certificate.getPublicKey().original == public
    assert certificate.getPublicKey().keyHash() == hashlib.sha256(public).hexdigest()


def test_a_certificate_survives_pem_and_der(pem: bytes) -> None:
    certificate = ssl.Certificate.loadPEM(pem)
    assert ssl.Certificate.loadPEM(certificate.dumpPEM()) == certificate == ssl.Certificate.load(certificate.dump())
    assert certificate.dumpPEM() in pem
    assert {certificate, ssl.Certificate.loadPEM(pem)} == {certificate}
    assert certificate != ssl.Certificate.loadPEM(certificates().ca.certificate.read_bytes())
    assert certificate != "a text"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "there is no CERTIFICATE in this PEM text"),
        (b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n", "damaged"),
        (der.to_pem("CERTIFICATE", b"nothing"), "this is no DER"),
        (der.to_pem("CERTIFICATE", b"\x30\x00"), "expected|values to unpack"),
    ],
    ids=["none", "damaged", "no DER", "empty"],
)
def test_what_is_no_certificate_is_a_value_error(data: bytes, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        ssl.Certificate.loadPEM(data)


def test_a_format_that_is_none_is_a_value_error(pem: bytes) -> None:
    with pytest.raises(ValueError, match=r"format is to be 1 \(PEM\) or 2 \(DER\), not 3"):
        ssl.Certificate.load(pem, 3)


@given(st.binary(max_size=200))
@example(b"\x30\x00")
@example(b"\x30\x06\x30\x00\x30\x00\x30\x00")
def test_bytes_that_are_no_certificate_are_a_value_error_whatever_they_are(data: bytes) -> None:
    for read in (ssl.Certificate, ssl.CertificateRequest, ssl.KeyPair):
        with pytest.raises(ValueError):
            read(data)


@given(st.data())
def test_a_damaged_certificate_is_read_or_is_a_value_error(data: st.DataObject) -> None:
    original = bytearray(ssl.Certificate.loadPEM(certificates().server.certificate.read_bytes()).original)
    original[data.draw(st.integers(0, len(original) - 1))] = data.draw(st.integers(0, 255))
    try:
        ssl.Certificate(bytes(original)).inspect()
    except ValueError:
        pass


def test_the_certificate_of_the_other_end_of_a_transport(pem: bytes) -> None:
    class Transport:
        def __init__(self, certificate: Any) -> None:
            self.getPeerCertificate = lambda: certificate

    certificate = ssl.Certificate.loadPEM(pem)
    assert ssl.Certificate.peerFromTransport(Transport(certificate.original)) == certificate
    with pytest.raises(CertificateError, match="has shown no certificate"):
        ssl.Certificate.peerFromTransport(Transport(None))


def test_the_certificate_of_the_other_end_where_pyopenssl_does_the_work(pem: bytes) -> None:
    crypto = pytest.importorskip("OpenSSL.crypto")

    class Transport:
        def getPeerCertificate(self) -> Any:
            return crypto.load_certificate(crypto.FILETYPE_PEM, pem)

    assert ssl.Certificate.peerFromTransport(Transport()) == ssl.Certificate.loadPEM(pem)


def test_a_certificate_alone_makes_no_options(pem: bytes) -> None:
    with pytest.raises(NotImplementedError, match="PrivateCertificate"):
        ssl.Certificate.loadPEM(pem).options()


# Keys


@pytest.mark.parametrize("form", list(FORMS))
def test_each_form_of_private_key_is_read_and_written(form: str) -> None:
    pem = openssl(*FORMS[form])
    key = ssl.KeyPair.load(pem, 1)
    assert key.dump(1) == pem
    assert ssl.KeyPair.load(key.dump()).dump(1) == pem
    assert key.public_part() == openssl("pkey", "-pubout", "-outform", "DER", given=pem)


@pytest.mark.parametrize("old", [True, False])
def test_an_encrypted_key_is_refused_and_no_password_is_asked_for(old: bool, tmp_path: Path) -> None:
    made = openssl("genrsa", *(["-traditional"] if old else []), "-aes128", "-passout", "pass:secret", "2048")
    with pytest.raises(ValueError, match="is encrypted: decrypt it first"):
        ssl.KeyPair.load(made, 1)
    with pytest.raises(ValueError, match="privateKey: there is no private key in this PEM text, or it is encrypted"):
        ssl.CertificateOptions(made, certificates().server.certificate.read_bytes())
    (tmp_path / "key.pem").write_bytes(made)
    with pytest.raises(ValueError, match=r"the private key in .*key\.pem is encrypted"):
        ssl.DefaultOpenSSLContextFactory(str(tmp_path / "key.pem"), str(certificates().server.certificate))


def test_what_is_no_key_is_a_value_error(pem: bytes) -> None:
    with pytest.raises(ValueError, match="no private key in this PEM"):
        ssl.KeyPair.load(ssl.Certificate.loadPEM(pem).dumpPEM(), 1)
    with pytest.raises(ValueError, match="this is no private key"):
        ssl.KeyPair.load(ssl.Certificate.loadPEM(pem).dump())


def test_a_private_certificate_holds_both_and_says_nothing_secret(pem: bytes) -> None:
    private = ssl.PrivateCertificate.loadPEM(pem)
    assert private == ssl.Certificate.loadPEM(pem)
    assert private.privateKey.matches(private.getPublicKey())
    assert ssl.PrivateCertificate.loadPEM(private.dumpPEM()).dumpPEM() == private.dumpPEM()
    assert ssl.PrivateCertificate.load(private.dump(), private.privateKey) == private
    told = repr(private) + private.inspect() + repr(private.privateKey)
    assert private.privateKey.keyHash() in told
    assert str(private.privateKey.original) not in told
    assert repr(ssl.KeyPair(private.privateKey.original)) == "<KeyPair>"


@pytest.mark.parametrize("other", ["client", "of another kind"])
def test_a_key_of_another_certificate_is_a_verify_error(other: str) -> None:
    server = certificates().server
    key = certificates().client.key.read_bytes() if other == "client" else openssl("genrsa", "2048")
    with pytest.raises(VerifyError, match="do not match"):
        ssl.PrivateCertificate.loadPEM(server.certificate.read_bytes() + key)
    with pytest.raises(VerifyError, match="do not match"):
        ssl.CertificateOptions(key, server.certificate.read_bytes())


def test_one_without_its_key_is_a_value_error(pem: bytes) -> None:
    with pytest.raises(ValueError, match="no private key"):
        ssl.PrivateCertificate.loadPEM(ssl.Certificate.loadPEM(pem).dumpPEM())


# Secrets on their way to OpenSSL


def test_a_key_reaches_openssl_through_memory_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contexts.tempfile, "mkstemp", lambda: pytest.fail("a key was to be written to a disk"))
    with contexts.readable(b"secret") as path:
        assert Path(path).read_bytes() == b"secret"
    assert not Path(path).exists()


def test_where_there_are_no_files_in_memory_it_is_a_file_of_the_users_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delattr("os.memfd_create")
    monkeypatch.setattr(contexts.tempfile, "tempdir", str(tmp_path))
    with pytest.raises(ZeroDivisionError), contexts.readable(b"secret") as path:
        assert Path(path).read_bytes() == b"secret"
        assert Path(path).parent == tmp_path and Path(path).stat().st_mode & 0o777 == 0o600
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []
    ssl.PrivateCertificate.loadPEM(certificates().server.both.read_bytes())
    assert list(tmp_path.iterdir()) == []


def test_loading_leaves_nothing_open(pem: bytes, no_leaks: Callable[[], AbstractContextManager[None]]) -> None:
    ssl.PrivateCertificate.loadPEM(pem).options().getContext()
    with no_leaks():
        for _ in range(20):
            ssl.PrivateCertificate.loadPEM(pem).options().getContext()
            with pytest.raises(VerifyError):
                ssl.CertificateOptions(certificates().client.key.read_bytes(), pem)


# Making


def test_a_new_key_signs_its_own_certificate() -> None:
    made = ssl.KeyPair.generate().selfSignedCert(7, CN="localhost", O="Ropes")
    assert made.getSubject() == made.getIssuer() == ssl.DN(CN="localhost", O="Ropes")
    assert made.serialNumber() == 7
    assert b"DNS:localhost" in openssl("x509", "-noout", "-ext", "subjectAltName", given=made.dumpPEM())
    of_address = made.privateKey.selfSignedCert(8, CN="127.0.0.1")
    assert b"IP Address:127.0.0.1" in openssl("x509", "-noout", "-ext", "subjectAltName", given=of_address.dumpPEM())
    made.privateKey.selfSignedCert(9, CN="Nobody's häuschen")
    made.privateKey.selfSignedCert(10, O="Ropes")


def test_an_authority_signs_what_was_asked_for() -> None:
    authority = ssl.KeyPair.generate().selfSignedCert(1, CN="authority")
    key = ssl.KeyPair.generate()
    asked = key.requestObject(ssl.DN(CN="service"))
    assert ssl.CertificateRequest.load(asked.dump(1), 1).getSubject() == asked.getSubject() == ssl.DN(CN="service")
    signed = authority.signRequestObject(asked, 2)
    assert (signed.getIssuer().CN, signed.getSubject().CN, signed.serialNumber()) == (b"authority", b"service", 2)
    assert key.newCertificate(signed.dump()).privateKey.matches(key)
    encoded = authority.signCertificateRequest(key.certificateRequest(ssl.DN(CN="x")), lambda name: name.CN == b"x", 3)
    assert ssl.Certificate.load(encoded).serialNumber() == 3
    with pytest.raises(VerifyError, match="does not allow a certificate for <DN"):
        authority.signCertificateRequest(asked.dump(), lambda name: False, 3)
    with pytest.raises(VerifyError, match="do not match"):
        authority.newCertificate(signed.dump())
    assert ssl.CertificateRequest.load(authority.certificateRequest()).getSubject() == authority.getSubject()


def test_a_request_that_was_tampered_with_is_not_signed() -> None:
    authority = ssl.KeyPair.generate().selfSignedCert(1, CN="authority")
    asked = bytearray(ssl.KeyPair.generate().certificateRequest(ssl.DN(CN="service")))
    at = asked.index(b"service")
    asked[at : at + 7] = b"serpent"
    with pytest.raises(ValueError, match="not signed by the key that it names"):
        authority.signRequestObject(ssl.CertificateRequest(bytes(asked)), 2)


def test_unknown_kinds_and_digests_are_value_errors() -> None:
    with pytest.raises(ValueError, match=r"kind is to be 6 \(RSA\), not 7"):
        ssl.KeyPair.generate(7)
    key = ssl.PrivateCertificate.loadPEM(certificates().server.both.read_bytes()).privateKey
    with pytest.raises(ValueError, match="digestAlgorithm is to be one of sha256, sha384, sha512, not 'md5'"):
        key.requestObject(ssl.DN(CN="x"), "md5")


def test_without_cryptography_everything_but_making_works_and_making_says_what_is_missing(
    bare: Python, pem: bytes
) -> None:
    bare.check(
        f"""
        from torsion import ssl
        private = ssl.PrivateCertificate.loadPEM({pem!r})
        private.options(private).tls_settings(True)
        ssl.optionsForClientTLS("rope.example", private, private).tls_settings(False)
        assert private.privateKey.keyHash() and private.getSubject().CN == b"rope.example"
        key = ssl.KeyPair(private.privateKey.original)
        for make in (ssl.KeyPair.generate, private.certificateRequest, key.keyHash):
            try:
                make()
            except ImportError as error:
                assert "pip install torsion[certificates]" in str(error)
            else:
                raise AssertionError(make)
        """,
        install=False,
    )


def test_loading_asks_openssl_and_not_us_whether_a_certificate_is_usable(pem: bytes) -> None:
    private = ssl.PrivateCertificate.loadPEM(pem)
    broken = private.original[:-20]
    with pytest.raises((standard.SSLError, ValueError)):
        ssl.CertificateOptions(private.privateKey, broken)
