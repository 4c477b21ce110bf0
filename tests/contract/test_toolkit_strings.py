"""Strings behind their length (statement 105), netstrings, and the two protocols with states; without a socket."""

import struct
from time import thread_time
from typing import Any

import pytest
from tests.contract.toolkit import MemoryTransport, Netstrings, Strings8, Strings16, Strings32, connected

from torsion.protocols import basic, stateful

KINDS = [Strings8, Strings16, Strings32]


def packed(receiver: Any, *strings: bytes) -> bytes:
    return b"".join(struct.pack(receiver.structFormat, len(each)) + each for each in strings)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
def test_strings_come_whole_whatever_the_pieces(kind: type, size: int) -> None:
    receiver = connected(kind())
    strings = [b"a", b"", b"bc", b"x" * 200]
    stream = packed(receiver, *strings) + b"\1"
    for at in range(0, len(stream), size):
        receiver.dataReceived(stream[at : at + size])
    assert receiver.got == strings
    assert receiver.recvd == b"\1"


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_sent_is_received(kind: type) -> None:
    receiver = connected(kind())
    for string in (b"", b"hello", b"y" * 255):
        receiver.sendString(string)
    receiver.dataReceived(b"".join(receiver.transport.written))
    assert receiver.got == [b"", b"hello", b"y" * 255]


def test_s105_the_longest_string() -> None:
    receiver = connected(Strings32())
    assert receiver.MAX_LENGTH == 99999
    receiver.dataReceived(packed(receiver, b"x" * 99999))
    assert [len(string) for string in receiver.got] == [99999]
    receiver.dataReceived(packed(receiver, b"a") + struct.pack("!I", 100000) + b"begins")
    assert receiver.got[1:] == [b"a"]
    assert receiver.transport.disconnecting
    receiver.dataReceived(b"x" * 100000)  # it is not handed on, and the one before is not handed on again
    assert receiver.got[1:] == [b"a"]


def test_s105_what_has_come_is_seen_when_the_limit_is_exceeded() -> None:
    seen: list[tuple[int, bytes]] = []

    class Limited(Strings16):
        MAX_LENGTH = 3

        def lengthLimitExceeded(self, length: int) -> None:
            seen.append((length, self.recvd))

    receiver = connected(Limited())
    receiver.dataReceived(packed(receiver, b"abc", b"defg"))
    assert (receiver.got, seen) == ([b"abc"], [(4, b"\0\4defg")])


@pytest.mark.parametrize(("kind", "size"), [(Strings8, 256), (Strings16, 65536)])
def test_s105_a_string_that_its_length_cannot_tell_is_not_sent(kind: type, size: int) -> None:
    receiver = connected(kind())
    with pytest.raises(basic.StringTooLongError, match=rf"{size} bytes.* can send {size - 1} at most"):
        receiver.sendString(b"x" * size)
    assert receiver.transport.written == []
    assert issubclass(basic.StringTooLongError, AssertionError)


def test_a_pause_holds_back_the_rest() -> None:
    class Pausing(Strings32):
        def stringReceived(self, string: bytes) -> None:
            super().stringReceived(string)
            if string == b"pause":
                self.pauseProducing()

    receiver = connected(Pausing())
    receiver.dataReceived(packed(receiver, b"a", b"pause", b"b"))
    receiver.dataReceived(packed(receiver, b"c"))
    assert receiver.got == [b"a", b"pause"]
    assert receiver.recvd == packed(receiver, b"b", b"c")
    receiver.resumeProducing()
    assert receiver.got == [b"a", b"pause", b"b", b"c"]
    receiver.stopProducing()
    assert receiver.transport.stopped


def test_what_has_come_can_be_replaced_and_more_can_come_meanwhile() -> None:
    class Changing(Strings8):
        def stringReceived(self, string: bytes) -> None:
            super().stringReceived(string)
            if string == b"replace":
                self.recvd = packed(self, b"other")
            if string == b"more":
                self.dataReceived(packed(self, b"nested"))

    receiver = connected(Changing())
    receiver.dataReceived(packed(receiver, b"more", b"a", b"replace", b"lost"))
    assert receiver.got == [b"more", b"a", b"replace", b"other"]


@pytest.mark.parametrize("nothing", [b"", "", None])
def test_what_has_come_can_be_dropped_with_anything_empty(nothing: Any) -> None:
    class Dropping(Strings8):
        def stringReceived(self, string: bytes) -> None:
            super().stringReceived(string)
            self.recvd = nothing

    receiver = connected(Dropping())
    receiver.dataReceived(packed(receiver, b"a", b"b"))
    receiver.dataReceived(packed(receiver, b"c"))
    assert (receiver.got, receiver.recvd) == ([b"a", b"c"], b"")


def test_an_error_leaves_what_was_not_handed_on() -> None:
    class Failing(Strings8):
        def stringReceived(self, string: bytes) -> None:
            super().stringReceived(string)
            if string == b"fail":
                raise LookupError

    receiver = connected(Failing())
    with pytest.raises(LookupError):
        receiver.dataReceived(packed(receiver, b"fail", b"a"))
    receiver.dataReceived(b"")
    assert receiver.got == [b"fail", b"a"]


def test_a_format_of_the_programs_own() -> None:
    class Little(Strings8):
        structFormat = "<H"
        prefixLength = 2

    receiver = connected(Little())
    receiver.dataReceived(b"\2\0ab")
    assert receiver.got == [b"ab"]


def test_what_is_not_overridden_says_so() -> None:
    for receiver in (basic.Int8StringReceiver(), basic.NetstringReceiver()):
        with pytest.raises(NotImplementedError):
            receiver.stringReceived(b"")


