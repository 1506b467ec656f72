"""OpenTelemetry: one trace a call, from its request to its result post, made of the happenings.

The ids of a call's trace, and of the spans that have children, are computed from the call's and the attempt's ids:
what is told after a restart falls into the same trace, and nothing need be kept.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from gateway.core.model import Claimed, Millis
from gateway.core.states import ENDED
from gateway.happenings import (
    AttemptClosed,
    CallAccepted,
    CalleeJudged,
    CallsClaimed,
    Fetched,
    Happening,
    OriginateAnswered,
    ResultPosted,
    SessionEnded,
    SpeechAsked,
    SpeechSource,
    TurnTaken,
    current_attempt,
    current_call,
)

NANOS = 1_000_000_000
#: How long a stop waits for the collector.
LAST_SECONDS = 3.0
Attributes = Mapping[str, str | int | float | bool | None]


class _Ids(IdGenerator):
    """Random ids, but for the next span where its ids are set."""

    def __init__(self) -> None:
        self._random = RandomIdGenerator()
        self.trace: int | None = None
        self.span: int | None = None

    def generate_trace_id(self) -> int:
        found, self.trace = self.trace, None
        return found or int(self._random.generate_trace_id())

    def generate_span_id(self) -> int:
        found, self.span = self.span, None
        return found or int(self._random.generate_span_id())


class Tracer:
    """An observer. ``sample`` is the share of the calls that are traced; ``now`` is Unix time in nanoseconds."""

    def __init__(
        self, installation: str, processor: SpanProcessor, *, service: str = "voxgate", sample: float = 1.0,
        now: Callable[[], int] = time.time_ns,
    ) -> None:  # fmt: skip
        self._installation = installation
        self._sample = sample
        self._now = now
        self._ids = _Ids()
        resource = Resource.create({"service.name": service, "service.instance.id": installation})
        self._provider = TracerProvider(resource=resource, id_generator=self._ids, shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("voxgate")

    def close(self, within: float = LAST_SECONDS) -> None:
        """Send what is left, but wait no longer for a collector that does not answer."""
        ending = threading.Thread(target=self._provider.shutdown, daemon=True)
        ending.start()
        ending.join(within)

    def headers(self) -> dict[str, str]:
        """What carries the trace on to whoever is asked for the present call (W3C Trace Context)."""
        call = current_call()
        if call is None or not self._traced(call):
            return {}
        return {"traceparent": f"00-{self._trace(call):032x}-{self._session_or_root(call):016x}-01"}

    def __call__(self, happening: Happening) -> None:
        match happening:
            case CallAccepted(call_id, seconds):
                self._ended(call_id, "intake", seconds, parent=self._root(call_id))
            case CallsClaimed(claimed, seconds):
                for one in claimed:
                    self._claimed(one, seconds)
            case OriginateAnswered(claimed, placed, seconds):
                parent = self._span(claimed.attempt.id)
                self._ended(claimed.call.id, "originate", seconds, parent=parent, attributes={"placed": placed})
            case CalleeJudged(call_id, attempt_id, callee_type, confidence, seconds):
                told = {"callee_type": callee_type, "confidence": confidence}
                self._ended(call_id, "verdict", seconds, parent=self._span(attempt_id), attributes=told)
            case TurnTaken(call_id, action, seconds):
                self._ended(call_id, action, seconds, parent=self._session_or_root(call_id))
            case SessionEnded(call_id, error, seconds):
                self._session(call_id, error, seconds)
            case Fetched(call_id=int(call_id)):
                self._fetched(call_id, happening)
            case SpeechAsked(SpeechSource.RENDERED, seconds) if (call := current_call()) is not None:
                self._ended(call, "speech", seconds, parent=self._session_or_root(call))
            case AttemptClosed():
                self._closed(happening)
            case ResultPosted(delivery, tried, seconds):
                told = {"try": delivery.tries + 1, "http.response.status_code": tried.status}
                self._ended(
                    delivery.call_id, "result post", seconds, parent=self._root(delivery.call_id), attributes=told,
                    error=None if tried.accepted else "not accepted",
                )  # fmt: skip
            case _:
                pass  # what belongs to no call

    # --- single happenings ---

    def _claimed(self, one: Claimed, seconds: float) -> None:
        call_id, number = one.call.id, one.attempt.number
        if number == 1:
            self._emit(call_id, "queue", one.call.created_at, one.attempt.started_at, parent=self._root(call_id))
        told = {"attempt": number, "trunk": one.attempt.trunk}
        self._ended(call_id, "claim", seconds, parent=self._root(call_id), attributes=told)

    def _session(self, call_id: int, error: str | None, seconds: float) -> None:
        attempt = current_attempt()
        if attempt is not None:
            own, parent = self._span(f"{attempt} session"), self._span(attempt)
            self._ended(call_id, "session", seconds, parent=parent, own=own, error=error)

    def _fetched(self, call_id: int, fetch: Fetched) -> None:
        told = {
            "http.request.method": fetch.method, "server.address": fetch.host, "purpose": fetch.purpose,
            "outcome": fetch.outcome,
        }  # fmt: skip
        failed = None if fetch.outcome in ("2xx", "3xx", "cached") else fetch.outcome
        self._ended(
            call_id, "fetch", fetch.seconds, parent=self._session_or_root(call_id), attributes=told, error=failed,
            kind=SpanKind.CLIENT,
        )  # fmt: skip

    def _closed(self, closed: AttemptClosed) -> None:
        attempt, end, call = closed.claimed.attempt, closed.end, closed.call
        own, root = self._span(attempt.id), self._root(call.id)
        if end.ringing_at is not None:
            self._emit(call.id, "ring", end.ringing_at, end.answered_at or end.ended_at, parent=own)
        if end.answered_at is not None:
            self._emit(call.id, "answered", end.answered_at, end.ended_at, parent=own)
        told = {
            "attempt": attempt.number, "trunk": attempt.trunk, "kind": end.kind, "callee_type": end.callee_type,
            "q850.cause": end.cause, "sip.status_code": end.tech_cause,
        }  # fmt: skip
        self._emit(call.id, "attempt", attempt.started_at, end.ended_at, parent=root, own=own, attributes=told)
        if call.state in ENDED:
            told = {"call_id": call.id, "campaign_id": call.campaign_id, "state": call.state, "attempts": call.attempts,
                    "callee_type": call.callee_type}  # fmt: skip
            self._emit(call.id, "call", call.created_at, end.ended_at, parent=None, own=root, attributes=told)

    # --- spans ---

    def _ended(self, call_id: int, name: str, seconds: float, **more: Any) -> None:
        """A span that ends now."""
        now = self._now()
        self._record(call_id, name, now - round(seconds * NANOS), now, **more)

    def _emit(self, call_id: int, name: str, began: Millis, ended: Millis, **more: Any) -> None:
        self._record(call_id, name, began * 1_000_000, ended * 1_000_000, **more)

    def _record(
        self, call_id: int, name: str, began: int, ended: int, *, parent: int | None, own: int | None = None,
        attributes: Attributes | None = None, error: str | None = None, kind: SpanKind = SpanKind.INTERNAL,
    ) -> None:  # fmt: skip
        if not self._traced(call_id):
            return
        trace = self._trace(call_id)
        self._ids.trace, self._ids.span = trace, own
        context = None
        if parent is not None:
            above = SpanContext(trace, parent, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))
            context = set_span_in_context(NonRecordingSpan(above))
        told = {key: value for key, value in (attributes or {}).items() if value is not None}
        span = self._tracer.start_span(name, context, kind, told, start_time=began)
        if error is not None:
            span.set_status(Status(StatusCode.ERROR, error))
        span.end(max(began, ended))

    # --- ids ---

    def _digest(self, text: str) -> bytes:
        return hashlib.sha256(f"{self._installation} {text}".encode()).digest()

    def _trace(self, call_id: int) -> int:
        return int.from_bytes(self._digest(f"call {call_id}")[:16]) or 1

    def _root(self, call_id: int) -> int:
        return int.from_bytes(self._digest(f"call {call_id}")[16:24]) or 1

    def _span(self, name: str) -> int:
        return int.from_bytes(self._digest(name)[:8]) or 1

    def _session_or_root(self, call_id: int) -> int:
        attempt = current_attempt()
        return self._root(call_id) if attempt is None else self._span(f"{attempt} session")

    def _traced(self, call_id: int) -> bool:
        return (self._trace(call_id) & 0xFFFFFFFFFFFFFFFF) < self._sample * 2**64


def exporting(installation: str, *, endpoint: str, service: str, sample: float) -> Tracer:
    """A tracer that sends to an OTLP collector over HTTP, in batches, from a thread of its own."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    return Tracer(installation, BatchSpanProcessor(OTLPSpanExporter(endpoint)), service=service, sample=sample)
