"""Checks what installations get wrong, each trouble with its mend."""

from __future__ import annotations

from pathlib import Path

from gateway.cli.doctor.certificates import examine_certificate
from gateway.cli.doctor.files import examine_files
from gateway.cli.doctor.finding import Finding, State
from gateway.cli.doctor.history import examine_history
from gateway.cli.doctor.host import Host, examine_host
from gateway.cli.doctor.manager import examine_events, examine_manager, logged_in
from gateway.cli.doctor.selfcall import self_call
from gateway.cli.doctor.testcall import call_number
from gateway.settings import Config

__all__ = ["Finding", "Host", "State", "examine"]


async def examine(
    config: Config, asterisk_etc: Path, host: Host | None = None, number: str | None = None, country: str = "US"
) -> list[Finding]:
    """Every finding, in the order in which things depend on each other. ``asterisk_etc`` is Asterisk's folder.

    Nobody's phone rings, but that of ``number`` where one is given.
    """
    host = host or Host()
    findings = [*examine_host(config, host), *examine_certificate(config, host), *examine_files(config, asterisk_etc)]
    findings += examine_history(config)
    async with logged_in(config, findings, host) as manager:
        if manager is not None:
            findings += await examine_manager(config, manager)
            called = await self_call(config, manager.link, host)
            findings += called.findings
            if called.done:
                findings.append(examine_events(manager))
                if number is not None:
                    findings += await call_number(config, manager, host, number, country)
    return findings
