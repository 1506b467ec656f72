"""The small JSON API that our own command line speaks."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import msgspec
import phonenumbers
from aiohttp import web

from gateway.core.lists import CallQuery, Position
from gateway.core.model import Account, AccountSettings, Call, CallId, CallState, CampaignId, CampaignState
from gateway.core.plum import QUEUECALL, QUEUECALLS, FieldError, Submission, read_submission
from gateway.core.states import CALL_WORDS
from gateway.ports import Campaign, Store, StoreError
from gateway.services.feed import EventKind, Publish, call_data, campaign_data, unheard
from gateway.services.intake.desk import Desk
from gateway.services.intake.form import FormError, read_form
from gateway.services.intake.logins import Logins, hasher

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
#: Stands for a PIN where the socket's file rights have authenticated already.
_NO_PIN = "-"


class Api:
    def __init__(
        self,
        store: Store,
        desk: Desk,
        logins: Logins,
        spool: Path,
        status: Callable[[], dict[str, Any]],
        publish: Publish = unheard,
    ) -> None:
        self._store = store
        self._publish = publish
        self._desk = desk
        self._logins = logins
        self._spool = spool
        self._status = status

    def add_routes(self, router: web.UrlDispatcher) -> None:
        base = "/api/v1"
        router.add_get(f"{base}/status", self.status)
        router.add_get(f"{base}/accounts", self.accounts)
        router.add_post(f"{base}/accounts", self.add_account)
        router.add_get(f"{base}/calls", self.calls)
        router.add_post(f"{base}/calls", self.queue_call)
        router.add_get(f"{base}/calls/{{id:[0-9]+}}", self.call)
        router.add_post(f"{base}/calls/{{id:[0-9]+}}/cancel", self.cancel_call)
        router.add_get(f"{base}/campaigns", self.campaigns)
        router.add_post(f"{base}/campaigns", self.load_campaign)
        router.add_get(f"{base}/campaigns/{{id:[0-9]+}}", self.campaign)
        for verb in ("pause", "resume", "cancel"):
            router.add_post(f"{base}/campaigns/{{id:[0-9]+}}/{verb}", self.change_campaign)
        router.add_get(f"{base}/uploads", self.uploads)

    @property
    def errors(self) -> Any:
        @web.middleware
        async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
            try:
                return await handler(request)
            except FieldError as error:
                return _failed(422, str(error), error.field)
            except (FormError, msgspec.DecodeError) as error:
                return _failed(400, str(error))
            except StoreError as error:
                return _failed(409, str(error))

        return middleware

    async def status(self, request: web.Request) -> web.Response:
        return _json(self._status())

    # --- accounts ---

    async def accounts(self, request: web.Request) -> web.Response:
        return _json([_account(one) for one in await self._store.accounts()])

    async def add_account(self, request: web.Request) -> web.Response:
        body = await _body(request)
        account = await self._store.add_account(*new_account(body))
        self._logins.forget()
        return _json(_account(account), 201)

    # --- calls ---

    async def queue_call(self, request: web.Request) -> web.Response:
        body = await _body(request)
        account = await account_named(self._store, body.pop("account", None))
        fields = [(name, str(value)) for name, value in body.items() if value is not None]
        submission = read_submission(QUEUECALL, [("login", account.login), ("pin", _NO_PIN), *fields])
        return _json({"id": await self._desk.queue_call(account, submission)}, 201)

    async def calls(self, request: web.Request) -> web.Response:
        query = request.query
        state = query.get("state")
        if state is not None and state not in list(CallState):
            raise FieldError("state", f"must be one of {', '.join(CallState)}")
        after = _integer(query, "after") if "after" in query else 0
        page = await self._store.calls(
            CallQuery(
                campaign=CampaignId(_integer(query, "campaign")) if "campaign" in query else None,
                states=frozenset() if state is None else frozenset([CallState(state)]),
            ),
            Position(0, 0, after),
            min(1000, max(1, _integer(query, "limit"))) if "limit" in query else 100,
        )
        next_after = None if page.next is None else page.next.id
        return _json({"calls": [_call(one) for one in page.calls], "next_after": next_after})

    async def call(self, request: web.Request) -> web.Response:
        call_id = CallId(_ident(request))
        call = await self._store.call(call_id)
        if call is None:
            return _failed(404, f"there is no call {call_id}")
        attempts = [
            {**msgspec.to_builtins(attempt), "end": None if end is None else msgspec.to_builtins(end)}
            for attempt, end in await self._store.attempts(call_id)
        ]
        return _json({**_call(call), "history": attempts, "delivery": await self._store.delivery_of(call_id)})

    async def cancel_call(self, request: web.Request) -> web.Response:
        call_id = CallId(_ident(request))
        state = await self._store.cancel_call(None, call_id)
        if state is None:
            return _failed(404, f"there is no call {call_id}")
        if state is not CallState.CANCELLED:
            return _failed(409, f"call {call_id} is {CALL_WORDS[state]}: only calls that wait can be cancelled")
        if (call := await self._store.call(call_id)) is not None:
            self._publish(EventKind.CALL_CHANGED, call.account_id, call_data(call))
        return _json({"id": call_id, "state": state})

    # --- campaigns ---

    async def campaigns(self, request: web.Request) -> web.Response:
        return _json([_campaign(one) for one in await self._store.campaigns(None)])

    async def campaign(self, request: web.Request) -> web.Response:
        found = await self._store.campaign(CampaignId(_ident(request)))
        return _failed(404, "there is no such campaign") if found is None else _json(_campaign(found))

    async def load_campaign(self, request: web.Request) -> web.Response:
        async with campaign_form(request, self._store, self._spool) as (account, submission, path):
            return _json(_load(await self._desk.queue_list(account, submission, path)), 201)

    async def change_campaign(self, request: web.Request) -> web.Response:
        verb = request.path.rsplit("/", 1)[1]
        state = {"pause": CampaignState.PAUSED, "resume": CampaignState.ACTIVE, "cancel": CampaignState.CANCELLED}[verb]
        changed = await self._store.set_campaign_state(CampaignId(_ident(request)), state)
        self._publish(EventKind.CAMPAIGN_CHANGED, changed.account_id, campaign_data(changed))
        return _json(_campaign(changed))

    async def uploads(self, request: web.Request) -> web.Response:
        return _json([_load(one) for one in self._desk.loads.values()])


async def account_named(store: Store, login: object) -> Account:
    """Raises :class:`FieldError`."""
    account = await store.account_by_login(str(login or ""))
    if account is None:
        raise FieldError("account", f"{login!r} is unknown: see `voxgate account list`")
    return account


@asynccontextmanager
async def campaign_form(
    request: web.Request, store: Store, spool: Path
) -> AsyncIterator[tuple[Account, Submission, Path]]:
    """The form of a campaign, its list spooled until the block ends. Raises :class:`FieldError`, :class:`FormError`."""
    form = await read_form(request, spool)
    try:
        values = [(name, value) for name, value in form.fields if name not in ("phone_list", "account")]
        account = await account_named(store, dict(form.fields).get("account"))
        if form.upload is None:
            raise FieldError("phone_list", "must be an uploaded file")
        own = [("login", account.login), ("pin", _NO_PIN), ("phone_list", _NO_PIN)]
        yield account, read_submission(QUEUECALLS, [*own, *values]), form.upload
    finally:
        form.close()


def new_account(body: dict[str, Any]) -> tuple[str, str, AccountSettings]:
    """Login, PIN hash and settings of a new account; also used where no gateway runs. Raises :class:`FieldError`."""
    login, pin = str(body.pop("login", "")), str(body.pop("pin", ""))
    if not 1 <= len(login) <= 128 or not login.isprintable():
        raise FieldError("login", "must be 1 to 128 printable characters")
    if not 4 <= len(pin) <= 16 or not pin.isprintable():
        raise FieldError("pin", "must be 4 to 16 printable characters")
    try:
        settings = msgspec.convert(body, AccountSettings)
    except msgspec.ValidationError as error:
        raise FieldError("settings", str(error)) from None
    if settings.time_zone not in available_timezones():
        raise FieldError("time_zone", f"{settings.time_zone!r} is no time zone like America/New_York")
    ZoneInfo(settings.time_zone)
    if settings.country not in phonenumbers.SUPPORTED_REGIONS:
        raise FieldError("country", f"{settings.country!r} is no ISO 3166 country like US")
    return login, hasher.hash(pin), settings


def _account(account: Account) -> dict[str, Any]:
    return {"id": account.id, "login": account.login, **msgspec.to_builtins(account.settings)}


def _call(call: Call) -> dict[str, Any]:
    return {**msgspec.to_builtins(call), "shown": CALL_WORDS[call.state]}


def _campaign(campaign: Campaign) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(campaign)
    return plain


def _load(load: object) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(load)
    return plain


async def _body(request: web.Request) -> dict[str, Any]:
    body = msgspec.json.decode(await request.read())
    if not isinstance(body, dict):
        raise FormError("the body must be a JSON object")
    return body


def _ident(request: web.Request) -> int:
    return _integer(request.match_info, "id")


def _integer(values: Mapping[str, str], name: str) -> int:
    """A number that SQLite can hold."""
    if not re.fullmatch("[0-9]{1,18}", values[name]):
        raise FieldError(name, "must be a number of at most 18 digits")
    return int(values[name])


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json", status=status)


def _failed(status: int, message: str, field: str | None = None) -> web.Response:
    return _json({"error": {"field": field, "message": message}}, status)
