"""Each fault of the fake Asterisk, as a client of its AMI, FastAGI or AudioSocket meets it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.contract.gear import Agi, Ami, Tap
from tests.contract.sides import Side, side_of
from tests.fakes.asterisk import FakeAsterisk, rung
from tests.fakes.asterisk.faults import FAULTS, Faults


@pytest.fixture(scope="module")
def asterisk() -> Iterator[FakeAsterisk]:
    with FakeAsterisk(speed=10) as fake:
        yield fake


@pytest.fixture
async def side(asterisk: FakeAsterisk) -> AsyncIterator[Side]:
    agi = Agi()
    async with agi.listening(asterisk.agi_port):
        yield side_of(asterisk, agi)
    asterisk.heal()


@pytest.fixture
async def ami(side: Side) -> AsyncIterator[Ami]:
    async with Ami.linked(side.asterisk.ami_port) as link:
        yield await side.logged_in(link)


def _rung(side: Side, ident: str) -> int:
    return sum(one.channel_id == ident for one in rung(side.asterisk.carrier_log))


def _originate(side: Side, ami: Ami, ident: str, key: str = "busy") -> None:
    """Without waiting for an answer."""
    fields = {"Context": "voxgate-answered", "Exten": "60", "Priority": "1", "Timeout": "10000", "Async": "true"}
    ami.write({"Action": "Originate", "ActionID": ident, "ChannelId": ident, "Channel": side.way(key), **fields})


async def _ended(ami: Ami) -> None:
    async with asyncio.timeout(5):
        await ami.ended.wait()


async def test_cut(side: Side, ami: Ami) -> None:
    ident = await side.originate(ami, "rings")
    side.asterisk.fault("cut", seconds=0.5)
    await _ended(ami)
    assert await Ami.refused(side.asterisk.ami_port)
    await asyncio.sleep(0.6)
    async with Ami.linked(side.asterisk.ami_port) as other:
        await side.logged_in(other)
        assert [one["Uniqueid"] for one in await side.channels(other)] == [ident]  # the call went on
        await other.ask("Hangup", Channel=ident)
        await other.event("Hangup", Uniqueid=ident)


@pytest.mark.parametrize(("fault", "phones"), [("cut_in_originate", 0), ("cut_in_answer", 1)])
async def test_a_link_that_is_cut_around_an_originate(side: Side, ami: Ami, fault: str, phones: int) -> None:
    side.asterisk.fault(fault)
    ident = side.attempt()
    _originate(side, ami, ident)
    await _ended(ami)
    await asyncio.sleep(0.3)
    assert _rung(side, ident) == phones
    assert ami.told(ident) == []  # no whole answer, and no event


async def test_a_stall_takes_and_tells_nothing_and_then_everything(side: Side, ami: Ami) -> None:
    busy = await side.originate(ami, "rings")
    side.asterisk.fault("stall", seconds=1.0)
    ident = side.attempt()
    _originate(side, ami, ident)
    await asyncio.sleep(0.5)
    assert _rung(side, ident) == 0
    assert ami.told(ident) == []
    await ami.event("Hangup", Uniqueid=ident)
    assert _rung(side, ident) == 1
    await ami.ask("Hangup", Channel=busy)


async def test_a_slow_link_is_late_and_in_order(side: Side, ami: Ami) -> None:
    side.asterisk.fault("slow", delay=0.3)
    began = time.monotonic()
    ident = await side.originate(ami, "busy")
    assert time.monotonic() - began >= 0.3
    await ami.event("Hangup", Uniqueid=ident)
    side.asterisk.heal("slow")
    assert [one["Event"] for one in ami.told(ident)] == ["Newchannel", "OriginateResponse", "Hangup"]


async def test_events_twice(side: Side, ami: Ami) -> None:
    side.asterisk.fault("duplicate", times=0)
    ident = await side.originate(ami, "busy")
    await asyncio.sleep(0.3)
    names = ["Newchannel"] * 2 + ["OriginateResponse"] * 2 + ["Hangup"] * 2
    assert [one["Event"] for one in ami.told(ident)] == names
    assert _rung(side, ident) == 1


async def test_events_out_of_order(side: Side, ami: Ami) -> None:
    side.asterisk.fault("reorder", event="OriginateResponse")
    ident = await side.originate(ami, "busy")
    await asyncio.sleep(0.3)
    assert [one["Event"] for one in ami.told(ident)] == ["Newchannel", "Hangup", "OriginateResponse"]


async def test_events_that_are_lost(side: Side, ami: Ami) -> None:
    side.asterisk.fault("lose", event="Hangup")
    lost, told = await side.originate(ami, "busy"), await side.originate(ami, "busy")
    await asyncio.sleep(0.3)
    ended = [one for one in (lost, told) if "Hangup" in [event["Event"] for event in ami.told(one)]]
    assert len(ended) == 1
    assert await side.channels(ami) == []


@pytest.mark.parametrize("key", ["busy", "person"])
async def test_a_response_that_overtakes_its_channel(side: Side, ami: Ami, key: str) -> None:
    side.asterisk.fault("response_first")
    ident = await side.originate(ami, key)
    await ami.event("Newchannel", Uniqueid=ident)
    assert [one["Event"] for one in ami.told(ident)][:2] == ["OriginateResponse", "Newchannel"]
    if key == "person":
        (await side.agi.session(ident)).drop()
    await ami.event("Hangup", Uniqueid=ident)


async def test_an_originate_that_is_refused(side: Side, ami: Ami) -> None:
    side.asterisk.fault("refuse_originate")
    ident = side.attempt()
    said = await ami.ask("Originate", ActionID=ident, ChannelId=ident, Channel=side.way("busy"))
    assert said["Response"] == "Error"
    await asyncio.sleep(0.2)
    assert _rung(side, ident) == 0


async def test_an_originate_of_which_nothing_more_is_heard(side: Side, ami: Ami) -> None:
    side.asterisk.fault("originate_unheard")
    ident = await side.originate(ami, "busy")
    await asyncio.sleep(0.3)
    assert ami.told(ident) == []
    assert _rung(side, ident) == 0


async def test_an_asterisk_that_is_shutting_down_until_it_is_healed(side: Side, ami: Ami) -> None:
    side.asterisk.fault("shutting_down")
    assert (await ami.ask("Ping"))["Message"] == "Asterisk is shutting down"
    assert (await ami.ask("Ping"))["Message"] == "Asterisk is shutting down"
    side.asterisk.heal("shutting_down")
    assert (await ami.ask("Ping"))["Response"] == "Success"


async def test_a_login_that_is_refused(side: Side, ami: Ami) -> None:
    side.asterisk.fault("refuse_login")
    async with Ami.linked(side.asterisk.ami_port) as other:
        said = await other.ask("Login", Username="voxgate", Secret=side.asterisk.ami_secret)
        assert said["Message"] == "Authentication failed"
        await _ended(other)


@pytest.mark.parametrize("command", [1, 3, "CHANNEL STATUS", "EXEC"])
async def test_a_session_that_dies_at_a_command(side: Side, ami: Ami, command: object) -> None:
    side.asterisk.fault("agi_dies", command=command)
    ident = await side.originate(ami, "silent")
    session = await side.agi.session(ident)
    answers = [await session.command(line) for line in ("NOOP", "CHANNEL STATUS", 'EXEC NoOp ""')]
    dies = {1: 0, 3: 2, "CHANNEL STATUS": 1, "EXEC": 2}[command]
    assert [answer != "" for answer in answers] == [n < dies for n in range(3)]
    assert (await ami.event("Hangup", Uniqueid=ident))["Cause"] == "16"


async def test_a_session_that_never_answers(side: Side, ami: Ami) -> None:
    side.asterisk.fault("agi_silent", command=1)
    ident = await side.originate(ami, "silent")
    session = await side.agi.session(ident)
    session.write("NOOP")
    with pytest.raises(TimeoutError):
        await session.line(0.5)
    session.drop()
    await ami.event("Hangup", Uniqueid=ident)


async def test_an_answered_call_that_never_reaches_its_session(side: Side, ami: Ami) -> None:
    side.asterisk.fault("agi_never")
    ident = await side.originate(ami, "silent", Exten="1")
    await ami.event("OriginateResponse", ActionID=ident)
    await ami.event("Hangup", Uniqueid=ident)
    assert ident not in side.agi.sessions


async def test_a_tap_that_dies_and_one_that_never_comes(side: Side, ami: Ami) -> None:
    ident = await side.originate(ami, "silent")
    session = await side.agi.session(ident)
    fields = {"Context": "voxgate-tap", "Exten": ident, "Priority": "1", "Async": "true"}
    async with Tap().listening() as dying, Tap().listening() as missing:
        side.asterisk.fault("tap_dies", after=0.3)
        await ami.ask("Originate", Channel=dying.way, **fields)
        await asyncio.sleep(0.1)
        side.asterisk.fault("tap_never")
        await ami.ask("Originate", Channel=missing.way, **fields)
        async with asyncio.timeout(3):
            await dying.ended.wait()
        assert dying.heard
        assert missing.kinds == []
    session.drop()
    await ami.event("Hangup", Uniqueid=ident)


async def test_a_kill_forgets_every_channel_and_keeps_the_carriers_log(side: Side, ami: Ami) -> None:
    ident = await side.originate(ami, "rings")
    side.asterisk.restart()
    await _ended(ami)
    assert side.asterisk.state()["channels"] == []
    assert _rung(side, ident) == 1
    assert "Hangup" not in [one["Event"] for one in ami.told(ident)]


def test_an_unknown_fault_is_refused(asterisk: FakeAsterisk) -> None:
    with pytest.raises(ValueError, match="no fault 'rain'"):
        asterisk.fault("rain")


def test_a_chance_is_drawn_from_the_seed() -> None:
    def drawn(seed: int) -> list[bool]:
        faults = Faults(seed)
        faults.set("lose", times=0, chance=0.5)
        return [faults.strike("lose", event="Hangup") is not None for _ in range(64)]

    assert drawn(7) == drawn(7) != drawn(8)
    assert 16 < sum(drawn(7)) < 48


def test_every_fault_is_tried_here() -> None:
    tried = Path(__file__).read_text()
    assert [name for name in FAULTS if f'"{name}"' not in tried] == []
