"""TLS with programs of others at the other end: openssl s_client, openssl s_server and curl."""

import os
import re
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.certificates import Identity, certificates
from tests.contract.parts import Reports
from tests.contract.streams import Makers, Net, Recorder, net
from tests.contract.tls_world import (
    Peer,
    Server,
    authority,
    client_options,
    command,
    connected,
    private,
    server_options,
)
from tests.wrong_certificates import wrong_certificates

from torsion import ssl as ours
from torsion.contract import Reactor
from torsion.error import ConnectionDone

pytestmark = [
    pytest.mark.skipif(shutil.which(tool) is None, reason=f"{tool} is not installed here")
    for tool in ("openssl", "curl")
]
CA = str(certificates().ca.certificate)
VERSIONS = {"-tls1_2": "TLSv1.2", "-tls1_3": "TLSv1.3"}


@pytest.fixture
def here(reports: Reports) -> Iterator[Net]:
    with net(Reactor) as made:
        yield made


class Upper(Recorder):
    """Answers the first line in capitals, and closes."""

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        if b"\n" in self.received:
            self.transport.write(self.received.upper())
            self.transport.loseConnection()


def s_client(here: Net, port: int, *more: str, given: bytes = b"hello\n") -> tuple[int, str]:
    """What openssl's client says to our server's port, by the name localhost.

    It waits for the server to close, unless it is given a command for itself, which is a capital letter.
    """
    if not given.isupper():
        more = ("-ign_eof", *more)
    at = ("-connect", f"127.0.0.1:{port}", "-servername", "localhost", "-CAfile", CA)
    return command(here, "openssl", "s_client", *at, "-verify_return_error", *more, given=given)


# openssl s_client


@pytest.mark.parametrize("version", VERSIONS)
def test_openssls_client_believes_us_and_is_answered(here: Net, version: str) -> None:
    protocol = Upper()
    server = Server(here, protocol, options=server_options(acceptableProtocols=[b"line"]))
    status, printed = s_client(here, server.port, version, "-verify_hostname", "localhost", "-alpn", "other,line")
    assert status == 0, printed
    assert "HELLO" in printed and "Verify return code: 0 (ok)" in printed and "ALPN protocol: line" in printed
    assert f"New, {VERSIONS[version]}" in printed
    here.until(lambda: protocol.reasons)
    assert type(protocol.reasons[0]) is ConnectionDone
    server.close()


@pytest.mark.parametrize(
    ("identity", "text"),
    [
        (certificates().expired, "certificate has expired"),
        (wrong_certificates().not_yet, "certificate is not yet valid"),
        (certificates().self_signed, "self-signed certificate"),
        (certificates().wrong_name, "hostname mismatch"),
        (wrong_certificates().other_server, "unable to get local issuer certificate"),
    ],
    ids=["expired", "not yet", "self-signed", "name", "authority"],
)
def test_openssls_client_refuses_what_we_would(here: Net, identity: Identity, text: str) -> None:
    protocol = Upper()
    server = Server(here, protocol, options=server_options(identity))
    status, printed = s_client(here, server.port, "-verify_hostname", "localhost")
    assert status != 0 and text in printed.lower()
    here.until(lambda: protocol.reasons)
    assert isinstance(protocol.reasons[0], ssl.SSLError) and "alert" in str(protocol.reasons[0])
    server.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_openssls_client_shows_its_certificate(here: Net, version: str) -> None:
    protocol = Upper()
    seen: list[Any] = []
    protocol.on_data = lambda data: seen.append(ours.Certificate.peerFromTransport(protocol.transport))
    server = Server(here, protocol, options=server_options(trustRoot=authority()))
    own = certificates().client
    status, printed = s_client(here, server.port, version, "-cert", str(own.certificate), "-key", str(own.key))
    assert status == 0 and "HELLO" in printed
    assert seen == [private(own)]
    server.close()


@pytest.mark.parametrize("tickets", [False, True])
@pytest.mark.parametrize("version", VERSIONS)
def test_openssls_client_resumes_a_session_if_the_server_allows_it(
    here: Net, version: str, tickets: bool, tmp_path: Path
) -> None:
    kept = str(tmp_path / "session")
    options = server_options(enableSessions=True, enableSessionTickets=tickets)
    server = Server(here, Upper(), Upper(), options=options)
    assert "New, " in s_client(here, server.port, version, "-sess_out", kept)[1]
    status, printed = s_client(here, server.port, version, "-sess_in", kept)
    assert status == 0 and f"Reused, {VERSIONS[version]}" in printed and "HELLO" in printed
    assert ("TLS session ticket:" in printed) is (tickets or version == "-tls1_3")
    server.close()


