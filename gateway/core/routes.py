"""From a destination to what Asterisk is told to dial: allow and block lists, routes by prefix, trunks' formats."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol

import phonenumbers

from gateway.core.numbers import DIGITS, EXTENSION_DIGITS, VISUAL, DestinationKind, NumberError, e164
from gateway.core.special import is_emergency, refusal


class NumberFormat(StrEnum):
    E164 = "e164"
    E164_NO_PLUS = "e164_no_plus"
    NATIONAL = "national"


@dataclass(frozen=True, slots=True)
class Trunk:
    """``dial`` holds ``{number}``. ``strip`` is a leading text taken off, ``prefix`` one put before."""

    name: str
    dial: str
    format: NumberFormat = NumberFormat.E164
    strip: str = ""
    prefix: str = ""
    cps: float = 5.0
    max_calls: int = 20
    caller_id: str | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """Numbers that begin with ``prefix`` (``+1``, ``90``; empty for all) go to ``trunk``.

    Extensions and sip: addresses are dialed only by routes that say so; those take no telephone numbers.
    """

    prefix: str
    trunk: str
    extensions: bool = False
    sip: bool = False


@dataclass(frozen=True, slots=True)
class NumberPolicy:
    """Lists hold prefixes (``+1900``) or whole numbers; an empty allow list allows all.

    ``emergency``, ``premium``, the prefixes whose premium-rate numbers may be dialed all the same, and the hosts of
    sip: addresses are the gateway's alone.
    """

    allowed: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()
    emergency: bool = False
    premium: bool = False
    premium_prefixes: tuple[str, ...] = ()
    sip_hosts: frozenset[str] = frozenset()


class Dialable(NamedTuple):
    trunk: Trunk
    dial_string: str


class Refused(ValueError):
    """The number may not, or cannot, be dialed; the message is the reason."""


class Unrouted(Refused):
    """No route takes it, or the route's trunk is not there."""


#: What may stand in a dial string: nothing that Asterisk would read as a second destination or an option.
_SAFE_NUMBER = re.compile(r"\+?[0-9*#]{1,32}\Z")
_SAFE_SIP = re.compile(r"sip:([A-Za-z0-9_.+~-]{1,64})@([a-z0-9.-]{1,252})(?::[0-9]{1,5})?\Z")
#: An entry of a list; a longer number without + would begin nothing that is dialed.
_ENTRY = re.compile(r"\+[0-9]{0,20}\Z|[0-9*#]{1,6}\Z|sip:[A-Za-z0-9_.+~@:-]{0,320}\Z")
_TEMPLATE = re.compile(r"(PJSIP|SIP|IAX2|DAHDI|Local)/[A-Za-z0-9_.+@/:-]*\{number\}[A-Za-z0-9_.+@/:-]*\Z")


def check_template(dial: str) -> None:
    """Raises :class:`ValueError` where a trunk's ``dial`` could dial more than one number."""
    if not _TEMPLATE.match(dial):
        raise ValueError(f'dial = "{dial}" must be like "PJSIP/{{number}}@mytrunk", with {{number}} once')


def check_entry(entry: str) -> None:
    """Raises :class:`ValueError` where an entry of a list could match nothing."""
    if not _ENTRY.match(entry):
        raise ValueError(f"{entry!r} is no beginning of what is dialed: write +1617, 90 for extensions, or sip:")


class Resolver(Protocol):
    """Whatever finds the way for a number."""

    def resolve(
        self, kind: DestinationKind, dialed: str, account: NumberPolicy, country: str, trace: list[str] | None = None
    ) -> Dialable: ...


