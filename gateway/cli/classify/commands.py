"""The commands ``voxgate classify …``: their options."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from gateway.cli.shared import ConfigOption, JsonOption, config_of, show_json
from gateway.core.model import CalleeType

#: What people call a callee, beside the callee types themselves.
LABELS = {"human": CalleeType.VOICE, "person": CalleeType.VOICE, "machine": CalleeType.ANSWERINGMACHINE}


class FilesFirst(TyperGroup):
    """A group whose first word may be a file: ``voxgate classify FILE`` means ``voxgate classify hear FILE``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] != "--help":
            args = ["hear", *args]
        return list(super().parse_args(ctx, args))


app = typer.Typer(
    cls=FilesFirst, no_args_is_help=True, rich_markup_mode=None,
    help="Who answered: hear recordings, keep labelled ones, and try other settings on calls that were made.",
    epilog="Example: voxgate classify answered.wav --picture answered.png",
)  # fmt: skip

AnsweredAt = Annotated[float, typer.Option(min=0, help="Seconds into each file at which it was answered.")]
BIAS = typer.Option(help="Above 0 finds more machines, under 0 more persons (log-odds).")
Folder = Annotated[
    Path | None, typer.Option(help="Where labelled recordings are kept; else VOXGATE_RECORDINGS or the user's data.")
]


@app.command("hear", epilog="Example: voxgate classify answered.wav --json")
def hear(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="Recordings of what callees sent.")],
    answered_at: AnsweredAt = 0.0,
    bias: Annotated[float, BIAS] = 0.0,
    picture: Annotated[
        Path | None, typer.Option(help="Draw waveform, spectrogram and timeline into this file, as PNG.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Print what is heard in recordings, and the verdict: who answered. The word ``hear`` may be left out."""
    from gateway.cli.classify.report import classify
    from gateway.core.hearing import Settings

    reports = [classify(file, Settings(bias=bias), answered_at) for file in files]
    if picture is not None:
        from gateway.cli.classify.picture import draw

        draw(reports, picture)
    if as_json:
        show_json([report.plain() for report in reports])
        return
    for report in reports:
        print("\n".join(report.lines()))


@app.command("add", epilog="Example: voxgate classify add answered.wav --label machine --speaker 17")
def add(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="Recordings of what callees sent.")],
    label: Annotated[str, typer.Option(help="Who answered: human, machine, or a callee type as fax.")],
    answered_at: AnsweredAt = 0.0,
    speaker: Annotated[
        str, typer.Option(help="Whose voice it is: one speaker's recordings stay together. Else each file's own name.")
    ] = "",
    language: Annotated[str, typer.Option(help="As en.")] = "",
    folder: Folder = None,
    as_json: JsonOption = False,
) -> None:
    """Keep recordings with their label, outside the project: measuring, training and `replay` take them along.

    They are people's voices: ask what the law and the people recorded allow. Remove one by deleting its two files.
    """
    from gateway.adapters.recordings import Label, Recordings, default_folder

    callee = callee_of(label)
    kept = Recordings(folder or default_folder())
    added = [
        kept.add(file, Label(callee, answered_at, speaker or file.stem, language, str(file.resolve())))
        for file in files
    ]
    if as_json:
        show_json([{"id": one.ident, "file": str(one.file), "label": str(callee)} for one in added])
        return
    for one in added:
        print(f"{one.file}: {callee}")


def callee_of(label: str) -> CalleeType:
    """Raises ValueError with the labels that there are."""
    try:
        return LABELS.get(label.lower()) or CalleeType(label.lower())
    except ValueError:
        known = ", ".join([*LABELS, *CalleeType])
        raise ValueError(f"{label!r} is no label; known are {known}") from None


@app.command("replay", epilog="Example: voxgate classify replay --bias -1")
def replay(
    bias: Annotated[float | None, BIAS] = None,
    sure_of_person: Annotated[
        float | None, typer.Option(min=0.5, max=1, help="The least confidence at which a person is told.")
    ] = None,
    sure_of_machine: Annotated[
        float | None, typer.Option(min=0.5, max=1, help="The least confidence at which a machine is told.")
    ] = None,
    folder: Folder = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Judge labelled recordings and the audio kept of calls again, with the settings in use and with others.

    Errors are told of what is labelled: by `add`, and of calls by `voxgate calls relabel`.
    """
    from gateway.adapters.recordings import default_folder
    from gateway.cli.classify.replay import replay as replayed
    from gateway.cli.classify.replay import samples
    from gateway.config import ConfigError
    from gateway.core.hearing import Settings
    from gateway.parts import operating_point

    database, now = None, Settings()
    try:
        read = config_of(config)
    except ConfigError:
        if config is not None:
            raise
    else:
        database, now = Path(read.database.path), operating_point(read)
    then = replace(
        now,
        bias=now.bias if bias is None else bias,
        sure_of_person=sure_of_person or now.sure_of_person,
        sure_of_machine=sure_of_machine or now.sure_of_machine,
    )
    found = replayed(samples(folder or default_folder(), database), now, then)
    if as_json:
        show_json(found.plain())
        return
    print("\n".join(found.lines()))
