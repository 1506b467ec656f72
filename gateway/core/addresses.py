"""Which addresses may be fetched from: the SSRF guard's decision, pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: Cloud metadata services: never allowed, whatever the list says.
METADATA = frozenset(
    ipaddress.ip_address(text)
    for text in ("169.254.169.254", "169.254.170.2", "100.100.100.200", "fd00:ec2::254", "192.0.0.192")
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


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
                hosts.add(entry.lower())
        return cls(tuple(networks), frozenset(hosts))

    def refusal(self, host: str, address: str) -> str | None:
        """Why ``host`` at ``address`` may not be fetched from; None where it may."""
        real = unwrapped(ipaddress.ip_address(address.partition("%")[0]))
        if real in METADATA:
            return f"{host} is a metadata service at {real}, which is never fetched from"
        if real.is_global and not real.is_multicast:
            return None
        if host.lower() in self.hosts or any(real in network for network in self.networks):
            return None
        prefix = 32 if real.version == 4 else 128
        return (
            f"{host} is at {real}, which is no public address; to allow it, add "
            f'"{real}/{prefix}" (or "{host}") to allow = [...] in [fetch] of the configuration'
        )


def unwrapped(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one, where it is only a wrapping (mapped, 6to4, NAT64)."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address.sixtofour is not None:
            return address.sixtofour
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def networks_of(entries: Iterable[str]) -> tuple[Network, ...]:
    """Raises ValueError where an entry is no network."""
    return tuple(ipaddress.ip_network(entry, strict=False) for entry in entries)


def within(peer: str, networks: Iterable[Network]) -> bool:
    """Whether a peer's address, as its socket tells it, lies in one of the networks."""
    address = ipaddress.ip_address(peer.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in networks)
