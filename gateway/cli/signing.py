"""``voxgate account signing``: result posts signed by Standard Webhooks."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.cli.shared import ConfigOption, JsonOption, asked, clock, group, show_json
from voxgate import accounts

app = group("Signed result posts: a secret made, looked after, taken away.")


@app.command("new", epilog="Example: voxgate account signing new user1 --keep-old-hours 24")
def new(
    login: str,
    keep_old_hours: Annotated[int, typer.Option(min=0, max=168, help="The secret before also signs for so long.")] = 24,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Sign an account's result posts by a new secret. It is shown this once."""
    found = asked(config, accounts.renew_signing(login, keep_old_hours))
    if as_json:
        show_json(found)
        return
    also = f"; the one before also signs until {clock(found['old_until'])}" if found["old_until"] else ""
    print(f"the result posts of {login} are signed by this secret, shown this once: {found['secret']}{also}")


@app.command("show", epilog="Example: voxgate account signing show user1")
def show(login: str, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show whether an account's result posts are signed."""
    found = asked(config, accounts.signing(login))
    if as_json:
        show_json(found)
        return
    if not found["signed"]:
        print(f"the result posts of {login} are not signed")
        return
    also = f"; the secret before also signs until {clock(found['old_until'])}" if found["old_until"] else ""
    print(f"the result posts of {login} are signed, by a secret of {clock(found['set_at'])}{also}")


@app.command("off", epilog="Example: voxgate account signing off user1")
def off(login: str, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Sign an account's result posts no more."""
    found = asked(config, accounts.stop_signing(login))
    if as_json:
        show_json(found)
        return
    print(f"the result posts of {login} are not signed any more")
