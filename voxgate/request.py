"""What is asked of the gateway and how its answers are read: pure, so that both clients do the same."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from voxgate import models

T = TypeVar("T")

BASE = "/api/v1"
JSON, JSON_LINES, CSV = "application/json", "application/x-ndjson", "text/csv"
PIECE = 256 * 1024
#: Seconds of a Retry-After that are waited for; beyond, the refusal is raised.
LONGEST_WAIT = 60.0


class VoxgateError(Exception):
    """
    VoxgateError
    ├── Unreachable   no gateway answers there
    ├── Lost          the answer was lost: whether it was carried out is not known, unless a key was sent
    └── Refused       the gateway refuses; ``problem`` says what and why
    """


class Unreachable(VoxgateError):
    pass


class Lost(VoxgateError):
    pass


class Refused(VoxgateError):
    def __init__(self, problem: models.Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Upload:
    """A form with a file, which is read while it is sent."""

    fields: Mapping[str, str]
    path: Path
    sent: Callable[[int], None] = lambda count: None
    mark: str = field(default_factory=lambda: secrets.token_hex(16))

    @property
    def content_type(self) -> str:
        return f"multipart/form-data; boundary={self.mark}"

    @property
    def length(self) -> int:
        return len(self.head) + self.path.stat().st_size + len(self.tail)

    @property
    def head(self) -> bytes:
        parts = [
            f'--{self.mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in self.fields.items()
        ]
        listed = f'--{self.mark}\r\nContent-Disposition: form-data; name="phone_list"; filename="list"\r\n\r\n'
        return ("".join(parts) + listed).encode()

    @property
    def tail(self) -> bytes:
        return f"\r\n--{self.mark}--\r\n".encode()

    def pieces(self) -> Iterator[bytes]:
        yield self.head
        with self.path.open("rb") as source:
            while piece := source.read(PIECE):
                yield piece
                self.sent(len(piece))
        yield self.tail


@dataclass(frozen=True, slots=True)
class Request(Generic[T]):
    """``result`` is what the answer is read as; of a stream, what each line is. ``key`` makes it safe to repeat."""

    method: str
    path: str
    result: Any
    query: Mapping[str, Any] = field(default_factory=dict)
    body: bytes | Upload | None = None
    content_type: str = JSON
    key: str | None = None
    base: str = BASE

    @property
    def target(self) -> str:
        given = {name: _text(value) for name, value in self.query.items() if value is not None and value is not False}
        return self.base + quote(self.path) + (f"?{urlencode(given)}" if given else "")

    @property
    def headers(self) -> dict[str, str]:
        found = {"Accept": "*/*"}
        if isinstance(self.body, Upload):
            found |= {"Content-Type": self.body.content_type, "Content-Length": str(self.body.length)}
        elif self.body is not None:
            found["Content-Type"] = self.content_type
        if self.key is not None:
            found["Idempotency-Key"] = self.key
        return found

    @property
    def repeatable(self) -> bool:
        return self.method == "GET" or self.key is not None

    def with_key(self, key: str) -> Request[T]:
        return replace(self, key=key)

    def after(self, cursor: str) -> Request[T]:
        return replace(self, query={**self.query, "after": cursor})

    def read(self, content: bytes) -> T:
        found: T = msgspec.json.decode(content or b"null", type=self.result)
        return found


def _text(value: Any) -> str:
    return "true" if value is True else str(value)


def post(path: str, result: Any, body: object = None) -> Request[Any]:
    return Request("POST", path, result, body=None if body is None else msgspec.json.encode(body))


def refusal(status: int, content: bytes) -> Refused:
    """The problem that an answer tells of."""
    try:
        return Refused(msgspec.json.decode(content, type=models.Problem))
    except msgspec.MsgspecError:
        detail = content[:200].decode(errors="replace") or f"HTTP {status}"
        return Refused(
            models.Problem(type="about:blank", title=f"HTTP {status}", status=status, code="http", detail=detail)
        )


def pause(request: Request[Any], status: int, headers: Mapping[str, str]) -> float | None:
    """Seconds after which a refused request may be repeated; None where it may not."""
    wait = headers.get("Retry-After", "")
    if status == 429 or (status == 503 and request.repeatable):
        seconds = float(wait) if wait.isdigit() else 1.0
        return seconds if seconds <= LONGEST_WAIT else None
    return None


def authorization(login: str | None, pin: str | None, token: str | None) -> dict[str, str]:
    if token is not None:
        return {"Authorization": f"Bearer {token}"}
    if login is not None:
        return {"Authorization": "Basic " + base64.b64encode(f"{login}:{pin or ''}".encode()).decode()}
    return {}


@dataclass(slots=True)
class EventReader:
    """Server-sent events from bytes as they come (WHATWG HTML §9.2). ``last`` is the id to go on after."""

    last: int | None = None
    _ident: int | None = None
    _buffer: bytearray = field(default_factory=bytearray)
    _data: list[bytes] = field(default_factory=list)

    def feed(self, data: bytes) -> Iterator[models.Event]:
        self._buffer += data
        *lines, rest = bytes(self._buffer).split(b"\n")
        self._buffer[:] = rest
        for line in lines:
            if line.startswith(b"id:"):  # it comes before any event too: what there is to go on after
                self._ident = int(line[3:])
            elif line.startswith(b"data:"):
                self._data.append(line[5:].strip())
            elif not line.strip():
                self.last = self._ident
                if self._data:
                    event = msgspec.json.decode(b"\n".join(self._data), type=models.Event)
                    self._data.clear()
                    yield event
