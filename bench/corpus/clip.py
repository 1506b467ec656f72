"""What a clip is: a call's audio from the answer on, with everything that is known of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from gateway.core.model import CalleeType

RATE = 8000
BYTES_PER_SECOND = 2 * RATE


class Fold(StrEnum):
    """No speaker, and no text of a speaker's language, is in two folds.

    Models and settings are fitted and cross-validated on ``train`` and ``dev``. ``final`` is for measuring, and nobody
    tunes on it: its German, Dutch, Danish, Swedish, Greek, Slovene, Lithuanian and Finnish are in no other fold.
    """

    TRAIN = "train"
    DEV = "dev"
    FINAL = "final"


class Origin(StrEnum):
    """Who speaks. What is known of people comes from ``recorded`` and ``own``: synthetic voices say little."""

    RECORDED = "recorded"
    SYNTHETIC = "synthetic"
    OWN = "own"


class Kind(StrEnum):
    """How the callee opens the call."""

    ONCE = "once"
    AGAIN = "again after a pause"
    JOINED = "two short phrases"
    BUSINESS = "business greeting"
    TALK = "others talk"
    MUSIC = "music or television"
    COUGH = "a noise first"
    QUIET = "says nothing"
    GREETING = "greeting"
    LONG = "long greeting"
    SHORT = "one short sentence"
    LATE = "short phrase first"
    JOKE = "as if a person waited"
    NUMBER = "says a number"
    FULL = "no beep, hangs up"
    BEEPS = "several beeps"


@dataclass(frozen=True, slots=True)
class Clip:
    """One callee. ``pcm`` is 16-bit little-endian mono at 8 kHz and begins with the answer, from which all times count.

    ``unsent`` are the seconds after the answer in which the line sends nothing at all: its first packet comes late.
    ``speech`` are the stretches in which the callee speaks, ``beeps`` the ends of beeps, which are
    made as ``beep`` says. ``level`` is the speech's, in
    dB under a full-scale sine; ``snr`` is in dB, None where there is no more noise than a quiet room's. ``loss`` is the
    share of lost 20 ms packets, ``concealed`` whether the last packet was repeated in their place.
    """

    name: str
    fold: Fold
    origin: Origin
    source: str
    speaker: str
    language: str
    texts: tuple[str, ...]
    callee: CalleeType
    kind: Kind | None
    unsent: float
    delay: float
    level: float
    snr: float | None
    noise: str | None
    codec: str
    loss: float
    concealed: bool
    echo: bool
    speech: tuple[tuple[float, float], ...]
    beeps: tuple[float, ...]
    beep: str | None
    pcm: bytes

    @property
    def seconds(self) -> float:
        return len(self.pcm) / BYTES_PER_SECOND

    def plain(self) -> dict[str, Any]:
        """Everything but the audio, for the manifest."""
        fields = asdict(self)
        del fields["pcm"]
        return fields

    @staticmethod
    def read(fields: dict[str, Any], pcm: bytes) -> Clip:
        return Clip(
            **{
                **fields,
                "fold": Fold(fields["fold"]),
                "origin": Origin(fields["origin"]),
                "callee": CalleeType(fields["callee"]),
                "kind": None if fields["kind"] is None else Kind(fields["kind"]),
                "texts": tuple(fields["texts"]),
                "speech": tuple((start, end) for start, end in fields["speech"]),
                "beeps": tuple(fields["beeps"]),
            },
            pcm=pcm,
        )
