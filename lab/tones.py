"""Special information tones as WAV files: Telcordia GR-674 categories and ITU-T E.180."""

from __future__ import annotations

import math
import struct
import wave
from pathlib import Path

RATE = 8000
LOW = (913.8, 1370.6)
HIGH = (985.2, 1428.5)
THIRD = 1776.7
SHORT, LONG = 0.276, 0.380

#: Category: (Hz, seconds) of its three segments. Telcordia GR-674; ``itu`` is ITU-T E.180.
SIT: dict[str, tuple[tuple[float, float], ...]] = {
    "ic": ((LOW[0], SHORT), (LOW[1], SHORT), (THIRD, LONG)),
    "vc": ((HIGH[0], LONG), (LOW[1], SHORT), (THIRD, LONG)),
    "nc": ((HIGH[0], LONG), (HIGH[1], LONG), (THIRD, LONG)),
    "ro": ((LOW[0], SHORT), (HIGH[1], LONG), (THIRD, LONG)),
    "io": ((LOW[0], LONG), (LOW[1], LONG), (THIRD, LONG)),
    "itu": ((950.0, 0.330), (1400.0, 0.330), (1800.0, 0.330)),
}


def write_sit(folder: Path, *, dbfs: float = -14.0) -> None:
    """Write ``sit-CATEGORY.wav`` (mono, 8 kHz, 16 bit) for every category."""
    peak = 32767 * 10 ** (dbfs / 20) * math.sqrt(2)
    for name, segments in SIT.items():
        samples: list[int] = []
        for hertz, seconds in segments:
            count = round(seconds * RATE)
            samples += [round(peak * math.sin(2 * math.pi * hertz * n / RATE)) for n in range(count)]
        with wave.open(str(folder / f"sit-{name}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(struct.pack(f"<{len(samples)}h", *samples) + bytes(RATE))
