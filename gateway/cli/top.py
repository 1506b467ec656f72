"""``voxgate top``: trunks, pace, live calls and outcomes on one screen, and why nothing is dialed."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from gateway.cli.client import Client, VoxgateError
from voxgate import models, system
from voxgate.request import Request

#: Seconds over which calls per second are counted, and outcomes.
PACE_WINDOW = 10.0
OUTCOME_WINDOW = 3600.0
KINDS = "attempt.*"


@dataclass(slots=True)
class Window:
    """What attempts did lately. ``clock`` is in seconds and never goes back; ``began`` is when watching began."""

    clock: Callable[[], float] = time.monotonic
    began: float = field(default_factory=time.monotonic)
    started: deque[tuple[float, str]] = field(default_factory=deque)
    ended: deque[tuple[float, str]] = field(default_factory=deque)

    def saw(self, event: models.Event) -> None:
        if event.kind == "attempt.started":
            self.started.append((self.clock(), str(event.data.get("trunk"))))
        elif event.kind == "attempt.ended":
            self.ended.append((self.clock(), str(event.data.get("callee_type"))))

    def pace(self) -> dict[str, float]:
        """Calls started a second, by trunk."""
        self._forget()
        seconds = max(1.0, min(PACE_WINDOW, self.clock() - self.began))
        return {trunk: many / seconds for trunk, many in Counter(trunk for _, trunk in self.started).items()}

    def outcomes(self) -> Counter[str]:
        self._forget()
        return Counter(kind for _, kind in self.ended)

    def _forget(self) -> None:
        now = self.clock()
        for seen, window in ((self.started, PACE_WINDOW), (self.ended, OUTCOME_WINDOW)):
            while seen and seen[0][0] < now - window:
                seen.popleft()


@dataclass(frozen=True, slots=True)
class Shown:
    """One moment: the API's status and reason, and the window's counts."""

    status: dict[str, Any]
    why: dict[str, Any]
    pace: dict[str, float]
    outcomes: Counter[str]

    def plain(self) -> dict[str, Any]:
        return {"status": self.status, "why": self.why, "cps": self.pace, "outcomes": self.outcomes}

    def screen(self) -> Group:
        status = self.status
        link = Text("AMI up", "green") if status["ami"] else Text("AMI down", "bold red")
        head = Text.assemble(
            f"Voxgate {status['version']}   ", link,
            f"   {status['live']} calls live   {sum(self.pace.values()):.1f} calls/s",
        )  # fmt: skip
        moving = self.why["reason"] in ("turn", "trunk_pace", "gateway_pace", "dialing", "nothing_waiting")
        why = Text(f"{self.why['reason']}: {self.why['text']}", "dim" if moving else "bold yellow")
        change = Text(f"  what changes it: {self.why['change']}", "dim")
        return Group(head, why, change, Text(), self._trunks(), Text(), self._outcomes())

    def _trunks(self) -> Table:
        table = Table("trunk", box=None, pad_edge=False)
        for name in ("live", "of", "calls/s", "of", "faults"):
            table.add_column(name, justify="right")
        table.add_column("state")
        for name, one in sorted(self.status["trunks"].items()):
            resting = Text(f"rests: {one['last_fault']}", "bold red") if one["suspended"] else Text("ok", "green")
            full = "yellow" if one["live"] >= one["max_calls"] else ""
            table.add_row(
                name, Text(str(one["live"]), full), str(one["max_calls"]), f"{self.pace.get(name, 0.0):.1f}",
                f"{one['cps']:g}", str(one["faults"]), resting,
            )  # fmt: skip
        return table

    def _outcomes(self) -> Table:
        table = Table("attempts that ended while watched", "", "", box=None, pad_edge=False)
        total = max(1, self.outcomes.total())
        for kind, many in self.outcomes.most_common():
            table.add_row(kind, Text(str(many), justify="right"), Text("▇" * round(30 * many / total), "cyan"))
        return table


def _plain(client: Client, request: Request[Any]) -> Any:
    return msgspec.to_builtins(client.ask(request))


def look(client: Client, window: Window) -> Shown:
    return Shown(_plain(client, system.status()), _plain(client, system.why()), window.pace(), window.outcomes())


def watch(client: Client, every: float) -> None:
    """Show it until the keyboard interrupts; a gateway that went away is waited for."""
    window = Window()
    screen: Group | Text = look(client, window).screen()
    listener = threading.Thread(target=_listen, args=(client, window), daemon=True)
    listener.start()
    with Live(screen, console=Console(), auto_refresh=False, screen=True) as live:
        while True:
            time.sleep(every)
            try:
                screen = look(client, window).screen()
            except VoxgateError as error:
                screen = Text(str(error), "bold red")
            live.update(screen, refresh=True)


def _listen(client: Client, window: Window) -> None:
    while True:
        try:
            for event in client.events(system.events(kinds=KINDS)):
                window.saw(event)
        except VoxgateError:
            time.sleep(1.0)
