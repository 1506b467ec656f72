"""Real PHP, as existing clients use it: the one on PATH, or the one that came with the fetched Asterisk."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from lab import fetch


def run(script: Path) -> str:
    """What the script prints. Raises CalledProcessError."""
    words = [found] if (found := shutil.which("php")) else _unpacked()
    done = subprocess.run([*words, str(script)], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout


def _unpacked() -> list[str]:
    install = fetch.asterisk()
    if install.root is None:
        raise fetch.FetchFailed("php is not on PATH: install php-cli and php-curl")
    program = next(iter(sorted((install.root / "usr/bin").glob("php[0-9]*"))))
    curl = next(iter(sorted((install.root / "usr/lib/php").glob("*/curl.so"))))
    return [*install.loader, str(program), "-n", "-d", f"extension={curl}", "-d", "display_errors=stderr"]
