"""The documentation as a site: built without a warning, whole without the network, and current where it is generated."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", folder]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    loading = re.compile(
        r"""<(?:script|img|iframe|source|object)[^>]*\b(?:src|data)=["']?(?:https?:)?//|<link[^>]*\bhref=["']?(?:https?:)?//|url\(["']?(?:https?:)?//|@import"""
    )
    pages = [*site.rglob("*.html"), *site.rglob("*.css")]
    assert pages
    assert [f"{page.name}: {found[0]}" for page in pages if (found := loading.search(page.read_text()))] == []


def test_generated_pages_are_current() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/reference.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
