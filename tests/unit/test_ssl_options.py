"""CertificateOptions and optionsForClientTLS: what is accepted, and how two sides then speak, without a socket."""

import ssl as standard
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from tests.certificates import Identity, certificates
from tests.wrong_certificates import wrong_certificates

from torsion import report, ssl
from torsion.error import VerifyError
from torsion.net.tls.standard import StandardEngine
from torsion.ssl import CertificateOptions, TLSVersion, optionsForClientTLS

V12, V13 = TLSVersion.TLSv1_2, TLSVersion.TLSv1_3
SESSIONS = {"enableSessions": True}


def private(identity: Identity) -> ssl.PrivateCertificate:
    return ssl.PrivateCertificate.loadPEM(identity.both.read_bytes())


def shown(identity: Identity) -> ssl.Certificate:
    made: ssl.Certificate = ssl.Certificate.loadPEM(identity.certificate.read_bytes())
    return made


def serving(identity: Identity | None = None, **more: Any) -> CertificateOptions:
    own = private(identity or certificates().server)
    return CertificateOptions(own.privateKey, own, **more)


def asking(hostname: str = "localhost", **more: Any) -> Any:
    return optionsForClientTLS(hostname, **{"trustRoot": shown(certificates().ca), **more})


class Talk:
    """A client and a server, their handshake, and a word each way."""

    def __init__(self, client: Any, server: Any) -> None:
        sides = [StandardEngine(client.tls_settings(False), False), StandardEngine(server.tls_settings(True), True)]
        self.errors: list[Any] = [None, None]
        self.done = [False, False]
        self.received: list[bytes | None] = [None, None]
        for _ in range(6):
            for number, side in enumerate(sides):
                if self.errors[number] is None:
                    try:
                        self._go_on(number, side)
                    except standard.SSLError as error:
                        self.errors[number] = error.with_traceback(None)
                sides[1 - number].feed(side.outgoing())
        self.client, self.server = sides

    def _go_on(self, number: int, side: StandardEngine) -> None:
        if not self.done[number]:
            self.done[number] = side.handshake()
            if self.done[number]:
                side.write(b"word")
        elif self.received[number] is None:
            self.received[number] = side.read()

    @property
    def good(self) -> bool:
        return self.received == [b"word", b"word"]

    @property
    def resumed(self) -> bool:
        return bool(self.client.handle().session_reused)

    @property
    def version(self) -> str | None:
        return self.client.handle().version()


# Who is believed


@pytest.mark.parametrize("hostname", ["localhost", "LOCALHOST", "127.0.0.1", "::1"])
def test_s083_a_server_with_the_right_name_or_address_is_believed(hostname: str) -> None:
    assert Talk(asking(hostname), serving()).good


@pytest.mark.parametrize(
    ("hostname", "identity", "text"),
    [
        ("wrong.example", certificates().server, "Hostname mismatch, certificate is not valid for 'wrong.example'"),
        ("localhost", certificates().wrong_name, "Hostname mismatch, certificate is not valid for 'localhost'"),
        ("127.0.0.3", certificates().server, "IP address mismatch, certificate is not valid for '127.0.0.3'"),
        ("127.0.0.1", wrong_certificates().wrong_address, "IP address mismatch"),
    ],
)
def test_s083_one_with_another_name_is_a_verification_error(hostname: str, identity: Identity, text: str) -> None:
    talk = Talk(asking(hostname), serving(identity))
    error = talk.errors[0]
    assert type(error) is ssl.VerificationError and text in str(error)
    assert error.verify_message in str(error) and error.verify_code in (62, 64)
    assert isinstance(error, standard.SSLCertVerificationError)
    assert talk.received == [None, None]


