"""A client that queues calls while everything breaks, and asks again under the same key until it is answered."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from lab.gateway import LOGIN, PIN
from tests.chaos.books import MAX_RETRIES
from tests.chaos.customer import Customer
from voxgate import calls, campaigns
from voxgate.client import Client, VoxgateError

AGAIN = 0.3
RETRY_INTERVAL = 60


class Traffic:
    """``accepted`` are the references whose call id it was told. A reference is the call's Idempotency-Key.

    The first half of the numbers is a list; the others come one by one, over ``span`` seconds.
    """

    def __init__(self, base: str, customer: Customer, numbers: Sequence[str], span: float) -> None:
        self._client = Client(base, login=LOGIN, pin=PIN, retries=0, timeout=20)
        self._plan = {
            "result_url": customer.result_url, "max_retries": MAX_RETRIES, "retry_interval": RETRY_INTERVAL,
        }  # fmt: skip
        self._start_url = customer.start_url
        half = len(numbers) // 2
        self._list, self._singles = numbers[:half], numbers[half:]
        self._span = span
        self._ended = False
        self.accepted: dict[str, int] = {}
        self.refusals: list[str] = []
        self.listed = 0
        self._thread = threading.Thread(target=self._queue_singles, daemon=True)

    def start(self) -> None:
        """The list at once, before anything breaks; raises :class:`VoxgateError`."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "list.csv"
            rows = "".join(f"{number},list-{index}\n" for index, number in enumerate(self._list))
            file.write_text(f"destination,message_reference\n{rows}")
            loaded = self._client.ask(campaigns.load("chaos", self._start_url, file, **self._plan), key="list")
        self.listed = loaded.queued
        self._thread.start()

    def finish(self, within: float) -> None:
        """Wait until all were answered; what was not by then is asked for no more."""
        self._thread.join(within)
        self._ended = True
        self._thread.join(25)

    def _queue_singles(self) -> None:
        began = time.monotonic()
        for index, number in enumerate(self._singles):
            reference = f"single-{index}"
            asked = calls.create(number, self._start_url, message_reference=reference, **self._plan)
            time.sleep(max(0.0, began + self._span * index / len(self._singles) - time.monotonic()))
            while not self._ended:
                try:
                    self.accepted[reference] = self._client.ask(asked, key=reference).id
                    break
                except VoxgateError as error:
                    self.refusals.append(f"{type(error).__name__}: {error}"[:200])
                    time.sleep(AGAIN)
