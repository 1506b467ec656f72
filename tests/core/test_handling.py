"""Which handling is in force for a call, and which revisions change its record."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from gateway.core.handling import Handling, handling, revises
from gateway.core.hearing import Verdict
from gateway.core.model import AccountSettings, CalleeType, CallPlan, DetectionMode, MachineHandling, Millis
from gateway.core.plum import QUEUECALL, FieldError, read_plan, read_submission

PLAN = CallPlan("http://a/s", None, None, None, 0, 60, Millis(0), None)
ACCOUNT = AccountSettings("UTC", "US")
BEFORE, DURING, OFF = DetectionMode
START, AFTER_BEEP, HANGUP = MachineHandling


def test_the_call_outranks_the_account_and_that_the_gateway() -> None:
    default = Handling(BEFORE, HANGUP, 3.0)
    assert handling(PLAN, ACCOUNT, default) == default
    account = replace(ACCOUNT, machine=AFTER_BEEP, machine_silence=5.0)
    assert handling(PLAN, account, default) == Handling(BEFORE, AFTER_BEEP, 5.0)
    assert handling(replace(PLAN, machine=START), account, default) == Handling(BEFORE, START, 5.0)
    assert handling(replace(PLAN, detection=DURING, machine=HANGUP), account, default).machine is HANGUP


@pytest.mark.parametrize(("detection", "machine"), [(OFF, HANGUP), (OFF, AFTER_BEEP), (DURING, AFTER_BEEP)])
def test_what_cannot_be_done_in_a_mode_is_not_waited_for(detection: DetectionMode, machine: MachineHandling) -> None:
    found = handling(replace(PLAN, detection=detection), replace(ACCOUNT, machine=machine), Handling())
    assert found.machine is START


def form(**fields: str) -> CallPlan:
    given = {"login": "u", "pin": "1234", "phone_number": "1", "start_url": "http://a/s", **fields}
    return read_plan(read_submission(QUEUECALL, list(given.items())), Millis(0), ZoneInfo("UTC"))


def test_a_form_may_name_both() -> None:
    plan = form(machine="hangup", detection="during")
    assert (plan.machine, plan.detection) == (HANGUP, DURING)
    assert (form().machine, form(machine="").detection) == (None, None)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"machine": "later"}, "machine must be one of start, after_beep, hangup, and is 'later'"),
        ({"detection": "After"}, "detection must be one of before, during, off"),
        ({"machine": "hangup", "detection": "off"}, "machine cannot be hangup where detection is off"),
        ({"machine": "after_beep", "detection": "during"}, "machine cannot be after_beep"),
        ({"machine": "x" * 17}, "machine is longer than 16"),
    ],
)
def test_a_form_that_makes_no_sense_is_refused_with_the_rule(fields: dict[str, str], words: str) -> None:
    with pytest.raises(FieldError, match=words):
        form(**fields)


def verdict(callee: CalleeType, confidence: float) -> Verdict:
    return Verdict(callee, confidence, 1.0, "as a test wants it")


@pytest.mark.parametrize(
    ("now", "later", "changes"),
    [
        (None, verdict(CalleeType.FAX, 0.95), True),
        (verdict(CalleeType.VOICE, 0.9), verdict(CalleeType.ANSWERINGMACHINE, 0.97), True),
        (verdict(CalleeType.ANSWERINGMACHINE, 0.97), verdict(CalleeType.VOICE, 0.8), True),
        (verdict(CalleeType.VOICE, 0.5), verdict(CalleeType.FAX, 0.95), True),  # only silence so far
        (verdict(CalleeType.VOICE, 0.9), verdict(CalleeType.FAX, 0.95), False),
        (verdict(CalleeType.VOICE, 0.9), verdict(CalleeType.BUSY, 0.95), False),
    ],
)
def test_nobody_who_was_spoken_to_becomes_a_failed_call(now: Verdict | None, later: Verdict, changes: bool) -> None:
    assert revises(now, later) is changes
