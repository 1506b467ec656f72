"""``voxgate campaign``: lists of numbers and their progress."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from gateway.cli.client import Client, VoxgateError
from gateway.cli.shared import ConfigOption, JsonOption, asked, client_of, group, show, show_json
from gateway.core.model import DetectionMode, MachineHandling
from voxgate import campaigns, models
from voxgate.request import Request

app = group("Campaigns: lists of numbers and their progress.")

_COLUMNS = ("id", "name", "state", "pending", "dialing", "in_call", "retrying", "completed", "failed", "cancelled")


def _flat(campaign: dict[str, Any]) -> dict[str, Any]:
    return {**campaign, **campaign["counts"]}


@app.command("load", epilog="Example: voxgate campaign load spring list.csv --account user1 --start-url URL")
def load(
    name: str,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    account: Annotated[str, typer.Option(help="The account's login.")],
    start_url: Annotated[str, typer.Option(help="The VoiceXML application.")],
    result_url: Annotated[str | None, typer.Option(help="Where results are posted.")] = None,
    max_retries: Annotated[int | None, typer.Option(help="0 to 10.")] = None,
    retry_interval: Annotated[int | None, typer.Option(help="Seconds, 60 to 172800.")] = None,
    at: Annotated[str | None, typer.Option(help='When it begins, as "tomorrow 9am".')] = None,
    expires: Annotated[str | None, typer.Option(help='When what waits expires, as "friday 6pm".')] = None,
    detection: Annotated[DetectionMode | None, typer.Option(help="When it is told who answered.")] = None,
    machine: Annotated[MachineHandling | None, typer.Option(help="What is done with answering machines.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Queue a list of numbers as a campaign."""
    from rich.console import Console
    from rich.progress import Progress

    given = {
        "account": account, "result_url": result_url, "max_retries": max_retries, "retry_interval": retry_interval,
        "scheduled_time": at, "expiration_time": expires, "detection": detection, "machine": machine,
    }  # fmt: skip
    client, size = client_of(config), file.stat().st_size
    with Progress(disable=not sys.stderr.isatty(), console=Console(stderr=True)) as progress:
        sending, queueing = (progress.add_task(what, total=size) for what in ("uploading", "queueing"))
        with _watched(client, name, lambda load: progress.update(queueing, completed=load.bytes_read)):
            request = campaigns.load(name, start_url, file, lambda sent: progress.advance(sending, sent), **given)
            done = msgspec.to_builtins(client.ask(request))
        progress.update(queueing, completed=size)
    if as_json:
        show_json(done)
        return
    print(f"campaign {done['campaign_id']}: {done['queued']} queued, {done['rejected']} rejected")
    for one in done["first_rejected"]:
        print(f"  line {one['line']}: {one['text']!r} {one['reason']}")


_PREFLIGHT = """Examples:

  voxgate campaign preflight 2

  voxgate campaign preflight --list numbers.csv --account user1 --start-url http://app.example/start.php --at "9am"

Exit status 1 where something would keep the campaign from being queued, or nothing of it would be dialed."""


@app.command("preflight", epilog=_PREFLIGHT)
def preflight(
    campaign: Annotated[int | None, typer.Argument(help="A loaded campaign.")] = None,
    file: Annotated[
        Path | None, typer.Option("--list", exists=True, dir_okay=False, help="A list that is not loaded yet.")
    ] = None,
    account: Annotated[str | None, typer.Option(help="The account's login, with --list.")] = None,
    start_url: Annotated[str | None, typer.Option(help="The VoiceXML application, with --list.")] = None,
    result_url: Annotated[str | None, typer.Option(help="Where results would be posted, with --list.")] = None,
    name: Annotated[str, typer.Option(help="The campaign's name, with --list.")] = "preflight",
    at: Annotated[str | None, typer.Option(help='When it would begin, as "tomorrow 9am".')] = None,
    expires: Annotated[str | None, typer.Option(help='When what waits would expire, as "friday 6pm".')] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell what would be dialed when, and what is blocked and why. Nothing is queued."""
    from gateway.cli.preflight import lines

    if (campaign is None) == (file is None):
        raise typer.BadParameter("name a campaign, or a list by --list FILE")
    if file is None:
        assert campaign is not None
        found = asked(config, campaigns.preflight(campaign))
    else:
        given = {"account": account, "result_url": result_url, "scheduled_time": at, "expiration_time": expires}
        found = asked(config, campaigns.foresee(name, start_url or "", file, **given))
    if as_json:
        show_json(found)
    else:
        print("\n".join(lines(found)))
    if found["problems"] or not found["dialable"]:
        raise typer.Exit(1)


@contextmanager
def _watched(client: Client, name: str, tell: Callable[[models.Upload], None]) -> Iterator[None]:
    """Tell of the progress of the load called ``name`` every half second, until the block ends."""
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.5):
            with suppress(VoxgateError):
                for load in client.ask(campaigns.uploads()):
                    if load.name == name and not load.done:
                        tell(load)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


@app.command("list", epilog="Example: voxgate campaign list --json")
def list_campaigns(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show all campaigns with their counts."""
    found = client_of(config).pages(campaigns.find(limit=1000))
    show([_flat(msgspec.to_builtins(one)) for one in found], as_json, _COLUMNS)


@app.command("show", epilog="Example: voxgate campaign show 2")
def show_campaign(campaign: int, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show one campaign."""
    show(_flat(asked(config, campaigns.get(campaign))), as_json, _COLUMNS)


def _change(request: Request[models.Campaign], config: Path | None, as_json: bool) -> None:
    show(_flat(asked(config, request)), as_json, _COLUMNS)


@app.command("pause", epilog="Example: voxgate campaign pause 2")
def pause(campaign: int, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Dial nothing more of it until it is resumed; live calls go on."""
    _change(campaigns.pause(campaign), config, as_json)


@app.command("resume", epilog="Example: voxgate campaign resume 2")
def resume(campaign: int, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Dial it again."""
    _change(campaigns.resume(campaign), config, as_json)


@app.command("cancel", epilog="Example: voxgate campaign cancel 2")
def cancel(campaign: int, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Cancel every call that waits; live calls end by themselves."""
    _change(campaigns.cancel(campaign), config, as_json)
