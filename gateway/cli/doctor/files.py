"""Asterisk's own files: whether they say what the gateway needs, before anything is dialed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from gateway.adapters.asteriskfiles import FileFault, Items, read
from gateway.cli.doctor import troubles
from gateway.cli.doctor.finding import Finding, good, skipped
from gateway.cli.doctor.nat import examine_nat
from gateway.cli.init import asterisk_conf
from gateway.settings import Config

Sections = dict[str, Items]

TRUE = {"yes", "true", "y", "t", "1", "on"}
NEEDED_RIGHTS = {"call", "originate", "reporting"}
#: Without these the gateway hears nothing of calls, digits and Asterisk's start.
NEEDED_READS = {"call", "dtmf", "system"}
#: Rights with which whoever holds the password can run programs or change the configuration.
DANGEROUS_RIGHTS = {"all", "system", "command", "config"}
_AGI = re.compile(r"\bAGI\(agi://([^/)]+)/")
_INSTALLATION = re.compile(r"\bvg-([a-z0-9]{1,16})-")


def examine_files(config: Config, folder: Path) -> list[Finding]:
    """``folder`` is Asterisk's ``astetcdir``, usually /etc/asterisk."""
    if not folder.is_dir():
        why = "no such folder here: name Asterisk's by --asterisk-etc, or run the doctor on Asterisk's host"
        return [skipped(f"Asterisk's files in {folder}", why)]
    checks: tuple[tuple[str, Callable[[Config, Sections], list[Finding]]], ...] = (
        ("manager.conf", _manager),
        ("extensions.conf", _extensions),
        ("modules.conf", _modules),
        ("pjsip.conf", examine_nat),
    )
    findings = []
    for name, check in checks:
        try:
            findings += check(config, read(folder, name))
        except FileFault as error:
            if "Permission denied" in str(error):
                findings.append(skipped(name, f"{error}: run the doctor as a user who may read it"))
            elif name == "pjsip.conf" and not (folder / name).exists():
                findings.append(skipped(name, f"{error}: trunks of another technology are not looked at"))
            else:
                findings.append(troubles.FILE.found(error=error))
    return findings


def _manager(config: Config, sections: Sections) -> list[Finding]:
    general, ami = dict(sections.get("general", [])), config.ami
    port = general.get("port", "5038")
    findings = [
        troubles.MANAGER_DISABLED.unless(general.get("enabled", "no").lower() in TRUE, "manager.conf: AMI is enabled"),
        troubles.MANAGER_PORT.unless(
            port == str(ami.port), f"manager.conf: AMI listens at port {port}", theirs=port, ours=ami.port
        ),
    ]
    user = sections.get(ami.user)
    if user is None:
        return [*findings, troubles.MANAGER_USER.found(user=ami.user)]
    values = dict(user)
    findings.append(
        troubles.MANAGER_SECRET.unless(
            values.get("secret") == ami.secret, f"manager.conf: the secret of [{ami.user}]", user=ami.user
        )
    )
    findings += _user_rights(ami.user, _words(values.get("write", "")), _words(values.get("read", "")))
    return [*findings, _event_filter(config, [value for name, value in user if name == "eventfilter"])]


def _words(text: str) -> set[str]:
    return {one.strip() for one in text.split(",")}


def _user_rights(user: str, write: set[str], read: set[str]) -> list[Finding]:
    wanted = ",".join(sorted(NEEDED_RIGHTS))
    missing = set() if "all" in write else NEEDED_RIGHTS - write
    more = DANGEROUS_RIGHTS & write
    unheard = set() if "all" in read else NEEDED_READS - read
    findings = []
    if missing:
        findings.append(troubles.MANAGER_RIGHTS.found(user=user, missing=", ".join(sorted(missing)), wanted=wanted))
    if more:
        findings.append(troubles.MANAGER_MORE_RIGHTS.found(more=", ".join(sorted(more)), wanted=wanted))
    if unheard:
        reads = ",".join(sorted(NEEDED_READS))
        findings.append(troubles.MANAGER_READS.found(user=user, missing=", ".join(sorted(unheard)), wanted=reads))
    return findings or [good(f"manager.conf: the rights of [{user}]")]


def _event_filter(config: Config, filters: list[str]) -> Finding:
    ours = [value for value in filters if f"vg-{config.installation}-" in value]
    what = "manager.conf: the event filter"
    if not filters:
        copy = f'copy the eventfilter lines that `voxgate init` wrote for installation = "{config.installation}"'
        return good(what, f"none: the gateway gets the events of every call of this Asterisk; {copy}")
    others = {name for value in filters for name in _INSTALLATION.findall(value)} - {config.installation}
    if others:
        return troubles.MANAGER_SHARED.found(user=config.ami.user, other=", ".join(sorted(others)))
    enough = all(any(event in value for value in ours) for event in ("Hangup", "DialState", "OriginateResponse"))
    return troubles.EVENT_FILTER.unless(enough, what, installation=config.installation)


def _extensions(config: Config, sections: Sections) -> list[Finding]:
    wanted = config.agi.advertise or f"{config.agi.host}:{config.agi.port}"
    findings = []
    for context in ("voxgate-answered", "voxgate-tap", "voxgate-doctor"):
        if context not in sections:
            findings.append(troubles.DIALPLAN.found(context=context))
            continue
        if context == "voxgate-tap":
            continue  # it leads to no address
        addresses = {found[1] for _, value in sections[context] if (found := _AGI.search(value))}
        theirs = ", ".join(sorted(addresses)) or "no agi:// address"
        works = f"extensions.conf: [{context}] leads to {wanted}"
        findings.append(
            troubles.AGI_ADDRESS.unless(addresses == {wanted}, works, context=context, theirs=theirs, ours=wanted)
        )
    return findings


def _modules(config: Config, sections: Sections) -> list[Finding]:
    items = sections.get("modules", [])
    names = {"load": set[str](), "noload": set[str]()}
    for name, value in items:
        kind = {"load": "load", "preload": "load", "require": "load", "noload": "noload"}.get(name)
        if kind is not None:
            names[kind].add(value.removesuffix(".so"))
    needed = {
        value.removesuffix(".so")
        for lines in read(asterisk_conf(), "modules.conf").values()
        for name, value in lines
        if name == "load"
    }
    autoload = dict(items).get("autoload", "yes").lower() in TRUE
    lacking = needed & names["noload"] if autoload else needed - names["load"] | needed & names["noload"]
    how = "take the noload lines out" if autoload else 'put #include "voxgate/modules.conf" under [modules]'
    works = "modules.conf: every module that the gateway needs"
    return [troubles.MODULES.unless(not lacking, works, lacking=", ".join(sorted(lacking)), how=how)]
