"""Asterisk over AMI: whether it can be reached and logged in to, what the user may do, its age, and its trunks."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from panoramisk.message import Message

from gateway.adapters.ami.link import AmiError, AmiLoginRefused, AmiTimeout, Link
from gateway.adapters.tls import TlsRefused, client_context
from gateway.cli.doctor import troubles
from gateway.cli.doctor.certificates import judged
from gateway.cli.doctor.finding import Finding, good, skipped
from gateway.cli.doctor.host import Host
from gateway.settings import Config

TIMEOUT = 5.0
#: What a call is told by; the rest of it may come or not.
HEARD = frozenset({"Newchannel", "Newstate", "Hangup", "OriginateResponse"})
_LISTS = frozenset(
    {
        "FullyBooted", "CoreShowChannelsComplete", "OutboundRegistrationDetail", "OutboundRegistrationDetailComplete",
        "DeviceStateChange", "DeviceStateListComplete",
    }
)  # fmt: skip
#: From these releases on of each branch, Hangup carries the carrier's SIP answer (TechCause).
TECH_CAUSE_SINCE = {20: 17, 22: 7, 23: 1}
OLDEST = 20
_ENDPOINT = re.compile(r"PJSIP/(?:[^@]*@)?([^/@]+)(?:/.*)?$")


@dataclass(slots=True)
class Manager:
    """A logged-in link, and the call events that came since the login."""

    link: Link
    events: list[Message]
    news: asyncio.Event

    async def hung_up(self, uniqueid: str) -> tuple[int, int | None]:
        """Wait for a channel's end: its Q.850 cause, and the SIP code where Asterisk tells it."""
        while True:
            for event in self.events:
                if event.event == "Hangup" and event.uniqueid == uniqueid:
                    tech = event.techcause
                    return int(event.cause or 0), int(tech) if tech.isdigit() else None
            self.news.clear()
            await self.news.wait()


@asynccontextmanager
async def logged_in(config: Config, findings: list[Finding], host: Host | None = None) -> AsyncIterator[Manager | None]:
    """Log in, and add what was found; None where nothing more can be asked."""
    ami = config.ami
    address = f"{ami.host}:{ami.port}"
    try:
        tls = client_context(ami.ca) if ami.tls else None
        ends = await _greeted(ami.host, ami.port, address, tls)
    except TlsRefused as error:
        findings.append(troubles.AMI_TLS.found(address=address, error=error))
        yield None
        return
    except _NotAmi as trouble:
        findings.append(trouble.finding)
        yield None
        return
    if ends is not None:
        findings.append(judged("the certificate of Asterisk's AMI", ends, host or Host()))
    events: list[Message] = []
    news = asyncio.Event()

    def hear(event: Message) -> None:
        if event.event in HEARD:
            events.append(event)
            news.set()

    link = Link(ami.host, ami.port, HEARD | _LISTS, hear, tls)
    try:
        await link.open(ami.user, ami.secret, TIMEOUT)
    except AmiLoginRefused as error:
        findings.append(troubles.AMI_LOGIN.found(user=ami.user, said=str(error).partition(": ")[2].partition(". ")[0]))
        yield None
    except AmiError as error:
        findings.append(troubles.AMI_SILENT.found(address=address, error=error))
        yield None
    else:
        findings.append(good(f"AMI login at {address}"))
        yield Manager(link, events, news)
    finally:
        link.close()


