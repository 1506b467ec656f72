"""Many tapped calls at once through the real lab: what each was judged against its clip heard from the file, and how
late the event loop runs meanwhile. Run alone: ``python -m bench.taps``."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import random
import signal
import statistics
import sys
import time
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from bench.common import BROKEN
from gateway.adapters.agi import AgiServer, AgiSettings
from gateway.config import load
from gateway.core.hearing import Classifier, Verdict
from gateway.core.model import AccountSettings, CallPlan, NewCall
from gateway.parts import open_store
from gateway.ports import AgiChannel, ChannelGone
from gateway.services.livecalls import LiveCall, SessionRecord
from gateway.settings import Config
from gateway.wiring import Gateway
from lab import fetch
from lab.behaviours import VOICE, Behaviour, Line, NumberPlan
from lab.gateway import GatewayProcess
from lab.lab import Lab

CALLS = (50, 100, 150, 200)  # at once
GOAL, LAG = 100, 0.020  # so many calls, and p99 of the loop's lag in seconds
SECONDS = 12.0  # of every clip
WITHIN = 4.0  # seconds in which all calls are dialed
RATE = 8000
SAMPLE = 0.005
CLIPS = 20
#: Seconds from the answer to a clip's beginning: until it has a packet of ours, the carrier's Answer() sends nothing.
LEADS = tuple(n / 20 for n in range(11))

Samples = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Heard:
    """``first`` and ``last`` verdict of one call, and how often its line fell silent."""

    number: str
    first: str
    last: str
    gaps: int


@dataclass(frozen=True, slots=True)
class Measured:
    heard: list[Heard]
    lag: float  # p99, seconds
    cpu: float  # seconds of CPU time of the whole gateway, a second


def sound(path: Path) -> Samples:
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")


def clips(folder: Path) -> list[Path]:
    """Persons who say a word or two, machines that talk on and beep, and a fax, from Asterisk's own recordings."""
    rng = random.Random(7)
    sounds = sorted((fetch.asterisk().sounds / "en").glob("*.wav"))
    spoken = [one for one in map(sound, sounds) if len(one)]
    short = [one for one in spoken if 0.4 < len(one) / RATE < 1.1]
    long = [one for one in spoken if 2.5 < len(one) / RATE < 8]
    beep = (8000 * np.sin(2 * np.pi * 1000 / RATE * np.arange(RATE // 3))).astype(np.int16)
    ced = (8000 * np.sin(2 * np.pi * 2100 / RATE * np.arange(3 * RATE))).astype(np.int16)
    said: list[tuple[Samples, ...]] = [(one,) for one in rng.sample(short, 12)]
    said += [(*rng.sample(long, 2), np.zeros(RATE // 5, np.int16), beep) for _ in range(7)]
    said.append((ced,))
    made = []
    for number, parts in enumerate(said):
        audio = np.zeros(round(SECONDS * RATE), np.int16)
        whole = np.concatenate((np.zeros(rng.randrange(RATE // 4, RATE), np.int16), *parts))[: len(audio)]
        audio[: len(whole)] = whole
        made.append(folder / f"clip-{number}.wav")
        with wave.open(str(made[-1]), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(audio.tobytes())
    return made


def ulaw(audio: Samples) -> Samples:
    """As the trunk carries it (ITU-T G.711), to within its rounding."""
    x = audio.astype(np.float64) / 32768
    coded = np.round(np.sign(x) * np.log1p(255 * np.abs(x)) / np.log(256) * 127) / 127
    back: Samples = (np.sign(coded) * np.expm1(np.abs(coded) * np.log(256)) / 255 * 32767).astype(np.int16)
    return back


def offline(path: Path) -> frozenset[tuple[str, str]]:
    """The first and the last verdict on the clip, heard from its file, for each lead that a call may have."""
    clip = ulaw(sound(path))
    return frozenset(_judged(np.concatenate((np.zeros(round(lead * RATE), np.int16), clip))) for lead in LEADS)


def _judged(audio: Samples) -> tuple[str, str]:
    classifier = Classifier()
    classifier.answered()
    return _named([one for one in classifier.feed(audio.tobytes()) if isinstance(one, Verdict)])


def _named(verdicts: list[Verdict]) -> tuple[str, str]:
    return (str(verdicts[0].callee_type), str(verdicts[-1].callee_type)) if verdicts else ("", "")


async def tapped(config: Config, numbers: list[str]) -> Measured:
    """Every number called, heard and judged by the gateway as it is; nobody is spoken to."""
    store = open_store(config)
    account = await store.add_account("bench", "hash", AccountSettings("UTC", "US"))
    gateway = Gateway(config, store)
    now = gateway.clock.now()
    campaign = await store.open_campaign(
        account.id, "bench", CallPlan("http://127.0.0.1/s", None, None, None, 0, 60, now, None), now
    )
    await store.load_calls(campaign, [NewCall(number, number, "carrier") for number in numbers], now)
    await store.publish_campaign(campaign, 0)
    heard: list[Heard] = []
    late: list[float] = []

    def accept(path: str) -> bool:
        live = gateway.live.of_path(path)
        if live is None:
            return False
        live.session = SessionRecord()
        return True

    async def handle(channel: AgiChannel) -> None:
        live = gateway.live.of_path(channel.path)
        assert live is not None
        try:
            await gateway.live.answered(live)
            await channel.until_hung_up()
            await channel.hangup()
        except ChannelGone:
            pass
        finally:
            heard.append(_heard(live))
            live.session_ended.set()

    async def watch() -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + SAMPLE
            await asyncio.sleep(SAMPLE)
            late.append(loop.time() - due)

    gateway.agi = AgiServer(AgiSettings(config.agi.host, config.agi.port, tuple(config.agi.allow)), accept, handle)
    running = asyncio.create_task(gateway.run())
    await asyncio.sleep(WITHIN + 1)
    began, used = time.monotonic(), time.process_time()
    watching = asyncio.create_task(watch())  # while all of them are up
    await asyncio.sleep(SECONDS - WITHIN - 1)
    watching.cancel()
    cpu = (time.process_time() - used) / (time.monotonic() - began)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(gateway.live.empty.wait(), 30)
    os.kill(os.getpid(), signal.SIGTERM)
    await running
    return Measured(heard, statistics.quantiles(late, n=100)[98], cpu)


def _heard(live: LiveCall) -> Heard:
    ear = live.ear
    number = live.claimed.call.dialed
    if ear is None:
        return Heard(number, "", "", 0)
    ear.ended("")  # its count of gaps is told at its end
    return Heard(number, *_named(ear.verdicts), ear.gaps)


def _measure(path: Path, numbers: list[str], pipe: Connection) -> None:
    import structlog

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    config = load(path, {})
    pace = {"cps": len(numbers) / (WITHIN - 1), "max_calls": 10_000}
    config = msgspec.structs.replace(
        config,
        dial=msgspec.structs.replace(config.dial, **pace),
        trunk=[msgspec.structs.replace(one, **pace) for one in config.trunk],
    )
    pipe.send(asyncio.run(tapped(config, numbers)))


@dataclass(frozen=True, slots=True)
class Round:
    """``changed``: calls whose verdicts are not those on their clip's file, whatever its lead."""

    calls: int
    found: Measured
    changed: list[Heard]

    @property
    def kept(self) -> bool:
        return not self.changed and len(self.found.heard) == self.calls

    def __str__(self) -> str:
        return (
            f"{self.calls} tapped calls: {len(self.found.heard)} heard, {len(self.changed)} verdicts changed against "
            f"offline, loop lag p99 {self.found.lag * 1000:.1f} ms, {self.found.cpu * 100:.0f} % of a core"
        )


def rounds(calls: tuple[int, ...]) -> Iterator[Round]:
    """So many calls at once, one round after the other."""
    lines = []
    for count in range(max(calls)):
        steps = ("Answer()", f"Playback({{run}}/clip-{count % CLIPS})", "Hangup(16)")
        behaviour = Behaviour(f"clip-{count % CLIPS}", "a clip", steps, (VOICE,))
        lines.append(Line(f"+1617555{count:04d}", behaviour, 0.0, 0.0, "", ""))
    with Lab(plan=NumberPlan(0, tuple(lines))) as lab:
        files = [offline(path) for path in clips(lab.run)]
        expected = {line.number: files[n % CLIPS] for n, line in enumerate(lines)}
        for count in calls:
            gateway = GatewayProcess(lab, name=f"taps-{count}")
            here, there = multiprocessing.Pipe()
            process = multiprocessing.get_context("spawn").Process(
                target=_measure, args=(gateway.config, [line.number for line in lines[:count]], there)
            )
            process.start()
            found: Measured = here.recv()
            process.join()
            changed = [one for one in found.heard if (one.first, one.last) not in expected[one.number]]
            for one in changed:
                print(f"taps: {one.number}: {one.first}/{one.last} for {sorted(expected[one.number])}, {one.gaps} gaps")
            yield Round(count, found, changed)


def run(calls: tuple[int, ...] = CALLS) -> str:
    said, knee = "", 0
    for one in rounds(calls):
        print(f"taps: {one}", flush=True)
        if one.kept and one.found.lag <= LAG:
            knee = one.calls
        if one.calls == GOAL:
            said = str(one) if one.kept else f"{BROKEN}: {one}"
    return f"{said} (goal 0 changed, {LAG * 1000:.0f} ms); held up to {knee} of {', '.join(map(str, calls))}"


def parts() -> Iterator[Callable[[], str]]:
    yield run


if __name__ == "__main__":
    counts = tuple(int(one) for one in sys.argv[1:])
    print("taps: " + (run(counts) if counts else run()))
