"""FileSender (statement 100): to a consumer in memory, and through real sockets, by the kernel where that can be."""

import io
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.contract.parts import Reports
from tests.contract.streams import ByContract, Makers, Net, Recorder, net

from torsion.contract import Reactor
from torsion.net.stream import Stream
from torsion.protocols.basic import FileSender


class Consumer:
    """Asks for more as long as a test says so."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.producer: Any = None

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        assert not streaming
        self.producer = producer

    def unregisterProducer(self) -> None:
        self.producer = None

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def drain(self) -> bytes:
        while self.producer is not None:
            self.producer.resumeProducing()
        return b"".join(self.written)


def sent_whole(content: bytes, transform: Any = None) -> tuple[bytes, Any]:
    consumer, results = Consumer(), []
    FileSender().beginFileTransfer(io.BytesIO(content), consumer, transform).addBoth(results.append)
    return consumer.drain(), results.pop()


def test_s100_the_result_is_the_last_byte_sent() -> None:
    content = os.urandom(40_000) + b"!"
    assert sent_whole(content) == (content, b"!")
    assert sent_whole(b"") == (b"", "")


def test_s100_the_last_byte_is_that_of_what_was_made_of_it() -> None:
    assert sent_whole(b"abc", lambda data: data.upper() + b".") == (b"ABC.", b".")


def test_s100_a_consumer_that_stops_it_fails_it() -> None:
    consumer, failures = Consumer(), []
    sender = FileSender()
    sender.beginFileTransfer(io.BytesIO(b"x" * 100_000), consumer).addErrback(failures.append)
    consumer.producer.resumeProducing()
    consumer.producer.pauseProducing()
    consumer.producer.stopProducing()
    consumer.producer.stopProducing()
    (failure,) = failures
    assert failure.type is Exception
    assert b"".join(consumer.written) == b"x" * sender.CHUNK_SIZE
    assert sender.lastSent == b"x"


def test_an_error_of_the_file_is_raised_to_the_consumer() -> None:
    class Broken(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise OSError("no disk")

    consumer = Consumer()
    FileSender().beginFileTransfer(Broken(), consumer)
    with pytest.raises(OSError, match="no disk"):
        consumer.producer.resumeProducing()


# Through sockets


@pytest.fixture(params=[Reactor, ByContract], ids=["native", "contract"])
def here(request: pytest.FixtureRequest, reports: Reports) -> Iterator[Net]:
    with net(request.param) as made:
        yield made


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes the kernel was had to send, call by call."""
    calls: list[int] = []
    sendfile = os.sendfile

    def counted(*arguments: int) -> int:
        sent = sendfile(*arguments)
        calls.append(sent)
        return sent

    monkeypatch.setattr(os, "sendfile", counted)
    return calls


def file_of(folder: Path, size: int) -> tuple[Path, bytes]:
    content = os.urandom(size)
    path = folder / "file"
    path.write_bytes(content)
    return path, content


def read_fast(here: Net, peer: socket.socket, size: int) -> bytes:
    """What the peer receives: in each turn all that there is."""
    peer.setblocking(False)
    got = bytearray()

    def more() -> bool:
        try:
            while len(got) < size:
                got.extend(peer.recv(1 << 20))
        except BlockingIOError:
            return False
        return True

    here.until(more)
    return bytes(got)


@pytest.mark.parametrize("size", [0, 1, 16_384, 16_385, 100_000, 3_000_000])
@pytest.mark.parametrize("buffering", [-1, 0])
def test_a_file_goes_between_what_is_written_before_and_after(
    here: Net, tmp_path: Path, size: int, buffering: int
) -> None:
    path, content = file_of(tmp_path, size)
    protocol, peer = here.accept(Recorder())
    with open(path, "rb", buffering=buffering) as file:
        results: list[Any] = []
        protocol.transport.write(b"head ")
        done = FileSender().beginFileTransfer(file, protocol.transport)
        done.addCallback(lambda last: (results.append(last), protocol.transport.write(b" tail")))
        expected = b"head " + content + b" tail"
        assert here.read(peer, len(expected)) == expected
        assert results == [content[-1:] or ""]
        assert file.tell() == size


def test_the_kernel_sends_what_it_can(tmp_path: Path, reports: Reports, kernel: list[int]) -> None:
    path, content = file_of(tmp_path, 1_000_000)
    with net(Reactor) as here, open(path, "rb") as file:
        protocol, peer = here.accept(Recorder())
        file.seek(1000)
        FileSender().beginFileTransfer(file, protocol.transport)
        assert here.read(peer, len(content) - 1000) == content[1000:]
        assert sum(kernel) == len(content) - 1000 - FileSender.CHUNK_SIZE


def test_the_kernel_sends_through_a_unix_socket(tmp_path: Path, reports: Reports, kernel: list[int]) -> None:
    path, content = file_of(tmp_path, 1_000_000)
    with net(Reactor) as here, open(path, "rb") as file:
        protocol = Recorder()
        port = here.reactor.listenUNIX(str(tmp_path / "socket"), Makers(protocol))
        peer = here.opened(socket.socket(socket.AF_UNIX))
        peer.connect(str(tmp_path / "socket"))
        here.until(lambda: protocol.told)
        FileSender().beginFileTransfer(file, protocol.transport)
        assert read_fast(here, peer, len(content)) == content
        assert sum(kernel) == len(content) - FileSender.CHUNK_SIZE
        port.stopListening()
        here.turns()


