"""Gets a real Asterisk 22 as an ordinary user: the one on PATH, else Debian forky's packages unpacked in the cache.

Needs nothing but Python's standard library, apt and dpkg, because it runs before anything is installed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SUITE = "forky"
#: Beside Asterisk: its recorded voices, a softphone, and what existing clients are written with.
PACKAGES = ("asterisk", "asterisk-core-sounds-en-wav", "baresip-core", "php-cli", "php-curl", "curl")
#: Raised whenever what is unpacked changes, so that an older cache is not mistaken for it.
LAYOUT = "3"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
DEFAULT_MIRROR = "http://deb.debian.org/debian"


class FetchFailed(Exception):
    """Asterisk could not be had: the message says what was tried and what to do."""


@dataclass(frozen=True, slots=True)
class Install:
    """Where Asterisk lies. ``root`` is None for the one on PATH."""

    root: Path | None
    sounds: Path
    modules: Path
    data: Path  # the folder that holds documentation/ and static-http/

    @property
    def loader(self) -> list[str]:
        """The words before a program's path that make the unpacked programs find their libraries."""
        if self.root is None:
            return []
        return loader(self.root)

    def program(self, name: str) -> Path:
        if self.root is None:
            found = shutil.which(name)
            if found is None:
                raise FetchFailed(f"{name} is not on PATH")
            return Path(found)
        for folder in ("usr/sbin", "usr/bin"):
            if (path := self.root / folder / name).exists():
                return path
        raise FetchFailed(f"{name} is not among the unpacked packages in {self.root}")


def loader(root: Path) -> list[str]:
    """The words before the path of a program of an unpacked root."""
    lib = library_folder(root)
    linker = next(iter(sorted(lib.glob("ld-linux-*.so.*"))), None) or next(
        iter(sorted((root / "usr/lib").glob("ld-linux-*.so.*")))
    )
    extra = [lib, lib / "asterisk", lib / "baresip/modules", lib / "pulseaudio", root / "usr/lib"]
    return [str(linker), "--library-path", ":".join(str(one) for one in extra)]


def library_folder(root: Path) -> Path:
    return next(iter(sorted((root / "usr/lib").glob("*-linux-gnu*"))))


def cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "voxgate"


def asterisk() -> Install:
    """The Asterisk to use, fetched where need be. Raises :class:`FetchFailed`."""
    if (own := _on_path()) is not None:
        return own
    folder = cache_folder() / f"asterisk-{SUITE}-{LAYOUT}"
    root = folder / "root"
    if not (folder / "complete").exists():
        with lock(cache_folder() / "asterisk.lock"):
            if not (folder / "complete").exists():
                _unpack(folder, PACKAGES, "Asterisk 22", "100 MB", _finish)
    return Install(
        root=root,
        sounds=root / "usr/share/asterisk/sounds",
        modules=library_folder(root) / "asterisk/modules",
        data=root / "usr/share/asterisk",
    )


def unpacked(name: str, packages: tuple[str, ...], suite: str = SUITE, size: str = "100 MB") -> Path:
    """The root of other packages, fetched where need be. Raises :class:`FetchFailed`."""
    asked = hashlib.sha256(" ".join(packages).encode()).hexdigest()[:8]
    folder = cache_folder() / f"{name}-{suite}-{asked}"
    if not (folder / "complete").exists():
        with lock(cache_folder() / f"{name}.lock"):
            if not (folder / "complete").exists():
                _unpack(folder, packages, name, size, lambda root: None, suite)
    return folder / "root"


