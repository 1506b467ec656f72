"""What is installed in the field is pinned and hashed, and is what pyproject.toml asks for."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent.parent
PINS = re.findall(
    r"^(\S+)==(\S+).*((?:\n {4}--hash=sha256:[0-9a-f]{64}.*)*)",
    (ROOT / "packaging/requirements.lock").read_text(),
    re.M,
)
VERSIONS = {canonicalize_name(name): version for name, version, _ in PINS}


def test_the_lock_satisfies_pyproject() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [Requirement(one) for one in project["dependencies"]]
    unmet = [str(one) for one in wanted if not one.specifier.contains(VERSIONS.get(canonicalize_name(one.name), "0"))]
    assert not unmet, f"packaging/requirements.lock does not satisfy {unmet}: run `make lock`"


def test_every_pin_has_hashes() -> None:
    assert PINS
    assert [name for name, _, hashes in PINS if not hashes] == []
