"""From a destination to what Asterisk is told to dial: allow and block lists, routes by prefix, trunks' formats."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol

import phonenumbers

from gateway.core.numbers import DestinationKind


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
    """Lists hold prefixes (``+1900``) or whole numbers; an empty allow list allows all."""

    allowed: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()
    emergency: bool = False
    premium: bool = False


class Dialable(NamedTuple):
    trunk: Trunk
    dial_string: str


class Refused(ValueError):
    """The number may not, or cannot, be dialed; the message is the reason."""


class Unrouted(Refused):
    """No route takes it, or the route's trunk is not there."""


#: What may stand in a dial string: nothing that Asterisk would read as a second destination or an option.
_SAFE_NUMBER = re.compile(r"\+?[0-9*#]{1,32}\Z")
_SAFE_SIP = re.compile(r"sip:[A-Za-z0-9_.+~-]{1,64}@[a-z0-9.-]{1,252}(?::[0-9]{1,5})?\Z")
_NANP = re.compile(r"\+1[2-9](?!11)[0-9]{2}[2-9](?!11)[0-9]{6}\Z")
_TEMPLATE = re.compile(r"(PJSIP|SIP|IAX2|DAHDI|Local)/[A-Za-z0-9_.+@/:-]*\{number\}[A-Za-z0-9_.+@/:-]*\Z")


def check_template(dial: str) -> None:
    """Raises :class:`ValueError` where a trunk's ``dial`` could dial more than one number."""
    if not _TEMPLATE.match(dial):
        raise ValueError(f'dial = "{dial}" must be like "PJSIP/{{number}}@mytrunk", with {{number}} once')


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
        if kind is DestinationKind.PHONE:
            self._special(dialed, country, trace)
        elif not self.policy.emergency and phonenumbers.is_emergency_number(dialed, country):
            raise Refused("it is an emergency number")  # 112 is nobody's extension
        for owner, policy in (("gateway", self.policy), ("account", account)):
            _listed(dialed, policy, owner, trace)
        route = self._route(kind, dialed, trace)
        trunk = self.trunks.get(route.trunk)
        if trunk is None:
            raise Unrouted(f"its route names trunk {route.trunk!r}, which is not configured")
        number = formatted(dialed, trunk)
        if trace is not None:
            trace.append(f"trunk {trunk.name}: format {trunk.format} gives {number}")
        safe = _SAFE_SIP if kind is DestinationKind.SIP else _SAFE_NUMBER
        if not safe.match(number):
            raise Refused("it holds characters that may not reach a dial string")
        return Dialable(trunk, trunk.dial.replace("{number}", number))

    def _special(self, dialed: str, country: str, trace: list[str] | None) -> None:
        policy = self.policy
        if _NANP.match(dialed):  # the library takes 30 µs; here only area code 900 is special
            if dialed.startswith("+1900") and not policy.premium:
                raise Refused("it is a premium-rate number")
            _told(trace, "neither an emergency nor a premium-rate number")
            return
        number = phonenumbers.parse(dialed)
        national = phonenumbers.national_significant_number(number)
        if not policy.emergency and (
            phonenumbers.is_emergency_number(dialed.lstrip("+"), country)
            or phonenumbers.is_emergency_number(national, country)
        ):
            raise Refused("it is an emergency number")
        if not policy.premium and phonenumbers.number_type(number) in (
            phonenumbers.PhoneNumberType.PREMIUM_RATE,
            phonenumbers.PhoneNumberType.SHARED_COST,
        ):
            raise Refused("it is a premium-rate number")
        _told(trace, "neither an emergency nor a premium-rate number")

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


def _listed(dialed: str, policy: NumberPolicy, owner: str, trace: list[str] | None) -> None:
    for entry in policy.blocked:
        if dialed.startswith(entry):
            raise Refused(f"the {owner}'s blocked list holds {entry}")
    if policy.allowed and not any(dialed.startswith(entry) for entry in policy.allowed):
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
