"""What the gateway relies on of FastAGI, on the fake and on the real Asterisk."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from gateway.adapters.audio import wav_of_samples
from tests.contract.gear import Agi, Ami, Session
from tests.contract.sides import Side, side_of

DEAD = "511 Command Not Permitted on a dead channel or intercept routine"
KEYS = "0123456789*#ABCD"


@dataclass
class Answered:
    ident: str
    session: Session
    side: Side
    ami: Ami

    async def command(self, line: str) -> str:
        return await self.session.command(line)


@pytest.fixture
async def call(side: Side, ami: Ami) -> AsyncIterator[Answered]:
    """A person who answered and stays."""
    ident = await side.originate(ami, "silent")
    answered = Answered(ident, await side.agi.session(ident), side, ami)
    yield answered
    answered.session.drop()
    await ami.ask("Hangup", Channel=ident)
    await ami.event("Hangup", Uniqueid=ident)


async def test_a_session_says_whose_it_is(call: Answered) -> None:
    greeting = call.session.greeting
    assert greeting["agi_network_script"] == f"call/{call.ident}"
    assert greeting["agi_uniqueid"] == call.ident
    assert greeting["agi_context"] == "voxgate-answered"
    assert greeting["agi_callerid"] == "+15558675309"
    assert set(greeting) == {
        f"agi_{name}" for name in (
            "network", "network_script", "request", "channel", "language", "type", "uniqueid", "version", "callerid",
            "calleridname", "callingpres", "callingani2", "callington", "callingtns", "dnid", "rdnis", "context",
            "extension", "priority", "enhanced", "accountcode", "threadid",
        )
    }  # fmt: skip


async def test_what_each_command_answers(call: Answered) -> None:
    media = call.side.media
    for line, expected in (
        ('GET VARIABLE "UNIQUEID"', rf"200 result=1 \({call.ident}\)"),
        ('GET VARIABLE "NOPE"', "200 result=0"),
        ('SET VARIABLE "A" "b c"', "200 result=1"),
        ('GET VARIABLE "A"', r"200 result=1 \(b c\)"),
        ("CHANNEL STATUS", "200 result=6"),
        ("CHANNEL STATUS nope", "200 result=-1"),
        ("NOOP", "200 result=0"),
        ("NONSENSE", "510 Invalid or unknown command"),
        ('EXEC Nope "x"', "200 result=-2"),
        ('EXEC Wait "0.2"', "200 result=0"),
        ('STREAM FILE "beep" ""', r"200 result=0 endpos=\d+"),
        ('STREAM FILE "no/such/file" ""', "200 result=-1 endpos=0"),
        ("WAIT FOR DIGIT 200", "200 result=0"),
        (f'RECORD FILE "{media}/contract" "wav" "0123" 500 BEEP s=2', r"200 result=[01] \(timeout\) endpos=\d+"),
        ('RECORD FILE "/no/such/folder/x" "wav" "0" 500', r"200 result=-1 \(writefile\)"),
        ('SET VARIABLE "TONE_DETECT(1777,150,r)" ""', "200 result=1"),
        ('GET VARIABLE "TONE_DETECT(rx)"', r"200 result=1 \(0\)"),
        ('SET VARIABLE "TONE_DETECT(0,,x)" ""', "200 result=1"),
        ('EXEC SendDTMF "1w2"', "200 result=0"),
        ('VERBOSE "x" 1', "200 result=1"),
        ("ANSWER", "200 result=0"),
    ):
        said = await call.command(line)
        assert re.fullmatch(expected, said), (line, said)


@pytest.fixture
def prompt(asterisk: Any) -> str:
    """A file of two seconds, as the gateway shares its prompts."""
    path = asterisk.media / "contract-prompt.wav"
    path.write_bytes(wav_of_samples(bytes(2 * 16_000), 8000))
    return str(path.with_suffix(""))


async def test_a_prompt_is_played_to_its_end_or_to_a_key_that_it_lists(call: Answered, prompt: str) -> None:
    began = time.monotonic()
    said = await call.command(f'STREAM FILE "{prompt}" "0123D"')
    assert re.fullmatch(r"200 result=0 endpos=1\d{4}", said), said
    assert time.monotonic() - began > 1.5
    call.session.write(f'STREAM FILE "{prompt}" "0123D"')
    await asyncio.sleep(0.5)
    await call.ami.ask("PlayDTMF", Channel=call.ident, Digit="D", Receive="true", Duration="80")
    said = await call.session.line()
    place = re.fullmatch(r"200 result=68 endpos=(\d+)", said)
    assert place is not None and 0 < int(place[1]) < 14_000, said


async def test_a_hang_up_in_mid_prompt(call: Answered, prompt: str) -> None:
    call.session.write(f'STREAM FILE "{prompt}" ""')
    await asyncio.sleep(0.5)
    await call.ami.ask("Hangup", Channel=call.ident)
    said = await call.session.line()
    assert re.fullmatch(r"200 result=-1 endpos=\d+", said), said
    assert await call.session.line() == "HANGUP"


async def test_a_recording_is_a_file_as_long_as_it_took(call: Answered) -> None:
    began = time.monotonic()
    await call.command(f'RECORD FILE "{call.side.media}/long" "wav" "" 1000')
    lasted = time.monotonic() - began
    wav = (call.side.asterisk.media / "long.wav").read_bytes()
    assert wav[:4] == b"RIFF"
    assert 0.5 < (len(wav) - 44) / 16_000 < lasted + 0.3


async def test_a_digit_from_ami_ends_only_what_lists_it(call: Answered) -> None:
    fields = {"Channel": call.ident, "Digit": "D", "Receive": "true", "Duration": "80"}
    call.session.write("WAIT FOR DIGIT 9000")
    await asyncio.sleep(0.2)
    said = await call.ami.ask("PlayDTMF", **fields)
    assert (said["Response"], said["Message"]) == ("Success", "DTMF successfully queued")
    assert await call.session.line() == "200 result=68"
    event = await call.ami.event("DTMFEnd", Uniqueid=call.ident)
    assert (event["Digit"], event["Direction"]) == ("D", "Received")
    call.session.write(f'RECORD FILE "{call.side.media}/d" "wav" "0123" 1500')
    await asyncio.sleep(0.2)
    await call.ami.ask("PlayDTMF", **fields)
    assert "(timeout)" in await call.session.line()
    call.session.write(f'RECORD FILE "{call.side.media}/d" "wav" "0123D" 9000')
    await asyncio.sleep(0.2)
    await call.ami.ask("PlayDTMF", **fields)
    assert re.fullmatch(r"200 result=68 \(dtmf\) endpos=\d+", await call.session.line())


async def test_keys_are_told_by_ami_each_and_by_agi_where_a_command_listens(side: Side, ami: Ami) -> None:
    ident = await side.originate(ami, "person-keys")
    session = await side.agi.session(ident)
    first = await session.command("WAIT FOR DIGIT 15000")
    code = re.fullmatch(r"200 result=(\d+)", first)
    await ami.event("DTMFEnd", Uniqueid=ident)
    async with asyncio.timeout(10):
        while len(digits := [one["Digit"] for one in ami.told(ident) if one["Event"] == "DTMFEnd"]) < 4:
            await asyncio.sleep(0.05)
    assert code is not None
    assert chr(int(code[1])) == digits[0]
    assert {one["Direction"] for one in ami.told(ident) if one["Event"] == "DTMFEnd"} == {"Received"}
    session.drop()
    await ami.event("Hangup", Uniqueid=ident)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("WAIT FOR DIGIT 9000", "200 result=-1"),
        ('RECORD FILE "{media}/mid" "wav" "0" 9000 s=3', r"200 result=-1 \(hangup\) endpos=\d+"),
        ('EXEC Wait "5"', "200 result=-1"),
        ('EXEC AMD "4500,1200,1000,7000,120,200,3,1024,5000"', "200 result=0"),
    ],
)
async def test_a_hang_up_in_mid_command_ends_it_and_is_told_after(
    side: Side, ami: Ami, line: str, expected: str
) -> None:
    ident = await side.originate(ami, "hangs-up-at-once")
    session = await side.agi.session(ident)
    said = await session.command(line.format(media=side.media))
    assert re.fullmatch(expected, said), said
    assert await session.line() == "HANGUP"
    session.drop()
    hangup = await ami.event("Hangup", Uniqueid=ident)
    assert (hangup["Cause"], hangup["ChannelStateDesc"]) == ("16", "Up")
    assert "TechCause" not in hangup


async def test_amd_tells_of_a_hang_up(side: Side, ami: Ami) -> None:
    ident = await side.originate(ami, "hangs-up-at-once")
    session = await side.agi.session(ident)
    await session.command('EXEC AMD "4500,1200,1000,7000,120,200,3,1024,5000"')
    assert await session.line() == "HANGUP"
    assert await session.command('GET VARIABLE "AMDSTATUS"') == "200 result=1 (HANGUP)"
    session.drop()
    await ami.event("Hangup", Uniqueid=ident)


async def test_an_idle_session_is_told_and_the_channel_stays_until_the_session_ends(call: Answered) -> None:
    await call.ami.ask("Hangup", Channel=call.ident)
    assert await call.session.line() == "HANGUP"
    assert await call.command('STREAM FILE "beep" ""') == DEAD
    assert await call.command("CHANNEL STATUS") == DEAD
    assert await call.command("WAIT FOR DIGIT 100") == DEAD
    assert await call.command("HANGUP") == DEAD
    assert await call.command('GET VARIABLE "UNIQUEID"') == f"200 result=1 ({call.ident})"
    assert await call.command('SET VARIABLE "VOXGATE_DONE" "1"') == "200 result=1"
    await asyncio.sleep(0.3)
    assert "Hangup" not in [one["Event"] for one in call.ami.told(call.ident)]
    call.session.drop()
    assert (await call.ami.event("Hangup", Uniqueid=call.ident))["Cause"] == "0"


async def test_the_command_hangup_is_answered_and_then_told(call: Answered) -> None:
    assert await call.command("HANGUP") == "200 result=1"
    assert await call.session.line() == "HANGUP"


async def test_a_gateway_that_dies_while_the_channel_is_idle_ends_the_call(call: Answered) -> None:
    call.session.drop()
    hangup = await call.ami.event("Hangup", 5, Uniqueid=call.ident)
    assert hangup["Cause"] == "16"


async def test_a_gateway_that_dies_in_mid_prompt_ends_the_call(call: Answered) -> None:
    call.session.write("WAIT FOR DIGIT 9000")
    await asyncio.sleep(0.3)
    call.session.drop()
    hangup = await call.ami.event("Hangup", 5, Uniqueid=call.ident)
    assert hangup["Cause"] == "16"


async def test_an_application_outlasts_a_gateway_that_dies(call: Answered) -> None:
    call.session.write('EXEC Wait "1.5"')
    await asyncio.sleep(0.3)
    call.session.drop()
    await asyncio.sleep(0.5)
    assert "Hangup" not in [one["Event"] for one in call.ami.told(call.ident)]
    await call.ami.event("Hangup", 5, Uniqueid=call.ident)


async def test_the_limit_in_the_extension_ends_the_call(side: Side, ami: Ami) -> None:
    ident = await side.originate(ami, "silent", Exten="2")
    session = await side.agi.session(ident)
    began = time.monotonic()
    assert await session.command("WAIT FOR DIGIT 9000") == "200 result=-1"
    assert time.monotonic() - began > 1.5
    assert await session.line() == "HANGUP"
    session.drop()
    assert (await ami.event("Hangup", Uniqueid=ident))["Cause"] == "0"


async def test_without_a_gateway_the_callee_hears_a_notice_and_is_hung_up(asterisk: Any) -> None:
    side = side_of(asterisk, Agi())  # nobody listens
    async with Ami.linked(side.asterisk.ami_port) as link:
        await side.logged_in(link)
        ident = await side.originate(link, "silent")
        await link.event("OriginateResponse", ActionID=ident)
        began = time.monotonic()
        await asyncio.sleep(0.3)
        (row,) = await side.channels(link)
        assert row["Application"] == "Playback"
        hangup = await link.event("Hangup", Uniqueid=ident)
        assert hangup["Cause"] == "16"
        assert time.monotonic() - began > 1


async def test_a_transfer_is_told_and_its_leg_hung_up_by_name(call: Answered) -> None:
    call.session.write(f'EXEC Dial "{call.side.way("person")},30,g"')
    begun = await call.ami.event("DialBegin", Uniqueid=call.ident)
    answered = await call.ami.event("DialEnd", Uniqueid=call.ident)
    assert answered["DialStatus"] == "ANSWER"
    assert answered["DestChannel"] == begun["DestChannel"]
    said = await call.ami.ask("Hangup", Channel=begun["DestChannel"])
    assert said["Message"] == "Channel Hungup"
    assert await call.session.line() == "200 result=0"
    assert await call.command('GET VARIABLE "DIALSTATUS"') == "200 result=1 (ANSWER)"
    assert re.fullmatch(r"200 result=1 \(\d+\)", await call.command('GET VARIABLE "ANSWEREDTIME_MS"'))


@pytest.mark.parametrize(
    ("key", "status", "cause"), [("busy", "BUSY", "17"), ("not-found", "CHANUNAVAIL", "1"), ("rings", "NOANSWER", None)]
)
async def test_a_transfer_that_nobody_answers(call: Answered, key: str, status: str, cause: str | None) -> None:
    assert await call.command(f'EXEC Dial "{call.side.way(key)},2,g"') == "200 result=0"
    assert await call.command('GET VARIABLE "DIALSTATUS"') == f"200 result=1 ({status})"
    if cause is not None:
        assert await call.command('GET VARIABLE "HANGUPCAUSE"') == f"200 result=1 ({cause})"
