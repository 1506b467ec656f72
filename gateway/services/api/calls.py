"""/calls: queue one or a stream of them, look, list, cancel, relabel, hang up."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import msgspec
from aiohttp import web

from gateway.core.access import Scope
from gateway.core.lists import CallOrder, CallQuery
from gateway.core.model import Call as CallRecord
from gateway.core.model import CalleeType, CallId, CallState, CampaignId
from gateway.core.numbers import NumberError, parse_destination
from gateway.core.states import CALL_WORDS
from gateway.ports import Pbx, PbxError, Store
from gateway.services.accounts import Accounts
from gateway.services.api import shaping
from gateway.services.api.bodies import CSV, JSON_LINES, CallLines, Line, single_call, spooled
from gateway.services.api.callers import Again, Caller, account_for, account_seen
from gateway.services.api.problems import Code, Problem, invalid, not_found, problem_of
from gateway.services.api.receipts import answer_once, fingerprint, key_of
from gateway.services.api.routing import read_json, route
from gateway.services.audit import Audit
from gateway.services.feed import EventKind, Publish, call_data
from gateway.services.intake.desk import Desk
from gateway.services.livecalls import LiveCalls
from gateway.services.receipts import Receipts, Stamp
from gateway.services.why import Why, for_account
from voxgate import models

E = TypeVar("E", bound=StrEnum)


class Calls:
    def __init__(
        self, store: Store, desk: Desk, accounts: Accounts, receipts: Receipts, live: LiveCalls, pbx: Pbx, why: Why,
        audit: Audit, publish: Publish, spool: Path, max_body: int,
    ) -> None:  # fmt: skip
        self._store = store
        self._desk = desk
        self._accounts = accounts
        self._receipts = receipts
        self._live = live
        self._pbx = pbx
        self._why = why
        self._audit = audit
        self._publish = publish
        self._spool = spool
        self._max_body = max_body
        self._decoder = msgspec.json.Decoder(models.NewCall)

    # --- queueing ---

    @route(
        "POST", "/calls", Scope.CALLS, status=201, keyed=True, takes=(JSON_LINES, CSV), gives=(JSON_LINES,),
        replies=(models.NewCall, models.Queued, models.LineDone),
    )  # fmt: skip
    async def queue_calls(self, who: Caller, request: web.Request, again: Again) -> web.StreamResponse:
        """Queue a call, or many of them.

        One call is a JSON object, and durable once it is answered. Many are JSON Lines or CSV whose header names the
        fields; they are read to the end, then each line is answered by one, in order, once its call is durable. A line
        that is refused costs no other. With an Idempotency-Key a stream that broke off is sent again whole: what was
        queued is not queued again.
        """
        if request.content_type in (JSON_LINES, CSV):
            return await self._stream(again, request)
        body = await read_json(request)
        who = await again()
        asked = self._decoder.decode(body)
        mark = fingerprint(request, body)
        return await answer_once(self._receipts, who, request, mark, 201, lambda stamp: self._queue(who, asked, stamp))

    async def _queue(self, who: Caller, asked: models.NewCall, stamp: Stamp | None) -> models.Queued:
        account = await account_for(who, asked.account, self._accounts)
        receipt = None if stamp is None else lambda ident: stamp(models.Queued(id=ident))
        return models.Queued(id=await self._desk.queue_call(account, single_call(account.login, asked), receipt))

    async def _stream(self, again: Again, request: web.Request) -> web.StreamResponse:
        key = key_of(request)
        async with spooled(request, self._spool, self._max_body) as (path, _):
            who = await again()
            lines = CallLines(path, request.content_type)
            answer = web.StreamResponse(status=200, headers={"Content-Type": JSON_LINES})
            await answer.prepare(request)
            try:
                while batch := await asyncio.to_thread(lines.next):
                    done = await asyncio.gather(*(self._line(who, request, key, line) for line in batch))
                    await answer.write(b"".join(done))
            finally:
                lines.close()
        return answer

    async def _line(self, who: Caller, request: web.Request, key: str | None, line: Line) -> bytes:
        try:
            if line.error is not None or line.call is None:
                raise line.error or invalid("line", "is empty")
            asked = line.call
            own = None if key is None else f"{key}#{line.number}"
            body, _ = await self._receipts.once(
                who.owner, own, fingerprint(request, line.text), 201, lambda stamp: self._queue(who, asked, stamp)
            )
            told = models.LineDone(line=line.number, id=msgspec.json.decode(body, type=models.Queued).id)
        except Exception as error:
            problem = problem_of(error)
            told = models.LineDone(line=line.number, field=problem.field or "line", rule=problem.rule or str(problem))
        return msgspec.json.encode(told) + b"\n"

    # --- looking ---

    @route("GET", "/calls", Scope.READ)
    async def list_calls(self, who: Caller, query: models.CallFilter) -> models.Page[models.Call]:
        """List calls, in the order they were queued or another, filtered, a page at a time."""
        account = await account_seen(who, query.account, self._accounts)
        if query.campaign is not None:
            await self._campaign_seen(who, CampaignId(query.campaign))
        number, prefix = await self._number(who, query.number)
        order = query.order or (CallOrder.QUEUE if prefix is None else CallOrder.NUMBER)
        asked = CallQuery(
            account=account,
            campaign=None if query.campaign is None else CampaignId(query.campaign),
            states=several("state", query.state, CallState),
            callee_types=several("callee_type", query.callee_type, CalleeType),
            number=number,
            prefix=prefix,
            reference=query.reference,
            order=order,
            descending=query.descending,
        )
        page = await self._store.calls(asked, shaping.position_of(query.after), query.limit)
        items = [shaping.call(one, await self._accounts.login_of(one.account_id)) for one in page.calls]
        return models.Page(items=items, next=shaping.cursor(page.next))

    async def _number(self, who: Caller, text: str | None) -> tuple[str | None, str | None]:
        """A number as it is dialed, or its beginning."""
        if text is None:
            return None, None
        if text.endswith("*"):
            return None, text[:-1].strip()
        country = "US" if who.account is None else who.account.settings.country
        try:
            return parse_destination(text, country).dialed, None
        except NumberError:
            return text, None

    async def _campaign_seen(self, who: Caller, ident: CampaignId) -> None:
        found = await self._store.campaign(ident)
        if found is None or not who.sees(found.account_id):
            raise not_found(f"campaign {ident}")

    @route("GET", "/calls/{call_id}", Scope.READ)
    async def get_call(self, who: Caller, call_id: models.Ident) -> models.CallDetail:
        """One call with its attempts, their evidence, and its result post."""
        found = await self._store.history(CallId(call_id))
        if found is None or not who.sees(found.call.account_id):
            raise not_found(f"call {call_id}")
        return shaping.call_detail(found, await self._accounts.login_of(found.call.account_id))

    @route("GET", "/calls/{call_id}/why", Scope.READ)
    async def why_call(self, who: Caller, call_id: models.Ident) -> models.Hold:
        """The one reason for which a call is not being dialed now, and what would change it."""
        one = await self._seen(who, call_id)
        hold = await self._why.why_call(one.id)
        if hold is None:
            raise not_found(f"call {call_id}")
        return shaping.hold(hold if who.operator else for_account(hold))

    # --- changing ---

    @route("POST", "/calls/{call_id}/cancel", Scope.CALLS)
    async def cancel_call(self, who: Caller, call_id: models.Ident) -> models.Call:
        """Cancel a call that waits. A live call is ended by a hang-up."""
        one = await self._seen(who, call_id)
        state = await self._store.cancel_call(None, one.id)
        if state is not CallState.CANCELLED:
            word = "gone" if state is None else CALL_WORDS[state]
            raise Problem(Code.CONFLICT, f"call {call_id} is {word}: only calls that wait can be cancelled")
        changed = await self._seen(who, call_id)
        if one.state is not CallState.CANCELLED:
            self._publish(EventKind.CALL_CHANGED, changed.account_id, call_data(changed))
            await self._audit.note(who.name, "call.cancel", f"call {call_id}", changed.account_id)
        return shaping.call(changed, await self._accounts.login_of(changed.account_id))

    @route("POST", "/calls/{call_id}/relabel", Scope.CALLS)
    async def relabel_call(self, who: Caller, call_id: models.Ident, body: models.Label) -> models.Call:
        """Correct who answered a call that has ended. Its state, its retries and its posted result stay as they are."""
        one = await self._seen(who, call_id)
        changed = await self._store.relabel(one.account_id, one.id, body.callee_type)
        if changed is None:
            raise not_found(f"call {call_id}")
        self._publish(EventKind.CALL_CHANGED, changed.account_id, call_data(changed))
        was = one.callee_type or "unknown"
        await self._audit.note(
            who.name, "call.relabel", f"call {call_id}", changed.account_id, f"{was} to {changed.callee_type}"
        )
        return shaping.call(changed, await self._accounts.login_of(changed.account_id))

    @route("POST", "/calls/{call_id}/hangup", Scope.CALLS, status=202)
    async def hang_up(self, who: Caller, call_id: models.Ident) -> models.HangUp:
        """Hang up a live call. What it then is, and whether a retry is owed, is decided as for any other end."""
        one = await self._seen(who, call_id)
        live = next((each for each in self._live if each.claimed.call.id == one.id and not each.closing), None)
        if live is None:
            word = CALL_WORDS[one.state]
            raise Problem(Code.CONFLICT, f"call {call_id} is {word}: only a live call can be hung up")
        if not self._pbx.connected:
            raise Problem(Code.UNAVAILABLE, "there is no link to Asterisk now", headers={"Retry-After": "5"})
        try:
            await self._pbx.hangup(live.id)
        except PbxError as error:
            raise Problem(Code.UNAVAILABLE, str(error), headers={"Retry-After": "5"}) from None
        await self._audit.note(who.name, "call.hangup", f"call {call_id}", one.account_id)
        return models.HangUp(id=one.id, attempt=live.claimed.attempt.number)

    async def _seen(self, who: Caller, call_id: models.Ident) -> CallRecord:
        found = await self._store.call(CallId(call_id))
        if found is None or not who.sees(found.account_id):
            raise not_found(f"call {call_id}")
        return found


def several(field: str, text: str | None, kind: type[E]) -> frozenset[E]:
    """Values with commas between them. Raises :class:`Problem`."""
    found = set()
    for word in (text or "").split(","):
        if not word.strip():
            continue
        try:
            found.add(kind(word.strip()))
        except ValueError:
            raise invalid(field, f"must be one of {', '.join(kind)}, or several with commas") from None
    return frozenset(found)
