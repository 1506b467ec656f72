"""The XML form of SRGS 1.0 grammars (W3C Recommendation 2004-03-16)."""

from __future__ import annotations

import re

from lxml import etree

from vxml.errors import VoiceXmlEvent, badfetch
from vxml.grammar.expression import EMPTY, GARBAGE, VOID, Call, Chain, Choice, Expression, Repeat, Rules, Tag, Token

MAX_DEPTH = 60
MAX_REPEAT = 10_000
XML_BASE = "{http://www.w3.org/XML/1998/namespace}base"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
KEYS = "0123456789*#ABCD"
_KEY_NAMES = {"star": "*", "pound": "#", "hash": "#"}
_WORD = re.compile(r'"([^"]*)"|(\S+)')
_PUNCTUATION = ".,;:!?"
_NUMBER = re.compile(r"\d+\.?\d*|\.\d+")
_SPECIAL: dict[str, Expression] = {"NULL": EMPTY, "VOID": VOID, "GARBAGE": GARBAGE}


def local(element: etree._Element) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def line_of(element: etree._Element) -> int:
    """The line where the start tag ends, which is where libxml2 counts; 0 where it is not known."""
    line: object = element.sourceline
    return line if isinstance(line, int) else 0


def parse_grammar(grammar: etree._Element) -> Rules:
    """A <grammar> element. Raises error.badfetch where SRGS 1.0 does not allow it."""
    if local(grammar) != "grammar":
        raise badfetch(f"a grammar's root is <grammar>, not <{local(grammar)}>")
    mode = grammar.get("mode") or "voice"
    if mode not in ("voice", "dtmf"):
        raise badfetch(f"a grammar's mode is voice or dtmf, not {mode!r}")
    found = Rules(mode=mode, language=grammar.get(XML_LANG) or "", root=grammar.get("root") or "")
    found.base = grammar.get(XML_BASE) or ""
    literal = (grammar.get("tag-format") or "").endswith("literals")
    reader = _Reader(mode, literal)
    for child in grammar:
        try:
            _declaration(child, found, reader)
        except VoiceXmlEvent as event:
            event.line = event.line or line_of(child)
            raise
    if not found.root and len(found.rules) == 1:
        found.root = next(iter(found.rules))
    if found.root and found.root not in found.rules:
        raise badfetch(f"the grammar has no root rule {found.root!r}")  # SRGS 1.0 §4.7
    return found


def _declaration(child: etree._Element, found: Rules, reader: _Reader) -> None:
    match local(child):
        case "rule":
            name = new_rule(found, child.get("id") or "")
            found.rules[name] = reader.content(child, 0)
            scope = child.get("scope")
            if scope not in (None, "public", "private"):
                raise badfetch(f"a rule's scope is public or private, not {scope!r}")  # SRGS 1.0 §3.2
            if scope == "public":
                found.public.add(name)
        case "meta":
            found.meta[child.get("name") or child.get("http-equiv") or ""] = child.get("content") or ""
        case "lexicon":
            found.lexicons.append(child.get("uri") or "")
        case "tag":
            found.tags.append(reader.tag(child))
        case "metadata" | "":
            pass
        case other:
            raise badfetch(f"a grammar cannot hold <{other}>")


def new_rule(rules: Rules, name: str) -> str:
    """The name of a rule that is about to be defined (SRGS 1.0 §3.1)."""
    if not name or name in rules.rules or name in _SPECIAL:
        raise badfetch(f"a rule's name must be given, be unique, and be none of {', '.join(_SPECIAL)}: {name!r}")
    return name


