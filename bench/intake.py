"""Durable queuecall requests a second against a bare aiohttp form echo, each server in a process of its own."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection

import aiohttp
from aiohttp import web

from bench.common import NOW, fresh_store, serve
from gateway.adapters.store import SqliteAccess
from gateway.core.model import AccountSettings
from gateway.core.routes import Route, Router, Trunk
from gateway.services.audit import Audit
from gateway.services.intake import Desk, DeskSettings, build_app
from gateway.services.intake.app import AppSettings
from gateway.services.intake.logins import Logins, hasher

CLIENTS = 64
SECONDS = 6.0
FORM = {"login": "u", "pin": "12345678", "phone_number": "tel:+16175551234", "start_url": "http://app/start.php"}
PATH = "/webservice/queuecall.php"


class _Clock:
    def now(self):  # type: ignore[no-untyped-def]
        return NOW


def bare(pipe: Connection) -> None:
    async def echo(request: web.Request) -> web.Response:
        return web.Response(text=str(dict(await request.post())))

    app = web.Application()
    app.router.add_post(PATH, echo)
    asyncio.run(serve(app, pipe))


def ours(pipe: Connection) -> None:
    async def run() -> None:
        async with fresh_store() as (store, _, path):
            await store.add_account("u", hasher.hash("12345678"), AccountSettings("UTC", "US"))

            async def preflight(url: str, account: int) -> str | None:
                return None

            router = Router({"t": Trunk("t", "PJSIP/{number}@t")}, [Route("", "t")])
            desk = Desk(store, _Clock(), router, preflight, lambda: None, DeskSettings())
            app = build_app(
                desk,
                Logins(store, _Clock()),
                Audit(SqliteAccess(store), _Clock()),
                AppSettings(path.parent / "spool", 2**20),
                dict,
            )
            await serve(app, pipe)

    import structlog

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    asyncio.run(run())


async def _load(port: int, seconds: float) -> tuple[float, float]:
    """Requests a second, and the first request's seconds."""
    url, count = f"http://127.0.0.1:{port}{PATH}", 0
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CLIENTS)) as session:
        started = time.perf_counter()
        async with session.post(url, data=FORM) as answer:
            assert "failed" not in await answer.text()
        cold = time.perf_counter() - started
        end = time.perf_counter() + seconds

        async def client() -> None:
            nonlocal count
            while time.perf_counter() < end:
                async with session.post(url, data=FORM) as answer:
                    await answer.read()
                count += 1

        started = time.perf_counter()
        await asyncio.gather(*(client() for _ in range(CLIENTS)))
        return count / (time.perf_counter() - started), cold


def measure(server: Callable[[Connection], None]) -> tuple[float, float]:
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=server, args=(there,))
    process.start()
    try:
        return asyncio.run(_load(here.recv(), SECONDS))
    finally:
        here.send("stop")
        process.join()


def run() -> str:
    base, _ = measure(bare)
    rate, cold = measure(ours)
    print(
        f"intake: bare echo {base:,.0f}/s, durable queuecall {rate:,.0f}/s, first (cold) {cold * 1000:.0f} ms",
        flush=True,
    )
    return f"intake {rate / base:.2f} of a bare form echo (goal 0.85), cold {cold * 1000:.0f} ms"


def parts() -> Iterator[Callable[[], str]]:
    yield run
