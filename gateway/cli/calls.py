"""``voxgate call`` and ``voxgate calls``: single calls."""

from __future__ import annotations

from itertools import islice
from typing import Annotated

import msgspec
import typer

from gateway.cli.classify.commands import callee_of
from gateway.cli.shared import ConfigOption, JsonOption, asked, client_of, group, show, show_json
from gateway.core.model import DetectionMode, MachineHandling
from voxgate import calls as requests
from voxgate import system

app = group("Single calls.")

_COLUMNS = ("id", "shown", "phone_number", "callee_type", "attempts", "duration", "reason")


def call(
    number: str,
    account: Annotated[str, typer.Option(help="The account's login.")],
    start_url: Annotated[str, typer.Option(help="The VoiceXML application.")],
    result_url: Annotated[str | None, typer.Option(help="Where the result is posted.")] = None,
    max_retries: Annotated[int | None, typer.Option(help="0 to 10.")] = None,
    retry_interval: Annotated[int | None, typer.Option(help="Seconds, 60 to 172800.")] = None,
    at: Annotated[str | None, typer.Option(help='When, as "tomorrow 9am".')] = None,
    detection: Annotated[DetectionMode | None, typer.Option(help="When it is told who answered.")] = None,
    machine: Annotated[MachineHandling | None, typer.Option(help="What is done with answering machines.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Queue one call through the running gateway."""
    more = {
        "account": account, "result_url": result_url, "max_retries": max_retries, "retry_interval": retry_interval,
        "scheduled_time": at, "detection": detection, "machine": machine,
    }  # fmt: skip
    queued = asked(config, requests.create(number, start_url, **more))
    if as_json:
        show_json(queued)
        return
    print(queued["id"])


@app.command("list", epilog="Example: voxgate calls list --campaign 2 --state failed --order last_attempt")
def list_calls(
    campaign: Annotated[int | None, typer.Option(help="Only this campaign's.")] = None,
    state: Annotated[str | None, typer.Option(help="Only in these states, as failed,cancelled.")] = None,
    callee_type: Annotated[str | None, typer.Option(help="Only of these callee types, as busy,noanswer.")] = None,
    number: Annotated[str | None, typer.Option(help="Only to this number, or to those that begin so: +1617*")] = None,
    reference: Annotated[str | None, typer.Option(help="Only with this message reference.")] = None,
    order: Annotated[str | None, typer.Option(help="queue, status, callee_type or last_attempt.")] = None,
    descending: Annotated[bool, typer.Option("--descending", help="The last first.")] = False,
    limit: Annotated[int, typer.Option(help="At most so many.")] = 100,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show calls."""
    sought = requests.find(
        campaign=campaign, state=state, callee_type=callee_type, number=number, reference=reference, order=order,
        descending=descending, limit=min(limit, 1000),
    )  # fmt: skip
    found = [msgspec.to_builtins(one) for one in islice(client_of(config).pages(sought), limit)]
    show(found, as_json, _COLUMNS)


@app.command("hangup", epilog="Example: voxgate calls hangup 17")
def hang_up(call_id: int, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Hang up a live call."""
    done = asked(config, requests.hang_up(call_id))
    if as_json:
        show_json(done)
        return
    print(f"call {call_id} is being hung up")


@app.command("show", epilog="Example: voxgate calls show 17")
def show_call(call_id: int, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show one call with its attempts and its result post."""
    found = asked(config, requests.get(call_id))
    show(found, as_json, _COLUMNS)
    if not as_json:
        show(found["history"], False, ["number", "state", "kind", "callee_type", "cause", "tech_cause", "reason"])


@app.command("cancel", epilog="Example: voxgate calls cancel 17")
def cancel(call_id: int, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Cancel a call that waits."""
    done = asked(config, requests.cancel(call_id))
    if as_json:
        show_json(done)
        return
    print(f"call {call_id} cancelled")


@app.command("relabel", epilog="Example: voxgate calls relabel 17 human")
def relabel(
    call_id: int,
    label: Annotated[str, typer.Argument(help="Who answered: human, machine, or a callee type as fax.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Correct who answered a call that has ended; `voxgate classify replay` judges by it.

    State, retries and the result that was posted stay as they are.
    """
    done = asked(config, requests.relabel(call_id, callee_of(label)))
    if as_json:
        show_json(done)
        return
    print(f"call {call_id} was answered by {done['callee_type']}")


@app.command(
    "tail", epilog="Examples: voxgate calls tail, voxgate calls tail --campaign 2 --kinds attempt.ended --json"
)
def tail(
    campaign: Annotated[int | None, typer.Option(help="Only this campaign's.")] = None,
    call_id: Annotated[int | None, typer.Option("--call", help="Only this call's.")] = None,
    kinds: Annotated[
        str, typer.Option(help="Kinds of events, as attempt.*,call.changed.")
    ] = "call.*,attempt.*,campaign.*,delivery.*,trunk.*,link.*",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what happens to calls as it happens, until the keyboard interrupts; with --json a line for each event."""
    import msgspec

    from gateway.cli.tail import line

    for event in client_of(config).events(system.events(kinds=kinds, campaign=campaign, call=call_id)):
        print(msgspec.json.encode(event).decode() if as_json else line(event), flush=True)
