"""The page of log events: every event in the code, with its level, its fields, and what it means."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

GATEWAY = Path(__file__).parent.parent / "gateway"

#: What each event means. An event without a line here, or a line without an event, fails `make docs`.
MEANINGS = {
    "agi.cannot_judge": "Asterisk's own detectors failed; the callee is taken for a person.",
    "agi.no_greeting": "Something connected to FastAGI and said nothing, as a port probe does.",
    "agi.refused": "A FastAGI connection was turned away.",
    "agi.session_failed": "A defect: a FastAGI session ended by it.",
    "ami.action_failed": "Asterisk did not carry an action out; its channel is gone, mostly.",
    "ami.down": "The link to Asterisk was lost: nothing is dialed until it is back.",
    "ami.message_failed": "A defect: one AMI message could not be taken in.",
    "ami.protocol": "What answers at AMI's port is not AMI, or not sane.",
    "ami.recording_failed": "The recording of the AMI link could not be written, and goes no further.",
    "ami.recording_full": "The recording of the AMI link has reached its size and goes no further.",
    "ami.reconnecting": "The link to Asterisk is tried again in so many seconds.",
    "ami.up": "Logged in to Asterisk; `boot` changes when Asterisk was restarted.",
    "api.failed": "A defect: one API request was answered by an internal error.",
    "api.store": "The database could not be used for an API request; the client is told to come back.",
    "application.error": "The VoiceXML application ended by an error; the callee heard the apology.",
    "attempt.dialing": "A call is being dialed.",
    "attempt.ended": "An attempt is over: how, who answered, the causes, and the call's state from now on.",
    "attempt.not_written": "The database could not be written; it is tried again.",
    "attempt.unsure": "Nobody knows whether Asterisk took the call; it is never dialed twice for that.",
    "audit": "Somebody changed something: who, what, and whose; kept in the database too.",
    "audiosocket.refused": "A media tap's connection was turned away.",
    "call.queued": "A single call was queued.",
    "callee.detected": "It is known who answered.",
    "callee.not_followed": "A defect: what was heard during a session changed no record.",
    "callee.revised": "What was heard during the session changed the verdict.",
    "calls.rerouted": "Waiting calls go over another trunk: theirs is no longer configured.",
    "calls.stranded": "Waiting calls have no trunk any more; `mend` says what to do.",
    "campaign.joined": "Calls were added to a campaign.",
    "campaign.queued": "A list was queued as a campaign.",
    "chore.failed": "A chore of the pages failed.",
    "database.not_looked_through": "The database was not checked before its upgrade.",
    "database.upgrading": "The database is being migrated; its backup is named.",
    "dialer.store": "The database could not be used by the dialer; it tries again.",
    "export.failed": "An export ended early; whoever asked for it was told.",
    "first.account": "The first account was made.",
    "gateway.no_descriptors": "Connections find no file descriptor left: raise LimitNOFILE. Told once a second.",
    "gateway.started": "The gateway takes requests; `open_attempts` were left open by an earlier process.",
    "gateway.reloaded": "a changed configuration is in force; `need_restart` names what it leaves as it was",
    "gateway.not_reloaded": "the configuration cannot be used: the one in force stays",
    "gateway.stopped": "The gateway has ended.",
    "gateway.stopping": "The gateway dials no more and waits for live calls.",
    "evidence.not_kept": "The audio of a call could not be written; its record is whole without it.",
    "evidence.not_swept": "The database could not tell whose audio is too old; it is looked at again in an hour.",
    "evidence.removed": "Audio of calls was removed after the days that its account keeps it.",
    "hearing.failed": "A defect: a call's audio could not be judged; AMD judges it.",
    "hearing.no_tap": "A call has no media tap; AMD judges it.",
    "http.let_go": "Connections of an HTTP port were ended in the last second, by reason: silent, slow, or too many.",
    "intake.failed": "A defect: a request was refused by it; nothing was queued.",
    "intake.store": "The database could not be written; a request was refused.",
    "lab.retry_gap_scale": "A setting for tests alone is in force.",
    "media.refused": "A request for a prompt was turned away.",
    "metrics.listening": "The metrics have a port of their own.",
    "notifier.store": "The database could not be used by the notifier; it tries again.",
    "observer.failed": "A defect: a metric or a trace missed what happened; the call goes on.",
    "pages.first_run": "There is no account yet: whoever opens this link makes the first.",
    "pages.store": "The database could not be read to see whose sessions have ended; it is tried again.",
    "phone.connected": "The test phone of the pages was switched on.",
    "phone.unreachable": "Asterisk's WebSocket cannot be reached for the test phone.",
    "prompt.audio_missing": "An audio file could not be fetched; its alternative was played, where there is one.",
    "prompt.not_played": "Asterisk could not play a prompt.",
    "prompt.not_spoken": "A text could not be spoken.",
    "rerouter.store": "The database could not be read; stranded calls are looked for again.",
    "rescue.done": "Open attempts were compared with Asterisk's channels.",
    "rescue.failed": "They could not be compared; it is tried again.",
    "result.not_accepted": "A result post failed; `given_up` tells whether it was the last try.",
    "result.posted": "A result post was accepted.",
    "retention.failed": "What is due to be removed could not be; it is tried again.",
    "retention.swept": "What was kept long enough was removed.",
    "session.failed": "A defect: a session ended by it; the callee heard the apology.",
    "session.overran": "A session went on too long after the hang-up and was ended.",
    "signin.done": "Somebody signed in to the pages.",
    "signin.failed": "Somebody could not sign in.",
    "signin.locked": "An address failed to sign in too often and is locked out for a while.",
    "store.disk_full": "The database's disk is full: what live calls write goes into room that was kept for them.",
    "store.commit_failed": "A commit failed: nothing of it was written, and its callers were told.",
    "system.doctor_failed": "The doctor could not be run from the pages.",
    "transfer.dialing": "A call is being transferred.",
    "spend.resumed": "An account, or everybody, may dial on: the next day, or an operator's word.",
    "spend.store": "The database could not tell what was spent; it is asked again. The claim keeps the ceilings.",
    "spend.suspended": "A ceiling on minutes or cost is reached: nothing more of this account is dialed until then.",
    "trunk.resumed": "A trunk that rested works again.",
    "trunk.suspended": "A trunk rests after ten faults in a row; one call probes it after a minute.",
    "watchdog.failed": "Open attempts could not be held against Asterisk's channels; it is tried again.",
    "watchdog.mends": "Attempt and channel disagree: `wrong` says how. It is put right, so that nothing stays open.",
    "watchdog.taps_ended": "A defect: media taps went on after their calls, and were ended.",
    "vxml.disconnect": "An application ended the call.",
    "vxml.fetch_failed": "A document, or what it named, could not be fetched.",
    "vxml.log": "An application's <log>: how long it was, never what it said.",
    "walk.began": "Somebody walks through an application in text, in the pages.",
}  # fmt: skip


@dataclass(slots=True)
class Event:
    levels: set[str] = field(default_factory=set)
    fields: set[str] = field(default_factory=set)


def events() -> dict[str, Event]:
    """Every event that the gateway logs, by name."""
    found: dict[str, Event] = {}
    for path in sorted(GATEWAY.rglob("*.py")):
        for name, level, fields in _calls(ast.parse(path.read_text())):
            event = found.setdefault(name, Event())
            event.levels.add("error" if level == "exception" else level)
            event.fields |= fields
    return dict(sorted(found.items()))


def _calls(tree: ast.Module) -> Iterator[tuple[str, str, set[str]]]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="log"), attr=level), args=[first, *_]):
                for part in ast.walk(first):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str):
                        yield part.value, level, {one.arg for one in node.keywords if one.arg is not None}


def table() -> str:
    found = events()
    if unknown := sorted(found.keys() ^ MEANINGS.keys()):
        sys.exit(f"scripts/logevents.py: say what these log events mean, or take them out: {', '.join(unknown)}")
    rows = (
        f"| `{name}` | {', '.join(sorted(one.levels))} | {', '.join(sorted(one.fields))} | {MEANINGS[name]} |\n"
        for name, one in found.items()
    )
    return "| event | level | fields | meaning |\n|---|---|---|---|\n" + "".join(rows)
