"""What a recording of the AMI link holds and lacks, and that a recorded call is understood when it is played again."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from gateway.adapters.ami import AmiPbx, AmiSettings
from gateway.adapters.ami.recording import Mask, Recorder
from gateway.core.model import AttemptId
from gateway.ports import (
    Answered,
    ChannelSeen,
    DtmfReceived,
    HungUp,
    LinkUp,
    Originate,
    OriginateEnded,
    PbxEvent,
    Placed,
    Ringing,
)
from tests.fakes.replay import Line, Replay, read

#: A call that was answered and keyed four digits, and one that was busy, with the lab's Asterisk 22.
RECORDED = Path(__file__).parent / "recorded-calls.jsonl"


@pytest.mark.parametrize(
    ("name", "text", "gone"),
    [
        ("Channel", "PJSIP/+16175551234@carrier", "6175551234"), ("CallerIDNum", "16175551234", "6175551234"),
        ("CallerIDName", "Alice Example", "Alice"), ("ConnectedLineName", "Bob", "Bob"), ("Secret", "s3cret", "s3cret"),
        ("Digit", "7", "7"), ("DialString", "sip:alice@10.0.0.1", "alice"), ("Key", "0af3", "0af3"),
        ("AppData", "x,+16175551234,y", "6175551234"),
    ],
)  # fmt: skip
def test_what_is_private_is_masked(name: str, text: str, gone: str) -> None:
    assert gone not in Mask().value(name, text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Uniqueid", "vg-abc123-00112233445566778899aabb"), ("Channel", "PJSIP/carrier-00000123"),
        ("Channel", "Local/answer@voxgate-doctor-00000001;2"), ("TechCause", "486"), ("Cause", "17"),
        ("Timeout", "45000"), ("Context", "voxgate-answered"), ("CallerIDName", "<unknown>"), ("Exten", "1800"),
    ],
)  # fmt: skip
def test_what_a_bug_report_needs_stays(name: str, text: str) -> None:
    assert Mask().value(name, text) == text


def test_the_same_number_is_masked_the_same_within_one_recording_alone() -> None:
    mask, other = Mask(), Mask()
    assert mask.value("CallerIDNum", "16175551234") == mask.value("Exten", "16175551234")
    assert mask.value("CallerIDNum", "16175551234") != mask.value("CallerIDNum", "16175551235")
    assert mask.value("CallerIDNum", "16175551234") != other.value("CallerIDNum", "16175551234")
    assert mask.value("Channel", "PJSIP/+16175551234@carrier").startswith("PJSIP/+")


def test_a_recording_ends_at_its_size_and_is_the_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "ami.jsonl"
    recorder = Recorder(path, limit=2000, version="9")
    for number in range(1000):
        recorder.received(f"Event: Newchannel\r\nUniqueid: {number}".encode())
    recorder.close()
    assert path.stat().st_mode & 0o077 == 0
    assert path.stat().st_size <= 2000
    assert all(json.loads(line) for line in path.read_text().splitlines())


def test_a_full_disk_costs_the_recording_and_nothing_else() -> None:
    recorder = Recorder(Path("/dev/full"), limit=2000, version="9")
    recorder.received(b"Event: Newchannel")
    recorder.sent({"Action": "Ping"})
    recorder.close()


async def test_recorded_calls_are_understood_when_they_are_played_again() -> None:
    lines = read(RECORDED)
    replay = Replay(lines)
    calls = [line for line in lines if line.sent and line.header("Context") == "voxgate-answered"]
    async with replay.listening() as port:
        pbx = AmiPbx(AmiSettings("127.0.0.1", port, "voxgate", "any", "now"))
        heard: list[PbxEvent] = []
        running = asyncio.create_task(pbx.run())
        listening = asyncio.create_task(_hear(pbx, heard))
        async with asyncio.timeout(20):
            while not pbx.connected:
                await asyncio.sleep(0.01)
            assert await pbx.live_channels() == {}
            for number, line in enumerate(calls):
                assert (await pbx.originate(_request(number, line))).placed is Placed.QUEUED
                assert await pbx.open_tap(AttemptId(f"vg-now-{number}"), "AudioSocket/127.0.0.1:1/x") is None
            await replay.done.wait()
            while sum(isinstance(one, HungUp) for one in heard) < len(calls):
                await asyncio.sleep(0.01)
        for task in (running, listening):
            task.cancel()
        await asyncio.gather(running, listening, return_exceptions=True)
    assert replay.faults == []
    assert isinstance(heard[0], LinkUp)
    of = [[one for one in heard[1:] if getattr(one, "attempt_id", "") == f"vg-now-{number}"] for number in (0, 1)]
    seen = dict.fromkeys(type(one) for one in of[0] if not isinstance(one, OriginateEnded | DtmfReceived))
    assert list(seen) == [
        ChannelSeen, Ringing, Answered, HungUp,
    ]  # fmt: skip
    assert sum(isinstance(one, DtmfReceived) for one in of[0]) == 4
    (busy,) = (one for one in of[1] if isinstance(one, HungUp))
    assert (busy.cause, busy.tech_cause) == (17, 486)


async def _hear(pbx: AmiPbx, heard: list[PbxEvent]) -> None:
    async for event in pbx.events():
        heard.append(event)  # noqa: PERF401 - it never ends


def _request(number: int, line: Line) -> Originate:
    return Originate(AttemptId(f"vg-now-{number}"), line.header("Channel"), None, "1", 45.0, 60)
