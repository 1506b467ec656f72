"""``voxgate classify``: the timeline and the verdict of recordings."""

from __future__ import annotations

import json
import sys
import wave
from pathlib import Path

import pytest
import soundfile
from PIL import Image
from typer.testing import CliRunner

from bench.corpus import Fold
from bench.corpus.own import own
from gateway.adapters.recordings import Label, Recordings
from gateway.adapters.store import SqliteStore
from gateway.cli.main import app
from gateway.core.model import AccountSettings, AttemptEnd, CalleeType, EndKind, Millis
from gateway.core.retry import RetryPolicy
from tests.adapters.test_store import NOW, call, claim, plan
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
    said = _run(_wav(tmp_path, joined(silence(0.5), words((4, 0.5)), tone(0.5, 1000), silence(1)))).splitlines()
    assert said[0].endswith("call.wav: 6.50 s")
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


def _add(folder: Path, *arguments: object) -> str:
    return _run("add", "--folder", folder, *arguments)


def test_a_picture_shows_each_file_below_the_other(tmp_path: Path) -> None:
    path = _wav(tmp_path, joined(silence(0.5), words((4, 0.5)), tone(0.5, 1000), silence(1)))
    _run(path, "--picture", tmp_path / "one.png", "--answered-at", 0.2)
    _run(path, path, "--picture", tmp_path / "two.png", "--answered-at", 0.2)
    with Image.open(tmp_path / "one.png") as one, Image.open(tmp_path / "two.png") as two:
        assert (two.width, two.height) == (one.width, 2 * one.height)
        colours = {colour for _, colour in one.getcolors(1 << 24) or ()}
    assert {(201, 84, 28), (74, 122, 196)} <= colours, "the beep, the machine and the speech are drawn"


def test_a_picture_of_nothing_is_still_one(tmp_path: Path) -> None:
    _run(_wav(tmp_path, silence(0)), "--picture", tmp_path / "empty.png")
    assert (tmp_path / "empty.png").stat().st_size > 0


def test_a_picture_of_too_many_or_of_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    path = _wav(tmp_path, silence(0.1))
    with pytest.raises(ValueError, match="40 recordings at most, and these are 41"):
        _run(*[path] * 41, "--picture", tmp_path / "many.png")
    with pytest.raises(ValueError, match="unknown file extension"):
        _run(path, "--picture", tmp_path / "one.xyz")


def test_a_picture_without_pillow_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ValueError, match=r"pip install 'voxgate\[picture\]'"):
        _run(_wav(tmp_path, silence(1)), "--picture", tmp_path / "one.png")


def test_a_file_named_as_a_command_is_heard_by_its_full_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _wav(tmp_path, silence(1)).rename(tmp_path / "add")
    monkeypatch.chdir(tmp_path)
    assert _run("hear", "add").startswith("add: 1.00 s")


def test_a_recording_is_kept_once_with_its_latest_label(tmp_path: Path) -> None:
    path, folder = _wav(tmp_path, words((1, 0.5))), tmp_path / "kept"
    _add(folder, path, "--label", "machine")
    said = json.loads(_add(folder, path, "--label", "human", "--speaker", "17", "--answered-at", 0.5, "--json"))
    (one,) = Recordings(folder).all()
    assert said == [{"id": one.ident, "file": str(one.file), "label": "voice"}]
    assert one.label == Label(CalleeType.VOICE, 0.5, "17", "", str(path))
    with wave.open(str(one.file)) as kept:
        assert (kept.getframerate(), kept.getnchannels(), kept.getnframes()) == (8000, 1, 12000)


def test_a_label_that_is_none_is_refused_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'robot' is no label; known are human, person, machine, .*fax"):
        _add(tmp_path / "kept", _wav(tmp_path, silence(1)), "--label", "robot")
    assert not (tmp_path / "kept").exists()


def test_a_broken_label_is_named(tmp_path: Path) -> None:
    _add(tmp_path, _wav(tmp_path, silence(1)), "--label", "fax")
    (label,) = tmp_path.glob("*.json")
    label.write_text('{"callee": "fax"')
    with pytest.raises(ValueError, match=rf"{label.name}: no label of a recording"):
        list(Recordings(tmp_path).all())


