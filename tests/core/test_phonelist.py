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


def test_a_stray_quote_costs_no_line() -> None:
    rows = read(b'destination,size\n6175551230,6" pipe\n6175551231,a\n6175551232,7" pipe\n6175551233,b\n')
    assert [row.line for row in rows if isinstance(row, ListRow)] == [2, 3, 4, 5]
    assert isinstance(rows[0], ListRow)
    assert rows[0].variables == (("size", '6" pipe'),)


def test_an_open_quote_costs_no_later_line() -> None:
    listed = b"destination,a\n" + b"".join(b"617555%04d,x\n" % number for number in range(2000))
    broken = listed.replace(b"6175550100,x", b'6175550100,"x')
    for data in (broken, broken[: broken.index(b"6175550150")]):
        whole = [row for row in read(data) if isinstance(row, ListRow)]
        assert len(whole) == data.count(b"\n") - 2
        assert [row.line for row in read(data, *range(0, 30_000, 700)) if isinstance(row, BadLine)] == [102]


def test_two_open_quotes_cost_two_lines() -> None:
    rows = read(b'destination,a\n6175551230,"x\n6175551231,y\n6175551232,"z\n6175551233,w\n')
    assert [(type(row), row.line) for row in rows] == [(BadLine, 2), (ListRow, 3), (BadLine, 4), (ListRow, 5)]


@given(st.lists(st.sampled_from([b'6,"a', b'6,b"', b"6,c", b'"6","d"', b'6,"', b'6,""', b'6,","e']), max_size=12))
def test_every_line_is_told_of_once_at_most_and_none_vanishes(lines: list[bytes]) -> None:
    data = b"destination,a,b,c,d,e,f,g,h,i,j,k,l,m,n\n" + b"\n".join(lines)
    rows = read(data)
    assert read(data, *range(0, len(data), 3)) == rows
    told = [row.line for row in rows]
    assert told == sorted(set(told))
    for before, after in zip(rows, [*told[1:], len(lines) + 2], strict=False):
        assert after == before.line + 1 or isinstance(before, ListRow)  # a bad line costs only itself
