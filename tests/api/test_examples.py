"""The examples that are shown are run, each in its own language, against the running gateway."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lab import clients
from tests.api.running import Running

EXAMPLES = Path(__file__).parents[2] / "docs/examples"
RUN = {".sh": ["sh"], ".py": [sys.executable], ".js": ["node"], ".php": []}


@pytest.mark.parametrize("file", sorted(EXAMPLES.iterdir()), ids=lambda file: file.name)
def test_an_example_does_what_it_says(running: Running, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOXGATE", running.base)
    monkeypatch.setenv("TOKEN", running.customer)
    if file.suffix == ".js" and shutil.which("node") is None:
        pytest.skip("node is not installed: the JavaScript example was not run")
    if file.suffix == ".php":
        said = clients.php(file)
    else:
        words = [*RUN[file.suffix], str(file)]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60, env={**os.environ})
        assert done.returncode == 0, done.stderr
        said = done.stdout
    if file.stem == "listen":
        assert said == "all are queued\n"
    else:
        call = json.loads(said)
        assert (call["dialed"], call["state"], call["max_retries"]) == ("+16175551234", "pending", 2)


def test_every_example_is_shown() -> None:
    page = (EXAMPLES.parent / "api.md").read_text()
    assert [file.name for file in EXAMPLES.iterdir() if f"(examples/{file.name})" not in page] == []
