"""``voxgate status``: whether the gateway runs, and whether it dials."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.cli.exits import ExitStatus
from gateway.cli.shared import ConfigOption, JsonOption, asked, show, show_json
from voxgate import system


def status(
    ready: Annotated[
        bool, typer.Option("--ready", help="Fail where it runs and may not dial, as while Asterisk is away.")
    ] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show whether the gateway runs, whether it dials, and how its trunks are; for people and for health checks."""
    found = asked(config, system.status())
    why = found["why_not_dialing"]
    if as_json:
        show_json(found)
    else:
        link = "up" if found["ami"] else "down"
        print(f"running (pid {found['pid']}), AMI {link}, {found['live']} live; " + (why or "dialing"))
        rows = [{"trunk": name, **trunk} for name, trunk in found["trunks"].items()]
        show(rows, False, ["trunk", "live", "faults", "suspended", "last_fault"])
    if ready and why is not None:
        raise typer.Exit(ExitStatus.REFUSED)
