"""What the host tells the interpreter in answer to an action."""

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
class Digits:
    """The digits that matched, without the terminating character."""

    text: str


@dataclass(frozen=True, slots=True)
class NoInput:
    """The timeout passed before any input."""


@dataclass(frozen=True, slots=True)
class NoMatch:
    """There was input that no grammar takes."""

    text: str = ""


@dataclass(frozen=True, slots=True)
class Hangup:
    """The caller hung up. May answer any action."""


Event = Fetched | FetchFailed | Played | Digits | NoInput | NoMatch | Hangup
