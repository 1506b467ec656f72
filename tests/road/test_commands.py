"""The command line against a running gateway: what an operator types, and what is said when it cannot be done."""

from __future__ import annotations

import contextlib
import csv
import os
import pty
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.application import SampleApplication
from lab.gateway import LOGIN, GatewayProcess
from lab.instance import free_port
from lab.lab import Lab
from tests.road.waiting import wait_for


@pytest.fixture(scope="module")
def gateway(lab: Lab) -> Iterator[GatewayProcess]:
    running = GatewayProcess(lab, name="commands", cps=1, max_calls=1)
    running.add_account()
    running.start()
    try:
        yield running
    finally:
        assert running.stop() == 0


@pytest.fixture(scope="module")
def application() -> Iterator[SampleApplication]:
    with SampleApplication() as serving:
        yield serving


def refused(gateway: GatewayProcess, *words: str) -> str:
    with pytest.raises(RuntimeError) as raised:
        gateway.voxgate(*words)
    return str(raised.value)


def test_a_campaigns_life(gateway: GatewayProcess, application: SampleApplication, lab: Lab, tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    # One at a time, and the first rings for ever: the others wait.
    listed.write_text(f"{lab.number('rings')}\n617555010\n+16175550101\n+16175550102\n+16175550101\n911\n")
    given = ("--account", LOGIN, "--start-url", application.start_url)
    foreseen = gateway.json("campaign", "preflight", "--list", str(listed), *given)
    assert (foreseen["dialable"], sum(one["calls"] for one in foreseen["blocked"])) == (3, 3)
    assert "3 numbers would be dialed" in gateway.voxgate("campaign", "preflight", "--list", str(listed), *given)
    said = gateway.voxgate("campaign", "load", "spring", str(listed), *given)
    assert "3 queued, 3 rejected" in said
    for words in ("line 2: '617555010'", "duplicate of line 3", "line 6: '911'"):
        assert words in said
    (campaign,) = (one for one in gateway.json("campaign", "list") if one["name"] == "spring")
    ident = str(campaign["id"])
    wait_for(lambda: gateway.json("calls", "list", "--campaign", ident, "--state", "dialing"))
    assert gateway.json("why", "--campaign", ident)["reason"] == "gateway_full"
    assert "2 numbers would be dialed" in gateway.voxgate("campaign", "preflight", ident)
    assert "paused" in gateway.voxgate("campaign", "pause", ident)
    assert "resume it" in gateway.voxgate("why", "--campaign", ident)
    assert gateway.json("campaign", "show", ident)["pending"] == 2
    waiting = gateway.json("calls", "list", "--campaign", ident, "--state", "pending")
    assert "cancelled" in gateway.voxgate("calls", "cancel", str(waiting[0]["id"]))
    assert "active" in gateway.voxgate("campaign", "resume", ident)
    assert "cancelled" in gateway.voxgate("campaign", "cancel", ident)
    shown = gateway.json("campaign", "show", ident)
    assert (shown["state"], shown["pending"], shown["cancelled"]) == ("cancelled", 0, 2)
    assert "used before" in refused(gateway, "campaign", "load", "spring", str(listed), *given)


def test_a_call_from_the_command_line(gateway: GatewayProcess, application: SampleApplication) -> None:
    ident = gateway.voxgate(
        "call", "617 555-0103", "--account", LOGIN, "--start-url", application.start_url, "--at", "tomorrow 9am"
    ).strip()
    call = gateway.json("calls", "show", ident)
    assert (call["dialed"], call["state"], call["history"]) == ("+16175550103", "pending", [])
    assert "Pending" in gateway.voxgate("calls", "show", ident)
    assert gateway.json("why", ident)["reason"] == "scheduled"
    assert gateway.json("why")["reason"] in ("scheduled", "gateway_full", "gateway_pace", "turn")
    gateway.voxgate("calls", "cancel", ident)
    assert "only calls that wait" not in gateway.voxgate("calls", "show", ident)


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("call", "112", "--account", LOGIN, "--start-url", "http://a/b"), "phone_number"),
        (("call", "+16175550100", "--account", "nobody", "--start-url", "http://a/b"), "voxgate account list"),
        (("call", "+16175550100", "--account", LOGIN, "--start-url", "ftp://a/b"), "start_url"),
        (("calls", "show", "99999999999999999999"), "call_id"),
        (("calls", "cancel", "424242"), "no call 424242"),
        (("campaign", "show", "424242"), "no campaign 424242"),
        (("campaign", "pause", "424242"), "no campaign 424242"),
        (("why", "424242"), "no call 424242"),
        (("why", "--campaign", "424242"), "no campaign 424242"),
        (("calls", "list", "--state", "sleeping"), "must be one of"),
        (("account", "add", LOGIN, "--time-zone", "UTC", "--country", "US"), "already"),
        (("account", "add", "x", "--time-zone", "Mars/Base", "--country", "US"), "Mars/Base"),
        (("account", "add", "x", "--time-zone", "UTC", "--country", "XX"), "country"),
    ],
)
def test_what_cannot_be_done_is_said_without_a_traceback(
    gateway: GatewayProcess, words: tuple[str, ...], answer: str
) -> None:
    said = refused(gateway, *words)
    assert answer in said
    assert "Traceback" not in said


