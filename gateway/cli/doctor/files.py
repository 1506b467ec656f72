"""Asterisk's own files: whether they say what the gateway needs, before anything is dialed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from gateway.adapters.asteriskfiles import FileFault, Items, read
from gateway.cli.doctor.finding import Finding, fault, good, skipped
from gateway.cli.init import asterisk_conf
from gateway.settings import Config

TRUE = {"yes", "true", "y", "t", "1", "on"}
NEEDED_RIGHTS = {"call", "originate", "reporting"}
#: Rights with which whoever holds the password can run programs or change the configuration.
DANGEROUS_RIGHTS = {"all", "system", "command", "config"}
_AGI = re.compile(r"\bAGI\(agi://([^/)]+)/")


def examine_files(config: Config, folder: Path) -> list[Finding]:
    """``folder`` is Asterisk's ``astetcdir``, usually /etc/asterisk."""
    if not folder.is_dir():
        why = "no such folder here: name Asterisk's by --asterisk-etc, or run the doctor on Asterisk's host"
        return [skipped(f"Asterisk's files in {folder}", why)]
    checks: tuple[tuple[str, Callable[[Config, dict[str, Items]], list[Finding]]], ...] = (
        ("manager.conf", _manager),
        ("extensions.conf", _extensions),
        ("modules.conf", _modules),
    )
    findings = []
    for name, check in checks:
        try:
            findings += check(config, read(folder, name))
        except FileFault as error:
            if "Permission denied" in str(error):
                findings.append(skipped(name, f"{error}: run the doctor as a user who may read it"))
            else:
                findings.append(fault(name, f"{error}: mend it; Asterisk reads it so too"))
    return findings


def _manager(config: Config, sections: dict[str, Items]) -> list[Finding]:
    general, ami = dict(sections.get("general", [])), config.ami
    findings = [
        Finding.of(
            general.get("enabled", "no").lower() in TRUE,
            "manager.conf: AMI is enabled",
            "write enabled = yes under [general] of manager.conf, then `manager reload` in Asterisk's console",
        )
    ]
    port = general.get("port", "5038")
    findings.append(
        Finding.of(
            port == str(ami.port),
            f"manager.conf: AMI listens at port {port}",
            f"manager.conf says port = {port}, the gateway's [ami] says {ami.port}: make them one",
        )
    )
    user = sections.get(ami.user)
    if user is None:
        mend = f'put #include "voxgate/manager.conf" at the end of manager.conf: there is no user [{ami.user}]'
        return [*findings, fault("manager.conf: the gateway's user", mend)]
    values = dict(user)
    findings.append(
        Finding.of(
            values.get("secret") == ami.secret,
            f"manager.conf: the secret of [{ami.user}]",
            f"the secret of [{ami.user}] in manager.conf is not the one in the gateway's [ami]: copy one to the other",
        )
    )
    rights = {one.strip() for one in values.get("write", "").split(",")}
    missing, more = set() if "all" in rights else NEEDED_RIGHTS - rights, DANGEROUS_RIGHTS & rights
    what = f"manager.conf: the rights of [{ami.user}]"
    wanted = ",".join(sorted(NEEDED_RIGHTS))
    if missing:
        findings.append(fault(what, f"write = {wanted} is needed: {', '.join(sorted(missing))} is missing"))
    elif more:
        findings.append(fault(what, f"take {', '.join(sorted(more))} out of its write line: {wanted} is enough"))
    else:
        findings.append(good(what))
    return [*findings, _event_filter(config, [value for name, value in user if name == "eventfilter"])]


def _event_filter(config: Config, filters: list[str]) -> Finding:
    ours = [value for value in filters if f"vg-{config.installation}-" in value]
    what = "manager.conf: the event filter"
    copy = f'copy the eventfilter lines that `voxgate init` wrote for installation = "{config.installation}"'
    if not filters:
        return good(what, f"none: the gateway gets the events of every call of this Asterisk; {copy}")
    enough = all(any(event in value for value in ours) for event in ("Hangup", "DialState", "OriginateResponse"))
    return Finding.of(enough, what, f"it keeps our calls' events back: {copy}")


def _extensions(config: Config, sections: dict[str, Items]) -> list[Finding]:
    wanted = config.agi.advertise or f"{config.agi.host}:{config.agi.port}"
    findings = []
    for context in ("voxgate-answered", "voxgate-doctor"):
        what = f"extensions.conf: [{context}]"
        if context not in sections:
            findings.append(fault(what, 'put #include "voxgate/extensions.conf" at the end of extensions.conf'))
            continue
        addresses = {found[1] for _, value in sections[context] if (found := _AGI.search(value))}
        mend = (
            f"its agi:// address is {', '.join(sorted(addresses)) or 'missing'}, the gateway's FastAGI is at {wanted}: "
            "make them one ([agi] advertise says what Asterisk dials where that differs from host and port)"
        )
        findings.append(Finding.of(addresses == {wanted}, f"{what} leads to {wanted}", mend))
    return findings


def _modules(config: Config, sections: dict[str, Items]) -> list[Finding]:
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
    mend = f"Asterisk does not load {', '.join(sorted(lacking))}: "
    mend += "take the noload lines out" if autoload else 'put #include "voxgate/modules.conf" under [modules]'
    return [Finding.of(not lacking, "modules.conf: every module that the gateway needs", mend)]
