"""The network benchmark still runs, and its load counts and checks what it should. Figures are not judged here."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.examples.test_network_examples import peer
from tests.interpreters import Python, needs_twisted

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")

pytestmark = pytest.mark.skipif(COMPILER is None or sys.platform != "linux", reason="needs a C compiler, and Linux")


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> str:
    program = tmp_path_factory.mktemp("load") / "load"
    assert COMPILER is not None
    warnings = ["-Wall", "-Wextra", "-Werror"]
    subprocess.run([COMPILER, "-O2", *warnings, "-o", str(program), str(BENCHMARKS / "load.c")], check=True)
    return str(program)


def run_load(load: str, kind: str, port: int, **numbers: int) -> subprocess.CompletedProcess[str]:
    # any process that rests does for its clock; here nobody looks at the figure
    with subprocess.Popen(["sleep", "60"]) as resting:
        numbers |= {"port": port, "pid": resting.pid}
        command = [load, kind, *(f"{name}={value}" for name, value in numbers.items())]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
        resting.kill()
    return done


def echo(connection: socket.socket) -> None:
    while piece := connection.recv(1 << 16):
        connection.sendall(piece)


@pytest.mark.parametrize("together", [0, 1])
def test_every_message_is_echoed_and_counted(load: str, together: int) -> None:
    with peer(echo) as port:
        done = run_load(load, "echo", port, connections=3, size=100_000, flight=4, messages=50, together=together)
    assert (done.returncode, done.stderr) == (0, "")
    figures = json.loads(done.stdout)
    assert (figures["messages"], figures["bytes"]) == (50, 5_000_000)


def test_a_load_for_a_time(load: str) -> None:
    with peer(echo) as port:
        done = run_load(load, "echo", port, connections=2, seconds=1)
    figures = json.loads(done.stdout)
    assert figures["messages"] > 10
    assert 1 <= figures["seconds"] < 10


def test_a_paced_load_sends_when_messages_are_due_and_no_sooner(load: str) -> None:
    with peer(echo) as port:
        done = run_load(load, "paced", port, connections=3, size=1000, rate=50, messages=60)
    assert (done.returncode, done.stderr) == (0, "")
    figures = json.loads(done.stdout)
    assert figures["messages"] == 60
    assert figures["seconds"] >= 59 / 150  # the last one is due then
    assert 0 < figures["p50"] <= figures["p99"] <= figures["p99.9"] < 10


def test_a_paced_load_counts_how_long_a_message_has_waited_since_it_was_due(load: str) -> None:
    def sluggish(connection: socket.socket) -> None:
        connection.sendall(connection.recv(1))  # the one that is not counted
        waiting = b""
        while len(waiting) < 19:
            waiting += connection.recv(19)
        connection.sendall(waiting)
        connection.recv(1)

    with peer(sluggish) as port:
        done = run_load(load, "paced", port, connections=1, size=1, rate=100, messages=19)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["p50"] >= 0.09  # the tenth waits for nine more, each due a hundredth later


@contextlib.contextmanager
def datagram_peer(answer: Callable[[bytes], bytes]) -> Iterator[int]:
    """The port of a UDP server of the standard library; an empty datagram ends it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as served:
        served.bind(("127.0.0.1", 0))

        def serve() -> None:
            data, sender = served.recvfrom(1 << 16)
            while data:
                served.sendto(answer(data), sender)
                data, sender = served.recvfrom(1 << 16)

        serving = threading.Thread(target=serve)
        serving.start()
        try:
            yield served.getsockname()[1]
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(b"", served.getsockname())
            serving.join(10)


def test_every_datagram_is_echoed_and_counted(load: str) -> None:
    with datagram_peer(bytes) as port:
        done = run_load(load, "udp", port, connections=3, size=1000, flight=4, messages=50)
    assert (done.returncode, done.stderr) == (0, "")
    figures = json.loads(done.stdout)
    assert (figures["messages"], figures["bytes"]) == (50, 50_000)


