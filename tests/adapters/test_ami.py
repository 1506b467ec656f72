"""The AMI adapter against each defect of panoramisk 1.4 that it mends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from gateway.adapters.ami import AmiLoginRefused, AmiPbx, AmiSettings
from gateway.adapters.ami.link import Link
from gateway.core.model import AttemptId
from gateway.ports import Answered, DtmfReceived, HungUp, LinkDown, LinkUp, Originate, OriginateEnded, PbxEvent, Placed
from tests.fakes.ami import FakeAmi, Fields, message

ID = AttemptId("vg-abc-1")


def originate(**fields: str) -> Originate:
    return Originate(
        AttemptId(fields.get("id", ID)), "PJSIP/1@t", fields.get("caller_id"), "1", ring_timeout=10, max_call_seconds=60
    )


@asynccontextmanager
async def connected(fake: FakeAmi, **settings: float) -> AsyncIterator[tuple[AmiPbx, asyncio.Queue[PbxEvent]]]:
    fast = {"answer_timeout": 0.5, "ping_every": 0.2, "backoff": 0.05, **settings}
    async with fake.listening() as port:
        pbx = AmiPbx(AmiSettings("127.0.0.1", port, "u", "s", "abc", **fast))
        events: asyncio.Queue[PbxEvent] = asyncio.Queue()

        async def pump() -> None:
            async for event in pbx.events():
                events.put_nowait(event)

        tasks = [asyncio.create_task(pbx.run()), asyncio.create_task(pump())]
        try:
            assert isinstance(await asyncio.wait_for(events.get(), 5), LinkUp)
            yield pbx, events
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def test_an_originate_in_flight_when_the_link_drops_is_never_sent_again() -> None:
    async def cut(fake: FakeAmi, action: Fields) -> None:
        fake.cut()

    fake = FakeAmi(cut)
    async with connected(fake) as (pbx, events):
        placement = await pbx.originate(originate())
        assert placement.placed is Placed.UNSURE
        assert isinstance(await asyncio.wait_for(events.get(), 5), LinkDown)
        assert isinstance(await asyncio.wait_for(events.get(), 5), LinkUp)
        await asyncio.sleep(0.3)
        assert len(fake.sent("Originate")) == 1
        assert fake.connections == 2


async def test_while_disconnected_nothing_is_sent_and_nothing_is_kept_for_later() -> None:
    fake = FakeAmi()
    async with connected(fake, backoff=0.3) as (pbx, events):
        fake.cut()
        assert isinstance(await asyncio.wait_for(events.get(), 5), LinkDown)
        assert (await pbx.originate(originate())).placed is Placed.NOT_SENT
        assert isinstance(await asyncio.wait_for(events.get(), 5), LinkUp)
        await asyncio.sleep(0.1)
        assert fake.sent("Originate") == []


@pytest.mark.parametrize("poison", ["x\r\nAction: Hangup", "x\n\nAction: Ping", "x\0", "x" * 1001])
async def test_a_header_that_would_break_out_is_refused_before_anything_is_sent(poison: str) -> None:
    fake = FakeAmi()
    async with connected(fake) as (pbx, _):
        assert (await pbx.originate(originate(caller_id=poison))).placed is Placed.NOT_SENT
        await asyncio.sleep(0.1)
        assert fake.sent("Originate") == []
        assert fake.sent("Hangup") == []


async def test_an_unanswered_originate_is_unsure_and_its_late_answer_harms_nothing() -> None:
    held: list[Fields] = []

    async def hold(fake: FakeAmi, action: Fields) -> None:
        held.append(action)

    fake = FakeAmi(hold)
    async with connected(fake) as (pbx, events):
        assert (await pbx.originate(originate())).placed is Placed.UNSURE
        await fake.answer(held[0], Message="Originate successfully queued")
        fake.send(message(Event="Newstate", Uniqueid=ID, ChannelStateDesc="Up"))
        assert await asyncio.wait_for(events.get(), 5) == Answered(ID)
        assert pbx._link is not None
        assert all(key != ID for key in pbx._link.protocol.responses)  # nothing leaks


async def test_a_refusal_is_told_with_asterisks_words() -> None:
    async def refuse(fake: FakeAmi, action: Fields) -> None:
        fake.send(message(Response="Error", ActionID=action["ActionID"], Message="Extension does not exist."))

    async with connected(FakeAmi(refuse)) as (pbx, _):
        placement = await pbx.originate(originate())
        assert placement.placed is Placed.REFUSED
        assert "Extension does not exist." in placement.reason


async def test_a_silent_peer_is_noticed_and_replaced() -> None:
    fake = FakeAmi()
    async with connected(fake) as (_, events):
        fake.silent = True
        down = await asyncio.wait_for(events.get(), 5)
        assert isinstance(down, LinkDown)
        assert "Ping" in down.reason
        fake.silent = False
        assert isinstance(await asyncio.wait_for(events.get(), 5), LinkUp)


async def test_a_refused_login_is_a_clear_error_at_start() -> None:
    fake = FakeAmi(refuse=True)
    async with fake.listening() as port:
        pbx = AmiPbx(AmiSettings("127.0.0.1", port, "u", "secret!", "abc"))
        with pytest.raises(AmiLoginRefused, match="manager.conf") as caught:
            await asyncio.wait_for(pbx.run(), 5)
        assert "secret!" not in str(caught.value)


async def test_events_survive_any_split_of_the_bytes() -> None:
    fake = FakeAmi()
    async with connected(fake) as (_, events):
        data = message(Event="Hangup", Uniqueid=ID, CallerIDName="Zoë é", Cause=17, TechCause=486)
        for byte in data:
            fake.send(bytes([byte]))
            await asyncio.sleep(0)
        assert await asyncio.wait_for(events.get(), 5) == HungUp(ID, 17, 486)


async def test_a_malformed_event_costs_neither_the_link_nor_the_next_event() -> None:
    fake = FakeAmi()
    async with connected(fake) as (pbx, events):
        fake.send(b"Event: Hangup\r\nno colon here\r\nUniqueid\r\n\r\n" + b"\xff\xfe\r\n\r\n")
        fake.send(message(Event="DTMFEnd", Uniqueid=ID, Digit="5", Direction="Received"))
        assert await asyncio.wait_for(events.get(), 5) == DtmfReceived(ID, "5")
        assert pbx.connected


async def test_other_peoples_channels_and_sent_digits_are_not_ours() -> None:
    fake = FakeAmi()
    async with connected(fake) as (_, events):
        fake.send(message(Event="Hangup", Uniqueid="1700000000.1", Cause=16))
        fake.send(message(Event="DTMFEnd", Uniqueid=ID, Digit="1", Direction="Sent"))
        fake.send(
            message(Event="OriginateResponse", ActionID=ID, Uniqueid="vg-abc-other", Response="Failure", Reason=0)
        )
        assert await asyncio.wait_for(events.get(), 5) == OriginateEnded(ID, False, 0)
        assert events.empty()


async def test_closing_during_the_reconnect_wait_does_not_reconnect() -> None:
    fake = FakeAmi()
    async with fake.listening() as port:
        pbx = AmiPbx(AmiSettings("127.0.0.1", port, "u", "s", "abc", backoff=0.2))
        running = asyncio.create_task(pbx.run())
        while fake.connections == 0 or not pbx.connected:
            await asyncio.sleep(0.01)
        fake.cut()
        await asyncio.sleep(0.05)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await asyncio.sleep(0.5)
        assert fake.connections == 1


async def test_an_originate_without_async_costs_not_the_link() -> None:
    """panoramisk looks for its Async field when the answer comes, and drops the connection where there is none."""

    async def answer(fake: FakeAmi, action: Fields) -> None:
        await fake.answer(action, Message="Originate successfully queued")

    fake = FakeAmi(answer)
    heard: list[str] = []
    async with fake.listening() as port:
        link = Link("127.0.0.1", port, frozenset({"Hangup"}), lambda event: heard.append(event.event))
        await link.open("u", "s", 1)
        fields = {"Action": "Originate", "Channel": "Local/1@x", "Application": "Wait"}
        assert (await link.ask(fields, 1)).success
        fake.send(message(Event="Hangup", Uniqueid=ID, Cause=16))
        assert (await link.ask({"Action": "Ping"}, 1)).success
        assert heard == ["Hangup"]
        assert not link.lost.is_set()
        link.close()


async def test_whether_asterisk_answers_is_asked_once_in_a_while_and_known_in_time() -> None:
    fake = FakeAmi()
    async with connected(fake, answer_timeout=5.0, ping_every=60.0) as (pbx, _):
        assert await pbx.answers(1.0)
        before = len(fake.sent("Ping"))
        assert await pbx.answers(1.0)
        assert len(fake.sent("Ping")) == before  # it has just answered
        await asyncio.sleep(0.15)
        fake.silent = True
        assert not await pbx.answers(0.05)
        assert pbx.connected  # the link is not given up for it
        fake.silent = False
        assert await pbx.answers(1.0)
        assert fake.connections == 1
