"""Each metric moves when its thing happens, and is documented."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from gateway.core.model import CalleeType, CallId, CallState, Millis
from gateway.core.pacing import Limit
from gateway.happenings import (
    AmiLinkChanged,
    AmiPinged,
    CalleeJudged,
    CallsClaimed,
    Fetched,
    Happening,
    HostClass,
    SessionEnded,
    SpeechAsked,
    SpeechSource,
    told_to,
)
from gateway.metrics import Instruments, Meter, Reading, TrunkReading
from gateway.ports import FetchPurpose, Vitals
from tests.core.test_tracing import claimed
from tests.metrics.samples import Samples, moved, samples, value

NOW = Millis(1_800_000_000_000)
READING = Reading(
    version="9.9", now=NOW,
    vitals=Vitals(dict.fromkeys(CallState, 0), 3, 2, Millis(NOW - 90_000), 4096, 8192),
    limit=Limit(7.5, 40), trunks={"carrier": TrunkReading(Limit(2.5, 30), 4, suspended=True)},
    dialing=True, ami_up=True, ami_events_waiting=5, taps_open=6, speech_cache_bytes=1000, tasks=42,
    free={"database": 10**9, "media": 10**8},
)  # fmt: skip


def scraped(instruments: Instruments) -> Samples:
    return samples(generate_latest(instruments.registry).decode())


def after(*happenings: Happening) -> Samples:
    instruments = Instruments()
    meter = Meter(instruments)
    for happening in happenings:
        meter(happening)
    return scraped(instruments)


def test_a_reading_is_shown() -> None:
    instruments = Instruments()
    READING.show_on(instruments)
    found = scraped(instruments)
    expected = {
        "voxgate_cps_limit": 7.5, "voxgate_live_channels_limit": 40, "voxgate_dialing_allowed": 1, "voxgate_ami_up": 1,
        "voxgate_ami_events_waiting": 5, "voxgate_taps_open": 6, "voxgate_speech_cache_bytes": 1000, "voxgate_event_loop_tasks": 42,
        "voxgate_outbox_oldest_seconds": 90,
    }  # fmt: skip
    assert {name: value(found, name) for name in expected} == expected
    for name, number in (
        ("voxgate_trunk_cps_limit", 2.5), ("voxgate_trunk_live_channels", 4), ("voxgate_trunk_suspended", 1),
        ("voxgate_trunk_live_channels_limit", 30),
    ):  # fmt: skip
        assert value(found, name, trunk="carrier") == number
    assert value(found, "voxgate_build_info", version="9.9") == 1
    assert value(found, "voxgate_outbox_results", state="given_up") == 2
    assert value(found, "voxgate_database_bytes", file="wal") == 8192
    assert value(found, "voxgate_disk_free_bytes", folder="media") == 10**8


def test_what_is_over_is_shown_no_more() -> None:
    instruments = Instruments()
    READING.show_on(instruments)
    calm = replace(
        READING, vitals=replace(READING.vitals, oldest_result=None, results_waiting=0), ami_up=False, dialing=False
    )
    calm.show_on(instruments)
    found = scraped(instruments)
    for name in ("voxgate_outbox_oldest_seconds", "voxgate_ami_up", "voxgate_dialing_allowed"):
        assert value(found, name) == 0
    assert value(found, "voxgate_outbox_results", state="waiting") == 0


def test_a_trunk_that_was_taken_away_is_shown_no_more() -> None:
    instruments = Instruments()
    READING.show_on(instruments)
    replace(READING, trunks={}).show_on(instruments)
    assert [labels for _, labels in scraped(instruments) if ("trunk", "carrier") in labels] == []


def test_only_a_link_that_was_up_before_is_a_reconnect() -> None:
    up, down = AmiLinkChanged(up=True), AmiLinkChanged(up=False)
    assert value(after(up), "voxgate_ami_reconnects_total") == 0
    assert value(after(up, down), "voxgate_ami_reconnects_total") == 0
    assert value(after(up, down, up, down, up), "voxgate_ami_reconnects_total") == 2


@pytest.mark.parametrize(
    ("happening", "name", "labels"),
    [
        (CallsClaimed((claimed(),) * 20, 0.004), "voxgate_calls_claimed_total", {}),
        (CalleeJudged(CallId(1), "vg-a-1", CalleeType.FAX, 0.9, 1.2), "voxgate_verdict_duration_seconds_count", {}),  # type: ignore[arg-type]
        (SessionEnded(CallId(1), "error.badfetch", 3.0), "voxgate_sessions_ended_total", {"outcome": "error"}),
        (SessionEnded(CallId(1), None, 3.0), "voxgate_sessions_ended_total", {"outcome": "exited"}),
        (
            Fetched(None, FetchPurpose.RESULT, "a.example", HostClass.PRIVATE, "POST", "timeout", 15.0),
            "voxgate_fetch_duration_seconds_count",
            {"purpose": "result", "host_class": "private", "outcome": "timeout"},
        ),
        (SpeechAsked(SpeechSource.CACHE, 0.0), "voxgate_speech_requests_total", {"source": "cache"}),
        (AmiPinged(0.002), "voxgate_ami_ping_duration_seconds_count", {}),
    ],
)
def test_a_happening_moves_its_metric(happening: Happening, name: str, labels: dict[str, str]) -> None:
    assert value(after(happening), name, **labels) >= 1


def test_a_text_from_the_cache_is_no_rendering() -> None:
    assert "voxgate_speech_render_duration_seconds" not in moved({}, after(SpeechAsked(SpeechSource.CACHE, 0.0)))
    assert "voxgate_speech_render_duration_seconds" in moved({}, after(SpeechAsked(SpeechSource.RENDERED, 0.1)))


def test_every_series_that_is_scraped_is_documented_with_its_labels() -> None:
    instruments = Instruments()
    READING.show_on(instruments)
    documented = {one.name: set(one.labels) for one in instruments.ours()}
    page = (Path(__file__).parents[2] / "docs/metrics.md").read_text()
    for name, labels in scraped(instruments):
        if name.startswith("voxgate_") and not name.endswith("_created"):
            bare = name if name in documented else name.rpartition("_")[0]
            assert {key for key, _ in labels} - {"le"} == documented[bare]
            assert f"| `{bare}` |" in page
    assert all(one.meaning.endswith(".") for one in instruments.ours())


def test_a_watcher_that_fails_costs_no_call_and_leaves_the_others_told() -> None:
    told: list[Happening] = []

    def fails(happening: Happening) -> None:
        raise ValueError("a fault of ours")

    told_to(fails, told.append)(AmiLinkChanged(up=True))
    assert told == [AmiLinkChanged(up=True)]
