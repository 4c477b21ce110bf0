"""Counting TLS records: the same number whichever way the bytes are cut."""

from hypothesis import given
from hypothesis import strategies as st

from torsion.net.tls.records import LONGEST, Records

kinds = st.integers(20, 23)
lengths = st.one_of(st.integers(0, 40), st.integers(0, LONGEST))


def record(kind: int, length: int) -> bytes:
    return bytes([kind, 3, 3]) + length.to_bytes(2, "big") + bytes(length)


@given(st.lists(st.builds(record, kinds, lengths), max_size=6), st.data())
def test_what_has_come_as_a_whole_is_counted_however_it_is_cut(written: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(written)
    ends = [sum(map(len, written[: number + 1])) for number in range(len(written))]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    records = Records()
    for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        records.feed(stream[begin:end])
        assert records.whole == sum(1 for each in ends if each <= end)


@given(st.integers(0, 255).filter(lambda kind: not 20 <= kind <= 23), st.binary(max_size=20))
def test_what_is_no_record_counts_at_its_first_byte(kind: int, rest: bytes) -> None:
    records = Records()
    records.feed(record(23, 3))
    records.feed(bytes([kind]) + rest)
    assert records.whole == 2


def test_a_record_that_would_be_too_long_counts_when_it_says_so() -> None:
    records = Records()
    records.feed(b"\x17\x03\x03\xff")
    assert records.whole == 0
    records.feed(b"\xff")
    assert records.whole == 1
