"""An incremental matcher for DTMF grammars: told one digit at a time, it says whether more may, or must, come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

DIGITS = "0123456789*#ABCD"
#: States that one grammar may have; more than a phone could ever type into.
MAX_STATES = 200_000


class GrammarTooLarge(ValueError):
    """The grammar expands to more states than is reasonable."""


class MatchState(Enum):
    NO_MATCH = auto()
    PARTIAL = auto()  # more must come
    CAN_GROW = auto()  # this is a match, and more may come
    FINAL = auto()  # this is a match, and nothing longer is


# --- expressions: what a grammar says ---


@dataclass(frozen=True, slots=True)
class Token:
    digit: str


@dataclass(frozen=True, slots=True)
class Chain:
    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """``high`` None is without end."""

    item: Expression
    low: int
    high: int | None


@dataclass(frozen=True, slots=True)
class Tag:
    """A semantic tag, run when the way through the grammar passes it."""

    text: str


Expression = Token | Chain | Choice | Repeat | Tag

EMPTY = Chain(())


@dataclass(slots=True)
class _Node:
    moves: dict[str, list[int]] = field(default_factory=dict)
    free: list[tuple[int, str | None]] = field(default_factory=list)  # (node, tag)


@dataclass(frozen=True, slots=True)
class Way:
    """One way through the grammar: where it stands, and the tags it passed."""

    node: int
    tags: tuple[str, ...]


class DtmfGrammar:
    """An expression compiled to a nondeterministic automaton. Immutable, shared between sessions."""

    def __init__(self, expression: Expression, *, literal_tags: bool = False) -> None:
        self.literal_tags = literal_tags
        self._nodes: list[_Node] = []
        start, end = self._build(expression)
        self._end = end
        self.start = self._spread([Way(start, ())])

    def _new(self) -> int:
        if len(self._nodes) >= MAX_STATES:
            raise GrammarTooLarge(f"a grammar of more than {MAX_STATES} states")
        self._nodes.append(_Node())
        return len(self._nodes) - 1

    def _build(self, expression: Expression) -> tuple[int, int]:
        start = self._new()
        match expression:
            case Token(digit):
                end = self._new()
                self._nodes[start].moves.setdefault(digit, []).append(end)
                return start, end
            case Tag(text):
                end = self._new()
                self._nodes[start].free.append((end, text))
                return start, end
            case Chain(items):
                at = start
                for item in items:
                    first, last = self._build(item)
                    self._nodes[at].free.append((first, None))
                    at = last
                return start, at
            case Choice(items):
                end = self._new()
                for item in items:
                    first, last = self._build(item)
                    self._nodes[start].free.append((first, None))
                    self._nodes[last].free.append((end, None))
                return start, end
            case Repeat(item, low, high):
                return start, self._repeat(start, item, low, high)

    def _repeat(self, start: int, item: Expression, low: int, high: int | None) -> int:
        at = start
        for _ in range(low):
            first, last = self._build(item)
            self._nodes[at].free.append((first, None))
            at = last
        end = self._new()
        self._nodes[at].free.append((end, None))
        if high is None:
            first, last = self._build(item)
            self._nodes[at].free.append((first, None))
            self._nodes[last].free.append((first, None))
            self._nodes[last].free.append((end, None))
            return end
        for _ in range(high - low):
            first, last = self._build(item)
            self._nodes[at].free.append((first, None))
            self._nodes[last].free.append((end, None))
            at = last
        return end

    def _spread(self, ways: Sequence[Way]) -> tuple[Way, ...]:
        """All nodes reached without a digit; the first way to a node wins, as the first alternative does."""
        reached: dict[int, Way] = {}
        stack = list(reversed(ways))
        while stack:
            way = stack.pop()
            if way.node in reached:
                continue
            reached[way.node] = way
            for node, tag in reversed(self._nodes[way.node].free):
                stack.append(Way(node, way.tags if tag is None else (*way.tags, tag)))
        return tuple(reached.values())

    def step(self, ways: Sequence[Way], digit: str) -> tuple[Way, ...]:
        moved = [Way(node, way.tags) for way in ways for node in self._nodes[way.node].moves.get(digit, ())]
        return self._spread(moved)

    def state(self, ways: Sequence[Way]) -> MatchState:
        accepts = any(way.node == self._end for way in ways)
        grows = any(self._nodes[way.node].moves for way in ways)
        if accepts:
            return MatchState.CAN_GROW if grows else MatchState.FINAL
        return MatchState.PARTIAL if grows else MatchState.NO_MATCH

    def tags(self, digits: str) -> tuple[str, ...] | None:
        """The tags that ``digits`` pass, or None where they do not match."""
        ways = self.start
        for digit in digits:
            ways = self.step(ways, digit)
        return next((way.tags for way in ways if way.node == self._end), None)


class Matcher:
    """Several grammars at once, digit by digit. ``start`` begins anew; the matcher itself does not change."""

    def __init__(self, grammars: Sequence[DtmfGrammar]) -> None:
        self._grammars = tuple(grammars)

    def start(self) -> Match:
        return Match(self._grammars)


class Match:
    """One input against the grammars."""

    def __init__(self, grammars: tuple[DtmfGrammar, ...]) -> None:
        self._ways = [(grammar, grammar.start) for grammar in grammars]
        self.text = ""

    @property
    def state(self) -> MatchState:
        return _joined([grammar.state(ways) for grammar, ways in self._ways])

    def feed(self, digit: str) -> MatchState:
        self.text += digit
        self._ways = [(grammar, grammar.step(ways, digit)) for grammar, ways in self._ways]
        return self.state

    def could_take(self, digit: str) -> bool:
        return any(grammar.state(grammar.step(ways, digit)) is not MatchState.NO_MATCH for grammar, ways in self._ways)


def _joined(states: Sequence[MatchState]) -> MatchState:
    accepts = any(state in (MatchState.CAN_GROW, MatchState.FINAL) for state in states)
    grows = any(state in (MatchState.CAN_GROW, MatchState.PARTIAL) for state in states)
    if accepts:
        return MatchState.CAN_GROW if grows else MatchState.FINAL
    return MatchState.PARTIAL if grows else MatchState.NO_MATCH