# Netstrings


@pytest.mark.parametrize("size", range(1, 9))
def test_netstrings_come_whole_whatever_the_pieces(size: int) -> None:
    receiver = connected(Netstrings())
    stream = b"5:hello,0:,3:a,b,12:" + b"x" * 12 + b","
    for at in range(0, len(stream), size):
        receiver.dataReceived(stream[at : at + size])
    assert receiver.got == [b"hello", b"", b"a,b", b"x" * 12]
    assert not receiver.brokenPeer


@pytest.mark.parametrize(
    "wrong",
    [b"a", b":", b"00", b"01:a,", b" 1:a,", b"-1:a,", b"1 :a,", b"+1:a,", b"1:ab", b"100000", b"9" * 50, b"1:a;"],
)
@pytest.mark.parametrize("size", [1, 100])
def test_what_is_no_netstring_closes_the_connection(wrong: bytes, size: int) -> None:
    receiver = connected(Netstrings())
    stream = b"2:ok," + wrong + b"2:no,"
    for at in range(0, len(stream), size):
        receiver.dataReceived(stream[at : at + size])
    assert receiver.got == [b"ok"]
    assert receiver.transport.disconnecting
    assert receiver.brokenPeer


def test_a_netstring_may_be_as_long_as_the_limit() -> None:
    receiver = connected(Netstrings())
    receiver.MAX_LENGTH = 10
    receiver.dataReceived(b"10:xxxxxxxxxx,")
    assert receiver.got == [b"x" * 10]
    receiver.dataReceived(b"11:")
    assert receiver.brokenPeer


def test_after_what_is_no_netstring_nothing_is_kept() -> None:
    receiver = connected(Netstrings())
    receiver.dataReceived(b"no")
    kept = len(receiver._remainingData)
    receiver.dataReceived(b"x" * 1000)
    assert len(receiver._remainingData) == kept


def seconds(receiver: Any, data: bytes) -> float:
    begin = thread_time()
    receiver.dataReceived(data)
    while receiver.transport.paused:
        receiver.resumeProducing()
    return thread_time() - begin


class PausedAfterEach(Strings8):
    def stringReceived(self, string: bytes) -> None:
        super().stringReceived(string)
        self.pauseProducing()


@pytest.mark.parametrize(("kind", "string"), [(Netstrings, b"1:x,"), (Strings8, b"\1x"), (PausedAfterEach, b"\1x")])
def test_a_string_costs_the_same_however_many_wait_behind_it(kind: type, string: bytes) -> None:
    few, many = 20_000, 320_000
    small = min(seconds(connected(kind()), string * few) for _ in range(3))
    receiver = connected(kind())
    large = seconds(receiver, string * many)
    assert len(receiver.got) == many
    assert large < small * 16 * 4  # 16 times as many; if each cost as much as waits, it would be 256 times


def test_sending_netstrings() -> None:
    receiver = connected(Netstrings())
    receiver.sendString(b"hello")
    receiver.sendString(b"")
    assert receiver.transport.written == [b"5:hello,", b"0:,"]
    with pytest.raises(TypeError):
        receiver.sendString("text")


# States


class Greeter(basic.StatefulStringProtocol):
    def __init__(self) -> None:
        self.transport = MemoryTransport()
        self.told: list[tuple[str, bytes]] = []

    def proto_init(self, string: bytes) -> str:
        self.told.append(("init", string))
        return "named"

    def proto_named(self, string: bytes) -> str:
        self.told.append(("named", string))
        return "done" if string == b"bye" else "lost"


def test_the_state_says_what_a_string_means() -> None:
    greeter = Greeter()
    for string in (b"Ada", b"bye"):
        greeter.stringReceived(string)
    assert greeter.told == [("init", b"Ada"), ("named", b"bye")]
    assert greeter.state == "done"
    assert greeter.transport.disconnecting


def test_a_state_without_a_handler_is_reported(reports: Any) -> None:
    greeter = Greeter()
    for string in (b"Ada", b"x", b"y"):
        greeter.stringReceived(string)
    assert greeter.state == "lost"
    (text,) = reports.texts()
    assert "proto_" in text
    reports.clear()


class Records(stateful.StatefulProtocol):
    """A byte that tells how many follow."""

    def __init__(self) -> None:
        self.got: list[bytes] = []

    def getInitialState(self) -> Any:
        return self.length, 1

    def length(self, data: bytes) -> Any:
        return (self.record, data[0]) if data != b"\xff" else None

    def record(self, data: bytes) -> Any:
        self.got.append(data)
        return self.length, 1


@pytest.mark.parametrize("size", range(1, 9))
def test_a_stateful_protocol_gets_what_it_waits_for(size: int) -> None:
    receiver = connected(Records())
    stream = b"\3abc\xff\xff\0\1d\5efg"
    for at in range(0, len(stream), size):
        receiver.dataReceived(stream[at : at + size])
    assert receiver.got == [b"abc", b"", b"d"]


def test_what_a_state_brings_itself_waits_for_its_turn() -> None:
    class Brings(Records):
        def record(self, data: bytes) -> Any:
            if data == b"first":
                self.dataReceived(b"\4last")
            return super().record(data)

    receiver = connected(Brings())
    for piece in (b"\5fi", b"rst\6second"):
        receiver.dataReceived(piece)
    assert receiver.got == [b"first", b"second", b"last"]  # in the order in which it came


def test_a_stateful_protocol_says_what_is_not_overridden() -> None:
    with pytest.raises(NotImplementedError):
        connected(stateful.StatefulProtocol())
