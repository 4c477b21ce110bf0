"""Standard input and output as a transport (semantics 58): on pipes, a terminal and files."""

import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.contract.parts import REAL_REACTORS, Reports
from tests.contract.streams import ByContract, HalfRecorder, Net, Recorder, net

from torsion import interfaces, stdio
from torsion.contract import Reactor
from torsion.error import ConnectionDone, ConnectionLost


class Ends:
    """Two pipes, of which StandardIO has one end each, and what it is made of."""

    def __init__(self, net: Net, protocol: Recorder) -> None:
        self.net = net
        self.protocol = protocol
        self.stdin, self.into = os.pipe()
        self.out, self.stdout = os.pipe()
        os.set_blocking(self.out, False)
        self.transport = stdio.StandardIO(protocol, self.stdin, self.stdout, net.reactor)

    def read(self, size: int) -> bytes:
        """That much of what is written, or all up to the end."""
        got = bytearray()

        def more() -> bool:
            try:
                data = os.read(self.out, 1 << 20)
            except BlockingIOError:
                return False
            got.extend(data)
            return not data or len(got) >= size

        self.net.until(more)
        return bytes(got)

    def close_input(self) -> None:
        os.close(self.into)
        self.into = -1

    def close_output(self) -> None:
        os.close(self.out)
        self.out = -1

    def close(self) -> None:
        for fd in (self.stdin, self.into, self.out, self.stdout):
            if fd >= 0:
                os.close(fd)


Make = Callable[[Recorder], Ends]


@pytest.fixture(params=[Reactor, ByContract], ids=["native", "by-contract"])
def make(request: pytest.FixtureRequest, reports: Reports) -> Iterator[Make]:
    made: list[Ends] = []
    with net(request.param) as here:

        def make(protocol: Recorder) -> Ends:
            made.append(Ends(here, protocol))
            return made[-1]

        yield make
    for each in made:
        each.close()


def test_s058_what_comes_in_is_received_and_what_is_written_goes_out(make: Make) -> None:
    ends = make(Recorder())
    assert ends.protocol.told == ["made"]
    os.write(ends.into, b"hello")
    ends.net.until(lambda: ends.protocol.received == b"hello")
    ends.transport.write(b"x" * 200_000)
    ends.transport.writeSequence([b"y", b"z"])
    assert ends.read(200_002) == b"x" * 200_000 + b"yz"
    with pytest.raises(TypeError, match="Data must be bytes"):
        ends.transport.write("text")  # type: ignore[arg-type]


def test_s058_the_end_of_input_ends_it_all_and_what_was_not_written_is_discarded(make: Make) -> None:
    ends = make(Recorder())
    ends.transport.write(b"x" * 1_000_000)
    ends.close_input()
    ends.net.until(lambda: "lost" in ends.protocol.told)
    assert type(ends.protocol.reasons[0]) is ConnectionDone
    assert ends.transport.disconnected
    os.close(ends.stdout)
    ends.stdout = -1
    assert len(ends.read(1_000_000)) < 1_000_000


def test_s058_with_half_close_support_output_goes_on_after_the_end_of_input(make: Make) -> None:
    ends = make(HalfRecorder())
    ends.close_input()
    ends.net.until(lambda: "read side lost" in ends.protocol.told)
    ends.transport.write(b"still there")
    assert ends.read(11) == b"still there"
    ends.transport.loseConnection()
    ends.net.until(lambda: "lost" in ends.protocol.told)
    assert ends.protocol.told == ["made", "read side lost", "lost"]


def test_s058_standard_output_is_blocking_again_and_both_stay_open(make: Make) -> None:
    for act in (lambda ends: ends.transport.loseConnection(), lambda ends: ends.close_input()):
        ends = make(Recorder())
        assert not os.get_blocking(ends.stdin)
        assert not os.get_blocking(ends.stdout)
        act(ends)
        ends.net.until(lambda ends=ends: "lost" in ends.protocol.told)
        assert os.get_blocking(ends.stdout)
        os.fstat(ends.stdin)


def test_s058_that_nobody_reads_is_not_told_to_who_cannot_live_half_closed(make: Make) -> None:
    ends = make(Recorder())
    ends.close_output()
    ends.net.turns()
    ends.transport.write(b"dropped")
    ends.net.turns()
    assert ends.protocol.told == ["made"]
    os.write(ends.into, b"hello")
    ends.net.until(lambda: ends.protocol.received == b"hello")
    ends.transport.loseConnection()
    ends.net.until(lambda: "lost" in ends.protocol.told)


