"""kill -9 while clients queue with keys: what they send again afterwards is queued once, whatever was answered before."""

from __future__ import annotations

import threading
import time
from collections import Counter
from pathlib import Path

from tests.api.running import Running
from voxgate import calls
from voxgate.client import Client, VoxgateError

CALLS = 400


def test_requests_that_are_sent_again_after_a_kill_queue_once(tmp_path: Path) -> None:
    gateway = Running(tmp_path)
    gateway.start()
    answered: dict[str, int] = {}

    def queue(keys: list[str]) -> None:
        with Client(gateway.base, token=gateway.customer, retries=0) as client:
            for key in keys:
                try:
                    asked = calls.create("+16175550001", "http://app.example/start.php", message_reference=key)
                    answered[key] = client.ask(asked, key=key).id
                except VoxgateError:
                    return

    keys = [f"key {number}" for number in range(CALLS)]
    threads = [threading.Thread(target=queue, args=(keys[part::8],)) for part in range(8)]
    try:
        for thread in threads:
            thread.start()
        while len(answered) < CALLS // 4:
            time.sleep(0.001)
        gateway.kill()
        for thread in threads:
            thread.join()
        before = dict(answered)
        assert CALLS // 4 <= len(before) < CALLS
        gateway.start()
        queue(keys)
        assert {key: answered[key] for key in before} == before
        with Client(gateway.base, token=gateway.customer) as client:
            held = [one.message_reference for one in client.pages(calls.find(limit=1000))]
        assert Counter(held) == Counter(keys)
    finally:
        gateway.stop()
