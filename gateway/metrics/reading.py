"""What is read of the gateway at the moment of a scrape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.core.model import Millis
from gateway.core.pacing import Limit
from gateway.metrics.instruments import Instruments
from gateway.ports import Vitals


@dataclass(frozen=True, slots=True)
class TrunkReading:
    limit: Limit
    live: int
    suspended: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """``free`` is the free space in bytes of the folders ``database`` and ``media``."""

    version: str
    now: Millis
    vitals: Vitals
    limit: Limit
    trunks: Mapping[str, TrunkReading]
    dialing: bool
    ami_up: bool
    ami_events_waiting: int
    taps_open: int
    speech_cache_bytes: int
    tasks: int
    free: Mapping[str, int]

    def show_on(self, instruments: Instruments) -> None:
        to, vitals = instruments, self.vitals
        to.build.labels(self.version).set(1)
        for state, calls in vitals.calls.items():
            to.calls.labels(state).set(calls)
        to.dialing.set(self.dialing)
        to.cps_limit.set(self.limit.cps)
        to.live_limit.set(self.limit.max_calls)
        for of_trunk in (to.trunk_cps_limit, to.trunk_live_limit, to.trunk_live, to.trunk_suspended):
            of_trunk.clear()  # a reload may have taken trunks away
        for name, trunk in self.trunks.items():
            to.trunk_cps_limit.labels(name).set(trunk.limit.cps)
            to.trunk_live_limit.labels(name).set(trunk.limit.max_calls)
            to.trunk_live.labels(name).set(trunk.live)
            to.trunk_suspended.labels(name).set(trunk.suspended)
        to.ami_up.set(self.ami_up)
        to.ami_waiting.set(self.ami_events_waiting)
        to.taps.set(self.taps_open)
        to.speech_cache.set(self.speech_cache_bytes)
        to.tasks.set(self.tasks)
        to.outbox.labels("waiting").set(vitals.results_waiting)
        to.outbox.labels("given_up").set(vitals.results_given_up)
        oldest = vitals.oldest_result
        to.outbox_oldest.set(0 if oldest is None else max(0, self.now - oldest) / 1000)
        to.database.labels("main").set(vitals.database_bytes)
        to.database.labels("wal").set(vitals.wal_bytes)
        for folder, free in self.free.items():
            to.disk.labels(folder).set(free)