def test_s058_that_nobody_reads_is_told_to_who_can(make: Make) -> None:
    ends = make(HalfRecorder())
    ends.close_output()
    ends.net.until(lambda: "write side lost" in ends.protocol.told)
    ends.transport.write(b"dropped")
    ends.close_input()
    ends.net.until(lambda: "read side lost" in ends.protocol.told)
    ends.transport.loseConnection()
    ends.net.turns()
    assert ends.protocol.told == ["made", "write side lost", "read side lost"]  # as it is with a connection


def test_s058_losing_the_connection_writes_what_waits_and_reads_no_more(make: Make) -> None:
    ends = make(Recorder())
    ends.transport.write(b"x" * 500_000)
    ends.transport.loseConnection()
    assert ends.transport.disconnecting
    os.write(ends.into, b"not received")
    ends.transport.startReading()
    ends.close_input()
    assert ends.read(500_000) == b"x" * 500_000
    ends.net.until(lambda: "lost" in ends.protocol.told)
    assert ends.protocol.received == b""
    assert type(ends.protocol.reasons[0]) is ConnectionDone


def test_s058_closing_output_alone(make: Make) -> None:
    for protocol, told in ((Recorder(), ["made"]), (HalfRecorder(), ["made", "write side lost"])):
        ends = make(protocol)
        ends.transport.write(b"x" * 300_000)
        ends.transport.loseWriteConnection()
        assert ends.read(300_000) == b"x" * 300_000
        ends.net.turns()
        assert protocol.told == told
        os.write(ends.into, b"still there")
        ends.net.until(lambda protocol=protocol: protocol.received == b"still there")


def test_s058_an_error_in_a_half_close_hook_ends_the_connection(make: Make, reports: Reports) -> None:
    protocol = HalfRecorder()
    protocol.on_half = lambda side: 1 / 0
    ends = make(protocol)
    ends.close_input()
    ends.net.until(lambda: "lost" in protocol.told)
    assert type(protocol.reasons[0]) is ZeroDivisionError
    assert "Unhandled error in readConnectionLost" in reports.take(ZeroDivisionError)


def test_s058_an_error_in_dataReceived_ends_the_connection(make: Make, reports: Reports) -> None:
    protocol = Recorder()
    protocol.on_data = lambda data: 1 / 0
    ends = make(protocol)
    os.write(ends.into, b"x")
    ends.net.until(lambda: "lost" in protocol.told)
    assert type(protocol.reasons[0]) is ZeroDivisionError
    reports.take(ZeroDivisionError)


def test_s058_the_reactors_end_ends_the_connection(make: Make) -> None:
    ends = make(Recorder())
    ends.net.reactor.disconnectAll()
    assert ends.protocol.told == ["made", "lost"]
    assert type(ends.protocol.reasons[0]) is ConnectionLost
    assert os.get_blocking(ends.stdout)


def test_s058_after_the_end_everything_is_a_no_op(make: Make) -> None:
    ends = make(Recorder())
    transport = ends.transport
    transport.loseConnection()
    ends.net.until(lambda: "lost" in ends.protocol.told)
    transport.write(b"x")
    transport.writeSequence([b"x"])
    transport.loseConnection()
    transport.loseWriteConnection()
    transport.pauseProducing()
    transport.resumeProducing()
    transport.stopProducing()
    transport.unregisterProducer()
    stopped: list[bool] = []

    class Late:
        def stopProducing(self) -> None:
            stopped.append(True)

    transport.registerProducer(Late(), True)
    assert stopped == [True]
    assert ends.protocol.told == ["made", "lost"]


def test_s058_what_cannot_be_connected_raises_and_is_let_go(make: Make) -> None:
    ends = make(Recorder())
    reactor = ends.net.reactor
    ends.transport.loseConnection()
    ends.net.until(lambda: "lost" in ends.protocol.told)
    watched = len(reactor.getReaders())
    with pytest.raises(OSError, match="Bad file descriptor"):
        stdio.StandardIO(Recorder(), 998, ends.stdout, reactor)
    protocol = Recorder()
    protocol.on_made = lambda: 1 / 0
    with pytest.raises(ZeroDivisionError):
        stdio.StandardIO(protocol, ends.stdin, ends.stdout, reactor)
    assert len(reactor.getReaders()) == watched
    assert os.get_blocking(ends.stdout)


