"""The SSRF guard on the network's side: what was checked is what is connected to."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from gateway.core.addresses import AllowList, refused_port, unwrapped
from gateway.happenings import HostClass

REMEMBERED_HOSTS = 1000
#: Connections at once, all together and to one host.
CONNECTIONS, TO_ONE_HOST = 400, 20


class GuardRefused(OSError):
    """The guard's word, on its way out of aiohttp's connector."""


class GuardedConnector(aiohttp.TCPConnector):
    """Checks what each new connection is about to go to: every address of a name, and literal addresses too."""

    def __init__(self, allow: AllowList, resolver: AbstractResolver | None = None) -> None:
        super().__init__(
            resolver=resolver or aiohttp.ThreadedResolver(), use_dns_cache=False, limit=CONNECTIONS,
            limit_per_host=TO_ONE_HOST,
        )  # fmt: skip
        self.allow = allow
        self._classes: OrderedDict[str, HostClass] = OrderedDict()

    async def _resolve_host(self, host: str, port: int, traces: Any = None) -> list[ResolveResult]:
        if (refusal := refused_port(port)) is not None:
            raise GuardRefused(refusal)
        # A name is resolved once, and aiohttp connects to what is returned here: no second answer counts (rebinding).
        found = await super()._resolve_host(host, port, traces)
        for one in found:
            if (refusal := self.allow.refusal(host, one["host"])) is not None:
                raise GuardRefused(refusal)
        if found:
            self._classes[host.lower()] = class_of(found[0]["host"])
            self._classes.move_to_end(host.lower())
            if len(self._classes) > REMEMBERED_HOSTS:
                self._classes.popitem(last=False)
        return found

    def host_class(self, host: str) -> HostClass:
        """Where ``host`` was when it was last connected to."""
        return self._classes.get(host.lower(), HostClass.UNKNOWN)


def class_of(text: str) -> HostClass:
    address = unwrapped(ipaddress.ip_address(text.partition("%")[0]))
    if address.is_loopback:
        return HostClass.LOOPBACK
    return HostClass.PUBLIC if address.is_global else HostClass.PRIVATE
