"""The media tap on real calls: what it costs the PBX, and what happens without it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from lab import listening
from lab.application import SampleApplication
from lab.gateway import GatewayProcess
from lab.lab import Lab
from tests.road.waiting import wait_for


@pytest.fixture(scope="module")
def application() -> Iterator[SampleApplication]:
    with SampleApplication() as serving:
        yield serving


MESSAGE = (
    b'<vxml version="2.1" xmlns="http://www.w3.org/2001/vxml"><form><block><prompt>This is a message for you. Please '
    b"call us back at your leisure.</prompt></block></form></vxml>"
)
EMPTY = b'<vxml version="2.1" xmlns="http://www.w3.org/2001/vxml"><form><block><exit/></block></form></vxml>'


@contextmanager
def gateway(lab: Lab, name: str, tap: str = "") -> Iterator[GatewayProcess]:
    running = GatewayProcess(lab, name=name, tap=tap)
    running.add_account()
    running.start()
    try:
        yield running
    finally:
        assert running.stop() == 0


def called(running: GatewayProcess, number: str, application: SampleApplication) -> str:
    """Queue a call whose session ends at once."""
    application.pages["empty"] = (0, EMPTY)
    return running.queue_call(phone_number=number, start_url=application.page_url("empty"))


def ended(running: GatewayProcess, call_id: str) -> dict[str, Any]:
    """The call's record once its attempt is closed."""

    wait_for(lambda: running.ask(f"/calls/{call_id}")["state"] in ("completed", "failed"), 60)
    record: dict[str, Any] = running.ask(f"/calls/{call_id}")
    return record


def evidence(record: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = record["history"][-1]["evidence"]
    return found


def taps(lab: Lab) -> list[str]:
    channels = (line.partition("!")[0] for line in lab.pbx.cli("core show channels concise").splitlines())
    return [one for one in channels if one.startswith("AudioSocket/")]


@pytest.fixture
def tapped(lab: Lab, request: pytest.FixtureRequest) -> Iterator[GatewayProcess]:
    with gateway(lab, request.node.name[:40]) as running:
        yield running


def test_a_tap_leaves_no_call_record_and_ends_with_its_call(
    lab: Lab, tapped: GatewayProcess, application: SampleApplication
) -> None:
    call_id = called(tapped, lab.number("person"), application)
    wait_for(lambda: taps(lab), 20)
    record = ended(tapped, call_id)
    attempt = record["history"][-1]["id"]
    assert evidence(record)["detector"] == "tap"
    wait_for(lambda: [row for row in lab.call_records if attempt in row], 10)
    assert [row for row in lab.call_records if "AudioSocket" in row or "ChanSpy" in row] == []
    wait_for(lambda: not taps(lab), 10)


def test_the_evidence_tells_what_was_heard_and_when(
    lab: Lab, tapped: GatewayProcess, application: SampleApplication
) -> None:
    record = ended(tapped, called(tapped, lab.number("machine"), application))
    assert record["callee_type"] == "answeringmachine"
    found = evidence(record)
    assert found["detector"] == "tap"
    assert "fallback" not in found
    assert found["timeline"] == sorted(found["timeline"], key=lambda one: one["known"])
    assert all(one["start"] < one["end"] < one["known"] + 0.1 for one in found["timeline"])
    first = found["verdicts"][0]
    assert first["callee_type"] == "answeringmachine"
    assert first["at"] > found["answered"] > 0
    assert 0.5 < first["confidence"] <= 1
    assert first["reason"]


def test_a_tap_that_dies_before_a_verdict_is_replaced_by_asterisks_detectors(
    lab: Lab, application: SampleApplication
) -> None:
    with gateway(lab, "tap-dies") as running:
        call_id = called(running, lab.number("silent"), application)  # no verdict for seconds
        wait_for(lambda: running.ask(f"/calls/{call_id}")["state"] == "in_call", 20)
        time.sleep(0.5)
        for channel in taps(lab):
            lab.pbx.cli(f"channel request hangup {channel}")
        record = ended(running, call_id)
        status = running.ask("/status")["detector"]
    assert record["callee_type"] == "voice"
    found = evidence(record)
    assert (found["detector"], found["AMDSTATUS"]) == ("agi", "MACHINE")  # AMD's word for silence
    assert "ended the tap" in found["fallback"] or "closed" in found["fallback"]
    assert (status["in_use"], status["calls_without"]) == ("agi", 1)


def test_without_a_tap_a_machine_is_spoken_to_after_the_silence_behind_its_greeting(
    lab: Lab, application: SampleApplication
) -> None:
    application.pages["message"] = (0, MESSAGE)
    number = lab.number("machine")
    before = len(lab.heard(number))
    with gateway(lab, "no-tap-after-beep", "enabled = false") as running:
        call_id = running.queue_call(
            phone_number=number, start_url=application.page_url("message"), machine="after_beep"
        )
        record = ended(running, call_id)
    assert record["callee_type"] == "answeringmachine"
    assert evidence(record)["spoken_to"] == "after a silence, told without a tap"
    _, greeted = listening.sounds(lab.said(number)[before])
    spoken, _ = listening.sounds(lab.heard(number)[before])
    assert greeted > 10  # the whole greeting was waited for
    assert greeted + 2.5 < spoken < greeted + 6


@pytest.mark.parametrize(
    ("tap", "words"),
    [
        ("enabled = false", "switched off"),
        ('allow = ["192.0.2.0/24"]', ""),  # Asterisk's connection is turned away
        ('advertise = "127.0.0.1:1"', ""),  # nobody listens there
    ],
    ids=["off", "refused", "nowhere"],
)
def test_without_a_tap_calls_are_judged_all_the_same(
    lab: Lab, application: SampleApplication, tap: str, words: str, request: pytest.FixtureRequest
) -> None:
    with gateway(lab, f"tap-{request.node.callspec.id}", tap) as running:
        queued = [called(running, lab.number(key), application) for key in ("machine", "person")]
        found = [ended(running, call_id) for call_id in queued]
    assert [one["callee_type"] for one in found] == ["answeringmachine", "voice"]
    for one in found:
        assert evidence(one)["detector"] == "agi"
        assert evidence(one)["fallback"]
        assert words in evidence(one)["fallback"]
