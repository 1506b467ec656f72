"""What a typed line means to the action that waits for it."""

from __future__ import annotations

import re

from gateway.cli.vxml.recordings import Recordings
from vxml import (
    Collect,
    Collector,
    Digits,
    Event,
    Hangup,
    Hypothesis,
    NoInput,
    Record,
    Recorded,
    Spoken,
    Transfer,
    TransferFailed,
    Transferred,
)
from vxml.grammar.automaton import Matcher, MatchState
from vxml.grammar.srgs import KEYS

#: What a transfer that was carried out may come to (VoiceXML 2.0 §2.3.7.1, 2.1 §8).
OUTCOMES = (
    "answered", "busy", "noanswer", "network_busy", "network_disconnect", "far_end_disconnect",
    "near_end_disconnect", "maxtime_disconnect", "unknown",
)  # fmt: skip
#: Seconds that a bridged party stays where none are typed.
TALK = 10.0
_KEYS = re.compile(rf"[{re.escape(KEYS)}]+\Z")
_ENDED = (MatchState.FINAL, MatchState.CAN_GROW)


class Misunderstood(Exception):
    """The line cannot answer here; the message says what can."""


def is_keys(line: str) -> bool:
    return _KEYS.match(line) is not None


def common(line: str) -> Event | None:
    """What may be answered everywhere."""
    match line:
        case "hangup":
            return Hangup()
        case "" | "noinput":
            return NoInput()
    return None


# --- <field>, <menu>, <initial> ---


def keyed(action: Collect, keys: str) -> tuple[Event, str]:
    """The input, and the keys after it: they are typed ahead."""
    collector = Collector(action)
    for at, key in enumerate(keys, 1):
        if (event := collector.feed(key)) is not None:
            return event, keys[at:]
    return collector.expired(), ""


def collected(action: Collect, line: str) -> tuple[Event, str]:
    """Raises :class:`Misunderstood`."""
    if (event := common(line)) is not None:
        return event, ""
    if is_keys(line):
        return keyed(action, line)
    if words := _after("say", line):
        if action.listen is None:
            raise Misunderstood("no grammar listens for words here; " + collect_help(action))
        return Spoken((Hypothesis(words),)), ""
    raise Misunderstood(f"{line!r} is no input; {collect_help(action)}")


def collect_help(action: Collect) -> str:
    first = " ".join(key for key in KEYS if action.matcher and action.matcher.start().could_take(key))
    return "type " + ", ".join(
        [
            *([f"keys (the first may be {first})"] if first else []),
            *(["say WORDS"] if action.listen is not None else []),
            "noinput",
            "or hangup",
        ]
    )


# --- <record> ---


def recorded(action: Record, line: str, recordings: Recordings) -> Event:
    """Raises :class:`Misunderstood`."""
    if (event := common(line)) is not None:
        return event
    if is_keys(line):
        return cut_short(action, line)
    words = (_after("record", line) or "").split()
    end = words[1] if len(words) == 2 else ""
    if len(words) not in (1, 2) or (end and end != "hangup" and not (is_keys(end) and len(end) == 1)):
        raise Misunderstood(f"{line!r} is no recording; {record_help(action)}")
    length = _seconds(words[0])
    too_long = length > action.max_time
    length = min(length, action.max_time)
    reference, size = recordings.add(length, action.content_type)
    key = end if is_keys(end) else None
    return Recorded(reference, length, size, None if too_long else key, too_long, end == "hangup")


def cut_short(action: Record, keys: str) -> Event:
    """A key before anything was said (VoiceXML 2.0 §2.3.6): an input of a grammar, or no recording at all."""
    return Digits(keys) if _takes(action.matcher, keys) else Recorded("", 0.0, 0)


def record_help(action: Record) -> str:
    longest = f"at most {action.max_time:g}"
    return f"type record SECONDS ({longest}), record SECONDS KEY, record SECONDS hangup, a key, noinput, or hangup"


# --- <transfer> ---


def transferred(action: Transfer, line: str) -> Event:
    """Raises :class:`Misunderstood`."""
    if line == "hangup":
        return Hangup()
    if is_keys(line):
        if not _takes(action.matcher, line):
            raise Misunderstood(f"no grammar of this transfer takes {line}; {transfer_help(action)}")
        return Transferred("near_end_disconnect", TALK, keyed=line)
    if words := _after("say", line):
        if action.listen is None:
            raise Misunderstood(f"no grammar listens for words here; {transfer_help(action)}")
        return Transferred("near_end_disconnect", TALK, said=words)
    outcome, _, length = line.partition(" ")
    if outcome.startswith("error."):
        return TransferFailed(outcome, length.strip() or f"{action.destination}: as typed")
    if outcome not in OUTCOMES or (action.kind == "blind" and outcome != "answered"):
        raise Misunderstood(f"{line!r} is no outcome of this transfer; {transfer_help(action)}")
    if outcome == "answered" and action.kind != "bridge":
        return Transferred("")  # the caller is with somebody else now
    talked = outcome in ("answered", "maxtime_disconnect") or outcome.endswith("_end_disconnect")
    default = action.max_time if outcome == "maxtime_disconnect" else TALK if talked else 0.0
    duration = _seconds(length) if length.strip() else default
    return Transferred("far_end_disconnect" if outcome == "answered" else outcome, duration)


def transfer_help(action: Transfer) -> str:
    if action.kind == "blind":
        return "type answered, hangup, or an error as error.connection.noroute"
    seconds = " SECONDS" if action.kind == "bridge" else ""
    return f"type answered{seconds}, {', '.join(OUTCOMES[1:])}, hangup, or an error as error.connection.noroute"


# --- reading ---


def _after(verb: str, line: str) -> str:
    """What follows the verb; empty where the line is another one."""
    head, _, rest = line.partition(" ")
    return rest.strip() if head == verb else ""


def _seconds(text: str) -> float:
    try:
        value = float(text.strip().removesuffix("s"))
    except ValueError:
        value = -1.0
    if not 0 <= value < 86_400:
        raise Misunderstood(f"{text!r} is no number of seconds: type one as 5 or 2.5")
    return value


def _takes(matcher: Matcher, keys: str) -> bool:
    match = matcher.start()
    state = MatchState.NO_MATCH
    for key in keys:
        state = match.feed(key)
    return bool(matcher) and state in _ENDED
