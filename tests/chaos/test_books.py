"""The books find each kind of broken promise: a harness that cannot fail would prove nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.core.model import EndKind
from tests.chaos.books import Attempt, Call, Findings, audit
from tests.chaos.customer import Customer
from tests.fakes.asterisk import Rung

NUMBER = "+16175550001"
REACHED = Attempt("vg-a-2", 2, EndKind.REACHED, "answered by voice")
BUSY = Attempt("vg-a-1", 1, EndKind.NOT_REACHED, "busy (SIP 486)")
UNSEEN = Attempt("vg-a-1", 1, EndKind.LOST_AFTER_ANSWER, "outcome unknown: its channel was never seen")
WHOLE = Call(7, "single-0", NUMBER, "completed", (BUSY, REACHED), ("msg_1", True, False))


def rings(*channels: str) -> list[Rung]:
    return [Rung(NUMBER, channel, 0.0) for channel in channels]


def found(
    call: Call = WHOLE,
    rung: tuple[str, ...] = ("vg-a-1", "vg-a-2"),
    *,
    accepted: dict[str, int | None] | None = None,
    post: dict[str, str] | None = None,
    ids: tuple[str, ...] = ("msg_1",),
    more: tuple[Call, ...] = (),
    begun: int = 1,
) -> Findings:
    customer, result = Customer(), Findings()
    customer.begun[7] = begun
    if ids:
        customer.posts[7].append({"result": "completed", "attempts": "2", **(post or {})})
        customer.ids[7] = set(ids)
    audit([call, *more], accepted or {"single-0": 7}, rings(*rung), customer, result, by_channel=True)
    return result


def test_whole_books_are_whole() -> None:
    result = found()
    assert (result.words, result.calls, result.rings) == ([], 1, 2)


def test_a_phone_may_not_have_rung_where_its_channel_was_never_seen() -> None:
    call = replace(WHOLE, state="failed", attempts=(UNSEEN,))
    assert found(call, (), post={"result": "failed", "attempts": "1"}).words == []


@pytest.mark.parametrize(
    ("result", "what", "words"),
    [
        (found(rung=("vg-a-1", "vg-a-2", "vg-a-2")), "twice", "rung 3 times in 2 attempts"),
        (found(rung=("vg-a-1", "vg-b-9")), "twice", "without an attempt"),
        (found(replace(WHOLE, attempts=(UNSEEN, REACHED))), "twice", "dialed again after attempt 1"),
        (found(replace(WHOLE, attempts=(BUSY, BUSY, BUSY, REACHED))), "twice", "has 4 attempts"),
        (found(more=(replace(WHOLE, id=8, attempts=(), delivery=None, state="cancelled"),)), "twice", "queued 2 times"),
        (found(begun=2), "twice", "spoke to its callee 2 times"),
        (found(rung=("vg-a-1",)), "other", "2 attempts say that it rang"),
        (found(replace(WHOLE, state="in_call")), "lost", "still in_call"),
        (found(replace(WHOLE, attempts=(BUSY,)), ("vg-a-1",)), "lost", "reached nobody"),
        (found(accepted={"single-0": 7, "single-1": 8}), "lost", "single-1 was accepted as call 8"),
        (found(accepted={"single-0": 9}), "lost", "single-0 was accepted as call 9"),
        (found(replace(WHOLE, delivery=None)), "results_lost", "owes no result"),
        (found(ids=()), "results_lost", "never came"),
        (found(replace(WHOLE, delivery=("msg_1", False, False)), ids=()), "results_lost", "still waits"),
        (found(ids=("msg_1", "msg_2")), "results_lost", "came under"),
        (found(post={"result": "failed"}), "results_lost", "its post says failed"),
        (found(post={"attempts": "3"}), "results_lost", "after 3"),
    ],
)
def test_each_broken_promise_is_counted_and_told(result: Findings, what: str, words: str) -> None:
    assert getattr(result, what) >= 1
    assert any(words in line for line in result.words), result.words


def test_a_result_that_was_given_up_is_visible_and_not_lost() -> None:
    assert found(replace(WHOLE, delivery=("msg_1", False, True)), ids=()).words == []
