"""The whole road in one command: a campaign rings real phones through a real Asterisk, and its results come back."""

from __future__ import annotations

import json
import sys
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from rich.console import Console
from rich.live import Live
from rich.table import Table

from lab import listening
from lab.application import SampleApplication
from lab.behaviours import Line
from lab.gateway import LOGIN, PIN, GatewayProcess
from lab.lab import Lab

REPORT = Path("build/demo.json")
#: Retry gaps are multiplied by this, so that a 60 s gap takes 3 s.
GAP_SCALE = 0.05
GIVE_UP = 150.0
#: Queued one by one through queuecall.php; all others go up as one list.
SINGLE = ("person-keys", "busy-then-person", "twice", "no-sip", "unauthorized")

console = Console(width=None if sys.stdout.isatty() else 230)


def main() -> int:
    started = time.monotonic()
    console.print("Starting the lab: two real Asterisks on loopback, one as PBX, one as carrier.")
    with Lab(ring_timeout=10.0) as lab, SampleApplication() as application:
        gateway = GatewayProcess(lab, retry_gap_scale=GAP_SCALE)
        console.print(f"Numbers drawn from seed {lab.plan.seed}. Lab only: retry gaps are multiplied by {GAP_SCALE}.")
        gateway.add_account()
        gateway.start()
        try:
            queued = queue(lab.plan.lines, gateway, application)
            watch(gateway, queued)
            lines = judge(lab, gateway, application, queued)
        finally:
            status = gateway.stop()
    ok = all(not line["differs"] for line in lines) and status == 0
    _print(lines)
    for line in lines:
        del line["differs"]
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps({"ok": ok, "lines": lines}, indent=1) + "\n")
    types = sorted({line["found"] for line in lines})
    console.print(
        f"demo: {'ok' if ok else 'DIFFERS'}: {len(lines)} calls, callee types {', '.join(types)}, "
        f"{time.monotonic() - started:.0f} s; report in {REPORT}"
    )
    return 0 if ok else 1


# --- queueing, as clients do ---


def queue(
    planned: Sequence[Line], gateway: GatewayProcess, application: SampleApplication, name: str = "demo"
) -> dict[int, Line]:
    """Queue these numbers, some singly, the rest as campaign ``name``; a call id to its line."""
    common = {"start_url": application.start_url, "result_url": application.result_url}
    queued: dict[int, Line] = {}
    for line in planned:
        if line.behaviour.key not in SINGLE:
            continue
        fields = {**common, "phone_number": f"tel:{line.number}", "max_retries": str(line.behaviour.retries)}
        fields |= {"retry_interval": "60", "message_reference": line.behaviour.key}
        if line.behaviour.key == "person-keys":
            fields["phone_number"] += ";ani=8009957586;postd=2"
        if line.behaviour.trunk_fault:
            fields["expiration_time"] = "+25 seconds"  # it would be tried again for an hour
        for _ in range(2 if line.behaviour.key == "twice" else 1):
            queued[int(gateway.queue_call(**fields))] = line
    rest = [line for line in planned if line.behaviour.key not in SINGLE]
    listed = "\r\n".join(['"destination","behaviour"', *(f'"{one.number}","{one.behaviour.key}"' for one in rest)])
    body, kind = _multipart(
        {"login": LOGIN, "pin": PIN, **common, "campaign_name": name, "retry_interval": "60"}, listed.encode()
    )
    reply = ElementTree.fromstring(gateway.post("queuecalls.php", body, kind))  # noqa: S314 - our own reply
    if reply.get("status") != "queued" or reply.get("rejected") != "0":
        raise RuntimeError(f"refused: {ElementTree.tostring(reply, 'unicode')}")
    by_number = {line.number: line for line in rest}
    for call in gateway.json("calls", "list", "--campaign", str(reply.get("campaign_id")), "--limit", "1000"):
        queued[call["id"]] = by_number[call["dialed"]]
    return queued


def _multipart(fields: dict[str, str], listed: bytes) -> tuple[bytes, str]:
    """The list comes before start_url, as PHP sends it."""
    mark = uuid.uuid4().hex
    parts = [f'--{mark}\r\nContent-Disposition: form-data; name="phone_list"; filename="numbers.csv"\r\n\r\n'.encode()]
    parts += [listed, b"\r\n"]
    for name, value in fields.items():
        parts.append(f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode())
    return b"".join([*parts, f"--{mark}--\r\n".encode()]), f"multipart/form-data; boundary={mark}"


# --- watching ---

_ENDED = ("completed", "failed", "cancelled")


def watch(gateway: GatewayProcess, queued: dict[int, Line]) -> None:
    deadline = time.monotonic() + GIVE_UP
    with Live(console=console, refresh_per_second=2, transient=True) as live:
        while time.monotonic() < deadline:
            calls = gateway.json("calls", "list", "--limit", "1000")
            live.update(_progress(calls, queued))
            if all(call["state"] in _ENDED for call in calls):
                return
            time.sleep(1.0)