def test_recordings_join_the_corpus_a_speaker_s_all_in_one_fold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOXGATE_RECORDINGS", str(tmp_path / "kept"))
    for n in range(12):
        for length in (1, 2):
            path = _wav(tmp_path, tone(length, 300 + n))
            _run("add", path, "--label", "human", "--speaker", n, "--answered-at", 0.5)
    folds = {fold: list(own(fold)) for fold in Fold}
    assert sum(len(clips) for clips in folds.values()) == 24
    speakers = [{clip.speaker for clip in clips} for clips in folds.values()]
    assert sum(len(one) for one in speakers) == 12
    assert {round(clip.seconds, 1) for clips in folds.values() for clip in clips} == {0.5, 1.5}


def test_a_replay_tells_errors_of_both_settings_and_what_would_change(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    _add(folder, _wav(tmp_path, words((0.6, 5))), "--label", "human")
    greeting = _wav(tmp_path, words((2.5, 6)))
    _add(folder, greeting, "--label", "machine")
    strict = json.loads(_run("replay", "--folder", folder, "--json", "--bias", 20))
    assert (strict["samples"], strict["labelled"], strict["skipped"]) == (2, 2, [])
    assert strict["now"]["people_wrong"] == 0
    assert strict["then"] == {
        "people_wrong": 1, "people": 1, "machines_wrong": 0, "machines": 1, "balanced_accuracy": 0.5,
    }  # fmt: skip
    changed = [(one["label"], one["now"], one["then"]) for one in strict["changes"]]
    assert ("voice", "voice", "answeringmachine") in changed
    assert "0 would change" in _run("replay", "--folder", folder).splitlines()


def test_a_replay_sets_out_from_the_configuration_s_operating_point(tmp_path: Path) -> None:
    config = tmp_path / "voxgate.toml"
    config.write_text('installation = "abc"\n[ami]\nsecret = "x"\n[detection]\nbias = 5\n')
    _add(tmp_path / "kept", _wav(tmp_path, words((0.6, 5))), "--label", "human")
    kept = ("replay", "--folder", tmp_path / "kept", "--config", config, "--json")
    as_set, mild = json.loads(_run(*kept)), json.loads(_run(*kept, "--bias", 0))
    assert [as_set[when]["people_wrong"] for when in ("now", "then")] == [1, 1]
    assert [mild[when]["people_wrong"] for when in ("now", "then")] == [1, 0]


async def test_a_replay_hears_calls_whose_audio_was_kept(tmp_path: Path) -> None:
    (tmp_path / "voxgate.toml").write_text('installation = "abc"\n[ami]\nsecret = "x"\n[database]\npath = "q.db"\n')
    (tmp_path / "evidence").mkdir()
    _wav(tmp_path, joined(silence(2), words((0.6, 5)))).rename(tmp_path / "evidence" / "a.wav")
    opened = SqliteStore(tmp_path / "q.db", installation="abc", policy=RetryPolicy())
    account = await opened.add_account("user", "hash", AccountSettings("UTC", "US"))
    for n, audio in enumerate(("a.wav", "gone.wav")):
        ident = await opened.queue_call(account.id, call(n), plan(), NOW)
        (claimed,) = await claim(opened)
        evidence = {"audio": audio, "answered": 2.0}
        machine = CalleeType.ANSWERINGMACHINE
        await opened.close_attempt(
            AttemptEnd(claimed.attempt.id, EndKind.REACHED, machine, Millis(NOW + 1), evidence=evidence)
        )
        await opened.relabel(None, ident, CalleeType.VOICE)
    said = _run("replay", "--folder", tmp_path / "none", "--config", tmp_path / "voxgate.toml", "--bias", 20)
    await opened.close()
    assert said.splitlines()[0] == "1 recordings and calls, 1 of them labelled"
    assert "call 1 (is voice): voice would be answeringmachine" in said
    assert "skipped: call 2" in said
