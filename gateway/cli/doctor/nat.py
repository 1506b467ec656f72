"""NAT, from pjsip.conf: whether a carrier on the Internet would be told a private address for the audio."""

from __future__ import annotations

import ipaddress
import re
import socket

from gateway.adapters.asteriskfiles import Items
from gateway.cli.doctor import troubles
from gateway.cli.doctor.finding import Finding
from gateway.core.addresses import Address
from gateway.settings import Config

_CONTACT = re.compile(r"sips?:(?:[^@]*@)?(\[[^\]]+\]|[^:;>\s]+)")
_ENDPOINT = re.compile(r"PJSIP/(?:[^@]*@)?([^/@]+)$")


def examine_nat(config: Config, sections: dict[str, Items]) -> list[Finding]:
    """One finding for each trunk whose AOR has a fixed contact. This host is taken to be Asterisk's."""
    findings = []
    for trunk in config.trunk:
        found = _ENDPOINT.match(trunk.dial)
        endpoint = dict(sections.get(found[1], [])) if found is not None else {}
        peer = _peer(sections, endpoint.get("aors", ""))
        told = None if peer is None else _told(sections, endpoint, peer)
        if peer is None or told is None:
            continue
        hears_nothing = peer.is_global and not told.is_global
        works = f"trunk {trunk.name}: {peer} is told {told} for the audio"
        findings.append(
            troubles.NAT_ADDRESS.unless(not hears_nothing, works, trunk=trunk.name, peer=peer, private=told)
        )
    return findings


def _peer(sections: dict[str, Items], aors: str) -> Address | None:
    """The address of the first fixed contact of an endpoint's AORs."""
    for name in aors.split(","):
        for key, value in sections.get(name.strip(), []):
            if key == "contact":
                return address_of_uri(value)
    return None


def address_of_uri(text: str) -> Address | None:
    """The address of a SIP URI's host."""
    found = _CONTACT.match(text.strip('"<'))
    return None if found is None else _resolved(found[1].strip("[]"))


def _told(sections: dict[str, Items], endpoint: dict[str, str], peer: Address) -> Address | None:
    """The address in the SDP that Asterisk would send to ``peer``."""
    transports = [dict(items) for items in sections.values() if ("type", "transport") in items]
    named = endpoint.get("transport")
    transport = dict(sections[named]) if named in sections else next(iter(transports), {})
    bound = transport.get("bind", "").rpartition("]")[0].strip("[") or transport.get("bind", "").partition(":")[0]
    for text in (endpoint.get("media_address"), transport.get("external_media_address"), bound):
        if text and (address := _resolved(text)) is not None and not address.is_unspecified:
            return address
    return _own_address(peer)


def _resolved(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    try:
        found = socket.getaddrinfo(host, 5060, type=socket.SOCK_DGRAM)
    except OSError:
        return None
    return ipaddress.ip_address(str(found[0][4][0]).partition("%")[0])


def _own_address(peer: Address) -> Address | None:
    """The address from which this host would send to ``peer``; nothing is sent."""
    family = socket.AF_INET if peer.version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((str(peer), 5060))
        except OSError:
            return None
        return ipaddress.ip_address(str(probe.getsockname()[0]).partition("%")[0])
