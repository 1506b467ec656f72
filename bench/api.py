"""The API's reads and writes a second against bare aiohttp, and one feed heard by 200 listeners."""

from __future__ import annotations

import asyncio
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import aiohttp
from aiohttp import encode_basic_auth, web

from bench.common import serve
from gateway.core.model import AccountSettings
from gateway.services.feed import EventKind
from gateway.services.intake.logins import hasher

CLIENTS = 64
SECONDS = 5.0
LISTENERS = 200
#: Events a second while latency is measured, and how many are then published at once.
PACE, PACED, BURST = 100, 300, 1000
AUTH = {"Authorization": encode_basic_auth("u", "12345678")}
CALL = {"phone_number": "tel:+16175551234", "start_url": "http://app/start.php", "max_retries": 2}
CONFIG = """installation = "bench"
[ami]
secret = "none"
[intake]
preflight = false
[api]
rate = 1000000
burst = 1000000
[[trunk]]
name = "t"
dial = "PJSIP/{number}@t"
[[route]]
trunk = "t"
"""


def bare(pipe: Connection) -> None:
    """What aiohttp alone does with such requests: JSON in, JSON out."""
    shown = {"id": 1, **CALL, "history": [], "delivery": None, "padding": "x" * 600}

    async def take(request: web.Request) -> web.Response:
        await request.json()
        return web.json_response({"id": 1}, status=201)

    async def show(request: web.Request) -> web.Response:
        return web.json_response(shown)

    app = web.Application()
    app.router.add_post("/api/v1/calls", take)
    app.router.add_get("/api/v1/calls/{id}", show)
    asyncio.run(serve(app, pipe))


def ours(pipe: Connection) -> None:
    """The gateway's own application, as the wiring makes it; nothing is dialed. ``burst`` and ``pace`` publish."""
    from gateway.config import load
    from gateway.parts import open_store
    from gateway.wiring import Gateway

    async def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "voxgate.toml"
            path.write_text(CONFIG)
            config = load(path, {})
            store = open_store(config)
            await store.add_account("u", hasher.hash("12345678"), AccountSettings("UTC", "US"))
            gateway = Gateway(config, store)
            telling = asyncio.create_task(_tell(gateway, pipe))
            await serve(gateway.app, pipe, telling)
            await store.close()

    import structlog

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    asyncio.run(run())


async def _tell(gateway, pipe: Connection) -> None:  # type: ignore[no-untyped-def]
    """Publish as the other end asks, until it says stop; the CPU time that telling took goes back."""
    loop = asyncio.get_running_loop()

    def publish() -> None:
        data = {"call_id": 1, "campaign_id": 1, "state": "dialing", "sent": time.monotonic(), "reason": "x" * 60}
        gateway.feed.publish(EventKind.CALL_CHANGED, 1, data)

    while (word := await asyncio.to_thread(pipe.recv)) != "stop":
        used = resource.getrusage(resource.RUSAGE_SELF)
        if word == "burst":
            for _ in range(BURST):
                publish()
        elif word == "pace":
            due = loop.time()
            for _ in range(PACED):
                publish()
                due += 1 / PACE
                await asyncio.sleep(max(0, due - loop.time()))
        else:  # how much it used since it was asked to
            pipe.send(used.ru_utime + used.ru_stime)


async def _rate(base: str, ask: Callable[[aiohttp.ClientSession], object]) -> float:
    count = 0
    async with aiohttp.ClientSession(base, connector=aiohttp.TCPConnector(limit=CLIENTS), headers=AUTH) as session:
        await ask(session)  # type: ignore[misc]
        end = time.perf_counter() + SECONDS

        async def client() -> None:
            nonlocal count
            while time.perf_counter() < end:
                await ask(session)  # type: ignore[misc]
                count += 1

        started = time.perf_counter()
        await asyncio.gather(*(client() for _ in range(CLIENTS)))
        return count / (time.perf_counter() - started)


async def _write(session: aiohttp.ClientSession) -> None:
    async with session.post("/api/v1/calls", json=CALL) as answer:
        await answer.read()
        assert answer.status == 201


