"""Twisted's own senders and local sockets on our streams and reactors: statements 100 and 103."""

import textwrap
from pathlib import Path

import pytest
from tests.interpreters import Python, needs_twisted

pytestmark = needs_twisted

SENDER = """
import io, socket
from twisted.internet import reactor
from twisted.internet.protocol import Factory, Protocol
from twisted.protocols.basic import FileSender

made, lost, results = [], [], []

class Sending(Protocol):
    def connectionMade(self):
        made.append(self)
    def connectionLost(self, reason):
        lost.append(reason)

factory = Factory.forProtocol(Sending)
port = reactor.listenTCP(0, factory, interface="127.0.0.1")
peer = socket.create_connection(("127.0.0.1", port.getHost().port), timeout=10)
peer.setblocking(False)
for _ in range(1000):
    if made: break
    reactor.iterate(0.01)
(protocol,) = made
got = bytearray()

def turn(happened):
    for _ in range(100000):
        if happened(): return
        reactor.iterate(0.01)
        try:
            got.extend(peer.recv(65536))
        except BlockingIOError:
            pass
    raise AssertionError("this has not happened")

def finish():
    peer.close()
    port.stopListening()
    for _ in range(3):
        reactor.iterate(0)
"""

LOCAL = """
import socket, warnings
from twisted.internet import error, reactor
from twisted.internet.protocol import ClientFactory, Factory, Protocol

class Client(ClientFactory):
    protocol = Protocol
    def __init__(self):
        self.reasons = []
    def clientConnectionFailed(self, connector, reason):
        self.reasons.append(reason.value)

def reason_of(path, **arguments):
    client = Client()
    reactor.connectUNIX(path, client, **arguments)
    for _ in range(1000):
        if client.reasons: break
        reactor.iterate(0.01)
    (reason,) = client.reasons
    return reason
"""


def check(full: Python, folder: Path, begin: str, program: str) -> None:
    full.check(begin + textwrap.dedent(program), cwd=folder)


@pytest.mark.parametrize("size", [1, 1_000_000])
def test_s100_a_sender_of_a_file_tells_the_last_byte_that_it_sent(full: Python, tmp_path: Path, size: int) -> None:
    check(
        full,
        tmp_path,
        SENDER,
        f"""
        text = bytes(number % 251 for number in range({size}))
        FileSender().beginFileTransfer(io.BytesIO(text), protocol.transport).addBoth(results.append)
        turn(lambda: results and len(got) == len(text))
        assert results == [text[-1:]], results
        assert got == text
        assert not lost
        finish()
        """,
    )


def test_s100_a_sender_whose_consumer_stops_it_fails(full: Python, tmp_path: Path) -> None:
    check(
        full,
        tmp_path,
        SENDER,
        """
        sender = FileSender()
        sender.beginFileTransfer(io.BytesIO(b"x" * 50_000_000), protocol.transport).addBoth(results.append)
        assert not results
        protocol.transport.abortConnection()
        for _ in range(1000):
            if lost: break
            reactor.iterate(0.01)
        (failure,) = results
        assert type(failure.value) is Exception, failure
        finish()
        """,
    )


def test_s103_a_local_socket_that_is_not_there_fails_the_connection(full: Python, tmp_path: Path) -> None:
    check(
        full,
        tmp_path,
        LOCAL,
        """
        reason = reason_of("missing")
        assert isinstance(reason, error.ConnectError), reason
        assert not isinstance(reason, error.BadFileError), reason
        """,
    )


def test_s103_a_local_socket_without_the_lock_that_was_asked_for_is_a_bad_file(full: Python, tmp_path: Path) -> None:
    check(
        full,
        tmp_path,
        LOCAL,
        """
        for path in ("missing", "unlocked"):
            if path == "unlocked":
                listening = socket.socket(socket.AF_UNIX)
                listening.bind(path)
                listening.listen()
            assert type(reason_of(path, checkPID=True)) is error.BadFileError
        listening.close()
        """,
    )


def test_s103_a_local_socket_left_over_cannot_be_listened_on(full: Python, tmp_path: Path) -> None:
    check(
        full,
        tmp_path,
        LOCAL,
        """
        with socket.socket(socket.AF_UNIX) as left:
            left.bind("stale")
        warnings.simplefilter("ignore", ResourceWarning)  # Twisted leaves its socket to the collector
        try:
            reactor.listenUNIX("stale", Factory.forProtocol(Protocol))
        except error.CannotListenError:
            pass
        else:
            raise AssertionError("it listens")
        """,
    )
