"""The ABNF form of SRGS 1.0 grammars (W3C Recommendation 2004-03-16): a recursive-descent parser."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vxml.errors import badfetch
from vxml.grammar.expression import Choice, Expression, Repeat, Rules, Tag
from vxml.grammar.srgs import MAX_DEPTH, chain, is_special, new_rule, number, reference, repeated, tokens

_HEAD = re.compile(r"\ufeff?#ABNF 1\.0(?: +([A-Za-z0-9._:-]+))?;")
_BLANK = re.compile(r"(?:\s+|//[^\n]*|/\*.*?\*/)+", re.S)
_LEXEME = re.compile(
    r"""(?P<tag>\{!\{.*?\}!\}|\{[^}]*\})
    |(?P<quoted>"[^"]*"|'[^']*')
    |(?P<uri>\$?<[^>]*>(?:~<[^>]*>)?)
    |(?P<rule>\$[A-Za-z_][\w.-]*)
    |(?P<repeat><\s*[0-9]+\s*(?:-\s*[0-9]*\s*)?(?:/[0-9.]+/)?\s*>)
    |(?P<weight>/[0-9.]+/)
    |(?P<language>![A-Za-z][A-Za-z0-9-]*)
    |(?P<sign>[=;|()\[\]])
    |(?P<word>[^\s=;|()\[\]{}<>"'/$!]+)""",
    re.S | re.X,
)
_REPEAT = re.compile(r"<\s*([0-9]+\s*(?:-\s*[0-9]*)?)\s*(?:/([0-9.]+)/)?\s*>\Z")


@dataclass(frozen=True, slots=True)
class _Lexeme:
    kind: str
    text: str


def is_abnf(text: str) -> bool:
    return _HEAD.match(text) is not None


def abnf_encoding(body: bytes) -> str | None:
    """The character encoding that the header names (SRGS 1.0 §4.1)."""
    head = _HEAD.match(body[:200].decode("ascii", "replace"))
    return None if head is None else head[1]


def parse_abnf(text: str) -> Rules:
    """Raises error.badfetch where SRGS 1.0 does not allow it."""
    head = _HEAD.match(text)
    if head is None:
        raise badfetch("an ABNF grammar begins with '#ABNF 1.0;'")
    return _Parser(_lexemes(text, head.end())).grammar()


def _lexemes(text: str, position: int) -> list[_Lexeme]:
    found: list[_Lexeme] = []
    while position < len(text):
        if (blank := _BLANK.match(text, position)) is not None:
            position = blank.end()
            continue
        # <2-3> after an expansion is a repeat; <uri> stands only after $ or a keyword.
        lexeme = _LEXEME.match(text, position)
        if lexeme is None or lexeme.lastgroup is None:
            raise badfetch(f"the grammar cannot be read at {text[position : position + 30]!r}")
        kind, word = lexeme.lastgroup, lexeme[0]
        if kind == "uri" and _REPEAT.match(word):
            kind = "repeat"
        found.append(_Lexeme(kind, word))
        position = lexeme.end()
    return found


class _Parser:
    def __init__(self, lexemes: list[_Lexeme]) -> None:
        self._lexemes = lexemes
        self._at = 0
        self._rules = Rules()
        self._literal = False

    # --- lexemes ---

    def _peek(self, kind: str, text: str | None = None) -> bool:
        if self._at >= len(self._lexemes):
            return False
        one = self._lexemes[self._at]
        return one.kind == kind and (text is None or one.text == text)

    def _take(self, kind: str, text: str | None = None) -> str:
        if not self._peek(kind, text):
            found = self._lexemes[self._at].text if self._at < len(self._lexemes) else "its end"
            raise badfetch(f"the grammar has {found!r} where {text or kind} is expected")
        self._at += 1
        return self._lexemes[self._at - 1].text

    def _took(self, kind: str, text: str | None = None) -> bool:
        if self._peek(kind, text):
            self._at += 1
            return True
        return False

    # --- the grammar (SRGS 1.0 §4, §3) ---

    def grammar(self) -> Rules:
        while self._at < len(self._lexemes):
            if self._peek("rule"):
                self._definition(public=False)
                continue
            if self._peek("tag"):
                self._rules.tags.append(self._tag())
                self._take("sign", ";")
                continue
            word = self._take("word")
            match word:
                case "public" | "private":
                    self._definition(public=word == "public")
                case "language" | "mode":
                    value = self._take("word")
                    if word == "mode" and value not in ("voice", "dtmf"):
                        raise badfetch(f"a grammar's mode is voice or dtmf, not {value!r}")
                    setattr(self._rules, word, value)
                    self._take("sign", ";")
                case "root":
                    self._rules.root = self._take("rule")[1:]
                    self._take("sign", ";")
                case "tag-format" | "base" | "lexicon":
                    value = self._take("uri").strip("<>$")
                    self._literal = self._literal or (word == "tag-format" and value.endswith("literals"))
                    if word == "lexicon":
                        self._rules.lexicons.append(value)
                    elif word == "base":
                        self._rules.base = value
                    self._take("sign", ";")
                case "meta" | "http-equiv":
                    name = self._take("quoted")[1:-1]
                    self._take("word", "is")
                    self._rules.meta[name] = self._take("quoted")[1:-1]
                    self._take("sign", ";")
                case other:
                    raise badfetch(f"the grammar has {other!r} where a declaration or a rule is expected")
        rules = self._rules
        if not rules.root and len(rules.rules) == 1:
            rules.root = next(iter(rules.rules))
        if rules.root and rules.root not in rules.rules:
            raise badfetch(f"the grammar has no root rule {rules.root!r}")
        return rules

    def _definition(self, *, public: bool) -> None:
        name = new_rule(self._rules, self._take("rule")[1:])
        self._take("sign", "=")
        self._rules.rules[name] = self._alternatives(0)
        self._take("sign", ";")
        if public:
            self._rules.public.add(name)

    def _alternatives(self, depth: int) -> Expression:
        if depth > MAX_DEPTH:
            raise badfetch("the grammar is nested too deeply")
        options: list[Expression] = []
        weights: list[float] = []
        weighted = False
        while True:
            if self._peek("weight"):
                weighted = True
                weights.append(number(self._take("weight").strip("/"), "weight"))
            else:
                weights.append(1.0)
            options.append(self._sequence(depth))
            if not self._took("sign", "|"):
                break
        if len(options) == 1:
            return options[0]
        return Choice(tuple(options), tuple(weights) if weighted else None)

    def _sequence(self, depth: int) -> Expression:
        items: list[Expression] = []
        while (item := self._element(depth)) is not None:
            while self._peek("repeat") or self._peek("language"):
                if self._took("language"):
                    continue
                count = _REPEAT.match(self._take("repeat"))
                assert count is not None
                written = "".join(count[1].split())
                item = repeated(item, written, count[2])
            items.append(item)
        return chain(items)

    def _element(self, depth: int) -> Expression | None:
        if self._took("sign", "("):
            if self._took("sign", ")"):
                return chain([])
            inner = self._alternatives(depth + 1)
            self._take("sign", ")")
            return inner
        if self._took("sign", "["):
            inner = self._alternatives(depth + 1)
            self._take("sign", "]")
            return Repeat(inner, 0, 1)
        if self._peek("tag"):
            return self._tag()
        if self._peek("rule"):
            name = self._take("rule")[1:]
            return reference(None, name) if is_special(name) else reference(f"#{name}", None)
        if self._peek("uri"):
            return reference(self._take("uri").partition("~")[0].lstrip("$").strip("<>"), None)
        if self._peek("quoted"):
            return chain(tokens(self._take("quoted")[1:-1], self._rules.mode))
        if self._peek("word"):
            return chain(tokens(self._take("word"), self._rules.mode))
        return None

    def _tag(self) -> Tag:
        text = self._take("tag")
        return Tag(text[3:-3] if text.startswith("{!{") else text[1:-1], self._literal)
