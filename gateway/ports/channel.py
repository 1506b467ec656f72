"""One answered channel: its FastAGI session, the audio that is tapped from it, and the judgement of who answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from gateway.core.model import (
    CalleeType,
)


class ChannelGone(Exception):
    """The callee hung up, or the AGI link is lost: no command reaches the channel any more."""


class PlaybackFailed(Exception):
    """Asterisk could not play the file (missing, or a format it does not read)."""


class AgiChannel(Protocol):
    """One answered channel, as a FastAGI session. Every method raises :class:`ChannelGone` after the hang-up."""

    @property
    def path(self) -> str: ...
    @property
    def hung_up(self) -> bool: ...
    async def stream_file(self, file: str, escape_digits: str = "") -> str:
        """Play ``file`` (no extension); the digit that cut it short, or ``""``. Raises :class:`PlaybackFailed`."""
        ...

    async def until_hung_up(self) -> None:
        """Wait for the callee's hang-up, while no command is given. Nothing is lost where it is cancelled."""
        ...

    async def wait_for_digit(self, timeout_ms: int) -> str: ...
    async def record_file(
        self, file: str, fmt: str, escape_digits: str, timeout_ms: int, *, beep: bool, silence: int = 0
    ) -> str:
        """Record into ``file``; the digit that ended it, or ``""``. ``silence`` in whole seconds ends it too, 0 never.

        Raises :class:`PlaybackFailed` where it cannot be written.
        """
        ...

    async def execute(self, application: str, arguments: str = "", timeout: float = 600.0) -> str: ...
    async def get_variable(self, name: str) -> str | None: ...
    async def set_variable(self, name: str, value: str) -> None: ...
    async def hangup(self) -> None: ...


class Ear(Protocol):
    """Takes in what one tap hears: signed 16-bit little-endian mono at 8 kHz, in pieces of any size."""

    def began(self) -> None: ...
    def audio(self, pcm: bytes) -> None: ...
    def ended(self, why: str) -> None:
        """Nothing more comes, or nothing ever came. Called once."""
        ...


class Taps(Protocol):
    """Where Asterisk brings the audio of calls."""

    def expect(self, ear: Ear) -> str:
        """Expect one tap; where Asterisk is to bring it: ``HOST:PORT/UUID``, good for one connection within seconds."""
        ...

    def close(self, ear: Ear) -> None:
        """Hear no more of it; ``ear`` is told nothing more."""
        ...


@dataclass(frozen=True, slots=True)
class Detection:
    """A verdict on an answered call. ``confidence`` is 0..1; ``evidence`` goes into the attempt's record."""

    callee_type: CalleeType
    confidence: float
    evidence: Mapping[str, object] = field(default_factory=dict)


class Detector(Protocol):
    """Decides an answered call. Raises :class:`ChannelGone` when the callee hangs up first."""

    async def detect(self, channel: AgiChannel) -> Detection: ...
