"""The gateway itself in the lab: it dials each clip as a call, taps it, and its record of the attempt is read back."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from bench.classify.judged import Judged
from bench.classify.road import AT_ONCE, RATE
from bench.corpus import Clip
from gateway.core.model import CalleeType
from lab.gateway import GatewayProcess
from lab.lab import Lab

#: An application that lets the callee talk on.
_SILENT = b"""<?xml version="1.0"?><vxml version="2.1" xmlns="http://www.w3.org/2001/vxml">
<form><block><prompt><break time="30s"/></prompt></block></form></vxml>"""
_ENDED = ("completed", "failed", "cancelled")


def judge(lab: Lab, clips: Sequence[Clip], name: str = "bench") -> list[Judged]:
    """Every clip as the gateway judges it; lines of ``lab``'s plan are in the order of ``clips``."""
    found = call_all(lab, _SILENT, name)
    return [judged(clip, *found.get(n, ({}, None))) for n, clip in enumerate(clips)]


def call_all(lab: Lab, document: bytes, name: str, **fields: str) -> dict[int, tuple[dict[str, Any], str | None]]:
    """Call every line of ``lab``'s plan; by its place there the evidence and callee type of the last attempt."""
    gateway = GatewayProcess(lab, name=name, cps=RATE, max_calls=AT_ONCE)
    gateway.add_account()
    gateway.start()
    try:
        with _application(document) as url:
            numbers = [line.number for line in lab.plan.lines]
            queued = (gateway.queue_call(phone_number=f"tel:{one}", start_url=url, **fields) for one in numbers)
            ids = {int(ident): n for n, ident in enumerate(queued)}
            _watch(gateway, len(ids))
    finally:
        gateway.stop()
    with sqlite3.connect(f"file:{gateway.folder}/voxgate.db?mode=ro", uri=True) as store:
        rows = store.execute("SELECT call_id, evidence, callee_type FROM attempt ORDER BY number").fetchall()
    return {ids[call]: (json.loads(evidence or "{}"), callee) for call, evidence, callee in rows if call in ids}


def _watch(gateway: GatewayProcess, calls: int) -> None:
    deadline = time.monotonic() + 120 + calls / RATE + calls * 14 / AT_ONCE
    with sqlite3.connect(f"file:{gateway.folder}/voxgate.db?mode=ro", uri=True) as store:
        while time.monotonic() < deadline:
            left = store.execute("SELECT count(*) FROM call WHERE state NOT IN (?, ?, ?)", _ENDED).fetchone()[0]
            if not left:
                return
            time.sleep(1)


def judged(clip: Clip, evidence: dict[str, Any], callee: str | None) -> Judged:
    """``first`` and ``at`` are of the first verdict after the answer."""
    answered = evidence.get("answered", 0.0)
    verdicts = [one for one in evidence.get("verdicts", ()) if one["at"] >= answered]
    first = verdicts[0] if verdicts else None
    beeps = [one for one in evidence.get("timeline", ()) if one["sound"] == "beep"]
    return Judged(
        clip=replace(clip, pcm=b""),
        seconds=clip.seconds,
        first=CalleeType(first["callee_type"]) if first else CalleeType(callee) if callee else None,
        at=first["at"] - answered if first else None,
        last=CalleeType(verdicts[-1]["callee_type"]) if verdicts else None,
        confidence=first["confidence"] if first else 0.0,
        reason=first["reason"] if first else str(evidence.get("fallback", "no evidence")),
        beeps=tuple((one["start"] - answered, one["end"] - answered, one["known"] - answered) for one in beeps),
    )


@contextmanager
def _application(document: bytes) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/voicexml+xml")
            self.send_header("Content-Length", str(len(document)))
            self.end_headers()
            self.wfile.write(document)

        do_POST = do_GET

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