def test_s068_a_producer_is_paused_and_resumed(make: Make) -> None:
    ends = make(Recorder())
    told: list[str] = []

    class Source:
        def pauseProducing(self) -> None:
            told.append("pause")

        def resumeProducing(self) -> None:
            told.append("resume")
            ends.transport.unregisterProducer()

        def stopProducing(self) -> None:
            told.append("stop")

    ends.transport.registerProducer(Source(), True)
    ends.transport.write(b"x" * 200_000)
    assert told == ["pause"]
    ends.read(200_000)
    ends.net.until(lambda: len(told) == 2)
    assert told == ["pause", "resume"]


def test_pausing_leaves_the_input_where_it_is(make: Make) -> None:
    ends = make(Recorder())
    ends.transport.pauseProducing()
    os.write(ends.into, b"later")
    ends.net.turns()
    assert ends.protocol.received == b""
    ends.transport.resumeProducing()
    ends.net.until(lambda: ends.protocol.received == b"later")


def test_neither_end_has_an_address_and_it_is_a_transport(make: Make) -> None:
    transport = make(Recorder()).transport
    assert isinstance(transport, interfaces.ITransport)
    assert isinstance(transport.getHost(), stdio.PipeAddress)
    assert isinstance(transport.getPeer(), stdio.PipeAddress)


@pytest.mark.parametrize("kind", REAL_REACTORS)
def test_s058_regular_files_do_as_well(kind: str, tmp_path: Path, reports: Reports) -> None:
    (tmp_path / "in").write_bytes(b"abc" * 50_000)
    source, target = os.open(tmp_path / "in", os.O_RDONLY), os.open(tmp_path / "out", os.O_WRONLY | os.O_CREAT)
    protocol = HalfRecorder()
    protocol.on_data = lambda data: protocol.transport.write(data)
    protocol.on_half = lambda side: protocol.transport.loseConnection()
    reactor: Any = REAL_REACTORS[kind]()
    protocol.on_lost = lambda reason: reactor.stop()
    stdio.StandardIO(protocol, source, target, reactor)
    reactor.run(installSignalHandlers=False)
    reactor.close()
    os.close(source)
    os.close(target)
    assert (tmp_path / "out").read_bytes() == b"abc" * 50_000


def test_s058_a_terminal_does_as_well_and_its_input_is_not_stolen(make: Make) -> None:
    ends = make(Recorder())  # for its reactor
    master, slave = os.openpty()
    protocol = Recorder()
    protocol.on_data = lambda data: protocol.transport.write(b"got " + data)
    transport = stdio.StandardIO(protocol, slave, slave, ends.net.reactor)
    os.write(master, b"line\n")
    ends.net.until(lambda: protocol.received == b"line\n")
    seen = bytearray()

    def all_is_seen() -> bool:
        if select.select([master], [], [], 0)[0]:
            seen.extend(os.read(master, 100))
        return seen == b"line\r\ngot line\r\n"

    ends.net.until(all_is_seen)
    transport.loseConnection()
    ends.net.until(lambda: "lost" in protocol.told)
    assert os.get_blocking(slave)
    os.close(master)
    os.close(slave)


def test_s058_a_filter_is_a_program_of_a_few_lines() -> None:
    program = """
from torsion import protocol, reactor, stdio

class Upper(protocol.Protocol):
    def dataReceived(self, data):
        self.transport.write(data.upper())

    def readConnectionLost(self):
        self.transport.loseConnection()

    def writeConnectionLost(self):
        pass

    def connectionLost(self, reason):
        reactor.stop()

stdio.StandardIO(Upper())
reactor.run()
"""
    done = subprocess.run(
        [sys.executable, "-c", program], input=b"line\n" * 50_000, capture_output=True, timeout=60, check=False
    )
    assert (done.stderr, done.returncode) == (b"", 0)
    assert done.stdout == b"LINE\n" * 50_000


def test_nothing_of_it_stays(make: Make, no_leaks: Any) -> None:
    ends = make(Recorder())  # for its reactor

    def use() -> None:
        again = Ends(ends.net, Recorder())
        again.transport.write(b"x")
        again.transport.loseConnection()
        again.net.until(lambda: "lost" in again.protocol.told)
        again.close()
        del again.protocol.transport, again.transport

    use()
    with no_leaks():
        for _ in range(3):
            use()
