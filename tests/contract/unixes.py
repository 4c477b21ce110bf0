"""What the tests of UNIX sockets are made of: a reactor with either driver, and paths that are short enough for one."""

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.contract.parts import Reports
from tests.contract.streams import PATIENCE, ByContract, Makers, Net, Recorder, net

from torsion.contract import Reactor

__all__ = ["Taker", "accept", "connect", "here", "peer", "room"]


@pytest.fixture(params=[Reactor, ByContract], ids=["native", "contract"])
def here(request: pytest.FixtureRequest, reports: Reports) -> Iterator[Net]:
    with net(request.param) as made:
        yield made


@pytest.fixture
def room() -> Iterator[Path]:
    """A directory whose paths fit into the address of a socket (tmp_path does not always)."""
    made = tempfile.mkdtemp(prefix="unix")
    yield Path(made)
    shutil.rmtree(made)


class Taker(Recorder):
    """A protocol that takes descriptors: their files' numbers in `files`; it closes them."""

    def __init__(self) -> None:
        super().__init__()
        self.files: list[tuple[int, int]] = []
        self.on_descriptor: Any = lambda descriptor: None

    def fileDescriptorReceived(self, descriptor: int) -> None:
        there = os.fstat(descriptor)
        self.files.append((there.st_dev, there.st_ino))
        self.told.append(f"file after {len(self.received)} bytes")
        try:
            self.on_descriptor(descriptor)
        finally:
            os.close(descriptor)


def peer(here: Net, path: Path | bytes) -> socket.socket:
    """A socket of the standard library that is connected to this path."""
    skt = here.opened(socket.socket(socket.AF_UNIX))
    skt.settimeout(PATIENCE)
    skt.connect(path if isinstance(path, bytes) else str(path))
    return skt


def accept(here: Net, room: Path, *protocols: Any) -> tuple[Any, socket.socket]:
    """A server's protocol, connected, and the peer's socket."""
    protocol = protocols[0] if protocols else Recorder()
    port = here.reactor.listenUNIX(str(room / "port"), Makers(protocol))
    other = peer(here, room / "port")
    here.until(lambda: "made" in protocol.told)
    port.stopListening()
    here.turns()
    return protocol, other


def connect(here: Net, room: Path, *protocols: Any) -> tuple[Any, socket.socket]:
    """A client's protocol, connected, and the peer's socket."""
    protocol = protocols[0] if protocols else Recorder()
    listening = here.opened(socket.socket(socket.AF_UNIX))
    listening.bind(str(room / "peer"))
    listening.listen()
    here.reactor.connectUNIX(str(room / "peer"), Makers(protocol), timeout=None)
    here.until(lambda: "made" in protocol.told)
    other, _ = listening.accept()
    listening.close()
    (room / "peer").unlink()
    return protocol, here.opened(other)
