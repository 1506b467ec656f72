"""What a grammar says, whichever form it was written in (SRGS 1.0 XML or ABNF): rules made of expressions."""

from __future__ import annotations

from dataclasses import dataclass, field

#: In place of a token: any single one (the rule GARBAGE is any number of them, SRGS 1.0 §2.2.3).
ANY = "\0any"


@dataclass(frozen=True, slots=True)
class Token:
    """A word in lower case, or a DTMF key."""

    text: str


@dataclass(frozen=True, slots=True)
class Chain:
    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """Alternatives, the first that fits wins; weights are kept for a recogniser."""

    items: tuple[Expression, ...]
    weights: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class Repeat:
    """``high`` None is without end."""

    item: Expression
    low: int
    high: int | None
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class Tag:
    """A semantic tag (SISR 1.0); ``literal`` where the grammar's tag-format says so."""

    text: str
    literal: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A reference to a rule: ``#name`` in this grammar, ``URL#name`` or ``URL`` (its root rule) in another."""

    rule: str


Expression = Token | Chain | Choice | Repeat | Tag | Call

EMPTY = Chain(())
VOID = Choice(())
GARBAGE = Repeat(Token(ANY), 0, None)


@dataclass(slots=True)
class Rules:
    """One grammar document. ``rules`` are by name; ``root`` names the one that is active, "" where none is named.
    References count from ``base``, which itself counts from the document; ``tags`` are those outside of any rule."""

    mode: str = "voice"
    language: str = ""
    root: str = ""
    base: str = ""
    rules: dict[str, Expression] = field(default_factory=dict)
    public: set[str] = field(default_factory=set)
    tags: list[Tag] = field(default_factory=list)
    meta: dict[str, str] = field(default_factory=dict)
    lexicons: list[str] = field(default_factory=list)
