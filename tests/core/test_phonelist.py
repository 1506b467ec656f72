"""Lists of numbers, however they are cut into pieces."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.phonelist import BadLine, ListRow, PhoneListReader

MESSY = (
    b'\xef\xbb\xbf"destination","first_name","message_reference"\r\n# comment\r\n\r\n'
    b'"tel:+16177123000;ani=5553336666","Plum, Inc.","ref 1"\r\n6175551234,"two\nlines",\r+1617,a,b,c,d\n'
    b"\xff\xfe,x\n,nobody\n6175550000"
)


def read(data: bytes, *cuts: int) -> list[ListRow | BadLine]:
    reader, found, start = PhoneListReader(), [], 0
    for cut in sorted({min(cut, len(data)) for cut in cuts}):
        found += list(reader.feed(data[start:cut]))
        start = cut
    return [*found, *reader.feed(data[start:]), *reader.finish()]


def test_csv_with_everything() -> None:
    rows = read(MESSY)
    assert rows[0] == ListRow(
        4, "tel:+16177123000;ani=5553336666", (("first_name", "Plum, Inc."), ("message_reference", "ref 1"))
    )
    assert isinstance(rows[0], ListRow)
    assert rows[0].message_reference == "ref 1"
    assert rows[0].campaign_parameters == "first_name=Plum%2C+Inc."
    assert rows[1] == ListRow(5, "6175551234", (("first_name", "two\nlines"),))
    assert [row.reason for row in rows if isinstance(row, BadLine)] == [
        "has 5 columns, the header 3", "is not UTF-8", "has no destination"
    ]  # fmt: skip
    assert rows[-1] == ListRow(10, "6175550000")


@given(st.lists(st.integers(0, len(MESSY)), max_size=12))
def test_pieces_do_not_matter(cuts: list[int]) -> None:
    assert read(MESSY, *cuts) == read(MESSY)


def test_plain_text_and_an_endless_line() -> None:
    rows = read(b"6175551234\n" + b"9" * 100_000 + b"\n6175551235\n\0\n", *range(0, 100_000, 1000))
    assert rows == [
        ListRow(1, "6175551234"), BadLine(2, "is longer than 4096 bytes"), ListRow(3, "6175551235"),
        BadLine(4, "holds a NUL character"),
    ]  # fmt: skip


def test_an_open_quote_costs_only_itself() -> None:
    rows = read(b'destination,a\n6175551234,"open\n')
    assert rows == [BadLine(2, "opens a quote that never closes")]
