"""Frames with and without a voice, from clips of which it is known when somebody speaks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from gateway.core.hearing.activity import activity
from gateway.core.hearing.prosody import KEPT, Prosody
from gateway.core.hearing.spectrum import HOP, SECONDS_A_FRAME, Analyser

#: Every so many frames is an example: neighbours are alike.
EVERY = 4
#: dB under a stretch's loud frames at which a frame of it is a pause, and those that may be either.
PAUSE, UNSURE = 25.0, 14.0
#: Seconds about a stretch's ends whose frames hold half of it.
EDGE = 0.03


#: Features of frames, and whether each is a voice's.
Frames = tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]


def frames(pcm: bytes, speech: Sequence[tuple[float, float]]) -> Frames:
    """The frames of a clip in which somebody speaks in ``speech`` (seconds), without those that may be either."""
    samples = np.frombuffer(pcm, "<i2")
    batch = 4 * HOP
    analyser = Analyser()
    prosody = Prosody(analyser.at)
    found = []
    for place in range(0, min(len(samples), KEPT * HOP) - batch + 1, batch):
        prosody.push(analyser.power(samples[place : place + batch]))
        found.append(activity(prosody, 4))
    features = np.concatenate(found)
    at = prosody.start + np.arange(len(features)) * SECONDS_A_FRAME
    level = prosody.level[: len(features)]
    voice, sure = np.zeros(len(features), bool), np.ones(len(features), bool)
    for start, end in speech:
        inside = (at >= start) & (at <= end)
        if inside.any():
            loud = np.percentile(level[inside], 75)
            voice |= inside & (level > loud - PAUSE)
            sure &= ~(inside & (level > loud - PAUSE) & (level < loud - UNSURE))
        for edge in (start, end):
            sure &= np.abs(at - edge) >= EDGE
    chosen = sure & (np.arange(len(features)) % EVERY == 0)
    return features[chosen], voice[chosen]
