"""LineReceiver and LineOnlyReceiver (statements 104 and 105), without a socket."""

from typing import Any

import pytest
from tests.contract.toolkit import Lines, MemoryTransport, connected

from torsion.protocols import basic


def lines(*texts: bytes) -> list[tuple[str, bytes]]:
    return [("line", text) for text in texts]


@pytest.mark.parametrize("size", range(1, 12))
def test_lines_come_whole_whatever_the_pieces(size: int) -> None:
    receiver = connected(Lines())
    stream = b"one\r\n\r\ntwo\rthree\n\r\nfour\r\nrest"
    for at in range(0, len(stream), size):
        assert receiver.dataReceived(stream[at : at + size]) is None
    assert receiver.got == lines(b"one", b"", b"two\rthree\n", b"four")
    assert receiver.clearLineBuffer() == b"rest"
    assert receiver.clearLineBuffer() == b""


def test_s104_a_true_value_stops_until_more_data_comes() -> None:
    receiver = connected(Lines({b"stop": lambda receiver: "why"}))
    assert receiver.dataReceived(b"a\r\nstop\r\nb\r\nc\r\nd") == "why"
    assert receiver.got == lines(b"a", b"stop")
    assert receiver.dataReceived(b"\r\n") is None
    assert receiver.got == lines(b"a", b"stop", b"b", b"c", b"d")


def test_s104_a_pause_stops_and_resuming_goes_on_with_what_was_held_back() -> None:
    receiver = connected(Lines({b"pause": lambda receiver: receiver.pauseProducing()}))
    receiver.dataReceived(b"a\r\npause\r\nb\r\npause\r\nc\r\n")
    assert receiver.transport.paused
    assert receiver.got == lines(b"a", b"pause")
    receiver.dataReceived(b"d\r\n")  # a transport may have had it already
    assert receiver.got == lines(b"a", b"pause")
    receiver.resumeProducing()
    assert receiver.got == lines(b"a", b"pause", b"b", b"pause")
    assert receiver.transport.paused
    receiver.resumeProducing()
    assert receiver.got[4:] == lines(b"c", b"d")
    assert not receiver.transport.paused


def test_s104_resuming_within_the_line_goes_on_at_once_and_in_order() -> None:
    def both(receiver: Any) -> None:
        receiver.pauseProducing()
        receiver.resumeProducing()

    receiver = connected(Lines({b"both": both}))
    receiver.dataReceived(b"a\r\nboth\r\nb\r\nc")
    assert receiver.got == lines(b"a", b"both", b"b")


def test_s104_closing_leaves_the_rest_in_the_buffer() -> None:
    receiver = connected(Lines({b"bye": lambda receiver: receiver.transport.loseConnection()}))
    receiver.dataReceived(b"a\r\nbye\r\nb\r\nc")
    assert receiver.got == lines(b"a", b"bye")
    assert receiver.clearLineBuffer() == b"b\r\nc"


def test_stopping_is_the_end() -> None:
    receiver = connected(Lines({b"stop": lambda receiver: receiver.stopProducing()}))
    receiver.dataReceived(b"stop\r\nb\r\n")
    assert receiver.got == lines(b"stop")
    assert receiver.transport.stopped


@pytest.mark.parametrize("position", range(4))
@pytest.mark.parametrize("together", [True, False])
def test_s104_raw_mode_in_every_position(position: int, together: bool) -> None:
    """Behind any line: what follows is raw, until setLineMode is given what of it is lines."""
    words = [b"a", b"b", b"c"]
    words.insert(position, b"raw:")

    def back(receiver: Any) -> object:
        _, data = receiver.got.pop()
        raw, found, rest = data.partition(b"|")
        receiver.got.append(("raw", raw))
        return receiver.setLineMode(rest) if found else None

    receiver = connected(Lines({b"raw:": lambda receiver: receiver.setRawMode(), b"raw": back}))
    pieces = [word + (b"\r\n" if word != b"raw:" else b"\r\n\r\n1\r\n2|") for word in words]
    for piece in [b"".join(pieces)] if together else pieces:
        receiver.dataReceived(piece)
    expected = lines(*words)
    expected.insert(position + 1, ("raw", b"\r\n1\r\n2"))
    assert receiver.got == expected


