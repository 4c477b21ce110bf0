"""The server of static files, with curl and with bare sockets at the other end."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.examples.test_examples import EXAMPLES
from tests.examples.test_network_examples import connect, read_all, serving
from tests.interpreters import Python

pytest.importorskip("h11")

BIG = os.urandom(3_000_000)


@pytest.fixture
def site(full: Python, tmp_path: Path) -> Iterator[int]:
    folder = tmp_path / "site"
    (folder / "sub").mkdir(parents=True)
    (folder / "hello.txt").write_text("hello, world\n")
    (folder / "empty").write_bytes(b"")
    (folder / "big file.bin").write_bytes(BIG)
    (folder / "sub" / "index.html").write_text("<p>index")
    (tmp_path / "secret").write_text("secret")
    (folder / "link").symlink_to(tmp_path / "secret")
    with serving(full, "-W", "error", str(EXAMPLES / "static_files.py"), str(folder)) as port:
        yield port


# Asked for before the server: a test that is skipped starts none.
@pytest.fixture
def curl_program(client: Callable[[str], str]) -> str:
    return client("curl")


@pytest.fixture
def curl(curl_program: str, site: int) -> Callable[..., bytes]:
    def run(path: str, *options: str, count: int = 1) -> bytes:
        urls = [f"http://127.0.0.1:{site}{path}"] * count
        command = [curl_program, "-sS", "--max-time", "60", "--path-as-is", *options, *urls]
        return subprocess.run(command, capture_output=True, timeout=90, check=True).stdout

    return run


STATUS = ("-o", "/dev/null", "-w", "%{http_code}")


def test_files(curl: Callable[..., bytes]) -> None:
    assert curl("/hello.txt") == b"hello, world\n"
    assert curl("/empty") == b""
    assert curl("/sub/") == curl("/sub") == curl("/sub/index.html?query") == b"<p>index"
    assert curl("/big%20file.bin") == BIG
    assert curl("/sub/", *STATUS[:2], "-w", "%{content_type} %{http_version}") == b"text/html 1.1"


def test_a_connection_is_kept(curl: Callable[..., bytes]) -> None:
    assert curl("/hello.txt", "-w", "[%{num_connects}]", count=3) == (
        b"hello, world\n[1]hello, world\n[0]hello, world\n[0]"
    )
    assert curl("/big%20file.bin", "-w", "[%{num_connects}]", count=2) == BIG + b"[1]" + BIG + b"[0]"
    assert curl("/hello.txt", "-w", "[%{num_connects}]", "-H", "Connection: close", count=2) == (
        b"hello, world\n[1]hello, world\n[1]"
    )
    assert curl("/hello.txt", "--http1.0") == b"hello, world\n"
    assert curl("/nothing", "-w", "[%{http_code} %{num_connects}]", count=2) == (
        b"404 Not Found\n[404 1]404 Not Found\n[404 0]"
    )


def test_heads(curl: Callable[..., bytes]) -> None:
    head = curl("/hello.txt", "-I", "-w", "%{num_connects}", count=2).decode()
    assert head.count("HTTP/1.1 200 OK") == 2
    assert head.lower().count("content-length: 13") == 2
    assert "hello" not in head
    assert curl("/nothing", "-I").startswith(b"HTTP/1.1 404 Not Found")


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ("0-99", b"206", BIG[:100]),
        ("1000-", b"206", BIG[1000:]),
        ("2999990-9999999", b"206", BIG[2_999_990:]),
        ("100-50", b"200", BIG),
        ("-5,7-8", b"200", BIG),
    ],
)
def test_parts(curl: Callable[..., bytes], asked: str, status: bytes, part: bytes) -> None:
    assert curl("/big%20file.bin", "-r", asked, "-w", "%{http_code}") == part + status


def test_what_is_refused(curl: Callable[..., bytes]) -> None:
    for path, status in {
        "/nothing": b"404",
        "/../secret": b"404",
        "/%2e%2e/secret": b"404",
        "/sub/../../secret": b"404",
        "//etc/passwd": b"404",
        "/link": b"404",
        "/hello.txt/more": b"404",
        "/a%00b": b"400",
    }.items():
        assert curl(path, *STATUS) == status, path
    assert curl("/hello.txt", *STATUS, "-X", "DELETE") == b"405"
    assert curl("/hello.txt", *STATUS, "-d", "form=1") == b"405"
    assert b"\r\nallow: get, head\r\n" in curl("/hello.txt", "-i", "-X", "PUT").lower()


def test_what_is_no_http(site: int) -> None:
    with connect(site) as talker:
        talker.sendall(b"this is not http\r\n\r\n")
        answer = read_all(talker)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"connection: close" in answer.lower()


def test_requests_that_come_together_are_answered_in_turn(site: int) -> None:
    request = b"GET /%b HTTP/1.1\r\nHost: x\r\n%b\r\n"
    names = [b"hello.txt", b"big%20file.bin", b"nothing", b"hello.txt"]
    with connect(site) as talker:
        talker.sendall(b"".join(request % (name, b"") for name in names))
        talker.sendall(request % (b"empty", b"Connection: close\r\n"))
        answer = read_all(talker)
    assert answer.count(b"HTTP/1.1 ") == 5
    assert BIG in answer
    assert answer.index(b"hello, world") < answer.index(BIG) < answer.index(b"404 Not Found\n")


def test_thousands_of_requests_at_once(site: int) -> None:
    with connect(site) as talker:
        talker.sendall(b"HEAD /nothing HTTP/1.1\r\nHost: x\r\n\r\n" * 3000)
        talker.sendall(b"GET /hello.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = read_all(talker)
    assert answer.count(b"HTTP/1.1 404 ") == 3000
    assert answer.endswith(b"hello, world\n")


def test_a_client_that_goes_away_in_the_middle(curl: Callable[..., bytes], site: int) -> None:
    for _ in range(3):
        with connect(site) as talker:
            talker.sendall(b"GET /big%20file.bin HTTP/1.1\r\nHost: x\r\n\r\n")
            assert talker.recv(100)
    assert curl("/hello.txt") == b"hello, world\n"
