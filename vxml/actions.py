"""What the interpreter asks of its host. Times are seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vxml.grammar.automaton import Matcher
    from vxml.types import Json


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


@dataclass(frozen=True, slots=True)
class Marked:
    """A place in a prompt whose passing is reported with the next input (VoiceXML 2.1 §6)."""

    name: str


Segment = Speech | Audio | Break | Marked


@dataclass(frozen=True, slots=True)
class Prompt:
    """Segments played in order. Where ``bargein`` is False no input is taken, and what was typed ahead is dropped
    (VoiceXML 2.0 §4.1.5, §4.1.8). ``bargein_type`` speech: any input ends it; hotword: only one that matches."""

    segments: tuple[Segment, ...]
    bargein: bool = True
    bargein_type: str = "speech"


@dataclass(frozen=True, slots=True)
class Waiting:
    """What the caller hears while a fetch takes long (fetchaudio): it begins after ``delay`` and then lasts at least
    ``minimum`` seconds (VoiceXML 2.0 §6.1.1)."""

    url: str
    delay: float
    minimum: float


@dataclass(frozen=True, slots=True)
class Fetch:
    """Get something. Answered by Fetched or FetchFailed. ``kind`` is document, script, grammar or data.

    ``form`` is what a POST carries; a GET's query is in ``url`` already. A value that is a recording's reference is a
    file's part of a multipart form.
    """

    url: str
    method: str = "GET"
    form: tuple[tuple[str, str], ...] = ()
    multipart: bool = False
    kind: str = "document"
    timeout: float | None = None
    max_age: float | None = None
    max_stale: float | None = None
    waiting: Waiting | None = None


@dataclass(frozen=True, slots=True)
class Play:
    """Play to the end, then answer Played. Digits typed meanwhile stay in the host's buffer."""

    prompts: tuple[Prompt, ...]


@dataclass(frozen=True, slots=True)
class Listen:
    """What a recogniser is to listen for. ``grammars`` are automata and functions of the words, most important first;
    ``properties`` are those of VoiceXML 2.0 §6.3.2, by name."""

    language: str
    grammars: tuple[object, ...]
    properties: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Collect:
    """Play the prompts, then take input: digits as :class:`vxml.Collector` says, speech where ``listen`` is given.

    Answered by Digits, Spoken, NoInput, NoMatch, TooLong, or Thrown. ``again``: the input that was waited for when
    Thrown came, which led nowhere: what was still being played may go on, and the answer to it is taken as ever.
    """

    prompts: tuple[Prompt, ...]
    matcher: Matcher
    timeout: float
    interdigit_timeout: float
    term_timeout: float
    term_char: str
    listen: Listen | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """Play the prompts, then record (VoiceXML 2.0 §2.3.6). Answered by Recorded, NoInput, Digits or Spoken.

    ``final_silence`` ends it; ``any_key`` says that every key does, else those of ``matcher``. A key that ended a
    recording comes with it, as :attr:`vxml.Recorded.term_char`; one that came before it, as Digits.
    """

    prompts: tuple[Prompt, ...]
    beep: bool
    max_time: float
    final_silence: float
    timeout: float
    any_key: bool
    content_type: str
    matcher: Matcher


@dataclass(frozen=True, slots=True)
class Transfer:
    """Play the prompts, then connect to ``destination`` (VoiceXML 2.0 §2.3.7, 2.1 §8). ``kind`` is blind, bridge or
    consultation. Answered by Transferred or TransferFailed. ``max_time`` 0 is without end."""

    prompts: tuple[Prompt, ...]
    destination: str
    kind: str
    connect_timeout: float
    max_time: float
    audio: str | None
    user_data: str
    matcher: Matcher
    listen: Listen | None = None


@dataclass(frozen=True, slots=True)
class Log:
    """For the application's log. Answered by Played."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Hang up. Answered by Hangup. ``values`` are for the host (VoiceXML 2.1 §9)."""

    values: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Exit:
    """The session is over. ``error`` is the uncaught event that ended it, None for a regular end.

    ``values`` are what <exit> handed to the host: its namelist, or its expr under the empty name.
    """

    error: str | None = None
    message: str = ""
    values: Mapping[str, Json] = field(default_factory=dict)


Action = Fetch | Play | Collect | Record | Transfer | Log | Disconnect | Exit
