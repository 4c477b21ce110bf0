"""examples/tls_echo.py: its client and server, with files of others, and with servers that nobody should believe."""

from pathlib import Path

import pytest
from tests.certificates import certificates
from tests.examples.test_examples import EXAMPLES, Program
from tests.examples.test_network_examples import connect, read_exactly
from tests.interpreters import Python

TLS_ECHO = str(EXAMPLES / "tls_echo.py")


class Serving:
    """The example as a server: its port, and what its clients may trust."""

    def __init__(self, python: Python, *arguments: str) -> None:
        self.program = Program(python, TLS_ECHO, "server", "0", *arguments)
        assert self.program.process.stdout is not None
        self.port = self.program.process.stdout.readline().strip().rpartition(":")[2]
        self.trusted = self.program.process.stdout.readline().removeprefix("clients may trust ").strip()

    def __enter__(self) -> "Serving":
        return self

    def __exit__(self, *error: object) -> None:
        self.program.process.terminate()
        self.program.check("")


def test_its_client_and_its_server_with_a_certificate_made_by_openssl(bare: Python) -> None:
    with Serving(bare) as server:
        asked = Program(bare, TLS_ECHO, "client", server.port, server.trusted, "one", "and two")
        asked.check(r"TLSv1.3 with localhost\none\nand two\nConnection was closed cleanly: Connection done.\n")
        folder = Path(server.trusted).parent
        assert folder.exists()
    assert not folder.exists()


def test_its_server_with_files_of_its_own_and_another_client(bare: Python) -> None:
    own = certificates().server
    with Serving(bare, str(own.key), str(own.certificate)) as server:
        context = certificates().client_context()
        with context.wrap_socket(connect(int(server.port)), server_hostname="localhost") as skt:
            skt.sendall(b"x" * 100_000)
            assert read_exactly(skt, 100_000) == b"x" * 100_000
            skt.unwrap().close()


@pytest.mark.parametrize(
    ("name", "trusted", "text"),
    [
        ("expired", "ca", "certificate has expired"),
        ("wrong_name", "ca", "certificate is not valid for 'localhost'"),
        ("server", "self_signed", "unable to get local issuer certificate"),
    ],
)
def test_its_client_says_why_it_does_not_believe_a_server(bare: Python, name: str, trusted: str, text: str) -> None:
    own = getattr(certificates(), name)
    with Serving(bare, str(own.key), str(own.certificate)) as server:
        other = str(getattr(certificates(), trusted).certificate)
        done = bare.run("-W", "error", TLS_ECHO, "client", server.port, other, "one")
        assert (done.returncode, done.stderr) == (1, "") and text in done.stdout


def test_its_client_without_a_server(bare: Python) -> None:
    trusted = str(certificates().ca.certificate)
    done = bare.run("-W", "error", TLS_ECHO, "client", "1", trusted, "one")
    assert done.returncode == 1 and "refused" in done.stdout


def test_without_arguments_it_says_how_to_use_it(bare: Python) -> None:
    done = bare.run(TLS_ECHO)
    assert done.returncode == 1 and "tls_echo.py server [PORT" in done.stderr
