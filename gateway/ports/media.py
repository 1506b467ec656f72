"""What the network and speech give a session: documents, audio, rendered prompts, recordings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from gateway.core.model import AccountId


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file in a multipart form (RFC 7578)."""

    filename: str
    content_type: str
    body: bytes


class Cookies(Protocol):
    """One session's cookies (RFC 6265)."""

    def header(self, url: str) -> str: ...
    def store(self, url: str, lines: Iterable[str]) -> None: ...


class FetchPurpose(StrEnum):
    APPLICATION = "application"
    """Documents, audio, grammars, scripts and data of a VoiceXML session."""
    RESULT = "result"
    PREFLIGHT = "preflight"


@dataclass(frozen=True, slots=True)
class FetchRequest:
    url: str
    method: str = "GET"
    form: tuple[tuple[str, str | FilePart], ...] | None = None
    multipart: bool = False
    body: bytes | None = None  # sent as it is, in place of a form; its type is in ``headers``
    timeout: float = 15.0  # seconds for the whole exchange
    max_bytes: int = 4 * 1024 * 1024
    max_age: float | None = None  # seconds; VoiceXML 2.0 §6.1.2
    max_stale: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    keep_method: bool = False  # a redirect that would turn a POST into a GET is answered as it is
    cookies: Cookies | None = None  # sent, and added to
    purpose: FetchPurpose = FetchPurpose.APPLICATION
    account: AccountId | None = None  # whose fetch it is: each has a share of the connections


@dataclass(frozen=True, slots=True)
class FetchResponse:
    url: str  # after redirects
    status: int
    content_type: str
    charset: str | None
    body: bytes


class FetchErrorKind(StrEnum):
    REFUSED = "refused"
    """The SSRF guard: the message names the configuration line that would allow it."""
    TIMEOUT = "timeout"
    CONNECT = "connect"
    TOO_LARGE = "too_large"
    PROTOCOL = "protocol"


class FetchError(Exception):
    """No answer could be had. An HTTP error status is not one: it is a :class:`FetchResponse`."""

    def __init__(self, kind: FetchErrorKind, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Fetcher(Protocol):
    async def fetch(self, request: FetchRequest) -> FetchResponse: ...


class SpeechError(Exception):
    """The text could not be rendered."""


class Speech(Protocol):
    async def render(self, ssml: str, language: str) -> bytes:
        """A mono 8 kHz 16-bit WAV file of the text. ``ssml`` is a complete ``<speak>`` document."""
        ...


@dataclass(frozen=True, slots=True)
class MediaRef:
    """Audio by content: ``digest`` is the SHA-256 of its WAV bytes; ``asterisk_name`` is what STREAM FILE is given."""

    digest: str
    asterisk_name: str
    seconds: float


@dataclass(frozen=True, slots=True)
class RecordingRef:
    """A callee's recording: ``name`` is ours, ``asterisk_name`` is what RECORD FILE is given."""

    name: str
    asterisk_name: str


class MediaError(Exception):
    """The audio is in no format that can be converted, or could not be kept."""


class Media(Protocol):
    """Audio in the form that Asterisk plays, kept by content."""

    async def keep(self, audio: bytes, content_type: str = "") -> MediaRef:
        """Convert to mono 8 kHz 16-bit WAV, keep, and tell its name. Raises :class:`MediaError`."""
        ...

    def new_recording(self) -> RecordingRef:
        """A name that nothing has yet and nobody can guess."""
        ...

    async def keep_recording(self, name: str, pcm: bytes) -> bytes:
        """Keep what the gateway itself recorded, under a name of :meth:`new_recording`; the WAV file that it became.

        ``pcm`` is signed 16-bit little-endian mono at 8 kHz. Raises :class:`MediaError`.
        """
        ...

    async def recording(self, name: str) -> bytes:
        """The WAV file that was recorded. Raises :class:`MediaError`."""
        ...

    async def converted(self, wav: bytes, content_type: str) -> bytes:
        """A recording as a type of VoiceXML 2.0 Appendix E: WAV as it is, or G.711 without a header."""
        ...

    async def forget(self, name: str) -> None:
        """Remove a recording, if it is there."""
        ...