def test_s083_openssls_client_gets_no_ticket_unless_the_server_was_told_to(here: Net) -> None:
    server = Server(here, Upper(), Upper())
    for version in VERSIONS:
        assert "ession ticket" not in s_client(here, server.port, version)[1]
    server.close()


@pytest.mark.parametrize("asked", [b"K", b"k"], ids=["for both directions", "for one"])
def test_openssls_client_changes_the_keys_in_between(here: Net, asked: bytes) -> None:
    protocol = Recorder()
    protocol.on_data = lambda data: protocol.transport.write(data.upper())
    server = Server(here, protocol)
    at = ("-connect", f"127.0.0.1:{server.port}", "-servername", "localhost", "-CAfile", CA, "-tls1_3")
    arguments = ("openssl", "s_client", *at)
    pipe = subprocess.PIPE
    with subprocess.Popen(arguments, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT) as client:
        assert client.stdin is not None and client.stdout is not None
        os.set_blocking(client.stdout.fileno(), False)
        printed = b""

        def prints(expected: bytes) -> bool:
            nonlocal printed
            assert client.stdout is not None
            printed += client.stdout.read() or b""
            return expected in printed

        # One after the other: it takes a command only as the whole of what it reads at once.
        for line, answer in ((b"before", b"BEFORE"), (asked, b"KEYUPDATE"), (b"behind", b"BEHIND")):
            client.stdin.write(line + b"\n")
            client.stdin.flush()
            here.until(lambda answer=answer: prints(answer))
        client.stdin.write(b"Q\n")
        client.stdin.close()
        here.until(lambda: protocol.reasons)
    assert protocol.received == b"before\nbehind\n"
    server.close()


def test_renegotiation_is_refused(here: Net) -> None:
    protocol = Recorder()
    server = Server(here, protocol)
    _, printed = s_client(here, server.port, "-tls1_2", given=b"R\n")
    assert "RENEGOTIATING" in printed and "no renegotiation" in printed
    here.until(lambda: protocol.reasons)
    assert isinstance(protocol.reasons[0], ssl.SSLError) and protocol.received == b""
    server.close()


@pytest.mark.parametrize(("versions", "text"), [(["-tls1_1"], "protocol version"), (["-tls1"], "protocol version")])
def test_s083_tls_1_1_is_refused(here: Net, versions: list[str], text: str) -> None:
    protocol = Recorder()
    server = Server(here, protocol)
    status, printed = s_client(here, server.port, *versions, "-cipher", "DEFAULT:@SECLEVEL=0")
    assert status != 0 and text in printed
    here.until(lambda: protocol.reasons)
    assert "unsupported protocol" in str(protocol.reasons[0])
    server.close()


# openssl s_server


