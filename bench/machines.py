"""Messages left after the beep, through the real lab: how long after it each begins, on the callee's own recordings.

Run alone: ``python -m bench.machines 200``.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
import wave
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.common import BROKEN
from bench.taps import RATE, sound
from lab import fetch, listening
from lab.application import SampleApplication
from lab.behaviours import MACHINE, RECORD, Behaviour, Line, NumberPlan
from lab.gateway import GatewayProcess
from lab.lab import Lab

GOAL = 0.3  # seconds after the beep
AT_ONCE = 25
PAGE = (
    '<vxml version="2.1" xmlns="http://www.w3.org/2001/vxml"><form><block><prompt>This is a message for you. Please '
    "call us back at your leisure.</prompt></block></form></vxml>"
)


@dataclass(frozen=True, slots=True)
class Left:
    """``after`` is seconds from the greeting's end, its beep included, to the first sound of the message."""

    number: str
    after: float
    why: str
    hz: float  # of the beep, 0 where none was heard


def greetings(folder: Path, count: int) -> None:
    """Greetings of two to four sentences with pauses, each with a beep of its own pitch and length."""
    rng = random.Random(11)
    sounds = sorted((fetch.asterisk().sounds / "en").glob("*.wav"))
    long = [one for one in map(sound, sounds) if 2.0 < len(one) / RATE < 6]
    for number in range(count):
        parts = [np.zeros(rng.randrange(RATE // 4, RATE), np.int16)]
        for one in rng.sample(long, rng.randint(2, 3)):
            parts += [one, np.zeros(round(rng.uniform(0.1, 0.9) * RATE), np.int16)]
        length, hertz = rng.uniform(0.15, 1.0), rng.choice((440, 700, 1000, 1400, 2000))
        peak = 32767 * 10 ** (rng.uniform(-24, -10) / 20)
        beep = peak * np.sin(2 * np.pi * hertz * np.arange(round(length * RATE)) / RATE)
        with wave.open(str(folder / f"greeting-{number}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(np.concatenate([*parts, beep.astype(np.int16)]).tobytes())


def messages(count: int) -> Iterator[Left]:
    """So many machines called, one message left on each."""
    steps = ("Answer()", RECORD, "Playback({run}/greeting-{think})", "Wait(30)")
    lines = [
        Line(f"+1617555{n:04d}", Behaviour(f"machine-{n}", "a machine", steps, (MACHINE,)), 0.0, n, "", "")
        for n in range(count)
    ]
    with Lab(plan=NumberPlan(0, tuple(lines))) as lab, SampleApplication() as application:
        greetings(lab.run, count)
        application.pages["message"] = (0, PAGE.encode())
        gateway = GatewayProcess(lab, name="machines", cps=5, max_calls=AT_ONCE)
        gateway.add_account()
        gateway.start()
        try:
            queued = {
                gateway.queue_call(
                    phone_number=line.number, start_url=application.page_url("message"), machine="after_beep",
                    result_url=application.result_url,
                ): line.number
                for line in lines
            }  # fmt: skip
            deadline = time.monotonic() + 60 + 40 * count / AT_ONCE
            while len(application.posts) < count and time.monotonic() < deadline:
                time.sleep(0.5)
            for call_id, number in queued.items():
                found = gateway.ask(f"/calls/{call_id}")["history"][-1]["evidence"]
                if not lab.heard(number):
                    yield Left(number, float("nan"), "not called", 0.0)
                    continue
                spoken, until = listening.sounds(lab.heard(number)[0])
                _, greeted = listening.sounds(lab.said(number)[0])
                after = spoken - greeted if until else float("nan")
                beeps = [one["hz"][0] for one in found["timeline"] if one["sound"] == "beep"]
                yield Left(number, after, str(found.get("spoken_to", "not as a machine")), beeps[-1] if beeps else 0.0)
        finally:
            gateway.stop()


def run(count: int = 50) -> str:
    left = list(messages(count))
    for why, times in Counter(one.why for one in left).most_common():
        print(f"machines: {times} spoken to: {why}")
    over = [one for one in left if one.why != "not as a machine" and one.after < 0]
    beeped = sorted(one.after for one in left if one.why == "after the beep" and one.after >= 0)
    for one in over:
        print(f"machines: {one.number}: {-one.after:.2f} s into the greeting, {one.why}")
    late = sum(after > GOAL for after in beeped)
    pitches = Counter(round(one.hz, -1) for one in left if one.why == "after the beep" and one.after > GOAL)
    print(f"machines: late by pitch of the beep in Hz: {dict(pitches)}")
    median, most = (statistics.median(beeped), beeped[-1]) if beeped else (float("nan"), float("nan"))
    return (
        f"{BROKEN + ': ' if over else ''}{len(over)} of {count} messages overlap a greeting, {len(beeped)} after its "
        f"beep: median {median * 1000:.0f} ms, latest {most * 1000:.0f} ms, {late} later than {GOAL * 1000:.0f} ms"
    )


def parts() -> Iterator[Callable[[], str]]:
    yield run


if __name__ == "__main__":
    print("machines: " + run(*(int(one) for one in sys.argv[1:2])))
