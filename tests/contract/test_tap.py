"""What the gateway relies on of the media tap, on the fake and on the real Asterisk."""

from __future__ import annotations

import asyncio
import time

from tests.contract.gear import Ami, Tap
from tests.contract.sides import Side


async def _open(ami: Ami, tap: Tap, ident: str) -> None:
    said = await ami.ask(
        "Originate", Channel=tap.way, Context="voxgate-tap", Exten=ident, Priority="1", Timeout="5000", Async="true"
    )
    assert (said["Response"], said["Message"]) == ("Success", "Originate successfully queued")


async def _until(what: object, seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not what():  # type: ignore[operator]
            await asyncio.sleep(0.02)


async def test_a_tap_shows_its_uuid_hears_from_the_answer_on_and_ends_with_the_call(side: Side, ami: Ami) -> None:
    async with Tap().listening() as tap:
        ident = await side.originate(ami, "person")
        await ami.event("Newchannel", Uniqueid=ident)
        await _open(ami, tap, ident)
        await _until(lambda: tap.kinds)
        assert (tap.kinds[0], tap.first) == (1, tap.token.bytes)
        assert not tap.heard  # it rings, without early media
        session = await side.agi.session(ident)
        began = time.monotonic()
        await _until(lambda: len(tap.heard) >= 16_000)
        assert time.monotonic() - began > 0.5  # as time passes
        assert set(tap.kinds[1:]) == {0x10}
        rows = [one for one in await side.channels(ami) if one["Context"] == "voxgate-tap"]
        assert [(one["Exten"], one["Application"]) for one in rows] == [(ident, "ChanSpy")]
        session.drop()
        await ami.event("Hangup", Uniqueid=ident)
        async with asyncio.timeout(5):
            await tap.ended.wait()
    await _until(lambda: not tap.kinds or tap.ended.is_set())
    assert any(
        abs(int.from_bytes(tap.heard[n : n + 2], "little", signed=True)) > 1000 for n in range(0, len(tap.heard), 2)
    )


async def test_a_tap_of_a_call_that_is_gone_shows_its_uuid_and_ends(side: Side, ami: Ami) -> None:
    async with Tap().listening() as tap:
        await _open(ami, tap, "vg-none-1")
        async with asyncio.timeout(5):
            await tap.ended.wait()
        assert tap.kinds == [1]


async def test_a_tap_that_nobody_takes_costs_the_call_nothing(side: Side, ami: Ami) -> None:
    ident = await side.originate(ami, "person")
    await ami.event("Newchannel", Uniqueid=ident)
    await _open(ami, Tap(port=1), ident)
    session = await side.agi.session(ident)
    assert await session.command("CHANNEL STATUS") == "200 result=6"
    session.drop()
    await ami.event("Hangup", Uniqueid=ident)
