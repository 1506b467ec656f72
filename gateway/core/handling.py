"""How one call's callee is told and treated: the call's own word, else its account's, else the gateway's."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.core.hearing.evidence import Verdict
from gateway.core.model import AccountSettings, CalleeType, CallPlan, DetectionMode, MachineHandling

#: A verdict of less confidence than this may still be overturned into one of a failed call.
SURE = 0.75


@dataclass(frozen=True, slots=True)
class Handling:
    """``machine_silence`` is how many seconds of silence stand for a beep that does not come."""

    detection: DetectionMode = DetectionMode.BEFORE
    machine: MachineHandling = MachineHandling.START
    machine_silence: float = 3.0


def handling(plan: CallPlan, settings: AccountSettings, default: Handling) -> Handling:
    """What is in force. Where detection is not before the session, no beep is waited for."""
    detection = plan.detection or settings.detection or default.detection
    machine = plan.machine or settings.machine or default.machine
    if detection is DetectionMode.OFF or (detection is DetectionMode.DURING and machine is MachineHandling.AFTER_BEEP):
        machine = MachineHandling.START
    return Handling(detection, machine, settings.machine_silence or default.machine_silence)


def revises(now: Verdict | None, later: Verdict) -> bool:
    """Whether a verdict that comes during the session changes the record.

    One of a person or a machine always does. One of a failed call (a fax, a tone) does only while nothing sure was
    known: a person who was spoken to is not rung again for a tone at the end.
    """
    if now is None or later.callee_type.reached:
        return True
    return now.confidence < SURE


def news(callee: CalleeType, reason: str) -> str:
    """The message of the event that tells the application."""
    return f"{callee}: {reason}"
