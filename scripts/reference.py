"""Writes the reference pages of docs/ that are made of the code, so that they are true: `make docs` runs it.

With ``--check`` it writes nothing, and fails where a page is not what it would write.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import msgspec
from typer.main import get_command

from gateway import settings
from gateway.cli.main import app

DOCS = Path(__file__).parent.parent / "docs"


SETTINGS = """# Settings

Generated from `gateway/settings.py`. The file is TOML; relative paths count from its folder. Every setting can be
overridden by the environment: `VOXGATE__DIAL__CPS=20` is `cps` of `[dial]`, and the value is read as TOML. A key that
is not known is refused with the name that was probably meant.
"""


@dataclass(frozen=True, slots=True)
class Setting:
    name: str
    kind: str
    default: str
    text: str


def written(kind: type) -> dict[str, str]:
    """What stands below each field of a class in its source."""
    (body,) = ast.parse(inspect.getsource(kind)).body
    assert isinstance(body, ast.ClassDef)
    found = {}
    for field, after in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(after, ast.Expr):
            assert isinstance(after.value, ast.Constant)
            found[field.target.id] = inspect.cleandoc(str(after.value.value))
    return found


def settings_of(kind: type[msgspec.Struct]) -> Iterator[Setting]:
    """The settings of one section, in order. Each must have a text below it."""
    texts = written(kind)
    for field in msgspec.structs.fields(kind):
        if section(field.type) is None:
            if field.name not in texts:
                sys.exit(
                    f"gateway/settings.py: {kind.__name__}.{field.name} has no text below it that says what it is for"
                )
            made = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
            default = "required" if field.required else f"`{toml(made)}`"
            yield Setting(field.name, described(field.type), default, texts[field.name].replace("\n", " "))


def section(kind: Any) -> type[msgspec.Struct] | None:
    """The section that a field of the whole file holds, or holds a list of."""
    inner = get_args(kind)[0] if get_args(kind) and isinstance(get_args(kind)[0], type) else kind
    return inner if isinstance(inner, type) and issubclass(inner, msgspec.Struct) else None


def toml(value: object) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return str(value).lower()
        case str():
            return f'"{value}"'
        case dict():
            return "{" + ", ".join(f"{name} = {toml(one)}" for name, one in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(toml(one) for one in value) + "]"
        case float():
            return f"{value:g}" if value < 1e6 else str(int(value))
        case _:
            return str(value)


def described(kind: Any) -> str:
    """A type in words, with its limits, as `integer, 1 to 50`."""
    match msgspec.inspect.type_info(kind):
        case msgspec.inspect.UnionType(types=types):
            return " or ".join(words(one) for one in types if not isinstance(one, msgspec.inspect.NoneType))
        case one:
            return words(one)


def words(kind: Any) -> str:
    match kind:
        case msgspec.inspect.BoolType():
            return "true or false"
        case msgspec.inspect.IntType() | msgspec.inspect.FloatType():
            return ("integer" if isinstance(kind, msgspec.inspect.IntType) else "number") + limits(kind)
        case msgspec.inspect.StrType(pattern=pattern):
            return "text" + (f", `{pattern}`" if pattern else "")
        case msgspec.inspect.EnumType(cls=cls):
            return ", ".join(f"`{one.value}`" for one in cls)
        case msgspec.inspect.LiteralType(values=values):
            return ", ".join(f"`{one}`" for one in values)
        case msgspec.inspect.ListType(item_type=item) | msgspec.inspect.VarTupleType(item_type=item):
            return f"list of {words(item)}"
        case msgspec.inspect.DictType(value_type=value):
            return f"table of {words(value)}"
        case _:
            raise TypeError(f"no words for {kind}")


def limits(kind: Any) -> str:
    low = f"{toml(kind.ge)}" if kind.ge is not None else f"above {toml(kind.gt)}" if kind.gt is not None else None
    high = toml(kind.le) if kind.le is not None else None
    match low, high:
        case None, None:
            return ""
        case str(), None:
            return f", {low}" if low.startswith("above") else f", {low} or more"
        case None, str():
            return f", at most {high}"
        case _:
            return f", {low} to {high}"


def settings_page() -> str:
    parts = [
        SETTINGS,
        heading("Outside of any section", "", settings.Config),
    ]
    for field in msgspec.structs.fields(settings.Config):
        if (kind := section(field.type)) is not None:
            name = f"[[{field.name}]]" if kind is not field.type else f"[{field.name}]"
            parts.append(heading(f"`{name}`", inspect.getdoc(kind) or "", kind))
    return "\n".join(parts)


def heading(title: str, text: str, kind: type[msgspec.Struct]) -> str:
    rows = "".join(f"| `{one.name}` | {one.kind} | {one.default} | {one.text} |\n" for one in settings_of(kind))
    return (
        f"## {title}\n\n{text + chr(10) * 2 if text else ''}| setting | value | default | |\n|---|---|---|---|\n{rows}"
    )


METRICS = """# Metrics

