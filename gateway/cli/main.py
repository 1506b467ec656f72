"""The command ``voxgate``: every command's options, and errors without tracebacks."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway import __version__
from gateway.cli.client import ApiRefused, Client, GatewayDown
from gateway.cli.vxml.commands import app as vxml_app
from gateway.config import Config, ConfigError, find, load
from gateway.core.plum import FieldError
from gateway.ports import StoreError

app = typer.Typer(
    no_args_is_help=True, add_completion=False, rich_markup_mode=None, help="Outbound calls for Asterisk."
)
account_app = typer.Typer(no_args_is_help=True, help="Accounts that may queue calls.")
campaign_app = typer.Typer(no_args_is_help=True, help="Campaigns: lists of numbers and their progress.")
calls_app = typer.Typer(no_args_is_help=True, help="Single calls.")
route_app = typer.Typer(no_args_is_help=True, help="How numbers are dialed.")
for name, group in (
    ("account", account_app), ("campaign", campaign_app), ("calls", calls_app), ("route", route_app),
    ("vxml", vxml_app),
):  # fmt: skip
    app.add_typer(group, name=name)

ConfigOption = Annotated[Path | None, typer.Option("--config", "-c", help="The configuration file.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def _config(path: Path | None) -> Config:
    return load(find(path))


def _client(config: Config) -> Client:
    return Client(config.socket_path)


def _show(value: Any, as_json: bool, columns: list[str]) -> None:
    if as_json:
        print(json.dumps(value, indent=2))
        return
    rows = value if isinstance(value, list) else [value]
    from rich.console import Console
    from rich.table import Table

    table = Table(*columns, box=None)
    for row in rows:
        table.add_row(*("" if row.get(column) is None else str(row.get(column)) for column in columns))
    Console(width=None if sys.stdout.isatty() else 200).print(table)


@app.command(epilog="Example: voxgate init --fetch-allow 192.168.1.0/24")
def init(
    folder: Annotated[Path, typer.Option(help="Where voxgate.toml and asterisk-conf are written.")] = Path(),
    ami_host: Annotated[str, typer.Option(help="Where Asterisk's AMI listens.")] = "127.0.0.1",
    ami_port: Annotated[int, typer.Option(help="AMI port.")] = 5038,
    agi_address: Annotated[str, typer.Option(help="HOST:PORT where Asterisk reaches the gateway.")] = "127.0.0.1:4573",
    fetch_allow: Annotated[
        list[str] | None,
        typer.Option(help="A network or host that is not public and may be fetched from; may be repeated."),
    ] = None,
    force: Annotated[bool, typer.Option(help="Overwrite what is there.")] = False,
) -> None:
    """Write a commented configuration and Asterisk's files with their secrets filled in."""
    from gateway.cli.init import write

    if fetch_allow is None:
        asked = typer.prompt(
            "Networks or hosts inside your LAN that serve VoiceXML (comma separated, empty for none)", default=""
        )
        fetch_allow = [one.strip() for one in asked.split(",") if one.strip()]
    for line in write(folder, ami_host, ami_port, agi_address, fetch_allow, force=force):
        print(line)


@app.command(epilog="Example: voxgate serve --config /etc/voxgate/voxgate.toml")
def serve(
    config: ConfigOption = None,
    log_json: Annotated[bool, typer.Option("--log-json", help="Log as JSON.")] = False,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
) -> None:
    """Run the gateway until SIGTERM."""
    import asyncio

    from gateway import logs, wiring

    logs.configure(as_json=log_json, level=log_level)
    asyncio.run(wiring.serve(_config(config)))


@app.command(epilog="Example: voxgate doctor --asterisk-etc /etc/asterisk")
def doctor(
    config: ConfigOption = None,
    asterisk_etc: Annotated[Path, typer.Option(help="Where Asterisk's configuration files are.")] = Path(
        "/etc/asterisk"
    ),
    as_json: JsonOption = False,
) -> None:
    """Check configuration, Asterisk's files, AMI, folders, disk, clock and Asterisk's abilities; say how to mend."""
    import asyncio

    from gateway.cli.doctor import State, examine

    findings = asyncio.run(examine(_config(config), asterisk_etc))
    count = {state: sum(one.state is state for one in findings) for state in State}
    if as_json:
        print(json.dumps([finding.plain() for finding in findings], indent=2))
    else:
        for finding in findings:
            print(f"{finding.state:<7}  {finding.what}" + (f"\n         {finding.mend}" if finding.mend else ""))
        print(f"{count[State.OK]} ok, {count[State.FAIL]} to mend, {count[State.SKIPPED]} skipped")
    if count[State.FAIL]:
        raise typer.Exit(1)


@app.command(epilog="Example: voxgate metrics | grep outbox")
def metrics(
    config: ConfigOption = None,
    describe: Annotated[bool, typer.Option("--describe", help="Print what each metric means, as Markdown.")] = False,
) -> None:
    """Show the running gateway's metrics in Prometheus' text format."""
    if describe:
        from gateway.metrics.describe import markdown

        print(markdown(), end="")
        return
    print(_client(_config(config)).text("/metrics"), end="")


