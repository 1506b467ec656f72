"""What the gateway relies on of AMI, on the fake and on the real Asterisk."""

from __future__ import annotations

import asyncio

import pytest

from tests.contract.gear import Ami
from tests.contract.sides import Side

_CHANNEL = {
    "Channel", "ChannelState", "ChannelStateDesc", "CallerIDNum", "CallerIDName", "ConnectedLineNum",
    "ConnectedLineName", "Language", "AccountCode", "Context", "Exten", "Priority", "Uniqueid", "Linkedid",
}  # fmt: skip
HEADERS = {
    "Newchannel": _CHANNEL,
    "Newstate": _CHANNEL,
    "DialState": {f"Dest{name}" for name in _CHANNEL} | {"DialStatus"},
    "OriginateResponse": {
        "ActionID", "Response", "Channel", "Context", "Exten", "Reason", "Uniqueid", "CallerIDNum", "CallerIDName",
    },
    "Hangup": _CHANNEL | {"Cause", "Cause-txt"},
    "DTMFEnd": _CHANNEL | {"Digit", "DurationMs", "Direction"},
}  # fmt: skip


async def test_nobody_is_heard_before_the_login(side: Side) -> None:
    async with Ami.linked(side.asterisk.ami_port) as link:
        assert link.banner.startswith("Asterisk Call Manager/")
        said = await link.ask("Ping")
        assert (said["Response"], said["Message"]) == ("Error", "Permission denied")


async def test_a_wrong_password_is_refused_and_the_link_closed(side: Side) -> None:
    async with Ami.linked(side.asterisk.ami_port) as link:
        said = await link.ask("Login", Username="voxgate", Secret="wrong")
        assert (said["Response"], said["Message"]) == ("Error", "Authentication failed")
        async with asyncio.timeout(5):
            await link.ended.wait()


async def test_a_login_is_followed_by_the_word_that_asterisk_is_booted(ami: Ami) -> None:
    booted = await ami.event("FullyBooted")
    assert booted["Status"] == "Fully Booted"


async def test_ping_and_core_status_are_answered(ami: Ami) -> None:
    said = await ami.ask("Ping")
    assert (said["Response"], said["Ping"]) == ("Success", "Pong")
    said = await ami.ask("CoreStatus")
    assert said["Response"] == "Success"
    assert len(said["CoreStartupDate"]) == len("2026-11-27")
    assert len(said["CoreStartupTime"]) == len("18:36:41")


@pytest.mark.parametrize(
    ("action", "fields", "message"),
    [
        ("Hangup", {}, "No such channel"),
        ("PlayDTMF", {"Digit": "D"}, "Channel not found"),
        ("Getvar", {"Variable": "X"}, "No such channel"),
        ("Status", {}, "No such channel"),
    ],
)
async def test_an_action_on_a_channel_that_is_gone(ami: Ami, action: str, fields: dict[str, str], message: str) -> None:
    said = await ami.ask(action, Channel="vg-none-1", **fields)
    assert (said["Response"], said["Message"]) == ("Error", message)


async def test_an_unknown_action_is_an_error(ami: Ami) -> None:
    said = await ami.ask("Nonsense")
    assert said["Response"] == "Error"
    assert said["Message"].startswith("Invalid/unknown command: Nonsense")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"Exten": "bogus"}, "Extension does not exist."),
        ({"Channel": ""}, "Channel not specified"),
        ({"Channel": "nonsense"}, "Invalid channel"),
    ],
)
async def test_an_originate_that_cannot_be_carried_out_is_refused(
    side: Side, ami: Ami, wrong: dict[str, str], message: str
) -> None:
    ident = side.attempt()
    fields = {
        "Channel": side.way("busy"),
        "Context": "voxgate-answered",
        "Exten": "60",
        "Priority": "1",
        "Async": "true",
    }
    said = await ami.ask("Originate", ActionID=ident, ChannelId=ident, **{**fields, **wrong})
    assert (said["Response"], said["Message"]) == ("Error", message)
    await asyncio.sleep(0.2)
    assert ami.told(ident) == []