@pytest.mark.parametrize(
    ("hostname", "in_certificate", "good"),
    [
        ("b\u00fccher.example", "xn--bcher-kva.example", True),
        ("xn--bcher-kva.example", "xn--bcher-kva.example", True),
        ("a.ropes.example", "*.ropes.example", True),
        ("ropes.example", "*.ropes.example", False),
        ("a.b.ropes.example", "*.ropes.example", False),
        ("ab.ropes.example", "a*.ropes.example", False),
        ("sub.localhost", "localhost", False),
        ("127.0.0.1", "*.0.0.1", False),
    ],
)
def test_s083_names_of_other_alphabets_and_with_a_star(hostname: str, in_certificate: str, good: bool) -> None:
    own = ssl.KeyPair.generate().selfSignedCert(1, CN=in_certificate)
    talk = Talk(asking(hostname, trustRoot=own), own.options())
    assert talk.good is good
    assert good or type(talk.errors[0]) is ssl.VerificationError


def test_s083_a_common_name_alone_is_no_name() -> None:
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "-", "-subj", "/CN=localhost"]
    own = ssl.PrivateCertificate.loadPEM(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)
    assert type(Talk(asking(trustRoot=own), own.options()).errors[0]) is ssl.VerificationError


@pytest.mark.parametrize(
    ("identity", "text"),
    [
        (certificates().expired, "certificate has expired"),
        (wrong_certificates().not_yet, "certificate is not yet valid"),
        (certificates().self_signed, "self-signed certificate"),
        (wrong_certificates().other_server, "certificate signature failure|unable to get local issuer certificate"),
    ],
    ids=["expired", "not yet", "self-signed", "unknown authority"],
)
def test_s083_any_other_flaw_is_an_ssl_error_on_both_sides_that_says_which(identity: Identity, text: str) -> None:
    talk = Talk(asking(), serving(identity))
    assert type(talk.errors[0]) is standard.SSLCertVerificationError
    assert pytest.raises(standard.SSLError, match=text) and _matches(text, talk.errors[0].verify_message)
    assert isinstance(talk.errors[1], standard.SSLError) and "alert" in str(talk.errors[1])
    assert talk.received == [None, None]


def _matches(alternatives: str, text: str) -> bool:
    return any(each in text for each in alternatives.split("|"))


def test_without_a_trust_root_it_is_the_system_that_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "unable to get local issuer certificate" in str(Talk(optionsForClientTLS("localhost"), serving()).errors[0])
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates().ca.certificate))
    assert Talk(optionsForClientTLS("localhost"), serving()).good
    assert Talk(asking(trustRoot=ssl.platformTrust()), serving()).good


@pytest.mark.parametrize("several", [True, False])
def test_a_trust_root_is_a_certificate_or_several(several: bool) -> None:
    good, other = shown(certificates().ca), shown(wrong_certificates().other_ca)
    root = ssl.trustRootFromCertificates([other, good, good] if several else [good])
    assert Talk(asking(trustRoot=root), serving()).good
    assert not Talk(asking(trustRoot=other), serving()).good
    assert not Talk(asking(trustRoot=ssl.trustRootFromCertificates([])), serving()).good


def test_a_certificate_that_signed_itself_can_be_the_one_that_is_believed() -> None:
    own = certificates().self_signed
    assert Talk(asking(trustRoot=shown(own)), serving(own)).good


def test_a_chain_is_shown_from_the_own_certificate_to_the_one_below_the_root() -> None:
    root = ssl.KeyPair.generate().selfSignedCert(1, CN="root")
    # The chain that is shown may also hold the root: it changes nothing.
    own = private(certificates().server)
    options = CertificateOptions(own.privateKey, own, extraCertChain=[shown(certificates().ca), root])
    talk = Talk(asking(), options)
    assert talk.good and talk.client.certificate() == own.original


# Certificates of clients


def test_a_server_asks_for_a_certificate_and_sees_it() -> None:
    server = private(certificates().server).options(shown(certificates().ca))
    talk = Talk(asking(clientCertificate=private(certificates().client)), server)
    assert talk.good and talk.server.certificate() == shown(certificates().client).original


