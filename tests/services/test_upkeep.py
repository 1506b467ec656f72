"""Backup and check over the socket's API: one at a time, told as it goes on, given up with whoever asked."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway.adapters.store import SqliteStore, backup, check
from gateway.core.retry import RetryPolicy
from gateway.core.upkeep import BackedUp, Progress
from gateway.ports import StoreError
from gateway.services.api.problems import answer, problem_of
from gateway.services.upkeep import Upkeep
from tests.fakes.audit import audit


@web.middleware
async def as_problems(request: web.Request, handler: object) -> web.StreamResponse:
    try:
        return await handler(request)  # type: ignore[operator, no-any-return]
    except Exception as error:
        return answer(problem_of(error))


@asynccontextmanager
async def serving(upkeep: Upkeep) -> AsyncIterator[TestClient]:
    app = web.Application(middlewares=[as_problems])
    upkeep.add_routes(app.router)
    async with TestClient(TestServer(app)) as client:
        yield client


def real(path: Path) -> Upkeep:
    return Upkeep(lambda quick: check(path, quick=quick), partial(backup, path), audit()[0])


async def lines(client: TestClient, target: object) -> list[dict[str, object]]:
    async with client.post("/api/v1/db/backup", json={"path": str(target)}) as told:
        assert told.status == 200, await told.text()
        return [json.loads(line) for line in (await told.text()).splitlines()]


async def test_a_backup_tells_how_far_it_is_and_where_it_went(tmp_path: Path) -> None:
    path = tmp_path / "q.db"
    store = SqliteStore(path, installation="abc", policy=RetryPolicy())
    async with serving(real(path)) as client:
        *progress, done = await lines(client, tmp_path / "copy.db")
        assert all({"done", "total"} == one.keys() for one in progress)
        assert done["path"] == str(tmp_path / "copy.db") and done["size"] == (tmp_path / "copy.db").stat().st_size
        assert "exists already" in str((await lines(client, tmp_path / "copy.db"))[-1]["error"])
        assert "could not be copied" in str((await lines(client, "/proc/nowhere/copy.db"))[-1]["error"])
        async with client.get("/api/v1/db/check?quick=1") as checked:
            assert (await checked.json())["faults"] == []
        for body in ({"path": "copy.db"}, {}, {"path": 7}, ["x"]):
            async with client.post("/api/v1/db/backup", json=body) as refused:
                assert refused.status in (400, 422), body
    await store.close()


async def test_one_at_a_time_and_given_up_with_whoever_asked() -> None:
    begun, given_up = threading.Event(), threading.Event()

    def endless(target: Path, tell: Progress) -> BackedUp:
        begun.set()
        try:
            while True:
                tell(1, 2)
                given_up.wait(0.01)
        except StoreError:
            given_up.set()
            raise

    async with serving(Upkeep(lambda quick: check(Path("none")), endless, audit()[0])) as client:
        first = asyncio.create_task(lines(client, "/tmp/x"))
        assert await asyncio.to_thread(begun.wait, 10)
        async with client.post("/api/v1/db/backup", json={"path": "/tmp/y"}) as second:
            assert (second.status, "under way" in await second.text()) == (409, True)
        first.cancel()
        assert await asyncio.to_thread(given_up.wait, 10)
