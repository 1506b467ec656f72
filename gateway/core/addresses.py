"""Which addresses may be fetched from: the SSRF guard's decision, pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: Cloud metadata services: never allowed, whatever the list says. 168.63.129.16 is Azure's, at a public address.
METADATA = frozenset(
    ipaddress.ip_address(text)
    for text in (
        "169.254.169.254", "169.254.170.2", "169.254.170.23", "169.254.0.23", "169.254.42.42", "100.100.100.200",
        "192.0.0.192", "168.63.129.16", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fd00:42::42",
    )
)  # fmt: skip
#: Where IPv6 is global unicast at all (RFC 4291 §2.4, IANA): all else is local, reserved, or a wrapping.
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
#: Special purposes (RFC 6890) that the library of Python 3.11 takes for public.
_SPECIAL = tuple(ipaddress.ip_network(text) for text in ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20"))
#: An IPv4 address in the last 32 bits: IPv4-compatible, IPv4-translated (RFC 2765), NAT64 (RFC 6052, RFC 8215).
_WRAPPINGS = tuple(
    ipaddress.ip_network(text) for text in ("::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48")
)
#: Ports of protocols other than HTTP, whose servers might obey a form's lines: SIP's, SMTP's, databases'. The Fetch
#: standard's "bad ports", as browsers have them.
OTHER_PROTOCOLS = frozenset(
    (
        1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109,
        110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530,
        531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190,
        5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AllowList:
    """Networks (``10.0.0.0/8``) and host names (``app.local``) that may be fetched though they are not public."""

    networks: tuple[Network, ...] = ()
    hosts: frozenset[str] = frozenset()

    @classmethod
    def of(cls, entries: Sequence[str]) -> AllowList:
        networks, hosts = [], set()
        for entry in entries:
            try:
                networks.append(ipaddress.ip_network(entry, strict=False))
            except ValueError:
                hosts.add(_name(entry))
        return cls(tuple(networks), frozenset(hosts))

    def refusal(self, host: str, address: str) -> str | None:
        """Why ``host`` at ``address`` may not be fetched from; None where it may."""
        real = unwrapped(ipaddress.ip_address(address.partition("%")[0]))
        if real in METADATA:
            return f"{host} is a metadata service at {real}, which is never fetched from"
        if _public(real):
            return None
        if _name(host) in self.hosts or any(real in network for network in self.networks):
            return None
        prefix = 32 if real.version == 4 else 128
        return (
            f"{host} is at {real}, which is no public address; to allow it, add "
            f'"{real}/{prefix}" (or "{host}") to allow = [...] in [fetch] of the configuration'
        )


def refused_port(port: int) -> str | None:
    """Why nothing is fetched from ``port``; None where it may be."""
    return f"port {port} is another protocol's: serve HTTP at another one" if port in OTHER_PROTOCOLS else None


def unwrapped(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one, where it is only a wrapping (mapped, translated, 6to4, NAT64, Teredo)."""
    if isinstance(address, ipaddress.IPv6Address) and int(address) > 1:  # neither :: nor ::1
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address.sixtofour is not None:
            return address.sixtofour
        if address.teredo is not None:
            return address.teredo[1]  # the host behind the relay
        if any(address in network for network in _WRAPPINGS):
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    return address.is_global and not address.is_multicast and not any(address in network for network in _SPECIAL)


def _name(host: str) -> str:
    return host.lower().rstrip(".")


def networks_of(entries: Iterable[str]) -> tuple[Network, ...]:
    """Raises ValueError where an entry is no network."""
    return tuple(ipaddress.ip_network(entry, strict=False) for entry in entries)


def within(peer: str, networks: Iterable[Network]) -> bool:
    """Whether a peer's address, as its socket tells it, lies in one of the networks."""
    address = ipaddress.ip_address(peer.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in networks)
