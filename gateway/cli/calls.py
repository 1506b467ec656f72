"""``voxgate call`` and ``voxgate calls``: single calls."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.cli.shared import ConfigOption, JsonOption, client_of, group, show, show_json

app = group("Single calls.")

_COLUMNS = ("id", "shown", "destination", "callee_type", "attempts", "duration", "reason")


def call(
    number: str,
    account: Annotated[str, typer.Option(help="The account's login.")],
    start_url: Annotated[str, typer.Option(help="The VoiceXML application.")],
    result_url: Annotated[str | None, typer.Option(help="Where the result is posted.")] = None,
    max_retries: Annotated[int | None, typer.Option(help="0 to 10.")] = None,
    retry_interval: Annotated[int | None, typer.Option(help="Seconds, 60 to 172800.")] = None,
    at: Annotated[str | None, typer.Option(help='When, as "tomorrow 9am".')] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Queue one call through the running gateway."""
    body = {
        "account": account, "phone_number": number, "start_url": start_url, "result_url": result_url,
        "max_retries": max_retries, "retry_interval": retry_interval, "scheduled_time": at,
    }  # fmt: skip
    queued = client_of(config).ask("POST", "/calls", body)
    if as_json:
        show_json(queued)
        return
    print(queued["id"])


@app.command("list", epilog="Example: voxgate calls list --campaign 2 --state failed")
def list_calls(
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
    show(client_of(config).ask("GET", f"/calls{query}")["calls"], as_json, _COLUMNS)


@app.command("show", epilog="Example: voxgate calls show 17")
def show_call(call_id: int, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show one call with its attempts and its result post."""
    found = client_of(config).ask("GET", f"/calls/{call_id}")
    show(found, as_json, _COLUMNS)
    if not as_json:
        ends = [{**(one["end"] or {}), "number": one["number"], "state": one["state"]} for one in found["history"]]
        show(ends, False, ["number", "state", "kind", "callee_type", "cause", "tech_cause", "reason"])


@app.command("cancel", epilog="Example: voxgate calls cancel 17")
def cancel(call_id: int, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Cancel a call that waits."""
    done = client_of(config).ask("POST", f"/calls/{call_id}/cancel")
    if as_json:
        show_json(done)
        return
    print(f"call {call_id} cancelled")
