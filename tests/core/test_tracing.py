"""One trace a call, whatever tells of it and whichever process does: through the SDK's in-memory exporter."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from gateway.core.model import (
    Account,
    AccountId,
    AccountSettings,
    Attempt,
    AttemptEnd,
    AttemptId,
    AttemptState,
    Call,
    CalleeType,
    CallId,
    CallPlan,
    CallState,
    CampaignId,
    Claimed,
    EndKind,
    Millis,
)
from gateway.happenings import (
    AmiPinged,
    AttemptClosed,
    CallAccepted,
    CalleeJudged,
    CallsClaimed,
    Fetched,
    Happening,
    HostClass,
    OriginateAnswered,
    ResultPosted,
    SessionEnded,
    SpeechAsked,
    SpeechSource,
    TurnTaken,
    of_call,
)
from gateway.ports import Delivery, DeliveryTry, FetchPurpose, Placed
from gateway.tracing import NANOS, Tracer

T0 = Millis(1_800_000_000_000)
NOW = (T0 + 60_000) * 1_000_000
CALL, ATTEMPT = CallId(7), AttemptId("vg-a-1")


def claimed(number: int = 1) -> Claimed:
    plan = CallPlan("http://a/", None, None, None, 1, 60, T0, None)
    call = Call(
        CALL, AccountId(1), CampaignId(3), CallState.DIALING, "1", "+1", "t", None, None, None, plan, 0, None, T0, None,
        None, 0, None, 0, None, None,
    )  # fmt: skip
    attempt = Attempt(AttemptId(f"vg-a-{number}"), CALL, number, "t", AttemptState.DIALING, Millis(T0 + 2_000))
    return Claimed(call, attempt, Account(AccountId(1), "u", "h", AccountSettings("UTC", "US")))


def closed(state: CallState = CallState.COMPLETED, number: int = 1) -> AttemptClosed:
    one = claimed(number)
    end = AttemptEnd(
        one.attempt.id, EndKind.REACHED, CalleeType.VOICE, Millis(T0 + 30_000), Millis(T0 + 8_000), Millis(T0 + 3_000)
    )
    return AttemptClosed(one, end, replace(one.call, state=state, attempts=number))


#: A call from its request to its result, as the gateway tells of it.
OUTSIDE: list[Happening] = [
    CallAccepted(CALL, 0.2), CallsClaimed((claimed(),), 0.001), OriginateAnswered(claimed(), Placed.QUEUED, 0.01),
    AmiPinged(0.1),
]  # fmt: skip
INSIDE: list[Happening] = [
    CalleeJudged(CALL, ATTEMPT, CalleeType.VOICE, 0.9, 1.5),
    Fetched(CALL, FetchPurpose.APPLICATION, "a", HostClass.PUBLIC, "POST", "2xx", 0.3), TurnTaken(CALL, "fetch", 0.3),
    SpeechAsked(SpeechSource.RENDERED, 0.1), SpeechAsked(SpeechSource.CACHE, 0.0), TurnTaken(CALL, "play", 4.0),
    SessionEnded(CALL, None, 20.0),
]  # fmt: skip


class Traced:
    """A tracer that begins as a process does: with nothing kept."""

    def __init__(self, installation: str = "abc", sample: float = 1.0) -> None:
        self.memory = InMemorySpanExporter()
        self.tracer = Tracer(installation, SimpleSpanProcessor(self.memory), sample=sample, now=lambda: NOW)

    def tell(self, *happenings: Happening) -> None:
        for one in happenings:
            self.tracer(one)

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        return self.memory.get_finished_spans()


def posted() -> ResultPosted:
    delivery = Delivery("msg_1", CALL, AccountId(1), "http://a/r", "a", (), 0, T0)
    return ResultPosted(
        delivery, DeliveryTry(delivery.id, T0, accepted=True, status=200, error=None, next_at=None), 0.4
    )


def whole(traced: list[Traced]) -> list[ReadableSpan]:
    """A whole call, each part told to the tracer of another process."""
    parts = iter(traced)
    next(parts).tell(*OUTSIDE)
    with of_call(CALL, ATTEMPT):
        next(parts).tell(*INSIDE)
    next(parts).tell(closed())
    next(parts).tell(posted())
    return [span for one in {id(one): one for one in traced}.values() for span in one.spans]


@pytest.mark.parametrize("restarts", [False, True])
def test_a_call_is_one_trace_across_restarts(restarts: bool) -> None:
    one = Traced()
    spans = whole([Traced() for _ in range(4)] if restarts else [one] * 4)
    assert len({context(span).trace_id for span in spans}) == 1
    assert sorted(span.name for span in spans) == sorted(
        ["intake", "queue", "claim", "originate", "verdict", "fetch", "fetch", "speech", "play", "session", "ring",
         "answered", "attempt", "call", "result post"]
    )  # fmt: skip
    ids = {context(span).span_id for span in spans}
    assert len(ids) == len(spans)
    assert [span.name for span in spans if span.parent is None] == ["call"]
    assert all(span.parent is None or span.parent.span_id in ids for span in spans)
    parent = {span.name: next((up.name for up in spans if up is not span and span.parent is not None and context(up).span_id == span.parent.span_id), None) for span in spans}  # fmt: skip
    assert parent == {
        "call": None, "intake": "call", "queue": "call", "claim": "call", "attempt": "call", "result post": "call",
        "originate": "attempt", "ring": "attempt", "answered": "attempt", "verdict": "attempt", "session": "attempt",
        "fetch": "session", "speech": "session", "play": "session",
    }  # fmt: skip


def context(span: ReadableSpan) -> Any:
    assert span.context is not None
    return span.context


def test_the_times_are_those_of_the_call() -> None:
    one = Traced()
    spans = {span.name: span for span in whole([one] * 4)}
    assert (spans["call"].start_time, spans["call"].end_time) == (T0 * 1_000_000, (T0 + 30_000) * 1_000_000)
    assert (spans["queue"].start_time, spans["queue"].end_time) == (T0 * 1_000_000, (T0 + 2_000) * 1_000_000)
    ring = spans["ring"]
    assert ring.start_time is not None and ring.end_time is not None
    assert ring.end_time - ring.start_time == 5 * NANOS
    session = spans["session"]
    assert (session.start_time, session.end_time) == (NOW - 20 * NANOS, NOW)
    assert dict(spans["call"].attributes or {})["call_id"] == 7


def test_a_call_that_will_be_tried_again_has_not_ended() -> None:
    one = Traced()
    one.tell(closed(CallState.RETRYING), CallsClaimed((claimed(2),), 0.001), closed(CallState.FAILED, number=2))
    assert [span.name for span in one.spans].count("call") == 1
    assert [span.name for span in one.spans].count("attempt") == 2
    assert "queue" not in [span.name for span in one.spans]  # only the first attempt waited in the queue


def test_what_failed_says_so() -> None:
    one = Traced()
    with of_call(CALL, ATTEMPT):
        one.tell(
            Fetched(CALL, FetchPurpose.APPLICATION, "a", HostClass.PUBLIC, "GET", "timeout", 15.0),
            SessionEnded(CALL, "error.badfetch", 16.0),
        )
    assert [span.status.status_code for span in one.spans] == [StatusCode.ERROR] * 2


def test_calls_and_installations_have_traces_of_their_own() -> None:
    one, other = Traced(), Traced("xyz")
    for traced in (one, other):
        traced.tell(CallAccepted(CallId(1), 0.1), CallAccepted(CallId(2), 0.1))
    assert len({context(span).trace_id for span in (*one.spans, *other.spans)}) == 4


def test_a_share_of_the_calls_is_traced_each_wholly_or_not_at_all() -> None:
    some = Traced(sample=0.3)
    some.tell(*(CallAccepted(CallId(number), 0.1) for number in range(1000) for _ in range(2)))
    assert 400 < len(some.spans) < 800
    counts = [
        sum(context(span).trace_id == one for span in some.spans) for one in {context(s).trace_id for s in some.spans}
    ]
    assert set(counts) == {2}
    none = Traced(sample=0.0)
    none.tell(CallAccepted(CallId(1), 0.1))
    assert none.spans == ()


def test_a_collector_that_does_not_answer_holds_no_stop_up() -> None:
    answered = threading.Event()

    class Stalled(SimpleSpanProcessor):
        def shutdown(self) -> None:
            answered.wait(30)

    tracer = Tracer("abc", Stalled(InMemorySpanExporter()))
    tracer.close(within=0.1)
    assert not answered.is_set()
    answered.set()


def test_whoever_is_asked_for_a_call_may_go_on_with_its_trace() -> None:
    one = Traced()
    assert one.tracer.headers() == {}
    with of_call(CALL, ATTEMPT):
        one.tell(SessionEnded(CALL, None, 1.0))
        version, trace, parent, flags = one.tracer.headers()["traceparent"].split("-")
    (session,) = one.spans
    assert (version, flags) == ("00", "01")
    assert int(trace, 16) == context(session).trace_id
    assert int(parent, 16) == context(session).span_id
