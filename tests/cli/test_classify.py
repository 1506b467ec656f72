"""``voxgate classify``: the timeline and the verdict of recordings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import soundfile
from typer.testing import CliRunner

from gateway.cli.main import app
from tests.core.audio import Audio, cadence, joined, pcm, silence, tone, words


def _run(*arguments: object) -> str:
    done = CliRunner().invoke(app, ["classify", *map(str, arguments)])
    if done.exception is not None:
        raise done.exception
    return done.output


def _wav(folder: Path, audio: Audio) -> Path:
    path = folder / "call.wav"
    soundfile.write(path, audio / 32768, 8000, subtype="PCM_16")
    return path


def test_a_greeting_and_its_beep(tmp_path: Path) -> None:
    said = _run(_wav(tmp_path, joined(words((4, 0.5)), tone(0.5, 1000), silence(1)))).splitlines()
    assert said[0].endswith("call.wav: 6.00 s")
    assert [line.split()[1] for line in said if line.endswith("1000 Hz")] == ["beep"]
    assert "=> answeringmachine" in said[1]
    assert said[-1].strip().startswith("answeringmachine (0.97) at")


def test_ringing_before_the_answer(tmp_path: Path) -> None:
    audio = joined(cadence((440, 480), (2, 4), 1), words((0.6, 3)))
    (report,) = json.loads(_run(_wav(tmp_path, audio), "--answered-at", 6, "--json"))
    assert report["verdict"]["callee_type"] == "voice"
    assert report["verdict"]["at"] > 6
    assert [one["sound"] for one in report["timeline"] if one["kind"] == "evidence"] == ["ringback", "speech"]


def test_raw_samples_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "noise.raw"
    path.write_bytes(pcm(tone(1, 440)))
    with pytest.raises(ValueError, match=r"noise\.raw: not readable as audio"):
        _run(path)
