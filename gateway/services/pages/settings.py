"""Settings of an account, its PIN, and, for operators, all accounts."""

from __future__ import annotations

import secrets
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from types import UnionType
from typing import Any
from urllib.parse import quote
from zoneinfo import available_timezones

import phonenumbers
from aiohttp import web

from gateway.core.accounts import changed
from gateway.core.admission import Hold, Reason
from gateway.core.caps import MICRO
from gateway.core.model import Account, AccountSettings
from gateway.core.plum import FieldError
from gateway.core.visiting import Visitor
from gateway.ports import Clock, NameTaken, Store
from gateway.services.accounts import Accounts
from gateway.services.audit import Audit
from gateway.services.pages.site import Refused, Site, see
from gateway.services.pages.streams import Streams
from gateway.services.signing import Signing
from gateway.services.why import for_account

#: Hours for which the PIN before stays valid, and the secret before also signs, where that is chosen.
KEEP_OLD_HOURS = 24

#: Label and hint of each setting, in the page's order. A setting without a line here is shown by its own name.
WORDS: Mapping[str, tuple[str, str]] = {
    "time_zone": ("Time zone", "Of times without a zone, and of this account's pages: as America/New_York."),
    "country": ("Country", "Of numbers without a country code: as US."),
    "caller_id": ("Caller ID", "Shown to callees where a call asks for none. Empty: the trunk's."),
    "allowed_caller_ids": ("Allowed caller IDs", "What ani may ask for, separated by commas."),
    "allowed_prefixes": ("Allowed prefixes", "Only numbers that begin so are dialed, as +1, +49. Empty: all."),
    "blocked_prefixes": ("Blocked prefixes", "Numbers that begin so are never dialed."),
    "ring_timeout": ("Ring timeout", "Seconds, 10 to 120. Empty: the gateway's."),
    "max_call_seconds": ("Longest call", "Seconds. Empty: the gateway's."),
    "cps": ("Calls a second", "Empty: the gateway's pace."),
    "max_calls": ("Calls at once", "Empty: as many as trunks and gateway let."),
    "daily_calls": ("Calls a day", "Attempts, retries included; more wait for the next day."),
    "daily_minutes": ("Minutes a day", "Answered minutes; then nothing more is dialed that day. Live calls go on."),
    "daily_cost": ("Cost a day", "By the gateway's rates; then nothing more is dialed that day."),
    "keep_duplicates": ("Keep duplicates", "Dial a number as often as a list holds it, instead of once."),
    "retry_unknown_outcome": ("Retry unknown outcomes", "After a crash, dial again whoever may have answered already."),
    "machine": ("Answering machines", "When the application starts at one: after its beep, at once, or not at all."),
    "machine_silence": ("Silence instead of a beep", "Seconds after which a machine that does not beep listens."),
    "machine_hangup_failed": ("A machine counts as failed", "Where it was hung up on: failed, not completed."),
    "detection": ("Who answered is told", "Before the application starts, during it, or not at all (off)."),
    "evidence_audio": ("Keep the first seconds of audio", "To judge verdicts by ear. Consent laws may forbid it."),
    "evidence_days": ("Days that audio is kept", ""),
    "operator": ("Operator", "Sees and changes every account."),
}  # fmt: skip
#: What keeps an account from running up a bill, or from more than its own: operators set it.
OPERATORS_ALONE = frozenset(
    {"allowed_prefixes", "blocked_prefixes", "allowed_caller_ids", "operator", "max_call_seconds", "cps", "max_calls",
     "daily_calls", "daily_minutes", "daily_cost"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Field:
    """One setting as a form's field. ``kind`` is text, number, list, check or choice."""

    name: str
    label: str
    hint: str
    kind: str
    value: str
    choices: tuple[str, ...] = ()
    locked: bool = False


@dataclass(frozen=True, slots=True)
class Today:
    """What an account used of its day, live calls included, and the cap that holds its calls now."""

    calls: int
    live: int
    minutes: int
    cost: str
    lifted: bool
    hold: Hold | None

    @property
    def spent(self) -> bool:
        return self.hold is not None and self.hold.reason is Reason.ACCOUNT_SPENT


class SettingsPage:
    """``wake`` tells the dialer that more may be dialed."""

    def __init__(
        self, site: Site, store: Store, clock: Clock, accounts: Accounts, signing: Signing, streams: Streams,
        audit: Audit, wake: Callable[[], None],
    ) -> None:  # fmt: skip
        self._site = site
        self._store = store
        self._clock = clock
        self._wake = wake
        self._accounts = accounts
        self._signing = signing
        self._streams = streams
        self._audit = audit

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/settings", self._site.page(self.show))
        router.add_post("/settings", self._site.action(self.save))
        router.add_post("/settings/pin", self._site.action(self.new_pin))
        router.add_post("/settings/lift", self._site.action(self.lift, operator=True))
        router.add_post("/settings/signing", self._site.action(self.sign))
        router.add_post("/settings/unsigned", self._site.action(self.sign_no_more))
        router.add_post("/settings/accounts", self._site.action(self.add, operator=True))

    async def show(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        return await self._page(request, visitor, await self._chosen(visitor, request.query.get("account", "")))

    async def _chosen(self, visitor: Visitor, login: str) -> Account:
        """The account that is shown: an operator may name another. Raises :class:`Refused`."""
        if not login or login == visitor.account.login:
            return visitor.account
        if not visitor.operator:
            raise Refused("This is another account's.")
        found = await self._accounts.by_login(login)
        if found is None:
            raise Refused(f"There is no account {login}.", 404)
        return found

    async def _page(self, request: web.Request, visitor: Visitor, account: Account, **more: Any) -> web.Response:
        error: FieldError | None = more.get("error")
        given: Mapping[str, str] = more.pop("given", {})
        context = {"error": None, "saved": False, "pin": "", "added": "", "secret": "", **more}
        return self._site.render(
            "settings.html", request, visitor, 422 if error else 200, account=account,
            fields=form_fields(account.settings, visitor.operator, given), zones=sorted(available_timezones()),
            countries=sorted(phonenumbers.SUPPORTED_REGIONS),
            accounts=await self._accounts.all() if visitor.operator else [], today=await self._today(account, visitor),
            keep_old=KEEP_OLD_HOURS, signing=await self._signing.keys(account.id), **context,
        )  # fmt: skip

    async def _today(self, account: Account, visitor: Visitor) -> Today:
        now = self._clock.now()
        used = await self._store.used(account.id, now)
        hold = (await self._store.capped([account.id], now)).get(account.id)
        if hold is not None and not visitor.operator:
            hold = for_account(hold)
        cost = f"{used.cost / MICRO:.2f}" if used.cost else ""
        return Today(used.attempts, used.live, round(used.seconds / 60), cost, used.lifted, hold)

    async def lift(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        """Let an account spend beyond its ceiling until its day ends."""
        account = await self._chosen(visitor, str((await request.post()).get("account", "")))
        await self._store.lift(account.id, self._clock.now())
        await self._audit.note(visitor.account.login, "account.lift", account.login, account.id)
        self._wake()
        return see(f"/settings?account={quote(account.login)}")

    async def save(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        form = {name: str(value) for name, value in (await request.post()).items()}
        account = await self._chosen(visitor, form.get("account", ""))
        given = {name: value for name, value in form.items() if name not in ("csrf", "account")}
        try:
            changes = read_form(account.settings, given, operator=visitor.operator)
            if account.id == visitor.account.id and visitor.operator and changes.get("operator") is False:
                raise FieldError("operator", "cannot be given up by yourself: another operator takes it away")
            changed(account.settings, changes)
            account = await self._accounts.change(account, changes)
        except FieldError as error:
            return await self._page(request, visitor, account, error=error, given=given)
        await self._audit.note(visitor.account.login, "account.settings", account.login, account.id, ", ".join(changes))
        return await self._page(request, visitor, account, saved=True)

    async def new_pin(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        """A PIN that is shown once; who is signed in elsewhere is signed out where that is chosen."""
        form = await request.post()
        account = await self._chosen(visitor, str(form.get("account", "")))
        pin = new_pin()
        kept = KEEP_OLD_HOURS if form.get("keep_old") else 0
        sign_out = bool(form.get("sign_out"))
        account = await self._accounts.set_pin(account, pin, kept, visitor.session.mark if sign_out else None)
        await self._streams.look()
        told = f"the old one is valid for {kept} h" + ("" if sign_out else ", sessions go on")
        await self._audit.note(visitor.account.login, "account.pin", account.login, account.id, told)
        return await self._page(request, visitor, account, pin=pin)

    async def sign(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        """A secret that signs result posts, shown once."""
        form = await request.post()
        account = await self._chosen(visitor, str(form.get("account", "")))
        keys = await self._signing.renew(account, KEEP_OLD_HOURS if form.get("keep_old") else 0)
        kept = f"the old secret also signs for {KEEP_OLD_HOURS} h" if keys.old_until else ""
        await self._audit.note(visitor.account.login, "account.signing", account.login, account.id, kept)
        return await self._page(request, visitor, account, secret=keys.secret)

    async def sign_no_more(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        account = await self._chosen(visitor, str((await request.post()).get("account", "")))
        await self._signing.stop(account)
        await self._audit.note(visitor.account.login, "account.unsigned", account.login, account.id)
        return await self._page(request, visitor, account)

    async def add(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        form = {name: str(value).strip() for name, value in (await request.post()).items()}
        login, pin = form.get("login", ""), new_pin()
        settings = AccountSettings(form.get("time_zone", ""), form.get("country", ""))
        try:
            account = await self._accounts.add(login, pin, settings)
        except NameTaken:
            return await self._page(request, visitor, visitor.account, error=FieldError("login", "is taken"))
        except FieldError as error:
            return await self._page(request, visitor, visitor.account, error=error)
        await self._audit.note(visitor.account.login, "account.add", account.login, account.id)
        return await self._page(request, visitor, account, pin=pin, added=login)


def new_pin() -> str:
    return "".join(secrets.choice("0123456789") for _ in range(8))


def operators_alone(settings: AccountSettings) -> frozenset[str]:
    """What only operators set: the zone too where caps count by its day, which another zone would begin anew."""
    daily = (settings.daily_calls, settings.daily_minutes, settings.daily_cost)
    return OPERATORS_ALONE if daily == (None, None, None) else OPERATORS_ALONE | {"time_zone"}


def form_fields(settings: AccountSettings, operator: bool, given: Mapping[str, str]) -> list[Field]:
    """Every setting; ``given`` is what was typed and refused."""
    hints = typing.get_type_hints(AccountSettings)
    known = [one.name for one in fields(AccountSettings)]
    ordered = [name for name in WORDS if name in known] + [name for name in known if name not in WORDS]
    found = []
    for name in ordered:
        label, hint = WORDS.get(name, (name.replace("_", " ").capitalize(), ""))
        kind, choices = _kind(hints[name])
        value = _shown(getattr(settings, name))
        locked = name in operators_alone(settings) and not operator
        found.append(Field(name, label, hint, kind, given.get(name, value) if given else value, choices, locked))
    return found


def read_form(settings: AccountSettings, given: Mapping[str, str], *, operator: bool) -> dict[str, Any]:
    """The settings that differ. Raises :class:`FieldError`."""
    changes: dict[str, Any] = {}
    for one in form_fields(settings, operator, {}):
        if one.locked:
            continue
        text = given.get(one.name, "").strip()
        value: Any = text or None
        match one.kind:
            case "check":
                value = text == "on"
            case "list":
                value = [part for part in (piece.strip() for piece in text.split(",")) if part]
            case "number" if text:
                try:
                    value = float(text) if "." in text else int(text)
                except ValueError:
                    raise FieldError(one.name, "must be a number") from None
        now = getattr(settings, one.name)
        if value != (list(now) if isinstance(now, tuple) else now):
            changes[one.name] = value
    return changes


def _kind(hint: Any) -> tuple[str, tuple[str, ...]]:
    optional = typing.get_origin(hint) in (UnionType, typing.Union)
    first = next(one for one in typing.get_args(hint) if one is not type(None)) if optional else hint
    if isinstance(first, type) and issubclass(first, StrEnum):
        choices = tuple(str(one) for one in first)
        return "choice", ("", *choices) if optional else choices
    if first is bool:
        return "check", ()
    if first in (int, float):
        return "number", ()
    return ("list", ()) if typing.get_origin(first) is tuple else ("text", ())


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else ""
    if isinstance(value, tuple):
        return ", ".join(str(one) for one in value)
    return "" if value is None else str(value)