@app.command(epilog="Example: voxgate call +16175551234 --account user1 --start-url http://app.example/start.php")
def call(
    number: str,
    account: Annotated[str, typer.Option(help="The account's login.")],
    start_url: Annotated[str, typer.Option(help="The VoiceXML application.")],
    result_url: Annotated[str | None, typer.Option(help="Where the result is posted.")] = None,
    max_retries: Annotated[int | None, typer.Option(help="0 to 10.")] = None,
    retry_interval: Annotated[int | None, typer.Option(help="Seconds, 60 to 172800.")] = None,
    at: Annotated[str | None, typer.Option(help='When, as "tomorrow 9am".')] = None,
    config: ConfigOption = None,
) -> None:
    """Queue one call through the running gateway."""
    body = {
        "account": account, "phone_number": number, "start_url": start_url, "result_url": result_url,
        "max_retries": max_retries, "retry_interval": retry_interval, "scheduled_time": at,
    }  # fmt: skip
    print(_client(_config(config)).ask("POST", "/calls", body)["id"])


@account_app.command("add", epilog="Example: voxgate account add user1 --time-zone America/New_York --country US")
def account_add(
    login: str,
    time_zone: Annotated[
        str, typer.Option(prompt="Time zone of this account (as America/New_York)", help="IANA name.")
    ],
    country: Annotated[str, typer.Option(prompt="Country of its numbers (as US)", help="ISO 3166 code.")],
    pin: Annotated[str | None, typer.Option(help="4 to 16 characters; generated and shown once where absent.")] = None,
    caller_id: Annotated[str | None, typer.Option(help="Shown to callees.")] = None,
    allow_ani: Annotated[list[str] | None, typer.Option(help="A caller ID that ani may ask for; repeatable.")] = None,
    config: ConfigOption = None,
) -> None:
    """Add an account."""
    import secrets

    shown = pin or "".join(secrets.choice("0123456789") for _ in range(8))
    body = {
        "login": login, "pin": shown, "time_zone": time_zone, "country": country, "caller_id": caller_id,
        "allowed_caller_ids": allow_ani or [],
    }  # fmt: skip
    settings = _config(config)
    try:
        _client(settings).ask("POST", "/accounts", body)
    except GatewayDown:
        _add_directly(settings, body)
    print(f"account {login} added" + ("" if pin else f"; its PIN, shown this once: {shown}"))


def _add_directly(config: Config, body: dict[str, Any]) -> None:
    """No gateway runs: this process may own the database for a moment."""
    import asyncio

    from gateway.services.intake.api import new_account
    from gateway.wiring import open_store

    async def add() -> None:
        store = open_store(config)
        try:
            await store.add_account(*new_account(body))
        finally:
            await store.close()

    asyncio.run(add())


@account_app.command("list")
def account_list(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show all accounts."""
    _show(
        _client(_config(config)).ask("GET", "/accounts"), as_json, ["id", "login", "time_zone", "country", "caller_id"]
    )


_CAMPAIGN = ["id", "name", "state", *("pending", "dialing", "in_call", "retrying", "completed", "failed", "cancelled")]


def _flat(campaign: dict[str, Any]) -> dict[str, Any]:
    return {**campaign, **campaign["counts"]}


@campaign_app.command("load", epilog="Example: voxgate campaign load spring list.csv --account user1 --start-url URL")
def campaign_load(
    name: str,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    account: Annotated[str, typer.Option(help="The account's login.")],
    start_url: Annotated[str, typer.Option(help="The VoiceXML application.")],
    result_url: Annotated[str | None, typer.Option(help="Where results are posted.")] = None,
    max_retries: Annotated[int | None, typer.Option(help="0 to 10.")] = None,
    retry_interval: Annotated[int | None, typer.Option(help="Seconds, 60 to 172800.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Queue a list of numbers as a campaign."""
    from rich.console import Console
    from rich.progress import Progress

    fields = {
        "account": account, "campaign_name": name, "start_url": start_url, "result_url": result_url,
        "max_retries": max_retries, "retry_interval": retry_interval,
    }  # fmt: skip
    given = {key: str(value) for key, value in fields.items() if value is not None}
    client, size = _client(_config(config)), file.stat().st_size
    with Progress(disable=not sys.stderr.isatty(), console=Console(stderr=True)) as progress:
        sending, queueing = (progress.add_task(what, total=size) for what in ("uploading", "queueing"))
        with _watched(client, name, lambda load: progress.update(queueing, completed=load["bytes_read"])):
            done = client.upload("/campaigns", given, file, lambda sent: progress.advance(sending, sent))
        progress.update(queueing, completed=size)
    if as_json:
        print(json.dumps(done, indent=2))
        return
    print(f"campaign {done['campaign']}: {done['queued']} queued, {done['rejected']} rejected")
    for line, text, reason in done["first_rejected"]:
        print(f"  line {line}: {text!r} {reason}")


@contextmanager
def _watched(client: Client, name: str, tell: Callable[[dict[str, Any]], None]) -> Iterator[None]:
    """Tell of the progress of the load called ``name`` every half second, until the block ends."""
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.5):
            with suppress(GatewayDown, ApiRefused):
                for load in client.ask("GET", "/uploads"):
                    if load["name"] == name and not load["done"]:
                        tell(load)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


