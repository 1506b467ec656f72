"""Another host for Asterisk: a network namespace of its own, in which the gateway's media folder is not to be seen."""

from __future__ import annotations

import os
import random
import secrets
import shutil
import subprocess
from pathlib import Path
from types import TracebackType

#: Runs a command where folder $0 is mounted at $1 (unless that is empty) and $0 itself is empty.
_MOUNTED = (
    'mount --make-rprivate / && { [ -z "$1" ] || mount --bind "$0" "$1"; } && '
    'mount -t tmpfs none "$0" && shift && exec "$@"'
)


def why_not() -> str | None:
    """Why no other host can be made here; None where one can."""
    if os.geteuid() != 0:
        return "namespaces of another host are root's to make"
    for program in ("ip", "unshare", "mount"):
        if shutil.which(program) is None:
            return f"{program} is not on this machine"
    probe = subprocess.run(
        ["unshare", "-n", "-m", "true"], capture_output=True, text=True, check=False
    )  # a container may forbid it to root
    return None if probe.returncode == 0 else f"no namespaces can be made here: {probe.stderr.strip()}"


class OtherHost:
    """``media`` is the gateway's folder. ``seen_as`` is where this host has it mounted; None: it has not."""

    def __init__(self, media: Path, seen_as: Path | None = None) -> None:
        self.media = media
        self.seen_as = seen_as
        self.name = f"vg{secrets.token_hex(4)}"
        # RFC 2544's range, which is nobody's: four addresses of it, of which two are hosts.
        third, fourth = random.SystemRandom().randrange(256), random.SystemRandom().randrange(0, 256, 4)
        self.gateway_address = f"198.18.{third}.{fourth + 1}"
        self.address = f"198.18.{third}.{fourth + 2}"

    def __enter__(self) -> OtherHost:
        near, far = f"{self.name}a", f"{self.name}b"
        _ip("netns", "add", self.name)
        try:
            _ip("link", "add", near, "type", "veth", "peer", "name", far, "netns", self.name)
            _ip("addr", "add", f"{self.gateway_address}/30", "dev", near)
            _ip("link", "set", near, "up")
            _ip("-n", self.name, "addr", "add", f"{self.address}/30", "dev", far)
            for device in (far, "lo"):
                _ip("-n", self.name, "link", "set", device, "up")
        except BaseException:
            _ip("netns", "del", self.name)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        _ip("netns", "del", self.name)  # and with it the link

    @property
    def command(self) -> list[str]:
        """The words that start a program on this host."""
        seen_as = "" if self.seen_as is None else str(self.seen_as)
        return ["ip", "netns", "exec", self.name, "unshare", "-m", "sh", "-c", _MOUNTED, str(self.media), seen_as]


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"ip {' '.join(words)}: {done.stderr.strip()}")
