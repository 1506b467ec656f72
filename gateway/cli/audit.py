"""``voxgate audit``: who changed what, from where."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from typing import Annotated

import msgspec
import typer

from gateway.cli.client import Client
from gateway.cli.shared import ConfigOption, JsonOption, client_of, clock, group, show, show_json
from voxgate import audit, models

app = group("Who changed what, from where, and what they were refused.")

_PAGE = 200
#: Seconds between two looks of `tail`.
_LOOK = 1.0
_COLUMNS = ("id", "when", "actor", "origin", "action", "subject", "account", "detail", "outcome")


@app.command("list", epilog="Example: voxgate audit list --limit 20")
def list_audit(
    limit: Annotated[int, typer.Option(min=1, help="How many lines, the newest.")] = 50,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the newest lines of the audit log, the newest first."""
    lines = client_of(config).pages(audit.find(min(limit, _PAGE)))
    found = [msgspec.to_builtins(one) for one in itertools.islice(lines, limit)]
    if as_json:
        show_json(found)
        return
    show([{**one, "when": clock(one["at"])} for one in found], False, _COLUMNS)


@app.command("tail", epilog="Example: voxgate audit tail --json")
def tail(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show what is changed, as it is changed, until Ctrl-C. With --json one object a line."""
    client, last = client_of(config), None
    while True:
        for one in _since(client, last):
            if last is not None:
                print(_line(one, as_json), flush=True)
            last = one.id
        last = last or 0
        time.sleep(_LOOK)


def _since(client: Client, last: int | None) -> Iterator[models.AuditLine]:
    """The lines after ``last``, the oldest first; the newest alone where that is None."""
    newest = client.pages(audit.find(1 if last is None else _PAGE))
    if last is None:
        return iter(list(itertools.islice(newest, 1)))
    return reversed(list(itertools.takewhile(lambda one: one.id > last, newest)))


def _line(one: models.AuditLine, as_json: bool) -> str:
    if as_json:
        return msgspec.json.encode(one).decode()
    told = f"{one.at.astimezone():%H:%M:%S}  {one.actor} from {one.origin}: {one.action} {one.subject}"
    return told + (f" ({one.detail})" if one.detail else "") + ("" if one.outcome == "done" else f", {one.outcome}")
