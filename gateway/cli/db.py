"""``voxgate db``: the database checked, copied, restored and compacted."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli import client as requests
from gateway.cli.client import Client, Unreachable, on_socket
from gateway.cli.shared import ConfigOption, JsonOption, config_of, group, log_to_stderr, show_json, size

app = group("The database: checked, copied, restored and compacted.")

_RESTORE = """Example: voxgate db restore /var/lib/voxgate/backups/voxgate-20261127T110000Z.db

Stop the gateway first. What is there now is kept beside it. Calls that were dialed after the backup was taken wait in
it as if they had not been: so every campaign is paused, and you resume those of which you are sure."""


@app.command("check", epilog="Example: voxgate db check --quick")
def check(
    quick: Annotated[bool, typer.Option("--quick", help="Leave out that indexes agree with their tables.")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look for damage and for wrong counters, also while the gateway runs. Exit status 1: something is wrong."""
    import msgspec

    from gateway.adapters.store import check as checked

    log_to_stderr()
    settings = config_of(config)
    try:
        found = on_socket(settings.socket_path).ask(requests.check(quick))
    except Unreachable:
        found = msgspec.to_builtins(checked(Path(settings.database.path), quick=quick))
    if as_json:
        show_json(found)
    else:
        print(
            f"{settings.database.path}: {size(found['size'])}, {size(found['free'])} of it free, {found['calls']} calls"
        )
        print("\n".join(found["faults"]) or "nothing is wrong")
    if found["faults"]:
        raise typer.Exit(1)


@app.command("backup", epilog="Example: voxgate db backup /mnt/backup/voxgate.db")
def backup(
    file: Annotated[
        Path | None, typer.Argument(help="The copy; without it, one named by the time in [database] backups.")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Copy the database, also while the gateway dials. The copy is whole, as of one moment, and checked."""
    log_to_stderr()
    settings = config_of(config)
    source = Path(settings.database.path)
    target = (file or Path(settings.database.backups) / f"{source.stem}-{_stamp()}.db").absolute()
    done = _with_progress(lambda tell: _backed_up(on_socket(settings.socket_path), source, target, tell))
    if as_json:
        show_json(done)
        return
    print(f"{done['path']}: {size(done['size'])} in {done['seconds']:.1f} s")


def _backed_up(client: Client, source: Path, target: Path, tell: Callable[[int, int], None]) -> dict[str, Any]:
    import msgspec

    from gateway.adapters.store import backup as copied
    from gateway.ports import StoreError

    try:
        for line in client.lines(requests.backup(target)):
            if "error" in line:
                raise StoreError(line["error"])
            if "path" in line:
                return dict(line)
            tell(line["done"], line["total"])
    except Unreachable:
        return dict(msgspec.to_builtins(copied(source, target, tell)))
    raise StoreError("the gateway stopped before the backup was whole")


def _with_progress(work: Callable[[Callable[[int, int], None]], dict[str, Any]]) -> dict[str, Any]:
    from rich.console import Console
    from rich.progress import Progress

    with Progress(disable=not sys.stderr.isatty(), console=Console(stderr=True)) as progress:
        copying = progress.add_task("copying", total=None)
        return work(lambda done, total: progress.update(copying, completed=done, total=total))


@app.command("restore", epilog=_RESTORE)
def restore(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A backup.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Pause no campaign: calls may be dialed a second time.")
    ] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a backup in the database's place. Campaigns are paused, so that nobody is rung a second time."""
    import msgspec

    from gateway.adapters.store import restore as restored

    log_to_stderr()
    path = Path(config_of(config).database.path)
    if not yes:
        typer.confirm(f"Replace {path} by {file}?", abort=True, err=True)
    done = restored(path, file, _stamp(), pause=not resume)
    if as_json:
        show_json(msgspec.to_builtins(done))
        return
    print(f"{path} is restored" + (f"; what was there is now {done.replaced}" if done.replaced else ""))
    if done.paused:
        print(f"{len(done.paused)} campaigns are paused; start the gateway, then `voxgate campaign resume ID` those")
        print("that had not gone on after the backup was taken: " + ", ".join(done.paused))
    print("PINs, tokens and signing secrets are those of the backup: revoke again what was revoked since it was taken")


@app.command("vacuum", epilog="Example: voxgate db vacuum")
def vacuum(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Give free space back to the disk. Stop the gateway first: it would hold up every call."""
    from gateway.adapters.store import vacuum as compacted

    log_to_stderr()
    before, after = compacted(Path(config_of(config).database.path))
    if as_json:
        show_json({"before": before, "after": after})
        return
    print(f"{size(before)} before, {size(after)} now")


def _stamp() -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
