"""Claims due calls within the pace and has Asterisk dial each of them, once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import assert_never

import structlog

from gateway.core.admission import Admission, Hold, Reason, admit
from gateway.core.model import AttemptEnd, AttemptId, Call, CalleeType, Claimed, EndKind, Millis
from gateway.core.outcome import Outcome
from gateway.core.pacing import Limit, Pacer
from gateway.core.trunkhealth import TrunkHealth
from gateway.happenings import CallsClaimed, Observe, OriginateAnswered, Stopwatch, of_call, unobserved
from gateway.ports import Clock, Lane, Originate, Pbx, Placed, Placement, Store, StoreError
from gateway.services.feed import EventKind, Publish, attempt_data, call_data, unheard
from gateway.services.livecalls import LiveCall, LiveCalls

log = structlog.get_logger()

#: Seconds between looks at the queue when nothing else wakes the dialer.
IDLE_LOOK = 1.0
#: Seconds that Asterisk may take to acknowledge an Originate before no more are sent.
UNANSWERED = 1.0
#: Seconds that Asterisk may take to answer before the dialer holds; until its answer no call is put at risk.
PROMPTLY = 1.0
EXPIRE_EVERY_MS = 1000
EXPIRE_BATCH = 500


@dataclass(frozen=True, slots=True)
class Dialing:
    """How one call is dialed: the result of its routes and of the settings of call, campaign, account and trunk."""

    dial_string: str
    caller_id: str | None
    ring_timeout: float
    max_call_seconds: int


class NoRoute(Exception):
    """The number cannot be dialed any more: its message says which rule refuses it."""


class Dialer:
    """The one place from which an Originate is sent.

    ``plan`` turns a claimed call into its :class:`Dialing` or raises :class:`NoRoute`. ``wake`` tells of new work.
    """

    def __init__(
        self,
        store: Store,
        pbx: Pbx,
        live: LiveCalls,
        clock: Clock,
        pacer: Pacer,
        plan: Callable[[Claimed], Dialing],
        publish: Publish = unheard,
        observe: Observe = unobserved,
    ) -> None:
        self._store = store
        self._pbx = pbx
        self._live = live
        self._clock = clock
        self._pacer = pacer
        self._plan = plan
        self._publish = publish
        self._observe = observe
        self._work = asyncio.Event()
        self._asked: dict[AttemptId, float] = {}  # Originates under way, oldest first, on the loop's clock
        self._silent = False  # Asterisk did not answer when it was last asked whether it does
        self._stopped = False
        self._ended = asyncio.Event()
        self._ended.set()
        self._suspended = ""
        self._expired_at: Millis | None = None
        self.health: dict[str, TrunkHealth] = {name: TrunkHealth() for name in pacer.trunks}
        live.on_closed(self._learn)

    # --- told from outside ---

    def wake(self) -> None:
        self._work.set()

    def relimit(self, overall: Limit, trunks: Mapping[str, Limit]) -> None:
        """Dial within other limits from now on; a trunk that is no more ends its live calls as they end."""
        self._pacer.relimit(overall, trunks)
        self.health = {name: self.health.get(name) or TrunkHealth() for name in trunks}
        self._work.set()

    async def stop(self) -> None:
        """Dial no more; calls that are live go on. What is being claimed is still dialed: its attempt is in the books,
        and the next start would take it for one whose phone may have rung."""
        self._stopped = True
        self._work.set()
        await self._ended.wait()

    def suspend(self, reason: str) -> None:
        """Dial nothing until :meth:`resume`: the books are not yet known to be right."""
        self._suspended = reason

    def resume(self) -> None:
        self._suspended = ""
        self._work.set()

    @property
    def why_not_dialing(self) -> str | None:
        """The reason for which nothing at all is dialed now, in words; None where calls may start."""
        hold = self._hold()
        return None if hold is None else hold.text

    def _hold(self) -> Hold | None:
        if self._stopped:
            return Hold(Reason.STOPPING, "the gateway is stopping", "start it again")
        if not self._pbx.connected:
            mend = "it is tried again all the time; `voxgate doctor` finds what is in the way"
            return Hold(Reason.NO_AMI, "no AMI link to Asterisk", mend)
        oldest = next(iter(self._asked.values()), None)
        waited = 0.0 if oldest is None else asyncio.get_running_loop().time() - oldest
        if self._silent or waited > UNANSWERED:
            # What it may have taken is never sent again: risk no more calls.
            return Hold(Reason.ASTERISK_SILENT, "Asterisk does not answer", "its answer to the calls it was given")
        if self._suspended:
            return Hold(Reason.RECONCILING, self._suspended, "the comparison's end, usually within seconds")
        return None

    def admission(self) -> Admission:
        """What may start now, and what holds the rest: the rule by which calls are claimed."""
        return admit(self._clock.now(), self._hold(), self._pacer, self._live.by_trunk(), self.health)

    # --- the loop ---

    async def run(self) -> None:
        self._ended.clear()
        try:
            await self._run()
        finally:
            self._ended.set()

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            while not self._stopped:
                self._work.clear()
                try:
                    await self._expire()
                    # Before an attempt is committed: what a stalling Asterisk may have taken is never dialed again.
                    self._silent = self._pbx.connected and not await self._pbx.answers(PROMPTLY)
                    now, admission = self._clock.now(), self.admission()
                    claimed = await self._claim(admission, now)
                    for one in claimed:
                        tasks.create_task(self._dial(one))
                    if not claimed or self._pacer.next_slot_ms(self._live.by_trunk()) is None:
                        await self._rest(admission, now)
                    else:
                        await asyncio.sleep(min(self._pace_wait(), IDLE_LOOK))  # a slow pace keeps nothing else waiting
                except StoreError as error:
                    log.error("dialer.store", error=str(error))
                    await asyncio.sleep(IDLE_LOOK)

    async def _claim(self, admission: Admission, now: Millis) -> list[Claimed]:
        lanes = [Lane(trunk, gate.slots) for trunk, gate in admission.trunks.items() if gate.slots > 0]
        if not lanes:
            return []
        watch = Stopwatch()
        claimed = await self._store.claim(lanes, now, admission.total)
        if claimed:
            self._observe(CallsClaimed(tuple(claimed), watch.seconds))
        for one in claimed:
            self._live.add(one)
            self._pacer.started(one.attempt.trunk)
            if (health := self.health.get(one.attempt.trunk)) is not None:  # a reload may have taken it away
                health.started()
            account = one.account.id
            self._publish(EventKind.ATTEMPT_STARTED, account, attempt_data(one.call, one.attempt))
            self._publish(EventKind.CALL_CHANGED, account, call_data(one.call))
        return claimed

    def _pace_wait(self) -> float:
        wait = self._pacer.next_slot_ms(self._live.by_trunk())
        return 0.0 if wait is None else wait / 1000

    async def _rest(self, admission: Admission, now: Millis) -> None:
        """Wait for work: a nudge, the next call that is due, within caps and the pace of its trunk, or the idle look.

        ``admission`` is what claimed nothing at ``now``: what is due by it holds something that no clock tells.
        """
        opens = {trunk: at for trunk, gate in admission.trunks.items() if (at := gate.opens(now)) is not None}
        due = await self._store.next_due(now, opens)
        wait = IDLE_LOOK if due is None or due <= now else (due - self._clock.now()) / 1000
        try:
            async with asyncio.timeout(min(IDLE_LOOK, max(wait, 0.001))):
                await self._work.wait()
        except TimeoutError:
            pass

    async def _expire(self) -> None:
        now = self._clock.now()
        if self._expired_at is not None and 0 <= now - self._expired_at < EXPIRE_EVERY_MS:
            return
        expired = await self._store.expire(now, EXPIRE_BATCH)
        for call in expired:
            self._publish(EventKind.CALL_CHANGED, call.account_id, call_data(call))
        if len(expired) < EXPIRE_BATCH:
            self._expired_at = now

    # --- one call ---

    async def _dial(self, claimed: Claimed) -> None:
        with of_call(claimed.call.id, claimed.attempt.id):
            await self._originate(claimed)

    async def _originate(self, claimed: Claimed) -> None:
        live = self._live.get(claimed.attempt.id)
        if live is None:
            return
        try:
            how = self._plan(claimed)
        except NoRoute as refused:
            live.undialed = True
            self._live.close(live, Outcome(EndKind.TRUNK_FAULT, CalleeType.UNKNOWN, str(refused)))
            return
        live.limits = (how.ring_timeout, how.max_call_seconds)
        log.info("attempt.dialing", attempt=claimed.attempt.number, trunk=claimed.attempt.trunk)
        self._asked[live.id] = asyncio.get_running_loop().time()
        watch = Stopwatch()
        try:
            placement = await self._pbx.originate(
                Originate(
                    attempt_id=live.id,
                    dial_string=how.dial_string,
                    caller_id=how.caller_id,
                    account=str(claimed.account.id),
                    ring_timeout=how.ring_timeout,
                    max_call_seconds=how.max_call_seconds,
                )
            )
        finally:
            del self._asked[live.id]
        self._observe(OriginateAnswered(claimed, placement.placed, watch.seconds))
        self._placed(live, placement)

    def _placed(self, live: LiveCall, placement: Placement) -> None:
        match placement.placed:
            case Placed.QUEUED:
                pass
            case Placed.NOT_SENT | Placed.REFUSED:
                why = placement.reason or str(placement.placed)
                self._live.close(live, Outcome(EndKind.TRUNK_FAULT, CalleeType.UNKNOWN, why))
            case Placed.UNSURE:
                # The phone may ring: the events, or the rescuer's look at the live channels, will tell.
                log.warning("attempt.unsure", why=placement.reason)
            case _:
                assert_never(placement.placed)

    # --- the trunk's health ---

    def _learn(self, live: LiveCall, end: AttemptEnd, call: Call) -> None:
        trunk = live.claimed.attempt.trunk
        health = self.health.get(trunk)
        if health is not None:
            if live.undialed:
                health.released()
            elif end.kind is EndKind.TRUNK_FAULT or end.tech_cause in (503, 513):
                if health.fault(self._clock.now(), end.reason or ""):
                    log.error("trunk.suspended", trunk=trunk, faults=health.faults, reason=end.reason)
                    self._trunk_changed(trunk, end.reason)
            elif end.ringing_at is not None or end.answered_at is not None or end.tech_cause is not None:
                if health.worked():
                    log.info("trunk.resumed", trunk=trunk)
                    self._trunk_changed(trunk, None)
            else:
                health.released()
        self._work.set()

    def _trunk_changed(self, trunk: str, reason: str | None) -> None:
        suspended = self.health[trunk].may_dial(self._clock.now()) == 0
        self._publish(EventKind.TRUNK_CHANGED, None, {"trunk": trunk, "suspended": suspended, "reason": reason})
