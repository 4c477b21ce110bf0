"""`tls:` servers: which certificate of a folder a client is shown, and when a change is noticed."""

import shutil
import ssl
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from tests.certificates import Identity, certificates
from tests.contract.parts import Reports
from tests.contract.streams import Makers, Net, Recorder, net

from torsion.contract import Reactor
from torsion.endpoint.folder import CertificateFolder, dns_names
from torsion.endpoints import TCP4ClientEndpoint, serverFromString, wrapClientTLS, wrapServerTLS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "certificates"
    made.mkdir()
    return made


def put(folder: Path, identity: Identity, name: str = "") -> None:
    shutil.copy(identity.both, folder / f"{name or identity.name}.pem")


def handshake(server: ssl.SSLContext, host: str | None, alpn: list[str] | None = None) -> Any:
    """In memory: the client's SSLObject, when both sides are done. Raises what the client's side does."""
    client_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client_context.check_hostname = False
    client_context.verify_mode = ssl.CERT_NONE
    if alpn:
        client_context.set_alpn_protocols(alpn)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    there = server.wrap_bio(to_server, to_client, server_side=True)
    here = client_context.wrap_bio(to_client, to_server, server_hostname=host)
    for _ in range(5):
        for side in (here, there):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError:
                if side is here:
                    raise
    return here


def shown(server: ssl.SSLContext, host: str | None) -> list[str]:
    return dns_names(handshake(server, host).getpeercert(binary_form=True))


def test_names_of_certificates() -> None:
    made = certificates()
    for identity, names in ((made.server, ["localhost"]), (made.wrong_name, ["wrong.example"]), (made.client, [])):
        assert dns_names(ssl.PEM_cert_to_DER_cert(identity.certificate.read_text())) == names
    assert dns_names(b"") == [] and dns_names(bytes.fromhex("0603551d110482")) == []


def test_the_certificate_of_the_host_that_is_asked_for(folder: Path) -> None:
    made = certificates()
    put(folder, made.server)
    put(folder, made.wrong_name)
    context = CertificateFolder(str(folder))
    assert shown(context, "localhost") == ["localhost"]
    assert shown(context, "LOCALHOST") == ["localhost"]
    assert shown(context, "wrong.example") == ["wrong.example"]
    assert shown(context, None) == ["localhost"]  # the first by the file's name


def test_a_key_in_a_file_of_its_own_and_keys_of_nobody(folder: Path, reports: Reports) -> None:
    made = certificates()
    shutil.copy(made.server.certificate, folder / "cert.pem")
    shutil.copy(made.server.key, folder / "privkey.pem")
    shutil.copy(made.ca.certificate, folder / "chain.pem")
    shutil.copy(made.client.key, folder / "other.pem")
    (folder / "empty.pem").touch()
    (folder / "readme.txt").write_text("no certificate")
    context = CertificateFolder(str(folder))
    assert shown(context, "localhost") == ["localhost"]
    ((text, _),) = reports
    assert "other.pem" in text and "belongs to none" in text
    reports.clear()


def test_a_host_without_a_certificate_is_refused_and_reported(folder: Path, reports: Reports) -> None:
    context = CertificateFolder(str(folder))
    with pytest.raises(ssl.SSLError, match=r"(?i)unrecognized.name"):
        handshake(context, "localhost")
    ((text, _),) = reports
    assert text == "no server certificate for name 'localhost'"
    reports.clear()


def test_wildcards(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(folder, certificates().server)
    context = CertificateFolder(str(folder))
    context._by_name = {"*.example.net": context._by_name["localhost"]}
    assert context.context_for("a.example.net") is not None
    assert context.context_for("example.net") is None
    assert context.context_for("a.b.example.net") is None


def test_what_is_added_or_replaced_is_used_from_the_next_client_on(folder: Path) -> None:
    made = certificates()
    put(folder, made.server)
    context = CertificateFolder(str(folder))
    before = handshake(context, "localhost").getpeercert(binary_form=True)
    put(folder, made.wrong_name)
    assert shown(context, "wrong.example") == ["wrong.example"]
    put(folder, made.self_signed, "server")
    assert handshake(context, "localhost").getpeercert(binary_form=True) != before


def test_a_folder_that_goes_away_leaves_what_was_read(folder: Path, reports: Reports) -> None:
    put(folder, certificates().server)
    context = CertificateFolder(str(folder))
    shutil.rmtree(folder)
    assert shown(context, "localhost") == ["localhost"]
    assert "cannot be read" in reports.take(FileNotFoundError)


def test_a_folder_that_is_not_there_is_an_error_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        serverFromString(None, f"tls:{tmp_path / 'nowhere'}")


def test_protocols_that_are_offered_are_offered_with_each_certificate(folder: Path) -> None:
    put(folder, certificates().server)
    context = CertificateFolder(str(folder))
    context.set_alpn_protocols(["h2", "http/1.1"])
    assert handshake(context, "localhost", ["http/1.1"]).selected_alpn_protocol() == "http/1.1"


def test_a_tls_string_serves_a_folder(folder: Path, reports: Reports) -> None:
    made = certificates()
    put(folder, made.server)
    with net(Reactor) as wire:
        _serve(wire, folder, made)


def _serve(wire: Net, folder: Path, made: Any) -> None:
    endpoint = serverFromString(wire.reactor, f"tls:{folder}:port=0:backlog=5:interface=127.0.0.1")
    there = Recorder()
    ports: list[Any] = []
    endpoint.listen(Makers(there)).addCallback(ports.append)

    below = TCP4ClientEndpoint(wire.reactor, "localhost", ports[0].getHost().port)
    here = Recorder()
    here.on_made = lambda: here.transport.write(b"hello")
    wrapClientTLS(made.client_context(), below).connect(Makers(here))
    wire.until(lambda: there.received == b"hello")
    here.transport.loseConnection()
    wire.until(lambda: "lost" in here.told and "lost" in there.told)
    ports[0].stopListening()
    wire.turns()


def test_a_folder_leaves_nothing_behind(folder: Path, no_leaks: Callable[[], AbstractContextManager[None]]) -> None:
    put(folder, certificates().server)

    def use() -> None:
        endpoint = wrapServerTLS(CertificateFolder(str(folder)), None)
        shown(endpoint.connectionCreator, "localhost")

    use()
    with no_leaks():
        use()
