"""The examples that serve datagrams, with real clients at the other end."""

import re
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Iterator

import pytest
from tests.examples.test_examples import EXAMPLES
from tests.examples.test_network_examples import HOST, serving
from tests.interpreters import Python, needs_twisted

LINE = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"


@pytest.fixture
def client() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.settimeout(20)
        yield made


@pytest.fixture
def time_server(bare: Python, client: socket.socket) -> Iterator[int]:
    with serving(bare, str(EXAMPLES / "udp_time_server.py")) as port:
        client.connect((HOST, port))
        yield port


def ask(client: socket.socket, question: bytes) -> bytes:
    client.send(question)
    return client.recv(100)


def test_the_time_in_four_bytes(time_server: int, client: socket.socket) -> None:
    (seconds,) = struct.unpack("!I", ask(client, b""))
    assert abs(seconds - 2_208_988_800 - time.time()) < 30


@pytest.mark.parametrize(("zone", "shown"), [(b"0\n", "+0000"), (b"+2", "+0200"), (b"-5.5", "-0530")])
def test_the_time_in_a_zone(time_server: int, client: socket.socket, zone: bytes, shown: str) -> None:
    assert re.fullmatch(rf"{LINE}{re.escape(shown)}\n", ask(client, zone).decode())


def test_what_is_not_understood_is_not_answered_and_the_next_is(time_server: int, client: socket.socket) -> None:
    for nonsense in (b"noon", b"\xff\xfe", b"nan", b"1e9", b"99", b"x" * 1000):
        client.send(nonsense)
    assert ask(client, b"0").endswith(b"+0000\n")


def test_nobody_is_answered_without_end(time_server: int, client: socket.socket) -> None:
    for _ in range(200):
        client.send(b"0")
    client.settimeout(0.5)
    answers = 0
    with pytest.raises(TimeoutError):
        while answers < 200:
            answers += client.recv(100).count(b"\n")
    assert 0 < answers < 100


@pytest.mark.skipif(shutil.which("socat") is None, reason="needs socat")
def test_socat_asks_for_the_time(time_server: int) -> None:
    command = ["socat", "-t", "5", "-,ignoreeof", f"UDP:{HOST}:{time_server}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as asked:
        assert asked.stdin is not None and asked.stdout is not None
        asked.stdin.write(b"+1\n")
        asked.stdin.flush()
        assert re.fullmatch(rf"{LINE}\+0100\n", asked.stdout.readline().decode())
        asked.kill()


@pytest.mark.skipif(shutil.which("nc") is None, reason="needs netcat")
def test_netcat_asks_for_the_time(time_server: int) -> None:
    with subprocess.Popen(["nc", "-u", HOST, str(time_server)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as asked:
        assert asked.stdin is not None and asked.stdout is not None
        asked.stdin.write(b"+1\n")
        asked.stdin.flush()
        assert re.fullmatch(rf"{LINE}\+0100\n", asked.stdout.readline().decode())
        asked.kill()


@pytest.mark.parametrize("way", ["bare", pytest.param("full", marks=needs_twisted)])
def test_the_unmodified_echo_server(way: str, request: pytest.FixtureRequest, client: socket.socket) -> None:
    program = str(EXAMPLES / "unmodified" / "udp_echo_server.py")
    with serving(request.getfixturevalue(way), "-m", "torsion", "run", program) as port:
        client.connect((HOST, port))
        for said in (b"one", b"", b"x" * 8192):
            assert ask_whole(client, said) == said


def ask_whole(client: socket.socket, said: bytes) -> bytes:
    client.send(said)
    return client.recv(1 << 16)
