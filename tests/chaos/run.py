"""One run: a campaign through a real `voxgate serve`, a fault at seeded moments, and the books."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from lab.gateway import GatewayProcess
from lab.instance import free_port
from tests.chaos.books import Call, Findings, audit, calls_of, settled
from tests.chaos.customer import Customer
from tests.chaos.faults import Fault, Scene
from tests.chaos.link import Link
from tests.chaos.reader import Reader
from tests.chaos.traffic import Traffic
from tests.chaos.world import Where, World

GAP_SCALE = 0.02
LOGS = Path("build/chaos")
#: Seconds in which all channels must have ended once the gateway has.
ENDING = 20.0


@dataclass(frozen=True, slots=True)
class Ran:
    fault: str
    where: Where
    seed: int
    struck: int
    found: Findings
    seconds: float
    log: Path


def moments(fault: type[Fault], seed: int, span: float) -> list[float]:
    """When it strikes, in seconds after the campaign began: the same for the same seed."""
    rng = random.Random(f"moments {seed} {fault.name}")
    return sorted(rng.uniform(0.3, span) for _ in range(fault.times))


def run(world: World, fault: type[Fault], seed: int, say: Callable[[str], None] = lambda words: None) -> Ran:
    """The same seed strikes at the same moments and in the same way; what the campaign does meanwhile may differ."""
    began = time.monotonic()
    rng = random.Random(f"strikes {seed} {fault.name}")
    breaking, found = fault(rng), Findings()
    folder = world.site.folder / f"chaos-{seed}-{time.time_ns()}"
    before = len(world.rung())
    with ExitStack() as stack:
        customer = stack.enter_context(Customer(breaking.host))
        volume = breaking.volume(folder / "disk") if folder.mkdir() is None else None
        if volume is not None:
            stack.enter_context(volume)
        disk = folder / "disk"
        disk.mkdir(exist_ok=True)
        agi_port, tap_port = free_port(), free_port()
        ami = stack.enter_context(Link(world.site.ami_port))
        agi = stack.enter_context(Link(agi_port, world.site.agi_port))
        tap = stack.enter_context(Link(tap_port))
        gateway = GatewayProcess(
            world.site, name=folder.name, retry_gap_scale=GAP_SCALE, cps=world.cps, ami_port=ami.port,
            agi_port=agi_port, tap=f'port = {tap_port}\nadvertise = "127.0.0.1:{tap.port}"',
            more=f'[database]\npath = "{disk}/voxgate.db"\n{breaking.settings}',
            words=() if volume is None else volume.words, env=breaking.environment(folder),
        )  # fmt: skip
        database = disk / "voxgate.db" if volume is None else volume.seen(disk / "voxgate.db")
        scene = Scene(world, gateway, customer, ami, agi, tap, volume, database, rng, found, say)
        try:
            gateway.add_account()
            reader = stack.enter_context(Reader(disk / "voxgate.db", gateway.words))
            gateway.start(60)
            traffic = Traffic(gateway.base, customer, world.numbers(random.Random(seed)), world.span)
            _disturb(scene, breaking, traffic, moments(fault, seed, world.span))
            calls = _wait(scene, reader)
            listed = {f"list-{index}": None for index in range(traffic.listed)}
            audit(
                calls, {**traffic.accepted, **listed}, world.rung()[before:], customer, found,
                by_channel=world.where is Where.FAKE,
            )  # fmt: skip
            _end(scene)
        except Exception as error:  # one run that goes astray ends no others, and is no success
            found.broken("other", f"the run went astray: {type(error).__name__}: {error}"[:500])
        finally:
            gateway.kill()
    return Ran(
        fault.name, world.where, seed, scene.struck, found, time.monotonic() - began, _kept(gateway, fault, seed)
    )


def _kept(gateway: GatewayProcess, fault: type[Fault], seed: int) -> Path:
    """The gateway's log, where it outlives the world."""
    LOGS.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"\W+", "-", fault.name)
    gateway.log.touch()  # there is none where it was never started
    return Path(shutil.copy(gateway.log, LOGS / f"{name}-{gateway.lab.installation}-{seed}.log"))


def _disturb(scene: Scene, breaking: Fault, traffic: Traffic, at: list[float]) -> None:
    """Queue, and strike at those moments."""
    began = time.monotonic()
    traffic.start()
    for moment in at:
        time.sleep(max(0.0, began + moment - time.monotonic()))
        scene.say(f"{time.monotonic() - began:.1f} s: {breaking.words}")
        scene.struck += 1
        breaking.strike(scene)
        _still_there(scene, breaking)
        scene.revive()
    traffic.finish(scene.world.span + 40)
    breaking.finish(scene)


def _still_there(scene: Scene, breaking: Fault) -> None:
    status = scene.gateway.exited
    if status is None:
        return
    words = f"the gateway ended by itself with status {status}"
    if breaking.may_die:
        scene.say(words)
    else:
        scene.found.broken("other", words)


def _wait(scene: Scene, reader: Reader) -> list[Call]:
    """The books once nothing is owed any more, or patience ends."""
    deadline = time.monotonic() + scene.world.patience
    calls: list[Call] = []
    while time.monotonic() < deadline:
        if (rows := reader.rows()) is not None and settled(calls := calls_of(rows)):
            break
        if not scene.alive:
            scene.found.broken("other", f"the gateway ended by itself with status {scene.gateway.exited}")
            scene.revive()
        time.sleep(0.5)
    return calls


def _end(scene: Scene) -> None:
    """Check, stop, and look for what was left behind."""
    found, gateway = scene.found, scene.gateway
    try:
        gateway.voxgate("db", "check")
    except RuntimeError as error:
        found.broken("other", str(error)[:500])
    deadline = time.monotonic() + ENDING
    while (left := scene.world.channels()) and time.monotonic() < deadline:
        time.sleep(0.3)
    if left:
        found.broken("leaked", f"channels that live on: {left}", len(left))
    if (status := gateway.stop()) != 0:
        found.broken("other", f"the last stop ended with status {status}")
    for pid, command in _processes(str(gateway.config)):
        found.broken("leaked", f"process {pid} lives on: {command}")
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    spool = scene.database.parent / "spool"
    for file in (*spool.glob("*"), *gateway.media.rglob("*.part"), *gateway.media.rglob("recording-*")):
        found.broken("leaked", f"{file} was left")
    raised: Counter[str] = Counter()
    for line in gateway.log.read_text(errors="replace").splitlines():
        with suppress(ValueError):
            entry = json.loads(line)
            if "exception" in entry:
                raised[f"{entry['event']}: {str(entry['exception']).splitlines()[-1][:200]}"] += 1
    for words, count in raised.most_common(5):
        scene.say(f"in the log, {count} times: {words}")


def _processes(config: str) -> list[tuple[int, str]]:
    """Processes whose command line names a configuration."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if config in command:
                found.append((int(folder.name), command))
    return found
