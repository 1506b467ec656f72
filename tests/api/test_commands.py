"""Commands that go through the API, as they are typed on a machine without an Asterisk."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.api.running import Running


def voxgate(running: Running, *words: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "gateway.cli", *words, "--config", str(running.config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def test_an_accounts_settings_and_pin(running: Running) -> None:
    assert voxgate(running, "account", "add", "typed", "--time-zone", "UTC", "--country", "US", "--pin", "1234")[0] == 0
    wanted = ("ring_timeout=30", "allowed_prefixes=+1,+44", "keep_duplicates=true")
    code, said = voxgate(running, "account", "set", "typed", *wanted)
    assert (code, said) == (0, "ring_timeout = 30\nallowed_prefixes = +1, +44\nkeep_duplicates = True\n")
    assert voxgate(running, "account", "set", "typed", "ring_timeout=")[0] == 0
    settings = json.loads(voxgate(running, "account", "show", "typed", "--json")[1])["settings"]
    assert (settings["ring_timeout"], settings["allowed_prefixes"]) == (None, ["+1", "+44"])
    for wrong, words in (
        ("ring_timeout=1", "from 10 to 120"),
        ("nonsense=1", "one of"),
        ("ring_timeout=x", "ring_timeout"),
    ):
        code, said = voxgate(running, "account", "set", "typed", wrong)
        assert code != 0 and words in said, said
    code, said = voxgate(running, "account", "pin", "typed", "--keep-old-hours", "24", "--json")
    assert code == 0 and len(json.loads(said)["pin"]) == 8 and json.loads(said)["old_pin_until"] is not None
    assert "no account 'nobody'" in voxgate(running, "account", "pin", "nobody")[1]


def test_what_an_account_used_and_its_ceiling(running: Running) -> None:
    voxgate(running, "account", "add", "capped", "--time-zone", "UTC", "--country", "US", "--pin", "1234")
    assert voxgate(running, "account", "set", "capped", "daily_minutes=0.5", "max_calls=2")[0] == 0
    for wrong in ("daily_cost=nan", "daily_minutes=inf", "daily_minutes=0", "max_calls=0", "daily_calls=-1", "cps=0"):
        code, said = voxgate(running, "account", "set", "capped", wrong)
        assert code != 0 and wrong.partition("=")[0] in said, said
    settings = json.loads(voxgate(running, "account", "show", "capped", "--json")[1])["settings"]
    assert (settings["daily_minutes"], settings["max_calls"], settings["daily_cost"]) == (0.5, 2, None)
    code, said = voxgate(running, "account", "usage", "capped")
    assert code == 0 and "minutes" in said and "account_" not in said
    assert json.loads(voxgate(running, "account", "lift", "capped", "--json")[1])["lifted"] is True
    assert json.loads(voxgate(running, "account", "usage", "--json")[1])["hold"] is None
    assert voxgate(running, "account", "lift")[0] != 0
    assert voxgate(running, "account", "lift", "--everybody")[0] == 0
