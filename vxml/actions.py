"""What the interpreter asks of its host. Times are seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vxml.grammar.dtmf import Matcher


@dataclass(frozen=True, slots=True)
class Speech:
    """Text to be spoken: ``ssml`` is a complete SSML 1.0 document."""

    ssml: str
    language: str


@dataclass(frozen=True, slots=True)
class Audio:
    """A file to be played; where it cannot be had, ``fallback`` is played instead (VoiceXML 2.0 §4.1.3)."""

    url: str
    fallback: tuple[Segment, ...] = ()
    timeout: float | None = None
    max_age: float | None = None
    max_stale: float | None = None


@dataclass(frozen=True, slots=True)
class Break:
    """A silence."""

    seconds: float


Segment = Speech | Audio | Break


@dataclass(frozen=True, slots=True)
class Prompt:
    """Segments played in order. Where ``bargein`` is False no input is taken, and what was typed ahead is dropped
    (VoiceXML 2.0 §4.1.5, §4.1.8)."""

    segments: tuple[Segment, ...]
    bargein: bool = True


@dataclass(frozen=True, slots=True)
class Fetch:
    """Get a document or a script. Answered by Fetched or FetchFailed.

    ``form`` is what a POST carries; a GET's query is in ``url`` already. ``kind`` is ``document`` or ``script``.
    """

    url: str
    method: str = "GET"
    form: tuple[tuple[str, str], ...] = ()
    multipart: bool = False
    kind: str = "document"
    timeout: float | None = None
    max_age: float | None = None
    max_stale: float | None = None


@dataclass(frozen=True, slots=True)
class Play:
    """Play to the end, then answer Played. Digits typed meanwhile stay in the host's buffer."""

    prompts: tuple[Prompt, ...]


@dataclass(frozen=True, slots=True)
class Collect:
    """Play the prompts, then take digits as :class:`vxml.Collector` says. Answered by Digits, NoInput or NoMatch."""

    prompts: tuple[Prompt, ...]
    matcher: Matcher
    timeout: float
    interdigit_timeout: float
    term_timeout: float
    term_char: str


@dataclass(frozen=True, slots=True)
class Log:
    """For the application's log. Answered by Played."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Hang up. Answered by Hangup."""


@dataclass(frozen=True, slots=True)
class Exit:
    """The session is over. ``error`` is the uncaught event that ended it, None for a regular end."""

    error: str | None = None
    message: str = ""


Action = Fetch | Play | Collect | Log | Disconnect | Exit