def test_s104_raw_data_comes_as_it_came() -> None:
    receiver = connected(Lines({b"go": lambda receiver: receiver.setRawMode()}))
    for piece in (b"go\r\n", b"x\r\n", b"y"):
        receiver.dataReceived(piece)
    assert receiver.got == [("line", b"go"), ("raw", b"x\r\n"), ("raw", b"y")]
    assert receiver.setLineMode() is None
    receiver.dataReceived(b"z\r\n")
    assert receiver.got[-1] == ("line", b"z")


def test_a_receiver_may_begin_raw() -> None:
    class Raw(Lines):
        line_mode = 0

    receiver = connected(Raw())
    receiver.dataReceived(b"x\r\n")
    assert receiver.got == [("raw", b"x\r\n")]


def test_s104_a_true_value_from_raw_data_stops_too() -> None:
    def stop(receiver: Any) -> str:
        receiver.setLineMode(b"held\r\n")
        return "why"

    receiver = connected(Lines({b"raw": stop}))
    receiver.setRawMode()
    assert receiver.dataReceived(b"data") == "why"
    assert receiver.got == [("raw", b"data")]
    receiver.dataReceived(b"")
    assert receiver.got[-1] == ("line", b"held")


def test_what_comes_meanwhile_waits_for_its_turn() -> None:
    receiver = connected(Lines({b"more": lambda receiver: receiver.dataReceived(b"nested\r\n")}))
    receiver.dataReceived(b"more\r\nb\r\n")
    assert receiver.got == lines(b"more", b"b", b"nested")


def test_what_waits_can_be_taken_back() -> None:
    taken = []
    receiver = connected(Lines({b"take": lambda receiver: taken.append(receiver.clearLineBuffer())}))
    assert receiver.clearLineBuffer() == b""
    receiver.dataReceived(b"a\r\ntake\r\nb\r\nc")
    assert (receiver.got, taken) == (lines(b"a", b"take"), [b"b\r\nc"])


def test_another_delimiter_holds_from_the_next_line_on() -> None:
    receiver = connected(Lines({b"unix": lambda receiver: setattr(receiver, "delimiter", b"\n")}))
    receiver.dataReceived(b"a\r\nunix\r\nb\r\nc\nd")
    assert receiver.got == lines(b"a", b"unix", b"b\r", b"c")


@pytest.mark.parametrize("delimiter", [b"\0", b"::", b"<end>", b"ab"])
def test_any_delimiter(delimiter: bytes) -> None:
    receiver = connected(Lines())
    receiver.delimiter = delimiter
    texts = [b"x", b"", b"ac", b"x:y", b"<en", b"y" * 100]
    for byte in delimiter.join([*texts, b""]):
        receiver.dataReceived(bytes([byte]))
    assert receiver.got == lines(*texts)


def test_a_delimiter_of_no_bytes_is_an_error() -> None:
    receiver = connected(Lines())
    receiver.delimiter = b""
    with pytest.raises(ValueError, match="delimiter of no bytes"):
        receiver.dataReceived(b"abc")


def test_an_error_leaves_what_was_not_handed_on() -> None:
    def fail(receiver: Any) -> None:
        raise LookupError("bad")

    receiver = connected(Lines({b"fail": fail}))
    with pytest.raises(LookupError):
        receiver.dataReceived(b"a\r\nfail\r\nb\r\n")
    receiver.dataReceived(b"c\r\n")
    assert receiver.got == lines(b"a", b"fail", b"b", b"c")


def test_what_is_like_bytes_is_taken_and_text_is_not() -> None:
    receiver = connected(Lines())
    receiver.dataReceived(bytearray(b"a\r\n"))
    receiver.dataReceived(memoryview(b"b\r\n"))
    assert receiver.got == lines(b"a", b"b")
    with pytest.raises(TypeError):
        receiver.dataReceived("c\r\n")


class Short(Lines):
    MAX_LENGTH = 5

    def lineLengthExceeded(self, line: bytes) -> str:
        self.got.append(("exceeded", line))
        return "too long"


