"""One picture of a recording: waveform, spectrogram, what was heard, and the verdicts, over the same seconds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gateway.cli.classify.report import Report
from gateway.core.hearing import Sound

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

WIDTH, LEFT, RIGHT = 1400, 110, 24
#: Recordings in one picture.
MOST = 40
_PLOT = WIDTH - LEFT - RIGHT
_WAVE, _SPECTRUM, _ROW, _GAP, _TITLE = 120, 256, 20, 18, 40
_TOP_HZ, _DYNAMIC_DB = 4000, 70.0
_INK, _FAINT, _PAPER = (32, 36, 48), (206, 210, 220), (255, 255, 255)
_COLOURS = {
    "voice": (34, 139, 84), "answeringmachine": (201, 84, 28), "fax": (126, 61, 168), "busy": (178, 34, 52),
    "operator": (178, 34, 52), "informationtone": (178, 34, 52),
}  # fmt: skip
_SPEECH, _TONE, _BEEP, _QUIET = (74, 122, 196), (150, 110, 30), (201, 84, 28), (170, 176, 188)
#: The colours of loudness from nothing to the loudest, between which the others lie.
_HEAT = np.array(((255, 255, 255), (198, 219, 239), (66, 126, 184), (120, 40, 120), (60, 10, 40)), dtype=np.float64)


class PillowMissing(ValueError):
    """The extra that pictures need is not installed."""

    def __init__(self) -> None:
        super().__init__("a picture needs Pillow: pip install 'voxgate[picture]'")


def draw(reports: Sequence[Report], path: Path) -> None:
    """Write a PNG (or what else the ending of ``path`` says) with the recordings below each other."""
    try:
        from PIL import Image, ImageDraw
    except ImportError:
        raise PillowMissing from None
    if len(reports) > MOST:
        raise ValueError(f"a picture holds {MOST} recordings at most, and these are {len(reports)}")
    heights = [_height(report) for report in reports]
    image = Image.new("RGB", (WIDTH, sum(heights)), _PAPER)
    pen = ImageDraw.Draw(image)
    top = 0
    for report, height in zip(reports, heights, strict=True):
        image.paste(Image.fromarray(_spectrogram(report.pcm)), (LEFT, top + _TITLE + _WAVE + _GAP))
        _Panel(pen, report, top).draw()
        top += height
    image.save(path)


def _rows(report: Report) -> list[Sound]:
    """The sounds that get a row each, in the order in which they were heard first."""
    return list(dict.fromkeys(one.sound for one in sorted(report.evidence, key=lambda one: one.start)))


def _height(report: Report) -> int:
    rows = max(1, len(_rows(report))) + max(1, len(report.verdicts))
    return _TITLE + _WAVE + _GAP + _SPECTRUM + _GAP + rows * _ROW + 2 * _GAP + _ROW


def _spectrogram(pcm: bytes) -> npt.NDArray[np.uint8]:
    """Rows are frequencies from 4 kHz down to 0; columns are the recording's time. A 32 ms Hann window."""
    audio = np.frombuffer(pcm, dtype="<i2").astype(np.float64) / 32768
    window = 256
    audio = np.pad(audio, (window // 2, window))
    starts = np.linspace(0, max(0, len(audio) - 3 * window // 2), _PLOT).astype(int)
    frames = audio[starts[:, None] + np.arange(window)] * np.hanning(window)
    power = np.abs(np.fft.rfft(frames, 2 * _SPECTRUM)[:, :_SPECTRUM]) ** 2
    level = 10 * np.log10(power + 1e-12)
    shade = np.clip((level - level.max() + _DYNAMIC_DB) / _DYNAMIC_DB, 0, 1).T[::-1]
    steps = np.linspace(0, 1, len(_HEAT))
    return np.stack([np.interp(shade, steps, _HEAT[:, n]) for n in range(3)], axis=-1).astype(np.uint8)


class _Panel:
    """One recording's part of the picture; ``top`` is its first row of pixels."""

    def __init__(self, pen: ImageDraw, report: Report, top: int) -> None:
        from PIL import ImageFont

        self._pen = pen
        self._report = report
        self._top = top
        self._text: Any = ImageFont.load_default(13)
        self._title: Any = ImageFont.load_default(17)

    def draw(self) -> None:
        top = self._top
        verdict = self._report.verdict
        said = "undecided" if verdict is None else f"{verdict.callee_type} ({verdict.confidence:.2f})"
        self._write(LEFT, top + 10, f"{self._report.file.name}: {said}", font=self._title)
        self._write(WIDTH - RIGHT, top + 12, "| is when a sound was recognised", right=True)
        self._grid(top + _TITLE)
        self._wave(top + _TITLE)
        spectrum = top + _TITLE + _WAVE + _GAP
        self._pen.rectangle((LEFT, spectrum, LEFT + _PLOT, spectrum + _SPECTRUM), outline=_FAINT)
        for kilohertz in range(5):
            y = spectrum + _SPECTRUM - round(kilohertz * 1000 / _TOP_HZ * _SPECTRUM)
            self._write(LEFT - 8, y - 8, f"{kilohertz} kHz", right=True)
        rows = self._sounds(spectrum + _SPECTRUM + _GAP)
        below = self._verdicts(rows)
        self._answer(top + _TITLE, below)

    def _x(self, seconds: float) -> int:
        whole = max(self._report.seconds, 1e-3)
        return LEFT + round(min(max(seconds / whole, 0.0), 1.0) * _PLOT)

    def _write(
        self, x: int, y: int, text: str, colour: tuple[int, int, int] = _INK, *, right: bool = False, font: Any = None
    ) -> None:
        font = font or self._text
        x -= round(self._pen.textlength(text, font=font)) if right else 0
        self._pen.text((x, y), text, fill=colour, font=font)

    def _grid(self, top: int) -> None:
        seconds = self._report.seconds
        step = next((one for one in (0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60) if seconds / one <= 20), 300)
        bottom = self._top + _height(self._report) - _GAP - _ROW
        for n in range(math.floor(seconds / step) + 1):
            x = self._x(n * step)
            self._pen.line((x, top, x, bottom), fill=_FAINT)
            self._write(min(x + 3, WIDTH - RIGHT - 20), bottom, f"{n * step:g} s")

    def _wave(self, top: int) -> None:
        audio = np.frombuffer(self._report.pcm, dtype="<i2").astype(np.float64)
        loudest = max(float(np.abs(audio).max(initial=0)), 1.0)
        middle = top + _WAVE // 2
        self._write(LEFT - 8, top, f"{20 * math.log10(loudest / 32768):.0f} dBFS", right=True)
        for n, part in enumerate(np.array_split(audio, _PLOT)):
            if len(part):
                high, low = part.max() / loudest, part.min() / loudest
                x = LEFT + n
                self._pen.line((x, middle - high * _WAVE / 2, x, middle - low * _WAVE / 2), fill=_SPEECH)

    def _sounds(self, top: int) -> int:
        rows = _rows(self._report)
        for n, sound in enumerate(rows):
            y = top + n * _ROW
            self._write(LEFT - 8, y + 2, str(sound), right=True)
            for one in self._report.evidence:
                if one.sound is sound:
                    left, right = self._x(one.start), max(self._x(one.end), self._x(one.start) + 2)
                    self._pen.rectangle((left, y + 3, right, y + _ROW - 4), fill=_sound_colour(sound))
                    known = self._x(one.known)
                    self._pen.line((known, y + 1, known, y + _ROW - 2), fill=_INK)
                    hertz = f"{' + '.join(f'{hz:.0f}' for hz in one.hz)} Hz" if one.hz else ""
                    self._write(max(right, known) + 5, y + 2, " ".join(filter(None, (one.tone, hertz))))
        return top + max(1, len(rows)) * _ROW + _GAP

    def _verdicts(self, top: int) -> int:
        verdicts = self._report.verdicts
        if not verdicts:
            self._write(LEFT, top, "no verdict")
        for n, verdict in enumerate(verdicts):
            y, x = top + n * _ROW, self._x(verdict.at)
            colour = _COLOURS.get(str(verdict.callee_type), _INK)
            until = self._x(verdicts[n + 1].at) if n + 1 < len(verdicts) else LEFT + _PLOT
            self._pen.line((x, y + _ROW - 3, until, y + _ROW - 3), fill=colour, width=3)
            self._pen.ellipse((x - 4, y + 5, x + 4, y + 13), fill=colour)
            words = f"{verdict.callee_type} {verdict.confidence:.2f} at {verdict.at:.2f} s: {verdict.reason}"
            room = LEFT + _PLOT - x - 10
            if self._pen.textlength(words, font=self._text) <= room:
                self._write(x + 8, y, words, colour)
            else:
                self._write(x - 8, y, words, colour, right=True)
        return top + max(1, len(verdicts)) * _ROW

    def _answer(self, top: int, bottom: int) -> None:
        if self._report.answered_at > 0:
            x = self._x(self._report.answered_at)
            self._pen.line((x, top, x, bottom), fill=_INK, width=2)
            self._write(x + 4, top - 16, "answered")


def _sound_colour(sound: Sound) -> tuple[int, int, int]:
    match sound:
        case Sound.SPEECH:
            return _SPEECH
        case Sound.BEEP:
            return _BEEP
        case Sound.SILENCE:
            return _QUIET
    return _TONE
