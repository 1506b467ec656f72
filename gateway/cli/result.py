"""``voxgate result``: the posts to result_url, and what became of them."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from gateway.cli.shared import ConfigOption, JsonOption, client_of, group, show, show_json

app = group("Result posts: owed, accepted, given up; posted again, and tried out.")

_COLUMNS = ("id", "call_id", "account", "state", "tries", "last_status", "last_error", "url")
#: Results that `redeliver --given-up` asks for at once.
_PAGE = 200


@app.command("list", epilog="Example: voxgate result list --state given_up")
def list_results(
    state: Annotated[str | None, typer.Option(help="waiting, accepted or given_up; several with commas.")] = None,
    account: Annotated[str | None, typer.Option(help="Only this account's: its login.")] = None,
    call: Annotated[int | None, typer.Option(help="Only this call's.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many.")] = 100,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show result posts, those of the newest calls first."""
    fields = {"state": state, "account": account, "call": call, "limit": limit}
    query = urlencode({name: value for name, value in fields.items() if value is not None})
    show(client_of(config).ask("GET", f"/results?{query}")["items"], as_json, _COLUMNS)


@app.command("show", epilog="Example: voxgate result show msg_0a834ffc518cb41e3db0bb0b")
def show_result(result: str, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show one result post with every try and what it was answered."""
    found = client_of(config).ask("GET", f"/results/{result}")
    show(found, as_json, _COLUMNS)
    if not as_json:
        show(found["history"], False, ("at", "accepted", "status", "error", "took", "next_at"))


_REDELIVER = """Examples:

  voxgate result redeliver msg_0a834ffc518cb41e3db0bb0b

  voxgate result redeliver --given-up --account user1"""


@app.command("redeliver", epilog=_REDELIVER)
def redeliver(
    result: Annotated[str | None, typer.Argument(help="A result post's id.")] = None,
    given_up: Annotated[bool, typer.Option("--given-up", help="All that were given up.")] = False,
    account: Annotated[str | None, typer.Option(help="With --given-up: only this account's.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Post results again now, under the same webhook-id, and retry them as if for the first time."""
    if (result is None) == (not given_up):
        raise typer.BadParameter("name a result post, or --given-up")
    client = client_of(config)
    done: list[Any] = []
    if result is not None:
        done = [client.ask("POST", f"/results/{result}/redeliver")]
    else:
        query = {"state": "given_up", "limit": _PAGE, **({"account": account} if account else {})}
        while True:
            page = client.ask("GET", f"/results?{urlencode(query)}")
            done += [client.ask("POST", f"/results/{one['id']}/redeliver") for one in page["items"]]
            if page["next"] is None:
                break
            query["after"] = page["next"]
    if as_json:
        show_json(done)
        return
    print(f"{len(done)} posted again; `voxgate result list` shows what becomes of them")


@app.command("test", epilog="Example: voxgate result test http://app.example/result.php")
def test(url: str, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Post a made-up result to an address once, and show what it answers. Exit status 1 where it does not accept."""
    done = client_of(config).ask("POST", "/results/test", {"url": url})
    if as_json:
        show_json(done)
    else:
        print("accepted" if done["accepted"] else f"not accepted: {done['error']}")
        print(f"HTTP {done['status']} in {done['took']} ms: {done['response'] or ''}".rstrip())
    if not done["accepted"]:
        raise typer.Exit(1)
