"""``voxgate why``: the one reason for which a call, a campaign or everything is not being dialed now."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from gateway.cli.shared import ConfigOption, JsonOption, asked, clock, show_json
from voxgate import calls, campaigns, system


def why(
    call_id: Annotated[int | None, typer.Argument(metavar="CALL", help="A call's id; without it, all dialing.")] = None,
    campaign: Annotated[int | None, typer.Option(help="A campaign's id.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say why a call, a campaign or everything is not being dialed now, and what would change it."""
    if call_id is not None and campaign is not None:
        raise typer.BadParameter("name a call or a campaign, not both")
    request = system.why()
    if call_id is not None:
        request = calls.why(call_id)
    elif campaign is not None:
        request = campaigns.why(campaign)
    found = asked(config, request)
    if as_json:
        show_json(found)
        return
    print("\n".join(lines(found)))


def lines(hold: dict[str, Any]) -> list[str]:
    """A hold in words, times in this machine's zone."""
    told = [f"{hold['reason']}: {hold['text']}", f"  what changes it: {hold['change']}"]
    if hold["until"] is not None:
        told.append(f"  until {clock(hold['until'])}")
    return told
