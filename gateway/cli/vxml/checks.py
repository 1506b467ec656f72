"""Gets the documents that are to be checked, and prints what was found."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from gateway.adapters.fetcher import HttpFetcher
from gateway.cli.vxml.desk import http_fetcher
from gateway.cli.vxml.sources import Sources, path_of
from gateway.ports import FetchError, FetchRequest
from vxml.checking import RULES, Finding, Missing, check

NOT_FETCHED = "not-fetched"


@dataclass(frozen=True, slots=True)
class Located:
    """A finding with the name that a person knows its file by."""

    file: str
    line: int
    rule: str
    message: str
    warning: bool

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.rule}: {'warning: ' if self.warning else ''}{self.message}"


def check_all(named: Sequence[tuple[str, str]]) -> list[Located]:
    """``named`` are places as they were typed, with their URLs. What several of them refer to is told once."""
    found: dict[Located, None] = {}
    with asyncio.Runner() as runner:
        http = runner.run(http_fetcher())
        try:
            for place, url in named:
                found |= dict.fromkeys(runner.run(_check(place, url, http)))
        finally:
            runner.run(http.close())
    return list(found)


async def _check(place: str, url: str, http: HttpFetcher) -> list[Located]:
    is_file = url.startswith("file:")
    try:
        answer = await Sources(http, files=is_file).fetch(FetchRequest(url))
    except FetchError as error:
        return [Located(place, 1, NOT_FETCHED, str(error), False)]
    if answer.status != 200:
        return [Located(place, 1, NOT_FETCHED, f"it answers HTTP {answer.status} instead of 200", False)]
    found = check(answer.url, answer.body, _read if is_file else lambda _: None, answer.charset)
    return [
        Located(place.partition("#")[0] if one.url == answer.url else _name(one.url), one.line, one.rule, _words(one),
                one.warning)
        for one in found
    ]  # fmt: skip


def _read(url: str) -> bytes | None:
    """The local files that a local document refers to."""
    if urlsplit(url).scheme != "file":
        return None
    try:
        return path_of(url).read_bytes()
    except FileNotFoundError:
        raise Missing(f"there is no file {_name(url)}") from None
    except OSError as error:
        raise Missing(f"{_name(url)} cannot be read: {error.strerror}") from None


def _name(url: str) -> str:
    path = path_of(url)
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _words(finding: Finding) -> str:
    return finding.message + (f" (VoiceXML {finding.section})" if finding.section else "")


def report(found: Sequence[Located], files: int, *, as_json: bool) -> str:
    warnings = sum(one.warning for one in found)
    errors = len(found) - warnings
    if as_json:
        findings = [
            {"file": one.file, "line": one.line, "rule": one.rule, "message": one.message,
             "severity": "warning" if one.warning else "error"}
            for one in found
        ]  # fmt: skip
        return json.dumps({"findings": findings, "errors": errors, "warnings": warnings, "files": files}, indent=2)
    summary = f"{_count(errors, 'error')}, {_count(warnings, 'warning')} in {_count(files, 'file')}"
    return "\n".join([*map(str, found), summary])


def rules_table() -> str:
    rules = RULES | {NOT_FETCHED: "a document that cannot be had"}
    width = max(map(len, rules))
    return "\n".join(f"{name:<{width}}  {rules[name]}" for name in sorted(rules))


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
