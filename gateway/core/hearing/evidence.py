"""The words of hearing: what was heard and when, and what follows from it. Times are seconds of the stream."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateway.core.model import CalleeType


class Tone(StrEnum):
    """A tone that tells of a failed call. SIT categories as in Telcordia GR-674, ``itu`` as in ITU-T E.180."""

    SIT_IC = "sit-ic"
    SIT_VC = "sit-vc"
    SIT_NC = "sit-nc"
    SIT_RO = "sit-ro"
    SIT_IO = "sit-io"
    SIT_ITU = "sit-itu"
    BUSY = "busy"
    REORDER = "reorder"


TONES: dict[Tone, CalleeType] = {
    Tone.SIT_IC: CalleeType.OPERATOR,
    Tone.SIT_VC: CalleeType.OPERATOR,
    Tone.SIT_NC: CalleeType.INFORMATIONTONE,
    Tone.SIT_RO: CalleeType.INFORMATIONTONE,
    Tone.SIT_IO: CalleeType.INFORMATIONTONE,
    Tone.SIT_ITU: CalleeType.INFORMATIONTONE,
    Tone.BUSY: CalleeType.BUSY,
    Tone.REORDER: CalleeType.INFORMATIONTONE,
}


class Sound(StrEnum):
    """What a stretch of audio was."""

    RINGBACK = "ringback"
    BUSY = "busy"
    REORDER = "reorder"
    SIT = "sit"
    CED = "ced"  # 2100 Hz, ITU-T T.30
    ANSAM = "ansam"  # 2100 Hz with 15 Hz amplitude modulation, ITU-T V.8
    CNG = "cng"  # 1100 Hz of a calling fax, ITU-T T.30
    V21 = "v21"  # HDLC flags at 300 bit/s, ITU-T V.21 and T.30
    BEEP = "beep"
    DTMF = "dtmf"
    TONE = "tone"  # any other steady tone
    SPEECH = "speech"  # anything loud that is no tone: voices, music, noises
    SILENCE = "silence"

    @property
    def fax(self) -> bool:
        return self in (Sound.CED, Sound.ANSAM, Sound.CNG, Sound.V21)


@dataclass(frozen=True, slots=True)
class Evidence:
    """``sound`` was heard from ``start`` to ``end`` and recognised at ``known``; a fax tone may go on after ``end``.

    ``hz`` are its frequencies, lowest first. ``tone`` is the category of a SIT, busy or reorder.
    """

    sound: Sound
    start: float
    end: float
    known: float
    hz: tuple[float, ...] = ()
    tone: Tone | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who answered, as far as is known at ``at``. ``confidence`` is 0..1; a later verdict replaces an earlier one."""

    callee_type: CalleeType
    confidence: float
    at: float
    reason: str
    tone: Tone | None = None
