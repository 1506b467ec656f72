"""``voxgate config`` and ``voxgate reload``: what the configuration says, where each value comes from, put in force."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from gateway.cli.client import reload as reloaded
from gateway.cli.shared import ConfigOption, JsonOption, asked, group, show_json
from gateway.config import ENVIRONMENT, find, load
from gateway.settings import Config

app = group("The configuration: checked and shown.")

#: How the name of every setting ends that is a secret.
ENDING = ".secret"
MASK = "********"


@app.command("check", epilog="Example: voxgate config check --config new.toml")
def check(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Check the file, the environment, and the files that it names. Exit status 4 where it cannot be used."""
    from gateway.adapters.tls import client_context, server_context
    from gateway.parts import router_of

    place = find(config)
    settings = load(place)
    router_of(settings)
    if settings.server.certificate:
        server_context(settings.server.certificate, settings.server.key)
    if settings.ami.tls:
        client_context(settings.ami.ca)
    notes = list(_notes(settings))
    if as_json:
        show_json({"file": str(place), "notes": notes})
        return
    print("\n".join([f"{place} is in order", *(f"  note: {note}" for note in notes)]))


def _notes(config: Config) -> Iterator[str]:
    """What is allowed, and seldom meant."""
    if not config.trunk:
        yield "there is no [[trunk]]: nothing can be dialed"
    elif not config.route:
        yield "there is no [[route]]: no number leads to a trunk"
    used = {route.trunk for route in config.route}
    for trunk in config.trunk:
        if config.route and trunk.name not in used:
            yield f"no [[route]] leads to trunk {trunk.name}"
        if trunk.max_calls > config.dial.max_calls:
            yield f"max_calls of trunk {trunk.name} is above that of [dial], which holds"
    if config.server.host not in ("127.0.0.1", "::1", "localhost") and not config.server.certificate:
        yield f"[server] host {config.server.host} is reached without TLS: PINs cross the network in clear"
    if config.lab.retry_gap_scale != 1.0:
        yield "[lab] shortens retry gaps: for tests only"


@app.command("show", epilog="Example: voxgate config show --json")
def show_config(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show every setting in force and where its value comes from; secrets are masked."""
    place = find(config)
    settings = load(place)
    rows = list(_rows(settings, _given(place), place))
    if as_json:
        show_json(rows)
        return
    width = max(len(row["setting"]) for row in rows)
    for row in rows:
        print(f"{row['setting']:<{width}}  {msgspec.json.encode(row['value']).decode()}  ({row['source']})")


def _given(place: Path) -> dict[str, str]:
    """Settings that the file or the environment gives, by name, and which of them does."""
    raw = tomllib.loads(place.read_text())
    found = {
        f"{section}.{key}" if isinstance(value, dict) else section: str(place)
        for section, value in raw.items()
        for key in (value if isinstance(value, dict) else [""])
    }
    for name in os.environ:
        if name.startswith(ENVIRONMENT):
            found[name.removeprefix(ENVIRONMENT).lower().replace("__", ".")] = f"environment {name}"
    return found


def _rows(config: Config, given: dict[str, str], place: Path) -> Iterator[dict[str, Any]]:
    plain = msgspec.to_builtins(config)
    for section, value in plain.items():
        if section in ("trunk", "route"):
            for number, one in enumerate(value, 1):
                for key, inner in one.items():
                    name = f"{section}[{one['name'] if section == 'trunk' else number}].{key}"
                    yield {"setting": name, "value": inner, "source": str(place)}
        elif isinstance(value, dict):
            for key, inner in value.items():
                yield _row(f"{section}.{key}", inner, given)
        else:
            yield _row(section, value, given)


def _row(name: str, value: Any, given: dict[str, str]) -> dict[str, Any]:
    shown = MASK if value and name.endswith(ENDING) else value
    return {"setting": name, "value": shown, "source": given.get(name, "default")}


def reload(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Let the running gateway read its configuration again, as SIGHUP does, and say what needs a restart."""
    done = asked(config, reloaded())
    if as_json:
        show_json(done)
        return
    print("in force now: " + (", ".join(done["taken"]) or "nothing changed"))
    if done["need_restart"]:
        print("needs a restart: " + ", ".join(done["need_restart"]))
