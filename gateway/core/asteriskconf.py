"""Fills the ``@NAME@`` placeholders of the files in ``asterisk-conf/``."""

from __future__ import annotations

import re
from collections.abc import Mapping

_PLACEHOLDER = re.compile(r"@([A-Z][A-Z0-9_]*)@")


class PlaceholderError(ValueError):
    """A file names a placeholder for which there is no value, or a value would break out of its line."""


def fill(text: str, values: Mapping[str, str]) -> str:
    """``text`` with every placeholder replaced. Raises :class:`PlaceholderError`."""

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name not in values:
            raise PlaceholderError(f"no value for @{name}@; known are {', '.join(sorted(values))}")
        if not values[name] or not values[name].isprintable() or ";" in values[name]:
            raise PlaceholderError(f"the value of @{name}@ must be one printable line without ';'")
        return values[name]

    return _PLACEHOLDER.sub(value, text)


def placeholders(text: str) -> set[str]:
    """The names that ``text`` wants filled."""
    return set(_PLACEHOLDER.findall(text))