Generated from `gateway/metrics/instruments.py`. `GET /metrics` answers in Prometheus' text format, or in OpenMetrics
where the scraper asks for it. It is served

- on a port of its own, where `port` of [`[metrics]`](settings.md#metrics) names one;
- on the public port, to the networks of `allow` in `[metrics]` alone;
- to `voxgate metrics` on the gateway's own machine, always.

`packaging/prometheus` has a scrape configuration and alert rules, `packaging/grafana` a dashboard.

No label is an account, a campaign, a number or a host: the configuration bounds the number of series. Beside these
come the Python client's own `process_` and `python_` metrics.

| metric | type | labels | meaning |
|---|---|---|---|
"""


def metrics_page() -> str:
    from gateway.metrics import Instruments

    ours = sorted(Instruments().ours(), key=lambda one: one.name)
    rows = (f"| `{one.name}` | {one.kind} | {', '.join(one.labels)} | {one.meaning} |\n" for one in ours)
    return METRICS + "".join(rows)


COMMANDS = """# Every command

Generated from the commands themselves; `--help` shows the same. [Commands](commands.md) says how they find the gateway
and what their exit status means.
"""


def commands_page() -> str:
    return "\n".join([COMMANDS, *(command_text(name, one) for name, one in commands(get_command(app)))])


def commands(group: Any, path: tuple[str, ...] = ("voxgate",)) -> Iterator[tuple[str, Any]]:
    """Every command with its whole name, those of groups too."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


def command_text(name: str, command: Any) -> str:
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name == "option" and one.name != "help"]
    usage = " ".join([name, *(("{}" if one.required else "[{}]").format(one.name.upper()) for one in arguments)])
    rows = "".join(
        f"| `{', '.join((*one.opts, *one.secondary_opts))}` | {cell(one.help)} | {shown_default(one)} |\n"
        for one in options
    )
    example = (command.epilog or "").partition(": ")[2].replace(", voxgate", "`, `voxgate")
    parts = [f"## `{usage}`", inspect.cleandoc(command.help or "")]
    parts += [f"Example: `{example}`"] if example else []
    parts += [f"| option | | default |\n|---|---|---|\n{rows}"] if rows else [""]
    return "\n\n".join(parts)


def cell(text: str | None) -> str:
    return (text or "").replace("\n", " ").replace("|", "\\|")


def shown_default(option: Any) -> str:
    if option.required:
        return "required"
    default = option.default
    return f"`{default}`" if not callable(default) and default not in (None, False, True, "", (), []) else ""


TROUBLESHOOTING = """# Troubleshooting

Generated from `gateway/cli/doctor/troubles.py`. `voxgate doctor` looks for each of these and names its key; `--json`
has it as `trouble`. Run it on Asterisk's host as a user who may read Asterisk's files (`--asterisk-etc`), so that it
can look at those too: what it could not look at is counted as skipped. Why a call is not dialed though all is in
order, `voxgate why` tells.

"""


def troubleshooting_page() -> str:
    from gateway.cli.doctor.troubles import ALL

    def shown(text: str) -> str:
        return re.sub(r"\{(\w+)[^}]*\}", r"*\1*", text).replace("[", "\\[")

    parts = (f"## `{one.key}`\n\n{_sentence(shown(one.what))}\n\n{_sentence(shown(one.mend))}\n" for one in ALL)
    return TROUBLESHOOTING + "\n".join(parts)


def _sentence(text: str) -> str:
    named = re.match(r"\w+(\.\w+| =)", text) is not None  # a file or a setting keeps its own letters
    return (text if named else text[:1].upper() + text[1:]) + ("" if text.endswith(("?", ".")) else ".")


LOGS = """# Logs

Generated from the gateway's code. `voxgate serve` logs to stderr: a line for people, or with `--log-json` (or
`format` of [`[log]`](settings.md#log)) a JSON object. `timestamp`, `level` and `event` are in every line; every line
that belongs to a call has its `call_id`, and its `attempt_id` where an attempt is under way. An event's area is its
name up to the dot: `areas` of `[log]` sets levels for single ones.

PINs, passwords, tokens, digits and what was said are in no line, and a URL's query is masked: forms that are sent by
GET hold what callees keyed. Lines of other libraries are `library.said`, with their `library` and `text`.

"""


def logs_page() -> str:
    from logevents import table

    return LOGS + table()


#: Every generated page.
PAGES: dict[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "metrics.md": metrics_page,
    "troubleshooting.md": troubleshooting_page,
    "logs.md": logs_page,
    "every-command.md": commands_page,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a page is not current")
    check = parser.parse_args().check
    stale = [name for name, page in PAGES.items() if not (DOCS / name).is_file() or (DOCS / name).read_text() != page()]
    for name in stale:
        if not check:
            (DOCS / name).write_text(PAGES[name]())
    if check and stale:
        sys.exit(f"not current: {', '.join(stale)}: run `make docs`")


if __name__ == "__main__":
    main()