def test_a_wrong_datagram_ends_the_load(load: str) -> None:
    for answer in (bytes.upper, lambda data: data + b"x"):
        with datagram_peer(answer) as port:
            done = run_load(load, "udp", port, connections=1, size=10, messages=5)
        assert done.returncode == 1
        assert "another datagram came back" in done.stderr


def test_answers_of_a_web_server_are_counted_by_their_length(load: str) -> None:
    def serve(connection: socket.socket) -> None:
        asked = b""
        while piece := connection.recv(1 << 16):
            asked += piece
            *whole, asked = asked.split(b"\r\n\r\n")
            connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n" * len(whole))

    with peer(serve) as port:
        done = run_load(load, "http", port, connections=3, reply=27, messages=50)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["messages"] == 50


def test_a_longer_answer_of_a_web_server_ends_the_load(load: str) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(1 << 16)
        connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    with peer(serve) as port:
        done = run_load(load, "http", port, connections=1, reply=20, messages=5)
    assert done.returncode == 1
    assert "more came back than was asked for" in done.stderr


def test_a_storm_counts_its_connections(load: str) -> None:
    with peer(echo) as port:
        done = run_load(load, "storm", port, connections=25, burst=10)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["connections"] == 25


def test_a_wrong_answer_ends_the_load(load: str) -> None:
    def shout(connection: socket.socket) -> None:
        connection.sendall(connection.recv(1 << 16).upper())

    def hang_up(connection: socket.socket) -> None:
        connection.recv(1 << 16)

    for serve, complaint in ((shout, "other bytes came back"), (hang_up, "the server ended a connection")):
        with peer(serve) as port:
            done = run_load(load, "echo", port, connections=1, messages=5)
        assert done.returncode == 1
        assert complaint in done.stderr


def test_the_benchmark_prints_its_table(full: Python) -> None:
    rows = ["echo_100_x_64_B", "udp_echo_100_x_64_B", "accept", "memory_of_an_idle_connection"]
    arguments = ["--rounds", "1", "--scale", "0.01", "--only", *rows, "--peers", "asyncio"]
    environment = {name: value for name, value in full.environment.items() if name != "TORSION_PURE"}
    pure = ["--pure"] if "TORSION_PURE" in os.environ else []
    done = full.run(str(BENCHMARKS / "network.py"), *arguments, *pure, env=environment, timeout=50)
    assert (done.returncode, done.stderr) == (0, "")
    for row in rows:
        assert f"| {row.replace('_', ' ')} |" in done.stdout


@needs_twisted
def test_the_benchmark_asks_twisteds_web_server(full: Python) -> None:
    arguments = ["--rounds", "1", "--scale", "0.01", "--only", "web_hello_50_connections", "--peers", "twisted"]
    done = full.run(str(BENCHMARKS / "network.py"), *arguments, timeout=50)
    assert (done.returncode, done.stderr) == (0, "")
    assert "| web hello 50 connections |" in done.stdout


def test_a_fixed_rate_is_offered(full: Python) -> None:
    arguments = ["--rounds", "1", "--seconds", "0.2", "--rates", "500", "--connections", "10", "--peers", "C"]
    done = full.run(str(BENCHMARKS / "offered.py"), *arguments, timeout=50)
    assert (done.returncode, done.stderr) == (0, "")
    assert "| 500 | torsion |" in done.stdout
    assert "| 500 | C |" in done.stdout


@needs_twisted
def test_the_curves_are_measured(full: Python) -> None:
    arguments = ["--rounds", "1", "--most", "10", "--only", "echo", "timer_fire", "chain_link"]
    done = full.run(str(BENCHMARKS / "curves.py"), *arguments, timeout=100)
    assert (done.returncode, done.stderr) == (0, "")
    for head in ("echo: connections", "timer fire: timers", "chain link: links"):
        assert f"| {head} | 1 | 10 |" in done.stdout
    assert done.stdout.count("| torsion |") == 3
