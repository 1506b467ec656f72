"""Reads attribute values: durations, URLs with a query, booleans."""

from __future__ import annotations

import math
import re
from urllib.parse import urlencode, urljoin, urlsplit, urlunsplit

from vxml.errors import badfetch, semantic

_TIME = re.compile(r"\+?(\d+(?:\.\d+)?|\.\d+)(ms|s)?\Z")


def seconds(text: str) -> float:
    """A CSS2 time (VoiceXML 2.0 §6.5): ``5s``, ``500ms``. Raises error.badfetch."""
    match = _TIME.match(text.strip())
    if match is None:
        raise badfetch(f"{text!r} is no time like 5s or 500ms")
    value = float(match[1])
    return value / 1000 if match[2] == "ms" else value


def boolean(text: str) -> bool:
    match text.strip().lower():
        case "true":
            return True
        case "false":
            return False
    raise semantic(f"{text!r} is neither true nor false")


def joined(base: str, target: str) -> str:
    """``target`` as an absolute URL. Raises error.badfetch for what is none, as ``http://[``."""
    try:
        url = urljoin(base, target)
        urlsplit(url)
    except ValueError as error:
        raise badfetch(f"{target[:200]!r} is no URL: {error}") from None
    return url


def with_query(url: str, fields: list[tuple[str, str]]) -> str:
    """``url`` with ``fields`` added to its query (VoiceXML 2.0 §5.3.8)."""
    if not fields:
        return url
    parts = urlsplit(url)
    query = "&".join(part for part in (parts.query, urlencode(fields)) if part)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, parts.fragment))


def number(text: str) -> float:
    """A number that an attribute or a property holds. Raises error.badfetch."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise badfetch(f"{text!r} is no number")
    return value
