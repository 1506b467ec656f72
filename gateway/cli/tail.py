"""``voxgate calls tail``: what happens to calls, as it happens."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import msgspec

from gateway.cli.client import ApiRefused, Client, GatewayDown
from voxgate import models

#: Seconds between two tries to reach a gateway that went away.
AGAIN = 1.0


def events(client: Client, **wanted: object) -> Iterator[models.Event]:
    """Events without end, across lost connections and restarts; the first connection must succeed."""
    last: int | None = None
    connected = False
    while True:
        given = {**wanted, "after": last}
        query = urlencode({name: value for name, value in given.items() if value is not None})
        try:
            for block in _blocks(client.pieces_of_lines(f"/events?{query}")):
                connected = True
                if (data := block.get("data")) is None:
                    continue
                event = msgspec.json.decode(data, type=models.Event)
                last = event.id
                yield event
        except (GatewayDown, ApiRefused):
            if not connected:
                raise
        time.sleep(AGAIN)


def _blocks(lines: Iterator[bytes]) -> Iterator[dict[str, bytes]]:
    """The fields of each event (WHATWG HTML §9.2.6); comments are empty events."""
    block: dict[str, bytes] = {}
    for line in lines:
        text = line.rstrip(b"\r\n")
        if not text:
            yield block
            block = {}
            continue
        name, _, value = text.partition(b":")
        block[name.decode()] = value.removeprefix(b" ")


def line(event: models.Event) -> str:
    """One event for people, its time in this machine's zone."""
    at = datetime.fromisoformat(str(event.at)).astimezone()
    data: dict[str, Any] = dict(event.data)
    call = data.pop("call_id", None)
    who = f"call {call}" if call is not None else ""
    rest = " ".join(f"{name}={value}" for name, value in data.items() if value not in (None, ""))
    return f"{at:%H:%M:%S}  {event.kind:<18} {who:<12} {rest}".rstrip()
