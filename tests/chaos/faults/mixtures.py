"""Troubles that come together: the gateway dies while something else is broken."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import ClassVar

from tests.chaos.faults.fault import Fault, Scene
from tests.chaos.faults.processes import GatewayKilled


class KilledAmid(Fault):
    """``others`` are faults that need neither the gateway's process nor anything prepared."""

    name, words, times = (
        "kill -9 amid another",
        "the gateway is killed while another fault, drawn each time, is in force",
        4,
    )
    others: ClassVar[tuple[type[Fault], ...]] = ()

    def strike(self, scene: Scene) -> None:
        fault = scene.rng.choice([one for one in self.others if scene.world.where in one.where])
        scene.say(f"    {fault.words}")
        own = random.Random(scene.rng.random())
        with ThreadPoolExecutor(1) as beside:
            done = beside.submit(fault(own).strike, replace(scene, rng=own))
            scene.pause(0, 2)
            GatewayKilled(self.rng).strike(scene)
            done.result()
