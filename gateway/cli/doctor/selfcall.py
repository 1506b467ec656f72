"""A call of Asterisk to itself that proves, over FastAGI, what a real call will need."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from gateway.adapters.ami.link import AmiError, Link
from gateway.cli.doctor import troubles
from gateway.cli.doctor.abilities import CHECKS, Check
from gateway.cli.doctor.finding import Finding, good
from gateway.cli.doctor.host import Host
from gateway.cli.doctor.visit import visited
from gateway.ports import AgiChannel, ChannelGone
from gateway.settings import Config

TIMEOUT = 5.0
REACH = 8.0
SELF_CALL = 30.0


@dataclass(slots=True)
class SelfCall:
    """``done`` tells whether the call was made, so that more can be judged by it."""

    findings: list[Finding] = field(default_factory=list)
    done: bool = False


async def self_call(config: Config, link: Link, host: Host, checks: Sequence[Check] = CHECKS) -> SelfCall:
    """Have Asterisk call itself, and try on that channel what ``checks`` try."""
    token = f"vg-{config.installation}-doctor-{secrets.token_hex(4)}"
    call = SelfCall()
    reached, ended = asyncio.Event(), asyncio.Event()

    async def handle(channel: AgiChannel) -> None:
        ground = replace(beside, channel=token, ask=lambda action: link.ask(action, TIMEOUT))
        reached.set()
        call.findings.append(good("Asterisk reaches FastAGI"))
        try:
            for check in checks:
                call.findings.append(await check(config, channel, ground))
        except ChannelGone:
            call.findings.append(troubles.SELF_CALL_LATE.found(seconds=SELF_CALL))
        ended.set()

    try:
        async with visited(config, token, handle, host) as beside:
            if beside.gateway:
                call.findings.append(good("the gateway runs, and lends the doctor its FastAGI"))
            answer = await link.ask(
                {
                    "Action": "Originate", "ActionID": token, "ChannelId": token, "Timeout": "5000", "Async": "true",
                    "Channel": "Local/answer@voxgate-doctor",
                    "Context": "voxgate-doctor", "Exten": token, "Priority": "1",
                },
                TIMEOUT,
            )  # fmt: skip
            if not answer.success:
                call.findings.append(_refused(config, answer.message))
                return call
            try:
                async with asyncio.timeout(REACH):
                    await reached.wait()
                call.done = True
                async with asyncio.timeout(SELF_CALL):
                    await ended.wait()
            except TimeoutError:
                call.findings.append(_late(config, reached=reached.is_set()))
            with contextlib.suppress(AmiError):
                await link.ask({"Action": "Hangup", "Channel": token}, TIMEOUT)
    except OSError as error:
        call.findings.append(troubles.AGI_PORT.found(port=config.agi.port, error=error.strerror))
        return call
    await asyncio.sleep(0.3)  # its last events
    return call


def _refused(config: Config, said: str) -> Finding:
    if "permission denied" in said.lower():
        wanted = "call,originate,reporting"
        return troubles.MANAGER_RIGHTS.found(user=config.ami.user, missing="originate", wanted=wanted)
    return troubles.SELF_CALL.found(said=said)


def _late(config: Config, *, reached: bool) -> Finding:
    if reached:
        return troubles.SELF_CALL_LATE.found(seconds=SELF_CALL)
    address = config.agi.advertise or f"{config.agi.host}:{config.agi.port}"
    return troubles.AGI_UNREACHED.found(address=address, port=address.rpartition(":")[2])
