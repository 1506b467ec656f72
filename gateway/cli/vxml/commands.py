"""The commands ``voxgate vxml run`` and ``voxgate vxml check``: their options, and their exit status."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.shared import ConfigOption, config_of, log_to_stderr

app = typer.Typer(no_args_is_help=True, help="Try and check a VoiceXML application without a phone.")

_RUN_HELP = """Examples:

  voxgate vxml run app.vxml

  voxgate vxml run app.vxml --script happy.txt --trace

  voxgate vxml run http://localhost:8000/start.php --param phone_number=+16175551234 --audio heard/

Inputs: keys as 1234#, "say WORDS", "noinput" or an empty line, "hangup"; at <record> "record SECONDS"; at <transfer>
its outcome, as busy, noanswer or answered; ? tells what fits. In a script each stands on a line of its own, and blank
lines and # remarks are none.

Exit status: 0 the application ended regularly, 1 it failed or the script does not fit it, 2 wrong usage."""

_CHECK_HELP = """Examples:

  voxgate vxml check app.vxml menu.vxml digits.grxml

  voxgate vxml check http://localhost:8000/start.php --json

  voxgate vxml check --rules

Each finding is FILE:LINE: RULE: MESSAGE. Files that a document refers to are looked at beside it; URLs are not.

Exit status: 0 no errors (there may be warnings), 1 errors, 2 wrong usage."""


@app.command(epilog=_RUN_HELP)
def run(
    place: Annotated[
        str,
        typer.Argument(
            metavar="URL|FILE", help="Where the application starts; FILE#ID at a dialog; - for a first line of input."
        ),
    ],
    script: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Replay the inputs of this file, all of them.")
    ] = None,
    trace: Annotated[bool, typer.Option("--trace", help="Show every action and every event.")] = False,
    audio: Annotated[
        Path | None, typer.Option(file_okay=False, help="Write what is heard to 001.wav, 002.wav ... in this folder.")
    ] = None,
    param: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="POST this to the start, as a call does; repeatable.")
    ] = None,
    speech: Annotated[bool, typer.Option(help="Whether the platform recognises speech.")] = True,
    as_gateway: Annotated[
        bool, typer.Option("--as-gateway", help="Fetch only what [fetch] of the configuration lets calls fetch.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Walk through an application: prompts are printed, inputs are typed."""
    from gateway.cli.vxml.desk import EVERYTHING, walk
    from gateway.cli.vxml.sources import url_of

    log_to_stderr()

    fields = [_field(one) for one in param or ()]
    try:
        # The words of a command are seen by every user of the machine, and an address may hold a key.
        url = url_of(sys.stdin.readline().strip() if place == "-" else place)
    except FileNotFoundError as error:
        raise typer.BadParameter(str(error)) from None
    allow = config_of(config).fetch.allow if as_gateway else EVERYTHING
    if not walk(url, fields, script, audio, trace=trace, speech=speech, allow=allow):
        raise typer.Exit(1)


@app.command(epilog=_CHECK_HELP)
def check(
    places: Annotated[
        list[str] | None, typer.Argument(metavar="URL|FILE...", help="VoiceXML documents and SRGS grammars.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    rules: Annotated[bool, typer.Option("--rules", help="Print what is checked.")] = False,
) -> None:
    """Find what is wrong in documents without running them."""
    from gateway.cli.vxml.checks import check_all, report, rules_table
    from gateway.cli.vxml.sources import url_of

    log_to_stderr()

    if rules:
        print(rules_table())
        return
    if not places:
        raise typer.BadParameter("name at least one URL or file")
    try:
        named = [(place, url_of(place)) for place in places]
    except FileNotFoundError as error:
        raise typer.BadParameter(str(error)) from None
    found = check_all(named)
    print(report(found, len(named), as_json=as_json))
    if any(not one.warning for one in found):
        raise typer.Exit(1)


def _field(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise typer.BadParameter(f"--param {text!r} must be NAME=VALUE")
    return name, value
