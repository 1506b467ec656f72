"""``voxgate route``: how numbers are dialed."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from gateway.cli.shared import ConfigOption, JsonOption, config_of, group, show_json

app = group("How numbers are dialed.")


@app.command("test", epilog="Example: voxgate route test 16175551234 --country US")
def test(
    number: str,
    country: Annotated[str, typer.Option(help="The account's country.")] = "US",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print what would be dialed for a number, and why."""
    from gateway.core.numbers import parse_destination
    from gateway.core.routes import NumberPolicy, Refused
    from gateway.parts import router_of

    found = parse_destination(number, country)
    trace: list[str] = []
    refused, dial_string = None, None
    try:
        way = router_of(config_of(config)).resolve(found.kind, found.dialed, NumberPolicy(), country, trace)
        dial_string = way.dial_string
    except Refused as error:
        refused = str(error)
    if as_json:
        show_json({"number": found.dialed, "steps": trace, "dial_string": dial_string, "refused": refused})
    else:
        print("\n".join([*(f"  {line}" for line in trace), *([dial_string] if dial_string else [])]))
    if refused is not None:
        if not as_json:
            print(f"{found.dialed} may not be dialed: {refused}", file=sys.stderr)
        raise typer.Exit(1)
