"""Actions and events in one line each, for --trace."""

from __future__ import annotations

import json

from vxml import (
    Action,
    Collect,
    Digits,
    Disconnect,
    Event,
    Exit,
    Fetch,
    Fetched,
    FetchFailed,
    Log,
    NoMatch,
    Play,
    Record,
    Recorded,
    Spoken,
    Transfer,
    TransferFailed,
    Transferred,
)


def action_line(action: Action) -> str:
    match action:
        case Fetch(url, method, form):
            sent = "".join(f" {name}={value!r}" for name, value in form)
            waits = f" fetchaudio={action.waiting.url}" if action.waiting is not None else ""
            return f"fetch {action.kind} {method} {url}{sent}{waits}"
        case Play(prompts):
            return f"play {len(prompts)}"
        case Collect():
            listens = " and speech" if action.listen is not None else ""
            times = f"timeout {action.timeout:g} s, interdigit {action.interdigit_timeout:g} s"
            return f"collect keys{listens}: {times}, termchar {action.term_char or 'none'}"
        case Record():
            return (
                f"record {action.content_type}: at most {action.max_time:g} s, final silence {action.final_silence:g} s"
            )
        case Transfer():
            return f"transfer {action.kind} {action.destination}: at most {action.connect_timeout:g} s of ringing"
        case Log(label, text):
            return f"log {label}: {text}"
        case Disconnect(values):
            return f"disconnect {json.dumps(dict(values))}"
        case Exit():
            return f"exit {action.error or json.dumps(dict(action.values))}"


def event_line(event: Event) -> str:
    match event:
        case Fetched(url, status, body):
            kind = f", {event.content_type}" if event.content_type else ""
            return f"fetched {status} {url}: {len(body)} bytes{kind}"
        case FetchFailed(reason):
            return f"not fetched: {reason}"
        case Digits(text) | NoMatch(text):
            return f"{type(event).__name__.lower()} {text}{_mark(event)}"
        case Spoken(hypotheses):
            return f"spoken {hypotheses[0].text!r}"
        case Recorded():
            return f"recorded {event.reference or 'nothing'}: {event.duration:g} s, {event.size} bytes"
        case Transferred(outcome, duration):
            return f"transferred {outcome or 'away'}: {duration:g} s"
        case TransferFailed(name, reason):
            return f"transfer failed with {name}: {reason}"
    return type(event).__name__.lower() + _mark(event)


def _mark(event: Event) -> str:
    mark = getattr(event, "mark", None)
    return "" if mark is None else f" after mark {mark.name}"