@pytest.mark.parametrize("version", [V12, V13])
@pytest.mark.parametrize(
    ("identity", "text"),
    [
        (None, "peer did not return a certificate"),
        (wrong_certificates().other_client, "certificate verify failed"),
        (wrong_certificates().expired_client, "certificate has expired"),
    ],
    ids=["none", "of another authority", "expired"],
)
def test_a_client_with_none_or_a_wrong_one_is_refused(
    version: TLSVersion, identity: Identity | None, text: str
) -> None:
    server = serving(trustRoot=shown(certificates().ca), lowerMaximumSecurityTo=version)
    talk = Talk(asking(clientCertificate=identity and private(identity)), server)
    assert text in str(talk.errors[1])
    assert "alert" in str(talk.errors[0])
    assert talk.received[1] is None


def test_a_certificate_may_be_asked_for_and_not_required() -> None:
    server = serving(trustRoot=shown(certificates().ca), requireCertificate=False)
    assert Talk(asking(), server).good
    assert not Talk(asking(clientCertificate=private(wrong_certificates().other_client)), server).good


def test_the_older_way_to_verify() -> None:
    server = serving(verify=True, caCerts=[certificates().ca.certificate.read_bytes()])
    assert Talk(asking(clientCertificate=private(certificates().client)), server).good
    assert not Talk(asking(), server).good


def test_certificate_options_of_a_client_verify_the_chain_and_no_name() -> None:
    assert Talk(CertificateOptions(trustRoot=shown(certificates().ca)), serving(certificates().wrong_name)).good
    assert not Talk(CertificateOptions(trustRoot=shown(certificates().ca)), serving(certificates().expired)).good
    assert Talk(CertificateOptions(), serving(certificates().expired)).good


# Versions


@pytest.mark.parametrize(
    ("bounds", "version"),
    [
        ({}, "TLSv1.3"),
        ({"lowerMaximumSecurityTo": V12}, "TLSv1.2"),
        ({"raiseMinimumTo": V13}, "TLSv1.3"),
        ({"raiseMinimumTo": TLSVersion.TLSv1_0, "lowerMaximumSecurityTo": V12}, "TLSv1.2"),
    ],
)
def test_versions_can_be_bound(bounds: dict[str, Any], version: str) -> None:
    assert Talk(asking(), serving(**bounds)).version == version
    assert Talk(asking(extraCertificateOptions=bounds), serving()).version == version


def test_s083_tls_1_2_is_the_least_unless_less_is_asked_for_by_both() -> None:
    old = {"insecurelyLowerMinimumTo": TLSVersion.TLSv1_0, "lowerMaximumSecurityTo": TLSVersion.TLSv1_1}
    assert not Talk(asking(extraCertificateOptions=old), serving()).good
    assert not Talk(asking(), serving(**old)).good
    assert Talk(asking(extraCertificateOptions=old), serving(**old)).version == "TLSv1.1"
    assert serving(raiseMinimumTo=TLSVersion.TLSv1_0).getContext().minimum_version == standard.TLSVersion.TLSv1_2


def test_two_sides_without_a_common_version_say_so() -> None:
    talk = Talk(asking(extraCertificateOptions={"lowerMaximumSecurityTo": V12}), serving(raiseMinimumTo=V13))
    assert "unsupported protocol" in str(talk.errors[1]) and "alert protocol version" in str(talk.errors[0])


# Names and protocols


@pytest.mark.parametrize(("hostname", "sent"), [("localhost", b"localhost"), ("127.0.0.1", None), ("::1", None)])
def test_s083_a_name_is_sent_to_the_server_and_an_address_is_not(hostname: str, sent: bytes | None) -> None:
    asked: list[bytes | None] = []
    assert Talk(asking(hostname), serving(contextForServerName=asked.append)).good
    assert asked == [sent]


