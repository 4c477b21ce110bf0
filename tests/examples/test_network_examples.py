"""The examples that serve, with real clients at the other end: sockets of the standard library."""

import contextlib
import json
import os
import re
import signal
import socket
import threading
import urllib.request
from collections.abc import Callable, Iterator
from importlib.util import find_spec

import pytest
from tests.examples.test_examples import EXAMPLES, Program
from tests.interpreters import Python, needs_twisted

HOST = "127.0.0.1"


@contextlib.contextmanager
def serving(python: Python, *arguments: str) -> Iterator[int]:
    """The port of a server that runs meanwhile. Told to, it must end well, with nothing to complain of."""
    program = Program(python, *arguments)
    try:
        assert program.process.stdout is not None
        listening = re.fullmatch(rf"listening on {HOST}:(\d+)\n", program.process.stdout.readline())
        assert listening, program.process.communicate(timeout=10)
        yield int(listening[1])
        program.process.send_signal(signal.SIGTERM)
        program.check(r"(no way to .*\n)?")
    finally:
        program.process.kill()
        program.process.communicate()


@contextlib.contextmanager
def peer(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """The port of a server of the standard library: each connection is served by a thread."""
    with socket.create_server((HOST, 0)) as listener:

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=serve_one, args=(connection,), daemon=True).start()

        def serve_one(connection: socket.socket) -> None:
            with connection:
                connection.settimeout(20)
                serve(connection)

        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join(10)


def connect(port: int) -> socket.socket:
    return socket.create_connection((HOST, port), timeout=20)


def read_all(connection: socket.socket) -> bytes:
    pieces = []
    while piece := connection.recv(1 << 16):
        pieces.append(piece)
    return b"".join(pieces)


def read_exactly(connection: socket.socket, count: int) -> bytes:
    received = bytearray()
    while len(received) < count:
        piece = connection.recv(count - len(received))
        assert piece, f"the connection ended after {len(received)} of {count} bytes"
        received += piece
    return bytes(received)


def echo(connection: socket.socket) -> None:
    while piece := connection.recv(1 << 16):
        connection.sendall(piece)


def turn_around(connection: socket.socket) -> None:
    """Answers only when everything has been said."""
    connection.sendall(read_all(connection)[::-1])


def check_echo(port: int) -> None:
    clients = [connect(port) for _ in range(50)]
    said = [os.urandom(50_000) for _ in clients]
    for client, words in zip(clients, said, strict=True):
        client.sendall(words)
    for client, words in zip(clients, said, strict=True):
        assert read_exactly(client, len(words)) == words
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""
        client.close()


def test_echo_server(bare: Python) -> None:
    with serving(bare, str(EXAMPLES / "echo_server.py")) as port:
        check_echo(port)


@pytest.mark.parametrize("way", ["bare", pytest.param("full", marks=needs_twisted)])
def test_the_unmodified_echo_server(way: str, request: pytest.FixtureRequest) -> None:
    program = str(EXAMPLES / "unmodified" / "echo_server.py")
    with serving(request.getfixturevalue(way), "-m", "torsion", "run", program) as port:
        check_echo(port)


@needs_twisted
def test_the_unmodified_web_server(full: Python) -> None:
    program = str(EXAMPLES / "unmodified" / "web_hello.py")
    with (
        serving(full, "-m", "torsion", "run", program) as port,
        urllib.request.urlopen(f"http://{HOST}:{port}/", timeout=20) as answer,
    ):
        assert (answer.status, answer.read()) == (200, b"Hello, world!\n")


def test_echo_client(bare: Python) -> None:
    with peer(echo) as port:
        asked = Program(bare, str(EXAMPLES / "echo_client.py"), str(port), "one", "and two")
        asked.check("one\nand two\nConnection was closed cleanly: Connection done.\n")


def test_echo_client_without_a_server(bare: Python) -> None:
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
    done = bare.run(str(EXAMPLES / "echo_client.py"), str(port), "one")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "ConnectionRefusedError" in done.stderr


class Guest:
    """Somebody who chats, with a socket of the standard library."""

    def __init__(self, port: int) -> None:
        self.connection = connect(port)
        self.lines = self.connection.makefile("rb")
        self.hears("Who are you?")

    def says(self, *lines: str) -> None:
        self.connection.sendall("".join(line + "\n" for line in lines).encode())

    def hears(self, *lines: str) -> None:
        assert [self.lines.readline().decode() for _ in lines] == [line + "\n" for line in lines]

    def leaves(self) -> None:
        self.lines.close()
        self.connection.close()


@pytest.fixture
def chat(bare: Python) -> Iterator[int]:
    with serving(bare, str(EXAMPLES / "chat_server.py")) as port:
        yield port


