"""A child on a terminal (semantics 57), and a terminal as a stand-in for a serial line: the contract of descriptors."""

import fcntl
import os
import signal
import struct
import termios
from collections.abc import Iterator
from typing import Any

import pytest
from tests.contract.children import Home, home
from tests.contract.parts import REAL_REACTORS, Reports
from tests.contract.streams import ByContract

from torsion import abstract, fdesc, interfaces
from torsion.contract import Reactor
from torsion.error import ConnectionClosed


@pytest.fixture(params=[Reactor, ByContract], ids=["native", "by-contract"])
def family(request: pytest.FixtureRequest, reports: Reports) -> Iterator[Home]:
    with home(request.param) as made:
        yield made


def test_s057_all_that_a_child_on_a_terminal_writes_is_its_standard_output(family: Home) -> None:
    protocol = family.sh("tty; echo out; echo err >&2; exit 5", usePTY=True)
    family.end(protocol)
    assert list(protocol.data) == [1]
    name, *rest = protocol.data[1].split(b"\r\n")
    assert name.startswith(b"/dev/pts/")
    assert rest == [b"out", b"err", b""]
    assert protocol.told[0] == "made"
    assert sorted(protocol.told) == ["ended", "exited", "made"]
    assert protocol.reasons[0].exitCode == 5


@pytest.mark.parametrize("kind", REAL_REACTORS)
def test_s057_on_every_reactor(kind: str, reports: Reports) -> None:
    with home(REAL_REACTORS[kind]) as family:
        protocol = family.sh("stty -echo; echo ready; read line; echo got $line", usePTY=True)
        family.until(lambda: b"ready" in protocol.data.get(1, b""))
        protocol.transport.write(b"this\n")
        family.end(protocol)
        assert protocol.data[1] == b"ready\r\ngot this\r\n"


def test_s057_the_terminal_is_the_childs_controlling_one(family: Home) -> None:
    protocol = family.sh("stty -echo; echo ready; while :; do sleep 0.01; done", usePTY=True)
    family.until(lambda: protocol.data)
    protocol.transport.write(b"\x03")  # Ctrl-C
    family.end(protocol)
    assert protocol.reasons[0].signal == signal.SIGINT


def test_s057_its_size_can_be_set_by_its_descriptor(family: Home) -> None:
    protocol = family.sh("read line; stty size", usePTY=True)
    fcntl.ioctl(protocol.transport.fileno(), termios.TIOCSWINSZ, struct.pack("4H", 33, 44, 0, 0))
    protocol.transport.writeSequence([b"go", b"\n"])
    family.end(protocol)
    assert protocol.data[1].endswith(b"33 44\r\n")
    assert protocol.transport.fileno() == -1


def test_s057_losing_the_connection_hangs_up(family: Home) -> None:
    protocol = family.sh("echo ready; while :; do sleep 0.01; done", usePTY=True)
    family.until(lambda: protocol.data)
    protocol.transport.loseConnection()
    family.end(protocol)
    assert protocol.reasons[0].signal == signal.SIGHUP


def test_s057_single_descriptors_of_a_terminal_cannot_be_closed_or_written_to(family: Home) -> None:
    protocol = family.sh("read line", usePTY=True)
    transport = protocol.transport
    assert isinstance(transport, interfaces.IProcessTransport)
    transport.closeStdin()
    transport.closeStdout()
    transport.closeStderr()
    with pytest.raises(NotImplementedError):
        transport.closeChildFD(0)
    with pytest.raises(NotImplementedError):
        transport.writeToChild(0, b"x")
    transport.write(b"\n")
    family.end(protocol)
    assert protocol.reasons[0].exitCode == 0


def test_s057_a_terminal_that_is_there_may_be_given(family: Home) -> None:
    master, slave = os.openpty()
    name = os.ttyname(slave)
    protocol = family.sh("tty", usePTY=(master, slave, name))
    assert protocol.transport.fileno() == master
    family.end(protocol)
    assert protocol.data[1] == os.fsencode(name) + b"\r\n"
    for fd in (master, slave):
        with pytest.raises(OSError, match="Bad file"):
            os.fstat(fd)


def test_s057_a_terminal_that_was_given_is_not_closed_if_that_fails(
    family: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_fork() -> int:
        raise BlockingIOError

    master, slave = os.openpty()
    monkeypatch.setattr(os, "fork", no_fork)
    with pytest.raises(BlockingIOError):
        family.sh("tty", usePTY=(master, slave, ""))
    os.close(master)
    os.close(slave)


def test_s057_the_exit_of_a_child_does_not_end_what_others_have_of_its_terminal(family: Home) -> None:
    protocol = family.sh(
        "trap '' HUP; (sleep 0.1; echo late) & echo early; exit 0", usePTY=True, env={"PATH": os.defpath}
    )
    family.end(protocol)
    assert protocol.data[1] == b"early\r\nlate\r\n"
    assert protocol.told == ["made", "exited", "ended"]


def test_a_terminal_is_closed_by_a_child_that_goes_on(family: Home) -> None:
    protocol = family.sh("trap '' HUP; exec 0<&- 1>&- 2>&-; sleep 0.1; exit 3", usePTY=True)
    family.until(lambda: protocol.transport.fileno() == -1)
    family.end(protocol)
    assert protocol.reasons[0].exitCode == 3


class SerialLine(abstract.FileDescriptor):
    """A line protocol's device, as a driver for a serial port is written: a descriptor, and three methods."""

    def __init__(self, fd: int, reactor: Any) -> None:
        super().__init__(reactor)
        self.fd = fd
        fdesc.setNonBlocking(fd)
        self.received = b""
        self.lost: list[Any] = []
        self.connected = 1
        self.startReading()

    def fileno(self) -> int:
        return self.fd

    def doRead(self) -> Any:
        return fdesc.readFromFD(self.fd, self.take)

    def take(self, data: bytes) -> None:
        self.received += data

    def writeSomeData(self, data: bytes) -> Any:
        return fdesc.writeToFD(self.fd, data)

    def connectionLost(self, reason: Any) -> None:
        super().connectionLost(reason)
        os.close(self.fd)
        self.lost.append(reason.value)


@pytest.mark.parametrize("kind", REAL_REACTORS)
def test_s061_a_serial_like_device_is_driven_through_the_contract_of_descriptors(kind: str, reports: Reports) -> None:
    with home(REAL_REACTORS[kind]) as family:
        ours, device = os.openpty()
        settings = termios.tcgetattr(device)
        settings[1] &= ~termios.OPOST
        settings[3] &= ~(termios.ECHO | termios.ICANON)
        termios.tcsetattr(device, termios.TCSANOW, settings)
        line, other = SerialLine(device, family.reactor), SerialLine(ours, family.reactor)
        text = bytes(range(32, 127)) * 300  # more than such a line holds at once
        line.write(text)
        family.until(lambda: other.received == text)
        other.writeSequence([b"and ", b"back"])
        family.until(lambda: line.received == b"and back")
        line.loseConnection()
        family.until(lambda: line.lost and other.lost)
        assert isinstance(other.lost[0], ConnectionClosed)
