"""The audio of calls as files: whole, private, and gone after its days."""

from __future__ import annotations

import io
import os
import time
import wave
from pathlib import Path

import pytest

from gateway.adapters.evidence import DAY, EvidenceFolder
from gateway.adapters.store import SqliteStore
from gateway.core.model import AccountId, AccountSettings, AttemptId
from gateway.core.retry import RetryPolicy
from gateway.services.evidencesweeper import EvidenceSweeper

ACCOUNT, ATTEMPT = AccountId(7), AttemptId("vg-abc-0f")


def test_what_is_kept_is_read_again(tmp_path: Path) -> None:
    folder = EvidenceFolder(tmp_path / "evidence")
    name = folder.keep(ACCOUNT, ATTEMPT, b"\1\2" * 8000)
    assert name == f"7/{ATTEMPT}.wav"
    audio = folder.read(name)
    assert audio is not None
    with wave.open(io.BytesIO(audio)) as file:
        assert file.readframes(file.getnframes()) == b"\1\2" * 8000
    for place in (tmp_path / "evidence", tmp_path / "evidence/7", tmp_path / "evidence" / name):
        assert place.stat().st_mode & 0o077 == 0, place


@pytest.mark.parametrize("name", ["../q.db", "7/../../q.db", "/etc/passwd", "7/x.txt", "", "7/gone.wav"])
def test_no_other_file_is_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "q.db").write_text("secret")
    (tmp_path / "evidence/7").mkdir(parents=True)
    assert EvidenceFolder(tmp_path / "evidence").read(name) is None


async def test_each_accounts_audio_goes_after_its_own_days(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "q.db", installation="abc", policy=RetryPolicy())
    folder = EvidenceFolder(tmp_path / "evidence")
    kept = {}
    for login, days in (("week", 7), ("day", 1)):
        account = await store.add_account(login, "h", AccountSettings("UTC", "US", evidence_days=days))
        kept[login] = tmp_path / "evidence" / folder.keep(account.id, ATTEMPT, bytes(320))
        left = kept[login].with_name("half.part")  # a crash in mid-write
        left.touch()
        for place in (kept[login], left):
            os.utime(place, (time.time() - 2 * DAY,) * 2)
    await EvidenceSweeper(store, folder.remove_older).sweep()
    assert kept["week"].exists()
    assert list(kept["day"].parent.iterdir()) == []
    await store.close()