@campaign_app.command("list")
def campaign_list(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show all campaigns with their counts."""
    found = _client(_config(config)).ask("GET", "/campaigns")
    _show([_flat(one) for one in found], as_json, _CAMPAIGN)


@campaign_app.command("show")
def campaign_show(campaign: int, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show one campaign."""
    _show(_flat(_client(_config(config)).ask("GET", f"/campaigns/{campaign}")), as_json, _CAMPAIGN)


def _change(verb: str, campaign: int, config: Path | None) -> None:
    _show(_flat(_client(_config(config)).ask("POST", f"/campaigns/{campaign}/{verb}")), False, _CAMPAIGN)


@campaign_app.command("pause")
def campaign_pause(campaign: int, config: ConfigOption = None) -> None:
    """Dial nothing more of it until it is resumed; live calls go on."""
    _change("pause", campaign, config)


@campaign_app.command("resume")
def campaign_resume(campaign: int, config: ConfigOption = None) -> None:
    """Dial it again."""
    _change("resume", campaign, config)


@campaign_app.command("cancel")
def campaign_cancel(campaign: int, config: ConfigOption = None) -> None:
    """Cancel every call that waits; live calls end by themselves."""
    _change("cancel", campaign, config)


_CALL = ["id", "shown", "destination", "callee_type", "attempts", "duration", "reason"]


@calls_app.command("list")
def calls_list(
    campaign: Annotated[int | None, typer.Option(help="Only this campaign's.")] = None,
    state: Annotated[str | None, typer.Option(help="Only in this state, as failed.")] = None,
    after: Annotated[int, typer.Option(help="Only with ids beyond this one.")] = 0,
    limit: Annotated[int, typer.Option(help="At most so many.")] = 100,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show calls."""
    query = f"?limit={limit}&after={after}"
    query += f"&campaign={campaign}" if campaign is not None else ""
    query += f"&state={state}" if state is not None else ""
    _show(_client(_config(config)).ask("GET", f"/calls{query}")["calls"], as_json, _CALL)


@calls_app.command("show")
def calls_show(call_id: int, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show one call with its attempts and its result post."""
    found = _client(_config(config)).ask("GET", f"/calls/{call_id}")
    _show(found, as_json, _CALL)
    if not as_json:
        ends = [{**(one["end"] or {}), "number": one["number"], "state": one["state"]} for one in found["history"]]
        _show(ends, False, ["number", "state", "kind", "callee_type", "cause", "tech_cause", "reason"])


@calls_app.command("cancel")
def calls_cancel(call_id: int, config: ConfigOption = None) -> None:
    """Cancel a call that waits."""
    _client(_config(config)).ask("POST", f"/calls/{call_id}/cancel")
    print(f"call {call_id} cancelled")


@route_app.command("test", epilog="Example: voxgate route test 16175551234 --country US")
def route_test(
    number: str,
    country: Annotated[str, typer.Option(help="The account's country.")] = "US",
    config: ConfigOption = None,
) -> None:
    """Print what would be dialed for a number, and why."""
    from gateway.core.numbers import parse_destination
    from gateway.core.routes import NumberPolicy, Refused
    from gateway.wiring import router_of

    found = parse_destination(number, country)
    trace: list[str] = []
    try:
        way = router_of(_config(config)).resolve(found.kind, found.dialed, NumberPolicy(), country, trace)
    except Refused as error:
        for line in trace:
            print(f"  {line}")
        print(f"{found.dialed} may not be dialed: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    for line in trace:
        print(f"  {line}")
    print(way.dial_string)


@app.command(epilog="Example: voxgate classify answered.wav --json")
def classify(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="Recordings of what callees sent.")],
    answered_at: Annotated[float, typer.Option(min=0, help="Seconds into each file at which it was answered.")] = 0.0,
    bias: Annotated[float, typer.Option(help="Above 0 finds more machines, under 0 more persons (log-odds).")] = 0.0,
    as_json: JsonOption = False,
) -> None:
    """Print what is heard in recordings, and the verdict: who answered."""
    from gateway.cli.classify import classify as heard
    from gateway.core.hearing import Settings

    reports = [heard(file, Settings(bias=bias), answered_at) for file in files]
    if as_json:
        print(json.dumps([report.plain() for report in reports], indent=2))
        return
    for report in reports:
        print("\n".join(report.lines()))


@app.command()
def version() -> None:
    """Print the version."""
    print(__version__)


def main() -> None:
    """Exit status: 0 done, 1 refused or failed, 2 wrong usage."""
    from gateway.adapters.ami import AmiLoginRefused

    faults = (ConfigError, GatewayDown, ApiRefused, FieldError, StoreError, AmiLoginRefused, ValueError, OSError)
    try:
        app()
    except faults as error:
        sys.exit(f"voxgate: {error}")
    except BaseExceptionGroup as group:
        known, rest = group.split(faults)
        if known is None or rest is not None:
            raise
        sys.exit(f"voxgate: {_first(known)}")


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