async def test_an_unknown_endpoint_makes_no_channel(side: Side, ami: Ami) -> None:
    ident = await side.originate(ami, channel="PJSIP/+16175550100@nobody")
    said = await ami.event("OriginateResponse", ActionID=ident)
    assert (said["Response"], said["Reason"], said["Uniqueid"]) == ("Failure", "0", ident)
    await asyncio.sleep(0.3)
    assert [one["Event"] for one in ami.told(ident)] == ["OriginateResponse"]


@pytest.mark.parametrize(
    ("key", "cause", "code"),
    [
        ("busy", "17", "486"),
        ("not-found", "1", "404"),
        ("unavailable", "19", "480"),
        ("no-circuit", "34", "503"),
        ("declined", "21", "603"),
        ("unauthorized", "21", "401"),
    ],
)
async def test_a_refused_call(side: Side, ami: Ami, key: str, cause: str, code: str) -> None:
    ident = await side.originate(ami, key)
    hangup = await ami.event("Hangup", Uniqueid=ident)
    response = await ami.event("OriginateResponse", ActionID=ident)
    assert (hangup["Cause"], hangup["TechCause"]) == (cause, code)
    assert (response["Response"], response["Reason"], response["Uniqueid"]) == ("Failure", "0", ident)
    told = ami.told(ident)
    assert told[0]["Event"] == "Newchannel"
    assert sorted(one["Event"] for one in told[1:]) == ["Hangup", "OriginateResponse"]
    _whole(told)


async def test_a_phone_that_rings_until_our_timeout(side: Side, ami: Ami) -> None:
    ident = await side.originate(ami, "rings", Timeout="1500")
    hangup = await ami.event("Hangup", Uniqueid=ident)
    response = await ami.event("OriginateResponse", ActionID=ident)
    assert (hangup["Cause"], hangup["TechCause"]) == ("19", "480")
    assert (response["Response"], response["Reason"]) == ("Failure", "3")
    told = ami.told(ident)
    assert told[0]["Event"] == "Newchannel"
    assert {one["Event"] for one in told[1:3]} == {"DialState", "Newstate"}  # in either order
    assert (await ami.event("DialState", DestUniqueid=ident))["DialStatus"] == "RINGING"
    assert (await ami.event("Newstate", Uniqueid=ident))["ChannelStateDesc"] == "Ringing"
    _whole(told)


async def test_progress_without_ringing(side: Side, ami: Ami) -> None:
    ident = await side.originate(ami, "progress-only", Timeout="1500")
    await ami.event("Hangup", Uniqueid=ident)
    assert (await ami.event("DialState", DestUniqueid=ident))["DialStatus"] == "PROGRESS"
    assert "Newstate" not in [one["Event"] for one in ami.told(ident)]


async def test_a_silent_trunk_ends_by_our_timeout_without_a_sign_of_ringing(side: Side, ami: Ami) -> None:
    ident = await side.originate(ami, channel=f"PJSIP/{side.asterisk.silent_prefix}5550100@silent", Timeout="1500")
    hangup = await ami.event("Hangup", Uniqueid=ident)
    assert (hangup["Cause"], hangup["TechCause"]) == ("19", "480")
    assert (await ami.event("OriginateResponse", ActionID=ident))["Reason"] == "3"
    assert "DialState" not in [one["Event"] for one in ami.told(ident)]


async def test_an_answered_call_is_told_in_order_and_listed(side: Side, ami: Ami) -> None:
    ident = await side.originate(ami, "person")
    session = await side.agi.session(ident)
    response = await ami.event("OriginateResponse", ActionID=ident)
    assert (response["Response"], response["Reason"], response["Uniqueid"]) == ("Success", "4", ident)
    told = ami.told(ident)
    _whole(told)
    assert told[0]["Event"] == "Newchannel"
    assert [one["ChannelStateDesc"] for one in told if one["Event"] == "Newstate"] == ["Ringing", "Up"]
    assert {one["Event"] for one in told} == {"Newchannel", "DialState", "Newstate", "OriginateResponse"}
    (row,) = [one for one in await side.channels(ami) if one["Uniqueid"] == ident]
    assert (row["ChannelStateDesc"], row["Context"], row["Exten"], row["Application"]) == (
        "Up", "voxgate-answered", "60", "AGI",
    )  # fmt: skip
    assert set(row) >= _CHANNEL | {"Event", "ActionID", "Application", "ApplicationData", "Duration", "BridgeId"}
    said = await ami.ask("Getvar", Channel=ident, Variable="CHANNEL(state)")
    assert (said["Variable"], said["Value"]) == ("CHANNEL(state)", "Up")
    session.drop()
    await ami.event("Hangup", Uniqueid=ident)