async def _keyed(session: aiohttp.ClientSession) -> None:
    key = f"{time.perf_counter_ns()}"
    async with session.post("/api/v1/calls", json=CALL, headers={"Idempotency-Key": key}) as answer:
        await answer.read()
        assert answer.status == 201


async def _read(session: aiohttp.ClientSession) -> None:
    async with session.get("/api/v1/calls/1") as answer:
        await answer.read()
        assert answer.status == 200


async def _list(session: aiohttp.ClientSession) -> None:
    async with session.get("/api/v1/calls?limit=50&order=status") as answer:
        await answer.read()
        assert answer.status == 200


def _measured(server: Callable[[Connection], None], work: Callable[[str, Connection], object]):  # type: ignore[no-untyped-def]
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=server, args=(there,))
    process.start()
    try:
        return asyncio.run(work(f"http://127.0.0.1:{here.recv()}", here))  # type: ignore[arg-type]
    finally:
        here.send("stop")
        process.join()


def requests() -> str:
    async def both(base: str, _: Connection) -> tuple[float, float]:
        return await _rate(base, _write), await _rate(base, _read)

    async def all_of_ours(base: str, _: Connection) -> tuple[float, float, float, float]:
        return (*await both(base, _), await _rate(base, _keyed), await _rate(base, _list))

    writes, reads = _measured(bare, both)
    our_writes, our_reads, keyed, lists = _measured(ours, all_of_ours)
    print(
        f"api: bare writes {writes:,.0f}/s, reads {reads:,.0f}/s; durable writes {our_writes:,.0f}/s, with a key"
        f" {keyed:,.0f}/s, reads {our_reads:,.0f}/s, lists of 50 {lists:,.0f}/s",
        flush=True,
    )
    return f"API writes {our_writes / writes:.2f} and reads {our_reads / reads:.2f} of bare aiohttp"


def fan_out() -> str:
    async def listen(base: str, pipe: Connection) -> tuple[float, float, float]:
        timeout = aiohttp.ClientTimeout(total=None)
        delays: list[float] = []
        counts = [0] * LISTENERS
        async with aiohttp.ClientSession(
            base, connector=aiohttp.TCPConnector(limit=0), headers=AUTH, timeout=timeout
        ) as session:
            ready = asyncio.Semaphore(0)

            async def hear(number: int) -> None:
                async with session.get("/api/v1/events?kinds=call.changed") as answer:
                    ready.release()
                    async for line in answer.content:
                        if line.startswith(b"data:"):
                            counts[number] += 1
                            if number % 20 == 0 and counts[number] <= PACED:
                                sent = float(line.split(b'"sent":')[1].split(b",")[0])
                                delays.append(time.monotonic() - sent)

            tasks = [asyncio.create_task(hear(number)) for number in range(LISTENERS)]
            for _ in range(LISTENERS):
                await ready.acquire()
            pipe.send("pace")
            while min(counts) < PACED:  # noqa: ASYNC110 - the counts are what is waited for
                await asyncio.sleep(0.05)
            pipe.send("cpu")
            before = await asyncio.to_thread(pipe.recv)
            started = time.perf_counter()
            pipe.send("burst")
            while min(counts) < PACED + BURST:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.02)
            spent = time.perf_counter() - started
            pipe.send("cpu")
            cpu = await asyncio.to_thread(pipe.recv) - before
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        delays.sort()
        return delays[int(len(delays) * 0.95)], LISTENERS * BURST / spent, cpu / (LISTENERS * BURST)

    delay, rate, cpu = _measured(ours, listen)
    print(
        f"events: {LISTENERS} listeners at {PACE} events/s: p95 {delay * 1000:.0f} ms; {BURST} at once: {rate:,.0f}"
        f" deliveries/s, {cpu * 1e6:.1f} us of CPU each",
        flush=True,
    )
    return f"events to {LISTENERS} listeners p95 {delay * 1000:.0f} ms at {PACE}/s, {rate:,.0f} deliveries/s"


def parts() -> Iterator[Callable[[], str]]:
    yield requests
    yield fan_out


if __name__ == "__main__":
    print("api: " + "; ".join(part() for part in parts()))