def test_a_server_chooses_its_certificate_by_the_name_that_it_is_asked_for() -> None:
    other = serving(certificates().wrong_name)
    for found in (other, other.getContext()):
        server = serving(contextForServerName={b"wrong.example": found}.get)
        talk = Talk(asking("wrong.example"), server)
        assert talk.good and talk.client.certificate() == shown(certificates().wrong_name).original
        assert Talk(asking(), server).good


@pytest.mark.parametrize(
    ("client", "server", "chosen"),
    [
        ([b"h2", b"http/1.1"], [b"http/1.1", b"h2"], b"http/1.1"),
        ([b"h2"], [b"http/1.1"], None),
        ([b"h2"], None, None),
        (None, [b"h2"], None),
    ],
)
def test_the_application_protocol_is_negotiated(client: Any, server: Any, chosen: bytes | None) -> None:
    talk = Talk(asking(acceptableProtocols=client), serving(acceptableProtocols=server))
    assert talk.good and talk.client.negotiated() == talk.server.negotiated() == chosen


def test_ciphers_can_be_chosen() -> None:
    chosen = ssl.AcceptableCiphers.fromOpenSSLCipherString("ECDHE+AES256:!AESCCM")
    assert "ECDHE-RSA-AES256-GCM-SHA384" in chosen.ciphers and "TLS_AES_256_GCM_SHA384" not in chosen.ciphers
    talk = Talk(asking(), serving(acceptableCiphers=chosen, lowerMaximumSecurityTo=V12))
    assert talk.good and "AES256" in talk.client.handle().cipher()[0]
    with pytest.raises(standard.SSLError, match=r"(?i)no cipher"):
        ssl.AcceptableCiphers.fromOpenSSLCipherString("NO-SUCH-CIPHER")


def test_parameters_for_dhe_come_from_a_file(tmp_path: Path) -> None:
    command = ["openssl", "genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", "group:ffdhe2048"]
    subprocess.run([*command, "-out", str(tmp_path / "dh.pem")], check=True, timeout=60)
    parameters = ssl.DiffieHellmanParameters.fromFile(tmp_path / "dh.pem")
    chosen = ssl.AcceptableCiphers.fromOpenSSLCipherString("DHE+AESGCM")
    own = ssl.KeyPair.generate().selfSignedCert(1, CN="localhost")
    server = CertificateOptions(
        own.privateKey, own, dhParameters=parameters, acceptableCiphers=chosen, lowerMaximumSecurityTo=V12
    )
    assert "DHE" in Talk(asking(trustRoot=own), server).client.handle().cipher()[0]
    with pytest.raises(FileNotFoundError, match="nothing"):
        ssl.DiffieHellmanParameters.fromFile(str(tmp_path / "nothing"))


# Sessions


@pytest.mark.parametrize("kept", ["enableSessions", "enableSessionTickets"])
@pytest.mark.parametrize("version", [V12, V13])
def test_a_client_resumes_the_session_of_the_connection_before(kept: str, version: TLSVersion) -> None:
    server = serving(**{kept: True}, lowerMaximumSecurityTo=version)
    client = asking(extraCertificateOptions=SESSIONS)
    first = Talk(client, server)
    assert first.good and not first.resumed
    while_it_lives = Talk(client, server)
    assert while_it_lives.good and while_it_lives.resumed
    for talk in (first, while_it_lives):  # a server forgets the session of a connection that was cut
        talk.client.close()
        talk.server.close()
    del talk, first, while_it_lives
    assert Talk(client, server).resumed


def test_s083_a_server_sends_no_tickets_unless_told_to() -> None:
    client = asking(extraCertificateOptions=SESSIONS)
    for _ in range(3):
        talk = Talk(client, serving())
        assert talk.good and not talk.resumed and not talk.client.handle().session.has_ticket


def test_clients_resume_only_if_told_to_and_only_with_the_same_options() -> None:
    server = serving(**SESSIONS)
    silent = asking()
    assert [Talk(silent, server).resumed for _ in range(3)] == [False] * 3
    assert [Talk(asking(extraCertificateOptions=SESSIONS), server).resumed for _ in range(3)] == [False] * 3


