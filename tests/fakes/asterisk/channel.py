"""A channel as Asterisk has it, and how its events show it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

DOWN, RINGING, UP = 0, 5, 6
STATES = {DOWN: "Down", RINGING: "Ringing", UP: "Up"}
CAUSES = {
    0: "Unknown", 1: "Unallocated (unassigned) number", 16: "Normal Clearing", 17: "User busy", 18: "No user responding",
    19: "User alerting, no answer", 21: "Call Rejected", 34: "Circuit/channel congestion",
}  # fmt: skip


@dataclass(slots=True, eq=False)
class Channel:
    """``gone`` is set when it was hung up, by whomever; it leaves the books when its dialplan has ended, too."""

    id: str
    name: str
    caller: str = "<unknown>"
    account: str = ""
    context: str = "voxgate-incoming"
    exten: str = "s"
    priority: int = 1
    state: int = DOWN
    application: str = "AppDial2"
    data: str = "(Outgoing Line)"
    says: str = ""  # once it is answered, by :mod:`tests.fakes.asterisk.sounds`
    variables: dict[str, str] = field(default_factory=dict)
    began: float = field(default_factory=time.time)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    cause: int = 0
    tech_cause: int | None = None
    answered_at: float | None = None  # on the monotonic clock
    prompted: asyncio.Event = field(default_factory=asyncio.Event)  # it was spoken to
    listener: Callable[[str], None] | None = None  # takes the digits while a command listens
    mourner: Callable[[], None] | None = None  # is told of the hang-up while a session is held

    def hang_up(self, cause: int = 0, tech_cause: int | None = None) -> None:
        """The first cause stays."""
        if not self.gone.is_set():
            self.cause, self.tech_cause = cause, tech_cause
            self.gone.set()
            if self.mourner is not None:
                self.mourner()

    def digit(self, digit: str) -> None:
        if self.listener is not None:
            self.listener(digit)

    def headers(self, prefix: str = "") -> str:
        return (
            f"{prefix}Channel: {self.name}\r\n{prefix}ChannelState: {self.state}\r\n"
            f"{prefix}ChannelStateDesc: {STATES[self.state]}\r\n"
            f"{prefix}CallerIDNum: {self.caller}\r\n{prefix}CallerIDName: <unknown>\r\n"
            f"{prefix}ConnectedLineNum: {self.caller}\r\n{prefix}ConnectedLineName: <unknown>\r\n"
            f"{prefix}Language: en\r\n{prefix}AccountCode: {self.account}\r\n{prefix}Context: {self.context}\r\n"
            f"{prefix}Exten: {self.exten}\r\n{prefix}Priority: {self.priority}\r\n"
            f"{prefix}Uniqueid: {self.id}\r\n{prefix}Linkedid: {self.id}\r\n"
        )

    def hangup_headers(self) -> str:
        tech = "" if self.tech_cause is None else f"TechCause: {self.tech_cause}\r\n"
        return f"{self.headers()}Cause: {self.cause}\r\nCause-txt: {CAUSES.get(self.cause, 'Unknown')}\r\n{tech}"

    def row(self) -> str:
        """As a row of CoreShowChannels."""
        lasted = time.strftime("%H:%M:%S", time.gmtime(time.time() - self.began))
        return (
            f"{self.headers()}Application: {self.application}\r\nApplicationData: {self.data}\r\n"
            f"Duration: {lasted}\r\nBridgeId: \r\n"
        )
