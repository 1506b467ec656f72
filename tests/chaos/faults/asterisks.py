"""Asterisk that dies or sleeps, a carrier that is silent, and links that break, stall or crawl."""

from __future__ import annotations

import os
import signal
import time
from typing import ClassVar

from tests.chaos.faults.fault import FAKE, Fault, Scene
from tests.chaos.world import FakeWorld, LabWorld, Where


class Outside(Fault):
    """What happens outside of the gateway's own process, and needs nothing prepared."""


class AsteriskKilled(Outside):
    name, words = "Asterisk kill -9", "Asterisk is killed and started again"

    def strike(self, scene: Scene) -> None:
        scene.world.kill()
        scene.pause(0, 4)
        scene.world.revive()


class AsteriskStalls(Outside):
    name, words = "Asterisk stalls", "Asterisk sleeps (SIGSTOP) for 2 to 9 seconds: AMI, AGI, audio and SIP"

    def strike(self, scene: Scene) -> None:
        scene.world.signal(signal.SIGSTOP)
        scene.pause(2, 9)
        scene.world.signal(signal.SIGCONT)


class CarrierSilent(Outside):
    name, words, where = "carrier silent", "the carrier answers no SIP for 2 to 15 seconds", frozenset({Where.LAB})

    def strike(self, scene: Scene) -> None:
        assert isinstance(scene.world, LabWorld)
        pid = scene.world.lab.carrier.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        scene.pause(2, 15)
        os.kill(pid, signal.SIGCONT)


class LinkCut(Outside):
    name, words, times = "AMI cut", "the AMI link is cut for up to 4 seconds", 3

    def strike(self, scene: Scene) -> None:
        scene.ami.cut()
        scene.pause(0, 4)
        scene.ami.mend()


class _Trap(Outside):
    marker: bytes
    upwards: bool
    times = 3

    def strike(self, scene: Scene) -> None:
        scene.ami.break_in(self.marker, scene.rng, upwards=self.upwards)
        if not scene.ami.sprung.wait(3):
            scene.ami.disarm()
            scene.struck -= 1
        scene.pause(0, 2)
        scene.ami.mend()


class CutInOriginate(_Trap):
    name, words = "AMI cut in Originate", "the AMI link is cut amid the bytes of an Originate"
    marker, upwards = b"Action: Originate", True


class CutInAnswer(_Trap):
    name, words = "AMI cut in its answer", "the AMI link is cut amid the bytes that follow an Originate's answer"
    marker, upwards = b"Originate successfully queued", False


class LinkStalls(Outside):
    name, words = "AMI stalls", "AMI passes nothing in either direction for 1 to 9 seconds"

    def strike(self, scene: Scene) -> None:
        scene.ami.stall()
        scene.pause(1, 9)
        scene.ami.flow()


class LinkCrawls(Outside):
    name, words = "AMI slow", "AMI passes 512 bytes every 50 to 200 ms for some seconds"

    def strike(self, scene: Scene) -> None:
        scene.ami.crawl(scene.rng.uniform(0.05, 0.2))
        scene.pause(3, 8)
        scene.ami.flow()


class SessionBreaks(Outside):
    name, words, times = "FastAGI dies", "a FastAGI connection breaks at a random byte of a random command", 4
    commands = (b"STREAM FILE", b"SET VARIABLE", b"GET VARIABLE", b"HANGUP", b"EXEC", b"200 result", b"agi_network")

    def strike(self, scene: Scene) -> None:
        command = scene.rng.choice(self.commands)
        # Asterisk connects to the gateway: its words go towards the link's target, the gateway's come back.
        scene.agi.break_in(command, scene.rng, upwards=command in (b"200 result", b"agi_network"))
        if not scene.agi.sprung.wait(3):
            scene.agi.disarm()
            scene.struck -= 1
        scene.agi.mend()


class TapDies(Outside):
    name, words, times = "tap dies", "every media tap breaks, and for a while none can be had", 3

    def strike(self, scene: Scene) -> None:
        scene.tap.cut()
        scene.pause(0, 2)
        scene.tap.mend()


class _Told(Outside):
    """A fault of the fake's own, for some seconds."""

    where = FAKE
    told: str
    words_of_its_own: ClassVar[dict[str, str]] = {}
    times = 2

    def strike(self, scene: Scene) -> None:
        assert isinstance(scene.world, FakeWorld)
        seconds = scene.rng.uniform(1, 4)
        scene.world.fault(self.told, times=0, chance=0.3, seconds=seconds, **self.words_of_its_own)
        time.sleep(seconds)


class EventsDoubled(_Told):
    name, words, told = "events doubled", "a third of the AMI events are told twice", "duplicate"


class EventsReordered(_Told):
    name, words, told = "events reordered", "a third of the AMI events are told after the next one", "reorder"


class EventsLost(_Told):
    name, words, told = "events lost", "a third of the AMI events are never told", "lose"


class HangupUntold(_Told):
    name, words, told = "hang-up untold", "a third of the calls end and no Hangup is told", "lose"
    words_of_its_own: ClassVar[dict[str, str]] = {"event": "Hangup"}


class OriginateUnheard(_Told):
    name, words, told = (
        "Originate unheard",
        "a third of the Originates are queued and nothing follows",
        "originate_unheard",
    )


class OriginateRefused(_Told):
    name, words, told = "Originate refused", "a third of the Originates are answered by an error", "refuse_originate"


class AgiSilent(_Told):
    name, words, told = "FastAGI silent", "a FastAGI command is never answered", "agi_silent"


class AgiNever(_Told):
    name, words, told = "FastAGI never", "an answered call never reaches FastAGI", "agi_never"


class TapNever(_Told):
    name, words, told = "tap never", "a third of the media taps are queued and never connect", "tap_never"


class ResponseFirst(_Told):
    name, words, told = (
        "response first",
        "a third of the OriginateResponses come before their Newchannel",
        "response_first",
    )


class ShuttingDown(_Told):
    name, words, told = (
        "Asterisk shuts down",
        "a third of the AMI actions are refused: Asterisk is shutting down",
        "shutting_down",
    )
