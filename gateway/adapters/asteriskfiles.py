"""Reads Asterisk's configuration files through pyst2, which knows neither includes, templates nor block comments.

Those are resolved here first, after https://docs.asterisk.org/Fundamentals/Asterisk-Configuration/: pyst2 gets plain
sections with ``name = value`` lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from asterisk.config import Config, ParseError

MAX_DEPTH = 10
_INCLUDE = re.compile(r"#(include|tryinclude)\s+[<\"]?([^>\";]+?)[>\"]?\s*(?:;.*)?$")
_SECTION = re.compile(r"\[([^\]]+)\]\s*(?:\(([^)]*)\))?\s*(?:;.*)?$")
_BLOCK_COMMENT = re.compile(r";--(?!-).*?--;", re.S)

Items = list[tuple[str, str]]


class FileFault(Exception):
    """A file that cannot be read as Asterisk would; the message names file and reason."""


class _Plain(Config):  # type: ignore[misc]
    """pyst2's reader on lines instead of on a file, which it would not close."""

    def __init__(self, lines: list[str]) -> None:
        self._given = lines
        super().__init__("")

    def load(self) -> None:
        self.raw_lines = self._given


@dataclass(slots=True)
class _Section:
    name: str
    template: bool = False
    lines: list[str] = field(default_factory=list)


def read(folder: Path, name: str) -> dict[str, Items]:
    """The sections of ``folder/name``: their items in order, templates applied, repeated sections joined.

    ``folder`` is Asterisk's ``astetcdir``, from which includes count. Raises :class:`FileFault`.
    """
    sections = _resolve(list(_lines(folder, folder / name, 0)), folder / name)
    plain = []
    for section in sections:
        if not section.template:
            plain += [f"[{section.name}]", *section.lines]
    try:
        found = _Plain(plain)
    except ParseError as error:
        raise FileFault(f"{folder / name}: {error.args[-1]}") from None
    joined: dict[str, Items] = {}
    for category in found.categories:
        items = joined.setdefault(category.name, [])
        items += [(item.name, item.value.strip()) for item in category.items]
    return joined


def _lines(folder: Path, path: Path, depth: int) -> Iterator[str]:
    """Every line that counts, includes put in their place."""
    if depth > MAX_DEPTH:
        raise FileFault(f"{path}: more than {MAX_DEPTH} includes within each other")
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise FileFault(f"{path}: {error.strerror}") from None
    for raw in _BLOCK_COMMENT.sub("", text).splitlines():
        line = raw.strip()
        if not line or line.startswith(";"):
            continue
        if (included := _INCLUDE.match(line)) is not None:
            found = sorted(folder.glob(included[2])) if not included[2].startswith("/") else [Path(included[2])]
            if not found and included[1] == "include" and "*" not in included[2]:
                raise FileFault(f"{path} includes {included[2]}, which does not exist")
            for one in found:
                yield from _lines(folder, one, depth + 1)
        elif not line.startswith("#"):  # #exec: what a program prints is not looked at
            yield line


def _resolve(lines: list[str], path: Path) -> list[_Section]:
    """Sections with the lines of their templates first; ``(+)`` adds to a section that is there.

    Lines before any section, as in a file to be included, are the section with the empty name.
    """
    sections = [_Section("")]
    by_name: dict[str, _Section] = {}
    for line in lines:
        if not line.startswith("["):
            if "=" in line.partition(";")[0]:
                sections[-1].lines.append(line)
            continue
        head = _SECTION.match(line)
        if head is None:
            raise FileFault(f"{path}: {line[:60]!r} is no section")
        section = _Section(head[1])
        for option in filter(None, (one.strip() for one in (head[2] or "").split(","))):
            if option == "!":
                section.template = True
            elif option != "+":
                if option not in by_name:
                    raise FileFault(f"{path}: [{section.name}] wants the template {option!r}, which does not exist")
                section.lines += by_name[option].lines
        sections.append(section)
        by_name.setdefault(section.name, section)
    return sections
