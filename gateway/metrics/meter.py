"""Turns happenings into the metrics that count and time them."""

from __future__ import annotations

from typing import assert_never

from gateway.core.states import ENDED
from gateway.happenings import (
    AmiLinkChanged,
    AmiPinged,
    AttemptClosed,
    CallAccepted,
    CalleeJudged,
    CallsClaimed,
    ChannelOpened,
    Fetched,
    Happening,
    OriginateAnswered,
    ResultPosted,
    SessionEnded,
    SpeechAsked,
    SpeechSource,
    TurnTaken,
)
from gateway.metrics.instruments import Instruments


class Meter:
    def __init__(self, instruments: Instruments) -> None:
        self._on = instruments
        self._was_up = False

    def __call__(self, happening: Happening) -> None:
        on = self._on
        match happening:
            case CallAccepted(seconds=seconds):
                on.accepted.observe(seconds)
            case CallsClaimed(claimed, seconds):
                on.claimed.inc(len(claimed))
                on.claim.observe(seconds)
            case OriginateAnswered(claimed, placed, seconds):
                on.originates.labels(claimed.attempt.trunk, placed).inc()
                on.originate.observe(seconds)
            case ChannelOpened(seconds=seconds):
                on.setup.observe(seconds)
            case CalleeJudged(seconds=seconds):
                on.judging.observe(seconds)
            case TurnTaken(action=action, seconds=seconds):
                on.turns.labels(action).observe(seconds)
            case SessionEnded(error=error):
                on.sessions.labels("error" if error else "exited").inc()
            case AttemptClosed():
                self._closed(happening)
            case ResultPosted(tried=tried, seconds=seconds):
                given_up = not tried.accepted and tried.next_at is None
                on.posts.labels("accepted" if tried.accepted else "given_up" if given_up else "failed").inc()
                on.posting.observe(seconds)
            case Fetched(purpose=purpose, host_class=host_class, outcome=outcome, seconds=seconds):
                on.fetches.labels(purpose, host_class, outcome).observe(seconds)
            case SpeechAsked(source, seconds):
                on.speech.labels(source).inc()
                if source is SpeechSource.RENDERED:
                    on.rendering.observe(seconds)
            case AmiPinged(seconds):
                on.ami_lag.observe(seconds)
            case AmiLinkChanged(up):
                on.ami_reconnects.inc(up and self._was_up)
                self._was_up = self._was_up or up
            case _:
                assert_never(happening)

    def _closed(self, closed: AttemptClosed) -> None:
        on, end, call = self._on, closed.end, closed.call
        on.attempts.labels(closed.claimed.attempt.trunk, end.kind, end.callee_type).inc()
        if call.state in ENDED:
            on.ended.labels(call.state, end.callee_type).inc()
        if end.answered_at is not None:
            on.talk.observe(max(0, end.ended_at - end.answered_at) / 1000)
            if end.evidence:
                on.verdicts.labels(end.callee_type, end.evidence.get("detector", "agi")).inc()
