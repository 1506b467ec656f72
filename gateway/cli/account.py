"""``voxgate account``: who may queue calls."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.cli import token
from gateway.cli.client import Unreachable
from gateway.cli.shared import ConfigOption, JsonOption, asked, config_of, group, log_to_stderr, show, show_json
from gateway.core.model import AccountSettings
from gateway.settings import Config
from voxgate import accounts

app = group("Accounts that may queue calls.")
app.add_typer(token.app, name="token")


@app.command("add", epilog="Example: voxgate account add user1 --time-zone America/New_York --country US")
def add(
    login: str,
    time_zone: Annotated[
        str, typer.Option(prompt="Time zone of this account (as America/New_York)", help="IANA name.")
    ],
    country: Annotated[str, typer.Option(prompt="Country of its numbers (as US)", help="ISO 3166 code.")],
    pin: Annotated[str | None, typer.Option(help="4 to 16 characters; generated and shown once where absent.")] = None,
    caller_id: Annotated[str | None, typer.Option(help="Shown to callees.")] = None,
    allow_ani: Annotated[list[str] | None, typer.Option(help="A caller ID that ani may ask for; repeatable.")] = None,
    evidence_audio: Annotated[
        bool, typer.Option("--evidence-audio", help="Keep the first seconds of what callees say; mind the law.")
    ] = False,
    operator: Annotated[bool, typer.Option("--operator", help="Sees and changes every account.")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add an account."""
    import secrets

    shown = pin or "".join(secrets.choice("0123456789") for _ in range(8))
    chosen = AccountSettings(
        time_zone, country, caller_id=caller_id, allowed_caller_ids=tuple(allow_ani or ()), operator=operator,
        evidence_audio=evidence_audio,
    )  # fmt: skip
    settings = config_of(config)
    try:
        asked(config, accounts.add(login, shown, chosen))
    except Unreachable:
        _add_directly(settings, login, shown, chosen)
    if as_json:
        show_json({"login": login, "pin": None if pin else shown})
        return
    print(f"account {login} added" + ("" if pin else f"; its PIN, shown this once: {shown}"))


def _add_directly(config: Config, login: str, pin: str, settings: AccountSettings) -> None:
    """No gateway runs: this process may own the database for a moment."""
    import asyncio

    from gateway.adapters.store import SqliteAccess
    from gateway.services.accounts import Accounts
    from gateway.services.intake.logins import Logins
    from gateway.wiring import SystemClock, open_store

    async def work() -> None:
        log_to_stderr()
        store, clock = open_store(config), SystemClock()
        try:
            await Accounts(store, SqliteAccess(store), Logins(store, clock), clock).add(login, pin, settings)
        finally:
            await store.close()

    asyncio.run(work())


@app.command("list", epilog="Example: voxgate account list --json")
def list_accounts(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show all accounts."""
    found = [{**one, **one["settings"]} for one in asked(config, accounts.all_of_them())]
    show(found, as_json, ["id", "login", "time_zone", "country", "caller_id"])
