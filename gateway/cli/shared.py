"""What all commands share: the options, the way to the running gateway, and how answers are shown."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from gateway.cli.client import Client, on_socket
from gateway.config import find, load
from gateway.settings import Config
from voxgate.request import Request

ConfigOption = Annotated[Path | None, typer.Option("--config", "-c", help="The configuration file.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def group(help_text: str) -> typer.Typer:
    """A group of commands, as ``voxgate calls``."""
    return typer.Typer(no_args_is_help=True, rich_markup_mode=None, help=help_text)


def config_of(path: Path | None) -> Config:
    """Raises :class:`gateway.config.ConfigError`."""
    return load(find(path))


def client_of(path: Path | None) -> Client:
    """The way to the gateway that the configuration names."""
    return on_socket(config_of(path).socket_path)


def asked(path: Path | None, request: Request[Any]) -> Any:
    """What the gateway that the configuration names answers, as plain values. Raises :class:`VoxgateError`."""
    return msgspec.to_builtins(client_of(path).ask(request))


def show(value: Any, as_json: bool, columns: Sequence[str]) -> None:
    """Print one row or a list of them, as JSON or as a table of ``columns``."""
    if as_json:
        show_json(value)
        return
    rows = value if isinstance(value, list) else [value]
    if not rows:
        print("there are none")
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(*columns, box=None)
    for row in rows:
        table.add_row(*("" if row.get(column) is None else str(row.get(column)) for column in columns))
    Console(width=None if sys.stdout.isatty() else 200).print(table)


def show_json(value: Any) -> None:
    print(json.dumps(value, indent=2))


def clock(at: str) -> str:
    """A time of the API as this machine's local time."""
    return f"{datetime.fromisoformat(at).astimezone():%Y-%m-%d %H:%M:%S %Z}"


def size(count: int) -> str:
    """Bytes for people."""
    return f"{count / 1e6:.1f} MB" if count < 1e9 else f"{count / 1e9:.2f} GB"


def log_to_stderr() -> None:
    """For commands that do the gateway's own work: what they log is no part of what they print."""
    from gateway import logs

    logs.configure(as_json=False, level="warning")
