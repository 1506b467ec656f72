"""A real Chromium for the pages' tests: the one on PATH, else that of the host's own Debian release, unpacked."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from lab.fetch import FetchFailed, library_folder, unpacked

#: A new profile each time, and no request of its own to anywhere.
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-default-apps",
    "--disable-domain-reliability", "--disable-features=OptimizationHints,MediaRouter,Translate",
)  # fmt: skip
#: A microphone that needs no hardware and no question, and a peer connection over loopback.
PHONE_FLAGS = (
    "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required", "--allow-loopback-in-peer-connection",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Browser:
    """Its program, and the environment that lets it find its libraries and fonts."""

    program: Path
    environment: dict[str, str]


def chromium() -> Browser:
    """The browser to use, fetched where need be. Raises :class:`FetchFailed`."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if (found := shutil.which(name)) is not None:
            return Browser(Path(found), dict(os.environ))
    root = unpacked("chromium", ("chromium", "fonts-dejavu-core"), _release())
    lib = library_folder(root)
    _leave_c_library(lib)
    fonts = root / "fonts.conf"
    if not fonts.exists():
        fonts.write_text(
            f"<fontconfig><dir>{root / 'usr/share/fonts'}</dir><cachedir>{root / 'fonts-cache'}</cachedir></fontconfig>"
        )
    libraries = [lib, lib / "pulseaudio", root / "lib" / lib.name]
    return Browser(
        root / "usr/lib/chromium/chromium",
        {
            **os.environ,
            "LD_LIBRARY_PATH": ":".join(str(one) for one in libraries),
            "FONTCONFIG_FILE": str(fonts),
            "XDG_DATA_DIRS": str(root / "usr/share"),
        },
    )


def _release() -> str:
    """The host's own Debian release: its programs run with the host's C library and loader."""
    known = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    if known.get("ID") != "debian" or not (name := known.get("VERSION_CODENAME", "").strip('"')):
        raise FetchFailed("Chromium is not on PATH, and this is no Debian from whose release it could be fetched")
    return name


def _leave_c_library(lib: Path) -> None:
    """The host's loader must find the host's own C library, not the unpacked one."""
    for folder in (lib, lib.parent.parent.parent / "lib" / lib.name):
        for name in ("libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "libresolv.so.2"):
            (folder / name).unlink(missing_ok=True)