def _on_path() -> Install | None:
    found = shutil.which("asterisk")
    if found is None:
        return None
    said = subprocess.run([found, "-V"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"Asterisk (\d+)\.", said)
    if version is None or int(version[1]) < 22:
        return None
    modules = next(iter(sorted(Path("/usr/lib").glob("*/asterisk/modules"))), Path("/usr/lib/asterisk/modules"))
    data = next((p for p in (Path("/usr/share/asterisk"), Path("/var/lib/asterisk")) if p.exists()), None)
    if data is None:
        return None
    return Install(None, data / "sounds", modules, data)


@contextmanager
def lock(path: Path) -> Iterator[None]:
    """Held by one process of this user at a time, in whatever checkout."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("another checkout is doing the same: waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _unpack(
    folder: Path, packages: tuple[str, ...], what: str, size: str, finish: Callable[[Path], None], suite: str = SUITE
) -> None:
    """Download with a private apt state (signatures checked by apt), unpack beside, and rename into place."""
    for program in ("apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            raise FetchFailed(
                f"{program} is missing, with which Debian's {what} would be fetched: "
                "install Asterisk 22 or newer by your distribution's means, and the command finds it on PATH"
            )
    if not KEYRING.exists():
        raise FetchFailed(f"{KEYRING} is missing: install the package debian-archive-keyring")
    work = folder.with_suffix(".part")
    shutil.rmtree(work, ignore_errors=True)
    for name in ("etc", "state/lists/partial", "cache/archives/partial", "log"):
        (work / name).mkdir(parents=True)
    (work / "status").touch()
    mirror = _mirror()
    (work / "sources.list").write_text(f"deb [signed-by={KEYRING}] {mirror} {suite} main\n")
    conf = work / "apt.conf"
    conf.write_text(_apt_conf(work))
    env = {**os.environ, "APT_CONFIG": str(conf), "LC_ALL": "C.UTF-8"}
    _say(f"fetching {what} from {mirror} ({suite}): about {size}, once")
    said = _run(["apt-get", "update"], env, may_fail=True)
    if "is expired" in said:
        _say("the mirror's Release file has expired: going on with its signature alone")
        conf.write_text(_apt_conf(work) + 'Acquire::Check-Valid-Until "false";\n')
        said = _run(["apt-get", "update"], env, may_fail=True)
    if re.search(r"^E: ", said, re.M):
        raise _failed(f"apt-get update on {mirror} {suite}", said)
    _run(["apt-get", "-y", "--download-only", "install", *packages], env)
    debs = sorted((work / "cache/archives").glob("*.deb"))
    _say(f"unpacking {len(debs)} packages")
    root = work / "root"
    root.mkdir()
    for deb in debs:
        _run(["dpkg-deb", "-x", str(deb), str(root)], env)
    finish(root)
    for name in ("cache", "state", "log", "etc"):
        shutil.rmtree(work / name)
    (work / "complete").touch()
    shutil.rmtree(folder, ignore_errors=True)
    work.rename(folder)
    _say(f"{what} is in {folder}")


def _finish(root: Path) -> None:
    """What the packages' maintainer scripts would have done."""
    sounds = root / "usr/share/asterisk/sounds"
    if not (sounds / "en").exists() and (voices := sorted(sounds.glob("en_US_*"))):
        (sounds / "en").symlink_to(voices[0].name)
    # Links into the host's /lib or /usr/lib would lead out of the root.
    for name in ("lib", "lib64", "bin", "sbin"):
        if not (root / name).exists() and (root / "usr" / name).exists():
            (root / name).symlink_to(f"usr/{name}")


def _apt_conf(work: Path) -> str:
    return f"""Dir::Etc "{work}/etc";
Dir::Etc::sourcelist "{work}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::State "{work}/state";
Dir::State::lists "{work}/state/lists";
Dir::State::status "{work}/status";
Dir::Cache "{work}/cache";
Dir::Log "{work}/log";
APT::Install-Recommends "false";
APT::Sandbox::User "";
Debug::NoLocking "1";
Acquire::Languages "none";
Acquire::Retries "3";
"""


def _mirror() -> str:
    """The Debian mirror that this machine's own apt uses."""
    texts = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    for path in texts:
        if path.suffix not in (".list", ".sources") or not path.is_file():
            continue
        lines = [line for line in path.read_text(errors="replace").splitlines() if not line.lstrip().startswith("#")]
        for url in re.findall(r"https?://[^\s\]]+", "\n".join(lines)):
            if re.search(r"/debian/?$", url):
                return str(url).rstrip("/")
    return DEFAULT_MIRROR


def _run(command: list[str], env: dict[str, str], *, may_fail: bool = False) -> str:
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, errors="replace")
    said = done.stdout + done.stderr
    if done.returncode != 0 and not may_fail:
        raise _failed(" ".join(command[:4]), said)
    return said


def _failed(what: str, said: str) -> FetchFailed:
    tail = "\n".join(said.strip().splitlines()[-8:])
    return FetchFailed(
        f"{what} failed:\n{tail}\n"
        "What to do: check that this machine reaches its Debian mirror (`apt-get update`), or put Asterisk 22 "
        "on PATH, then run the command again. Nothing half-done is left behind."
    )


def _say(text: str) -> None:
    print(f"lab: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        found = asterisk()
    except FetchFailed as error:
        sys.exit(f"lab: {error}")
    print(found.root or shutil.which("asterisk"))
