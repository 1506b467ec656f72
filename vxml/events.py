"""What the host tells the interpreter in answer to an action. Times are seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fetched:
    """An HTTP answer of any status; ``url`` is the one after redirects."""

    url: str
    status: int
    body: bytes
    content_type: str = ""
    charset: str | None = None


@dataclass(frozen=True, slots=True)
class FetchFailed:
    """No answer could be had."""

    reason: str


@dataclass(frozen=True, slots=True)
class Played:
    """The action is done and asks for no other answer."""


@dataclass(frozen=True, slots=True)
class Mark:
    """The last <mark> that was reached before the input, and how long before (VoiceXML 2.1 §6)."""

    name: str
    time: float


@dataclass(frozen=True, slots=True)
class Digits:
    """The digits that matched, without the terminating character."""

    text: str
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What a recogniser heard; ``confidence`` is 0..1."""

    text: str
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Spoken:
    """A recogniser's hypotheses, best first. ``recording`` names the utterance where it was recorded."""

    hypotheses: tuple[Hypothesis, ...]
    mark: Mark | None = None
    recording: Recorded | None = None


@dataclass(frozen=True, slots=True)
class NoInput:
    """The timeout passed before any input."""

    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class NoMatch:
    """There was input that no grammar takes."""

    text: str = ""
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class TooLong:
    """Speech went on beyond maxspeechtimeout."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording. ``reference`` names it to the host: in <audio>, and as a part of a multipart submit.

    ``size`` 0 is none: a key ended it before it began.
    """

    reference: str
    duration: float
    size: int
    term_char: str | None = None
    reached_max_time: bool = False
    hung_up: bool = False  # the caller hung up, which ended it


@dataclass(frozen=True, slots=True)
class Transferred:
    """How a transfer ended (VoiceXML 2.0 §2.3.7): ``outcome`` is the form item's value, or empty for a blind transfer
    that was accepted. ``keyed`` or ``said`` is the input that ended a bridge early."""

    outcome: str
    duration: float = 0.0
    keyed: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True)
class TransferFailed:
    """It was not carried out; ``event`` is thrown, as error.connection.noroute."""

    event: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Hangup:
    """The caller hung up. May answer any action."""


@dataclass(frozen=True, slots=True)
class Thrown:
    """An event of the host's own, which interrupts a Collect where :meth:`vxml.Session.catches` says that a handler
    names it. It ends no dialog: where the handler's condition does not hold after all, it is passed over."""

    name: str
    message: str = ""


Event = (
    Fetched | FetchFailed | Played | Digits | Spoken | NoInput | NoMatch | TooLong | Recorded | Transferred
    | TransferFailed | Thrown | Hangup
)  # fmt: skip
