"""Exports over HTTP: what is asked is checked, and the file is handed on as it is made."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

import structlog
from aiohttp import web

from gateway.core.exporting import ExportQuery, Format
from gateway.core.model import AccountId, CalleeType, CallState, CampaignId, Millis
from gateway.core.plum import FieldError
from gateway.ports import Store, StoreError
from gateway.services.accounts import account_named

log = structlog.get_logger()
K = TypeVar("K", bound=StrEnum)


class Exports:
    """``available`` raises ValueError where a format cannot be made; ``export`` makes the file."""

    def __init__(
        self, store: Store, available: Callable[[Format], None],
        export: Callable[[Format, ExportQuery], AsyncIterator[bytes]],
    ) -> None:  # fmt: skip
        self._store = store
        self._available = available
        self._export = export

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/api/v1/export", self.handle)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        query = request.query
        account = None
        if "account" in query:
            account = (await account_named(self._store, query["account"])).id
        return await self.stream(
            request, _one(query.get("format", "csv"), Format, "format"), read_query(query, account)
        )

    async def stream(
        self, request: web.Request, form: Format, query: ExportQuery, name: str = "calls",
        headers: Mapping[str, str] | None = None,
    ) -> web.StreamResponse:  # fmt: skip
        """A file that breaks off midway ends the connection: no client takes a part for the whole."""
        try:
            self._available(form)
        except ValueError as error:
            raise FieldError("format", str(error)) from None
        own = {
            "Content-Type": form.content_type, "Cache-Control": "no-store",
            "Content-Disposition": f'attachment; filename="{name}.{form}"',
        }  # fmt: skip
        response = web.StreamResponse(headers={**(headers or {}), **own})
        await response.prepare(request)
        try:
            async for piece in self._export(form, query):
                await response.write(piece)
        except StoreError as error:
            log.error("export.failed", error=str(error))
            if request.transport is not None:
                request.transport.abort()
        return response


def read_query(values: Mapping[str, str], account: AccountId | None) -> ExportQuery:
    """The query of a URL; lists are separated by commas. Raises :class:`FieldError`."""
    campaign = values.get("campaign")
    if campaign is not None and not (campaign.isdecimal() and len(campaign) <= 18):
        raise FieldError("campaign", "must be a campaign's number")
    return ExportQuery(
        account,
        None if campaign is None else CampaignId(int(campaign)),
        _several(values, "state", CallState),
        _several(values, "callee_type", CalleeType),
        _time(values, "since"),
        _time(values, "until"),
    )


def _several(values: Mapping[str, str], name: str, kind: type[K]) -> tuple[K, ...]:
    return tuple(_one(one.strip(), kind, name) for one in values.get(name, "").split(",") if one.strip())


def _one(text: str, kind: type[K], name: str) -> K:
    try:
        return kind(text)
    except ValueError:
        raise FieldError(name, f"{text!r} is not one of {', '.join(kind)}") from None


def _time(values: Mapping[str, str], name: str) -> Millis | None:
    if name not in values:
        return None
    try:
        at = datetime.fromisoformat(values[name]).timestamp()  # without a zone: this machine's
    except (ValueError, OverflowError):  # the latter from years that no clock has
        raise FieldError(name, f"{values[name]!r} is no time like 2026-11-27 or 2026-11-27T09:00:00Z") from None
    return Millis(round(at * 1000))
