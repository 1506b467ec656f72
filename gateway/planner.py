"""How a claimed call is dialed, and a transfer: routes and settings as they are when it is dialed."""

from __future__ import annotations

from gateway.core.accounts import is_listed, may_show
from gateway.core.model import Account, AccountSettings, Call, Claimed
from gateway.core.numbers import DestinationKind, parse_destination
from gateway.core.routes import Dialable, NumberPolicy, Refused, Resolver, Trunk
from gateway.services.dialer import Dialing, NoRoute
from gateway.services.dialog.transferring import Way
from gateway.settings import Config


def kind_of(dialed: str) -> DestinationKind:
    if dialed.startswith("sip:"):
        return DestinationKind.SIP
    return DestinationKind.PHONE if dialed.startswith("+") else DestinationKind.EXTENSION


def _caller_id(call: Call, settings: AccountSettings, trunk: Trunk) -> str | None:
    """The call's own, which was asked for within the list; else the account's, within its list; else the trunk's."""
    if call.ani is not None:
        return call.ani
    return settings.caller_id if settings.caller_id and may_show(settings, settings.caller_id) else trunk.caller_id


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
        return Dialing(way.dial_string, _caller_id(call, settings, way.trunk), ring, longest)

    def way(self, call: Call, account: Account) -> Dialable:
        """Raises :class:`Refused`."""
        if call.ani is not None and not is_listed(account.settings, call.ani):
            raise Refused(f"its ani {call.ani} is not among the account's allowed caller IDs any more")
        return self._resolve(kind_of(call.dialed), call.dialed, account)

    def transfer(self, claimed: Claimed, destination: str) -> Way:
        """The way to where a call is transferred: by the same routes and lists as a queued call.

        Raises :class:`Refused`, :class:`NumberError`.
        """
        call, settings = claimed.call, claimed.account.settings
        target = parse_destination(destination, settings.country)
        way = self._resolve(target.kind, target.dialed, claimed.account)
        return Way(target.dialed, way.dial_string, _caller_id(call, settings, way.trunk))

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
