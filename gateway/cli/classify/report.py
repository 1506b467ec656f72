"""``voxgate classify``: what recorded calls sound like to the classifier, on a timeline."""

from __future__ import annotations

import io
import wave
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gateway.adapters.audio import AudioError, wav_of_file
from gateway.core.hearing import Classifier, Evidence, Settings, Verdict

RATE = 8000


@dataclass(frozen=True, slots=True)
class Report:
    """One file's evidence and verdicts in the order in which a call would have brought them. It lasts ``seconds``.

    ``pcm`` is what was heard: 16-bit little-endian mono at 8 kHz.
    """

    file: Path
    seconds: float
    answered_at: float
    timeline: list[Evidence | Verdict]
    verdict: Verdict | None
    pcm: bytes

    @property
    def verdicts(self) -> list[Verdict]:
        return [one for one in self.timeline if isinstance(one, Verdict)]

    @property
    def evidence(self) -> list[Evidence]:
        return [one for one in self.timeline if isinstance(one, Evidence)]

    @property
    def first(self) -> Verdict | None:
        """The one with which a session would begin: the first after the answer."""
        return next((one for one in self.verdicts if one.at >= self.answered_at), None)

    def plain(self) -> dict[str, Any]:
        """For JSON: times in seconds, frequencies in Hz."""
        return {
            "file": str(self.file),
            "seconds": round(self.seconds, 3),
            "verdict": None if self.verdict is None else _rounded(self.verdict),
            "timeline": [_rounded(one) for one in self.timeline],
        }

    def lines(self) -> list[str]:
        """For people."""
        found = f"{self.file}: {self.seconds:.2f} s"
        return [found, *(f"  {_words(one)}" for one in self.timeline), f"  {_summary(self.verdict)}"]


def samples(file: Path) -> bytes:
    """A file of any format that libsndfile reads. Raises OSError, and ValueError where it is none."""
    try:
        wav = wav_of_file(file.read_bytes(), "")
    except AudioError as error:
        raise ValueError(f"{file}: {error}") from None
    with wave.open(io.BytesIO(wav)) as audio:
        return bytes(audio.readframes(audio.getnframes()))


def classify(file: Path, settings: Settings, answered_at: float) -> Report:
    """Hear a file. Raises OSError, and ValueError where it is no audio."""
    pcm = samples(file)
    seconds = len(pcm) / 2 / RATE
    classifier = Classifier(settings)
    early = 2 * round(min(answered_at, seconds) * RATE)
    timeline = classifier.feed(pcm[:early])
    if answered_at <= seconds:
        classifier.answered()
    timeline += classifier.feed(pcm[early:])
    timeline += classifier.finish()
    return Report(file, seconds, answered_at, timeline, classifier.verdict, pcm)


def _rounded(one: Evidence | Verdict) -> dict[str, Any]:
    fields = {"kind": "verdict" if isinstance(one, Verdict) else "evidence", **asdict(one)}
    return {
        key: round(value, 3) if isinstance(value, float) else [round(hz, 1) for hz in value] if key == "hz" else value
        for key, value in fields.items()
    }


def _words(one: Evidence | Verdict) -> str:
    if isinstance(one, Verdict):
        return f"{one.at:7.2f}  => {one.callee_type} {one.confidence:.2f}: {one.reason}"
    hertz = " + ".join(f"{hz:.0f}" for hz in one.hz)
    more = "  ".join(part for part in (one.tone or "", f"{hertz} Hz" if hertz else "", one.detail) if part)
    return f"{one.known:7.2f}  {one.sound:<9} {one.start:.2f} to {one.end:.2f} s  {more}".rstrip()


def _summary(verdict: Verdict | None) -> str:
    return "undecided" if verdict is None else f"{verdict.callee_type} ({verdict.confidence:.2f}) at {verdict.at:.2f} s"
