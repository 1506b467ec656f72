"""Processes that die, or that should not be there."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

from gateway.cli.exits import ExitStatus
from tests.chaos.faults.fault import Fault, Scene


class GatewayKilled(Fault):
    name, words, times = "kill -9", "the gateway is killed and started again", 5

    def strike(self, scene: Scene) -> None:
        scene.gateway.kill()
        scene.pause(0, 2)


class GatewayStopped(Fault):
    name, words = "stop", "the gateway is stopped in order, with calls live, and started again"

    def strike(self, scene: Scene) -> None:
        if (status := scene.gateway.stop(90)) != 0:
            scene.found.broken("other", f"a stop ended with status {status}")


class SecondServe(Fault):
    name, words, times = "second serve", "a second `serve` on the same database is refused, naming the first's pid", 2

    def strike(self, scene: Scene) -> None:
        command = [*scene.gateway.words, sys.executable, "-m", "gateway.cli", "serve"]
        done = subprocess.run(
            [*command, "--config", str(scene.gateway.config)], capture_output=True, text=True, check=False, timeout=60
        )
        if done.returncode != ExitStatus.DATABASE or f"pid {scene.gateway.pid}" not in done.stderr:
            scene.found.broken("other", f"a second serve: status {done.returncode}: {done.stderr[-300:]}")


class CommandsBeside(Fault):
    name, words, times = "commands beside", "commands that write and read beside the running gateway", 2

    def strike(self, scene: Scene) -> None:
        campaign = str(next(one["id"] for one in scene.gateway.json("campaign", "list") if one["name"] == "chaos"))
        for words in (
            ["account", "set", "demo", "ring_timeout=20"], ["campaign", "pause", campaign],
            ["campaign", "resume", campaign], ["db", "check"], ["db", "backup"], ["calls", "list"],
        ):  # fmt: skip
            try:
                scene.gateway.voxgate(*words)
            except RuntimeError as error:
                scene.found.broken("other", str(error)[:300])


class OutOfMemoryKill(Fault):
    """SIGKILL of the process that the kernel's killer would choose: the one that holds most memory.

    The killer itself needs a memory limit of a control group; what it does to a process is just this signal.
    """

    name, words = "out-of-memory kill", "the largest of the gateway's processes is killed, or its speech process"

    def strike(self, scene: Scene) -> None:
        pid = scene.gateway.pid
        assert pid is not None
        children = [
            int(one)
            for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            if Path(f"/proc/{one}").exists()
        ]
        if children and scene.rng.random() < 0.5:
            os.kill(scene.rng.choice(children), signal.SIGKILL)
            scene.pause(1, 3)
        else:
            scene.gateway.kill()


class MemoryRunsOut(Fault):
    name, words, may_die = "memory runs out", "the gateway gets no more memory (RLIMIT_AS) for some seconds", True

    def strike(self, scene: Scene) -> None:
        pid = scene.gateway.pid
        assert pid is not None
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[0])
        before = resource.prlimit(pid, resource.RLIMIT_AS, (pages * resource.getpagesize() + (1 << 20), -1))
        scene.pause(2, 5)
        if scene.alive:
            resource.prlimit(pid, resource.RLIMIT_AS, before)


class DescriptorsRunOut(Fault):
    name, words, may_die = "descriptors run out", "the gateway gets no new file descriptor for some seconds", True

    def strike(self, scene: Scene) -> None:
        pid = scene.gateway.pid
        assert pid is not None
        highest = max(int(one.name) for one in Path(f"/proc/{pid}/fd").iterdir())
        _, most = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        before = resource.prlimit(pid, resource.RLIMIT_NOFILE, (highest + 1 + scene.rng.randint(0, 3), most))
        scene.pause(3, 8)
        if scene.alive:
            resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
