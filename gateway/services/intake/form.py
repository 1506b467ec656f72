"""Reads a request's form, urlencoded or multipart in any order of parts, without holding a list in memory."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from urllib.parse import parse_qsl

from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http_exceptions import HttpProcessingError

MAX_VALUE = 64 * 1024
MAX_FIELDS = 100
#: A urlencoded body may carry a short list of numbers as text.
MAX_URLENCODED = 4 * 1024 * 1024
PIECE = 256 * 1024
#: Bytes of the disk that lists leave free: they may come from strangers, and the database must go on being written.
RESERVED = 256 * 1024 * 1024
#: What aiohttp raises of a body that is no form: of its encoding, boundary or charset, or of a part's headers.
MALFORMED = (
    ValueError, LookupError, AssertionError, RuntimeError, HttpProcessingError, web.RequestPayloadError
)  # fmt: skip
_PREFIX = "list-"


class FormError(ValueError):
    """A body that cannot be read as a form; the message says why."""


class SpoolFull(FormError):
    """The disk is nearly full."""

    def __init__(self) -> None:
        super().__init__("the gateway's disk is nearly full; nothing was queued: try again later")


@dataclass(slots=True)
class Form:
    """``upload`` is the spooled phone_list; :meth:`close` removes it."""

    fields: list[tuple[str, str]] = field(default_factory=list)
    upload: Path | None = None

    def close(self) -> None:
        if self.upload is not None:
            self.upload.unlink(missing_ok=True)


def clear_spool(spool: Path) -> None:
    """Remove the lists that a killed process left behind."""
    for path in spool.glob(f"{_PREFIX}*"):
        path.unlink(missing_ok=True)


def new_spool_file(spool: Path) -> IO[bytes]:
    spool.mkdir(mode=0o700, parents=True, exist_ok=True)  # numbers and what is said of them
    return tempfile.NamedTemporaryFile(dir=spool, prefix=_PREFIX, delete=False)


def keep_piece(file: IO[bytes], piece: bytes) -> None:
    """Raises :class:`SpoolFull`."""
    if shutil.disk_usage(Path(file.name).parent).free < RESERVED + len(piece):
        raise SpoolFull
    file.write(piece)


async def read_form(request: web.Request, spool: Path) -> Form:
    """Raises :class:`FormError`, and ``HTTPRequestEntityTooLarge``. The caller closes the form."""
    kind = request.content_type.lower()
    form = Form()
    try:
        if kind == "multipart/form-data":
            await _multipart(request, form, spool)
        elif kind in ("application/x-www-form-urlencoded", "application/octet-stream", "text/plain"):
            await _urlencoded(request, form)
        else:
            raise FormError(f"the body is {kind}: send application/x-www-form-urlencoded or multipart/form-data")
    except BaseException as error:
        form.close()
        if isinstance(error, MALFORMED) and not isinstance(error, FormError):
            raise FormError(f"the body is malformed: {str(error)[:200]}") from None
        raise
    return form


async def _urlencoded(request: web.Request, form: Form) -> None:
    body = await request.content.read(MAX_URLENCODED + 1)
    while len(body) <= MAX_URLENCODED and (more := await request.content.read(MAX_URLENCODED + 1 - len(body))):
        body += more
    if len(body) > MAX_URLENCODED:
        raise FormError(f"the body is larger than {MAX_URLENCODED} bytes: upload long lists as multipart/form-data")
    try:
        form.fields = parse_qsl(
            body.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS
        )
    except UnicodeDecodeError:
        raise FormError("the body is not UTF-8") from None
    except ValueError as error:
        raise FormError(f"the body is no form: {error}") from None


async def _multipart(request: web.Request, form: Form, spool: Path) -> None:
    taken, limit = 0, request.client_max_size

    def received(count: int) -> None:
        nonlocal taken
        taken += count
        if taken > limit:  # aiohttp leaves the sum of the parts to its reader
            raise web.HTTPRequestEntityTooLarge(limit, taken)

    reader = await request.multipart()
    while (part := await reader.next()) is not None:
        if isinstance(part, MultipartReader):
            raise FormError("the body holds a multipart within the multipart")
        await _part(part, form, spool, received)
        if len(form.fields) > MAX_FIELDS:
            raise FormError(f"the form has more than {MAX_FIELDS} parts")


async def _part(part: BodyPartReader, form: Form, spool: Path, received: Callable[[int], None]) -> None:
    name = part.name
    if name is None:
        raise FormError("a part of the form has no name")
    if name == "phone_list" and any(given == name for given, _ in form.fields):
        raise FormError("phone_list is given more than once")
    if name == "phone_list" and part.filename is not None:
        form.upload = await _spool(part, spool, received)
        form.fields.append((name, ""))
        return
    value = bytearray()
    while piece := await part.read_chunk(65536):
        value += piece
        received(len(piece))
        if len(value) > (MAX_URLENCODED if name == "phone_list" else MAX_VALUE):
            raise FormError(f"{name[:40]} is too long")
    try:
        form.fields.append((name, value.decode("utf-8")))
    except UnicodeDecodeError:
        raise FormError(f"{name[:40]} is not UTF-8") from None


async def _spool(part: BodyPartReader, folder: Path, received: Callable[[int], None]) -> Path:
    with new_spool_file(folder) as file:
        path = Path(file.name)
        try:
            while piece := await part.read_chunk(PIECE):
                received(len(piece))
                await asyncio.to_thread(keep_piece, file, piece)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    return path
