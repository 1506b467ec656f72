"""How a claimed call is dialed, and a transfer: routes and settings as they are when it is dialed."""

from __future__ import annotations

from gateway.core.model import Account, Call, Claimed
from gateway.core.numbers import DestinationKind, parse_destination
from gateway.core.routes import Dialable, NumberPolicy, Refused, Resolver
from gateway.services.dialer import Dialing, NoRoute
from gateway.services.dialog.transferring import Way
from gateway.settings import Config


def kind_of(dialed: str) -> DestinationKind:
    if dialed.startswith("sip:"):
        return DestinationKind.SIP
    return DestinationKind.PHONE if dialed.startswith("+") else DestinationKind.EXTENSION


class Planner:
    """How a claimed call is dialed: routes and settings are looked up when it is dialed, not when it was queued."""

    def __init__(self, config: Config, router: Resolver) -> None:
        self.config = config
        self._router = router

    def __call__(self, claimed: Claimed) -> Dialing:
        call, settings = claimed.call, claimed.account.settings
        try:
            way = self.way(call, claimed.account)
        except Refused as error:
            raise NoRoute(f"may not be dialed: {error}") from None
        ring, longest = self.limits(claimed)
        return Dialing(way.dial_string, call.ani or settings.caller_id or way.trunk.caller_id, ring, longest)

    def way(self, call: Call, account: Account) -> Dialable:
        """Raises :class:`Refused`."""
        return self._resolve(kind_of(call.dialed), call.dialed, account)

    def transfer(self, claimed: Claimed, destination: str) -> Way:
        """The way to where a call is transferred: by the same routes and lists as a queued call.

        Raises :class:`Refused`, :class:`NumberError`.
        """
        settings = claimed.account.settings
        target = parse_destination(destination, settings.country)
        way = self._resolve(target.kind, target.dialed, claimed.account)
        return Way(way.dial_string, claimed.call.ani or settings.caller_id or way.trunk.caller_id)

    def _resolve(self, kind: DestinationKind, dialed: str, account: Account) -> Dialable:
        settings = account.settings
        policy = NumberPolicy(allowed=settings.allowed_prefixes, blocked=settings.blocked_prefixes)
        return self._router.resolve(kind, dialed, policy, settings.country)

    def limits(self, claimed: Claimed) -> tuple[int, int]:
        """Ring timeout and longest call in seconds: the call's own, else its account's, else the gateway's.

        Neither call nor account make it longer than the gateway's ``longest_call``.
        """
        plan, settings, dial = claimed.call.plan, claimed.account.settings, self.config.dial
        ring = plan.ring_timeout or settings.ring_timeout or dial.ring_timeout
        longest = plan.max_call_seconds or settings.max_call_seconds or dial.max_call_seconds
        return max(ring, self.config.lab.min_ring_timeout), min(longest, max(dial.longest_call, dial.max_call_seconds))