class _NotAmi(Exception):
    """What answers there, or does not, is not AMI; ``finding`` is the trouble."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.what)
        self.finding = finding


async def _greeted(host: str, port: int, address: str, tls: ssl.SSLContext | None) -> float | None:
    """Be greeted by AMI; when its certificate ends, in Unix time, where it has one. Raises :class:`_NotAmi`."""
    try:
        async with asyncio.timeout(TIMEOUT):
            reader, writer = await asyncio.open_connection(host, port, ssl=tls)
    except ConnectionRefusedError:
        raise _NotAmi(troubles.AMI_REFUSED.found(address=address)) from None
    except ssl.SSLError as error:
        raise _NotAmi(troubles.AMI_TLS.found(address=address, error=error)) from None
    except (OSError, TimeoutError) as error:
        why = str(error) or f"no connection within {TIMEOUT:g} s"
        raise _NotAmi(troubles.AMI_SILENT.found(address=address, error=why)) from None
    try:
        async with asyncio.timeout(TIMEOUT):
            line = (await reader.read(80)).decode("ascii", "replace")
    except (OSError, TimeoutError):
        raise _NotAmi(troubles.AMI_SILENT.found(address=address, error=f"no greeting within {TIMEOUT:g} s")) from None
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
    if not line.startswith("Asterisk Call Manager/"):
        greeting = repr(line.strip()[:40]) if line else "nothing, and closes"
        raise _NotAmi(troubles.AMI_OTHER.found(address=address, greeting=greeting))
    certificate = writer.get_extra_info("peercert") or {}
    return ssl.cert_time_to_seconds(certificate["notAfter"]) if "notAfter" in certificate else None


async def examine_manager(config: Config, manager: Manager) -> list[Finding]:
    """Rights, version and trunks, before anything is called."""
    link = manager.link
    return [*await _rights(config, link), await _version(link), *await _trunks(config, link)]


async def _rights(config: Config, link: Link) -> list[Finding]:
    """Whether the AMI user may do what the gateway does, and not more."""
    findings, wanted, user = [], "call,originate,reporting", config.ami.user
    # Originate's own right shows when Asterisk calls itself.
    for action, right in (("CoreShowChannels", "reporting"), ("Hangup", "call")):
        answer = await link.ask({"Action": action, "Channel": "vg-doctor-none"}, TIMEOUT)
        denied = "permission denied" in answer.message.lower()
        works = f"the AMI user has the right {right} ({action})"
        findings.append(troubles.MANAGER_RIGHTS.unless(not denied, works, user=user, missing=right, wanted=wanted))
    answer = await link.ask({"Action": "Command", "Command": "core show version"}, TIMEOUT)
    works = "the AMI user has no more rights than it needs"
    findings.append(
        troubles.MANAGER_MORE_RIGHTS.unless(not answer.success, works, more="command and system", wanted=wanted)
    )
    return findings


async def _version(link: Link) -> Finding:
    answer = await link.ask({"Action": "CoreSettings"}, TIMEOUT)
    version = answer.asteriskversion
    found = re.match(r"(?:certified[/-])?(\d+)\.(\d+)", version)
    if found is None:
        return skipped("Asterisk's version", f"it tells {version!r}")
    major, minor = int(found[1]), int(found[2])
    if major < OLDEST:
        return troubles.TOO_OLD.found(version=version)
    since = TECH_CAUSE_SINCE.get(major, 0 if major > max(TECH_CAUSE_SINCE) else 10**6)
    return troubles.TECH_CAUSE.unless(minor >= since, f"Asterisk {version}", version=version)


async def _trunks(config: Config, link: Link) -> list[Finding]:
    """Each PJSIP trunk's endpoint, its registration where it has one, and its state where Asterisk tells it."""
    findings = []
    registrations = await _rows(link, "PJSIPShowRegistrationsOutbound", "OutboundRegistrationDetail")
    states = {one.device: one.state for one in await _rows(link, "DeviceStateList", "DeviceStateChange")}
    for trunk in config.trunk:
        found = _ENDPOINT.match(trunk.dial.replace("{number}", ""))
        if found is None or "{number}" in trunk.dial.rpartition("@")[2]:
            continue  # a phone of its own for each number, or another technology
        endpoint = found[1]
        answer = await link.ask({"Action": "PJSIPQualify", "Endpoint": endpoint}, TIMEOUT)
        if not answer.success and "unable to retrieve endpoint" in answer.message.lower():
            findings.append(troubles.TRUNK_UNKNOWN.found(trunk=trunk.name, endpoint=endpoint))
            continue
        mine = [one for one in registrations if endpoint in (one.endpoint, one.objectname)]
        bad = [one for one in mine if one.status != "Registered"]
        state = states.get(f"PJSIP/{endpoint}", "")
        if bad:
            findings.append(
                troubles.TRUNK_UNREGISTERED.found(trunk=trunk.name, server=bad[0].serveruri, status=bad[0].status)
            )
        elif state in ("UNAVAILABLE", "INVALID"):
            findings.append(troubles.TRUNK_UNREACHABLE.found(trunk=trunk.name, state=state))
        else:
            findings.append(good(f"trunk {trunk.name}: the endpoint {endpoint} is there" + ", registered" * bool(mine)))
    return findings


async def _rows(link: Link, action: str, event: str) -> list[Message]:
    """The rows of a list; none where this Asterisk, or the user, cannot be asked for it."""
    answer = await link.ask({"Action": "ListCommands"}, TIMEOUT)
    if not answer.get(action.lower(), answer.get(action)):
        return []
    try:
        rows = await link.ask_list({"Action": action}, TIMEOUT)
    except AmiTimeout:
        return []
    return [row for row in rows if row.event == event]


def examine_events(manager: Manager) -> Finding:
    """Whether AMI told of the call that Asterisk made to itself."""
    missing = sorted(HEARD - {one.event for one in manager.events})
    return troubles.AMI_EVENTS.unless(not missing, "AMI tells of our calls", missing=", ".join(missing))
