"""A customer's web server that does everything but answer, and names that nobody resolves."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from tests.chaos.customer import Customer, Mood
from tests.chaos.faults.clocks import SteppedClock
from tests.chaos.faults.disks import ROOMY
from tests.chaos.faults.fault import Fault, Scene
from tests.chaos.volume import Volume, why_not


class Moody(Fault):
    mood: ClassVar[Mood]
    least, most = 3.0, 8.0

    @staticmethod
    def turn(customer: Customer, mood: Mood) -> None:
        raise NotImplementedError

    def strike(self, scene: Scene) -> None:
        self.turn(scene.customer, self.mood)
        scene.pause(self.least, self.most)
        self.turn(scene.customer, Mood.KIND)


class _Start(Moody):
    @staticmethod
    def turn(customer: Customer, mood: Mood) -> None:
        customer.starts = mood


class _Result(Moody):
    @staticmethod
    def turn(customer: Customer, mood: Mood) -> None:
        customer.results = mood


class StartHangs(_Start):
    name, words, mood = "start_url hangs", "start_url takes the request and says nothing", Mood.HANGS


class StartResets(_Start):
    name, words, mood = "start_url resets", "start_url resets the connection", Mood.RESETS


class StartDrips(_Start):
    name, words, mood = "start_url drips", "start_url answers one byte a second", Mood.DRIPS


class StartFails(_Start):
    name, words, mood = "start_url fails", "start_url answers 500", Mood.FAILS


class StartFloods(_Start):
    name, words, mood = "start_url floods", "start_url answers 1 GB", Mood.FLOODS


class StartCircles(_Start):
    name, words, mood = "start_url circles", "start_url redirects in a circle", Mood.CIRCLES


class ResultHangs(_Result):
    name, words, mood = "result_url hangs", "result_url takes the post and says nothing", Mood.HANGS


class ResultResets(_Result):
    name, words, mood = "result_url resets", "result_url resets the connection", Mood.RESETS


class ResultDrips(_Result):
    name, words, mood = "result_url drips", "result_url answers one byte a second", Mood.DRIPS


class ResultFloods(_Result):
    name, words, mood = "result_url floods", "result_url answers 1 GB", Mood.FLOODS


class ResultCircles(_Result):
    name, words, mood = "result_url circles", "result_url redirects in a circle", Mood.CIRCLES


class ResultFailsForHours(SteppedClock):
    """The hours are compressed: the clock goes on by ten minutes every half second."""

    name, words = "result_url fails for hours", "result_url answers 500 for three hours, then takes the posts"

    def strike(self, scene: Scene) -> None:
        scene.customer.results = Mood.FAILS
        self.hurry(18, 600)
        scene.customer.results = Mood.KIND

    def finish(self, scene: Scene) -> None:
        self.hurry(12, 600)


class ResultGivenUp(_Result):
    """Given up, visibly: the books accept that as no loss."""

    name, words, mood = "result_url fails for good", "result_url answers 500 until the post is given up", Mood.FAILS
    settings = "[results]\ngive_up_after = 12\n"
    least, most = 40.0, 40.0


class NamesFail(Fault):
    name, words = "DNS fails", "the customer's name resolves to nothing for some seconds"
    host = "customer.chaos.test"

    @staticmethod
    def why_not() -> str | None:
        return why_not()

    def volume(self, folder: Path) -> Volume:
        self._hosts = folder.with_suffix(".hosts")
        self._hosts.write_text(self._known)
        resolver = folder.with_suffix(".resolv")
        resolver.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")  # where nobody listens
        return Volume(folder, ROOMY, over={Path("/etc/hosts"): self._hosts, Path("/etc/resolv.conf"): resolver})

    @property
    def _known(self) -> str:
        return f"127.0.0.1 localhost\n127.0.0.1 {self.host}\n"

    def strike(self, scene: Scene) -> None:
        self._hosts.write_text("127.0.0.1 localhost\n")
        scene.pause(3, 8)
        self._hosts.write_text(self._known)
