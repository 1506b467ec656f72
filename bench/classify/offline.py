"""Ours on files: the classifier fed in 20 ms frames, as a call feeds it."""

from __future__ import annotations

import multiprocessing
import os
import time
from dataclasses import replace
from itertools import islice

from bench.classify.judged import Judged
from bench.corpus import Clip, Fold, clips
from gateway.core.hearing import Classifier, Evidence, Settings, Sound, Verdict

FRAME_BYTES = 320
#: What is told of tones where there are none. A beep near 1100 or 2100 Hz begins as a fax's tone does: not counted.
FALSE = frozenset((Sound.RINGBACK, Sound.BUSY, Sound.REORDER, Sound.SIT, Sound.ANSAM, Sound.V21, Sound.DTMF))
_TASKS = 16


def hear(clip: Clip, settings: Settings) -> Judged:
    classifier = Classifier(settings)
    classifier.answered()
    told: list[Evidence | Verdict] = []
    started = time.process_time()
    for place in range(0, len(clip.pcm), FRAME_BYTES):
        told += classifier.feed(clip.pcm[place : place + FRAME_BYTES])
    told += classifier.finish()
    cpu = time.process_time() - started
    verdicts = [one for one in told if isinstance(one, Verdict)]
    evidence = [one for one in told if isinstance(one, Evidence)]
    first = verdicts[0] if verdicts else None
    return Judged(
        clip=replace(clip, pcm=b""),
        seconds=clip.seconds,
        first=first.callee_type if first else None,
        at=first.at if first else None,
        last=classifier.verdict.callee_type if classifier.verdict else None,
        confidence=first.confidence if first else 0.0,
        reason=first.reason if first else "no verdict",
        beeps=tuple((one.start, one.end, one.known) for one in evidence if one.sound is Sound.BEEP),
        tones=tuple(f"{one.sound} {one.tone or ''}".strip() for one in evidence if one.sound in FALSE),
        cpu=cpu,
    )


def hear_all(fold: Fold, limit: int | None, settings: Settings) -> list[Judged]:
    """On all processors. The order is the corpus's."""
    tasks = [(fold, limit, settings, part) for part in range(_TASKS)]
    with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool:
        parts = pool.map(_part, tasks, chunksize=1)
    found: list[Judged | None] = [None] * sum(len(part) for part in parts)
    for n, part in enumerate(parts):
        found[n::_TASKS] = part
    return [one for one in found if one is not None]


def _part(task: tuple[Fold, int | None, Settings, int]) -> list[Judged]:
    fold, limit, settings, part = task
    return [hear(clip, settings) for clip in islice(clips(fold, limit), part, None, _TASKS)]
