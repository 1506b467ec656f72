"""Reads a list of numbers that comes as JSON Lines, piece by piece, as the reader of phone lists does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from gateway.core.phonelist import MAX_COLUMNS, MAX_LINE, MAX_VALUE, BadLine, ListRow

#: The number itself; all other names are variables of that call, as the columns of a CSV list are.
NAMES = ("phone_number", "destination")
_Value = str | int | float | bool | None


@dataclass(slots=True)
class JsonListReader:
    """Feed it bytes as they come, then :meth:`finish`. Each line is an object, as ``{"phone_number": "+1617…"}``."""

    _buffer: bytearray = field(default_factory=bytearray)
    _line: int = 0
    _overlong: bool = False
    _decoder: msgspec.json.Decoder[dict[str, _Value]] = field(
        default_factory=lambda: msgspec.json.Decoder(dict[str, _Value])
    )

    def feed(self, data: bytes) -> Iterator[ListRow | BadLine]:
        self._buffer += data
        *lines, rest = bytes(self._buffer).split(b"\n")
        self._buffer[:] = rest
        for line in lines:
            yield from self._take(line)
        if len(self._buffer) > MAX_LINE:
            self._overlong = True
            self._buffer.clear()

    def finish(self) -> Iterator[ListRow | BadLine]:
        if self._buffer or self._overlong:
            yield from self._take(bytes(self._buffer))
            self._buffer.clear()

    def _take(self, line: bytes) -> Iterator[ListRow | BadLine]:
        self._line += 1
        if self._overlong or len(line) > MAX_LINE:
            self._overlong = False
            yield BadLine(self._line, f"is longer than {MAX_LINE} bytes")
        elif line.strip():
            yield self._row(line)

    def _row(self, line: bytes) -> ListRow | BadLine:
        try:
            values = self._decoder.decode(line)
        except msgspec.MsgspecError as error:
            return BadLine(
                self._line, f"is no JSON object of plain values: {error}", line[:60].decode(errors="replace")
            )
        number = next((values.pop(name) for name in NAMES if name in values), None)
        if not isinstance(number, str) or not number.strip():
            return BadLine(self._line, "has no phone_number")
        variables = tuple((name, _text(value)) for name, value in values.items() if value not in (None, ""))
        if len(variables) > MAX_COLUMNS:
            return BadLine(self._line, f"has more than {MAX_COLUMNS} variables", number)
        for name, value in variables:
            if len(value) > MAX_VALUE:
                return BadLine(self._line, f"{name[:40]} is longer than {MAX_VALUE} characters", number)
        return ListRow(self._line, number, variables)


def _text(value: _Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
