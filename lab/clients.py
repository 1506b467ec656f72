"""The programs that existing clients are written with: those on PATH, or those that came with the fetched Asterisk."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from lab import fetch


def php(script: Path) -> str:
    """What the script prints when real PHP runs it. Raises CalledProcessError."""
    done = subprocess.run([*php_words(), str(script)], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout


def php_words() -> list[str]:
    """The words that start PHP."""
    return [found] if (found := shutil.which("php")) else _unpacked_php()


def _unpacked_php() -> list[str]:
    install = fetch.asterisk()
    if install.root is None:
        raise fetch.FetchFailed("php is not on PATH: install php-cli and php-curl")
    program = next(iter(sorted((install.root / "usr/bin").glob("php[0-9]*"))))
    curl = next(iter(sorted((install.root / "usr/lib/php").glob("*/curl.so"))))
    return [*install.loader, str(program), "-n", "-d", f"extension={curl}", "-d", "display_errors=stderr"]


def curl() -> list[str]:
    """The words that start curl, silent but for errors."""
    words = [found] if (found := shutil.which("curl")) else _unpacked_curl()
    return [*words, "-sS"]


def _unpacked_curl() -> list[str]:
    install = fetch.asterisk()
    return [*install.loader, str(install.program("curl"))]