def test_a_server_that_has_forgotten_the_session_makes_a_new_one() -> None:
    client = asking(extraCertificateOptions=SESSIONS)
    for _ in range(3):
        talk = Talk(client, serving(**SESSIONS))
        assert talk.good and not talk.resumed


@pytest.mark.parametrize("more", [{}, SESSIONS])
def test_options_and_their_connections_leave_nothing(
    more: dict[str, Any], no_leaks: Callable[[], AbstractContextManager[None]]
) -> None:
    def use() -> None:
        client, server = asking(extraCertificateOptions=more), serving(contextForServerName=lambda name: None, **more)
        for _ in range(3):
            assert Talk(client, server).good
        assert not Talk(asking("wrong.example"), server).good

    use()
    with no_leaks():
        use()


# What does not go together

OWN = {"privateKey": certificates().server.key.read_bytes(), "certificate": certificates().server.certificate}


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"privateKey": private(certificates().server).privateKey}, ValueError, "neither or both"),
        ({"certificate": shown(certificates().server)}, ValueError, "neither or both"),
        ({"extraCertChain": [shown(certificates().ca)]}, ValueError, "private key and a certificate are required"),
        ({"verify": True}, ValueError, "if and only if"),
        ({"caCerts": [shown(certificates().ca)]}, ValueError, "if and only if"),
        ({"trustRoot": shown(certificates().ca), "verify": True}, TypeError, "mutually exclusive"),
        ({"trustRoot": 5}, TypeError, "trustRoot is to be a Certificate, .*, not 5"),
        ({"method": 7}, TypeError, "method cannot be chosen: .*raiseMinimumTo"),
        ({"verifyDepth": 2}, TypeError, "verifyDepth"),
        ({"raiseMinimumTo": V12, "insecurelyLowerMinimumTo": V12}, TypeError, "mutually exclusive"),
        ({"raiseMinimumTo": V13, "lowerMaximumSecurityTo": V12}, ValueError, "raiseMinimumTo needs to be lower"),
        ({"insecurelyLowerMinimumTo": V13, "lowerMaximumSecurityTo": V12}, ValueError, "insecurelyLower.* needs to be"),
        ({"lowerMaximumSecurityTo": TLSVersion.TLSv1_1}, ValueError, "leaves no version: the minimum is TLSv1_2"),
        ({"raiseMinimumTo": 771}, TypeError, "raiseMinimumTo is to be a TLSVersion, not 771"),
        ({"acceptableProtocols": ["h2"]}, TypeError, "acceptableProtocols are to be bytes, .* one is 'h2'"),
        ({"acceptableProtocols": [b""]}, TypeError, "one is b''"),
        ({"privateKey": 5, "certificate": 6}, TypeError, "privateKey is to be an object of torsion.ssl, or PEM, not 5"),
        ({**OWN, "certificate": "nothing"}, ValueError, "certificate: there is no certificate in this PEM"),
        ({**OWN, "certificate": shown(certificates().client)}, VerifyError, "do not match"),
    ],
)
def test_what_does_not_go_together_is_an_error_at_once(
    arguments: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        CertificateOptions(**arguments)


@pytest.mark.parametrize(
    ("hostname", "error"),
    [(b"localhost", TypeError), ("", ValueError), (".", ValueError), ("a" * 64, ValueError), ("a\0b", ValueError)],
)
def test_a_hostname_that_can_be_none_is_an_error_at_once(hostname: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        optionsForClientTLS(hostname)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"sendServerName": False}, ValueError, "sendServerName=False is not to be had for 'localhost'"),
        ({"hostname": "127.0.0.1", "sendServerName": True}, ValueError, "never an address"),
        ({"trustRoot": [5]}, TypeError, "trustRoot"),
        ({"extraCertificateOptions": {"trustRoot": None}}, TypeError, "multiple values"),
    ],
)
def test_wishes_that_cannot_be_met_are_errors_at_once(
    arguments: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        optionsForClientTLS(**{"hostname": "localhost", **arguments})


def test_sendservername_may_be_what_it_is_anyhow() -> None:
    assert Talk(asking(sendServerName=True), serving()).good
    assert Talk(asking("127.0.0.1", sendServerName=False), serving()).good


def test_trust_is_made_of_certificates() -> None:
    with pytest.raises(TypeError, match="certificates are to be Certificate objects, and one is 5"):
        ssl.trustRootFromCertificates([5])  # type: ignore[list-item]


def test_options_of_a_client_are_not_a_servers() -> None:
    with pytest.raises(RuntimeError, match="connections to localhost> is for clients"):
        optionsForClientTLS("localhost").tls_settings(True)


# Context factories


def test_a_servers_files() -> None:
    own = certificates().server
    factory = ssl.DefaultOpenSSLContextFactory(str(own.key), str(own.certificate))
    assert factory.getContext() is factory.getContext()
    assert Talk(asking(), factory).good
    assert Talk(ssl.ClientContextFactory(), factory).good


def test_files_that_are_missing_or_do_not_belong_together_are_errors_at_once() -> None:
    own, other = certificates().server, certificates().client
    with pytest.raises(FileNotFoundError, match="no such place"):
        ssl.DefaultOpenSSLContextFactory("no such place", str(own.certificate))
    with pytest.raises(VerifyError, match="do not match"):
        ssl.DefaultOpenSSLContextFactory(str(other.key), str(own.certificate))
    with pytest.raises(TypeError, match="sslmethod"):
        ssl.DefaultOpenSSLContextFactory(str(own.key), str(own.certificate), 5)  # type: ignore[arg-type]


def test_a_context_factory_of_the_programs_own() -> None:
    class Mine(ssl.ContextFactory):
        def getContext(self) -> standard.SSLContext:
            return certificates().server.server_context()

    assert Talk(asking(), Mine()).good
    with pytest.raises(NotImplementedError, match="write getContext"):
        ssl.ContextFactory().getContext()


# Whoever chooses by name


@pytest.fixture
def reports() -> Iterator[list[Any]]:
    """What was reported: exceptions."""
    found: list[Any] = []
    report.set_sink(lambda level, text, failure, details: found.append(failure and failure.value))
    yield found
    report.set_sink(None)


def test_a_choice_that_raises_is_reported_and_ends_the_handshake_with_an_alert(reports: list[Any]) -> None:
    def choose(name: bytes | None) -> None:
        raise KeyError(name)

    talk = Talk(asking(), serving(contextForServerName=choose))
    assert "alert internal error" in str(talk.errors[0]) and talk.errors[1] is not None
    assert [type(each) for each in reports] == [KeyError]


@pytest.mark.parametrize(("port", "chosen"), [("CERT_NONE", "CERT_REQUIRED"), ("CERT_REQUIRED", "CERT_NONE")])
def test_options_chosen_by_name_must_verify_clients_as_those_of_the_port(
    port: str, chosen: str, reports: list[Any]
) -> None:
    trust = {"CERT_NONE": None, "CERT_REQUIRED": shown(certificates().ca)}
    other = serving(trustRoot=trust[chosen])
    talk = Talk(asking(), serving(trustRoot=trust[port], contextForServerName=lambda name: other))
    assert not talk.good
    (reported,) = reports
    assert f"must verify clients as those of the port do: {port}, not {chosen}" in str(reported)


@pytest.mark.parametrize("hostname", ["localhost:443", "https://localhost", "local host", "localhost/"])
def test_a_hostname_is_no_address_of_a_page(hostname: str) -> None:
    with pytest.raises(ValueError, match="hostname is to be the name or the address of a host"):
        ssl.optionsForClientTLS(hostname)


def test_protocols_are_named_in_ascii() -> None:
    with pytest.raises(ValueError, match="acceptableProtocols are to be ASCII"):
        ssl.CertificateOptions(acceptableProtocols=[b"\xff"])
