"""``voxgate db`` where no gateway runs: what an operator types, and what is left of the files."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.cli.exits import ExitStatus
from tests.cli.test_commands import config, voxgate

ADD = ("account", "add", "user1", "--time-zone", "UTC", "--country", "US", "--pin", "12345678")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    config(tmp_path)
    assert voxgate(*ADD, cwd=tmp_path).returncode == 0
    return tmp_path


def test_checked_copied_restored_and_compacted(folder: Path) -> None:
    assert "nothing is wrong" in voxgate("db", "check", cwd=folder).stdout
    done = json.loads(voxgate("db", "backup", "--json", cwd=folder).stdout)
    copy = Path(done["path"])
    assert copy.parent == folder / "backups" and copy.stat().st_size == done["size"]
    assert voxgate("db", "backup", "copy.db", cwd=folder).returncode == 0
    again = voxgate("db", "backup", "copy.db", cwd=folder)
    assert (again.returncode, "exists already" in again.stderr) == (ExitStatus.DATABASE, True)

    (folder / "voxgate.db").write_bytes(b"\xff" * 9999)
    broken = voxgate("db", "check", cwd=folder)
    assert (broken.returncode, "voxgate db restore" in broken.stdout) == (ExitStatus.REFUSED, True)
    restored = voxgate("db", "restore", "copy.db", "--yes", cwd=folder)
    assert restored.returncode == 0, restored.stderr
    assert "before-restore" in restored.stdout
    with closing(sqlite3.connect(folder / "voxgate.db")) as db:
        assert db.execute("SELECT login FROM account").fetchall() == [("user1",)]
    assert json.loads(voxgate("db", "vacuum", "--json", cwd=folder).stdout)["after"] > 0
    assert voxgate("db", "check", "--quick", cwd=folder).returncode == 0


def test_nothing_is_replaced_unless_the_question_is_answered(folder: Path) -> None:
    assert voxgate("db", "backup", "copy.db", cwd=folder).returncode == 0
    before = (folder / "voxgate.db").stat().st_ino
    refused = voxgate("db", "restore", "copy.db", cwd=folder)  # standard input is empty
    assert refused.returncode == ExitStatus.REFUSED
    assert (folder / "voxgate.db").stat().st_ino == before


def test_counters_that_are_wrong_are_found(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "voxgate.db")) as db:
        db.execute("INSERT INTO campaign VALUES (1, 1, 'c', 0, 'active', NULL, 0, 1)")
        db.execute("INSERT INTO tally VALUES (1, 'pending', 5)")
        db.commit()
    found = voxgate("db", "check", cwd=folder)
    assert (found.returncode, "counts 5 calls as pending, and has 0" in found.stdout) == (ExitStatus.REFUSED, True)