@contextmanager
def s_server(here: Net, *more: str, identity: Identity | None = None) -> Iterator[int]:
    """The port of openssl's server, which gives every line back reversed; it ends after one connection."""
    own = identity or certificates().server
    shows = ("-cert", str(own.certificate), "-key", str(own.key), "-CAfile", CA)
    arguments = ["openssl", "s_server", "-accept", "127.0.0.1:0", *shows, "-naccept", "1", "-rev", *more]
    with subprocess.Popen(
        arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        found = None
        for line in process.stdout:
            found = re.match(r"ACCEPT .*:(\d+)$", line)
            if found:
                break
        rest = Peer(process.stdout.read)
        try:
            assert found is not None
            yield int(found[1])
        finally:
            process.kill()
            rest.join()


class Asker(Recorder):
    """Says hello, and notes the answer."""

    def __init__(self) -> None:
        super().__init__()
        self.on_made = lambda: self.transport.write(b"hello\n")


@pytest.mark.parametrize("version", VERSIONS)
def test_openssls_server_answers_our_client(here: Net, version: str) -> None:
    with s_server(here, version, "-alpn", "line") as port:
        protocol, _ = connected(here, port, client_options(acceptableProtocols=[b"line"]), Asker())
        here.until(lambda: protocol.received == b"olleh\n")
        assert protocol.transport.negotiatedProtocol == b"line"
        assert protocol.transport.getHandle().version() == VERSIONS[version]
        assert ours.Certificate.peerFromTransport(protocol.transport) == private(certificates().server)
        protocol.transport.loseConnection()
        here.until(lambda: protocol.reasons)
        assert type(protocol.reasons[0]) is ConnectionDone


@pytest.mark.parametrize("version", VERSIONS)
def test_openssls_server_sees_our_certificate(here: Net, version: str) -> None:
    with s_server(here, version, "-Verify", "1", "-verify_return_error") as port:
        own = private(certificates().client)
        protocol, _ = connected(here, port, client_options(clientCertificate=own), Asker())
        here.until(lambda: protocol.received == b"olleh\n")
        protocol.transport.abortConnection()


@pytest.mark.parametrize("version", VERSIONS)
def test_openssls_server_refuses_our_client_without_a_certificate(here: Net, version: str) -> None:
    with s_server(here, version, "-Verify", "1", "-verify_return_error") as port:
        protocol, _ = connected(here, port, client_options(), Asker())
        here.until(lambda: protocol.reasons)
        assert isinstance(protocol.reasons[0], ssl.SSLError) and "alert" in str(protocol.reasons[0])
        assert protocol.received == b""


def test_our_client_refuses_openssls_server_if_its_certificate_is_wrong(here: Net) -> None:
    for identity, text in [
        (certificates().expired, "has expired"),
        (certificates().wrong_name, "not valid for 'localhost'"),
        (certificates().self_signed, "self-signed"),
    ]:
        with s_server(here, identity=identity) as port:
            protocol, _ = connected(here, port, client_options(), Asker())
            here.until(lambda protocol=protocol: protocol.reasons)
            assert isinstance(protocol.reasons[0], ssl.SSLCertVerificationError) and text in str(protocol.reasons[0])


# curl

BODY = bytes(range(256)) * 4096


class Page(Recorder):
    """An HTTP server of one page."""

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        if self.received.endswith(b"\r\n\r\n"):
            self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(BODY))
            self.transport.write(BODY)
            self.transport.loseConnection()


def curl(here: Net, port: int, *more: str, name: str = "localhost") -> tuple[int, str]:
    resolve = ("--resolve", f"{name}:{port}:127.0.0.1")
    return command(here, "curl", "-sS", "--noproxy", "*", *resolve, "--cacert", CA, *more, f"https://{name}:{port}/")


@pytest.mark.parametrize("more", [["--tls-max", "1.2"], ["--tlsv1.3"], ["--http1.1"]], ids=["1.2", "1.3", "HTTP/1.1"])
def test_curl_fetches_a_page(here: Net, more: list[str], tmp_path: Path) -> None:
    server = Server(here, Page(), options=server_options(acceptableProtocols=[b"http/1.1"]))
    status, printed = curl(here, server.port, "-o", str(tmp_path / "page"), *more)
    assert (status, printed) == (0, "")
    assert (tmp_path / "page").read_bytes() == BODY
    server.close()


@pytest.mark.parametrize(
    ("identity", "name", "text"),
    [
        (certificates().server, "other.example", "no alternative certificate subject name matches"),
        (certificates().expired, "localhost", "certificate has expired"),
        (certificates().self_signed, "localhost", "self-signed certificate"),
    ],
    ids=["name", "expired", "self-signed"],
)
def test_curl_refuses_what_it_should(here: Net, identity: Identity, name: str, text: str) -> None:
    protocol = Page()
    server = Server(here, protocol, options=server_options(identity))
    status, printed = curl(here, server.port, name=name)
    assert status == 60 and text in printed
    here.until(lambda: protocol.reasons)
    assert protocol.received == b""
    server.close()


def test_curl_with_a_certificate_of_its_own_and_without(here: Net, tmp_path: Path) -> None:
    server = Server(here, Page(), Page(), options=server_options(trustRoot=authority()))
    own = certificates().client
    more = ("-o", str(tmp_path / "page"))
    assert curl(here, server.port, *more, "--cert", str(own.certificate), "--key", str(own.key)) == (0, "")
    status, printed = curl(here, server.port, *more)
    assert status in (35, 56) and re.search("certificate required|reset", printed)
    server.close()


def test_many_curls_at_once(here: Net) -> None:
    factory = Makers(*(Page() for _ in range(8)))
    listening = here.reactor.listenSSL(0, factory, server_options(), interface="127.0.0.1")
    port = listening.getHost().port
    at = ("--cacert", CA, "--resolve", f"localhost:{port}:127.0.0.1")
    url = f"https://localhost:{port}/"
    arguments = ["curl", "-sS", "--noproxy", "*", *at, "-Z", *(["-o", "/dev/null", url] * 8)]
    assert command(here, *arguments)[0] == 0
    assert len(factory.built) == 8
    listening.stopListening()
    here.turns()
