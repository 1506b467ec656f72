"""Builds the corpus into the user's cache: the same clips from the same seed, on all processors."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import random
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import soundfile

from bench.corpus import line, scenes
from bench.corpus.audio import Audio, pcm16, silence, telephone, trimmed
from bench.corpus.clip import RATE, Clip, Fold, Origin
from bench.corpus.phrases import Phrase, phrases
from bench.corpus.speakers import PACKAGES, SPEAKERS, Speaker
from gateway.core.model import CalleeType
from lab import fetch

SEED = 1
#: Raised whenever the clips of a seed change, so that an older cache is not mistaken for them.
RECIPE = "3"


def built(fold: Fold, seed: int = SEED) -> Path:
    """The folder with a fold's ``manifest.jsonl`` and ``audio.pcm``, built where need be."""
    folder = fetch.cache_folder() / "corpus" / f"recipe-{RECIPE}" / f"seed-{seed}" / fold
    if not (folder / "manifest.jsonl").exists():
        with fetch.lock(fetch.cache_folder() / f"corpus-{fold}.lock"):
            if not (folder / "manifest.jsonl").exists():
                _build(folder, fold, seed)
    return folder


def _build(folder: Path, fold: Fold, seed: int) -> None:
    part = folder.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    packages()  # before the processes, so that one fetches them
    speakers = sorted((one for one in SPEAKERS if one.fold is fold), key=lambda one: -one.people - one.machines)
    print(f"corpus: building the {fold} fold of {len(speakers)} speakers", file=sys.stderr, flush=True)
    clips: list[Clip] = []
    with multiprocessing.get_context("spawn").Pool(os.cpu_count(), os.nice, (10,)) as pool:
        for made in pool.imap_unordered(_clips, [(speaker, seed) for speaker in speakers]):
            clips += made
    # A speaker's clips lie far apart, so that the first hundred are a sample of all.
    clips.sort(key=lambda one: hashlib.sha256(one.name.encode()).digest())
    with (part / "audio.pcm").open("wb") as audio, (part / "manifest.part").open("w") as manifest:
        for clip in clips:
            manifest.write(json.dumps({"at": audio.tell(), "bytes": len(clip.pcm), **clip.plain()}) + "\n")
            audio.write(clip.pcm)
    (part / "manifest.part").rename(part / "manifest.jsonl")
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)


def packages() -> tuple[Path, Path]:
    """Where Debian's voices lie, and where Asterisk's own are."""
    return fetch.unpacked("voices", PACKAGES, size="550 MB"), fetch.asterisk().sounds.parents[3]


def _said(speaker: Speaker) -> list[Phrase]:
    kept = fetch.cache_folder() / "corpus" / f"recipe-{RECIPE}" / "phrases"
    kept.mkdir(parents=True, exist_ok=True)
    return phrases(speaker, *packages(), kept)


@cache
def beds(fold: Fold) -> Mapping[str, Sequence[Audio]]:
    """Music and babble of this fold alone."""
    rng = random.Random(f"beds {fold}")
    folds = list(Fold)
    root = packages()[0]
    tunes = sorted((root / "usr/share/asterisk/moh").glob("*.wav"))
    tunes += sorted((root / "usr/share/games/hedgewars/Data/Music").glob("*.ogg"))
    music = [_tune(path) for n, path in enumerate(tunes) if folds[n % len(folds)] is fold]
    talkers = [one for one in SPEAKERS if one.fold is fold and one.origin is Origin.RECORDED and one.machines >= 30]
    voices = [[phrase.audio for phrase in _said(speaker)] for speaker in talkers]
    return {"music": music, "babble": [line.babble(rng, voices) for _ in range(6)]}


def _tune(path: Path) -> Audio:
    with soundfile.SoundFile(path) as file:
        return telephone(file.read(40 * file.samplerate, always_2d=True), file.samplerate)


@cache
def _noises(fold: Fold) -> list[Audio]:
    """Sounds of things and animals, for what is heard before a person speaks."""
    folder = packages()[0] / "usr/share/tuxpaint/stamps"
    files = [path for path in sorted(folder.rglob("*.ogg")) if "_desc" not in path.stem]
    mine = [path for n, path in enumerate(files) if list(Fold)[n % len(Fold)] is fold]
    found = [trimmed(telephone(*soundfile.read(path, always_2d=True))) for path in mine[:60]]
    return [one for one in found if len(one) > 0.15 * RATE]


def _clips(task: tuple[Speaker, int]) -> list[Clip]:
    speaker, seed = task
    said = _said(speaker)
    wanted = [(CalleeType.VOICE, n) for n in range(speaker.people)]
    wanted += [(CalleeType.ANSWERINGMACHINE, n) for n in range(speaker.machines)]
    return [_clip(speaker, said, callee, n, seed) for callee, n in wanted]


def _clip(speaker: Speaker, said: list[Phrase], callee: CalleeType, number: int, seed: int) -> Clip:
    name = f"{speaker.name} {callee} {number}"
    rng = random.Random(f"{seed} {name}")
    person = callee is CalleeType.VOICE
    scene = scenes.person(rng, said, _noises(speaker.fold)) if person else scenes.machine(rng, said)
    way = line.drawn(rng, scene.kind)
    audio = line.heard(rng, scene.audio(), way, beds(speaker.fold))
    # The lab's own calls bring the final fold's late packets, and its clips stay comparable with earlier figures.
    unsent = 0.0 if speaker.fold is Fold.FINAL else line.unsent(random.Random(f"unsent {seed} {name}"))
    audio = np.concatenate([silence(unsent), audio])
    return Clip(
        name=name, fold=speaker.fold, origin=speaker.origin, source=speaker.source, speaker=speaker.name,
        language=speaker.language, texts=tuple(scene.texts), callee=callee, kind=scene.kind, unsent=unsent,
        delay=round(unsent + scene.delay, 3), level=way.level, snr=way.snr, noise=way.noise, codec=way.codec,
        loss=way.loss, concealed=way.concealed, echo=way.echo,
        speech=tuple((round(unsent + start, 3), round(unsent + end, 3)) for start, end in scene.speech),
        beeps=tuple(round(unsent + end, 4) for end in scene.beeps), beep=scene.beep, pcm=pcm16(audio),
    )  # fmt: skip


def read(fold: Fold, seed: int, limit: int | None) -> Iterator[Clip]:
    folder = built(fold, seed)
    audio = np.memmap(folder / "audio.pcm", dtype=np.uint8, mode="r")
    with (folder / "manifest.jsonl").open() as manifest:
        for n, text in enumerate(manifest):
            if limit is not None and n >= limit:
                return
            fields = json.loads(text)
            at, length = fields.pop("at"), fields.pop("bytes")
            yield Clip.read(fields, audio[at : at + length].tobytes())
