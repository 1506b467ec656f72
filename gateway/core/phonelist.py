"""Reads an uploaded list of numbers piece by piece: plain text, or CSV whose first column is destination."""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlencode

MAX_LINE = 4096
#: A CSV record of more lines is taken for a quote that somebody forgot to close.
MAX_RECORD_LINES = 20
MAX_COLUMNS = 64
MAX_VALUE = 255
_BOM = b"\xef\xbb\xbf"
#: One CSV field; a quote counts only where it begins one (RFC 4180 §2).
_FIELD = re.compile(rb' *"[^"]*(?:""[^"]*)*(?:"[^,]*|(?P<open>\Z))|[^,]*')
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
    _open: list[tuple[int, bytes]] = field(default_factory=list)  # lines of a CSV record whose quote is still open
    _open_bytes: int = 0

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
            yield from self._lines((self._line, raw))
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
            yield from self._lines((self._line, last))
        while self._open:
            (line, _), *others = self._take_open()
            yield BadLine(line, "opens a quote that never closes")
            yield from self._lines(*others)

    def _lines(self, *lines: tuple[int, bytes]) -> Iterator[ListRow | BadLine]:
        """A record that is no CSV over several lines costs only its first line: the others are read again."""
        waiting = deque(lines)
        while waiting:
            line, raw = waiting.popleft()
            if not self._open and not (self._header is not None and raw.count(b'"') % 2 and _leaves_open(raw)):
                yield from self._record(line, raw)
                continue
            inside = bool(self._open)
            self._open.append((line, raw))
            self._open_bytes += len(raw) + 1
            reason = ""
            if self._open_bytes > MAX_LINE or len(self._open) > MAX_RECORD_LINES:
                reason = f"opens a quote that does not close within {MAX_LINE} bytes and {MAX_RECORD_LINES} lines"
            elif inside and not _leaves_open(b'"' + raw):
                record = b"\n".join(raw for _, raw in self._open)
                if _is_csv(record):
                    yield from self._record(self._take_open()[0][0], record)
                    continue
                reason = "opens a quote, and what follows where it closes is no CSV"
            if reason:
                (line, _), *others = self._take_open()
                yield BadLine(line, reason)
                waiting.extendleft(reversed(others))

    def _take_open(self) -> list[tuple[int, bytes]]:
        lines, self._open, self._open_bytes = self._open, [], 0
        return lines

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


def _leaves_open(raw: bytes) -> bool:
    """Whether a line ends within a quoted field."""
    start = 0
    while start <= len(raw):
        found = _FIELD.match(raw, start)
        assert found is not None
        if found["open"] is not None:
            return True
        start = found.end() + 1
    return False


def _is_csv(record: bytes) -> bool:
    try:
        next(csv.reader([record.decode("utf-8", "replace")], skipinitialspace=True, strict=True))
    except csv.Error:
        return False
    return True
