"""Whether the promises were kept: the carrier's log against the attempts, the posts against the calls, row by row."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from gateway.core.model import EndKind
from tests.chaos.customer import Customer
from tests.fakes.asterisk import Rung

MAX_RETRIES = 2
ENDED = ("completed", "failed", "cancelled")
#: After such an end nobody is rung again.
FINAL = frozenset({EndKind.REACHED, EndKind.LOST_AFTER_ANSWER})
#: What the reason of an attempt says whose phone may never have rung.
PERHAPS_UNRUNG = ("channel was never seen", "not answered while AMI was away")


@dataclass(frozen=True, slots=True)
class Attempt:
    id: str
    number: int
    kind: str | None
    reason: str

    @property
    def may_not_have_rung(self) -> bool:
        return self.kind == EndKind.TRUNK_FAULT or any(words in self.reason for words in PERHAPS_UNRUNG)


@dataclass(frozen=True, slots=True)
class Call:
    id: int
    reference: str
    dialed: str
    state: str
    attempts: tuple[Attempt, ...]
    delivery: tuple[str, bool, bool] | None  # its id, accepted, given up


@dataclass(slots=True)
class Findings:
    """Each broken promise in words, and the promises by count. All counts but the first two must be 0."""

    calls: int = 0
    rings: int = 0
    twice: int = 0
    lost: int = 0
    results_lost: int = 0
    leaked: int = 0
    other: int = 0  # what no count above has a name for: a refusal that did not come, a gateway that died
    words: list[str] = field(default_factory=list)

    def broken(self, what: str, words: str, count: int = 1) -> None:
        setattr(self, what, getattr(self, what) + count)
        self.words.append(words)

    def __add__(self, more: Findings) -> Findings:
        return Findings(*(getattr(self, one.name) + getattr(more, one.name) for one in fields(self)))


def calls_of(rows: Mapping[str, list[Any]]) -> list[Call]:
    """The calls of a :class:`tests.chaos.reader.Reader`'s rows."""
    attempts: dict[int, list[Attempt]] = defaultdict(list)
    for call, *attempt in rows["attempts"]:
        attempts[call].append(Attempt(*attempt))
    deliveries = {call: (ident, bool(accepted), bool(given)) for call, ident, accepted, given in rows["deliveries"]}
    return [Call(*row, tuple(attempts[row[0]]), deliveries.get(row[0])) for row in rows["calls"]]


def settled(calls: Iterable[Call]) -> bool:
    """Whether nothing is owed any more: every call ended, every post accepted or given up."""
    return all(
        call.state in ENDED and (call.delivery is None or call.delivery[1] or call.delivery[2]) for call in calls
    )


def audit(
    calls: list[Call],
    accepted: Mapping[str, int | None],
    rung: Iterable[Rung],
    customer: Customer,
    found: Findings,
    *,
    by_channel: bool,
) -> None:
    """``accepted`` are the references that a client was told are queued, with the call's id where it was told that.

    ``rung`` are the phones of this campaign. ``by_channel``: the carrier's log names the attempt of each ring.
    """
    rung = list(rung)
    found.calls, found.rings = len(calls), len(rung)
    _rings(calls, rung, found, by_channel=by_channel)
    _calls(calls, accepted, found)
    for call in calls:
        if (begun := customer.begun[call.id]) > 1:
            found.broken("twice", f"call {call.id} spoke to its callee {begun} times", begun - 1)
        _result(call, customer, found)


def _rings(calls: list[Call], rung: list[Rung], found: Findings, *, by_channel: bool) -> None:
    times = Counter(one.number for one in rung)
    rows: dict[str, list[Attempt]] = defaultdict(list)
    for call in calls:
        rows[call.dialed] += call.attempts
        counted = [one for one in call.attempts if one.kind != EndKind.TRUNK_FAULT]
        if len(counted) > MAX_RETRIES + 1:
            found.broken("twice", f"call {call.id} has {len(counted)} attempts", len(counted) - MAX_RETRIES - 1)
        for one in call.attempts[:-1]:
            if one.kind in FINAL:
                found.broken("twice", f"call {call.id} was dialed again after attempt {one.number}: {one.reason}")
    for number in sorted(times.keys() | rows.keys()):
        told, rings = rows[number], times[number]
        if rings > len(told):
            found.broken("twice", f"{number} was rung {rings} times in {len(told)} attempts", rings - len(told))
        surely = sum(not one.may_not_have_rung for one in told)
        if rings < surely:
            found.broken("other", f"{number} was rung {rings} times, and {surely} attempts say that it rang: {told}")
    if by_channel:
        ids = {one.id for call in calls for one in call.attempts}
        for channel, count in Counter(one.channel_id for one in rung).items():
            if channel not in ids:
                found.broken("twice", f"{channel} rang without an attempt")
            elif count > 1:
                found.broken("twice", f"{channel} rang {count} times", count - 1)


def _calls(calls: list[Call], accepted: Mapping[str, int | None], found: Findings) -> None:
    by_reference: dict[str, list[Call]] = defaultdict(list)
    for call in calls:
        by_reference[call.reference].append(call)
        if call.state not in ENDED:
            found.broken("lost", f"call {call.id} is still {call.state}")
        elif call.state == "completed" and not (call.attempts and call.attempts[-1].kind == EndKind.REACHED):
            found.broken("lost", f"call {call.id} is completed and reached nobody")
    for reference, mine in by_reference.items():
        if len(mine) > 1:
            found.broken("twice", f"{reference} was queued {len(mine)} times", len(mine) - 1)
    for reference, ident in accepted.items():
        there = [call.id for call in by_reference[reference]]
        if not there or (ident is not None and ident not in there):
            found.broken("lost", f"{reference} was accepted as call {ident}, and there is {there}")


def _result(call: Call, customer: Customer, found: Findings) -> None:
    if call.state not in ("completed", "failed"):
        return
    posts, ids = customer.posts[call.id], customer.ids[call.id]
    if call.delivery is None:
        found.broken("results_lost", f"call {call.id} owes no result")
        return
    ident, accepted, given_up = call.delivery
    if accepted and not posts:
        found.broken("results_lost", f"the result of call {call.id} counts as accepted and never came")
    elif not accepted and not given_up:
        found.broken("results_lost", f"the result of call {call.id} still waits")
    if ids - {ident}:
        found.broken("results_lost", f"the result of call {call.id} came under {sorted(ids)}, not {ident}")
    for post in posts:
        counted = sum(one.kind != EndKind.TRUNK_FAULT for one in call.attempts)
        if (post["result"], post["attempts"]) != (call.state, str(counted)):
            told = f"{post['result']} after {post['attempts']}"
            found.broken("results_lost", f"call {call.id}: {call.state} after {counted}, and its post says {told}")
