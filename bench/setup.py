"""The highest call setup rate: the gateway against raw AMI originates over the same dialplan, FastAGI hop and trunk.

A call is set up when Asterisk, after the callee's answer, reaches the FastAGI server. A rate is held when 95 % of the
setups take at most 50 ms from the claim (the gateway) or the sending of the action (raw), and none is missing.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec

from gateway.adapters.agi import AgiServer, AgiSettings
from gateway.config import load
from gateway.core.model import AccountSettings, AttemptId, CallPlan, NewCall
from gateway.parts import open_store
from gateway.ports import AgiChannel
from gateway.services.livecalls import SessionRecord
from gateway.settings import Config
from gateway.wiring import Gateway
from lab.behaviours import VOICE, Behaviour, Line, NumberPlan
from lab.gateway import GatewayProcess
from lab.lab import Lab

LIMIT = 0.050  # seconds, for 95 % of the setups
SECONDS = 4.0
RATES = [round(100 * 1.12**step) for step in range(20)]  # calls per second
NUMBER = "+16175550100"
INSTANT = Behaviour("instant", "answers at once", ("Answer()", "Wait(0.2)", "Hangup(16)"), (VOICE,))


def percentile95(setups: list[float], expected: int) -> float:
    """Seconds; a setup that never came is infinitely late."""
    whole = sorted(setups) + [float("inf")] * (expected - len(setups))
    return whole[int(0.95 * (len(whole) - 1))]


async def raw(config: Config, rate: int) -> list[float]:
    """Originates written straight to AMI's socket, and a FastAGI server that only hangs up."""
    began: dict[str, float] = {}
    setups: list[float] = []

    async def agi(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        greeting = (await reader.readuntil(b"\n\n")).decode()
        ident = greeting.partition("agi_uniqueid: ")[2].partition("\n")[0]
        setups.append(time.time() - began[ident])
        writer.write(b"HANGUP\n")
        await reader.readline()
        writer.close()

    server = await asyncio.start_server(agi, config.agi.host, config.agi.port)
    reader, writer = await asyncio.open_connection(config.ami.host, config.ami.port)
    writer.write(f"Action: Login\r\nUsername: {config.ami.user}\r\nSecret: {config.ami.secret}\r\n\r\n".encode())

    async def drain() -> None:
        while await reader.read(65536):
            pass

    draining = asyncio.create_task(drain())
    await asyncio.sleep(0.5)
    start = time.time()
    for count in range(int(rate * SECONDS)):
        await asyncio.sleep(max(0.0, start + count / rate - time.time()))
        ident = f"vg-{config.installation}-raw{time.time_ns()}"
        began[ident] = time.time()
        writer.write(
            f"Action: Originate\r\nActionID: {ident}\r\nChannelId: {ident}\r\nChannel: PJSIP/{NUMBER}@carrier\r\n"
            "Context: voxgate-answered\r\nExten: 60\r\nPriority: 1\r\nTimeout: 45000\r\nAsync: true\r\n\r\n".encode()
        )
    await asyncio.sleep(1.0)
    draining.cancel()
    writer.close()
    server.close()
    return setups


async def ours(config: Config, rate: int) -> list[float]:
    """The gateway as it is, but for the dialog: a session that only hangs up."""
    setups: list[float] = []
    count = int(rate * SECONDS)
    store = open_store(config)
    account = await store.add_account("bench", "hash", AccountSettings("UTC", "US"))
    gateway = Gateway(config, store)
    now = gateway.clock.now()
    plan = CallPlan("http://127.0.0.1/s", None, None, None, 0, 60, now, None)
    campaign = await store.open_campaign(account.id, "bench", plan, now)
    await store.load_calls(campaign, [NewCall(NUMBER, NUMBER, "carrier") for _ in range(count)], now)
    await store.publish_campaign(campaign, 0)

    def accept(path: str) -> bool:
        live = gateway.live.get(AttemptId(path.removeprefix("call/")))
        if live is None:
            return False
        live.session = SessionRecord()
        setups.append(time.time() - live.claimed.attempt.started_at / 1000)
        return True

    async def handle(channel: AgiChannel) -> None:
        live = gateway.live.get(AttemptId(channel.path.removeprefix("call/")))
        if live is not None:
            live.session_ended.set()
        await channel.hangup()

    gateway.agi = AgiServer(AgiSettings(config.agi.host, config.agi.port, tuple(config.agi.allow)), accept, handle)
    running = asyncio.create_task(gateway.run())
    await asyncio.sleep(SECONDS + 2.5)
    os.kill(os.getpid(), signal.SIGTERM)
    await running
    return setups


def _measure(side: Callable[[Config, int], Awaitable[list[float]]], path: Path, rate: int, pipe: Connection) -> None:
    import structlog

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    config = load(path, {})
    pace = {"cps": float(rate), "max_calls": 10_000}
    config = msgspec.structs.replace(
        config,
        dial=msgspec.structs.replace(config.dial, **pace),
        trunk=[msgspec.structs.replace(one, **pace) for one in config.trunk],
    )
    pipe.send(asyncio.run(side(config, rate)))  # type: ignore[arg-type]


def highest(side: Callable[[Config, int], Awaitable[list[float]]], lab: Lab, name: str) -> int:
    """Calls per second: the last rate of the ladder that is held, each rate tried twice before it counts as missed."""
    held = 0
    for rate in RATES:
        for attempt in range(2):
            gateway = GatewayProcess(lab, name=f"{name}-{rate}-{attempt}")
            here, there = multiprocessing.Pipe()
            process = multiprocessing.get_context("spawn").Process(
                target=_measure, args=(side, gateway.config, rate, there)
            )
            process.start()
            setups: list[float] = here.recv()
            process.join()
            late = percentile95(setups, int(rate * SECONDS))
            print(f"setup: {name} at {rate}/s: {len(setups)} set up, p95 {late * 1000:.0f} ms", flush=True)
            if late <= LIMIT:
                held = rate
                break
        else:
            return held
    return held


def run() -> str:
    line = Line(NUMBER, INSTANT, 0.0, 0.0, "", "")
    with Lab(plan=NumberPlan(0, (line,))) as lab:
        base = highest(raw, lab, "raw")
        rate = highest(ours, lab, "ours")
    return f"call setup rate with p95 of 50 ms {rate / max(base, 1):.2f} of raw AMI ({rate} against {base}/s, goal 0.9)"


def parts() -> Iterator[Callable[[], str]]:
    yield run
