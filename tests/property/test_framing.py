"""However a stream is split, the same messages come out, as a model that sees all of it at once finds them."""

import struct
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.contract.toolkit import Lines, Netstrings, Strings8, Strings16, Strings32, connected

from torsion.protocols import basic

ALPHABET = st.sampled_from(b"ab\r\n:,12").map(lambda byte: bytes([byte]))
STREAMS = st.lists(ALPHABET, max_size=60).map(b"".join)


def feed(receiver: Any, stream: bytes, cuts: list[int]) -> Any:
    """Give it the stream, cut at these places."""
    edges = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    for start, end in pairwise(edges):
        receiver.dataReceived(stream[start:end])
    return receiver


CUTS = st.lists(st.integers(0, 1000), max_size=20)


@given(STREAMS, CUTS, st.sampled_from([b"\n", b"\r\n", b"ab", b"aba"]))
def test_lines(stream: bytes, cuts: list[int], delimiter: bytes) -> None:
    receiver = connected(Lines())
    receiver.delimiter = delimiter
    *expected, rest = stream.split(delimiter)
    assert [line for _, line in feed(receiver, stream, cuts).got] == expected
    assert receiver.clearLineBuffer() == rest


@given(STREAMS, CUTS)
def test_lines_and_nothing_else(stream: bytes, cuts: list[int]) -> None:
    class OnlyLines(basic.LineOnlyReceiver):
        def lineReceived(self, line: bytes) -> None:
            got.append(line)

    got: list[bytes] = []
    feed(connected(OnlyLines()), stream, cuts)
    assert got == stream.split(b"\r\n")[:-1]


@given(STREAMS, CUTS, st.integers(0, 6))
def test_no_line_is_longer_than_the_limit(stream: bytes, cuts: list[int], limit: int) -> None:
    class Limited(Lines):
        MAX_LENGTH = limit

    receiver = feed(connected(Limited()), stream, cuts)
    expected = []
    for line in stream.split(b"\r\n")[:-1]:
        if len(line) > limit:
            break
        expected.append(line)
    got = [line for _, line in receiver.got]
    assert got[: len(expected)] == expected
    if len(got) > len(expected):  # it closes, and a real transport would bring no more
        assert receiver.transport.disconnecting
    assert all(len(line) <= limit for line in got)


@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=12)), max_size=8), CUTS, st.data())
def test_lines_and_raw_data_in_any_order(parts: list[tuple[bool, bytes]], cuts: list[int], data: st.DataObject) -> None:
    """A line tells how many raw bytes follow, as a length does in many protocols; and it pauses now and then."""

    class Mixed(basic.LineReceiver):
        wanted = 0

        def lineReceived(self, line: bytes) -> None:
            if line.startswith(b"raw "):
                self.wanted, self.raw = int(line[4:]), b""
                self.setRawMode()
                if not self.wanted:
                    self.rawDataReceived(b"")
            else:
                got.append((False, bytes.fromhex(line.decode())))
            if data.draw(st.booleans()):
                self.pauseProducing()

        def rawDataReceived(self, data: bytes) -> None:
            self.raw += data[: self.wanted]
            rest, self.wanted = data[self.wanted :], self.wanted - min(self.wanted, len(data))
            if not self.wanted:
                got.append((True, self.raw))
                self.setLineMode(rest)

    got: list[tuple[bool, bytes]] = []
    receiver = connected(Mixed())
    stream = b"".join(
        b"raw %d\r\n%b" % (len(each), each) if raw else each.hex().encode() + b"\r\n" for raw, each in parts
    )
    feed(receiver, stream, cuts)
    while receiver.paused:
        receiver.resumeProducing()
    assert got == parts


# About as long as the pieces that an implementation may look at, and longer.
LONG = st.sampled_from([0, 1, 30, 700, 2044, 2045, 2046, 2047, 2048, 2049, 4095, 5000])


@given(st.lists(LONG, max_size=12), LONG, st.lists(st.integers(0, 40_000), max_size=4), st.booleans(), st.data())
def test_long_lines_and_many(sizes: list[int], left: int, cuts: list[int], short: bool, data: st.DataObject) -> None:
    """And in between it pauses, takes back what waits, has it raw and gives it back, or has another delimiter."""

    class Long(basic.LineReceiver):
        delimiter = b"\n" if short else b"\r\n"

        def lineReceived(self, line: bytes) -> None:
            got.append(line)
            what = data.draw(st.sampled_from(["", "", "pause", "take", "raw", "delimiter"]))
            if what == "pause":
                self.pauseProducing()
            elif what == "take":
                self.dataReceived(self.clearLineBuffer())
            elif what == "raw":
                self.setRawMode()
            elif what == "delimiter":
                waiting = self.clearLineBuffer().replace(self.delimiter, b"\0")
                self.delimiter = b"\0"
                self.dataReceived(waiting)

        def rawDataReceived(self, data: bytes) -> None:
            self.setLineMode(data)

    got: list[bytes] = []
    receiver = connected(Long())
    expected = [bytes([97 + number]) * size for number, size in enumerate(sizes)]
    stream = b"".join(line + b"\n" for line in expected) + b"z" * left
    edges = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    for start, end in pairwise(edges):
        receiver.dataReceived(stream[start:end].replace(b"\n", receiver.delimiter))
        while receiver.paused:
            receiver.resumeProducing()
    assert got == expected
    assert receiver.clearLineBuffer() == b"z" * left


@given(st.sampled_from([Strings8, Strings16, Strings32]), st.lists(st.binary(max_size=30), max_size=10), CUTS)
def test_strings(kind: type, strings: list[bytes], cuts: list[int]) -> None:
    receiver = connected(kind())
    for string in strings:
        receiver.sendString(string)
    assert feed(receiver, b"".join(receiver.transport.written), cuts).got == strings
    assert receiver.recvd == b""


@given(st.binary(max_size=60), CUTS, st.integers(0, 6))
def test_no_string_is_longer_than_the_limit(stream: bytes, cuts: list[int], limit: int) -> None:
    receiver = connected(Strings8())
    receiver.MAX_LENGTH = limit
    expected, at, exceeded = [], 0, False
    while at < len(stream):
        (length,) = struct.unpack_from("!B", stream, at)
        if length > limit:
            exceeded = True
            break
        if at + 1 + length > len(stream):
            break
        expected.append(stream[at + 1 : at + 1 + length])
        at += 1 + length
    assert feed(receiver, stream, cuts).got == expected
    assert receiver.transport.disconnecting is exceeded


@given(st.lists(st.binary(max_size=30), max_size=10), CUTS)
def test_netstrings(strings: list[bytes], cuts: list[int]) -> None:
    receiver = connected(Netstrings())
    for string in strings:
        receiver.sendString(string)
    assert feed(receiver, b"".join(receiver.transport.written), cuts).got == strings
    assert not receiver.brokenPeer


@given(STREAMS, CUTS)
def test_what_is_no_netstring_is_found_whatever_the_pieces(stream: bytes, cuts: list[int]) -> None:
    whole, pieces = connected(Netstrings()), connected(Netstrings())
    feed(whole, stream, [])
    feed(pieces, stream, cuts)
    assert (whole.got, whole.brokenPeer) == (pieces.got, pieces.brokenPeer)
