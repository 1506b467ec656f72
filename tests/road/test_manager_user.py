"""The AMI user of asterisk-conf, looked at by an independent client (pyst2): least rights, and nobody else's events."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from asterisk.manager import Manager, ManagerAuthException, ManagerSocketException

from lab.lab import Lab

#: pyst2 0.5.1 is written for an older Python.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def manager(lab: Lab) -> Iterator[Manager]:
    client = Manager()
    client.connect("127.0.0.1", lab.ami_port)
    client.login(lab.ami_user, lab.ami_secret)
    yield client
    with contextlib.suppress(ManagerSocketException, ValueError):  # its own reader races with it
        client.close()


def originate(ident: str, **more: str) -> dict[str, str]:
    target = more or {"Context": "voxgate-doctor", "Exten": "answer", "Priority": "1"}
    return {
        "Action": "Originate", "ActionID": ident, "ChannelId": ident, "Channel": "Local/answer@voxgate-doctor",
        "Async": "true", **target,
    }  # fmt: skip


@pytest.mark.parametrize(
    "action",
    [
        {"Action": "Command", "Command": "core show version"},
        {"Action": "GetConfig", "Filename": "manager.conf"},
        {"Action": "UpdateConfig", "SrcFilename": "manager.conf", "DstFilename": "manager.conf"},
        {"Action": "DBPut", "Family": "x", "Key": "y", "Val": "z"},
        originate("vg-evil", Application="System", Data="touch /tmp/evil"),
    ],
    ids=lambda action: action["Action"],
)
def test_the_user_may_not_do_what_the_gateway_never_does(manager: Manager, action: dict[str, str]) -> None:
    answer = manager.send_action(dict(action))
    assert answer.headers["Response"] == "Error"
    assert re.search("permission denied|forbidden", answer.headers["Message"], re.I)


def test_a_wrong_secret_is_refused(lab: Lab) -> None:
    client = Manager()
    client.connect("127.0.0.1", lab.ami_port)
    with pytest.raises(ManagerAuthException):
        client.login(lab.ami_user, "wrong")
    with contextlib.suppress(ManagerSocketException, ValueError):
        client.close()


def test_only_our_own_calls_events_leave_asterisk(manager: Manager, lab: Lab) -> None:
    seen: list[dict[str, Any]] = []
    manager.register_event("*", lambda event, _: seen.append(event.headers))
    mine, other = f"vg-{lab.installation}-look", "office-call"
    for ident in (other, mine):
        assert manager.send_action(originate(ident)).headers["Response"] == "Success"
    deadline = time.monotonic() + 10
    while not any(one["Event"] == "OriginateResponse" for one in seen) and time.monotonic() < deadline:
        time.sleep(0.05)
    for _ in (other, mine):
        manager.send_action({"Action": "Hangup", "Channel": "/^Local/answer@voxgate-doctor-.*$/"})
    while not any(one["Event"] == "Hangup" for one in seen) and time.monotonic() < deadline:
        time.sleep(0.05)
    of_calls = [one for one in seen if "Uniqueid" in one]
    assert {"Newchannel", "Newstate", "OriginateResponse", "Hangup"} <= {one["Event"] for one in of_calls}
    assert all(one["Uniqueid"].startswith(mine) for one in of_calls), of_calls
