"""SRGS 1.0 XML grammars in DTMF mode: one-of, item with repeat, local rule references, tags."""

from __future__ import annotations

from lxml import etree

from vxml.errors import badfetch
from vxml.grammar.dtmf import (
    DIGITS,
    EMPTY,
    Chain,
    Choice,
    DtmfGrammar,
    Expression,
    GrammarTooLarge,
    Repeat,
    Tag,
    Token,
)

MAX_DEPTH = 50
_NAMES = {"star": "*", "pound": "#", "hash": "#"}


def local(element: etree._Element) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def parse_grammar(grammar: etree._Element) -> DtmfGrammar:
    """An inline <grammar> element. Raises error.badfetch where it is no DTMF grammar that SRGS 1.0 allows."""
    rules = {rule.get("id", ""): rule for rule in grammar if local(rule) == "rule"}
    root = grammar.get("root") or (next(iter(rules)) if len(rules) == 1 else "")
    if root not in rules:
        raise badfetch(f"the grammar has no root rule {root!r}")  # SRGS 1.0 §4.7
    literal = grammar.get("tag-format", "").endswith("literals")
    try:
        return DtmfGrammar(_rule(rules, root, (), 0), literal_tags=literal)
    except GrammarTooLarge as error:
        raise badfetch(str(error)) from None


def _rule(rules: dict[str, etree._Element], name: str, open_: tuple[str, ...], depth: int) -> Expression:
    if name not in rules:
        raise badfetch(f"the grammar has no rule {name!r}")
    if name in open_:
        raise badfetch(f"the rule {name!r} refers to itself: DTMF grammars cannot recurse here")
    return _content(rules, rules[name], (*open_, name), depth + 1)


def _content(
    rules: dict[str, etree._Element], parent: etree._Element, open_: tuple[str, ...], depth: int
) -> Expression:
    if depth > MAX_DEPTH:
        raise badfetch("the grammar is nested too deeply")
    items: list[Expression] = _tokens(parent.text)
    for child in parent:
        match local(child):
            case "item":
                items.append(_item(rules, child, open_, depth))
            case "one-of":
                options = [_item(rules, option, open_, depth) for option in child if local(option) == "item"]
                if not options:
                    raise badfetch("a <one-of> without an <item>")
                items.append(Choice(tuple(options)))
            case "ruleref":
                items.append(_reference(rules, child, open_, depth))
            case "tag":
                items.append(Tag(child.text or ""))
            case "token":
                items.extend(_tokens(child.text))
            case "example" | "":
                pass
            case other:
                raise badfetch(f"a grammar cannot hold <{other}>")
        items.extend(_tokens(child.tail))
    return items[0] if len(items) == 1 else Chain(tuple(items)) if items else EMPTY


def _reference(
    rules: dict[str, etree._Element], element: etree._Element, open_: tuple[str, ...], depth: int
) -> Expression:
    if (special := element.get("special")) is not None:
        match special:
            case "NULL":
                return EMPTY
            case "VOID":
                return Choice(())
            case _:
                raise badfetch(f"the special rule {special} has no meaning for DTMF")  # SRGS 1.0 §2.2.3
    uri = element.get("uri", "")
    if not uri.startswith("#"):
        raise badfetch(f"the rule reference {uri!r} is not local")
    return _rule(rules, uri[1:], open_, depth)


def _item(rules: dict[str, etree._Element], item: etree._Element, open_: tuple[str, ...], depth: int) -> Expression:
    content = _content(rules, item, open_, depth + 1)
    repeat = item.get("repeat")
    if repeat is None:
        return content
    low_text, dash, high_text = repeat.partition("-")  # SRGS 1.0 §2.5: n, n-m, n-
    try:
        low = int(low_text)
        high = low if not dash else (int(high_text) if high_text.strip() else None)
    except ValueError:
        raise badfetch(f"the repeat {repeat!r} is malformed") from None
    if low < 0 or low > 10_000 or (high is not None and (high < low or high > 10_000)):
        raise badfetch(f"the repeat {repeat!r} is out of range")
    return Repeat(content, low, high)


def _tokens(text: str | None) -> list[Expression]:
    """DTMF tokens of a text: digits run together or apart, and the names that SRGS 1.0 Appendix E gives * and #."""
    found: list[Expression] = []
    for word in (text or "").split():
        name = word.strip('"')
        if name.lower() in _NAMES or name.lower().removeprefix("dtmf-") in (*_NAMES, *DIGITS.lower()):
            key = name.lower().removeprefix("dtmf-")
            found.append(Token(_NAMES.get(key, key.upper())))
            continue
        for char in name.upper():
            if char not in DIGITS:
                raise badfetch(f"{word!r} is no DTMF token")
            found.append(Token(char))
    return found


def simple(keys: str) -> DtmfGrammar:
    """The grammar of a ``dtmf`` attribute: these keys in order."""
    return DtmfGrammar(Chain(tuple(_tokens(keys))))
