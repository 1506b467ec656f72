"""The command ``voxgate``: all its parts put together, and faults told in one line with an exit status."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from gateway.cli import account, audit, calls, campaign, config, db, exits, result, retention, route, running
from gateway.cli.classify.commands import app as classify_app
from gateway.cli.doctor.commands import doctor
from gateway.cli.export import EPILOG as EXPORT
from gateway.cli.export import export
from gateway.cli.metrics import metrics
from gateway.cli.status import status
from gateway.cli.vxml.commands import app as vxml_app
from gateway.cli.why import why

_EPILOG = f"Exit status of every command:\n\n\b\n{exits.table()}"

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Outbound calls for Asterisk.",
    epilog=_EPILOG,
)


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=running.print_version, help="Print the version.")
    ] = False,
) -> None: ...


_CALL = "Example: voxgate call +16175551234 --account user1 --start-url http://app.example/start.php"

app.command(epilog="Example: voxgate init --fetch-allow 192.168.1.0/24")(running.init)
app.command(epilog="Example: voxgate serve --config /etc/voxgate/voxgate.toml")(running.serve)
app.command(epilog="Example: voxgate status --ready")(status)
app.command(epilog="Example: voxgate doctor --asterisk-etc /etc/asterisk")(doctor)
app.command(epilog="Example: voxgate metrics | grep outbox")(metrics)
app.command(epilog=_CALL)(calls.call)
app.command(epilog="Example: voxgate top")(running.top)
app.command(epilog="Example: voxgate reload")(config.reload)
app.command(epilog=EXPORT)(export)
app.command(epilog="Examples: voxgate why, voxgate why 17, voxgate why --campaign 2")(why)
app.command(epilog="Example: voxgate version")(running.version)
for name, group in {
    "account": account.app, "audit": audit.app, "campaign": campaign.app, "calls": calls.app,
    "route": route.app, "db": db.app, "config": config.app, "result": result.app,
    "retention": retention.app, "classify": classify_app, "vxml": vxml_app,
}.items():  # fmt: skip
    app.add_typer(group, name=name)


def main() -> None:
    """Run the command; :mod:`gateway.cli.exits` says what the exit status means."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(int(exits.ExitStatus.INTERRUPTED))
    except Exception as error:
        first = _first(error)
        ending = exits.status_of(first)
        if ending is None or (isinstance(error, BaseExceptionGroup) and _mixed(error)):
            raise
        print(f"voxgate: {first}", file=sys.stderr)
        sys.exit(int(ending))


def _first(error: BaseException) -> BaseException:
    return _first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


def _mixed(group: BaseExceptionGroup[BaseException]) -> bool:
    """Whether a defect of ours is among the faults."""
    return group.split(tuple(exits.faults()))[1] is not None
