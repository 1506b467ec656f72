"""``voxgate account``: who may queue calls."""

from __future__ import annotations

import sys
import typing
from typing import Annotated, Any, get_type_hints

import msgspec
import typer

from gateway.cli import signing, token
from gateway.cli.client import Unreachable
from gateway.cli.shared import ConfigOption, JsonOption, asked, config_of, group, log_to_stderr, show, show_json
from gateway.cli.why import lines
from gateway.core.model import AccountSettings
from gateway.settings import Config
from voxgate import accounts, system

app = group("Accounts that may queue calls.")

PinOption = Annotated[
    str | None,
    typer.Option(help="4 to 16 characters; - for a line of input; generated and shown once where absent."),
]
app.add_typer(token.app, name="token")
app.add_typer(signing.app, name="signing")


@app.command("add", epilog="Example: voxgate account add user1 --time-zone America/New_York --country US")
def add(
    login: str,
    time_zone: Annotated[
        str, typer.Option(prompt="Time zone of this account (as America/New_York)", help="IANA name.")
    ],
    country: Annotated[str, typer.Option(prompt="Country of its numbers (as US)", help="ISO 3166 code.")],
    pin: PinOption = None,
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
    shown = _pin(pin)
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


def _pin(given: str | None) -> str:
    """The PIN that is given, in the words or in a line of input; or one of eight digits."""
    import getpass
    import secrets

    if given == "-":
        return getpass.getpass("PIN: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    return given or "".join(secrets.choice("0123456789") for _ in range(8))


def _add_directly(config: Config, login: str, pin: str, settings: AccountSettings) -> None:
    """No gateway runs: this process may own the database for a moment."""
    import asyncio

    from gateway.adapters.store import SqliteAccess
    from gateway.core.access import OPERATOR
    from gateway.parts import SystemClock, open_store
    from gateway.services.accounts import Accounts
    from gateway.services.audit import Audit, came_from
    from gateway.services.intake.logins import Logins

    async def work() -> None:
        log_to_stderr()
        store, clock = open_store(config), SystemClock()
        try:
            access = SqliteAccess(store)
            added = await Accounts(store, access, Logins(store, clock), clock).add(login, pin, settings)
            came_from("the command line")
            await Audit(access, clock).note(OPERATOR, "account.add", f"account {login}", added.id)
        finally:
            await store.close()

    asyncio.run(work())


@app.command("list", epilog="Example: voxgate account list --json")
def list_accounts(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show all accounts."""
    found = [{**one, **one["settings"]} for one in asked(config, accounts.all_of_them())]
    show(found, as_json, ["id", "login", "time_zone", "country", "caller_id"])


@app.command("show", epilog="Example: voxgate account show user1")
def show_account(login: str, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show one account with all its settings."""
    found = asked(config, accounts.get(login))
    if as_json:
        show_json(found)
        return
    settings = found.pop("settings")
    show(
        [{"setting": name, "value": _shown(value)} for name, value in (found | settings).items()],
        False,
        ["setting", "value"],
    )


_SET = """Examples:

  voxgate account set user1 ring_timeout=30 allowed_prefixes=+1,+44

  voxgate account set user1 caller_id=

Names and values are those that `voxgate account show` tells; an empty value goes back to the default."""


@app.command("set", epilog=_SET)
def change(
    login: str,
    changes: Annotated[list[str], typer.Argument(metavar="NAME=VALUE...", help="Settings to change.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change settings of an account; they are in force for the next call."""
    asked_for = dict(_setting(one) for one in changes)
    found = asked(config, accounts.change(login, **asked_for))
    if as_json:
        show_json(found)
        return
    for name in asked_for:
        print(f"{name} = {_shown(found['settings'][name])}")


def _shown(value: Any) -> str:
    return ", ".join(str(one) for one in value) if isinstance(value, tuple | list) else str(value)


def _setting(text: str) -> tuple[str, Any]:
    """``ring_timeout=30`` as a name and a value of its setting's type."""
    name, equals, value = text.partition("=")
    kinds = get_type_hints(AccountSettings, include_extras=True)
    if not equals or name not in kinds:
        raise typer.BadParameter(f"{text!r}: write NAME=VALUE, where NAME is one of {', '.join(kinds)}")
    if not value:
        return name, None
    try:
        given = value.split(",") if typing.get_origin(kinds[name]) is tuple else value
        return name, msgspec.to_builtins(msgspec.convert(given, kinds[name], strict=False))
    except msgspec.ValidationError as error:
        raise typer.BadParameter(f"{name}: {error}") from None


@app.command("usage", epilog="Example: voxgate account usage user1")
def usage(
    login: Annotated[str | None, typer.Argument(help="Without it, what all accounts used together.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what an account used of its day's caps, and which of them holds its calls now."""
    _show_usage(asked(config, system.usage() if login is None else accounts.usage(login)), as_json)


@app.command("lift", epilog="Example: voxgate account lift user1")
def lift(
    login: Annotated[str | None, typer.Argument(help="Whose ceiling.")] = None,
    everybody: Annotated[bool, typer.Option("--everybody", help="The gateway's own, in [spend].")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let an account, or everybody, spend beyond a ceiling of minutes or cost until the day ends."""
    if (login is None) is not everybody:
        raise typer.BadParameter("name an account, or say --everybody")
    _show_usage(asked(config, system.lift() if login is None else accounts.lift(login)), as_json)


def _show_usage(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show_json(found)
        return
    hold = found.pop("hold")
    show([{"used": name, "today": _shown(value)} for name, value in found.items()], False, ["used", "today"])
    if hold is not None:
        print("\n".join(lines(hold)))


@app.command("pin", epilog="Example: voxgate account pin user1 --keep-old-hours 24")
def set_pin(
    login: str,
    pin: PinOption = None,
    keep_old_hours: Annotated[int, typer.Option(min=0, max=24, help="The old PIN stays valid for so long.")] = 0,
    keep_sessions: Annotated[bool, typer.Option("--keep-sessions", help="Sign no browser out.")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Set a new PIN."""
    shown = _pin(pin)
    found = asked(config, accounts.set_pin(login, shown, keep_old_hours, keep_sessions=keep_sessions))
    if as_json:
        show_json({"login": login, "pin": None if pin else shown, "old_pin_until": found["old_pin_until"]})
        return
    print(f"the PIN of {login} is changed" + ("" if pin else f"; shown this once: {shown}"))