def test_accounts_and_routes(gateway: GatewayProcess) -> None:
    assert LOGIN in gateway.voxgate("account", "list")
    assert "PJSIP/+16175550100@carrier" in gateway.voxgate("route", "test", "16175550100")
    assert "emergency" in refused(gateway, "route", "test", "911")


def test_a_long_load_shows_its_progress(
    gateway: GatewayProcess, application: SampleApplication, tmp_path: Path
) -> None:
    """On a terminal: bytes sent, then bytes queued."""
    listed = tmp_path / "long.txt"
    with listed.open("w") as file:
        file.writelines(f"1617{number:07d}\n" for number in range(2_000_000, 2_060_000))
    command = [
        sys.executable, "-m", "gateway.cli", "campaign", "load", "long", str(listed), "--account", LOGIN,
        "--start-url", application.start_url, "--config", str(gateway.config),
    ]  # fmt: skip
    terminal, side = pty.openpty()
    seen = bytearray()

    def drain() -> None:
        with contextlib.suppress(OSError):
            while piece := os.read(terminal, 65536):
                seen.extend(piece)

    reader = threading.Thread(target=drain)
    reader.start()
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=side, text=True, check=True, timeout=120)
    finally:
        os.close(side)
        reader.join(10)
        os.close(terminal)
    assert "60000 queued, 0 rejected" in done.stdout
    assert b"uploading" in seen and b"queueing" in seen
    (campaign,) = (one for one in gateway.json("campaign", "list") if one["name"] == "long")
    gateway.voxgate("campaign", "cancel", str(campaign["id"]))


def test_a_client_that_stalls_in_mid_upload_does_not_hold_up_the_stop(lab: Lab) -> None:
    gateway = GatewayProcess(lab, name="stalled", agi_port=free_port())
    gateway.start()
    with socket.create_connection(("127.0.0.1", gateway.port)) as client:
        client.sendall(
            b"POST /webservice/queuecalls.php HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n"
            b"Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n"
            b'Content-Disposition: form-data; name="phone_list"; filename="l"\r\n\r\n6175551234\r\n'
        )
        time.sleep(0.5)
        began = time.monotonic()
        assert gateway.stop() == 0
        assert time.monotonic() - began < 10


def test_upkeep_beside_a_running_gateway(
    gateway: GatewayProcess, application: SampleApplication, tmp_path: Path
) -> None:
    given = ("--account", LOGIN, "--start-url", application.start_url, "--at", "tomorrow 9am")
    ident = gateway.voxgate("call", "6175550104", *given).strip()
    out = tmp_path / "calls.csv"
    gateway.voxgate("export", "--out", str(out), "--state", "pending")
    (row,) = (one for one in csv.DictReader(out.read_text().splitlines()) if one["call_id"] == ident)
    assert (row["dialed"], row["state"]) == ("+16175550104", "pending")
    assert "'asleep' is not one of" in refused(gateway, "export", "--state", "asleep")
    assert {one["kind"] for one in gateway.json("retention", "run", "--dry-run")} >= {"recordings", "receipts"}
    assert gateway.json("retention", "show")["hour"] == 3
    assert gateway.json("db", "check", "--quick")["faults"] == []
    assert "stop it first" in refused(gateway, "db", "vacuum")
    gateway.voxgate("calls", "cancel", ident)


def test_a_call_is_relabelled_and_replayed_from_its_audio(
    gateway: GatewayProcess, application: SampleApplication, lab: Lab, tmp_path: Path
) -> None:
    ident = gateway.queue_call(phone_number=f"tel:{lab.number('machine')}", start_url=application.start_url)
    wait_for(lambda: gateway.json("calls", "show", ident)["state"] == "completed")
    assert "was answered by voice" in gateway.voxgate("calls", "relabel", ident, "human")
    assert gateway.json("calls", "show", ident)["callee_type"] == "voice"
    found = gateway.json("classify", "replay", "--folder", str(tmp_path), "--bias", "-20")
    (change,) = (one for one in found["changes"] if one["name"] == f"call {ident}")
    assert (change["label"], change["now"], change["then"]) == ("voice", "answeringmachine", "voice")
    assert "no label" in refused(gateway, "calls", "relabel", ident, "robot")
    assert "there is no call" in refused(gateway, "calls", "relabel", "999999", "fax")
