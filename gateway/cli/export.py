"""``voxgate export``: calls as a file, as fast as the disk and without holding up the gateway."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.client import export as exported
from gateway.cli.shared import ConfigOption, client_of
from gateway.core.exporting import Format

EPILOG = """Examples:

  voxgate export --campaign 2 --out spring.csv

  voxgate export --state failed --callee-type busy --since 2026-11-01 --format jsonl | head

  voxgate export --out calls.parquet

A file appears whole or not at all. What a spreadsheet would take for a formula is led by an apostrophe in CSV. Parquet
needs pyarrow: pip install 'voxgate[parquet]'."""


def export(
    out: Annotated[Path | None, typer.Option(dir_okay=False, help="The file; without it, standard output.")] = None,
    form: Annotated[
        Format | None, typer.Option("--format", help="Without it, what the file's name ends with, else csv.")
    ] = None,
    campaign: Annotated[int | None, typer.Option(help="Only this campaign's.")] = None,
    account: Annotated[str | None, typer.Option(help="Only this account's: its login.")] = None,
    state: Annotated[list[str] | None, typer.Option(help="Only in this state, as failed; repeatable.")] = None,
    callee_type: Annotated[list[str] | None, typer.Option(help="Only with this callee type; repeatable.")] = None,
    since: Annotated[str | None, typer.Option(help="Only queued then or later, as 2026-11-01.")] = None,
    until: Annotated[str | None, typer.Option(help="Only queued before then.")] = None,
    config: ConfigOption = None,
) -> None:
    """Write calls as CSV, JSON Lines or Parquet, through the running gateway."""
    chosen = form or _by_name(out)
    fields = {
        "format": str(chosen), "campaign": campaign, "account": account, "state": ",".join(state or ()),
        "callee_type": ",".join(callee_type or ()), "since": since, "until": until,
    }  # fmt: skip
    client, request = client_of(config), exported(**fields)
    if out is None:
        if chosen is Format.PARQUET and sys.stdout.isatty():
            raise typer.BadParameter("Parquet is not for a terminal: name a file by --out")
        for piece in client.pieces(request):
            sys.stdout.buffer.write(piece)
        return
    part = out.with_name(f"{out.name}.part")
    try:
        with part.open("wb") as file:
            for piece in client.pieces(request):
                file.write(piece)
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB", file=sys.stderr)


def _by_name(out: Path | None) -> Format:
    suffix = "" if out is None else out.suffix.removeprefix(".").lower()
    return Format(suffix) if suffix in list(Format) else Format.CSV
