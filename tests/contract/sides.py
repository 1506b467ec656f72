"""One of the two Asterisks of the contract, as a test asks it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.contract.gear import Agi, Ami
from tests.fakes.asterisk import FakeAsterisk


@dataclass
class Side:
    """One Asterisk, and how it is asked for what only its console can. ``agi`` takes its sessions."""

    asterisk: Any
    agi: Agi
    begin_stop: Callable[[], Any]
    stop: Callable[[], Any]
    start: Callable[[], Any]

    @property
    def media(self) -> str:
        return str(self.asterisk.media)

    def attempt(self) -> str:
        return f"vg-{self.asterisk.installation}-{secrets.token_hex(12)}"

    def way(self, key: str) -> str:
        """What is dialed for a number that behaves so."""
        return f"PJSIP/{self.asterisk.number(key)}@carrier"

    async def logged_in(self, ami: Ami) -> Ami:
        said = await ami.ask("Login", Username="voxgate", Secret=self.asterisk.ami_secret, Events="on")
        assert said["Response"] == "Success"
        return ami

    async def originate(self, ami: Ami, key: str = "", *, ident: str = "", channel: str = "", **more: str) -> str:
        """As the gateway asks for a call; its channel id."""
        ident = ident or self.attempt()
        fields = {
            "ActionID": ident, "ChannelId": ident, "Channel": channel or self.way(key), "Context": "voxgate-answered",
            "Exten": "60", "Priority": "1", "Timeout": "10000", "Account": "1", "Async": "true",
            "CallerID": "+15558675309", **more,
        }  # fmt: skip
        said = await ami.ask("Originate", **fields)
        assert said == {
            "Response": "Success", "ActionID": fields["ActionID"], "Message": "Originate successfully queued",
        }  # fmt: skip
        return ident

    async def channels(self, ami: Ami) -> list[dict[str, str]]:
        """The rows of CoreShowChannels."""
        _, events = await ami.listed("CoreShowChannels", "CoreShowChannelsComplete")
        return events[:-1]


def side_of(asterisk: Any, agi: Agi) -> Side:
    if isinstance(asterisk, FakeAsterisk):
        return Side(
            asterisk,
            agi,
            begin_stop=lambda: asterisk.fault("shutting_down"),
            stop=asterisk.halt,
            start=asterisk.start,
        )
    return Side(
        asterisk,
        agi,
        # The console waits for the last call's end.
        begin_stop=lambda: asterisk.pbx.cli("core stop gracefully"),
        stop=asterisk.pbx.stop,
        start=asterisk.pbx.start,
    )