class Counting(io.FileIO):
    """A file that is more than the one of the disk."""


@pytest.mark.parametrize("why", ["transform", "memory", "subclass", "write replaced", "contract", "pipe"])
def test_what_the_kernel_cannot_send_is_read_and_written(
    tmp_path: Path, reports: Reports, kernel: list[int], why: str
) -> None:
    path, content = file_of(tmp_path, 60_000)
    with net(ByContract if why == "contract" else Reactor) as here:
        protocol, peer = here.accept(Recorder())
        file: Any = {"memory": lambda: io.BytesIO(content), "subclass": lambda: Counting(path)}.get(
            why,
            lambda: open(path, "rb"),  # noqa: SIM115 - closed below
        )()
        if why == "pipe":
            file.close()
            receiving, sending = os.pipe()
            os.write(sending, content)
            os.close(sending)
            file = os.fdopen(receiving, "rb")
        if why == "write replaced":
            write = protocol.transport.write
            protocol.transport.write = lambda data: write(data)
        transform = bytes if why == "transform" else None
        FileSender().beginFileTransfer(file, protocol.transport, transform)
        assert here.read(peer, len(content)) == content
        file.close()
    assert kernel == []


def test_a_slow_reader_is_waited_for(here: Net, tmp_path: Path) -> None:
    path, content = file_of(tmp_path, 30_000_000)  # more than the buffers on the way hold
    protocol, peer = here.accept(Recorder())
    with open(path, "rb") as file:
        results: list[Any] = []
        FileSender().beginFileTransfer(file, protocol.transport).addBoth(results.append)
        here.turns(200)
        assert results == []
        assert file.tell() < len(content)
        assert read_fast(here, peer, len(content)) == content
        here.until(lambda: results)
        assert results == [content[-1:]]


def test_closing_waits_for_the_file(here: Net, tmp_path: Path) -> None:
    path, content = file_of(tmp_path, 2_000_000)
    protocol, peer = here.accept(Recorder())
    with open(path, "rb") as file:
        FileSender().beginFileTransfer(file, protocol.transport)
        protocol.transport.loseConnection()
        assert here.read(peer, len(content) + 1) == content
        here.until(lambda: "lost" in protocol.told)


def test_s100_a_peer_that_goes_away_fails_it(here: Net, tmp_path: Path) -> None:
    path, _ = file_of(tmp_path, 5_000_000)
    protocol, peer = here.accept(Recorder())
    with open(path, "rb") as file:
        failures: list[Any] = []
        FileSender().beginFileTransfer(file, protocol.transport).addErrback(failures.append)
        here.turns(20)
        peer.close()
        here.until(lambda: failures)
        assert failures[0].type is Exception
        assert protocol.told == ["made", "lost"]


def test_a_file_that_shrinks_meanwhile_ends_there(here: Net, tmp_path: Path) -> None:
    path, content = file_of(tmp_path, 5_000_000)
    protocol, peer = here.accept(Recorder())
    with open(path, "rb", buffering=0) as file:
        results: list[Any] = []
        FileSender().beginFileTransfer(file, protocol.transport).addBoth(results.append)
        here.turns(20)
        os.truncate(path, 1_000)
        protocol.transport.loseConnection()
        got = here.read(peer, len(content))
        here.until(lambda: results)
        assert got[:1_000] == content[:1_000]  # of the rest, the kernel may have sent what was there when it went out
        assert len(got) < len(content)


def test_files_leave_nothing_behind(tmp_path: Path, reports: Reports, no_leaks: Any) -> None:
    path, content = file_of(tmp_path, 200_000)

    with net(Reactor) as here:

        def use() -> None:
            for _ in range(5):
                protocol, peer = here.accept(Recorder())
                with open(path, "rb") as file:
                    FileSender().beginFileTransfer(file, protocol.transport)
                    protocol.transport.loseConnection()
                    assert len(here.read(peer, len(content) + 1)) == len(content)
                    here.until(lambda protocol=protocol: "lost" in protocol.told)
                peer.close()
                protocol.__dict__.clear()  # a cycle of the test's own

        use()
        with no_leaks():
            use()


def test_a_stream_says_when_the_kernel_cannot_send(reports: Reports, tmp_path: Path) -> None:
    path, _ = file_of(tmp_path, 10)
    with net(Reactor) as here, open(path, "rb") as file:
        protocol, peer = here.accept(Recorder())
        stream: Stream = protocol.transport
        assert stream.send_from_file(file.fileno(), 10) == 0  # the file's end
        stream.write(b"first")
        assert stream.send_from_file(file.fileno(), 0) == 0
        peer.close()
        stream.abortConnection()
        assert stream.send_from_file(file.fileno(), 0) == 0
        here.until(lambda: "lost" in protocol.told)
        assert stream.send_from_file(file.fileno(), 0) == 0
