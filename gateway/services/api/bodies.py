"""Bodies that are too large for memory: spooled to disk, and read as forms, lists or lines."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
from aiohttp import web

from gateway.core.jsonlist import JsonListReader
from gateway.core.phonelist import PhoneListReader
from gateway.core.plum import QUEUECALL, FieldError, Submission, read_submission
from gateway.services.api.problems import Code, Problem
from gateway.services.intake.form import Form, keep_piece, new_spool_file, read_form
from voxgate import models

JSON_LINES = "application/x-ndjson"
CSV = "text/csv"
PLAIN = "text/plain"
FORM = "multipart/form-data"
MAX_LINE = 16_384
BATCH = 200
#: Stands for a PIN where the caller was authenticated already.
NO_PIN = "-"


@asynccontextmanager
async def spooled(request: web.Request, spool: Path, limit: int) -> AsyncIterator[tuple[Path, bytes]]:
    """The body in a file, until the block ends, and its SHA-256. Raises :class:`Problem`."""
    digest, taken = hashlib.sha256(), 0
    file = await asyncio.to_thread(new_spool_file, spool)
    path = Path(file.name)
    try:
        with file:
            async for piece in request.content.iter_chunked(256 * 1024):
                taken += len(piece)
                if taken > limit:
                    raise Problem(Code.TOO_LARGE, f"the body is larger than {limit} bytes")
                digest.update(piece)
                await asyncio.to_thread(keep_piece, file, piece)
        yield path, digest.digest()
    finally:
        path.unlink(missing_ok=True)


@asynccontextmanager
async def campaign_form(request: web.Request, spool: Path) -> AsyncIterator[tuple[Form, Path, bytes]]:
    """A form with its list spooled, until the block ends, and the SHA-256 of both."""
    form = await read_form(request, spool)
    try:
        if form.upload is None:
            raise FieldError("phone_list", "must be an uploaded file")
        mark = await asyncio.to_thread(_digest, form.fields, form.upload)
        yield form, form.upload, mark
    finally:
        form.close()


def _digest(fields: list[tuple[str, str]], path: Path) -> bytes:
    digest = hashlib.sha256(msgspec.json.encode(sorted(fields)))
    with path.open("rb") as file:
        while piece := file.read(256 * 1024):
            digest.update(piece)
    return digest.digest()


def list_reader(request: web.Request) -> PhoneListReader | JsonListReader:
    """Raises :class:`Problem`."""
    match request.content_type:
        case "text/csv" | "text/plain":
            return PhoneListReader()
        case "application/x-ndjson":
            return JsonListReader()
        case other:
            raise Problem(Code.MEDIA_TYPE, f"the body is {other}: send {CSV}, {PLAIN} or {JSON_LINES}")


def submission_of(endpoint: str, login: str, asked: models.Plan, **more: str) -> Submission:
    """A request as the contract's variables, whose rules hold for it too. Raises :class:`FieldError`."""
    values = msgspec.to_builtins(asked)
    given = [
        (name, str(value))
        for name, value in values.items()
        if value is not None and name not in ("account", "paused") and not (name.endswith("_timestamp") and value == 0)
    ]
    return read_submission(endpoint, [("login", login), ("pin", NO_PIN), *given, *more.items()])


# --- lines that are calls ---


@dataclass(frozen=True, slots=True)
class Line:
    """One call of a stream, or why it is none. ``text`` is what makes it the same line when it is sent again."""

    number: int
    text: bytes
    call: models.NewCall | None
    error: Exception | None = None


class CallLines:
    """Reads a spooled stream of calls in a worker thread, a batch at a call."""

    def __init__(self, path: Path, kind: str) -> None:
        self._file = path.open("rb")
        self._lines = self._csv() if kind == CSV else self._json()

    def close(self) -> None:
        self._file.close()

    def next(self) -> list[Line]:
        return list(itertools.islice(self._lines, BATCH))

    def _json(self) -> Iterator[Line]:
        decoder = msgspec.json.Decoder(models.NewCall)
        for number, line in enumerate(self._bounded(), 1):
            if not (text := line.strip()):
                continue
            try:
                yield Line(number, text, decoder.decode(text))
            except (msgspec.MsgspecError, RecursionError) as error:
                yield Line(number, text, None, error)

    def _csv(self) -> Iterator[Line]:
        reader = csv.DictReader((line.decode("utf-8-sig", errors="replace") for line in self._bounded()), strict=True)
        while True:
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Line(max(1, reader.line_num), b"", None, FieldError("line", f"is no CSV: {error}"))
                return
            given = {name: value for name, value in row.items() if value not in (None, "")}
            text = msgspec.json.encode([[str(name), str(value)] for name, value in given.items()])
            try:
                if None in row:
                    raise FieldError("line", "has more fields than the header")
                yield Line(reader.line_num, text, msgspec.convert(given, models.NewCall, strict=False))
            except (msgspec.ValidationError, FieldError) as error:
                yield Line(reader.line_num, text, None, error)

    def _bounded(self) -> Iterator[bytes]:
        """The file's lines; what a line has beyond the limit is left out, so that it is refused and fills no memory."""
        while line := self._file.readline(MAX_LINE):
            yield line
            while len(line) == MAX_LINE and not line.endswith(b"\n"):
                line = self._file.readline(MAX_LINE)


def single_call(login: str, asked: models.NewCall) -> Submission:
    return submission_of(QUEUECALL, login, asked)
