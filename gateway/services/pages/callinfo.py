"""Call Info: the evidence card of one call: every attempt, the result post, and what keeps it from being dialed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from gateway.core.model import Attempt, AttemptEnd, AttemptId, Call, CalleeType, CallId, Millis
from gateway.core.states import LIVE, WAITING
from gateway.core.timeline import Timeline, timeline
from gateway.core.visiting import Visitor
from gateway.ports import Clock, PbxError, Store
from gateway.services.audit import Audit
from gateway.services.pages.outbound import shown_name
from gateway.services.pages.site import HEADERS, NotHere, Refused, Site, back, number_of
from gateway.services.why import Why, for_account


@dataclass(frozen=True, slots=True)
class AttemptCard:
    attempt: Attempt
    end: AttemptEnd | None
    picture: Timeline

    @property
    def detector(self) -> str:
        """Who judged the callee, and why not the tap where it was not."""
        if self.end is None:
            return ""
        name = {"tap": "the media tap", "agi": "Asterisk's AMD"}.get(str(self.end.evidence.get("detector", "")), "")
        fallback = self.end.evidence.get("fallback")
        return f"{name} (no tap: {fallback})" if name and fallback else name

    @property
    def audio(self) -> bool:
        return self.end is not None and bool(self.end.evidence.get("audio"))


class CallInfo:
    """``hang_up`` ends a live call; False where it is not live. ``so_far`` is the evidence of an open attempt.

    ``audio`` reads a file of evidence, None where it is gone; it blocks.
    """

    def __init__(
        self, site: Site, store: Store, clock: Clock, why: Why, hang_up: Callable[[CallId], Awaitable[bool]],
        so_far: Callable[[AttemptId], Mapping[str, Any]], audio: Callable[[str], bytes | None], audit: Audit,
    ) -> None:  # fmt: skip
        self._site = site
        self._store = store
        self._clock = clock
        self._why = why
        self._hang_up = hang_up
        self._so_far = so_far
        self._audio = audio
        self._audit = audit

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/calls/{id}", self._site.page(self.show))
        router.add_get("/calls/{id}/attempts/{number}/audio.wav", self._site.page(self.audio))
        router.add_post("/calls/{id}/hangup", self._site.action(self.hang_up))
        router.add_post("/calls/{id}/relabel", self._site.action(self.relabel))

    async def show(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        call = await own_call(self._store, visitor, CallId(number_of(request)))
        campaign = await self._store.campaign(call.campaign_id)
        assert campaign is not None  # the schema's foreign key
        now = self._clock.now()
        delivery = await self._store.delivery_of(call.id)
        hold = await self._why.why_call(call.id)
        if hold is not None and not visitor.operator:
            hold = for_account(hold)
        return self._site.render(
            "call.html", request, visitor, call=call, campaign=campaign, campaign_name=shown_name(campaign),
            cards=await self._cards(call, now), hold=hold, delivery=delivery,
            tries=[] if delivery is None else await self._store.delivery_tries(delivery.id),
            waiting=call.state in WAITING, live=call.state in LIVE, callees=list(CalleeType),
        )  # fmt: skip

    async def _cards(self, call: Call, now: Millis) -> list[AttemptCard]:
        found = await self._store.attempts(call.id)
        return [
            AttemptCard(attempt, end, timeline(attempt, end, now, self._so_far(attempt.id)))
            for attempt, end in reversed(found)
        ]

    async def audio(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        """The first seconds of an attempt, where they were kept and are still there."""
        call = await own_call(self._store, visitor, CallId(number_of(request)))
        number = number_of(request, "number")
        for attempt, end in await self._store.attempts(call.id):
            name = None if end is None else end.evidence.get("audio")
            if attempt.number == number and isinstance(name, str):
                found = await asyncio.to_thread(self._audio, name)
                if found is not None:
                    headers = {**HEADERS, "Cache-Control": "private, max-age=300"}
                    return web.Response(body=found, content_type="audio/wav", headers=headers)
        raise NotHere

    async def hang_up(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        call = await own_call(self._store, visitor, CallId(number_of(request)))
        try:
            live = await self._hang_up(call.id)
        except PbxError as error:
            raise Refused(f"Asterisk cannot be told now: {error}. Try again in a few seconds.", 503) from None
        if not live:
            raise Refused("The call is not live any more.", 409)
        await self._audit.note(visitor.account.login, "call.hangup", f"call {call.id}", call.account_id)
        return back(request, f"/calls/{call.id}")

    async def relabel(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        """Correct who answered: the record says so from then on, and the replay of the classifier learns of it."""
        call = await own_call(self._store, visitor, CallId(number_of(request)))
        asked = str((await request.post()).get("callee_type", ""))
        if asked not in list(CalleeType):
            raise Refused("Choose one of the callee types.", 422)
        await self._store.relabel(visitor.scope, call.id, CalleeType(asked))
        note = f"{call.callee_type} to {asked}"
        await self._audit.note(visitor.account.login, "call.relabel", f"call {call.id}", call.account_id, note)
        return back(request, f"/calls/{call.id}")


async def own_call(store: Store, visitor: Visitor, ident: CallId) -> Call:
    """Raises :class:`NotHere` also where it is another account's."""
    call = await store.call(ident)
    if call is None or not visitor.sees(call.account_id):
        raise NotHere
    return call
