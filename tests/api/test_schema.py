"""The document and the service agree: schemathesis asks the running gateway whatever the document allows, and more."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from gateway.core.plum import LIMITS
from gateway.services.api.problems import KINDS, Code
from tests.api.conftest import build
from tests.api.running import Running
from tests.services.test_feed import Clock
from voxgate import system, tokens
from voxgate.client import Client


def fuzz(running: Running, folder: Path, token: str, *words: str) -> str:
    """What schemathesis says when it finds nothing."""
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")), "run", f"{running.base}/api/v1/openapi.json",
            "--header", f"Authorization: Bearer {token}", "--exclude-checks", "positive_data_acceptance",
            "--seed", "20270115", "--max-examples", "5", "--max-time", "30", "--no-color", "--no-shrink", *words,
        ],
        capture_output=True, text=True, check=False, timeout=300, cwd=folder, env={**os.environ},
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[:8000]
    return said


def test_schemathesis_finds_no_disagreement(running: Running, tmp_path: Path) -> None:
    """Seeded and bounded. Left out: the event stream, which does not end; revoking, by which it would lock itself out,
    and which has a run of its own; and the check that whatever fits the schema is accepted, since a schema tells
    nothing of dialable numbers, time zones, or times that must follow one another."""
    phases = ("--phases", "examples,coverage,fuzzing,stateful")
    left_out = ("--exclude-operation-id", "listen", "--exclude-operation-id", "revoke_token")
    said = fuzz(running, tmp_path, running.token, *phases, *left_out)
    cases = re.search(r"(\d+) generated", said)
    assert cases is not None and int(cases[1]) > 500, said[-2000:]
    with Client(socket=running.socket) as client:
        assert client.ask(system.status()).live == 0  # it serves on
        token = client.ask(tokens.issue("its own", ["operator"])).token
    fuzz(running, tmp_path, token, "--include-operation-id", "revoke_token", "--phases", "coverage")
    faults = [line for line in running.log.read_text().splitlines() if '"api.failed"' in line]
    assert faults == []


async def test_the_document_tells_all_that_is_served(tmp_path: Path) -> None:
    api, store, _ = build(tmp_path, Clock())
    await store.close()
    told = json.loads(json.dumps(api.document))
    assert told["openapi"] == "3.1.0"
    operations = [one for path in told["paths"].values() for one in path.values()]
    assert len(operations) >= 30
    assert len({one["operationId"] for one in operations}) == len(operations)
    for one in operations:
        assert one["summary"].endswith("."), one["operationId"]
        assert "Scope: `" in one["description"]
        assert {"401", "403", "429"} <= set(one["responses"])
    schema = told["components"]["schemas"]["NewCall"]
    assert schema["properties"]["phone_number"]["maxLength"] == LIMITS["phone_number"]
    assert "password" not in json.dumps(told).lower()


def test_every_problem_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs/api.md").read_text()
    for code in Code:
        assert f"| `{code}` | {KINDS[code].status} |" in page, code