@dataclass(frozen=True, slots=True)
class Router:
    """``policy`` is the gateway's own; accounts bring a second one, and both must let a number pass."""

    trunks: Mapping[str, Trunk]
    routes: Sequence[Route]
    policy: NumberPolicy = field(default_factory=NumberPolicy)

    def resolve(
        self, kind: DestinationKind, dialed: str, account: NumberPolicy, country: str, trace: list[str] | None = None
    ) -> Dialable:
        """Where ``dialed`` goes. Raises :class:`Refused`. ``trace`` is told each step, for people to read."""
        number = self._sip(dialed, country, trace) if kind is DestinationKind.SIP else dialed
        if number is not None:
            self._special(number, country, trace)
        for owner, policy in (("gateway", self.policy), ("account", account)):
            _listed(dialed, number, policy, owner, trace)
        route = self._route(kind, dialed, trace)
        trunk = self.trunks.get(route.trunk)
        if trunk is None:
            raise Unrouted(f"its route names trunk {route.trunk!r}, which is not configured")
        written = formatted(dialed, trunk)
        if trace is not None:
            trace.append(f"trunk {trunk.name}: format {trunk.format} gives {written}")
        safe = _SAFE_SIP if kind is DestinationKind.SIP else _SAFE_NUMBER
        if not safe.match(written):
            raise Refused("it holds characters that may not reach a dial string")
        ways = () if self.policy.emergency else (written, written.removeprefix(trunk.prefix))
        if any(is_emergency(one, country) for one in ways):
            raise Refused("the trunk's format makes an emergency number of it")
        return Dialable(trunk, trunk.dial.replace("{number}", written))

    def _special(self, number: str, country: str, trace: list[str] | None) -> None:
        """``number`` is E.164 with +, or an extension: 112 is nobody's."""
        policy = self.policy
        premium = policy.premium or number.startswith(policy.premium_prefixes)
        why = None
        if number.startswith("+"):
            why = refusal(number, country, emergency=policy.emergency, premium=premium)
        elif not policy.emergency and is_emergency(number, country):
            why = "it is an emergency number"
        if why is not None:
            raise Refused(why)
        _told(trace, "neither an emergency nor a premium-rate number")

    def _sip(self, dialed: str, country: str, trace: list[str] | None) -> str | None:
        """The telephone number or extension that a sip: address names; None where its user is a name."""
        self._route(DestinationKind.SIP, dialed, None)  # where none is dialed at all no host is worth a word
        match = _SAFE_SIP.match(dialed)
        if match is None:
            raise Refused("it holds characters that may not reach a dial string")
        if match[2] not in self.policy.sip_hosts:
            raise Refused(f'its host is not allowed: add "{match[2]}" to sip_hosts = [...] in [numbers]')
        _told(trace, f"host {match[2]} is among the gateway's sip_hosts")
        digits = match[1].translate(VISUAL)
        if not DIGITS.match(digits):
            return None
        if len(digits) <= EXTENSION_DIGITS and not digits.startswith("+"):
            return digits
        try:
            return e164(digits, country)
        except NumberError as error:
            if digits.startswith("+"):
                raise Refused(f"the number that it names {error}") from None
            return None  # a user's name may be of digits

    def _route(self, kind: DestinationKind, dialed: str, trace: list[str] | None) -> Route:
        extension, sip = kind is DestinationKind.EXTENSION, kind is DestinationKind.SIP
        found = [
            route
            for route in self.routes
            if route.extensions is extension and route.sip is sip and dialed.startswith(route.prefix)
        ]
        if not found:
            raise Unrouted(f"no route takes this {kind} (add a [[route]] for it)")
        best = found[0] if len(found) == 1 else max(found, key=lambda route: len(route.prefix))
        if trace is not None:
            trace.append(f'route prefix "{best.prefix}" to trunk {best.trunk}')
        return best


def _told(trace: list[str] | None, step: str) -> None:
    if trace is not None:
        trace.append(step)


def formatted(dialed: str, trunk: Trunk) -> str:
    """``dialed`` in the trunk's format, stripped and prefixed."""
    number = dialed
    if dialed.startswith("+"):
        match trunk.format:
            case NumberFormat.E164_NO_PLUS:
                number = dialed[1:]
            case NumberFormat.NATIONAL:
                number = phonenumbers.national_significant_number(phonenumbers.parse(dialed))
            case NumberFormat.E164:
                pass
    if trunk.strip and number.startswith(trunk.strip):
        number = number[len(trunk.strip) :]
    return trunk.prefix + number


def _listed(dialed: str, number: str | None, policy: NumberPolicy, owner: str, trace: list[str] | None) -> None:
    """A sip: address is blocked by the number that it names as well, and allowed by itself alone."""
    for entry in policy.blocked:
        if dialed.startswith(entry) or (number is not None and number.startswith(entry)):
            raise Refused(f"the {owner}'s blocked list holds {entry}")
    if policy.allowed and not dialed.startswith(policy.allowed):
        raise Refused(f"it is not on the {owner}'s allowed list")
    if trace is not None:
        trace.append(f"passes the {owner}'s lists")


@dataclass(slots=True)
class Routing:
    """The router in force. A reload puts another in its place in one step, also for those who are reading a list."""

    router: Router

    def resolve(
        self, kind: DestinationKind, dialed: str, account: NumberPolicy, country: str, trace: list[str] | None = None
    ) -> Dialable:
        """As :meth:`Router.resolve`."""
        return self.router.resolve(kind, dialed, account, country, trace)
