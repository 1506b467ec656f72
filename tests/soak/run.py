"""One soak: a long campaign through a real `voxgate serve`, its vitals sampled, and the books at the end."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lab.gateway import LOGIN, PIN, Beside, GatewayProcess
from lab.instance import free_port
from tests.chaos.books import MAX_RETRIES, Findings, audit, calls_of
from tests.chaos.customer import Customer
from tests.chaos.reader import Reader
from tests.fakes.asterisk import Rung
from tests.soak.vitals import FLAT, LARGEST_WAL, MEGABYTE, Vitals, read
from voxgate import campaigns
from voxgate.client import Client

#: Seconds between samples, and without any progress after which it is given up.
EVERY = 2.0
STUCK = 180.0
#: Seconds in which what is live must have ended after the last call.
ENDING = 30.0
GAP_SCALE = 0.01


@dataclass(frozen=True, slots=True)
class Campaign:
    """``numbers`` names no number twice. ``detection`` is that of its calls."""

    name: str
    numbers: Sequence[str]
    detection: str


@dataclass
class Soak:
    """``rung`` and ``left`` ask Asterisk: the phones that were rung, and what still lives there, by name."""

    site: Beside
    rung: Callable[[], list[Rung]]
    left: Callable[[], Mapping[str, int]]
    by_channel: bool
    cps: float
    max_calls: int
    say: Callable[[str], None]
    settings: str = ""  # further sections of the gateway's
    samples: list[Vitals] = field(default_factory=list)
    found: Findings = field(default_factory=Findings)
    seconds: float = 0.0

    def run(self, work: Sequence[Campaign]) -> None:
        port = free_port()
        self._metrics = f"http://127.0.0.1:{port}/metrics"
        gateway = GatewayProcess(
            self.site, name="soak", retry_gap_scale=GAP_SCALE, cps=self.cps, max_calls=self.max_calls,
            more=f"[metrics]\nport = {port}\n[results]\ngive_up_after = 600\n{self.settings}",
        )  # fmt: skip
        gateway.options = ["--log-level", "warning"]
        gateway.add_account()
        with Customer() as customer:
            gateway.start()
            try:
                accepted = self._queue(gateway, customer, work)
                began = time.monotonic()
                self._watch(gateway, sum(len(one.numbers) for one in work))
                self.seconds = time.monotonic() - began
                self._nothing_left()
                if (status := gateway.stop()) != 0:
                    self.found.broken("other", f"the gateway's stop ended with status {status}")
            finally:
                gateway.kill()
            with Reader(gateway.folder / "voxgate.db") as reader:
                rows = reader.rows()
        assert rows is not None
        audit(calls_of(rows), accepted, self.rung(), customer, self.found, by_channel=self.by_channel)
        self._flat()

    def _queue(self, gateway: GatewayProcess, customer: Customer, work: Sequence[Campaign]) -> dict[str, int | None]:
        """Every call's reference."""
        client = Client(gateway.base, login=LOGIN, pin=PIN, timeout=300)
        accepted: dict[str, int | None] = {}
        with tempfile.TemporaryDirectory() as folder:
            for one in work:
                file = Path(folder) / f"{one.name}.csv"
                references = [f"{one.name}-{index}" for index in range(len(one.numbers))]
                rows = "".join(f"{number},{name}\n" for number, name in zip(one.numbers, references, strict=True))
                file.write_text(f"destination,message_reference\n{rows}")
                loaded = client.ask(
                    campaigns.load(
                        one.name, customer.start_url, file, result_url=customer.result_url, max_retries=MAX_RETRIES,
                        retry_interval=60, detection=one.detection,
                    )
                )  # fmt: skip
                if loaded.rejected:
                    raise RuntimeError(f"{loaded.rejected} of {one.name} were rejected: {loaded.first_rejected[0]}")
                accepted |= dict.fromkeys(references)
        return accepted

    def _watch(self, gateway: GatewayProcess, calls: int) -> None:
        """Sample until every call has ended and every result is told."""
        began = moved = time.monotonic()
        moves, told = (-1, -1, -1), 0.0  # a call that ended, was dialed, or had its result told
        while not self.samples or self.samples[-1].ended < calls or self.samples[-1].waiting:
            time.sleep(EVERY)
            now = time.monotonic()
            if gateway.exited is not None:
                self.found.broken("other", f"the gateway ended by itself with status {gateway.exited}")
                return
            try:
                sample = read(self._metrics)
            except OSError as error:
                self.say(f"/metrics did not answer: {error}")
                if now - moved > STUCK:
                    self.found.broken("other", f"/metrics has not answered for {STUCK:.0f} s")
                    return
                continue
            self.samples.append(sample)
            if (moves_now := (sample.ended, sample.originates, sample.waiting)) != moves:
                moves, moved = moves_now, now
            elif now - moved > STUCK:
                self.found.broken("other", f"nothing has happened for {STUCK:.0f} s: {sample}")
                return
            if now - told >= 10:
                told = now
                self.say(_progress(sample, calls, now - began))

    def _nothing_left(self) -> None:
        deadline = time.monotonic() + ENDING
        while any((left := self.left()).values()) and time.monotonic() < deadline:
            time.sleep(0.3)
        for what, count in left.items():
            if count:
                self.found.broken("leaked", f"{count} {what} live on in Asterisk", count)

    def _flat(self) -> None:
        for bound in FLAT:
            if words := bound.broken(self.samples):
                self.found.broken("other", words)
        if (largest := max(one.wal for one in self.samples)) > LARGEST_WAL:
            self.found.broken("other", f"the write-ahead log grew to {largest / MEGABYTE:.0f} MB")

    @property
    def broken(self) -> bool:
        found = self.found
        return any((found.twice, found.lost, found.results_lost, found.leaked, found.other))

    def summary(self) -> str:
        found = self.found
        held = ", ".join(
            f"{one.name} {early:.0f}→{late:.0f} {one.unit}".strip()
            for one in FLAT
            for early, late in [one.of(self.samples)]
        )
        lag_sum, lag_count = self.samples[-1].lag
        return (
            f"soak: {'BROKEN' if self.broken else 'ok'}: {found.calls:,} calls, {found.rings:,} phones rung, "
            f"{self.seconds:.0f} s, {found.calls / max(self.seconds, 1):.0f} calls/s, "
            f"{found.rings / max(self.seconds, 1):.0f} dialed/s; {held} (medians of the second and the last quarter), "
            f"RSS at most {max(one.rss for one in self.samples) / MEGABYTE:.0f} MB, "
            f"WAL at most {max(one.wal for one in self.samples) / MEGABYTE:.1f} MB, "
            f"loop late by {1000 * lag_sum / max(lag_count, 1):.1f} ms (mean); rung twice {found.twice}, "
            f"calls lost {found.lost}, results lost {found.results_lost}, leaked {found.leaked}, other {found.other}"
        )


def _progress(sample: Vitals, calls: int, seconds: float) -> str:
    return (
        f"{seconds:5.0f} s: {sample.ended:,} of {calls:,} calls ended ({sample.ended / max(seconds, 1):.0f}/s), "
        f"{sample.originates:,} dialed, {sample.live} live, {sample.waiting} results owed; "
        f"{sample.rss / MEGABYTE:.0f} MB, {sample.descriptors:.0f} descriptors, {sample.tasks:.0f} tasks, "
        f"WAL {sample.wal / MEGABYTE:.1f} MB"
    )


def shuffled(kinds: Mapping[str, int], number: Callable[[str, int], str], calls: int, seed: int) -> list[str]:
    """``calls`` numbers, of each kind as ``kinds`` weighs it."""
    rng = random.Random(seed)
    drawn = rng.choices(list(kinds), list(kinds.values()), k=calls)
    count = dict.fromkeys(kinds, 0)
    found = []
    for kind in drawn:
        found.append(number(kind, count[kind]))
        count[kind] += 1
    return found