def _progress(calls: list[dict[str, Any]], queued: dict[int, Line]) -> Table:
    table = Table("number", "behaviour", "state", "attempts", "callee type", box=None)
    for call in calls:
        line = queued.get(call["id"])
        if line is not None:
            words = line.behaviour.words
            table.add_row(line.number, words, call["shown"], str(call["attempts"]), call["callee_type"] or "")
    return table


# --- judging ---


def judge(
    lab: Lab, gateway: GatewayProcess, application: SampleApplication, queued: dict[int, Line]
) -> list[dict[str, Any]]:
    """One report line a call; ``differs`` says what is not as it should be."""
    deadline = time.monotonic() + 15
    while len(application.posts) < len(queued) and time.monotonic() < deadline:
        time.sleep(0.2)
    prompt = _prompt_file(gateway)
    rung = lab.invites()
    lines = []
    for call_id, line in sorted(queued.items()):
        call = gateway.json("calls", "show", str(call_id))
        posts = application.posts.get(str(call_id), [])
        post = posts[0] if posts else {}
        heard = lab.heard(line.number)
        likeness = max((listening.similarity(path, prompt) for path in heard), default=0.0)
        entry: dict[str, Any] = {
            "number": line.number,
            "behaviour": line.behaviour.key,
            "expected": " or ".join(line.behaviour.expected),
            "found": call["callee_type"] or "",
            "attempts": call["attempts"],
            "duration": call["duration"],
            "heard": round(likeness, 2) if heard else None,
            "keyed": application.keyed.get(str(call_id), ""),
            "post": post,
            "evidence": judged_by(call["history"]),
        }
        invites = sum(one.number.lstrip("+") == line.number.lstrip("+") for one in rung)
        dialed = sum(1 for one in call["history"] if one["trunk"] == "carrier")
        if line.behaviour.key == "twice":
            dialed = sum(
                len(gateway.json("calls", "show", str(other))["history"]) for other in queued if queued[other] is line
            )
        entry["differs"] = _differences(line, entry, len(posts), invites, dialed, lab)
        if call["application_error"] is not None:
            entry["differs"].append(f"the application failed: {call['application_error']}")
        lines.append(entry)
    return lines


def judged_by(history: list[dict[str, Any]]) -> str:
    """What the last attempt's evidence says in short: who judged, how long after the answer, and what was heard."""
    found = history[-1]["evidence"] if history else {}
    words = [str(found.get("detector", "none"))]
    if found.get("verdicts"):
        words.append(f"{found['verdicts'][0]['at'] - found.get('answered', 0.0):.1f} s")
    sounds = [one["sound"] for one in found.get("timeline", ())]
    words += dict.fromkeys(sound for sound in sounds if sound != "silence")
    return " ".join(words)


def _differences(line: Line, entry: dict[str, Any], posts: int, invites: int, dialed: int, lab: Lab) -> list[str]:
    behaviour, post = line.behaviour, entry["post"]
    wrong = []
    if entry["found"] not in behaviour.expected:
        wrong.append(f"callee_type {entry['found']}")
    if posts != 1:
        wrong.append(f"{posts} result posts")
    elif (post["callee_type"], post["attempts"]) != (entry["found"], str(entry["attempts"])):
        wrong.append("the post tells otherwise")
    elif post["result"] != ("completed" if entry["found"] in ("voice", "answeringmachine") else "failed"):
        wrong.append(f"result {post['result']}")
    if invites != dialed:
        wrong.append(f"{invites} INVITEs for {dialed} attempts")
    if not behaviour.trunk_fault and len(behaviour.expected) == 1 and entry["attempts"] != behaviour.retries + 1:
        wrong.append(f"{entry['attempts']} attempts")
    if behaviour.trunk_fault and entry["attempts"] != 0:
        wrong.append("a trunk fault consumed an attempt")
    if behaviour.hears and (entry["heard"] or 0) < listening.HEARD:
        wrong.append(f"the prompt was not heard ({entry['heard']})")
    if behaviour.keys and entry["keyed"] != line.keys:
        wrong.append(f"keyed {line.keys}, the application got {entry['keyed']!r}")
    if behaviour.keys and lab.keyed_to(line.number) != "2":
        wrong.append(f"postd 2, the callee got {lab.keyed_to(line.number)!r}")
    return wrong


def _prompt_file(gateway: GatewayProcess) -> Path:
    """The rendering of the application's first prompt: the longest file that the gateway made."""
    return max(gateway.media.glob("*.wav"), key=lambda path: path.stat().st_size)


def _print(lines: list[dict[str, Any]]) -> None:
    columns = ("number", "behaviour", "expected", "found", "tries", "s", "heard", "keyed", "post", "evidence")
    table = Table(*columns, "", box=None)
    for line in lines:
        post = line["post"]
        shown = f"{post.get('result', '-')}/{post.get('callee_type', '-')}/{post.get('attempts', '-')}"
        table.add_row(
            line["number"], line["behaviour"], line["expected"], line["found"], str(line["attempts"]),
            str(line["duration"]), "" if line["heard"] is None else f"{line['heard']:.2f}", line["keyed"], shown,
            line["evidence"], "; ".join(line["differs"]) or "ok",
        )  # fmt: skip
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())
