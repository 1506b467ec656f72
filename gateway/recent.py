"""The newest warnings and errors of the log, kept to be shown: what happened, how often, and what to do."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

#: Kinds that are kept; the one that was longest not heard of makes room.
KEPT = 50
_LEVELS = ("warning", "error", "critical")
_APART = ("trunk", "name", "what", "folder")

#: Event names and what an operator does about them.
ADVICE: Mapping[str, str] = {
    "ami.reconnecting": "Is Asterisk up, and does [ami] name its host, port and user? `voxgate doctor` tells.",
    "ami.down": "Is Asterisk up? The gateway connects again by itself.",
    "ami.protocol": "What answers at [ami] host and port is no Asterisk, or something between changes its words.",
    "agi.refused": "Somebody else connects to the FastAGI port: let only Asterisk reach it ([agi] allow).",
    "prompt.audio_missing": "An audio file of the application could not be had; the text in its place was spoken.",
    "prompt.not_played": "Asterisk could not read a prompt: may it read the media folder? `voxgate doctor` tells.",
    "calls.stranded": "Calls wait for a trunk that is not configured: bring it back, or add a route.",
    "trunk.suspended": "The carrier refuses or does not answer: look at Asterisk's console, then `voxgate doctor`.",
    "attempt.unsure": "Nothing: what may have rung is compared with Asterisk's channels and never dialed again.",
    "attempt.not_written": "The database could not be written: is the disk full?",
    "store.disk_full": "Make room on the disk of the database: until then nothing is accepted or dialed.",
    "store.commit_failed": "The database could not be written: is the disk full?",
    "dialer.store": "The database could not be read or written: is the disk full?",
    "notifier.store": "The database could not be read or written: is the disk full?",
    "intake.store": "The database could not be written: is the disk full?",
    "session.overran": "The application went on after the hang-up: shorten what it does in its final processing.",
    "session.failed": "A fault of the gateway: report it with this line of the log.",
    "application.error": "Call Info says where the application failed; `voxgate vxml check` finds more.",
    "vxml.fetch_failed": "The application's server could not be reached: the message says why.",
    "result.not_accepted": "The Result URL did not accept the post: Results shows its answer.",
    "signin.locked": "Somebody guesses PINs, or forgot theirs. The wait ends by itself.",
    "signin.failed": "Somebody mistyped login or PIN.",
    "dialing.suspended": "Outbound Calling has the switch that resumes it.",
    "lab.retry_gap_scale": "Only a lab sets this: remove [lab] from the configuration.",
}


@dataclass(slots=True)
class Trouble:
    """``at`` is the newest one's time as the log has it (RFC 3339)."""

    event: str
    level: str
    at: str
    text: str
    times: int = 1

    @property
    def advice(self) -> str:
        return ADVICE.get(self.event, "")


class Recent:
    """A structlog processor that passes every entry on. Entries of one event and subject are counted together."""

    def __init__(self) -> None:
        self._troubles: OrderedDict[tuple[str, ...], Trouble] = OrderedDict()

    def __call__(self, logger: object, method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        if entry.get("level") in _LEVELS:
            self._keep(entry)
        return entry

    def newest(self) -> list[Trouble]:
        return list(reversed(self._troubles.values()))

    def _keep(self, entry: Mapping[str, Any]) -> None:
        event = str(entry.get("event", ""))
        key = (event, *(str(entry[name]) for name in _APART if name in entry))
        told = [
            f"{name} {value}"
            for name, value in entry.items()
            if name not in ("event", "level", "timestamp", "exception")
        ]
        old = self._troubles.pop(key, None)
        times = 1 if old is None else old.times + 1
        self._troubles[key] = Trouble(
            event, str(entry["level"]), str(entry.get("timestamp", "")), ", ".join(told)[:400], times
        )
        while len(self._troubles) > KEPT:
            self._troubles.popitem(last=False)


#: This process's.
RECENT = Recent()
