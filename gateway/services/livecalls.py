"""The attempts that are open now and what each has shown so far; each closes once, with its evidence."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, assert_never

import structlog

from gateway.core.model import (
    AttemptEnd,
    AttemptId,
    AttemptState,
    Call,
    CalleeType,
    CallState,
    Claimed,
    EndKind,
    Millis,
)
from gateway.core.outcome import Outcome, Seen, outcome
from gateway.happenings import ChannelOpened, Observe, of_call, unobserved
from gateway.ports import (
    Answered,
    ChannelEvent,
    ChannelSeen,
    Clock,
    DtmfReceived,
    HungUp,
    LegAnswered,
    LegDialed,
    OriginateEnded,
    Pbx,
    Ringing,
    Store,
    StoreError,
)
from gateway.services.digits import DigitBuffer
from gateway.services.feed import EventKind, Publish, Value, attempt_data, call_data, unheard
from gateway.services.hearing import Hearing, LineEar, evidence_of

log = structlog.get_logger()

#: What an attempt's FastAGI path begins with.
CALL_PATH = "call/"
#: How long a hang-up waits for a session that still has its final processing to do (submits after hang-up).
FINAL_PROCESSING = 60.0
#: How long a Hangup waits for the OriginateResponse that belongs to it, and that for a Newchannel.
RESPONSE_GRACE = 1.0
#: Milliseconds by which Asterisk's clock and ours may tell a call's length differently.
TIMER_MS = 500
#: Seconds for which a callee who answered waits until that is written.
ANSWER_WITHIN = 1.0
#: Seconds before an answer or a closing that the store could not write is tried again.
STORE_RETRY = 1.0
#: An Originate that failed while its channel may have come and gone unheard: the phone may have rung, unanswered.
UNHEARD = Outcome(EndKind.LOST_BEFORE_ANSWER, CalleeType.UNKNOWN, "outcome unknown: not answered while AMI was away")


@dataclass(slots=True)
class SessionRecord:
    """What the dialog tells of an answered call: the verdict in force, and whether the VoiceXML session began.

    ``turned_away``: a machine that was hung up on, as asked.
    """

    callee_type: CalleeType | None = None
    began: bool = False
    turned_away: bool = False
    application_error: str | None = None
    evidence: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Leg:
    """The party that a call is being transferred to."""

    number: int = 0  # of those of its call
    dialed: str = ""
    channel: str = ""
    answered_at: Millis | None = None
    answered_since: Millis | None = None  # in the clock's ticks
    seconds: float | None = None  # once it has ended
    answered: asyncio.Event = field(default_factory=asyncio.Event)

    def talked(self, ticks: Millis) -> tuple[str, int]:
        """The number, and the seconds from its answer to its end, or to now."""
        if self.seconds is not None:
            return self.dialed, round(self.seconds)
        return self.dialed, 0 if self.answered_since is None else round((ticks - self.answered_since) / 1000)


@dataclass(slots=True)
class LiveCall:
    """One open attempt. ``session`` is there from the moment the dialog took the channel.

    ``since`` and ``answered_since`` are when it was dialed and answered, in the clock's ticks: how long that is ago.
    """

    claimed: Claimed
    digits: DigitBuffer
    since: Millis
    answered_since: Millis | None = None
    channel_seen: bool = False
    unheard: bool = False  # for some of its time nobody heard what Asterisk told: its channel may have come and gone
    ringing_at: Millis | None = None
    answered_at: Millis | None = None
    hung_up: HungUp | None = None
    originate: OriginateEnded | None = None
    session: SessionRecord | None = None
    session_ended: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)  # the callee hung up
    originated: asyncio.Event = field(default_factory=asyncio.Event)  # OriginateResponse came
    leg: Leg = field(default_factory=Leg)  # the last of the legs
    legs: list[Leg] = field(default_factory=list)
    limits: tuple[float, float] | None = None  # ring timeout and longest call in seconds, as it was dialed
    answer_written: asyncio.Task[None] | None = None
    handler: asyncio.Task[None] | None = None  # holds its FastAGI session
    undialed: bool = False  # nothing was asked of its trunk
    ended_why: str = ""  # what of ours ended it
    audio: str | None = None  # the file of what was heard
    ear: LineEar | None = None  # there is one from the moment its channel was seen
    closing: bool = False

    @property
    def id(self) -> AttemptId:
        return self.claimed.attempt.id

    def timed_out(self, ticks: Millis) -> bool:
        """Whether a hang-up at that time comes when Asterisk ends a call that is too long."""
        if self.limits is None or self.answered_since is None:
            return False
        return ticks - self.answered_since >= self.limits[1] * 1000 - TIMER_MS

    def seen(self) -> Seen:
        return Seen(
            channel=self.channel_seen,
            ringing=self.ringing_at is not None,
            answered=self.answered_at is not None,
            originate_reason=None if self.originate is None else self.originate.reason,
            cause=None if self.hung_up is None else self.hung_up.cause,
            tech_cause=None if self.hung_up is None else self.hung_up.tech_cause,
            heard=None if self.ear is None else self.ear.verdict,
        )


OnClosed = Callable[[LiveCall, AttemptEnd, Call], None]


class LiveCalls:
    """The registry of open attempts. The pace is measured against its counts, which therefore cannot drift."""

    def __init__(
        self, store: Store, pbx: Pbx, clock: Clock, hearing: Hearing, publish: Publish = unheard,
        observe: Observe = unobserved,
    ) -> None:  # fmt: skip
        self._store = store
        self._publish = publish
        self._pbx = pbx
        self._clock = clock
        self._hearing = hearing
        self._observe = observe
        self._calls: dict[AttemptId, LiveCall] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._listeners: list[OnClosed] = []
        self.empty = asyncio.Event()
        self.empty.set()

    def on_closed(self, listener: OnClosed) -> None:
        self._listeners.append(listener)

    async def run(self) -> None:
        """Hold the tasks that write down what the events tell; ends by cancellation."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            await asyncio.Event().wait()

    # --- the registry ---

    def add(self, claimed: Claimed) -> LiveCall:
        attempt = claimed.attempt
        live = LiveCall(
            claimed,
            DigitBuffer(lambda: self._pbx.connected),
            since=self._ticks_at(attempt.started_at),
            answered_since=None if attempt.answered_at is None else self._ticks_at(attempt.answered_at),
            ringing_at=attempt.ringing_at,
            answered_at=attempt.answered_at,
        )
        self._calls[attempt.id] = live
        self.empty.clear()
        return live

    def _ticks_at(self, at: Millis) -> Millis:
        """A time of the past in ticks; one that is still to come, by a clock that was set back, is now."""
        return Millis(self._clock.ticks() - max(0, self._clock.now() - at))

    def adopt(self, orphan: Claimed) -> LiveCall:
        """Register an open attempt that nobody listened to so far."""
        live = self.add(orphan)
        live.channel_seen = orphan.attempt.state is not AttemptState.DIALING
        live.unheard = True
        return live

    def get(self, attempt: AttemptId) -> LiveCall | None:
        return self._calls.get(attempt)

    def of_path(self, path: str) -> LiveCall | None:
        """The attempt that a FastAGI path, ``call/ATTEMPT``, names."""
        return self._calls.get(AttemptId(path.removeprefix(CALL_PATH))) if path.startswith(CALL_PATH) else None

    def __iter__(self) -> Iterator[LiveCall]:
        return iter(list(self._calls.values()))

    def __len__(self) -> int:
        return len(self._calls)

    def by_trunk(self) -> Counter[str]:
        return Counter(live.claimed.attempt.trunk for live in self._calls.values())

    # --- what Asterisk tells ---

    def hear(self, event: ChannelEvent) -> None:
        """Take in one event of a channel. Writing it down goes on behind; a closing follows where one is due."""
        live = self._calls.get(event.attempt_id)
        if live is None:
            return
        if isinstance(event, OriginateEnded):
            live.originate = event
            live.originated.set()
            if not event.answered and not live.channel_seen:
                self._spawn(live, self._unseen(live))
            return
        if live.closing:
            return
        match event:
            case ChannelSeen():
                live.channel_seen = True
                self._listen(live)
                seconds = (self._clock.now() - live.claimed.attempt.started_at) / 1000
                self._observe(ChannelOpened(live.claimed, max(0.0, seconds)))
            case Ringing():
                live.channel_seen = True
                self._listen(live)
                if live.ringing_at is None and live.answered_at is None:
                    live.ringing_at = self._clock.now()
                    self._tell(EventKind.ATTEMPT_RINGING, live)
                    self._spawn(live, self._rang(live, live.ringing_at))
            case Answered():
                live.channel_seen = True
                self._listen(live)
                self._spawn(live, self.answered(live))
            case DtmfReceived():
                live.digits.feed_ami(event.digit)
            case LegDialed():
                live.leg.channel = event.channel
            case LegAnswered():
                self._leg_answered(live, live.leg)
            case HungUp():
                live.hung_up = event
                live.gone.set()
                if live.timed_out(self._clock.ticks()):
                    live.ended_why = live.ended_why or "ended after its longest time"
                self.close(live)
            case _:
                assert_never(event)

    def _listen(self, live: LiveCall) -> None:
        """Open the tap. An attempt taken over from an earlier process gets its own with the next event."""
        if live.ear is None:
            live.ear = self._hearing.ear(keeps=live.claimed.account.settings.evidence_audio)
            self._spawn(live, self._hearing.open(live.id, live.ear))

    async def _rang(self, live: LiveCall, at: Millis) -> None:
        try:
            await self._store.mark_ringing(live.id, at)
        except StoreError as error:  # a progress note: its absence errs towards not dialing again
            log.error("attempt.not_written", error=str(error))

    async def _unseen(self, live: LiveCall) -> None:
        """OriginateResponse may overtake Newchannel, and after a lost link the rescuer knows better."""
        await asyncio.sleep(RESPONSE_GRACE)
        if not live.channel_seen:
            self.close(live, UNHEARD if live.unheard else None)

    async def answered(self, live: LiveCall) -> None:
        """Write the answer down, durably: from now on a lost outcome is never dialed again.

        Where the store cannot, or takes long, the call goes on meanwhile: hung up on, or hanging up for the silence,
        the callee would be rung once more.
        """
        if live.answered_at is None:
            live.answered_at, live.answered_since = self._clock.now(), self._clock.ticks()
            live.answer_written = self._spawn(live, self._write_answer(live))
            self._tell(EventKind.ATTEMPT_ANSWERED, live)
            self._tell_call(replace(live.claimed.call, state=CallState.IN_CALL))
        if live.ear is not None and not live.claimed.call.postd:  # its digits may lead past an attendant first
            live.ear.answered()
        if live.answer_written is not None:
            await asyncio.wait((live.answer_written,), timeout=ANSWER_WITHIN)

    async def _write_answer(self, live: LiveCall) -> None:
        """Until it is written, or its attempt's end is, which holds the answer too."""
        assert live.answered_at is not None
        while live.id in self._calls:
            try:
                await self._store.mark_answered(live.id, live.answered_at)
                return
            except StoreError as error:
                log.error("attempt.not_written", error=str(error))
                await asyncio.sleep(STORE_RETRY)

    # --- whom it is transferred to ---

    def transferred(self, live: LiveCall, dialed: str) -> Leg:
        """Another party is about to be dialed: what Asterisk tells of one belongs to it from now on."""
        live.leg = Leg(len(live.legs) + 1, dialed)
        live.legs.append(live.leg)
        self._spawn(live, self._write_leg(live, live.leg))
        return live.leg

    def _leg_answered(self, live: LiveCall, leg: Leg) -> None:
        if leg.answered_since is None:
            leg.answered_at, leg.answered_since = self._clock.now(), self._clock.ticks()
            self._spawn(live, self._write_leg(live, leg))
        leg.answered.set()

    def leg_ended(self, live: LiveCall, leg: Leg, seconds: float) -> None:
        leg.seconds = seconds
        self._spawn(live, self._write_leg(live, leg))

    async def _write_leg(self, live: LiveCall, leg: Leg) -> None:
        seconds = None if leg.seconds is None else round(leg.seconds)
        try:
            await self._store.mark_leg(live.id, leg.number, leg.dialed, leg.answered_at, seconds)
        except StoreError as error:  # its attempt's end counts it all the same
            log.error("attempt.not_written", error=str(error))

    def stepped(self, live: LiveCall, step: Mapping[str, Value]) -> None:
        """Tell of a step that the session took."""
        self._tell(EventKind.SESSION_STEP, live, **step)

    # --- closing ---

    def close(self, live: LiveCall, verdict: Outcome | None = None) -> None:
        """Close the attempt with what was seen, or with ``verdict`` where the caller knows better. Only once."""
        if live.closing:
            return
        live.closing = True
        self._spawn(live, self._close(live, verdict, self._clock.now(), self._clock.ticks()))

    async def _close(self, live: LiveCall, verdict: Outcome | None, ended_at: Millis, ticks: Millis) -> None:
        if live.hung_up is not None and live.answered_at is None and verdict is None:
            # Hangup and OriginateResponse come in any order; only the second tells our own timeout from a 480.
            with suppress(TimeoutError):
                async with asyncio.timeout(RESPONSE_GRACE):
                    await live.originated.wait()
        if live.session is not None:
            try:
                async with asyncio.timeout(FINAL_PROCESSING):
                    await live.session_ended.wait()
            except TimeoutError:
                log.warning("session.overran")
                if live.handler is not None:  # with its interpreter, its fetches and its recordings
                    live.handler.cancel()
        if live.ear is not None:
            await live.ear.over()
            self._hearing.close(live.ear)
            live.audio = await self._hearing.keep(live.claimed, live.ear)
        end = self._end_of(live, verdict, ended_at, ticks)
        call = await self._written(end)
        self._calls.pop(live.id, None)
        if not self._calls:
            self.empty.set()
        log.info(
            "attempt.ended",
            kind=end.kind,
            callee_type=end.callee_type,
            cause=end.cause,
            tech_cause=end.tech_cause,
            reason=end.reason,
            state=call.state,
        )
        self._tell(
            EventKind.ATTEMPT_ENDED, live, kind=end.kind, callee_type=end.callee_type, cause=end.cause,
            tech_cause=end.tech_cause, reason=end.reason,
        )  # fmt: skip
        self._tell_call(call)
        for listener in self._listeners:
            listener(live, end, call)

    def _tell(self, event: EventKind, live: LiveCall, /, **more: Value) -> None:
        claimed = live.claimed
        self._publish(event, claimed.account.id, attempt_data(claimed.call, claimed.attempt, **more))

    def _tell_call(self, call: Call) -> None:
        self._publish(EventKind.CALL_CHANGED, call.account_id, call_data(call))

    async def _written(self, end: AttemptEnd) -> Call:
        """Close the attempt in the store, however long that takes: until then it holds its place in the pace."""
        while True:
            try:
                return await self._store.close_attempt(end)
            except StoreError as error:
                log.error("attempt.not_written", error=str(error))
                await asyncio.sleep(STORE_RETRY)

    def _end_of(self, live: LiveCall, verdict: Outcome | None, ended_at: Millis, ticks: Millis) -> AttemptEnd:
        found = self._session_outcome(live) or verdict or outcome(live.seen())
        session = live.session
        return AttemptEnd(
            attempt_id=live.id,
            kind=found.kind,
            callee_type=found.callee_type,
            ended_at=ended_at,
            answered_at=live.answered_at,
            ringing_at=live.ringing_at,
            cause=None if live.hung_up is None else live.hung_up.cause,
            tech_cause=None if live.hung_up is None else live.hung_up.tech_cause,
            reason=f"{found.reason}; {live.ended_why}" if live.ended_why else found.reason,
            application_error=None if session is None else session.application_error,
            evidence=self.evidence(live),
            talked=None if live.answered_since is None else round((ticks - live.answered_since) / 1000),
            legs=tuple(leg.talked(ticks) for leg in live.legs),
        )

    @staticmethod
    def evidence(live: LiveCall) -> dict[str, Any]:
        """What is known so far of who answered, and of the session."""
        return {
            **({"detector": "none"} if live.ear is None else evidence_of(live.ear)),
            **({} if live.session is None else live.session.evidence),
            **({} if live.audio is None else {"audio": live.audio}),
        }

    @staticmethod
    def _session_outcome(live: LiveCall) -> Outcome | None:
        """What the dialog's record says of an answered call; None where no dialog ever held it."""
        session = live.session
        if session is None:
            return None
        callee = session.callee_type
        if session.turned_away and callee is not None:
            failed = live.claimed.account.settings.machine_hangup_failed
            kind = EndKind.NOT_REACHED if failed else EndKind.REACHED
            return Outcome(kind, callee, f"answered by {callee}, and hung up on as asked")
        if callee is not None:
            reached = session.began and callee.reached
            return Outcome(EndKind.REACHED if reached else EndKind.NOT_REACHED, callee, f"answered by {callee}")
        return Outcome(EndKind.NOT_REACHED, CalleeType.UNKNOWN, "hung up before it was known who answered")

    def _spawn(self, live: LiveCall, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        if self._tasks is None:
            raise RuntimeError("LiveCalls.run() is not running")
        with of_call(live.claimed.call.id, live.id):
            return self._tasks.create_task(work)
