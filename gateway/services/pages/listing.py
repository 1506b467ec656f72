"""A campaign's calls as the page's address asks for them: order, filter and place, and back into addresses."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

import msgspec
import phonenumbers

from gateway.core.lists import CallOrder, CallQuery, ListRefused, Position
from gateway.core.model import Account, CalleeType, CallState, CampaignId
from gateway.core.numbers import NumberError, parse_destination

PAGE = 50
ORDERS = (CallOrder.QUEUE, CallOrder.STATUS, CallOrder.CALLEE_TYPE, CallOrder.LAST_ATTEMPT)


@dataclass(frozen=True, slots=True)
class Listing:
    """``number`` ends with * where it is a beginning. ``after`` is where the page before ended."""

    order: CallOrder = CallOrder.QUEUE
    descending: bool = False
    number: str = ""
    reference: str = ""
    state: CallState | None = None
    callee: CalleeType | None = None
    after: Position | None = None
    error: str = ""

    @classmethod
    def read(cls, given: Mapping[str, str]) -> Listing:
        """What is not understood is passed over: an old address still shows something."""
        state, callee, order = given.get("status", ""), given.get("callee", ""), given.get("order", "")
        return cls(
            order=CallOrder(order) if order in ORDERS else CallOrder.QUEUE,
            descending=given.get("dir") == "down",
            number=given.get("number", "").strip()[:128],
            reference=given.get("reference", "").strip()[:255],
            state=CallState(state) if state in list(CallState) else None,
            callee=CalleeType(callee) if callee in list(CalleeType) else None,
            after=_position(given.get("after", "")),
        )

    @property
    def filtered(self) -> bool:
        return bool(self.number or self.reference or self.state or self.callee)

    @property
    def ordered(self) -> bool:
        """Whether an order may be chosen: a search has its own."""
        return not self.number and not self.reference

    def query(self, campaign: CampaignId, account: Account) -> CallQuery:
        """Raises :class:`ListRefused`."""
        query = CallQuery(
            campaign=campaign,
            states=frozenset({self.state} if self.state else ()),
            callee_types=frozenset({self.callee} if self.callee else ()),
            reference=self.reference or None,
            order=self.order if self.ordered else CallOrder.QUEUE,
            descending=self.descending if self.ordered else False,
        )
        if self.number and self.reference:
            raise ListRefused("number", "and a reference cannot both be sought: leave one empty")
        if self.number.endswith("*"):
            return replace(query, prefix=beginning(self.number[:-1], account), order=CallOrder.NUMBER)
        if self.number:
            try:
                return replace(query, number=parse_destination(self.number, account.settings.country).dialed)
            except NumberError as error:
                raise ListRefused("number", f"{error}; for a beginning write {self.number}*") from None
        return query

    def address(self, **changes: object) -> str:
        """The page's query part with ``changes``; another order or filter begins anew."""
        new = replace(self, **{"after": None, **changes})  # type: ignore[arg-type]
        pairs = {
            "order": new.order if new.order is not CallOrder.QUEUE else "",
            "dir": "down" if new.descending else "",
            "number": new.number,
            "reference": new.reference,
            "status": new.state or "",
            "callee": new.callee or "",
            "after": "" if new.after is None else _token(new.after),
        }
        return "?" + urlencode({name: str(value) for name, value in pairs.items() if value})

    def sorted_by(self, order: CallOrder) -> str:
        """The address that a column's head leads to: the other direction where it is in that order already."""
        return self.address(order=order, descending=self.order is order and not self.descending)


def beginning(text: str, account: Account) -> str:
    """The beginning of a number as it is dialed: digits count from the country code or from the account's country."""
    text = text.strip()
    if text.startswith(("+", "sip:")):
        return text
    digits = re.sub(r"[\s().-]", "", text.removeprefix("tel:"))
    if digits.startswith("+"):
        return digits
    code = str(phonenumbers.country_code_for_region(account.settings.country))
    return f"+{digits}" if digits.startswith(code) else f"+{code}{digits}"


def _token(at: Position) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(at)).decode().rstrip("=")


def _position(token: str) -> Position | None:
    if not token or len(token) > 400:
        return None
    try:
        found = msgspec.json.decode(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)), type=Position)
    except (binascii.Error, msgspec.DecodeError, ValueError):
        return None
    fits = all(-(2**63) <= one < 2**63 for one in found if isinstance(one, int))
    return found if fits else None