@pytest.mark.parametrize(
    ("data", "got", "rest"),
    [
        (b"12345\r\nx\r\n", lines(b"12345", b"x"), b""),
        (b"123456\r\nx\r\n", [("exceeded", b"123456\r\nx\r\n")], b""),
        (b"123456", [], b"123456"),
        (b"12345\r", [], b"12345\r"),
        (b"1234567", [("exceeded", b"1234567")], b""),
        (b"ok\r\n1234567", [*lines(b"ok"), ("exceeded", b"1234567")], b""),
        (b"ok\r\n123456\r\nz\r\n", [*lines(b"ok"), ("exceeded", b"123456\r\nz\r\n")], b""),
    ],
)
def test_s105_a_line_that_is_too_long(data: bytes, got: list[tuple[str, bytes]], rest: bytes) -> None:
    receiver = connected(Short())
    said = receiver.dataReceived(data)
    assert receiver.got == got
    assert said == ("too long" if got and got[-1][0] == "exceeded" else None)
    assert receiver.clearLineBuffer() == rest


def test_s105_closes_unless_told_otherwise() -> None:
    receiver = connected(Lines())
    receiver.dataReceived(b"x" * (receiver.MAX_LENGTH + 1))
    assert not receiver.transport.disconnecting
    receiver.dataReceived(b"x")
    assert receiver.transport.disconnecting


@pytest.mark.parametrize("size", [1000, 5000, 100_000])
def test_s105_a_long_line_is_too_long_by_its_whole_length(size: int) -> None:
    class Long(Short):
        MAX_LENGTH = size

    receiver = connected(Long())
    receiver.dataReceived(b"x" * size + b"\r\n" + b"y" * (size + 1) + b"\r\nrest")
    assert receiver.got == [("line", b"x" * size), ("exceeded", b"y" * (size + 1) + b"\r\nrest")]
    receiver = connected(Long())
    receiver.dataReceived(b"x" * (size + 1))
    assert receiver.got == []
    receiver.dataReceived(b"x")
    assert receiver.got == [("exceeded", b"x" * (size + 2))]


def test_mode_and_pause_may_be_properties() -> None:
    class Asked(Lines):
        line_mode = property(lambda self: len(self.got) != 1)
        paused = property(lambda self: len(self.got) == 2)

    receiver = connected(Asked())
    receiver.dataReceived(b"a\r\nb")
    assert receiver.got == [("line", b"a"), ("raw", b"b")]
    receiver.dataReceived(b"c\r\n")
    assert receiver.got == [("line", b"a"), ("raw", b"b")]
    assert receiver.clearLineBuffer() == b"c\r\n"


def test_what_is_not_overridden_says_so() -> None:
    for call in (basic.LineReceiver().lineReceived, basic.LineReceiver().rawDataReceived):
        with pytest.raises(NotImplementedError):
            call(b"")
    with pytest.raises(NotImplementedError):
        basic.LineOnlyReceiver().lineReceived(b"")


def test_sending_lines() -> None:
    for receiver in (connected(Lines()), connected(basic.LineOnlyReceiver())):
        receiver.sendLine(b"hello")
        assert receiver.transport.written == [b"hello\r\n"]


class OnlyLines(basic.LineOnlyReceiver):
    MAX_LENGTH = 5

    def __init__(self) -> None:
        self.got: list[bytes] = []

    def lineReceived(self, line: bytes) -> None:
        self.got.append(line)
        if line == b"bye":
            self.transport.loseConnection()


@pytest.mark.parametrize("size", range(1, 9))
def test_only_lines(size: int) -> None:
    receiver = connected(OnlyLines())
    stream = b"a\r\n\r\nbcde\r\nbye"
    for at in range(0, len(stream), size):
        receiver.dataReceived(stream[at : at + size])
    receiver.dataReceived(b"\r\nlost\r\nlost")
    assert receiver.got == [b"a", b"", b"bcde", b"bye"]


@pytest.mark.parametrize("data", [b"123456\r\n", b"123456"])
def test_s105_only_lines_that_are_too_long(data: bytes) -> None:
    receiver = connected(OnlyLines())
    receiver.dataReceived(b"ok\r\n" + data)
    assert receiver.got == [b"ok"]
    assert receiver.transport.disconnecting


def test_nothing_is_left_behind(no_leaks: Any) -> None:
    def use() -> None:
        for _ in range(100):
            receiver = Lines({b"raw": lambda receiver: None})
            receiver.makeConnection(MemoryTransport())
            receiver.dataReceived(b"a\r\nb")
            receiver.setRawMode()
            receiver.dataReceived(b"c")

    use()
    with no_leaks():
        use()