async def test_a_ringing_channel_is_hung_up_by_its_id(side: Side, ami: Ami) -> None:
    ident = await side.originate(ami, "rings")
    await ami.event("Newstate", Uniqueid=ident)
    (row,) = [one for one in await side.channels(ami) if one["Uniqueid"] == ident]
    assert row["ChannelStateDesc"] == "Ringing"
    said = await ami.ask("Hangup", Channel=ident)
    assert (said["Response"], said["Message"]) == ("Success", "Channel Hungup")
    hangup = await ami.event("Hangup", Uniqueid=ident)
    assert hangup["Cause"] == "0"
    assert "TechCause" not in hangup
    assert (await ami.event("OriginateResponse", ActionID=ident))["Reason"] == "0"
    assert await side.channels(ami) == []


async def test_an_id_that_lives_rings_nobody_and_answers_with_the_live_call(side: Side, ami: Ami) -> None:
    ident = await side.originate(ami, "rings")
    await ami.event("Newstate", Uniqueid=ident)
    await side.originate(ami, "person", ident=ident, ActionID=f"{ident}-again")
    response = await ami.event("OriginateResponse", ActionID=f"{ident}-again")
    assert (response["Response"], response["Reason"], response["Uniqueid"]) == ("Failure", "0", ident)
    assert len(await side.channels(ami)) == 1
    await ami.ask("Hangup", Channel=ident)
    await ami.event("Hangup", Uniqueid=ident)


async def test_an_id_is_taken_again_once_its_call_has_ended(side: Side, ami: Ami) -> None:
    ident = await side.originate(ami, "busy")
    await ami.event("Hangup", Uniqueid=ident)
    await side.originate(ami, "busy", ident=ident, ActionID=f"{ident}-again")
    await ami.event("OriginateResponse", ActionID=f"{ident}-again")
    await asyncio.sleep(0.3)
    assert [one["Event"] for one in ami.told(ident)].count("Newchannel") == 2


async def test_calls_go_on_without_the_client(side: Side, ami: Ami) -> None:
    ident = await side.originate(ami, "rings")
    await ami.event("Newstate", Uniqueid=ident)
    async with Ami.linked(side.asterisk.ami_port) as other:
        await side.logged_in(other)
        assert [one["Uniqueid"] for one in await side.channels(other)] == [ident]
        await other.ask("Hangup", Channel=ident)
        await other.event("Hangup", Uniqueid=ident)


async def test_an_asterisk_that_stops_refuses_everything_then_ends_the_link_and_every_call(
    side: Side, ami: Ami
) -> None:
    ident = await side.originate(ami, "rings")
    await ami.event("Newstate", Uniqueid=ident)
    stopping = asyncio.create_task(asyncio.to_thread(side.begin_stop))
    refused = "Asterisk is shutting down"
    try:
        async with asyncio.timeout(8):
            while (await ami.ask("Ping")).get("Message") != refused:
                await asyncio.sleep(0.05)
        assert (await ami.ask("CoreShowChannels"))["Message"] == refused
        assert (await ami.ask("Hangup", Channel=ident))["Message"] == refused
        async with Ami.linked(side.asterisk.ami_port) as other:
            assert (await other.ask("Login", Username="voxgate", Secret=side.asterisk.ami_secret))["Message"] == refused
        await asyncio.to_thread(side.stop)
        async with asyncio.timeout(10):
            await ami.ended.wait()
        # What it still tells of its calls is no more than luck.
    finally:
        await stopping
        await asyncio.to_thread(side.stop)
        await asyncio.to_thread(side.start)
    async with Ami.linked(side.asterisk.ami_port) as other:
        await side.logged_in(other)
        assert await side.channels(other) == []


def _whole(told: list[dict[str, str]]) -> None:
    """Every event has the headers that it has on both sides, and no other."""
    for one in told:
        assert set(one) - {"TechCause"} == HEADERS[one["Event"]] | {"Event", "Privilege"}, one
