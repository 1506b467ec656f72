"""Samples in, evidence out: every recogniser on one stream, whatever the chunks it comes in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from gateway.core.hearing.activity import activity
from gateway.core.hearing.beep import SECONDS, Beeps
from gateway.core.hearing.cadence import Cadence
from gateway.core.hearing.evidence import Evidence, Sound
from gateway.core.hearing.fax import V21, AnswerTones
from gateway.core.hearing.net import Net, shipped
from gateway.core.hearing.prosody import Prosody
from gateway.core.hearing.runs import Tone, Tracker
from gateway.core.hearing.sit import SpecialInformation
from gateway.core.hearing.spectrum import HOP, RATE, Analyser, Frame
from gateway.core.hearing.voice import Voice

#: Hops taken in at once: many, because NumPy's cost is by the call; one by one where a beep may end.
MANY: Final = 4
_BYTES: Final = 2 * HOP
#: Steady tones longer than any beep (seconds) stand in the timeline as such.
LONG_TONE: Final = SECONDS[1]


class Listener:
    """Knows no time but the count of samples, so that a file and a call tell the same."""

    def __init__(self, speech: Net | None = None) -> None:
        self.voice = Voice()
        self.at = 0.0  # seconds of the stream that the evidence has come to
        self.known = 0.0  # seconds of the stream that it took
        self._bytes = bytearray()
        self._given = 0
        self._hops = 0
        self._analyser = Analyser()
        self.prosody = Prosody(self._analyser.at)
        self._speech = speech or shipped()
        self._tracker = Tracker()
        self._cadence, self._sit, self._beeps = Cadence(), SpecialInformation(), Beeps()
        self._answer_tones, self._v21 = AnswerTones(), V21()

    @property
    def given(self) -> float:
        """Seconds of audio taken in."""
        return self._given / 2 / RATE

    @property
    def sounding(self) -> bool:
        """Whether a tone sounds at :attr:`at`, and no voice's."""
        return self._tracker.run is not None and self._tracker.run.steady

    def expect_beep(self, *, expected: bool) -> None:
        """Whether a machine was heard, whose beep is near."""
        self._beeps.expected = expected

    def attend(self) -> None:
        """Another line begins: what is known of the noise so far does not hold."""
        self.prosody = Prosody(self._analyser.at)

    def feed(self, pcm: bytes) -> Iterator[list[Evidence]]:
        """``pcm`` is signed 16-bit little-endian mono at 8 kHz, cut anywhere, even inside a sample.

        Yields what each batch shows, the empty list too, because time has passed.
        """
        self._bytes += pcm
        self._given += len(pcm)
        while len(self._bytes) >= (wanted := self._wanted() * _BYTES):
            samples = np.frombuffer(bytes(self._bytes[:wanted]), dtype="<i2")
            del self._bytes[:wanted]
            self._hops += len(samples) // HOP
            yield self._hear(samples)

    def _wanted(self) -> int:
        """Hops to take next. Their grid is kept, so that the frames that are computed together stay so."""
        if self.sounding or self._beeps.waiting:
            return 1
        return MANY - self._hops % MANY

    def flush(self) -> list[Evidence]:
        """The stream is over: what still sounds ends here."""
        end = self.given
        silence = bytes(2 * MANY * _BYTES - len(self._bytes))  # what the last frames need
        found = [one for batch in self.feed(silence) for one in batch]
        tone = self._tracker.flush()
        found += [] if tone is None else self._tone(tone, end)
        found += [one for one in (self._beeps.flush(end), self.voice.flush(end)) if one is not None]
        return found

    def _hear(self, batch: npt.NDArray[np.int16]) -> list[Evidence]:
        power = self._analyser.power(batch)
        self.prosody.push(power)
        odds = self._speech.odds(activity(self.prosody, len(power)))
        self.prosody.odds[self.prosody.count - len(power) : self.prosody.count] = odds
        frames = self._analyser.frames(power)
        found: list[Evidence] = []
        for frame, spoken in zip(frames, odds, strict=True):
            found += self._frame(frame, spoken, batch)
        if (flags := self._v21.push(batch, frames)) is not None:
            found.append(flags)
        return found

    def _frame(self, frame: Frame, spoken: float, newest: npt.NDArray[np.int16]) -> list[Evidence]:
        self.at, self.known = frame.at, frame.known
        found: list[Evidence] = []
        ended = self._tracker.push(frame)
        sounding = self._tracker.run
        if ended is not None:
            found += self._tone(ended, frame.known)
        for one in (
            self._beeps.push(frame, ended, sounding, newest),
            self._answer_tones.push(frame, ended, sounding),
            self.voice.push(frame, spoken, tonal=self.sounding),
        ):
            if one is not None:
                found.append(one)
        return found

    def _tone(self, tone: Tone, known: float) -> list[Evidence]:
        claims = [one for one in (self._cadence.push(tone, known), self._sit.push(tone, known)) if one is not None]
        if not claims and tone.steady and tone.seconds > LONG_TONE:
            claims.append(Evidence(Sound.TONE, tone.start, tone.end, known, tone.hz))
        return claims
