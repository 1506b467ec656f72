"""A real call to a number of the operator's own: what the carrier answers, and whether both sides hear each other."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import secrets

from gateway.adapters.ami.link import AmiError
from gateway.cli.doctor import troubles
from gateway.cli.doctor.finding import Finding, good, skipped
from gateway.cli.doctor.host import Host
from gateway.cli.doctor.manager import Manager
from gateway.cli.doctor.nat import address_of_uri
from gateway.cli.doctor.visit import visited
from gateway.core.numbers import NumberError, parse_destination
from gateway.core.routes import NumberPolicy, Refused
from gateway.parts import router_of
from gateway.ports import AgiChannel, ChannelGone
from gateway.settings import Config

TIMEOUT = 5.0
RING = 45
#: Seconds of the answered call in which audio is counted, and in which the callee hears something.
LISTEN = 3.0
NOT_ACCEPTABLE = (488, 606)
WANTS_CREDENTIALS = (401, 407)


async def call_number(config: Config, manager: Manager, host: Host, number: str, country: str) -> list[Finding]:
    """Ring ``number`` by the routes and say what became of it. Its own trouble is no trouble of the installation."""
    try:
        target = parse_destination(number, country)
        way = router_of(config).resolve(target.kind, target.dialed, NumberPolicy(), country)
    except (NumberError, Refused) as error:
        return [skipped(f"the call to {number}", f"it may not be dialed: {error}")]
    token = f"vg-{config.installation}-doctor-{secrets.token_hex(4)}"
    findings: list[Finding] = []
    ended = asyncio.Event()

    async def handle(channel: AgiChannel) -> None:
        with contextlib.suppress(ChannelGone):
            findings.extend(await _heard(channel, number))
        ended.set()

    fields = {
        "Action": "Originate", "ActionID": token, "ChannelId": token, "Channel": way.dial_string, "Async": "true",
        "Context": "voxgate-doctor", "Exten": token, "Priority": "1", "Timeout": str(RING * 1000),
    }  # fmt: skip
    if way.trunk.caller_id:
        fields["CallerID"] = way.trunk.caller_id
    try:
        async with visited(config, token, handle, host):
            answer = await manager.link.ask(fields, TIMEOUT)
            if not answer.success:
                return [troubles.CALL_FAILED.found(number=number, trunk=way.trunk.name, why=answer.message)]
            over = asyncio.create_task(manager.hung_up(token))
            done = asyncio.create_task(ended.wait())
            await asyncio.wait((over, done), timeout=RING + 30, return_when=asyncio.FIRST_COMPLETED)
            if not ended.is_set() and not over.done():
                findings.append(troubles.CALL_FAILED.found(number=number, trunk=way.trunk.name, why="it never ended"))
            elif not ended.is_set():
                findings.append(_failed(over.result(), number, way.trunk.name))
            for task in (over, done):
                task.cancel()
            with contextlib.suppress(AmiError):
                await manager.link.ask({"Action": "Hangup", "Channel": token}, TIMEOUT)
    except OSError as error:
        return [troubles.AGI_PORT.found(port=config.agi.port, error=error.strerror)]
    return findings


def _failed(causes: tuple[int, int | None], number: str, trunk: str) -> Finding:
    cause, sip = causes
    told = f"SIP {sip}" if sip is not None else f"Q.850 cause {cause}"
    if sip in NOT_ACCEPTABLE or (sip is None and cause == 58):
        return troubles.CODECS.found(trunk=trunk, told=told)
    if sip in WANTS_CREDENTIALS:
        return troubles.CREDENTIALS.found(trunk=trunk, told=told)
    return troubles.CALL_FAILED.found(number=number, trunk=trunk, why=told)


async def _heard(channel: AgiChannel, number: str) -> list[Finding]:
    """On the answered channel: the counters of its RTP (RFC 3550), and the addresses in play."""
    await channel.stream_file("beep")
    await channel.wait_for_digit(round(LISTEN * 1000))
    signalled = address_of_uri(await channel.get_variable("CHANNEL(pjsip,target_uri)") or "")
    audio = _address(await channel.get_variable("CHANNEL(rtp,dest)"))
    received = await channel.get_variable("CHANNEL(rtcp,rxcount)")
    if received is None:
        return [skipped(f"the audio of {number}", "Asterisk does not count it: load func_channel.so, and dial PJSIP/…")]
    findings = [
        troubles.ONE_WAY.unless(
            int(received) > 0, f"{number} answers, and is heard ({received} RTP packets)", number=number, address=audio
        )
    ]
    if audio is not None and signalled is not None and audio != signalled and not audio.is_global:
        findings.append(troubles.PRIVATE_SDP.found(audio=audio, signalled=signalled))
    return findings or [good(f"{number} answers")]


def _address(text: str | None) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address of ``host:port``."""
    try:
        return ipaddress.ip_address((text or "").rpartition(":")[0].strip("[]"))
    except ValueError:
        return None
