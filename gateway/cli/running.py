"""``voxgate init``, ``voxgate serve`` and ``voxgate version``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway import __version__
from gateway.cli.shared import ConfigOption, JsonOption, client_of, show_json
from gateway.config import find, load
from gateway.settings import Level


def init(
    folder: Annotated[Path, typer.Option(help="Where voxgate.toml and Asterisk's files are written.")] = Path(),
    system: Annotated[
        bool, typer.Option("--system", help="For a service: /etc/voxgate, /var/lib/voxgate, /var/cache/voxgate.")
    ] = False,
    ami_host: Annotated[str, typer.Option(help="Where Asterisk's AMI listens.")] = "127.0.0.1",
    ami_port: Annotated[int, typer.Option(help="AMI port.")] = 5038,
    agi_address: Annotated[str, typer.Option(help="HOST:PORT where Asterisk reaches the gateway.")] = "127.0.0.1:4573",
    no_shared_folder: Annotated[
        bool,
        typer.Option("--no-shared-folder", help="Asterisk fetches prompts over HTTP; recordings come from the tap."),
    ] = False,
    fetch_allow: Annotated[
        list[str] | None,
        typer.Option(help="A network or host that is not public and may be fetched from; may be repeated."),
    ] = None,
    force: Annotated[bool, typer.Option(help="Overwrite what is there.")] = False,
) -> None:
    """Write a commented configuration and Asterisk's files with their secrets filled in."""
    from gateway.cli.init import SYSTEM, Layout, write

    if fetch_allow is None:
        asked = typer.prompt(
            "Networks or hosts inside your LAN that serve VoiceXML (comma separated, empty for none)", default=""
        )
        fetch_allow = [one.strip() for one in asked.split(",") if one.strip()]
    for line in write(
        SYSTEM if system else Layout(folder),
        ami_host,
        ami_port,
        agi_address,
        fetch_allow,
        force=force,
        shared_folder=not no_shared_folder,
    ):
        print(line)


def serve(
    config: ConfigOption = None,
    log_json: Annotated[bool, typer.Option("--log-json", help="Log as JSON, whatever [log] says.")] = False,
    log_level: Annotated[Level | None, typer.Option(help="The least level, whatever [log] says.")] = None,
    record_ami: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write down what goes over AMI, for a bug report: without secrets, masked."),
    ] = None,
    record_ami_mb: Annotated[int, typer.Option(min=1, help="Stop recording at so many megabytes.")] = 50,
) -> None:
    """Run the gateway until SIGTERM."""
    import asyncio
    import signal

    from gateway import logs, wiring

    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a reload that comes before the gateway listens for it ends nothing
    place = find(config)
    settings = load(place)
    log = settings.log
    logs.configure(as_json=log_json or log.format == "json", level=log_level or log.level, areas=log.areas)
    recording = None if record_ami is None else (record_ami, record_ami_mb * 1024**2)
    asyncio.run(wiring.serve(settings, place.resolve(), log_level, recording))


def version(as_json: JsonOption = False) -> None:
    """Print the version."""
    if as_json:
        show_json({"version": __version__})
        return
    print(__version__)


def print_version(asked: bool) -> None:
    """``voxgate --version``, as packagers ask."""
    if asked:
        version()
        raise typer.Exit


def top(
    every: Annotated[float, typer.Option(min=0.2, help="Seconds between two looks.")] = 1.0,
    once: Annotated[bool, typer.Option("--once", help="Show one screen and end.")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Watch trunks, pace, live calls and outcomes, and why nothing is dialed. --json shows one look."""
    from rich.console import Console

    from gateway.cli.top import Window, look, watch

    client = client_of(config)
    if as_json:
        show_json(look(client, Window()).plain())
    elif once:
        Console().print(look(client, Window()).screen())
    else:
        watch(client, every)