class _Reader:
    def __init__(self, mode: str, literal: bool) -> None:
        self._mode = mode
        self._literal = literal

    def content(self, parent: etree._Element, depth: int) -> Expression:
        if depth > MAX_DEPTH:
            raise badfetch("the grammar is nested too deeply")
        items: list[Expression] = tokens(parent.text, self._mode)
        for child in parent:
            try:
                self._child(child, depth, items)
                items.extend(tokens(child.tail, self._mode))
            except VoiceXmlEvent as event:
                event.line = event.line or line_of(child)
                raise
        return chain(items)

    def _child(self, child: etree._Element, depth: int, items: list[Expression]) -> None:
        match local(child):
            case "item":
                items.append(self._item(child, depth))
            case "one-of":
                items.append(self._one_of(child, depth))
            case "ruleref":
                items.append(reference(child.get("uri"), child.get("special")))
            case "tag":
                items.append(self.tag(child))
            case "token":
                items.extend(tokens(child.text, self._mode))
            case "example" | "":
                pass
            case other:
                raise badfetch(f"a rule cannot hold <{other}>")

    def tag(self, element: etree._Element) -> Tag:
        return Tag(element.text or "", self._literal)

    def _one_of(self, element: etree._Element, depth: int) -> Expression:
        options = [option for option in element if local(option)]
        between = (element.text, *(child.tail for child in element))
        if not options or any(local(option) != "item" for option in options) or "".join(filter(None, between)).strip():
            raise badfetch("a <one-of> holds one <item> or more, and nothing else")  # SRGS 1.0 §2.4
        weights = tuple(number(option.get("weight", "1"), "weight") for option in options)
        given = any(option.get("weight") for option in options)
        return Choice(tuple(self._item(option, depth) for option in options), weights if given else None)

    def _item(self, item: etree._Element, depth: int) -> Expression:
        content = self.content(item, depth + 1)
        written = item.get("repeat")
        return content if written is None else repeated(content, written, item.get("repeat-prob"))


def chain(items: list[Expression]) -> Expression:
    return items[0] if len(items) == 1 else Chain(tuple(items)) if items else EMPTY


def repeated(content: Expression, written: str, probability: str | None = None) -> Repeat:
    """``n``, ``n-m`` or ``n-``, and how likely one more is (SRGS 1.0 §2.5)."""
    low_text, dash, high_text = written.partition("-")
    try:
        low = int(low_text)
        high = low if not dash else (int(high_text) if high_text.strip() else None)
    except ValueError:
        raise badfetch(f"the repeat {written!r} is malformed") from None
    if low < 0 or low > MAX_REPEAT or (high is not None and (high < low or high > MAX_REPEAT)):
        raise badfetch(f"the repeat {written!r} is out of range")
    likely = None if probability is None else number(probability, "probability")
    if likely is not None and likely > 1:
        raise badfetch(f"the probability {probability!r} exceeds 1")
    return Repeat(content, low, high, likely)


def reference(uri: str | None, special: str | None) -> Expression:
    """A rule reference (SRGS 1.0 §2.2)."""
    if (uri is None) == (special is None):
        raise badfetch("a rule reference has either a uri or a special rule")
    if uri is not None:
        return Call(uri)
    if special not in _SPECIAL:
        raise badfetch(f"there is no special rule {special!r}")
    return _SPECIAL[special]


def is_special(name: str) -> bool:
    return name in _SPECIAL


def number(text: str, what: str) -> float:
    """A weight or a probability: digits and at most one point (SRGS 1.0 §2.4.1)."""
    if _NUMBER.fullmatch(text.strip()) is None:
        raise badfetch(f"the {what} {text!r} is no number")
    return float(text)


def tokens(text: str | None, mode: str) -> list[Expression]:
    """The tokens of a text: words in lower case, or DTMF keys run together or apart (SRGS 1.0 §2.1, Appendix E)."""
    found: list[Expression] = []
    for quoted, bare in _WORD.findall(text or ""):
        for word in (quoted or bare).split():
            found += _keys(word) if mode == "dtmf" else [Token(one) for one in words(word)]
    return found


def words(text: str) -> list[str]:
    """An utterance as the tokens that grammars are matched against."""
    return [word for one in text.lower().split() if (word := one.strip(_PUNCTUATION))]


def _keys(word: str) -> list[Expression]:
    name = word.lower().removeprefix("dtmf-")
    if name in _KEY_NAMES:
        return [Token(_KEY_NAMES[name])]
    for char in name.upper():
        if char not in KEYS:
            raise VoiceXmlEvent("error.badfetch", f"{word!r} is no DTMF token")
    return [Token(char) for char in name.upper()]
