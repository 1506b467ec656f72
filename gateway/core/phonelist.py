"""Reads an uploaded list of numbers piece by piece: plain text, or CSV whose first column is destination."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlencode

MAX_LINE = 4096
MAX_COLUMNS = 64
MAX_VALUE = 255
_BOM = b"\xef\xbb\xbf"
#: Columns that stand for a variable of the call itself; all others travel in campaign_parameters.
OVERRIDES = ("message_reference", "call_parameters")


class ListRow(NamedTuple):
    """``line`` counts from 1. ``variables`` are the CSV columns beside destination that hold a value."""

    line: int
    destination: str
    variables: tuple[tuple[str, str], ...] = ()

    @property
    def message_reference(self) -> str | None:
        return dict(self.variables).get("message_reference") if self.variables else None

    @property
    def call_parameters(self) -> str | None:
        return dict(self.variables).get("call_parameters") if self.variables else None

    @property
    def campaign_parameters(self) -> str | None:
        """The other columns, urlencoded; None where there are none."""
        if not self.variables:
            return None
        return urlencode([pair for pair in self.variables if pair[0] not in OVERRIDES]) or None


@dataclass(frozen=True, slots=True)
class BadLine:
    line: int
    reason: str
    text: str = ""


class ListError(ValueError):
    """The list as a whole cannot be read; the message says why."""


@dataclass(slots=True)
class PhoneListReader:
    """Feed it bytes as they come, then :meth:`finish`. Memory is bounded by the longest line that is accepted."""

    _buffer: bytearray = field(default_factory=bytearray)
    _line: int = 0
    _started: bool = False
    _header: tuple[str, ...] | None = None
    _decided: bool = False
    _overlong: bool = False
    _quoted: bytearray = field(default_factory=bytearray)  # a CSV record whose quote is still open
    _quoted_from: int = 0

    def feed(self, data: bytes) -> Iterator[ListRow | BadLine]:
        self._buffer += data
        if not self._started:
            if len(self._buffer) < 3 and _BOM.startswith(bytes(self._buffer)):
                return
            if self._buffer.startswith(_BOM):
                del self._buffer[:3]
            self._started = True
        # A lone CR at the very end may be half of a CRLF: it waits for the next piece.
        held = b"\r" if self._buffer.endswith(b"\r") else b""
        body = bytes(self._buffer[: len(self._buffer) - len(held)])
        if b"\r" in body:
            body = body.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        lines = body.split(b"\n")
        tail = lines.pop()
        self._buffer = bytearray(tail + held)
        for raw in lines:
            self._line += 1
            if self._overlong:
                self._overlong = False
                continue
            yield from self._one(raw)
        if len(self._buffer) > MAX_LINE and not self._overlong:
            self._overlong = True
            yield BadLine(self._line + 1, f"is longer than {MAX_LINE} bytes")
        if self._overlong:
            self._buffer = bytearray(held)

    def finish(self) -> Iterator[ListRow | BadLine]:
        """The last line, which may lack its line end."""
        last = bytes(self._buffer).rstrip(b"\r")
        self._buffer.clear()
        if last and not self._overlong:
            if not self._started and last.startswith(_BOM):
                last = last[3:]
            self._line += 1
            yield from self._one(last)
        if self._quoted:
            yield BadLine(self._quoted_from, "opens a quote that never closes")
            self._quoted.clear()

    def _one(self, raw: bytes) -> Iterator[ListRow | BadLine]:
        if self._quoted:
            self._quoted += b"\n" + raw
            if len(self._quoted) > MAX_LINE:
                yield BadLine(self._quoted_from, f"opens a quote that does not close within {MAX_LINE} bytes")
                self._quoted.clear()
            elif self._quoted.count(b'"') % 2 == 0:
                record = bytes(self._quoted)
                self._quoted.clear()
                yield from self._record(self._quoted_from, record)
            return
        if self._header is not None and raw.count(b'"') % 2:
            self._quoted += raw
            self._quoted_from = self._line
            return
        yield from self._record(self._line, raw)

    def _record(self, line: int, raw: bytes) -> Iterator[ListRow | BadLine]:
        if len(raw) > MAX_LINE:
            yield BadLine(line, f"is longer than {MAX_LINE} bytes")
            return
        try:
            text = raw.decode("utf-8").strip()
        except UnicodeDecodeError:
            yield BadLine(line, "is not UTF-8", raw[:40].decode("utf-8", "replace"))
            return
        if not text or text.startswith("#"):
            return
        if "\0" in text:
            yield BadLine(line, "holds a NUL character")
            return
        if not self._decided:
            self._decided = True
            if self._is_header(text):
                return
        if self._header is None:
            yield ListRow(line, text)
        else:
            yield self._csv_row(line, text)

    def _is_header(self, text: str) -> bool:
        names = [name.strip() for name in next(csv.reader([text], skipinitialspace=True))]
        if names[0].lower() != "destination":
            return False
        if len(names) > MAX_COLUMNS:
            raise ListError(f"the header names more than {MAX_COLUMNS} columns")
        lowered = [name.lower() for name in names]
        if len(set(lowered)) != len(lowered):
            raise ListError("the header names a column twice")
        if any(not name for name in names):
            raise ListError("the header has a column without a name")
        self._header = tuple(names)
        return True

    def _csv_row(self, line: int, text: str) -> ListRow | BadLine:
        assert self._header is not None
        try:
            values = next(csv.reader([text], skipinitialspace=True, strict=True))
        except (csv.Error, StopIteration) as error:
            return BadLine(line, f"is not CSV: {error}", text[:40])
        if len(values) > len(self._header):
            return BadLine(line, f"has {len(values)} columns, the header {len(self._header)}", text[:40])
        for name, value in zip(self._header, values, strict=False):
            if len(value) > MAX_VALUE and name != self._header[0]:
                return BadLine(line, f"column {name} is longer than {MAX_VALUE} characters", text[:40])
        pairs = tuple((name, value) for name, value in zip(self._header[1:], values[1:], strict=False) if value)
        named = tuple((name.lower() if name.lower() in OVERRIDES else name, value) for name, value in pairs)
        if not values or not values[0].strip():
            return BadLine(line, "has no destination", text[:40])
        return ListRow(line, values[0].strip(), named)
