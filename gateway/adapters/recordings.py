"""Recordings whose callee somebody knows: a folder outside the project with a WAV file and a label for each."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from gateway.adapters.audio import AudioError, wav_of_file
from gateway.core.model import CalleeType


@dataclass(frozen=True, slots=True)
class Label:
    """What is known of a recording. It was answered ``answered_at`` seconds after its beginning."""

    callee: CalleeType
    answered_at: float
    speaker: str
    language: str
    source: str


@dataclass(frozen=True, slots=True)
class Recording:
    """``file`` is WAV, mono, 8 kHz, 16 bit."""

    ident: str
    file: Path
    label: Label


class Recordings:
    """``folder`` need not exist yet. The same audio is kept once, with its latest label."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, file: Path, label: Label) -> Recording:
        """Keep a copy of any audio that libsndfile reads. Raises OSError, and ValueError where it is none."""
        try:
            wav = wav_of_file(file.read_bytes(), "")
        except AudioError as error:
            raise ValueError(f"{file}: {error}") from None
        ident = hashlib.sha256(wav).hexdigest()[:16]
        self.folder.mkdir(parents=True, exist_ok=True)
        kept = self.folder / f"{ident}.wav"
        _put(kept, wav)
        # The label comes last: a recording without one is not seen.
        _put(kept.with_suffix(".json"), json.dumps(asdict(label), indent=2).encode() + b"\n")
        return Recording(ident, kept, label)

    def all(self) -> Iterator[Recording]:
        """Raises ValueError for a label that cannot be read, naming its file."""
        for path in sorted(self.folder.glob("*.json")):
            try:
                fields = json.loads(path.read_text())
                label = Label(**{**fields, "callee": CalleeType(fields["callee"])})
            except (ValueError, TypeError, KeyError) as error:
                raise ValueError(f"{path}: no label of a recording: {error}; mend or remove it") from None
            yield Recording(path.stem, path.with_suffix(".wav"), label)


def default_folder() -> Path:
    """``VOXGATE_RECORDINGS``, or a folder among the user's data (XDG)."""
    if (named := os.environ.get("VOXGATE_RECORDINGS")) is not None:
        return Path(named)
    data = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local/share")
    return Path(data) / "voxgate" / "recordings"


def _put(path: Path, content: bytes) -> None:
    part = path.with_suffix(f"{path.suffix}.{os.getpid()}.part")
    part.write_bytes(content)
    part.replace(path)