def test_chat_server(chat: int) -> None:
    ada, bob, cyd = Guest(chat), Guest(chat), Guest(chat)
    ada.says("Ada")
    ada.hears("Here: nobody")
    bob.says("Ada")
    bob.hears("Another name, please")
    bob.says("Bob", "Hello", "It is me")  # lines that come in one piece
    bob.hears("Here: Ada")
    ada.hears("Bob comes in", "Bob: Hello", "Bob: It is me")
    for piece in ("Cy", "d", "\r\n", "Hi a", "ll\n"):  # a line that comes in pieces
        cyd.connection.sendall(piece.encode())
    cyd.hears("Here: Ada, Bob")
    for guest in (ada, bob):
        guest.hears("Cyd comes in", "Cyd: Hi all")
    ada.leaves()
    for guest in (bob, cyd):
        guest.hears("Ada is gone")
        guest.leaves()


def test_chat_server_drops_who_never_reads(chat: int) -> None:
    deaf, talker, listener = Guest(chat), Guest(chat), Guest(chat)
    for guest, name in ((deaf, "Deaf"), (talker, "Talker"), (listener, "Listener")):
        guest.says(name)
        guest.lines.readline()
    line = b""
    while line != b"Deaf is gone\n":
        talker.says("bla " * 2_000)
        line = listener.lines.readline()  # before the next is said: who does read is not to be the slow one
        assert line
    for guest in (deaf, talker, listener):
        guest.leaves()


def test_chat_server_drops_an_endless_line(chat: int) -> None:
    guest = Guest(chat)
    with pytest.raises(ConnectionError):
        for _ in range(100):
            guest.connection.sendall(b"x" * 10_000)
        read_all(guest.connection)
    guest.leaves()


@contextlib.contextmanager
def forwarding(python: Python, target: int) -> Iterator[int]:
    with serving(python, str(EXAMPLES / "port_forwarder.py"), str(target)) as port:
        yield port


def test_port_forwarder(bare: Python) -> None:
    with peer(echo) as target, forwarding(bare, target) as port:
        check_echo(port)


def test_port_forwarder_passes_on_the_end_of_one_direction(bare: Python) -> None:
    said = os.urandom(3_000_000)
    with peer(turn_around) as target, forwarding(bare, target) as port, connect(port) as client:
        client.sendall(said)
        client.shutdown(socket.SHUT_WR)
        assert read_all(client) == said[::-1]


def test_port_forwarder_without_a_target(bare: Python) -> None:
    with socket.create_server((HOST, 0)) as listener:
        target = listener.getsockname()[1]
    # A reset may come before connect has returned.
    with forwarding(bare, target) as port, contextlib.suppress(ConnectionResetError), connect(port) as client:
        assert client.recv(1) == b""


def test_port_forwarder_holds_little_while_the_target_does_not_read(bare: Python) -> None:
    may_read = threading.Event()
    arrived = []

    def read_later(connection: socket.socket) -> None:
        may_read.wait(30)
        arrived.append(len(read_all(connection)))
        connection.sendall(b"thank you")

    much = 200_000_000
    with peer(read_later) as target, forwarding(bare, target) as port, connect(port) as client:
        sent = 0
        piece = bytes(1 << 20)
        client.settimeout(1)
        with pytest.raises(TimeoutError):  # the kernel's buffers are full, and the forwarder does not read on
            while sent < much:
                sent += client.send(piece)
        may_read.set()
        client.shutdown(socket.SHUT_WR)
        client.settimeout(20)
        assert read_all(client) == b"thank you"
        assert arrived == [sent]


def test_the_crowd_of_the_demonstration(bare: Python) -> None:
    with serving(bare, str(EXAMPLES / "echo_server.py")) as port:
        done = bare.run("-W", "error", str(EXAMPLES / "crowd.py"), str(port), "100", "20")
    assert (done.returncode, done.stderr) == (0, "")
    did = json.loads(done.stdout)
    assert (did["connections"], did["messages"], did["bytes"]) == (100, 2_000, 128_000)
    assert sum(did["clients"].values()) == 100
    assert did["clients"]["sockets"] >= 50


def test_the_crowd_notices_an_answer_that_is_not_an_echo(bare: Python) -> None:
    def shout(connection: socket.socket) -> None:
        with contextlib.suppress(ConnectionError):  # the crowd has run away
            while piece := connection.recv(1 << 16):
                connection.sendall(piece.upper())

    with peer(shout) as port:
        done = bare.run(str(EXAMPLES / "crowd.py"), str(port), "8", "1")
    assert done.returncode == 1
    assert "and heard b'" in done.stderr


@pytest.mark.skipif(find_spec("distributed") is None, reason="Dask is not installed here")
def test_the_word_count_on_a_cluster(full: Python) -> None:
    text = b"the quick brown fox jumps over the lazy dog\n" * 5000 + b"and the END"
    # What the cluster's own code warns of is its affair.
    with serving(full, "-W", "default", str(EXAMPLES / "dask_word_count.py")) as port:
        with connect(port) as gone:  # hangs up in the middle
            gone.sendall(text[: len(text) // 2])
        answers = []
        for said in (text, b"", b"once upon\na time\n"):
            with connect(port) as client:
                client.sendall(said)
                client.shutdown(socket.SHUT_WR)
                answers.append(read_all(client).decode().splitlines())
        assert answers[0][:2] == ["10001 the", "5000 brown"]
        assert answers[0][-1] == "1 end"
        assert answers[1:] == [[], ["1 a", "1 once", "1 time", "1 upon"]]
