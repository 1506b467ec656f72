"""A backup taken in mid-campaign: what it holds, and what a gateway does that is started from it."""

from __future__ import annotations

import json
from pathlib import Path

from gateway.adapters.store import check
from lab import demo
from lab.application import SampleApplication
from lab.gateway import GatewayProcess
from lab.lab import Lab
from tests.road.waiting import wait_for

KEYS = ("busy", "not-found", "person", "declined", "gone", "hangs-up-at-once", "incomplete", "unavailable")


def dialed(gateway: GatewayProcess) -> int:
    return gateway.log.read_text().count('"attempt.dialing"')


def test_backup_and_restore_in_mid_campaign(lab: Lab) -> None:
    gateway = GatewayProcess(lab, name="upkeep", cps=2, retry_gap_scale=demo.GAP_SCALE)
    gateway.add_account()
    gateway.start()
    chosen = [line for key in KEYS for line in lab.plan.lines if line.behaviour.key == key]
    with SampleApplication() as application:
        queued = demo.queue(chosen, gateway, application, "spring")
        wait_for(lambda: dialed(gateway) >= 3)
        done = gateway.json("db", "backup")
        at_backup = dialed(gateway)
        assert at_backup < len(queued)  # the campaign was under way
        demo.watch(gateway, queued)
        assert gateway.json("db", "check")["faults"] == []
        assert gateway.stop() == 0
        copy = check(Path(done["path"]))
        assert (copy.faults, copy.calls) == ((), len(queued))

        rung = {line.number: len(lab.invites(line.number)) for line in chosen}
        ended = dialed(gateway)
        restored = gateway.json("db", "restore", done["path"], "--yes")
        gateway.start()
        (campaign,) = gateway.json("campaign", "list")
        assert restored["paused"] == [f"{campaign['id']} (spring)"]  # the number that resumes it
        wait_for(lambda: gateway.json("campaign", "show", str(campaign["id"]))["dialing"] == 0)
        assert gateway.json("why", "--campaign", str(campaign["id"]))["reason"] == "paused"
        assert gateway.json("db", "check")["faults"] == []
        assert gateway.stop() == 0
    assert dialed(gateway) == ended
    assert {line.number: len(lab.invites(line.number)) for line in chosen} == rung  # nobody was rung by the restore
    states = [json.loads(line)["event"] for line in gateway.log.read_text().splitlines() if line.startswith("{")]
    assert states.count("gateway.stopped") == 2
