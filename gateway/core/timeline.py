"""One attempt as a picture and in words: what rang, what was heard and decided, what the application did: pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.core.model import Attempt, AttemptEnd, Millis
from gateway.core.saying import cause_words

#: What a step of an application is called.
STEP_WORDS = {
    "prompt": "Prompt", "digits": "Digits keyed", "fetch": "Fetched", "nomatch": "No match", "noinput": "No input",
    "speech": "Speech recognised", "record": "Records", "recorded": "Recorded", "transfer": "Transfer",
    "transferred": "Transfer ended", "disconnect": "The application hangs up", "hangup": "Hung up",
    "exit": "The application ends", "error": "The application failed", "maxspeechtimeout": "Spoke too long",
    "more": "…",
}  # fmt: skip
SOUND_WORDS = {
    "ringback": "Ringback", "busy": "Busy tone", "reorder": "Reorder tone", "sit": "Special information tone",
    "ced": "Fax answer tone (CED)", "ansam": "Fax answer tone (ANSam)", "cng": "Fax calling tone (CNG)",
    "v21": "Fax (V.21)", "beep": "Beep", "dtmf": "Keys", "tone": "Tone", "speech": "Speech", "silence": "Silence",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a lane, in seconds from the attempt's start. ``kind`` is dialing, ringing, talking or a sound."""

    kind: str
    label: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Mark:
    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Moment:
    """A line of the story. ``part`` is line, heard or application."""

    at: float
    part: str
    title: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Timeline:
    """``seconds`` is the length of the picture. Heard sounds are left out of ``story`` where they are silence."""

    seconds: float
    line: tuple[Segment, ...]
    heard: tuple[Segment, ...]
    marks: tuple[Mark, ...]
    story: tuple[Moment, ...]


def timeline(attempt: Attempt, end: AttemptEnd | None, now: Millis, so_far: Mapping[str, Any]) -> Timeline:
    """``end`` is None while the attempt goes on; ``so_far`` is then what evidence there is."""
    evidence = so_far if end is None else end.evidence
    length = max(0.1, _after(attempt, now if end is None else end.ended_at))
    answered = None if attempt.answered_at is None else _after(attempt, attempt.answered_at)
    heard = tuple(_heard(evidence, _stream_start(attempt, evidence), length))
    marks, verdicts = [], list(_verdicts(evidence, _stream_start(attempt, evidence)))
    if answered is not None:
        marks.append(Mark(answered, "answer"))
    marks += [Mark(min(at, length), callee) for at, callee, _ in verdicts]
    story = [
        *_line_story(attempt),
        *(Moment(one.start, "heard", one.label, _lasted(one)) for one in heard if one.kind != "silence"),
        *(Moment(at, "heard", f"Verdict: {callee}", text) for at, callee, text in verdicts),
        *_steps(evidence, answered or 0.0),
    ]
    story.sort(key=lambda moment: moment.at)
    if end is not None:
        story.append(_ended(end, length))
    return Timeline(length, tuple(_line(attempt, length)), heard, tuple(marks), tuple(story))


def _after(attempt: Attempt, at: Millis) -> float:
    return (at - attempt.started_at) / 1000


def _line(attempt: Attempt, length: float) -> Iterator[Segment]:
    bounds = [("dialing", "dialing", 0.0)]
    if attempt.ringing_at is not None:
        bounds.append(("ringing", "ringing", _after(attempt, attempt.ringing_at)))
    if attempt.answered_at is not None:
        bounds.append(("talking", "in call", _after(attempt, attempt.answered_at)))
    for place, (kind, label, start) in enumerate(bounds):
        stop = bounds[place + 1][2] if place + 1 < len(bounds) else length
        yield Segment(kind, label, start, max(start, stop))


def _line_story(attempt: Attempt) -> Iterator[Moment]:
    yield Moment(0.0, "line", "Dialed", f"over trunk {attempt.trunk}")
    if attempt.ringing_at is not None:
        yield Moment(_after(attempt, attempt.ringing_at), "line", "Rings")
    if attempt.answered_at is not None:
        yield Moment(_after(attempt, attempt.answered_at), "line", "Answered")


def _stream_start(attempt: Attempt, evidence: Mapping[str, Any]) -> float:
    """When the tap's stream began, in seconds from the attempt's start: its own times count from there."""
    answered = _seconds(evidence.get("answered"))
    if attempt.answered_at is not None and answered is not None:
        return _after(attempt, attempt.answered_at) - answered
    return 0.0 if attempt.ringing_at is None else _after(attempt, attempt.ringing_at)


def _heard(evidence: Mapping[str, Any], began: float, length: float) -> Iterator[Segment]:
    for one in _maps(evidence.get("timeline")):
        sound = str(one.get("sound", ""))
        start, stop = _seconds(one.get("start")), _seconds(one.get("end"))
        if sound not in SOUND_WORDS or start is None or stop is None:
            continue
        hz = [f"{tone:.0f}" for tone in one.get("hz") or () if isinstance(tone, int | float)]
        words = [SOUND_WORDS[sound], str(one.get("tone") or ""), f"{' + '.join(hz)} Hz" if hz else ""]
        left, right = max(0.0, began + start), min(length, began + stop)
        if right >= left:
            yield Segment(sound, ", ".join(word for word in words if word), left, right)


def _verdicts(evidence: Mapping[str, Any], began: float) -> Iterator[tuple[float, str, str]]:
    for one in _maps(evidence.get("verdicts")):
        at = _seconds(one.get("at"))
        if at is not None:
            confidence = _seconds(one.get("confidence"))
            sure = "" if confidence is None else f" ({confidence:.0%} sure)"
            yield max(0.0, began + at), str(one.get("callee_type", "")), f"{one.get('reason', '')}{sure}".strip()


def _steps(evidence: Mapping[str, Any], answered: float) -> Iterator[Moment]:
    for one in _maps(evidence.get("path")):
        at, kind = _seconds(one.get("at")), str(one.get("kind", ""))
        if at is not None:
            yield Moment(answered + at, "application", STEP_WORDS.get(kind, kind), str(one.get("text", "")))


def _ended(end: AttemptEnd, length: float) -> Moment:
    by = {"callee": "by the callee", "application": "by the application"}.get(
        str(end.evidence.get("hung_up_by", "")), ""
    )
    told = "; ".join(text for text in (end.reason or "", cause_words(end.cause, end.tech_cause)) if text)
    return Moment(length, "line", f"Ended {by}".strip(), told)


def _lasted(one: Segment) -> str:
    return f"for {one.end - one.start:.1f} s" if one.end - one.start >= 0.05 else ""


def _maps(found: object) -> Iterator[Mapping[str, Any]]:
    """Evidence of an older version may hold anything."""
    if isinstance(found, list):
        yield from (one for one in found if isinstance(one, dict))


def _seconds(found: object) -> float | None:
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None
