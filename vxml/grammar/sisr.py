"""Semantic Interpretation for Speech Recognition 1.0 (W3C Recommendation 2007-04-05): what a match means."""

from __future__ import annotations

import json
from collections.abc import Sequence

from vxml.grammar.automaton import Begin, End, Step, Word
from vxml.grammar.expression import Tag


def literal(steps: Sequence[Step]) -> str | None:
    """The value of a match by literal tags: the last one passed (SISR 1.0 §5); None where there is none."""
    found = None
    for step in steps:
        if isinstance(step, Tag) and step.literal:
            found = step.text.strip()
    return found


def has_scripts(steps: Sequence[Step]) -> bool:
    return any(isinstance(step, Tag) and not step.literal for step in steps)


def utterance(steps: Sequence[Step], joint: str) -> str:
    return joint.join(step.text for step in steps if isinstance(step, Word))


def script(steps: Sequence[Step], joint: str) -> str:
    """An ECMAScript expression for the value of the match (SISR 1.0 §3, §4, §6.3).

    ``__sisr(open)`` of the session's engine gives each rule's variables ``out``, ``rules`` and ``meta``.
    """
    lines = ["(function () { var __s = __vx_sisr();"]
    texts: list[list[str]] = []
    names: list[str] = []
    scripted: list[bool] = []
    for step in steps:
        match step:
            case Begin(rule):
                names.append(rule.rpartition("#")[2])
                texts.append([])
                scripted.append(False)
                lines.append("__s.begin();")
            case Word(text):
                for words in texts:
                    words.append(text)
            case Tag(text):
                heard = json.dumps(joint.join(texts[-1]))
                scripted[-1] = True
                lines.append(f"__s.tag({json.dumps(text)}, {heard});")
            case End():
                heard = json.dumps(joint.join(texts.pop()))
                lines.append(f"__s.end({json.dumps(names.pop())}, {heard}, {json.dumps(scripted.pop())});")
    lines.append("return __s.value(); })()")
    return "\n".join(lines)
