"""Checks what installations get wrong, each finding with its mend."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from gateway.adapters.ami.link import AmiError, AmiLoginRefused, Link
from gateway.cli.doctor.files import examine_files
from gateway.cli.doctor.finding import Finding, State, fault, good
from gateway.cli.doctor.selfcall import TIMEOUT, self_call
from gateway.settings import Config

__all__ = ["Finding", "State", "examine"]

LOW_DISK = 1024**3


async def examine(config: Config, asterisk_etc: Path) -> list[Finding]:
    """Every finding, in the order in which things depend on each other. ``asterisk_etc`` is Asterisk's folder."""
    findings = [*_configuration(config), *_folders(config), *examine_files(config, asterisk_etc)]
    link = Link(
        config.ami.host, config.ami.port, frozenset({"FullyBooted", "CoreShowChannelsComplete"}), lambda event: None
    )
    try:
        await link.open(config.ami.user, config.ami.secret, TIMEOUT)
    except AmiLoginRefused as error:
        return [*findings, fault("AMI login", str(error))]
    except AmiError as error:
        mend = f"{error}. Is Asterisk running, has manager.conf enabled = yes, and does [ami] name its host and port?"
        return [*findings, fault("AMI connection", mend)]
    findings.append(good(f"AMI login at {config.ami.host}:{config.ami.port}"))
    try:
        findings += await _rights(link)
        findings += await self_call(config, link)
    finally:
        link.close()
    return findings


def _configuration(config: Config) -> list[Finding]:
    findings = [good("configuration is read and consistent")]
    if not config.trunk or not config.route:
        findings.append(fault("no trunk or no route", "add a [[trunk]] and a [[route]]: nothing can be dialed"))
    for trunk in config.trunk:
        if trunk.dial.startswith("Local/"):
            lost = "its SIP causes are lost behind Local/: busy, out of service and declined may all look alike"
            findings.append(good(f"trunk {trunk.name} dials {trunk.dial}", f"{lost}; dial PJSIP/… where you can"))
    return findings


def _folders(config: Config) -> list[Finding]:
    findings = []
    for name, text in (("database", str(Path(config.database.path).parent)), ("media", config.media.gateway_dir)):
        folder = Path(text)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=folder):
                pass
        except OSError as error:
            findings.append(fault(f"{name} folder {folder}", f"{error}: let the gateway's user write there"))
            continue
        free = shutil.disk_usage(folder).free
        mend = f"only {free // 1024**2} MB are free on its disk"
        findings.append(
            Finding.of(free >= LOW_DISK, f"{name} folder {folder} is writable, {free // 1024**3} GB free", mend)
        )
    return findings


async def _rights(link: Link) -> list[Finding]:
    """Whether the AMI user may do what the gateway does, and not more."""
    findings = []
    for action, right in (("CoreStatus", "reporting"), ("CoreShowChannels", "reporting"), ("Hangup", "call")):
        answer = await link.ask({"Action": action, "Channel": "vg-doctor-none"}, TIMEOUT)
        denied = "permission denied" in answer.message.lower()
        mend = f"give the AMI user write = call,originate,reporting: {right} is missing"
        findings.append(Finding.of(not denied, f"AMI right {right} ({action})", mend))
    answer = await link.ask({"Action": "Command", "Command": "core show version"}, TIMEOUT)
    mend = "the AMI user may run console commands: take command and system out of its write line"
    findings.append(Finding.of(not answer.success, "the AMI user has no more rights than it needs", mend))
    return findings
