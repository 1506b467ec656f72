"""What a gateway holds while it runs, as its own /metrics tells it, and whether that stays flat."""

from __future__ import annotations

import statistics
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

#: What the writer's connection may hold of the database: ``PRAGMA cache_size`` of gateway/adapters/store/file.py.
PAGE_CACHE = 65_536 * 1024


@dataclass(frozen=True, slots=True)
class Vitals:
    """One sample. ``rss``, ``database`` and ``wal`` are bytes, ``ended`` counts calls, ``waiting`` results still owed."""

    rss: float
    database: float
    descriptors: float
    tasks: float
    wal: float
    ended: int
    waiting: int
    live: int
    originates: int
    lag: tuple[float, float]  # seconds that the event loop was late, summed up, and how often it was looked at

    @property
    def memory(self) -> float:
        """Bytes beside SQLite's page cache, which grows with the database until it is full."""
        return self.rss - min(self.database, PAGE_CACHE)


def read(url: str) -> Vitals:
    """Raises :class:`OSError`."""
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own loopback URL
        text = answer.read().decode()
    sums: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = "".join(f" {value}" for name, value in sample.labels.items() if name in ("state", "file"))
            sums[sample.name + labels] = sums.get(sample.name + labels, 0.0) + sample.value
    return Vitals(
        rss=sums["process_resident_memory_bytes"],
        database=sums["voxgate_database_bytes main"],
        descriptors=sums["process_open_fds"],
        tasks=sums["voxgate_event_loop_tasks"],
        wal=sums["voxgate_database_bytes wal"],
        ended=round(sum(sums.get(f"voxgate_calls {state}", 0.0) for state in ("completed", "failed", "cancelled"))),
        waiting=round(sums["voxgate_outbox_results waiting"]),
        live=round(sum(sums.get(f"voxgate_calls {state}", 0.0) for state in ("dialing", "in_call"))),
        originates=round(sums.get("voxgate_originates_total", 0.0)),
        lag=(sums["voxgate_event_loop_lag_seconds_sum"], sums["voxgate_event_loop_lag_seconds_count"]),
    )


@dataclass(frozen=True, slots=True)
class Bound:
    """From the second quarter of the samples to the last, a median may grow by ``share`` of itself and ``more``."""

    name: str
    unit: str
    scale: float
    share: float
    more: float

    def of(self, samples: Sequence[Vitals]) -> tuple[float, float]:
        """The two medians. The first quarter warms up: caches fill."""
        values = [getattr(one, self.name) / self.scale for one in samples]
        quarter = max(1, len(values) // 4)
        return statistics.median(values[quarter : 2 * quarter] or values), statistics.median(values[-quarter:])

    def broken(self, samples: Sequence[Vitals]) -> str:
        """In words; empty where it stays flat."""
        early, late = self.of(samples)
        allowed = early * (1 + self.share) + self.more
        if late <= allowed:
            return ""
        return f"{self.name} grew from {early:.0f} to {late:.0f} {self.unit}, and {allowed:.0f} would be flat"


MEGABYTE = 1e6
FLAT = (
    Bound("memory", "MB", MEGABYTE, 0.05, 10),
    Bound("descriptors", "open", 1, 0.10, 15),
    Bound("tasks", "", 1, 0.15, 30),
)
#: The write-ahead log is begun anew at 4 MB, unless somebody reads on; so much is never reached.
LARGEST_WAL = 64 * MEGABYTE
