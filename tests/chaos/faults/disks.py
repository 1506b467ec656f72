"""A database that cannot be written, or not be used at all."""

from __future__ import annotations

import resource
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from gateway.cli.exits import ExitStatus
from tests.chaos.faults.fault import Fault, Scene
from tests.chaos.volume import Volume, why_not

#: Megabytes: a list is taken in only while it leaves 256 MB of the disk free.
ROOMY = 384


class DiskFull(Fault):
    name, words, times = "disk full", "the database's file system has no byte left for some seconds", 2

    @staticmethod
    def why_not() -> str | None:
        return why_not()

    def volume(self, folder: Path) -> Volume:
        return Volume(folder, ROOMY)

    def strike(self, scene: Scene) -> None:
        assert scene.volume is not None
        scene.volume.fill()
        scene.pause(2, 6)
        scene.volume.drain()


class DiskFullKilled(DiskFull):
    name, words = "disk full, kill -9", "the gateway is killed while no byte is left, and started when there is room"

    def strike(self, scene: Scene) -> None:
        assert scene.volume is not None
        scene.volume.fill()
        scene.pause(1, 3)
        scene.gateway.kill()
        scene.volume.drain()


class FileLimit(Fault):
    name, words = "files may not grow", "no file of the gateway may grow (RLIMIT_FSIZE) for some seconds"

    def strike(self, scene: Scene) -> None:
        pid = scene.gateway.pid
        assert pid is not None
        before = resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, -1))
        scene.pause(2, 6)
        if scene.alive:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


class ReadOnly(Fault):
    name, words, may_die = "read-only", "the file system turns read-only under the gateway, and is mounted anew", True

    @staticmethod
    def why_not() -> str | None:
        return why_not(loop=True)

    def volume(self, folder: Path) -> Volume:
        return Volume(folder, ROOMY, folder.with_suffix(".ext4"))

    def strike(self, scene: Scene) -> None:
        assert scene.volume is not None
        scene.volume.fail()
        scene.pause(2, 6)
        scene.gateway.kill()
        done = refused(scene)
        if done.returncode != ExitStatus.DATABASE or "cannot be written: Read-only" not in done.stderr:
            scene.found.broken("other", f"on a read-only disk: status {done.returncode}: {done.stderr[-300:]}")
        scene.volume.repair()


_HOLD = """
import sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], timeout=30)
db.execute("BEGIN IMMEDIATE")
print("held", flush=True)
time.sleep(float(sys.argv[2]))
"""


class Locked(Fault):
    name, words, times = "database locked", "another process holds the database's write lock for 2 to 14 seconds", 2

    def strike(self, scene: Scene) -> None:
        seconds = scene.rng.uniform(2, 14)
        subprocess.run([sys.executable, "-c", _HOLD, str(scene.database), str(seconds)], check=True, stdout=-3)


class Corrupt(Fault):
    """After a kill -9 the file is damaged: the start is refused, nothing is changed, and a copy put back goes on."""

    name, words = "corrupt database", "the file is damaged: refused with what to do, never made anew"

    def strike(self, scene: Scene) -> None:
        scene.gateway.kill()
        database = scene.database
        with closing(sqlite3.connect(database)) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        copy = database.with_suffix(".kept")
        shutil.copy(database, copy)
        data = bytearray(database.read_bytes())
        if scene.rng.random() < 0.5:
            data[:100] = bytes(100)  # the header
        else:
            for page in range(1, len(data) // 4096):
                data[page * 4096 : page * 4096 + 64] = scene.rng.randbytes(64)
        database.write_bytes(data)
        done = refused(scene)
        if done.returncode != ExitStatus.DATABASE or "restore" not in done.stderr:
            scene.found.broken("other", f"a damaged database: status {done.returncode}: {done.stderr[-300:]}")
        if database.read_bytes() != data:
            scene.found.broken("other", "the damaged database was changed")
        for suffix in ("-wal", "-shm"):
            database.with_name(database.name + suffix).unlink(missing_ok=True)
        copy.rename(database)


def refused(scene: Scene) -> subprocess.CompletedProcess[str]:
    """What `serve` says of a database that it must not use."""
    command = [*scene.gateway.words, sys.executable, "-m", "gateway.cli", "serve"]
    try:
        return subprocess.run(
            [*command, "--config", str(scene.gateway.config)], capture_output=True, text=True, check=False, timeout=20
        )
    except subprocess.TimeoutExpired as over:
        return subprocess.CompletedProcess(command, -1, "", f"it went on: {(over.stderr or b'')[-300:]!r}")
