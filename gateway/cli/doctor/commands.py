"""The command ``voxgate doctor``: its options, and its exit status."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.shared import ConfigOption, JsonOption, config_of, show_json


def doctor(
    config: ConfigOption = None,
    asterisk_etc: Annotated[Path, typer.Option(help="Where Asterisk's configuration files are.")] = Path(
        "/etc/asterisk"
    ),
    call: Annotated[
        str | None, typer.Option(metavar="NUMBER", help="Also ring this number, and say whether both sides hear.")
    ] = None,
    country: Annotated[str, typer.Option(help="The country that NUMBER is dialed from.")] = "US",
    as_json: JsonOption = False,
) -> None:
    """Check configuration, Asterisk's files, AMI, folders, disk, clock and Asterisk's abilities; say how to mend."""
    import asyncio

    from gateway.cli.doctor.examination import State, examine
    from gateway.cli.shared import log_to_stderr

    log_to_stderr()
    findings = asyncio.run(examine(config_of(config), asterisk_etc, number=call, country=country))
    count = {state: sum(one.state is state for one in findings) for state in State}
    if as_json:
        show_json([finding.plain() for finding in findings])
    else:
        for finding in findings:
            key = f" [{finding.trouble}]" if finding.trouble else ""
            print(f"{finding.state:<7}  {finding.what}{key}" + (f"\n         {finding.mend}" if finding.mend else ""))
        print(f"{count[State.OK]} ok, {count[State.FAIL]} to mend, {count[State.SKIPPED]} skipped")
    if count[State.FAIL]:
        raise typer.Exit(1)
