"""What keeps a bill small and a line free, on a real Asterisk: limits, caps, strays, a stall, emergency numbers."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest
from asterisk.manager import Manager, ManagerSocketException

from lab.application import SampleApplication
from lab.gateway import LOGIN, GatewayProcess
from lab.lab import Lab
from tests.road.waiting import wait_for
from tests.vxml.caller import document

#: pyst2 0.5.1 is written for an older Python.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

WAITS = document(
    '<form><field name="code" type="digits?length=4"><property name="timeout" value="50s"/>'
    "<prompt>Please key in your code.</prompt><noinput><exit/></noinput></field></form>"
)
EMERGENCY = document(
    '<form><catch event="error.connection"><var name="told" expr="_event"/>'
    '<submit next="KEEP" method="post" namelist="told"/></catch>'
    '<transfer name="t" type="bridge" dest="tel:911"/></form>'
)


@pytest.fixture(scope="module")
def application() -> Iterator[SampleApplication]:
    with SampleApplication() as serving:
        serving.pages["waits"] = (0, WAITS.encode())
        serving.pages["emergency"] = (0, EMERGENCY.replace("KEEP", serving.keep_url("emergency")).encode())
        yield serving


@pytest.fixture(scope="module")
def gateway(lab: Lab) -> Iterator[GatewayProcess]:
    running = GatewayProcess(lab, name="guard")
    running.add_account()
    running.start()
    try:
        yield running
    finally:
        assert running.stop() == 0


def queue(running: GatewayProcess, application: SampleApplication, number: str, page: str) -> str:
    return running.queue_call(
        phone_number=number, start_url=application.page_url(page), result_url=application.result_url
    )


def ended(running: GatewayProcess, application: SampleApplication, call_id: str) -> dict[str, Any]:
    wait_for(lambda: application.posts.get(call_id), 90)
    record: dict[str, Any] = running.ask(f"/calls/{call_id}")
    return record


def originate_stray(lab: Lab, ident: str) -> None:
    """A channel that rings for a minute, with the id of an attempt that has ended."""
    client = Manager()
    client.connect("127.0.0.1", lab.ami_port)
    client.login(lab.ami_user, lab.ami_secret)
    try:
        answer = client.send_action({
            "Action": "Originate", "ActionID": ident, "ChannelId": ident, "Timeout": "60000", "Async": "true",
            "Channel": f"PJSIP/{lab.number('rings')}@carrier", "Context": "voxgate-answered", "Exten": "60",
            "Priority": "1",
        })  # fmt: skip
        assert answer.headers["Response"] == "Success"
    finally:
        with contextlib.suppress(ManagerSocketException, ValueError):  # its own reader races with it
            client.close()


def logged(running: GatewayProcess, event: str) -> list[dict[str, Any]]:
    entries = (json.loads(line) for line in running.log.read_text().splitlines() if line.startswith("{"))
    return [one for one in entries if one.get("event") == event]


def strays(running: GatewayProcess) -> list[str]:
    return sorted({one["attempt_id"] for one in logged(running, "watchdog.mends") if one["wrong"] == "stray"})


def test_a_call_is_ended_at_its_longest_time_and_says_so_while_a_stray_channel_is_ended(
    gateway: GatewayProcess, application: SampleApplication, lab: Lab
) -> None:
    gateway.voxgate("account", "set", LOGIN, "max_call_seconds=10", "max_calls=1")
    first = queue(gateway, application, lab.number("person"), "waits")
    second = queue(gateway, application, lab.number("person"), "waits")
    wait_for(lambda: gateway.ask(f"/calls/{first}/why")["reason"] == "in_call", 30)
    assert gateway.ask(f"/calls/{second}/why")["reason"] == "account_full"
    record = ended(gateway, application, first)
    assert record["state"] == "completed" and 9 <= record["duration"] <= 12
    assert "after its longest time" in record["history"][-1]["reason"]
    ended(gateway, application, second)
    stray = logged(gateway, "attempt.ended")[0]["attempt_id"]
    originate_stray(lab, stray)
    wait_for(lambda: strays(gateway) == [stray], 45)
    wait_for(lambda: stray not in lab.pbx.cli("core show channels concise"), 5)
    gateway.voxgate("account", "set", LOGIN, "max_call_seconds=", "max_calls=")


def test_an_emergency_number_is_reached_by_no_transfer(
    gateway: GatewayProcess, application: SampleApplication, lab: Lab
) -> None:
    with pytest.raises(RuntimeError, match="emergency"):
        queue(gateway, application, "911", "waits")
    call_id = queue(gateway, application, lab.number("person"), "emergency")
    wait_for(lambda: application.kept.get("emergency"), 40)
    assert application.kept["emergency"][-1] == {"told": "error.connection.noauthorization"}
    ended(gateway, application, call_id)
    assert not [one for one in lab.invites() if one.number.endswith("911")]


def test_a_stall_of_asterisk_puts_few_calls_at_risk(
    gateway: GatewayProcess, application: SampleApplication, lab: Lab
) -> None:
    """Stopped for 7 s, twenty calls a second waiting: what may have been taken is closed as unknown, the rest waits."""
    number = lab.number("busy")
    calls: list[str] = []
    pid = lab.pbx.pid
    assert pid is not None
    for _ in range(60):
        calls.append(queue(gateway, application, number, "waits"))
        if len(calls) == 20:
            os.kill(pid, signal.SIGSTOP)
            stopped = time.monotonic()
    wait_for(lambda: gateway.ask("/status")["why_not_dialing"] is not None, 5)
    time.sleep(max(0.0, stopped + 7 - time.monotonic()))
    os.kill(pid, signal.SIGCONT)
    for call_id in calls:
        wait_for(lambda call_id=call_id: application.posts.get(call_id), 90)
    unknown = [one for one in calls if gateway.ask(f"/calls/{one}")["callee_type"] == "unknown"]
    print(f"calls of unknown outcome after a stall of 7 s at 20 calls a second: {len(unknown)} of {len(calls)}")
    assert len(unknown) <= 6
