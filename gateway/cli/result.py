"""``voxgate result``: the posts to result_url, and what became of them."""

from __future__ import annotations

from itertools import islice
from typing import Annotated

import msgspec
import typer

from gateway.cli.shared import ConfigOption, JsonOption, asked, client_of, group, show, show_json
from voxgate import results

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
    sought = results.find(state=state, account=account, call=call, limit=min(limit, 1000))
    found = [msgspec.to_builtins(one) for one in islice(client_of(config).pages(sought), limit)]
    show(found, as_json, _COLUMNS)


@app.command("show", epilog="Example: voxgate result show msg_0a834ffc518cb41e3db0bb0b")
def show_result(result: str, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show one result post with every try and what it was answered."""
    found = asked(config, results.get(result))
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
    idents = [result]
    if result is None:
        idents = [one.id for one in client.pages(results.find(state="given_up", account=account, limit=_PAGE))]
    done = [msgspec.to_builtins(client.ask(results.redeliver(ident))) for ident in idents if ident is not None]
    if as_json:
        show_json(done)
        return
    print(f"{len(done)} posted again; `voxgate result list` shows what becomes of them")


@app.command("test", epilog="Example: voxgate result test http://app.example/result.php")
def test(
    url: str,
    account: Annotated[str | None, typer.Option(help="Sign it as this account's posts are.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Post a made-up result to an address once, and show what it answers. Exit status 1 where it does not accept."""
    done = asked(config, results.try_out(url, account))
    if as_json:
        show_json(done)
    else:
        print("accepted" if done["accepted"] else f"not accepted: {done['error']}")
        print(f"HTTP {done['status']} in {done['took']} ms: {done['response'] or ''}".rstrip())
    if not done["accepted"]:
        raise typer.Exit(1)
