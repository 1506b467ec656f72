"""What a callee heard: the application's own rendering is looked for in the recording of the callee's leg."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt

RATE = 8000
STEP = 80  # samples of an envelope step: 10 ms
#: Correlation of envelopes from which a prompt counts as heard; unrelated speech stays well below.
HEARD = 0.8


def samples(path: Path) -> npt.NDArray[np.float64]:
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.float64)


def envelope(audio: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Root mean square in 10 ms steps."""
    whole = audio[: len(audio) // STEP * STEP].reshape(-1, STEP)
    found: npt.NDArray[np.float64] = np.sqrt((whole**2).mean(axis=1))
    return found


def similarity(heard: Path, prompt: Path, seconds: float = 2.0) -> float:
    """The best normalised correlation of the prompt's first ``seconds`` anywhere in the recording: -1 to 1."""
    whole, part = envelope(samples(heard)), envelope(samples(prompt))
    part = part[: round(seconds * 100)]
    if len(whole) < len(part) or len(part) == 0:
        return 0.0
    part = part - part.mean()
    norm = float(np.sqrt((part**2).sum())) or 1.0
    best = -1.0
    for start in range(len(whole) - len(part) + 1):
        window = whole[start : start + len(part)]
        window = window - window.mean()
        size = float(np.sqrt((window**2).sum()))
        if size > 0:
            best = max(best, float((window * part).sum()) / (size * norm))
    return best


def loudness(path: Path) -> float:
    """The loudest 10 ms, 0 to 32767."""
    found = envelope(samples(path))
    return float(found.max()) if len(found) else 0.0


#: Root mean square from which 10 ms are a sound and no line's noise.
SOUND = 100.0


def sounds(path: Path) -> tuple[float, float]:
    """Seconds into a recording at which its first sound begins and its last one ends; equal where there is none."""
    loud = np.flatnonzero(envelope(samples(path)) > SOUND)
    return (float(loud[0]) / 100, float(loud[-1] + 1) / 100) if len(loud) else (0.0, 0.0)
