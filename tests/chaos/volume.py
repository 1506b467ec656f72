"""A file system of its own for the gateway's database: small, or one that turns read-only like a failing disk."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self, cast

MEGABYTE = 1024 * 1024


def why_not(loop: bool = False) -> str | None:
    """Why no such file system can be made here; None where one can. ``loop``: one on a loop device."""
    if os.geteuid() != 0:
        return "mounting is root's"
    for program in ("unshare", "nsenter", "mount", *(("mkfs.ext4",) if loop else ())):
        if shutil.which(program) is None and not Path(f"/usr/sbin/{program}").exists():
            return f"{program} is not on this machine"
    if loop and not Path("/dev/loop-control").exists():
        return "there are no loop devices here"
    probe = subprocess.run(["unshare", "-m", "true"], capture_output=True, text=True, check=False)
    return None if probe.returncode == 0 else f"no mount namespace can be made here: {probe.stderr.strip()}"


class Volume:
    """Mounted at ``folder`` in a mount namespace that a process of its own holds, so that nothing stays behind.

    ``words`` start a program in there; ``seen`` is where everybody else finds a path of it. ``image`` is a file for
    ext4 on a loop device; without one it is a tmpfs. Files of ``over`` are found in there in the place of its keys.
    """

    def __init__(
        self, folder: Path, megabytes: int, image: Path | None = None, over: Mapping[Path, Path] | None = None
    ) -> None:
        self._folder = folder
        self._over = dict(over or {})
        self._megabytes = megabytes
        self._image = image

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        if self._image is not None:
            with self._image.open("wb") as file:
                file.truncate(self._megabytes * MEGABYTE)
            subprocess.run(["mkfs.ext4", "-q", self._image], check=True, capture_output=True)
        self._holder = subprocess.Popen(
            ["unshare", "-m", "sh", "-c", "mount --make-rprivate / && echo made && exec sleep infinity"],
            stdout=subprocess.PIPE,
        )
        with cast("IO[bytes]", self._holder.stdout) as said:
            assert said.readline() == b"made\n"
        self.mount()
        for place, file in self._over.items():
            self._run("mount", "--bind", file, place)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        with suppress(subprocess.CalledProcessError):
            self.unmount()
        self._holder.kill()
        self._holder.wait()

    @property
    def words(self) -> list[str]:
        return ["nsenter", "-t", str(self._holder.pid), "-m", "--"]

    def seen(self, path: Path) -> Path:
        return Path(f"/proc/{self._holder.pid}/root{path}")

    def _run(self, *words: str | Path) -> str:
        done = subprocess.run([*self.words, *words], check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def mount(self) -> None:
        if self._image is None:
            self._run("mount", "-t", "tmpfs", "-o", f"size={self._megabytes}m", "none", self._folder)
        else:
            self._run("mount", "-o", "loop,errors=remount-ro", self._image, self._folder)

    def unmount(self) -> None:
        """Raises :class:`CalledProcessError` while something in it is in use."""
        self._run("umount", self._folder)

    # --- what goes wrong ---

    def fill(self) -> None:
        with (self.seen(self._folder) / "filling").open("wb", buffering=0) as file:
            for piece in (MEGABYTE, 4096):
                with suppress(OSError):
                    while file.write(bytes(piece)) == piece:
                        pass

    def drain(self) -> None:
        (self.seen(self._folder) / "filling").unlink(missing_ok=True)

    def fail(self) -> None:
        """Have the kernel find an error in the file system, which it then lets nobody write to any more."""
        device = self._run("findmnt", "-no", "SOURCE", self._folder)
        Path(f"/sys/fs/ext4/{Path(device).name}/trigger_fs_error").write_text("chaos")

    def repair(self) -> None:
        """As an operator would: mount it anew. Nobody may use it meanwhile."""
        self.unmount()
        self.mount()
