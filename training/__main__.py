"""``make train``: builds the corpus' train and dev folds, fits both models, writes them, and prints what they reach.

Bit for bit the same on the same versions of NumPy and scikit-learn: seeds are fixed and one processor fits.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # sums of floats depend on how they are shared out

import multiprocessing
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TypeVar

import numpy as np

from bench.corpus import Clip, Fold, clips
from gateway.core import hearing
from gateway.core.hearing import features
from gateway.core.hearing.net import Net
from training import curve, fit, greeting, speech
from training.tones import tones
from training.voices import voices

Made = TypeVar("Made")
FOLDER = Path(hearing.__file__).parent
#: Clips of tones, and of voices that nobody has, beside them.
TONES = VOICES = 200


def main() -> None:
    started = time.monotonic()
    found = list(_mapped(_frames, clips(Fold.TRAIN)))
    found += [speech.frames(tones(seed), ()) for seed in range(TONES)]
    found += [speech.frames(*voices(seed)) for seed in range(VOICES)]
    net = fit.speech(np.concatenate([one for one, _ in found]), np.concatenate([voice for _, voice in found]))
    stored = _write("speech", net)
    print(f"train: {sum(len(voice) for _, voice in found)} frames, {time.monotonic() - started:.0f} s", flush=True)

    heard = list(_mapped(_Hear(stored), (clip for fold in (Fold.TRAIN, Fold.DEV) for clip in clips(fold))))
    examples, speakers = greeting.examples(heard)
    print(f"train: {len(heard)} calls, {len(examples.x)} moments, {time.monotonic() - started:.0f} s", flush=True)
    odds = fit.crossed(examples, speakers)
    print(curve.shown(heard, examples, odds))
    _write("greeting", fit.stored(fit.fitted(examples), features.NAMES))
    print(f"train: written to {FOLDER}, {time.monotonic() - started:.0f} s")


def _frames(clip: Clip) -> speech.Frames:
    return speech.frames(clip.pcm, clip.speech)


class _Hear:
    """What is asked of a clip's moments, by a net that every process reads once."""

    def __init__(self, stored: str) -> None:
        self.stored = stored

    def __call__(self, clip: Clip) -> greeting.Heard:
        return greeting.heard(clip, _read(self.stored))


@cache
def _read(stored: str) -> Net:
    return Net.read(stored)


def _mapped(work: Callable[[Clip], Made], given: Iterator[Clip]) -> Iterator[Made]:
    """``work`` on all processors, in order."""
    with multiprocessing.Pool(initializer=os.nice, initargs=(5,)) as pool:
        yield from pool.imap(work, given, chunksize=16)


def _write(name: str, text: str) -> str:
    (FOLDER / f"{name}.json").write_text(text, "ascii")
    return text


if __name__ == "__main__":
    main()
