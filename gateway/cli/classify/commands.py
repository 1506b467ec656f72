"""The command ``voxgate classify``: its options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.shared import JsonOption, show_json


def classify(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="Recordings of what callees sent.")],
    answered_at: Annotated[float, typer.Option(min=0, help="Seconds into each file at which it was answered.")] = 0.0,
    bias: Annotated[float, typer.Option(help="Above 0 finds more machines, under 0 more persons (log-odds).")] = 0.0,
    as_json: JsonOption = False,
) -> None:
    """Print what is heard in recordings, and the verdict: who answered."""
    from gateway.cli.classify.report import classify as heard
    from gateway.core.hearing import Settings

    reports = [heard(file, Settings(bias=bias), answered_at) for file in files]
    if as_json:
        show_json([report.plain() for report in reports])
        return
    for report in reports:
        print("\n".join(report.lines()))
