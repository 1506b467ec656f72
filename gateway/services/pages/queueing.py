"""Queue a call, create a campaign: the service's own variables in two forms, checked and shown while they are typed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import msgspec
import structlog
from aiohttp import web

from gateway.core.model import Account, CallId
from gateway.core.plum import QUEUECALL, QUEUECALLS, FieldError, Submission, read_submission
from gateway.core.samples import samples
from gateway.core.visiting import Visitor
from gateway.ports import Clock, Store
from gateway.services.audit import Audit
from gateway.services.intake.desk import Desk, Load
from gateway.services.intake.form import Form, FormError, read_form
from gateway.services.pages.echoing import echoes
from gateway.services.pages.once import fresh, key_of
from gateway.services.pages.shelf import KeptList, Shelf
from gateway.services.pages.site import CSRF_FIELD, Site, plain, see, thousands
from gateway.services.receipts import Receipts, Stamp

log = structlog.get_logger()

#: Stands for a PIN where the session has authenticated already.
_NO_PIN = "-"
#: Variables of the forms, in the order of the manual.
OPTIONAL = (
    "result_url", "message_reference", "call_parameters", "max_retries", "retry_interval", "scheduled_timestamp",
    "scheduled_time", "expiration_timestamp", "expiration_time", "detection", "machine",
)  # fmt: skip
VARIABLES = {
    QUEUECALL: ("phone_number", "start_url", *OPTIONAL),
    QUEUECALLS: ("campaign_name", "start_url", *OPTIONAL),
}
SHOWN = 100


class Queueing:
    """``spool`` is where uploaded lists wait on disk."""

    def __init__(
        self, site: Site, store: Store, desk: Desk, clock: Clock, receipts: Receipts, spool: Path,
        audit: Audit,
    ) -> None:  # fmt: skip
        self._site = site
        self._store = store
        self._desk = desk
        self._receipts = receipts
        self._clock = clock
        self._spool = spool
        self._audit = audit
        self._shelf = Shelf(clock)

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/queue", self._site.page(self.show))
        router.add_post("/queue/echo", self._site.action(self.echo))
        router.add_post("/queue/call", self._site.action(self.queue_call))
        router.add_post("/queue/list", self._site.action(self.take_list, upload=True))
        router.add_post("/queue/campaign", self._site.page(self.campaign, upload=True))
        router.add_get("/queue/progress", self._site.page(self.progress))

    async def show(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        given = {name: value[:255] for name, value in request.query.items() if name in VARIABLES[QUEUECALL]}
        return await self._page(request, visitor, {QUEUECALL: given, QUEUECALLS: {}})

    async def _page(
        self, request: web.Request, visitor: Visitor, values: Mapping[str, Mapping[str, str]],
        error: FieldError | None = None, endpoint: str = "", kept: KeptList | None = None,
    ) -> web.Response:  # fmt: skip
        accounts = [one.login for one in await self._store.accounts()] if visitor.operator else []
        base = self._site.base_of(request)
        shown = {
            one: samples(base, one, values[one].get("account") or visitor.account.login, list(values[one].items()))
            for one in VARIABLES
        }
        return self._site.render(
            "queue.html", request, visitor, 200 if error is None else 422, values=values, error=error,
            endpoint=endpoint, kept=kept, accounts=accounts, samples=shown, once=fresh(),
        )  # fmt: skip

    async def _account(self, visitor: Visitor, values: Mapping[str, str]) -> Account:
        """The account that the form is for: an operator names it. Raises :class:`FieldError`."""
        login = values.get("account", "")
        if not visitor.operator or not login or login == visitor.account.login:
            return visitor.account
        found = await self._store.account_by_login(login)
        if found is None:
            raise FieldError("account", f"{login!r} is unknown")
        return found

    # --- while it is typed ---

    async def echo(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        form = await request.post()
        endpoint = QUEUECALLS if form.get("endpoint") == QUEUECALLS else QUEUECALL
        values = _chosen(endpoint, [(name, str(value)) for name, value in form.items()])
        try:
            account = await self._account(visitor, values)
        except FieldError as error:
            return plain({"echo": {"account": {"text": str(error), "good": False}}, "samples": {}})
        told = await asyncio.to_thread(
            echoes, values, self._clock.now(), account, lambda text: self._desk.number(account, text)
        )
        fields = [(name, values.get(name, "")) for name in VARIABLES[endpoint]]
        return plain({
            "echo": {name: {"text": one.text, "good": one.good} for name, one in told.items()},
            "samples": samples(self._site.base_of(request), endpoint, account.login, fields),
        })  # fmt: skip

    # --- a single call ---

    async def queue_call(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        """Once for each form that was shown, however often it is sent: a double click rings no phone twice."""
        form = await request.post()
        values = _chosen(QUEUECALL, [(name, str(value)) for name, value in form.items()])
        try:
            account = await self._account(visitor, values)
            fields = [("login", account.login), ("pin", _NO_PIN), *_given(QUEUECALL, values)]
            submission = read_submission(QUEUECALL, fields)

            async def work(stamp: Stamp | None) -> CallId:
                return await self._desk.queue_call(account, submission, stamp)

            key = key_of(str(form.get("once", "")), fields)
            call_id, _ = await self._receipts.once(account.id, key, "", 303, work)
        except FieldError as error:
            return await self._page(request, visitor, {QUEUECALL: values, QUEUECALLS: {}}, error, QUEUECALL)
        return see(f"/calls/{msgspec.json.decode(call_id, type=int)}")

    # --- a campaign ---

    async def take_list(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        """An uploaded list, kept until the form is sent; the answer is its preview."""
        try:
            kept = await self._keep(await read_form(request, self._spool), visitor)
        except (FormError, FieldError) as error:
            return plain({"error": str(error)}, 422)
        return self._site.render("preview.html", request, visitor, kept=kept)

    async def _keep(self, form: Form, visitor: Visitor) -> KeptList | None:
        if form.upload is None:
            return None
        try:
            account = await self._account(visitor, dict(form.fields))
            preview = await self._desk.preview(account, form.upload, SHOWN)
        except BaseException:
            form.close()
            raise
        return self._shelf.keep(account.id, form.upload, preview)

    async def campaign(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        """The form with a list that was previewed queues it; with a new one it shows the preview first."""
        try:
            form = await read_form(request, self._spool)
        except FormError as error:
            return await self._page(
                request, visitor, {QUEUECALL: {}, QUEUECALLS: {}}, FieldError("phone_list", str(error)), QUEUECALLS
            )
        given = dict(form.fields)
        values = _chosen(QUEUECALLS, form.fields)
        try:
            visitor = await self._site.again(request)
            self._site.check(request, visitor, given.get(CSRF_FIELD, ""))
        except BaseException:
            form.close()
            raise
        both = {QUEUECALL: dict[str, str](), QUEUECALLS: values}
        kept = self._shelf.find(given.get("list", ""))
        try:
            if form.upload is not None and form.upload.stat().st_size:
                kept = await self._keep(form, visitor)
                return await self._page(request, visitor, both, None, QUEUECALLS, kept)
            form.close()
            account = await self._account(visitor, values)
            if kept is None or kept.account != account.id:
                kept = None
                raise FieldError("phone_list", "is required: choose a file with one number a line")
            own = [("login", account.login), ("pin", _NO_PIN), ("phone_list", _NO_PIN)]
            submission = read_submission(QUEUECALLS, [*own, *_given(QUEUECALLS, values)])
            load = await self._queue_list(account, submission, kept)
            what = f"campaign {load.campaign}"
            await self._audit.note(visitor.account.login, "campaign.load", what, account.id, load.name)
        except FieldError as error:
            return await self._page(request, visitor, both, error, QUEUECALLS, kept)
        return see(f"/campaigns/{load.campaign}")

    async def _queue_list(self, account: Account, submission: Submission, kept: KeptList) -> Load:
        """Nobody else can queue the list meanwhile, nor does it make room for another; a refused one is kept."""
        self._shelf.take(kept)
        try:
            load = await self._desk.queue_list(account, submission, kept.path)
        except BaseException:
            self._shelf.put(kept)
            raise
        kept.path.unlink(missing_ok=True)
        return load

    async def progress(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        """How far the loading of the visitor's campaign of this name is."""
        name = request.query.get("name", "").strip()
        for load in reversed(self._desk.loads.values()):
            if load.name == name and not load.done and visitor.sees(load.account):
                return plain({
                    "text": f"{thousands(load.queued)} numbers queued", "done": load.bytes_read, "of": load.bytes_total
                })  # fmt: skip
        return plain({})

    async def close(self, app: web.Application) -> None:
        self._shelf.clear()


def _chosen(endpoint: str, fields: list[tuple[str, str]]) -> dict[str, str]:
    known = {*VARIABLES[endpoint], "account"}
    return {name: value.replace("\r\n", "\n").strip() for name, value in fields if name in known}


def _given(endpoint: str, values: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(name, values.get(name, "")) for name in VARIABLES[endpoint]]
