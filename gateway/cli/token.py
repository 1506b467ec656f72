"""``voxgate account token``: bearer tokens of the API."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from gateway.cli.shared import ConfigOption, JsonOption, asked, group, show, show_json
from gateway.core.access import Scope
from voxgate import tokens

app = group("Bearer tokens of the API: issued, listed, revoked.")

_COLUMNS = ("id", "account", "name", "scopes", "issuer", "created_at", "expires_at", "used_at", "revoked_at")


@app.command("add", epilog="Example: voxgate account token add user1 --name crm --scope calls --scope read")
def add(
    account: Annotated[str | None, typer.Argument(help="The account's login; without it, an operator's token.")] = None,
    name: Annotated[str, typer.Option(prompt="What is it for", help="Shown in lists and in the audit log.")] = "",
    scope: Annotated[list[Scope] | None, typer.Option(help="What it may do; repeatable. Without it, read.")] = None,
    expires: Annotated[str | None, typer.Option(help="When it ends, as 2027-01-31T00:00:00Z.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Issue a token. It is shown this once: only its hash is kept."""
    ends = None if expires is None else moment(expires)
    issued = asked(config, tokens.issue(name, scope or [Scope.READ], account, ends))
    if as_json:
        show_json(issued)
        return
    print(f"token {issued['id']}, shown this once: {issued['token']}")


@app.command("list", epilog="Example: voxgate account token list")
def list_tokens(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show all tokens, the revoked ones too."""
    found = asked(config, tokens.all_of_them())
    show(found if as_json else [{**one, "scopes": ", ".join(one["scopes"])} for one in found], as_json, _COLUMNS)


@app.command("revoke", epilog="Example: voxgate account token revoke 3")
def revoke(token: int, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Revoke a token at once."""
    done = asked(config, tokens.revoke(token))
    if as_json:
        show_json(done)
        return
    print(f"token {token} ({done['name']}) is revoked")


def moment(text: str) -> datetime:
    """RFC 3339, or a date; without a zone it is this machine's. Raises ValueError."""
    return datetime.fromisoformat(text).astimezone()
