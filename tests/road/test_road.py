"""The whole road: every behaviour of the table, through HTTP, SQLite, AMI, SIP, RTP, FastAGI and back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from lab import demo
from lab.application import SampleApplication
from lab.behaviours import BEHAVIOURS
from lab.gateway import GatewayProcess
from lab.lab import Lab


@pytest.fixture(scope="module")
def report(lab: Lab) -> Iterator[dict[str, list[dict[str, Any]]]]:
    """The judged lines of one campaign over the plan's first half, by behaviour."""
    gateway = GatewayProcess(lab, name="road", retry_gap_scale=demo.GAP_SCALE)
    gateway.add_account()
    gateway.start()
    with SampleApplication() as application:
        try:
            first = list({line.behaviour.key: line for line in lab.plan.lines}.values())
            queued = demo.queue(first, gateway, application, "road")
            demo.watch(gateway, queued)
            lines = demo.judge(lab, gateway, application, queued)
        finally:
            status = gateway.stop()
    assert status == 0
    by_key: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        by_key.setdefault(line["behaviour"], []).append(line)
    yield by_key


@pytest.mark.parametrize("key", [behaviour.key for behaviour in BEHAVIOURS])
def test_each_behaviour_is_found_posted_and_rung_as_often_as_it_should(
    report: dict[str, list[dict[str, Any]]], key: str
) -> None:
    assert [line["differs"] for line in report[key]] == [[]] * (2 if key == "twice" else 1)


def test_all_eight_callee_types_occur(report: dict[str, list[dict[str, Any]]]) -> None:
    found = {line["found"] for lines in report.values() for line in lines}
    assert found == {
        "voice", "answeringmachine", "fax", "busy", "noanswer", "operator", "informationtone", "unknown"
    }  # fmt: skip


def test_a_crash_rings_nobody_twice_and_loses_no_call(lab: Lab) -> None:
    """kill -9 in mid-campaign: every INVITE has its attempt row, and every call reaches its end and its post."""
    gateway = GatewayProcess(lab, name="crash", retry_gap_scale=demo.GAP_SCALE, cps=6)
    gateway.add_account()
    gateway.start()
    second = list({line.behaviour.key: line for line in reversed(lab.plan.lines)}.values())
    chosen = [line for line in second if line.behaviour.trunk == "carrier" and not line.behaviour.trunk_fault]
    chosen = [line for line in chosen if line.behaviour.key not in ("twice", "busy-then-person")]
    before = {line.number: len(lab.invites(line.number)) for line in chosen}
    with SampleApplication() as application:
        queued = demo.queue(chosen, gateway, application, "crash")
        for _ in range(2):
            time.sleep(2.5)
            gateway.kill()
            gateway.start()
        demo.watch(gateway, queued)
        time.sleep(2)
        calls = {call_id: gateway.json("calls", "show", str(call_id)) for call_id in queued}
        assert gateway.stop() == 0
    assert {call["state"] for call in calls.values()} <= {"completed", "failed"}
    for call_id, line in queued.items():
        rows = calls[call_id]["history"]
        never_seen = sum("never seen" in (row["reason"] or "") for row in rows)
        rung = len(lab.invites(line.number)) - before[line.number]
        assert len(rows) - never_seen <= rung <= len(rows), (line.behaviour.key, rung, rows)
        assert len(application.posts[str(call_id)]) >= 1, line.behaviour.key
        assert len(set(application.ids[str(call_id)])) == 1  # redelivered under the same id, if at all
