"""An incremental matcher for grammars: told one token at a time, it says whether more may, or must, come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TypeAlias

from vxml.grammar.expression import ANY, EMPTY, Call, Chain, Choice, Expression, Repeat, Tag, Token

#: Nodes that one grammar may have.
MAX_NODES = 500_000
#: Rules within rules; a rule that calls itself without a token before it ends here, too.
MAX_CALLS = 60
#: Ways followed at once: an ambiguous grammar costs no more than this.
MAX_WAYS = 50_000


class GrammarTooLarge(ValueError):
    """The grammar expands to more nodes than is reasonable."""


class MatchState(Enum):
    NO_MATCH = auto()
    PARTIAL = auto()  # more must come
    CAN_GROW = auto()  # this is a match, and more may come
    FINAL = auto()  # this is a match, and nothing longer is


@dataclass(frozen=True, slots=True)
class Begin:
    """A rule begins."""

    rule: str


@dataclass(frozen=True, slots=True)
class End:
    """The rule that began last ends."""


@dataclass(frozen=True, slots=True)
class Word:
    """A token was taken, as it was heard."""

    text: str


#: What a way through the grammar passed, in order: what semantic interpretation works on.
Step: TypeAlias = Begin | End | Word | Tag
Trail: TypeAlias = tuple[Step, "Trail"] | None  # newest first
Stack: TypeAlias = tuple[int, "Stack"] | None  # nodes to return to


@dataclass(slots=True)
class _Node:
    moves: dict[str, list[int]] = field(default_factory=dict)
    free: list[tuple[int, Tag | None]] = field(default_factory=list)
    calls: list[tuple[str, int]] = field(default_factory=list)  # (rule, node to return to)


@dataclass(frozen=True, slots=True)
class Way:
    """One way through the grammar: where it stands, where it returns to, and what it passed."""

    node: int
    stack: Stack
    depth: int
    trail: Trail


def size(expression: Expression) -> int:
    """About how many nodes ``expression`` becomes."""
    match expression:
        case Token() | Tag() | Call():
            return 1
        case Chain(items):
            return sum(map(size, items))
        case Choice(items):
            words = [(one[0], len(one[1])) for item in items if (one := plain(item)) is not None]
            shared = {tokens[:length] for tokens, _ in words for length in range(1, len(tokens) + 1)}
            others = sum(1 + size(item) for item in items if plain(item) is None)
            return 2 + len(shared) + sum(tags for _, tags in words) + others
        case Repeat(item, low, high):
            return 1 + (1 + size(item)) * (low + 1 if high is None else max(low, high))


def plain(expression: Expression) -> tuple[tuple[str, ...], tuple[Tag, ...]] | None:
    """The tokens of an alternative that is tokens and then tags, and nothing else."""
    items = expression.items if isinstance(expression, Chain) else (expression,)
    tokens = tuple(item.text for item in items if isinstance(item, Token))
    tags = items[len(tokens) :]
    if not tokens or not all(isinstance(item, Token) for item in items[: len(tokens)]):
        return None
    if not all(isinstance(tag, Tag) for tag in tags):
        return None
    return tokens, tuple(tag for tag in tags if isinstance(tag, Tag))


class Automaton:
    """Rules compiled to a nondeterministic automaton with calls. Immutable, shared between sessions."""

    def __init__(self, root: Expression, rules: Mapping[str, Expression] | None = None, name: str = "") -> None:
        # Counted first: repeats within repeats would build for seconds before they are refused.
        if sum(map(size, (root, *(rules or {}).values()))) > MAX_NODES:
            raise GrammarTooLarge(f"a grammar of more than {MAX_NODES} nodes")
        self._nodes: list[_Node] = []
        self._starts: dict[str, int] = {}
        self._ends: dict[int, None] = {}
        self._end = self._rule(name, root)
        for rule, expression in (rules or {}).items():
            if rule != name:
                self._ends[self._rule(rule, expression)] = None
        self._name = name
        self.start = self._spread([Way(self._starts[name], None, 0, (Begin(name), None))])

    def _rule(self, name: str, expression: Expression) -> int:
        self._starts[name], end = self._build(expression)
        return end

    # --- compiling ---

    def _new(self) -> int:
        self._nodes.append(_Node())
        return len(self._nodes) - 1

    def _build(self, expression: Expression) -> tuple[int, int]:
        start = self._new()
        return start, self._from(start, expression)

    def _from(self, start: int, expression: Expression) -> int:
        """Build ``expression`` onto a node; the node where it ends."""
        match expression:
            case Token(text):
                end = self._new()
                self._nodes[start].moves.setdefault(text, []).append(end)
                return end
            case Tag():
                end = self._new()
                self._nodes[start].free.append((end, expression))
                return end
            case Call(rule):
                end = self._new()
                self._nodes[start].calls.append((rule, end))
                return end
            case Chain(items):
                for item in items:
                    start = self._from(start, item)
                return start
            case Choice(items):
                return self._choice(start, items)
            case Repeat(item, low, high):
                return self._repeat(start, item, low, high)

    def _choice(self, start: int, items: Sequence[Expression]) -> int:
        end = self._new()
        # Neighbours that are nothing but tokens hang on one node and share their beginnings: a list of 100,000 names
        # costs one look-up a token. Only equal ones compete, and of those the first one still comes first.
        listed: int | None = None
        for item in items:
            words = plain(item)
            if words is None:
                listed = None
                at, last = self._build(item)
            else:
                at = last = self._new() if listed is None else listed
                listed = at
                tokens, tags = words
                for token in tokens:
                    last = self._along(last, token)
                for tag in tags:
                    last = self._from(last, tag)
            if not any(to == at for to, _ in self._nodes[start].free[-1:]):
                self._nodes[start].free.append((at, None))
            self._nodes[last].free.append((end, None))
        return end

    def _along(self, node: int, token: str) -> int:
        """The one node that ``token`` leads to from ``node``."""
        moves = self._nodes[node].moves
        if token not in moves:
            moves[token] = [self._new()]
        return moves[token][0]

    def _repeat(self, at: int, item: Expression, low: int, high: int | None) -> int:
        for _ in range(low):
            at = self._from(at, item)
        end = self._new()
        if high is None:
            first, last = self._build(item)
            # More before less: the longest way is looked at first.
            self._nodes[at].free += [(first, None), (end, None)]
            self._nodes[last].free += [(first, None), (end, None)]
            return end
        for _ in range(high - low):
            first, last = self._build(item)
            self._nodes[at].free += [(first, None), (end, None)]
            at = last
        self._nodes[at].free.append((end, None))
        return end

    # --- matching ---

    def _spread(self, ways: Sequence[Way]) -> tuple[Way, ...]:
        """All places reached without a token; the first way to a place wins, as the first alternative does."""
        reached: dict[tuple[int, Stack], Way] = {}
        stack = list(reversed(ways))
        while stack and len(reached) < MAX_WAYS:
            way = stack.pop()
            if (way.node, way.stack) in reached:
                continue
            reached[way.node, way.stack] = way
            node = self._nodes[way.node]
            further = [
                Way(to, way.stack, way.depth, way.trail if tag is None else (tag, way.trail)) for to, tag in node.free
            ]
            if way.depth < MAX_CALLS:
                further += [
                    Way(self._starts[rule], (back, way.stack), way.depth + 1, (Begin(rule), way.trail))
                    for rule, back in node.calls
                    if rule in self._starts
                ]
            if (way.stack is not None and way.node in self._ends) or (way.stack is not None and way.node == self._end):
                further.append(Way(way.stack[0], way.stack[1], way.depth - 1, (End(), way.trail)))
            stack += reversed(further)
        return tuple(reached.values())

    def step(self, ways: Sequence[Way], token: str) -> tuple[Way, ...]:
        word = Word(token)
        return self._spread(
            [
                Way(node, way.stack, way.depth, (word, way.trail))
                for way in ways
                if (moves := self._nodes[way.node].moves)
                for node in (*moves.get(token, ()), *moves.get(ANY, ()))
            ]
        )

    def _accepts(self, way: Way) -> bool:
        return way.node == self._end and way.stack is None

    def state(self, ways: Sequence[Way]) -> MatchState:
        accepts = any(self._accepts(way) for way in ways)
        grows = any(self._nodes[way.node].moves for way in ways)
        if accepts:
            return MatchState.CAN_GROW if grows else MatchState.FINAL
        return MatchState.PARTIAL if grows else MatchState.NO_MATCH

    def match(self, tokens: Sequence[str]) -> list[Step] | None:
        """What the first way that takes all of ``tokens`` passes, or None where none does."""
        ways = self.start
        for token in tokens:
            if not (ways := self.step(ways, token)):
                return None
        trail: Trail = next((way.trail for way in ways if self._accepts(way)), None)
        if trail is None:
            return None
        steps: list[Step] = [End()]
        while trail is not None:
            steps.append(trail[0])
            trail = trail[1]
        steps.reverse()
        return steps


class Matcher:
    """Several grammars at once, key by key. ``start`` begins anew; the matcher itself does not change."""

    def __init__(self, grammars: Sequence[Automaton]) -> None:
        self._grammars = tuple(grammars)

    def __bool__(self) -> bool:
        return bool(self._grammars)

    def start(self) -> Match:
        return Match(self._grammars)


class Match:
    """One input against the grammars."""

    def __init__(self, grammars: tuple[Automaton, ...]) -> None:
        self._ways = [(grammar, grammar.start) for grammar in grammars]
        self.text = ""

    @property
    def state(self) -> MatchState:
        return _joined([grammar.state(ways) for grammar, ways in self._ways])

    def feed(self, key: str) -> MatchState:
        self.text += key
        self._ways = [(grammar, grammar.step(ways, key)) for grammar, ways in self._ways]
        return self.state

    def could_take(self, key: str) -> bool:
        return any(grammar.state(grammar.step(ways, key)) is not MatchState.NO_MATCH for grammar, ways in self._ways)


def _joined(states: Sequence[MatchState]) -> MatchState:
    accepts = any(state in (MatchState.CAN_GROW, MatchState.FINAL) for state in states)
    grows = any(state in (MatchState.CAN_GROW, MatchState.PARTIAL) for state in states)
    if accepts:
        return MatchState.CAN_GROW if grows else MatchState.FINAL
    return MatchState.PARTIAL if grows else MatchState.NO_MATCH


__all__ = ["EMPTY", "Automaton", "GrammarTooLarge", "Match", "MatchState", "Matcher"]
