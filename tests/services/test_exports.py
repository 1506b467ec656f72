"""Calls as files: every row once, safe in spreadsheets, whole or visibly broken off."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway.adapters.exports import available, export
from gateway.adapters.store import SqliteStore, exporting
from gateway.core.exporting import COLUMNS, ExportQuery, Format
from gateway.core.lists import CallQuery
from gateway.core.model import Account, AccountSettings, CalleeType, CallState, CampaignId, EndKind, Millis
from gateway.core.plum import FieldError
from gateway.core.retry import RetryPolicy
from gateway.ports import Lane, StoreError
from gateway.services.exports import Exports
from tests.adapters.test_store import NOW, call, ended, plan

FORMULA = '=HYPERLINK("http://evil","x")'


@dataclass
class House:
    path: Path
    store: SqliteStore
    account: Account

    async def campaign(self, name: str, count: int, at: Millis = NOW, **changes: str) -> CampaignId:
        opened = await self.store.open_campaign(self.account.id, name, plan(), at)
        await self.store.load_calls(opened, [call(number, **changes) for number in range(count)], at)
        await self.store.publish_campaign(opened, 0)
        return opened

    async def file(self, form: Format, query: ExportQuery | None = None) -> bytes:
        return b"".join([piece async for piece in export(self.path, form, query or ExportQuery())])

    async def rows(self, **query: object) -> list[dict[str, object]]:
        content = await self.file(Format.JSONL, ExportQuery(**query))  # type: ignore[arg-type]
        return [json.loads(line) for line in content.splitlines()]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    path = tmp_path / "q.db"
    store = SqliteStore(path, installation="abc", policy=RetryPolicy())
    yield House(path, store, await store.add_account("user", "h", AccountSettings("UTC", "US")))
    await store.close()


async def test_every_call_once_in_the_order_of_the_queue(house: House) -> None:
    count = exporting.CHUNK * 2 + 7
    await house.campaign("large", count)
    (done,) = await house.store.claim([Lane("t", 1)], NOW, 1)
    await house.store.close_attempt(ended(done, CalleeType.VOICE, EndKind.REACHED))
    rows = await house.rows()
    assert [row["call_id"] for row in rows] == list(range(1, count + 1))
    assert tuple(rows[0]) == COLUMNS
    first = {**rows[0]}
    assert (first["state"], first["callee_type"], first["attempts"], first["campaign"]) == (
        "completed",
        "voice",
        1,
        "large",
    )
    assert (first["message_reference"], first["dialed"], first["account"]) == ("m", "+16175550000", "user")
    assert (first["queued_at"], first["last_attempt_at"], first["due_at"]) == ("2027-01-15T08:00:00Z",) * 2 + (None,)


async def test_filters(house: House) -> None:
    first = await house.campaign("first", 3)
    second = await house.campaign("second", 4, at=Millis(NOW + 60_000))
    other = await house.store.add_account("other", "h", AccountSettings("UTC", "US"))
    await house.store.queue_call(other.id, call(9), plan(message_reference="mine", call_parameters="a=1"), NOW)
    (one,) = await house.store.claim([Lane("t", 1)], NOW, 1)  # single calls come first
    await house.store.close_attempt(ended(one))
    assert len(await house.rows()) == 8
    assert {row["campaign_id"] for row in await house.rows(campaign=second)} == {second}
    assert len(await house.rows(campaign=first)) == 3
    (single,) = await house.rows(account=other.id)
    assert (single["message_reference"], single["call_parameters"]) == ("mine", "a=1")
    assert await house.rows(account=other.id, campaign=first) == []
    assert len(await house.rows(states=(CallState.RETRYING, CallState.FAILED))) == 1
    assert len(await house.rows(callee_types=(CalleeType.BUSY,))) == 1
    assert len(await house.rows(since=NOW + 60_000)) == 4
    assert len(await house.rows(until=NOW + 60_000)) == 4
    assert await house.rows(campaign=CampaignId(99)) == []
    assert len(await house.rows(number="+16175550001")) == 2
    assert len(await house.rows(prefix="+1617555000")) == 8
    assert await house.rows(prefix="+1617556") == []
    assert [row["call_id"] for row in await house.rows(reference="mine")] == [single["call_id"]]
    listed = CallQuery(campaign=second, states=frozenset({CallState.PENDING}))
    assert len(await house.rows(**dataclasses.asdict(ExportQuery.of(listed)))) == 4


async def test_a_list_that_is_still_loading_is_not_exported(house: House) -> None:
    opened = await house.store.open_campaign(house.account.id, "c", plan(), NOW)
    await house.store.load_calls(opened, [call(1)], NOW)
    assert await house.rows() == []


async def test_no_spreadsheet_takes_a_cell_for_a_formula(house: House) -> None:
    await house.campaign("c", 1, message_reference=FORMULA, call_parameters="@SUM(A1)", campaign_parameters='a,"b"\n-c')
    content = (await house.file(Format.CSV)).decode()
    (row,) = csv.DictReader(io.StringIO(content, newline=""))
    assert row["message_reference"] == f"'{FORMULA}"
    assert row["call_parameters"] == "'@SUM(A1)"
    assert row["campaign_parameters"] == 'a,"b"\n-c'
    assert row["dialed"] == "+16175550000"  # a number is no formula
    assert row["reason"] == ""
    assert content.splitlines()[0] == ",".join(COLUMNS)
    (plain,) = await house.rows()
    assert plain["message_reference"] == FORMULA


async def test_parquet_has_types(house: House) -> None:
    pq = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed: no Parquet")
    pa = pytest.importorskip("pyarrow")
    await house.campaign("c", exporting.CHUNK + 3)
    table = pq.read_table(io.BytesIO(await house.file(Format.PARQUET)))
    assert table.num_rows == exporting.CHUNK + 3
    assert tuple(table.column_names) == COLUMNS
    assert table.schema.field("queued_at").type == pa.timestamp("ms", "UTC")
    assert table["call_id"][-1].as_py() == exporting.CHUNK + 3
    assert (
        pq.read_table(io.BytesIO(await house.file(Format.PARQUET, ExportQuery(campaign=CampaignId(9))))).num_rows == 0
    )


async def test_what_breaks_off_is_told(house: House) -> None:
    with pytest.raises(StoreError, match="broke off|ended midway"):
        async for _ in export(house.path.with_name("none") / "q.db", Format.CSV, ExportQuery()):
            pass


@pytest.fixture
async def client(house: House) -> AsyncIterator[TestClient]:
    @web.middleware
    async def errors(request: web.Request, handler: object) -> web.StreamResponse:
        try:
            return await handler(request)  # type: ignore[operator, no-any-return]
        except FieldError as error:
            return web.json_response({"field": error.field, "message": str(error)}, status=422)

    app = web.Application(middlewares=[errors])
    Exports(house.store, available, partial(export, house.path)).add_routes(app.router)
    async with TestClient(TestServer(app)) as made:
        yield made


async def test_over_http(house: House, client: TestClient) -> None:
    await house.campaign("c", 5)
    async with client.get("/api/v1/export?format=csv&account=user&state=pending,retrying&since=2020-01-01") as answer:
        assert answer.content_type == "text/csv"
        assert len((await answer.read()).splitlines()) == 6
    for query, field in (
        ("format=xml", "format"), ("state=asleep", "state"), ("since=soon", "since"), ("campaign=x", "campaign"),
        ("account=nobody", "account"),
    ):  # fmt: skip
        async with client.get(f"/api/v1/export?{query}") as answer:
            assert (answer.status, (await answer.json())["field"]) == (422, field)


async def test_a_file_that_breaks_off_is_never_taken_for_whole(house: House, tmp_path: Path) -> None:
    async def breaks(form: Format, query: ExportQuery) -> AsyncIterator[bytes]:
        yield b"half"
        raise StoreError("disk I/O error")

    app = web.Application()
    Exports(house.store, available, breaks).add_routes(app.router)
    async with TestClient(TestServer(app)) as client:
        with pytest.raises(aiohttp.ClientError):
            async with client.get("/api/v1/export") as answer:
                await answer.read()


async def test_a_reader_that_goes_away_ends_the_worker(house: House) -> None:
    await house.campaign("c", exporting.CHUNK * 3)
    reading = export(house.path, Format.JSONL, ExportQuery())
    await anext(reading)
    await reading.aclose()  # waits for the worker's end


async def test_a_time_that_no_clock_has_is_refused(client: TestClient) -> None:
    async with client.get("/api/v1/export?since=0001-01-01T00:00:00") as answer:
        assert (answer.status, (await answer.json())["field"]) == (422, "since")
