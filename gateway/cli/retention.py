"""``voxgate retention``: what is kept for how long, and the sweep that removes the rest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from gateway.cli.client import Unreachable, on_socket, retention, sweep
from gateway.cli.shared import ConfigOption, JsonOption, asked, clock, config_of, group, log_to_stderr, show, show_json
from gateway.settings import Config

app = group("What is kept for how long, and the sweep that removes the rest.")


@app.command("show", epilog="Example: voxgate retention show")
def show_retention(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show how many days each thing is kept, and when the last sweep was."""
    found = asked(config, retention())
    if as_json:
        show_json(found)
        return
    rows = [{"kind": kind, "days": f"{days:g}" if days else "for ever"} for kind, days in found["days"].items()]
    show(rows, False, ["kind", "days"])
    last = clock(found["last_run"]) if found["last_run"] else "none yet"
    print(f"every night at {found['hour']}:00; last: {last}")


@app.command("run", epilog="Example: voxgate retention run --dry-run")
def run(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would be removed.")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove now what is older than [retention] says, also while the gateway dials."""
    settings = config_of(config)
    try:
        found = list(on_socket(settings.socket_path).lines(sweep(dry_run)))
    except Unreachable:
        found = list(_directly(settings, dry_run))
    rows = [{**one, "older than": clock(one["before"])} for one in found]
    if as_json:
        show_json(found)
        return
    show(rows, False, ["kind", "older than", "removed"])
    print(f"{sum(one['removed'] for one in found)} {'would be removed' if dry_run else 'removed'}")


def _directly(config: Config, dry_run: bool) -> Iterator[Any]:
    """No gateway runs: this process may own the database for a moment."""
    import asyncio

    from gateway.adapters.store import SqliteAccess
    from gateway.parts import SystemClock, open_store, retention_of
    from gateway.services.audit import Audit, came_from
    from gateway.services.retention import shown

    async def work() -> list[Any]:
        log_to_stderr()
        store = open_store(config)
        try:
            came_from("the command line")
            audit = Audit(SqliteAccess(store), SystemClock())
            return [shown(one) async for one in retention_of(config, store, audit).by_hand(dry=dry_run)]
        finally:
            await store.close()

    yield from asyncio.run(work())
