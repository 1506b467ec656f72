"""What each speaker says, as trimmed phrases: read or spoken once, then kept beside the packages."""

from __future__ import annotations

import hashlib
import os
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.corpus import texts, tts
from bench.corpus.audio import Audio, pcm16, read, seconds, trimmed
from bench.corpus.clip import Fold, Origin
from bench.corpus.speakers import SPEAKERS, Speaker

#: Asterisk's own sounds that nobody speaks.
NOT_SPOKEN = frozenset(
    ("beep", "beeperr", "ascending-2tone", "descending-2tone", "confbridge-join", "confbridge-leave", "tt-monkeys")
)
#: So many files of a speaker are read at most.
_MOST = 400


@dataclass(frozen=True, slots=True)
class Phrase:
    """``text`` names what is said, in the speaker's language. ``greeting`` is set where it is a whole machine's."""

    text: str
    audio: Audio
    greeting: bool | None = None

    @property
    def seconds(self) -> float:
        return seconds(self.audio)


def phrases(speaker: Speaker, root: Path, english: Path, kept: Path) -> list[Phrase]:
    """What ``speaker`` may say in its fold. ``root`` holds the packages, ``english`` Asterisk's English sounds."""
    file = kept / f"{re.sub(r'[^A-Za-z0-9]+', '-', speaker.name)}.npz"
    if not file.exists():
        found = list(
            _spoken(speaker, root) if speaker.origin is Origin.SYNTHETIC else _recorded(speaker, root, english)
        )
        part = file.with_suffix(f".{os.getpid()}.part")
        with part.open("wb") as out:
            np.savez(
                out,
                text=np.array([one.text for one in found]),
                greeting=np.array([-1 if one.greeting is None else int(one.greeting) for one in found]),
                length=np.array([len(one.audio) for one in found]),
                pcm=np.frombuffer(b"".join(pcm16(one.audio) for one in found), dtype="<i2"),
            )
        part.rename(file)
    with np.load(file) as store:
        pcm = store["pcm"].astype(np.float32) / 32768
        ends = np.cumsum(store["length"])
        return [
            Phrase(str(text), pcm[end - length : end], None if greeting < 0 else bool(greeting))
            for text, greeting, length, end in zip(store["text"], store["greeting"], store["length"], ends, strict=True)
        ]


def _recorded(speaker: Speaker, root: Path, english: Path) -> Iterator[Phrase]:
    under = english if speaker.language == "en" and speaker.source == "asterisk" else root
    files = sorted({path for pattern in speaker.files for path in under.glob(pattern)})
    wanted = [
        path for path in files
        if re.match(speaker.only, path.stem) and path.stem not in NOT_SPOKEN and path.parent.name != "silence"
        and text_fold(speaker, _text(path)) is speaker.fold
    ]  # fmt: skip
    random.Random(speaker.name).shuffle(wanted)
    for path in wanted[:_MOST]:
        audio = trimmed(read(path))
        if 0.2 <= seconds(audio) <= 20:
            yield Phrase(_text(path), audio)


def _text(path: Path) -> str:
    return path.stem.split("_desc_")[0] if path.parent.name in ("sounds",) else f"{path.parent.name}/{path.stem}"


def text_fold(speaker: Speaker, text: str) -> Fold:
    """The one fold in which speakers of this language and source say ``text``: packs share the names of their files."""
    folds = sorted(
        {one.fold for one in SPEAKERS if (one.source, one.language) == (speaker.source, speaker.language)},
        key=list(Fold).index,
    )
    said = text.rsplit("/", 1)[-1]
    return folds[hashlib.sha256(said.encode()).digest()[0] % len(folds)]


def _spoken(speaker: Speaker, root: Path) -> Iterator[Phrase]:
    key = (speaker.fold, speaker.language)
    people, machines = texts.PEOPLE[key], texts.MACHINES[key]
    voice = speaker.name.split(" ", 1)[1]
    for n, audio in enumerate(tts.spoken(speaker.engine, voice, (*people, *machines), root)):
        yield Phrase((*people, *machines)[n], trimmed(audio), greeting=n >= len(people))
