"""Detectors in the lab: the carrier plays each clip as its callee, over real SIP and RTP, to the PBX that judges it."""

from __future__ import annotations

import asyncio
import os
import time
import wave
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.classify.judged import Judged
from bench.corpus import Clip
from gateway.adapters.agi import AgiServer, AgiSettings
from gateway.adapters.agi.detector import AMD_PARAMETERS
from gateway.core.model import CalleeType
from gateway.ports import AgiChannel, ChannelGone
from lab.behaviours import Behaviour, Line, NumberPlan
from lab.lab import Lab

#: Calls at once: two cores hold the carrier, the PBX and the gateway, and the audio must not stutter.
AT_ONCE = 40
#: Calls begun a second.
RATE = 8.0
_FIRST = 16_175_500_000

#: Asterisk's words for what it takes a callee to be. NOTSURE is a person: a machine is missed rather than a person.
_AMD = {"HUMAN": CalleeType.VOICE, "NOTSURE": CalleeType.VOICE, "MACHINE": CalleeType.ANSWERINGMACHINE}
_TONESCAN = {"VOICE": CalleeType.VOICE, "TIMEOUT": CalleeType.VOICE, "FAX": CalleeType.FAX, "BUSY": CalleeType.BUSY}


@dataclass(frozen=True, slots=True)
class Application:
    """An application of Asterisk's dialplan, the variables that tell its result, and what the first of them means."""

    name: str
    arguments: str
    variables: tuple[str, ...]
    meaning: Callable[[str], CalleeType | None]


APPLICATIONS = {
    "AMD() default": Application("AMD", "", ("AMDSTATUS", "AMDCAUSE"), _AMD.get),
    "AMD() tuned": Application("AMD", AMD_PARAMETERS, ("AMDSTATUS", "AMDCAUSE"), _AMD.get),
    # It tells tones from voices, and no person from a machine: a voice is taken for a person's.
    "ToneScan": Application("ToneScan", "us,8,1,fv", ("TONESCANSTATUS",), _TONESCAN.get),
}


def plan(clips: Sequence[Clip], folder: Path) -> NumberPlan:
    """A number for each clip, in their order. ``folder`` is where the audio is put."""
    lines = []
    for n, clip in enumerate(clips):
        path = folder / f"clip-{n}"
        with wave.open(f"{path}.wav", "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(8000)
            file.writeframes(clip.pcm)
        steps = ("Answer()", f"Playback({path},noanswer)", "Hangup(16)")
        lines.append(Line(f"+{_FIRST + n}", Behaviour(f"clip-{n}", clip.name, steps, (clip.callee,)), 0.0, 0.0, "", ""))
    return NumberPlan(0, tuple(lines))


@dataclass(slots=True)
class _Runs:
    application: Application
    clips: Sequence[Clip]
    found: dict[int, Judged] = field(default_factory=dict)

    async def serve(self, channel: AgiChannel) -> None:
        number = int(channel.path.rpartition("-")[2])
        clip, began = self.clips[number], time.monotonic()
        try:
            await channel.execute(self.application.name, self.application.arguments)
            took = time.monotonic() - began
            values = [await channel.get_variable(name) or "" for name in self.application.variables]
            callee = self.application.meaning(values[0])
            heard = replace(clip, pcm=b"")
            self.found[number] = Judged(heard, clip.seconds, callee, took, callee, 0.5, " ".join(values))
            await channel.hangup()
        except ChannelGone:  # the clip was over
            return


async def judge(lab: Lab, clips: Sequence[Clip], application: Application) -> list[Judged]:
    """Every clip as ``application`` judges it; one whose callee hung up first is not judged."""
    runs = _Runs(application, clips)
    server = AgiServer(AgiSettings("127.0.0.1", lab.agi_port, ("127.0.0.1",)), lambda path: True, runs.serve)
    serving = asyncio.create_task(server.run())
    reader, writer = await asyncio.open_connection("127.0.0.1", lab.ami_port)
    writer.write(f"Action: Login\r\nUsername: {lab.ami_user}\r\nSecret: {lab.ami_secret}\r\n\r\n".encode())
    room = asyncio.Semaphore(AT_ONCE)
    draining = asyncio.create_task(_drain(reader, room, lab.installation))
    await asyncio.sleep(0.5)
    begun = f"{time.time_ns():x}"
    for n in range(len(clips)):
        await room.acquire()
        ident = f"vg-{lab.installation}-{begun}-{n}"
        writer.write(
            f"Action: Originate\r\nActionID: {ident}\r\nChannelId: {ident}\r\nChannel: PJSIP/+{_FIRST + n}@carrier\r\n"
            "Context: voxgate-answered\r\nExten: 60\r\nPriority: 1\r\nTimeout: 45000\r\nAsync: true\r\n\r\n".encode()
        )
        await asyncio.sleep(1 / RATE)
    for _ in range(AT_ONCE):
        await asyncio.wait_for(room.acquire(), 60)
    draining.cancel()
    writer.close()
    serving.cancel()
    await asyncio.gather(draining, serving, return_exceptions=True)
    none = [Judged(replace(clip, pcm=b""), clip.seconds, None, None, None, 0.0, "no result") for clip in clips]
    return [runs.found.get(n, missing) for n, missing in enumerate(none)]


async def _drain(reader: asyncio.StreamReader, room: asyncio.Semaphore, installation: str) -> None:
    """Make room for another call wherever one of ours has ended."""
    event: dict[bytes, bytes] = {}
    while line := await reader.readline():
        key, _, value = line.strip().partition(b": ")
        if key:
            event[key] = value
            continue
        ours = event.get(b"Uniqueid", b"").startswith(f"vg-{installation}-".encode())
        if event.get(b"Event") == b"Hangup" and ours:
            room.release()
        event = {}


def cpu(pid: int | None) -> float:
    """Seconds that a process has used up to now."""
    if pid is None:
        return 0.0
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
