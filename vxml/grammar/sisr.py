"""Semantic Interpretation for Speech Recognition 1.0 (W3C Recommendation 2007-04-05): what a match means."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from vxml.grammar.automaton import Begin, End, Step, Word
from vxml.grammar.expression import Tag


def tagged(steps: Sequence[Step]) -> bool:
    """Whether a match has any meaning but its words."""
    return any(isinstance(step, Tag) for step in steps)


def script(steps: Sequence[Step], joint: str, scripts: Mapping[str, str]) -> str:
    """An ECMAScript expression for the value of the match (SISR 1.0 §3, §6).

    ``scripts`` are the global tags of grammars by their URLs; ``joint`` stands between the words of a text.
    ``__vx_sisr`` of the session's engine gives each rule's variables ``out``, ``rules`` and ``meta``.
    """
    lines = ["(function () { var __s = __vx_sisr();"]
    texts: list[list[str]] = []
    names: list[str] = []
    opened: set[str] = set()

    def call(method: str, *arguments: str) -> None:
        lines.append(f"__s.{method}({', '.join(map(json.dumps, arguments))});")

    for step in steps:
        match step:
            case Begin(rule):
                place, _, name = rule.rpartition("#")
                if place not in opened:
                    opened.add(place)
                    call("grammar", place, scripts.get(place, ""))
                names.append(name)
                texts.append([])
                call("begin", place)
            case Word(text):
                for words in texts:
                    words.append(text)
            case Tag(text, literal=True):
                call("literal", text.strip())  # §3.2: the last one of a rule is its value
            case Tag(text):
                call("tag", text, joint.join(texts[-1]))
            case End():
                call("end", names.pop(), joint.join(texts.pop()))
    lines.append("return __s.value(); })()")
    return "\n".join(lines)
