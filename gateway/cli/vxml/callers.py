"""Who types: a person at the terminal, or a script that must fit the application exactly."""

from __future__ import annotations

import re
import sys
from typing import Protocol

from gateway.cli.vxml.inputs import Misunderstood, is_keys

_REMARK = re.compile(r"\s+#\s.*\Z")  # `record 4 #` ends with a key


class ScriptFault(Exception):
    """The script and the application do not fit; the message names file and line."""


class Caller(Protocol):
    def line(self, prompt: str, help_text: str) -> str:
        """One input, without its line end."""
        ...

    def refused(self, error: Misunderstood) -> None:
        """The last line cannot answer: return where another may be asked for."""
        ...


class Terminal:
    """A question mark asks what may be typed. The end of the input hangs up."""

    def line(self, prompt: str, help_text: str) -> str:
        while True:
            try:
                text = input(prompt).strip()
            except EOFError:
                print("hangup")
                return "hangup"
            if not sys.stdin.isatty():
                print(text)
            if text != "?":
                return text
            print(f"  {help_text}")

    def refused(self, error: Misunderstood) -> None:
        print(f"  {error}")


class Script:
    """One input a line; blank lines and ``# remarks`` are none. A line of keys only, as ``#``, is an input."""

    def __init__(self, name: str, text: str) -> None:
        self._name = name
        lines = ((number, _without_remark(line.strip())) for number, line in enumerate(text.splitlines(), 1))
        self._inputs = [(number, line) for number, line in lines if line]
        self._at = 0

    def line(self, prompt: str, help_text: str) -> str:
        if self._at == len(self._inputs):
            after = f"after line {self._inputs[-1][0]}" if self._inputs else "and it has none"
            raise ScriptFault(f"{self._name}: the application asks for another input {after}: {help_text}")
        self._at += 1
        text = self._inputs[self._at - 1][1]
        print(f"{prompt}{text}")
        return text

    def refused(self, error: Misunderstood) -> None:
        raise ScriptFault(f"{self._name}:{self._inputs[self._at - 1][0]}: {error}")

    def finish(self) -> None:
        """Raises :class:`ScriptFault` where inputs are left over."""
        if left := self._inputs[self._at :]:
            number, text = left[0]
            raise ScriptFault(
                f"{self._name}:{number}: {text!r} was never asked for: the application ended with {len(left)} "
                f"input{'s' if len(left) > 1 else ''} left; take them out, or see with --trace where it went"
            )


def _without_remark(line: str) -> str:
    if is_keys(line):
        return line
    return "" if line.startswith("#") else _REMARK.sub("", line)
